#pragma once

#include <cstddef>
#include <cstdint>

namespace postern {

/// Tells from the first octets of a stream whether a TLS handshake begins: a handshake record (RFC
/// 8446 5.1) of TLS 1.0 to 1.3 whose first message is a client or server hello (RFC 8446 4). Says
/// no at the first octet that cannot be part of one.
class TlsStart {
 public:
  enum class Answer : std::uint8_t { undecided, yes, no };

  [[nodiscard]] Answer step(std::byte octet) noexcept;

 private:
  std::uint8_t seen_ = 0;
  std::uint8_t length_high_ = 0;
};

}  // namespace postern
