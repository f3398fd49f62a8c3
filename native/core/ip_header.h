#pragma once

#include <cstddef>
#include <span>

#include "core/packet.h"

namespace postern {

/// Where the transport header of an IP packet stands. `end` is what the IP header says, and may lie
/// behind the octets at hand.
struct IpLayout {
  std::size_t transport_offset = 0;
  std::size_t end = 0;
};

/// Reads an IPv4 header: addresses and identification go to `packet`, the place of TCP to `layout`.
[[nodiscard]] ParseError read_ipv4(std::span<const std::byte> bytes, TcpPacket& packet,
                                   IpLayout& layout) noexcept;

/// The same for IPv6, with its extension headers walked up to TCP.
[[nodiscard]] ParseError read_ipv6(std::span<const std::byte> bytes, TcpPacket& packet,
                                   IpLayout& layout) noexcept;

}  // namespace postern
