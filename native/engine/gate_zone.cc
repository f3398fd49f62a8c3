#include "engine/gate_zone.h"

#include "core/datagram_packet.h"

namespace postern {

ZoneMarks::Meaning ZoneMarks::meaning_of(std::uint32_t mark) const noexcept {
  if (mask == 0) return Meaning::none;
  if ((mark & mask) == drop) return Meaning::drop;
  return (mark & mask) == pass ? Meaning::pass : Meaning::none;
}

GateDrop describe_packet(const ReceivedPacket& received) noexcept {
  DatagramPacket datagram;
  // Whatever is wrong with it: the addresses and ports that could be read are filled in.
  static_cast<void>(parse_datagram(received.bytes, datagram));
  GateDrop told{.protocol = datagram.ends.protocol,
                .in_interface = received.in_interface,
                .out_interface = received.out_interface,
                .source = datagram.ends.source,
                .destination = datagram.ends.destination,
                .ip_ident = datagram.ip_ident};
  constexpr std::uint8_t kTcp = 6;
  if (datagram.ends.protocol != kTcp) return told;
  TcpPacket packet;
  static_cast<void>(parse_tcp_packet(received.bytes, packet));
  told.source = packet.source;
  told.destination = packet.destination;
  told.flags = packet.flags;
  told.sequence = packet.sequence;
  told.acknowledgement = packet.acknowledgement;
  return told;
}

}  // namespace postern
