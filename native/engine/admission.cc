// From a received packet to a place in its flow.
#include "core/sequence.h"
#include "engine/drop_counter.h"
#include "engine/packet_loop.h"

namespace postern {

namespace {

Counter packets_of(PortProtocol protocol) noexcept {
  switch (protocol) {
    case PortProtocol::smtp:
      return Counter::smtp_packets;
    case PortProtocol::pop3:
      return Counter::pop3_packets;
    case PortProtocol::imap:
      return Counter::imap_packets;
    case PortProtocol::none:
    case PortProtocol::smtps:
    case PortProtocol::pop3s:
    case PortProtocol::imaps:
    case PortProtocol::tcp:
    case PortProtocol::udp:
    case PortProtocol::icmp:
      return Counter::other_packets;
  }
  return Counter::other_packets;
}

/// What may open a connection anew in the place of one that is over.
bool is_plain_syn(const TcpPacket& packet) noexcept {
  return (packet.flags & (kSyn | kAck | kRst | kFin | kPsh | kUrg)) == kSyn &&
         packet.payload().empty();
}

}  // namespace

void PacketLoop::begin(InHand& hand) noexcept {
  ++counters_[Counter::received];
  ++counters_[Counter::held];
  packet_id_ = hand.received.id;
  hand.flow = kNoFlow;
  hand.cleared = false;
  if (hand.received.truncated) {
    drop(hand.received.id, Counter::drop_truncated);
    return;
  }
  const ParseError error = parse_tcp_packet(hand.received.bytes, hand.packet);
  if (error == ParseError::not_tcp) {
    begin_datagram(hand);
    return;
  }
  if (error != ParseError::none) {
    drop(hand.received.id, Counter::drop_bad_packet);
    return;
  }
  // Partial checksums are the rule on veth and with offloads: there is nothing to verify then
  // (boundary.md 4).
  if (hand.received.checksum_complete && !tcp_checksum_ok(hand.packet)) {
    drop_received(hand, Counter::drop_bad_checksum);
    return;
  }
  clear_options(hand);
  hand.flow = table_.find(hand.packet.source, hand.packet.destination);
  if (hand.flow != kNoFlow && flows_[hand.flow]->busy) {
    hand.waiting = true;
    return;
  }
  admit(hand);
}

void PacketLoop::admit(InHand& hand) noexcept {
  packet_id_ = hand.received.id;
  const PortProtocol toward = options_.ports[hand.packet.destination.port];
  ++counters_[packets_of(toward != PortProtocol::none ? toward
                                                      : options_.ports[hand.packet.source.port])];
  const std::uint32_t index = table_.find(hand.packet.source, hand.packet.destination);
  if (index == kNoFlow) {
    admit_unknown(hand);
  } else {
    admit_to_flow(index, hand);
  }
}

PortProtocol PacketLoop::protocol_of(std::uint16_t port) const noexcept {
  const PortProtocol protocol = options_.ports[port];
  return protocol == PortProtocol::none && options_.generic_tcp ? PortProtocol::tcp : protocol;
}

void PacketLoop::admit_unknown(InHand& hand) noexcept {
  const TcpPacket& packet = hand.packet;
  Tracker tracker;
  const TrackDrop reason = tracker.open(packet);
  if (reason == TrackDrop::none) {
    admit_syn(hand);
  } else if (reason != TrackDrop::not_syn) {
    drop_received(hand, drop_counter_of(reason));
  } else if (const auto entry = gate_->find(packet.source, packet.destination)) {
    admit_half_open(*entry, hand);
  } else {
    admit_midstream(hand);
  }
}

std::uint32_t PacketLoop::open_flow(const FlowKey& key, const InHand& hand) noexcept {
  const std::uint32_t index = table_.insert(key);
  if (index == kNoFlow) return kNoFlow;
  Flow& flow = flows_.add(index);
  flow.protocol = protocol_of(key.responder.port);
  flow.created_ms = now_ms_;
  refresh(flow);
  flow.finwait_ms = static_cast<std::uint32_t>(options_.finwait_ms);
  flow.in_interface = hand.received.in_interface;
  flow.out_interface = hand.received.out_interface;
  ++*gauge_of(flow.stage);
  counters_.note_peak(Counter::flows_established, Counter::max_established);
  return index;
}

TrackResult PacketLoop::check(Flow& flow, Side from, const TcpPacket& packet) const noexcept {
  TrackResult result;
  if (flow.loose) {
    // A direction has left the queue: conntrack goes on with the checks that need both. Nobody
    // starts anew what is under way (RFC 5961 4), but for an initiator that comes again.
    const bool anew = is_plain_syn(packet) && from == Side::initiator;
    if (packet.has(kSyn) && !anew) result.drop = TrackDrop::syn_in_window;
    const FlowSide& side = flow.side(from);
    result.reset = packet.has(kRst);
    const std::uint32_t beyond = packet.sequence - sequence_at(side, side.store.end());
    const bool exact = side.opaque || side.resync || beyond <= (side.fin_received ? 1U : 0U);
    if (result.reset && !exact) result.drop = TrackDrop::rst_in_window;
    result.fin = packet.has(kFin) && !side.fin_received;
    return result;
  }
  result = flow.tracker.check(from, packet);
  if (result.drop != TrackDrop::none || result.handshake_reuse || !packet.has(kAck)) return result;
  // What we withhold, the receiver cannot have acknowledged.
  const FlowSide& peer = flow.side(other(from));
  if (peer.opaque) return result;
  const std::uint32_t limit = sequence_at(peer, peer.forwarded) + (peer.fin_forwarded ? 1U : 0U);
  if (seq_gt(packet.acknowledgement, limit)) result.drop = TrackDrop::invalid_acknowledgement;
  return result;
}

void PacketLoop::admit_to_flow(std::uint32_t index, InHand& hand) noexcept {
  Flow& flow = *flows_[index];
  flows_.touch(index);
  TcpPacket& packet = hand.packet;
  const Side from = table_.side_of(index, packet.source);
  // One end speaks in the other's name, from its own side of the router: no reverse path filter
  // need be on, and IPv6 has none. Where the SYN-ACK turned, the responder's way back is such.
  const bool crosses = flow.in_interface != flow.out_interface && !flow.may_turn;
  if (crosses && hand.received.turned()) {
    drop_received(hand, Counter::drop_turned);
    return;
  }

  if (const std::optional<HalfOpen> successor = successor_of(flow, hand)) {
    if (!packet.has(kRst)) {
      end_flow(index, EndReason::port_reused);
      forget_flow(index);
    }
    admit_half_open(*successor, hand);
    return;
  }
  read_shifted(packet, hand.received, from, flow.acknowledgement_shift);
  if (flow.stage == FlowStage::dead || flow.stage == FlowStage::refusing) {
    if (is_plain_syn(packet) && from == Side::initiator) {
      forget_flow(index);
      admit_unknown(hand);
    } else if (flow.stage == FlowStage::dead) {
      on_dead(index, from, hand);
    } else {
      on_refusing(index, from, hand);
    }
    return;
  }
  const TrackResult result = check(flow, from, packet);
  if (result.handshake_reuse || (flow.loose && is_plain_syn(packet) && from == Side::initiator)) {
    end_flow(index, EndReason::port_reused);
    forget_flow(index);
    admit_unknown(hand);
    return;
  }
  if (result.drop != TrackDrop::none) {
    drop_received(hand, drop_counter_of(result.drop));
    return;
  }
  refresh(flow);
  ++flow.packets[postern::index(from)];
  if (result.reset) {
    admit_reset(index, from, hand);
    return;
  }
  note_headers(flow, from, packet);
  if (packet.has(kSyn)) {
    admit_handshake(flow, from, hand);
    return;
  }
  admit_ordinary(index, from, hand);
}

/// A segment without SYN and RST: an acknowledgement goes on, octets and FIN have their place in
/// the stream.
void PacketLoop::admit_ordinary(std::uint32_t index, Side from, InHand& hand) noexcept {
  Flow& flow = *flows_[index];
  TcpPacket& packet = hand.packet;
  note_acknowledgement(flow, from, packet);
  // Also where the segment is empty: its pointer may name an octet of the next one, which a
  // receiver would leave out (RFC 9293 3.8.5).
  const bool urgent = packet.has(kUrg);
  if (urgent) {
    clear_urgent(packet);
    ++counters_[Counter::urgent_cleared];
  }
  if (packet.payload().empty() && !packet.has(kFin)) {
    if (!flow.loose) flow.tracker.apply(from, packet);
    if (urgent) {
      write_checksums(packet);
      accept_rewritten(&flow, hand.received.id, packet.bytes, hand.received.mark);
    } else {
      accept_plain(flow, hand.received.id, hand.received.mark);
    }
    if (flow.tracker.over() && !flow.loose) {
      tell_closed(index, EndReason::closed);
    }
    arm(index);
    return;
  }
  PendingPacket pending;
  pending.id = hand.received.id;
  pending.packet = packet;
  pending.length = static_cast<std::uint32_t>(packet.payload().size());
  pending.mark = hand.received.mark;
  pending.gso = hand.received.gso;
  pending.dirty = urgent;
  admit_segment(index, from, std::move(pending));
}

void PacketLoop::admit_handshake(Flow& flow, Side from, const InHand& hand) noexcept {
  flow.tracker.apply(from, hand.packet);
  accept_syn(hand, &flow, std::nullopt);
}

void PacketLoop::admit_reset(std::uint32_t index, Side from, InHand& hand) noexcept {
  Flow& flow = *flows_[index];
  const FlowSide& side = flow.side(from);
  if (!side.opaque && side.forwarded < side.store.end()) {
    // The receiver never saw what we hold: only an RST at its own RCV.NXT ends it (RFC 5961 3.2).
    reset_in_place(hand, &flow, sequence_at(side, side.forwarded));
  } else if (!side.opaque && options_.fail_open) {
    // What went on behind it would be a connection under way, and pass unread.
    reset_in_place(hand, &flow, hand.packet.sequence);
  } else {
    accept_plain(flow, hand.received.id, hand.received.mark);
  }
  end_flow(index,
           from == Side::initiator ? EndReason::reset_by_initiator : EndReason::reset_by_responder);
}

void PacketLoop::note_headers(Flow& flow, Side from, const TcpPacket& packet) noexcept {
  FlowSide& side = flow.side(from);
  if (packet.has(kSyn)) side.base_sequence = packet.sequence + 1;
  if (packet.options.has_timestamps) side.last_timestamp = packet.options.timestamp_value;
  side.last_window = packet.window;
  if (!packet.has(kAck)) return;
  if (side.acknowledges && seq_le(packet.acknowledgement, side.last_acknowledgement)) return;
  side.acknowledges = true;
  side.last_acknowledgement = packet.acknowledgement;
}

void PacketLoop::announce(std::uint32_t index) noexcept {
  Flow& flow = *flows_[index];
  if (flow.protocol == PortProtocol::none) {
    order_stop(flow, 3);
    return;
  }
  flow.needs_announcement = true;
  activate(index);
}

void PacketLoop::activate(std::uint32_t index) noexcept {
  Flow& flow = *flows_[index];
  if (flow.busy) return;
  flow.busy = true;
  active_.push_back(index);
}

}  // namespace postern
