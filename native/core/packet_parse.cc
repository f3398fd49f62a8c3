#include <algorithm>

#include "core/bytes.h"
#include "core/ip_header.h"
#include "core/packet.h"
#include "core/tcp_options.h"
#include "core/wire.h"

namespace postern {
namespace {

void read_fixed_fields(std::span<const std::byte> tcp, TcpPacket& packet) noexcept {
  packet.sequence = read_u32(tcp, wire::tcp::kSequence);
  packet.acknowledgement = read_u32(tcp, wire::tcp::kAcknowledgement);
  packet.flags = read_u8(tcp, wire::tcp::kFlags);
  packet.window = read_u16(tcp, wire::tcp::kWindow);
  packet.urgent_pointer = read_u16(tcp, wire::tcp::kUrgentPointer);
}

[[nodiscard]] ParseError read_tcp(std::span<const std::byte> tcp, TcpPacket& packet) noexcept {
  if (tcp.size() < wire::tcp::kHeaderBytesMin) return ParseError::bad_tcp_header;
  const std::size_t header_bytes = std::size_t{read_u8(tcp, wire::tcp::kDataOffset)} / 16 * 4;
  if (header_bytes < wire::tcp::kHeaderBytesMin || header_bytes > tcp.size()) {
    return ParseError::bad_tcp_header;
  }
  read_fixed_fields(tcp, packet);
  const auto options = tcp.first(header_bytes).subspan(wire::tcp::kHeaderBytesMin);
  if (!read_tcp_options(options, packet.options)) return ParseError::bad_tcp_header;
  packet.payload_offset = static_cast<std::uint16_t>(packet.tcp_offset + header_bytes);
  return ParseError::none;
}

}  // namespace

ParseError read_ip(std::span<const std::byte> bytes, IpHeader& header) noexcept {
  if (bytes.empty()) return ParseError::truncated;
  switch (read_u8(bytes, 0) >> 4U) {
    case 4:
      return read_ipv4(bytes, header);
    case 6:
      return read_ipv6(bytes, header);
    default:
      return ParseError::not_ip;
  }
}

ParseError parse_tcp_packet(std::span<std::byte> bytes, TcpPacket& packet) noexcept {
  packet = TcpPacket{};
  IpHeader ip;
  const ParseError error = read_ip(bytes, ip);
  packet.source.address = ip.source;
  packet.destination.address = ip.destination;
  packet.ip_ident = ip.ident;
  if (error != ParseError::none) return error;
  if (ip.protocol != wire::kProtocolTcp) return ParseError::not_tcp;

  packet.bytes = bytes.first(std::min(ip.end, bytes.size()));
  // Ports first: a packet that is refused for what follows can still be named in the log.
  if (packet.bytes.size() >= ip.transport_offset + 4) {
    const auto ports = packet.bytes.subspan(ip.transport_offset, 4);
    packet.source.port = read_u16(ports, wire::tcp::kSourcePort);
    packet.destination.port = read_u16(ports, wire::tcp::kDestinationPort);
  }
  if (ip.end > bytes.size()) return ParseError::truncated;

  packet.tcp_offset = static_cast<std::uint16_t>(ip.transport_offset);
  return read_tcp(packet.bytes.subspan(ip.transport_offset), packet);
}

}  // namespace postern
