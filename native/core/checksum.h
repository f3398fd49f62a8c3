#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace postern {

/// The ones' complement sum of RFC 1071 over `bytes`, folded to 16 bits and in host order, added to
/// `sum`. Runs may be chained as long as all but the last have an even length.
[[nodiscard]] std::uint16_t internet_sum(std::span<const std::byte> bytes,
                                         std::uint16_t sum = 0) noexcept;

/// The sum over the pseudo-header of TCP, UDP and ICMPv6 (RFC 9293 3.1, RFC 8200 8.1): addresses
/// from the IP header that `bytes` begins with, and what follows it. To be chained into
/// internet_sum().
[[nodiscard]] std::uint16_t pseudo_header_sum(std::span<const std::byte> bytes,
                                              std::size_t transport_bytes,
                                              std::uint8_t protocol) noexcept;

/// The sum over pseudo-header and TCP segment (RFC 9293 3.1, RFC 8200 8.1), the checksum field as
/// it stands: 0xFFFF when that is right. `bytes` is a whole packet whose IP length agrees with it.
[[nodiscard]] std::uint16_t tcp_sum(std::span<const std::byte> bytes,
                                    std::size_t tcp_offset) noexcept;

/// Writes the IPv4 header checksum (nothing for IPv6) and the TCP checksum.
void write_packet_checksums(std::span<std::byte> bytes, std::size_t tcp_offset) noexcept;

}  // namespace postern
