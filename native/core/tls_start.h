#pragma once

#include <cstddef>
#include <cstdint>

namespace postern {

/// Tells from the first octets of a stream whether a TLS handshake begins, and where its first
/// message ends: handshake records (RFC 8446 5.1) of SSL 3.0 to TLS 1.3 whose first message is a
/// client or server hello (RFC 8446 4.1), parted over records or not. Says no at the first octet
/// that cannot be part of one, and yes at the last octet of the hello. What the hello says is read
/// in tls_hello.h. A server may send an alert instead (RFC 8446 6): told at its second octet, the
/// last of its record.
class TlsStart {
 public:
  enum class Answer : std::uint8_t { undecided, yes, no, alert };
  /// Whether an alert may come in place of the hello: one has to begin the stream then.
  enum class Alerts : bool { no, yes };

  TlsStart() noexcept = default;
  explicit TlsStart(Alerts alerts) noexcept : alerts_(alerts == Alerts::yes) {}

  [[nodiscard]] Answer step(std::byte octet) noexcept;

 private:
  [[nodiscard]] bool record_header(std::uint8_t value) noexcept;
  [[nodiscard]] bool record_type(std::uint8_t value) noexcept;
  [[nodiscard]] bool record_length_fits() const noexcept;
  [[nodiscard]] Answer alert(std::uint8_t value) noexcept;
  [[nodiscard]] bool message(std::uint8_t value) noexcept;

  std::uint16_t seen_ = 0;  ///< octets in all, record headers included
  std::uint16_t record_length_ = 0;
  std::uint16_t record_left_ = 0;     ///< octets of the record under way that are still to come
  std::uint16_t message_seen_ = 0;    ///< octets of the message, its header included
  std::uint16_t message_length_ = 0;  ///< without its header
  std::uint8_t header_seen_ = 0;      ///< octets of the record header
  std::uint8_t type_ = 0;
  bool alerts_ = false;
  bool is_alert_ = false;
};

}  // namespace postern
