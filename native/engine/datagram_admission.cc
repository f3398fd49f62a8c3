// What carries no TCP: from the packet loop to its sessions of UDP and ICMP.
#include "core/wire.h"
#include "engine/packet_loop.h"

namespace postern {

void PacketLoop::begin_datagram(const InHand& hand) noexcept {
  DatagramPacket packet;
  const ParseError error = parse_datagram(hand.received.bytes, packet);
  const DatagramEnds& about = packet.about;
  const bool connection = about.protocol == wire::kProtocolTcp &&
                          (table_.find(about.source, about.destination) != kNoFlow ||
                           gate_->find(about.source, about.destination));
  datagrams_.admit({hand.received, packet, error, connection}, now_ms_);
}

}  // namespace postern
