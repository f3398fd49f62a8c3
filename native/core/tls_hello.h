#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace postern {

inline constexpr std::uint8_t kTlsClientHello = 1;
inline constexpr std::uint8_t kTlsServerHello = 2;
/// Of a handshake message: its type, and its length in 24 bits (RFC 8446 4).
inline constexpr unsigned kTlsMessageHeaderBytes = 4;
/// An alert is its level and its description (RFC 8446 6).
inline constexpr unsigned kTlsAlertBytes = 2;
/// The shortest hello there is: the server's of RFC 5246 7.4.1.3, without session id and
/// extensions.
inline constexpr unsigned kTlsHelloBodyBytesMin = 38;

/// What a hello says. The spans lie within the message.
struct TlsHello {
  std::uint8_t type = 0;
  /// The client's highest offer (0: it names only versions that nobody knows), the server's choice.
  std::uint16_t version = 0;
  std::span<const std::byte> server_name;  ///< empty: none named
  std::span<const std::byte> alpn;         ///< names, each behind an octet of its length
  std::span<const std::byte> ciphers;      ///< of two octets each; the one chosen
  std::span<const std::byte> extensions;   ///< whole, each behind its type and length
  std::span<const std::byte> signatures;   ///< algorithms of two octets each
};

/// The message that TlsStart said yes of: takes the record headers out, in place. `octets` are
/// those from the first of the stream to the one at which it said so.
[[nodiscard]] std::span<const std::byte> join_tls_records(std::span<std::byte> octets) noexcept;

/// Reads a whole handshake message (RFC 8446 4.1.2, 4.1.3; RFC 5246 7.4.1). Nothing when a length
/// in it does not add up, an extension comes twice, or a name is longer than a host name can be.
[[nodiscard]] std::optional<TlsHello> read_tls_hello(std::span<const std::byte> message) noexcept;

/// What JavaScript reads of a hello (src/native/tls-hello.ts): type (1), version (2), and
/// server name, ALPN names, cipher suites, types of extensions, signature algorithms, each behind
/// its length in two octets. Never longer than the message; `out` must be as long. The octets
/// written.
[[nodiscard]] std::size_t write_tls_hello(const TlsHello& hello, std::span<std::byte> out) noexcept;

}  // namespace postern
