#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/packet.h"

/// Packets written out by hand, octet by octet, independent of the code under test.
namespace postern::test {

using Octets = std::vector<std::byte>;

inline Octets from_text(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

inline std::string to_text(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte octet : bytes) text += static_cast<char>(octet);
  return text;
}

inline void put(Octets& out, std::initializer_list<unsigned> values) {
  for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
}

inline void put(Octets& out, const Octets& values) {
  out.insert(out.end(), values.begin(), values.end());
}

inline Octets octets_of(std::initializer_list<unsigned> values) {
  Octets out;
  put(out, values);
  return out;
}

struct TcpSample {
  unsigned flags = kAck | kPsh;
  Octets options = {};  ///< a multiple of four octets
  std::string_view payload = "NOOP\r\n";
  unsigned urgent_pointer = 0;
};

/// From port 40,000 to port 25, SEQ 0x01020304, ACK 0x0A0B0C0D, window 0x1234, checksum 0.
inline Octets tcp_sample(const TcpSample& sample = {}) {
  const auto words = static_cast<unsigned>(5 + sample.options.size() / 4);
  Octets out = octets_of({0x9C,
                          0x40,
                          0,
                          25,
                          1,
                          2,
                          3,
                          4,
                          0x0A,
                          0x0B,
                          0x0C,
                          0x0D,
                          words << 4U,
                          sample.flags,
                          0x12,
                          0x34,
                          0,
                          0,
                          sample.urgent_pointer >> 8U,
                          sample.urgent_pointer & 0xFFU});
  put(out, sample.options);
  put(out, from_text(sample.payload));
  return out;
}

struct Ipv4Sample {
  Octets options = {};  ///< a multiple of four octets
  unsigned protocol = 6;
  unsigned flags_and_offset = 0x4000;
};

/// From 192.0.2.1 to 198.51.100.7, identification 0xBEEF, header checksum 0.
inline Octets ipv4_sample(const Octets& transport, const Ipv4Sample& sample = {}) {
  const std::size_t header = 20 + sample.options.size();
  const auto total = static_cast<unsigned>(header + transport.size());
  Octets out = octets_of({0x40U | static_cast<unsigned>(header / 4), 0, total >> 8U, total & 0xFFU,
                          0xBE, 0xEF, sample.flags_and_offset >> 8U,
                          sample.flags_and_offset & 0xFFU, 61, sample.protocol, 0, 0});
  put(out, {192, 0, 2, 1, 198, 51, 100, 7});
  put(out, sample.options);
  put(out, transport);
  return out;
}

/// From 2001:db8::1 to 2001:db8::2.
inline Octets ipv6_sample(const Octets& payload, unsigned next_header = 6) {
  const auto length = static_cast<unsigned>(payload.size());
  Octets out = octets_of({0x60, 0, 0, 0, length >> 8U, length & 0xFFU, next_header, 61});
  for (const unsigned host : {1U, 2U}) {
    put(out, {0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host});
  }
  put(out, payload);
  return out;
}

/// An extension header of eight octets, and what follows it.
inline Octets extended(unsigned next_header, std::initializer_list<unsigned> six, Octets payload) {
  Octets out = octets_of({next_header, 0});
  put(out, six);
  put(out, payload);
  return out;
}

/// The sum of RFC 1071 one 16-bit word at a time, as its section 1 puts it.
inline std::uint16_t slow_sum(const Octets& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    const auto high = std::to_integer<std::uint32_t>(bytes[at]);
    const auto low = at + 1 < bytes.size() ? std::to_integer<std::uint32_t>(bytes[at + 1]) : 0U;
    sum += high << 8U | low;
    sum = (sum & 0xFFFFU) + (sum >> 16U);
  }
  return static_cast<std::uint16_t>(sum);
}

/// Whether both checksums of a packet whose TCP header stands at `tcp_offset` are right.
inline bool checksums_right(std::span<const std::byte> packet, std::size_t tcp_offset) {
  const bool ipv4 = std::to_integer<unsigned>(packet[0]) >> 4U == 4U;
  const std::size_t header = std::to_integer<std::size_t>(packet[0] & std::byte{0x0F}) * 4;
  const auto cut = [&](std::size_t at, std::size_t length) {
    const auto part = packet.subspan(at, length);
    return Octets(part.begin(), part.end());
  };
  if (ipv4 && slow_sum(cut(0, header)) != 0xFFFFU) return false;
  const auto length = static_cast<unsigned>(packet.size() - tcp_offset);
  Octets summed = ipv4 ? cut(12, 8) : cut(8, 32);
  put(summed, {0, 0, length >> 8U, length & 0xFFU, 0, 6});
  put(summed, cut(tcp_offset, length));
  return slow_sum(summed) == 0xFFFFU;
}

inline ParseError error_of(Octets bytes) {
  TcpPacket packet;
  return parse_tcp_packet(bytes, packet);
}

}  // namespace postern::test
