#pragma once

#include "core/bytes.h"
#include "core/checksum.h"
#include "test/packet_samples.h"

/// UDP and ICMP written out by hand, beside the TCP of packet_samples.h.
namespace postern::test {

inline constexpr unsigned kUdp = 17;
inline constexpr unsigned kIcmp = 1;
inline constexpr unsigned kIcmpv6 = 58;

/// From `source` to `destination`, checksum 0; `length` 0: the right one.
inline Octets udp_sample(unsigned source, unsigned destination, std::string_view payload = "query",
                         unsigned length = 0) {
  const unsigned real = length != 0 ? length : static_cast<unsigned>(8 + payload.size());
  Octets out = octets_of({source >> 8U, source & 0xFFU, destination >> 8U, destination & 0xFFU,
                          real >> 8U, real & 0xFFU, 0, 0});
  put(out, from_text(payload));
  return out;
}

/// An ICMP message with an identifier where queries have one; checksum 0.
inline Octets icmp_sample(unsigned type, unsigned identifier, const Octets& body = {},
                          unsigned code = 0) {
  Octets out = octets_of({type, code, 0, 0, identifier >> 8U, identifier & 0xFFU, 0, 1});
  put(out, body);
  return out;
}

/// Writes the checksum at `at` of the transport that begins at `offset`, by the slow sum.
inline void put_checksum(Octets& packet, std::size_t offset, std::size_t at, unsigned protocol) {
  const bool ipv4 = std::to_integer<unsigned>(packet[0]) >> 4U == 4U;
  const auto place = [&](std::size_t index) {
    return packet.begin() + static_cast<std::ptrdiff_t>(index);
  };
  Octets summed;
  if (protocol != kIcmp) {
    summed.assign(place(ipv4 ? 12 : 8), place(ipv4 ? 20 : 40));
    const auto length = static_cast<unsigned>(packet.size() - offset);
    put(summed, {0, 0, length >> 8U, length & 0xFFU, 0, protocol});
  }
  summed.insert(summed.end(), place(offset), packet.end());
  const auto sum = static_cast<std::uint16_t>(~slow_sum(summed));
  write_u16(packet, offset + at, sum == 0 ? std::uint16_t{0xFFFF} : sum);
}

/// Turns an IPv4 or IPv6 sample around: its source becomes its destination.
inline Octets turned(Octets packet) {
  const bool ipv4 = std::to_integer<unsigned>(packet[0]) >> 4U == 4U;
  const auto source = packet.begin() + (ipv4 ? 12 : 8);
  std::swap_ranges(source, source + (ipv4 ? 4 : 16), source + (ipv4 ? 4 : 16));
  return packet;
}

}  // namespace postern::test
