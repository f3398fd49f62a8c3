// Segments of connections that we know nothing of: passed unread, reset, or dropped.
#include <utility>

#include "core/wire.h"
#include "engine/packet_loop.h"

namespace postern {

namespace {

/// The kernel's rule that picks the queue looks for ports behind two IPv6 extension headers at most
/// (src/netfilter/queue-hash.ts): the worker that knows this connection may be another one, and
/// only that one may say what passes of it. No honest connection begins in its middle with any.
bool is_behind_extensions(const TcpPacket& packet) noexcept {
  return packet.source.address.version == 6 && packet.tcp_offset > wire::ipv6::kHeaderBytes;
}

}  // namespace

/// The connection has a session, says its mark, and so no access list was asked.
bool PacketLoop::came_by_opening(const InHand& hand) const noexcept {
  return (hand.received.mark & options_.mark_session) != 0;
}

/// An opening without a session is closed, so that the access lists judge the next packet.
void PacketLoop::drop_without_session(const InHand& hand) noexcept {
  drop_received(hand, Counter::drop_no_session);
  if (came_by_opening(hand))
    sender_.recall(hand.packet.source, hand.packet.destination, options_.mark_session);
}

/// A flow that was under way before we were: `postern fail closed` resets it at both ends, so that
/// both start anew through us; `open` lets it pass and `show` marks it.
void PacketLoop::admit_midstream(InHand& hand) noexcept {
  const TcpPacket& packet = hand.packet;
  if (came_by_opening(hand) || options_.block_non_session) {
    drop_without_session(hand);
    return;
  }
  // An RST ends nothing that we know. A SYN-ACK is no connection under way, but one whose SYN was
  // given up or came before us: without it the initiator sends the SYN again, and is read.
  if (packet.has(kRst | kSyn)) {
    drop_received(hand, Counter::drop_no_flow);
    return;
  }
  if (!options_.fail_open || is_behind_extensions(packet)) {
    reset_midstream(hand);
    return;
  }
  const bool toward_known = options_.ports[packet.destination.port] != PortProtocol::none;
  const bool back_known = options_.ports[packet.source.port] != PortProtocol::none;
  // Of two ports that say nothing the lower one is likely to be the server's.
  const bool lower = options_.generic_tcp && packet.destination.port < packet.source.port;
  const bool from_initiator = toward_known || (!back_known && lower);
  const std::uint32_t index = adopt_flow(hand, from_initiator ? Side::initiator : Side::responder);
  if (index == kNoFlow) {
    drop_received(hand, Counter::drop_flow_table_full);
    return;
  }
  admit_to_flow(index, hand);
}

void PacketLoop::reset_midstream(InHand& hand) noexcept {
  const TcpPacket& packet = hand.packet;
  // A flood of segments that belong to nothing: each RST goes to who never asked.
  if (!midstream_resets_.take(now_ms_)) {
    ++counters_[Counter::resets_limited];
    drop_received(hand, Counter::drop_midstream);
    return;
  }
  ++counters_[Counter::drop_midstream];
  SegmentSpec back;
  back.source = packet.destination;
  back.destination = packet.source;
  back.sequence = packet.acknowledgement;
  back.flags = kRst;
  if (!packet.has(kAck)) back.flags |= kAck;
  back.acknowledgement = packet.sequence + packet.segment_length();
  inject(back);
  reset_in_place(hand, nullptr, packet.sequence);
}

/// A flow for a connection under way, of which nothing can be read. kNoFlow: the table is full.
std::uint32_t PacketLoop::adopt_flow(const InHand& hand, Side from) noexcept {
  const TcpPacket& packet = hand.packet;
  FlowKey key{packet.source, packet.destination};
  if (from == Side::responder) std::swap(key.initiator, key.responder);
  const std::uint32_t index = open_flow(key, hand);
  if (index == kNoFlow) return kNoFlow;
  ++counters_[Counter::flows_created];
  Flow& flow = *flows_[index];
  if (from == Side::responder) std::swap(flow.in_interface, flow.out_interface);
  flow.tracker.adopt(packet, from);
  flow.midstream = true;
  flow.may_turn = true;
  flow.loose = true;
  flow.mark_once = options_.mark_session;
  for (FlowSide& side : flow.sides) {
    side.opaque = true;
    side.resync = true;
  }
  announce(index);
  return index;
}

}  // namespace postern
