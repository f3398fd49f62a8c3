#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/packet.h"

namespace postern {

/// What a UDP or ICMP packet is to a session.
enum class DatagramKind : std::uint8_t {
  data,       ///< UDP, in either direction
  query,      ///< ICMP that asks for an answer: echo, timestamp, information (RFC 792, RFC 4443 4)
  reply,      ///< the answer to one
  error,      ///< ICMP about another packet, whose head it carries
  neighbour,  ///< IPv6 neighbour discovery that no router forwarded (RFC 4861)
  other,
};

/// Who sent what to whom. Ports are those of TCP and UDP. An ICMP query has its identifier as the
/// source's port and its type as the destination's; a reply has the query's type as the source's
/// port and the identifier as the destination's. So a query and its reply have the same two ends.
struct DatagramEnds {
  std::uint8_t protocol = 0;  ///< IP's number (1 or 58 for ICMP); 0: none that could be read
  bool is_reply = false;      ///< of ICMP: the destination asked, the source answers
  Endpoint source;
  Endpoint destination;

  friend bool operator==(const DatagramEnds&, const DatagramEnds&) noexcept = default;
};

/// A checked view over one IP packet that carries UDP or ICMP, as TcpPacket is for TCP.
struct DatagramPacket {
  std::span<const std::byte> bytes;  ///< cut to the IP length
  std::size_t transport_offset = 0;
  std::size_t transport_bytes =
      0;  ///< header and payload; UDP's own length may be shorter than IP's
  DatagramEnds ends;
  std::uint16_t ip_ident = 0;
  DatagramKind kind = DatagramKind::other;
  DatagramEnds about;  ///< of an error: the packet that it is about
};

/// Whether `protocol` is ICMP of either IP version.
[[nodiscard]] bool is_icmp(std::uint8_t protocol) noexcept;

/// The ICMP type of the answer to a query of this type, and the other way round; 0 for others.
[[nodiscard]] std::uint8_t answering_type(std::uint8_t protocol, std::uint8_t type) noexcept;

/// Reads a packet by the rules for IP headers that hold for TCP. `not_datagram` when it carries
/// neither UDP nor ICMP; `packet.ends` is filled as far as it could be read in any case.
[[nodiscard]] ParseError parse_datagram(std::span<const std::byte> bytes,
                                        DatagramPacket& packet) noexcept;

/// Whether the UDP or ICMP checksum is right. Only for packets whose checksum is complete. UDP over
/// IPv4 may go without one (RFC 768), over IPv6 it may not (RFC 8200 8.1).
[[nodiscard]] bool datagram_checksum_ok(const DatagramPacket& packet) noexcept;

}  // namespace postern
