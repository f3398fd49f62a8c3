#include "core/datagram_packet.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/bytes.h"
#include "core/checksum.h"
#include "core/ip_header.h"
#include "core/wire.h"

namespace postern {
namespace {

/// RFC 792, RFC 950.
enum IcmpType : std::uint8_t {
  kEchoReply = 0,
  kUnreachable = 3,
  kEcho = 8,
  kTimeExceeded = 11,
  kParameterProblem = 12,
  kTimestamp = 13,
  kTimestampReply = 14,
  kInformation = 15,
  kInformationReply = 16,
};

/// RFC 4443, RFC 4861.
enum Icmpv6Type : std::uint8_t {
  kUnreachable6 = 1,
  kParameterProblem6 = 4,  // packet too big and time exceeded lie between
  kEcho6 = 128,
  kEchoReply6 = 129,
  kRouterSolicitation = 133,
  kRedirect6 = 137,
};

/// RFC 4861 6.1, 7.1: what crossed a router has less.
constexpr std::uint8_t kNeighbourHops = 255;

struct Message {
  DatagramKind kind = DatagramKind::other;
  std::uint8_t query = 0;  ///< the type of the query, also of a reply to it
};

[[nodiscard]] Message message_of(std::uint8_t type) noexcept {
  switch (type) {
    case kEcho:
    case kTimestamp:
    case kInformation:
      return {DatagramKind::query, type};
    case kEchoReply:
      return {DatagramKind::reply, kEcho};
    case kTimestampReply:
      return {DatagramKind::reply, kTimestamp};
    case kInformationReply:
      return {DatagramKind::reply, kInformation};
    case kUnreachable:
    case kTimeExceeded:
    case kParameterProblem:
      return {DatagramKind::error, 0};
    default:
      // Source quench and redirects come from strangers and change routes and rates: RFC 6633,
      // RFC 1812 5.2.7.2.
      return {};
  }
}

[[nodiscard]] Message message_of_v6(std::uint8_t type, std::uint8_t hops) noexcept {
  if (type == kEcho6) return {DatagramKind::query, kEcho6};
  if (type == kEchoReply6) return {DatagramKind::reply, kEcho6};
  if (type >= kUnreachable6 && type <= kParameterProblem6) return {DatagramKind::error, 0};
  const bool neighbour = type >= kRouterSolicitation && type <= kRedirect6;
  return {neighbour && hops == kNeighbourHops ? DatagramKind::neighbour : DatagramKind::other, 0};
}

[[nodiscard]] Message message_of(const IpHeader& ip, std::uint8_t type) noexcept {
  return ip.protocol == wire::kProtocolIcmp ? message_of(type) : message_of_v6(type, ip.hops);
}

/// ICMP goes with the IP version it was made for.
[[nodiscard]] bool is_icmp_of(const IpHeader& ip) noexcept {
  return ip.protocol == (ip.source.version == 4 ? wire::kProtocolIcmp : wire::kProtocolIcmpv6);
}

void put_query_ends(std::span<const std::byte> icmp, const Message& message,
                    DatagramEnds& ends) noexcept {
  const std::uint16_t identifier = read_u16(icmp, wire::icmp::kIdentifier);
  ends.source.port = identifier;
  ends.destination.port = message.query;
  ends.is_reply = message.kind == DatagramKind::reply;
  if (ends.is_reply) std::swap(ends.source.port, ends.destination.port);
}

void put_ports(std::span<const std::byte> transport, DatagramEnds& ends) noexcept {
  ends.source.port = read_u16(transport, wire::udp::kSourcePort);
  ends.destination.port = read_u16(transport, wire::udp::kDestinationPort);
}

[[nodiscard]] DatagramEnds ends_of(const IpHeader& ip) noexcept {
  return {.protocol = ip.protocol,
          .source = {.address = ip.source},
          .destination = {.address = ip.destination}};
}

/// The ends of the packet whose head stands in an error. Eight octets of its transport are there at
/// least (RFC 792); of a later fragment they say nothing.
[[nodiscard]] DatagramEnds read_subject(std::span<const std::byte> head) noexcept {
  constexpr std::size_t kTransportBytesMin = 8;
  IpHeader ip;
  if (read_ip(head, ip) != ParseError::none) return {};
  if (ip.transport_offset + kTransportBytesMin > std::min(head.size(), ip.end)) return {};
  const auto transport = head.subspan(ip.transport_offset);
  DatagramEnds ends = ends_of(ip);
  if (ip.protocol == wire::kProtocolTcp || ip.protocol == wire::kProtocolUdp) {
    put_ports(transport, ends);
    return ends;
  }
  if (!is_icmp_of(ip)) return {};
  const Message message = message_of(ip, read_u8(transport, wire::icmp::kType));
  if (message.kind != DatagramKind::query && message.kind != DatagramKind::reply) return {};
  put_query_ends(transport, message, ends);
  return ends;
}

[[nodiscard]] ParseError read_icmp(const IpHeader& ip, DatagramPacket& packet) noexcept {
  const auto icmp = packet.bytes.subspan(packet.transport_offset);
  if (icmp.size() < wire::icmp::kHeaderBytes) return ParseError::bad_datagram;
  const Message message = message_of(ip, read_u8(icmp, wire::icmp::kType));
  packet.transport_bytes = icmp.size();
  packet.kind = message.kind;
  if (message.kind == DatagramKind::query || message.kind == DatagramKind::reply) {
    // Queries have one code (RFC 792), and conntrack would take another for another connection.
    if (read_u8(icmp, wire::icmp::kCode) != 0) return ParseError::bad_datagram;
    put_query_ends(icmp, message, packet.ends);
  } else if (message.kind == DatagramKind::error) {
    packet.about = read_subject(icmp.subspan(wire::icmp::kHeaderBytes));
    // IPv6 is never the subject of ICMP for IPv4, nor the other way round.
    if (packet.about.source.address.version != ip.source.version) packet.about = {};
  }
  return ParseError::none;
}

[[nodiscard]] ParseError read_udp(DatagramPacket& packet) noexcept {
  const auto udp = packet.bytes.subspan(packet.transport_offset);
  if (udp.size() < wire::udp::kHeaderBytes) return ParseError::bad_datagram;
  const std::size_t length = read_u16(udp, wire::udp::kLength);
  // Octets behind it are no payload: receivers leave them aside.
  if (length < wire::udp::kHeaderBytes || length > udp.size()) return ParseError::bad_datagram;
  packet.transport_bytes = length;
  packet.kind = DatagramKind::data;
  return ParseError::none;
}

}  // namespace

bool is_icmp(std::uint8_t protocol) noexcept {
  return protocol == wire::kProtocolIcmp || protocol == wire::kProtocolIcmpv6;
}

std::uint8_t answering_type(std::uint8_t protocol, std::uint8_t type) noexcept {
  if (protocol == wire::kProtocolIcmpv6) {
    if (type == kEcho6) return kEchoReply6;
    return type == kEchoReply6 ? std::uint8_t{kEcho6} : std::uint8_t{0};
  }
  if (protocol != wire::kProtocolIcmp) return 0;
  switch (type) {
    case kEcho:
      return kEchoReply;
    case kEchoReply:
      return kEcho;
    case kTimestamp:
    case kInformation:
      return static_cast<std::uint8_t>(type + 1);
    case kTimestampReply:
    case kInformationReply:
      return static_cast<std::uint8_t>(type - 1);
    default:
      return 0;
  }
}

ParseError parse_datagram(std::span<const std::byte> bytes, DatagramPacket& packet) noexcept {
  packet = DatagramPacket{};
  IpHeader ip;
  const ParseError error = read_ip(bytes, ip);
  packet.ends = ends_of(ip);
  packet.ip_ident = ip.ident;
  if (error != ParseError::none) return error;
  if (ip.protocol != wire::kProtocolUdp && !is_icmp_of(ip)) return ParseError::not_datagram;

  packet.bytes = bytes.first(std::min(ip.end, bytes.size()));
  packet.transport_offset = ip.transport_offset;
  // Ports first: a packet that is refused for what follows can still be named in the log.
  const bool udp = ip.protocol == wire::kProtocolUdp;
  if (udp && packet.bytes.size() >= ip.transport_offset + 4) {
    put_ports(packet.bytes.subspan(ip.transport_offset), packet.ends);
  }
  if (ip.end > bytes.size()) return ParseError::truncated;
  return udp ? read_udp(packet) : read_icmp(ip, packet);
}

bool datagram_checksum_ok(const DatagramPacket& packet) noexcept {
  const auto transport = packet.bytes.subspan(packet.transport_offset, packet.transport_bytes);
  if (packet.ends.protocol == wire::kProtocolIcmp) return internet_sum(transport) == 0xFFFFU;
  const bool without =
      packet.ends.protocol == wire::kProtocolUdp && read_u16(transport, wire::udp::kChecksum) == 0;
  if (without) return packet.ends.source.address.version == 4;
  return internet_sum(transport, pseudo_header_sum(packet.bytes, transport.size(),
                                                   packet.ends.protocol)) == 0xFFFFU;
}

}  // namespace postern
