// Until a connection is a flow: what a packet means for the half-open table, which the gate keeps.
#include "engine/drop_counter.h"
#include "engine/packet_loop.h"

namespace postern {

namespace {

/// What our hooks see of the responder has its own sequence numbers, once it has answered.
std::uint32_t shift_of(const HalfOpen& entry) noexcept {
  return entry.proxied && entry.answered ? entry.proxied->sequence - entry.responder_sequence : 0;
}

}  // namespace

/// The initiator of a connection that began with the kernel's SYNPROXY acknowledges in the cookie's
/// numbers; what the kernel itself sends in its name (the handshake's last packet) does not.
void PacketLoop::read_shifted(TcpPacket& packet, const ReceivedPacket& received, Side from,
                              std::uint32_t shift) noexcept {
  const bool translated = from == Side::initiator && !received.sent_here() && packet.has(kAck);
  const std::uint32_t wanted = translated ? shift : 0;
  packet.acknowledgement += packet.acknowledgement_shift - wanted;
  packet.acknowledgement_shift = wanted;
}

/// An initial SYN that came by this queue (the kernel holds the connection for established), or in
/// a replay, where no gate has a queue of its own.
void PacketLoop::admit_syn(InHand& hand) noexcept {
  const TcpPacket& packet = hand.packet;
  const bool by_opening = came_by_opening(hand);
  if (by_opening && !gate_->find(packet.source, packet.destination)) {
    drop_without_session(hand);
    return;
  }
  const Gate::SynVerdict verdict =
      gate_->on_syn(packet, now_ms_, proxied_by(hand.received, packet));
  send_resets(verdict.resets);
  if (!verdict.accept) {
    drop_received(hand, verdict.reason);
    return;
  }
  std::optional<std::uint32_t> mark;
  if (options_.mark_session != 0) mark = hand.received.mark | options_.mark_session;
  accept_syn(hand, nullptr, mark);
}

/// Options that both ends agree to in their SYNs can make another stream of the octets that we
/// read: MPTCP numbers them anew and takes them from several connections (RFC 8684 3.3). Of those
/// that we do not follow neither end learns, and both speak plain TCP.
void PacketLoop::clear_options(InHand& hand) noexcept {
  TcpPacket& packet = hand.packet;
  if (!packet.has(kSyn) || !packet.options.has_unknown) return;
  clear_unknown_options(packet);
  write_checksums(packet);
  hand.cleared = true;
  ++counters_[Counter::options_cleared];
}

/// A packet with SYN goes on; `mark` is for one that has no flow.
void PacketLoop::accept_syn(const InHand& hand, Flow* flow,
                            std::optional<std::uint32_t> mark) noexcept {
  const std::uint32_t id = hand.received.id;
  if (flow != nullptr) {
    hand.cleared ? accept_rewritten(flow, id, hand.packet.bytes, hand.received.mark)
                 : accept_plain(*flow, id, hand.received.mark);
    return;
  }
  if (!hand.cleared) {
    accept_marked(id, mark);
    return;
  }
  source_.verdict(id, {.accept = true, .replacement = hand.packet.bytes, .mark = mark});
  ++counters_[Counter::rewritten];
  --counters_[Counter::held];
}

/// A packet between two ends of which the gate holds a SYN: it goes on if it is what a handshake
/// has next.
void PacketLoop::admit_half_open(const HalfOpen& entry, InHand& hand) noexcept {
  TcpPacket& packet = hand.packet;
  const Side from = packet.source == entry.key.initiator ? Side::initiator : Side::responder;
  read_shifted(packet, hand.received, from, shift_of(entry));
  const Tracker tracker = tracker_of(entry, options_.window_scale_loose);
  const TrackResult result = tracker.check(from, packet);
  if (result.drop != TrackDrop::none) {
    drop_received(hand, drop_counter_of(result.drop));
    return;
  }
  if (result.reset) {
    gate_->forget(entry);
    // What went on behind it would be a connection under way, and pass unread.
    if (options_.fail_open) {
      reset_in_place(hand, nullptr, packet.sequence);
    } else {
      accept_marked(hand.received.id, std::nullopt);
    }
    return;
  }
  if (!packet.has(kSyn)) {
    promote(entry, tracker, hand);
    return;
  }
  // Evicted by now: its RSTs are on their way, and a SYN-ACK behind them would be a surprise.
  if (!gate_->note_answer(entry, packet, hand.received.turned())) {
    drop_received(hand, Counter::drop_stray);
    return;
  }
  if (entry.proxied) {
    promote_proxied(entry, hand);
    return;
  }
  accept_syn(hand, nullptr, std::nullopt);
}

/// The handshake is complete: a flow that stands where the tracker stands.
void PacketLoop::promote(const HalfOpen& entry, const Tracker& tracker, InHand& hand) noexcept {
  const std::uint32_t index = open_half_open(entry, hand);
  if (index == kNoFlow) return;
  Flow& flow = *flows_[index];
  flow.tracker = tracker;
  // The table has no room for timestamps: what this packet echoes is the responder's last. Who
  // sends it has read the SYN-ACK, and an untrue echo costs nobody but itself.
  if (hand.packet.options.has_timestamps) {
    flow.side(Side::responder).last_timestamp = hand.packet.options.timestamp_echo;
    flow.tracker.note_echo(Side::responder, hand.packet.options.timestamp_echo);
  }
  announce(index);
  admit_to_flow(index, hand);
}

/// The kernel completes the handshake as soon as this SYN-ACK has passed us, and its packet must
/// not wait in a queue: the kernel would translate it as if the initiator had sent it.
void PacketLoop::promote_proxied(HalfOpen entry, InHand& hand) noexcept {
  const TcpPacket& syn_ack = hand.packet;
  Tracker tracker = tracker_of(entry, options_.window_scale_loose);
  tracker.apply(Side::responder, syn_ack);
  entry.answered = true;
  entry.turned = hand.received.turned();
  entry.responder_sequence = syn_ack.sequence;
  entry.responder_window = syn_ack.window;
  entry.responder_sack = syn_ack.options.sack_permitted;
  TcpPacket last;
  last.sequence = entry.initiator_sequence + 1;
  last.acknowledgement = entry.responder_sequence + 1;
  last.flags = kAck;
  last.window = entry.initiator_window;
  tracker.apply(Side::initiator, last);
  const std::uint32_t index = open_half_open(entry, hand);
  if (index == kNoFlow) return;
  Flow& flow = *flows_[index];
  flow.tracker = tracker;
  flow.acknowledgement_shift = shift_of(entry);
  // This packet goes the other way.
  std::swap(flow.in_interface, flow.out_interface);
  note_headers(flow, Side::initiator, last);
  announce(index);
  accept_syn(hand, &flow, std::nullopt);
  arm(index);
}

/// A flow for what was half-open until now. kNoFlow: the packet in hand was dropped.
std::uint32_t PacketLoop::open_half_open(const HalfOpen& entry, const InHand& hand) noexcept {
  if (table_.size() >= table_.capacity()) {
    drop_received(hand, Counter::drop_flow_table_full);
    return kNoFlow;
  }
  if (!gate_->take(entry)) {
    drop_received(hand, Counter::drop_stray);
    return kNoFlow;
  }
  const std::uint32_t index = open_flow(entry.key, hand);
  Flow& flow = *flows_[index];
  flow.created_ms = entry.created_ms;
  flow.selective = entry.initiator_sack && entry.responder_sack;
  flow.may_turn = entry.turned;
  // SYN and SYN-ACK; the packet in hand is counted where all others are.
  flow.packets = {1, 1};
  FlowSide& initiator = flow.side(Side::initiator);
  FlowSide& responder = flow.side(Side::responder);
  initiator.base_sequence = entry.initiator_sequence + 1;
  responder.base_sequence = entry.responder_sequence + 1;
  responder.last_window = entry.responder_window;
  responder.last_acknowledgement = initiator.base_sequence;
  responder.acknowledges = true;
  return index;
}

/// A SYN that came by the gate's queue does not meet the flow that stood between the same ends
/// before. What the new connection sends next does, and ends it: when that flow is over, any packet
/// that the new handshake has next; while it is open, only the answer to the SYN, which no peer
/// gives that still holds the old connection (RFC 5961 4.2: it would challenge), or the RST of one
/// that has lost it.
std::optional<HalfOpen> PacketLoop::successor_of(const Flow& flow, const InHand& hand) noexcept {
  TcpPacket packet = hand.packet;
  const bool both_closed = flow.sides[0].fin_forwarded && flow.sides[1].fin_forwarded;
  const bool over =
      flow.stage == FlowStage::dead || flow.stage == FlowStage::refusing || both_closed;
  const bool answers = packet.has(kAck) && packet.has(kSyn | kRst);
  if (!over && !answers) return std::nullopt;
  if (packet.has(kSyn) && !packet.has(kAck)) return std::nullopt;
  std::optional<HalfOpen> entry = gate_->find(packet.source, packet.destination);
  if (!entry) return std::nullopt;
  const Side from = packet.source == entry->key.initiator ? Side::initiator : Side::responder;
  read_shifted(packet, hand.received, from, shift_of(*entry));
  const Tracker tracker = tracker_of(*entry, options_.window_scale_loose);
  if (tracker.check(from, packet).drop != TrackDrop::none) return std::nullopt;
  return entry;
}

void PacketLoop::send_resets(const Gate::Resets& resets) noexcept {
  for (std::size_t i = 0; i < resets.count; ++i) {
    const ResetSender::Sent sent = resets_.send(resets.victims[i], now_ms_);
    counters_[Counter::injected] += sent.sent;
    counters_[Counter::inject_failed] += sent.failed;
    counters_[Counter::resets_limited] += sent.limited;
  }
}

/// In a replay, and in tests, nobody else looks after the gate.
void PacketLoop::expire_half_open() noexcept {
  if (gate_is_shared_) return;
  Gate::Resets resets;
  do {
    resets.count = 0;
    gate_->expire(now_ms_, resets);
    send_resets(resets);
  } while (resets.count == Gate::Resets::kMax);
}

void PacketLoop::clear_half_open() noexcept {
  if (gate_is_shared_) return;
  Gate::Resets resets;
  do {
    resets.count = 0;
    gate_->clear(kNoEntry, 0, resets);
  } while (resets.count == Gate::Resets::kMax);
}

}  // namespace postern
