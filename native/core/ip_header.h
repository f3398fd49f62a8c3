#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/packet.h"

namespace postern {

/// What an IP header says. `end` may lie behind the octets at hand.
struct IpHeader {
  Address source;
  Address destination;
  std::uint16_t ident = 0;  ///< IPv4 identification; 0 for IPv6
  std::uint8_t hops = 0;    ///< time to live, or hop limit
  std::uint8_t protocol = 0;
  std::size_t transport_offset = 0;
  std::size_t end = 0;
};

/// Reads the IP header of either version, with the extension headers of IPv6 walked up to the
/// transport. Addresses are filled whenever they could be read, the rest is valid only when the
/// answer is `none`.
[[nodiscard]] ParseError read_ip(std::span<const std::byte> bytes, IpHeader& header) noexcept;

[[nodiscard]] ParseError read_ipv4(std::span<const std::byte> bytes, IpHeader& header) noexcept;
[[nodiscard]] ParseError read_ipv6(std::span<const std::byte> bytes, IpHeader& header) noexcept;

}  // namespace postern
