// Refusing well (design.md): RST to the responder, the protocol's own words to the initiator.
#include <algorithm>

#include "core/sequence.h"
#include "engine/packet_loop.h"

namespace postern {

namespace {

constexpr std::uint32_t kRetransmitFirstMs = 500;
constexpr std::int64_t kWaitForEndMs = 60'000;
/// The window we announce while we throw the rest of a message away.
constexpr std::uint32_t kDiscardWindowBytes = 262'144;

std::uint16_t announced_window(const HalfStream& responder, const HalfStream& initiator) noexcept {
  const bool scaled = responder.offers_window_scale && initiator.offers_window_scale;
  const std::uint32_t window = kDiscardWindowBytes >> (scaled ? responder.window_scale : 0U);
  return static_cast<std::uint16_t>(std::clamp<std::uint32_t>(window, 1, 0xFFFF));
}

/// Its last octet that went on was not the last of a line, or of a run that was counted.
bool is_amid_frame(const FlowSide& side) noexcept {
  const FramingMode mode = side.framer.framing().mode;
  const bool framed = mode == FramingMode::lines || mode == FramingMode::counted;
  return framed && !side.opaque && side.forwarded != side.frame_begin;
}

}  // namespace

/// RST to both peers. Packets in hand carry it where there are any, which NAT needs no help with;
/// else it is injected.
void PacketLoop::refuse_with_reset(std::uint32_t index, EndReason reason) noexcept {
  // A judge that broke its word is not believed in what it let go with it.
  if (reason != EndReason::engine_error) pass_released(index);
  reset_toward(index, Side::responder);
  reset_toward(index, Side::initiator);
  end_flow(index, reason);
}

/// RST in place of a packet, in its sender's name. A sender that wants Postern to believe in an RST
/// which its receiver never gets, or ignores, sends it with a low TTL, with headers that end it
/// there, or with an old timestamp: none of them stays.
void PacketLoop::reset_in_place(const InHand& hand, Flow* flow, std::uint32_t sequence) noexcept {
  TcpPacket packet = hand.packet;
  if (!hand.received.gso && has_bare_ip_header(packet)) {
    accept_rewritten(flow, hand.received.id, make_reset(packet, sequence, packet.acknowledgement),
                     hand.received.mark);
    return;
  }
  SegmentSpec reset;
  reset.source = packet.source;
  reset.destination = packet.destination;
  reset.sequence = sequence;
  reset.flags = kRst;
  if (packet.has(kAck)) {
    reset.flags |= kAck;
    reset.acknowledgement = packet.acknowledgement;
    reset.acknowledgement_shift = packet.acknowledgement_shift;
  }
  inject(reset);
  drop(hand.received.id, Counter::drop_replaced);
}

void PacketLoop::reset_toward(std::uint32_t flow_index, Side to) noexcept {
  Flow& flow = *flows_[flow_index];
  FlowSide& side = flow.side(other(to));
  const SegmentSpec spec = segment_from(flow_index, other(to));
  if (!side.pending.empty() && has_bare_ip_header(side.pending.front().packet)) {
    PendingPacket& vehicle = side.pending.front();
    std::copy_n(vehicle.packet.bytes.begin(), vehicle.packet.payload_offset, scratch_.begin());
    TcpPacket packet = vehicle.packet;
    packet.bytes = std::span(scratch_).first(vehicle.packet.payload_offset);
    replace(flow, other(to), vehicle, make_reset(packet, spec.sequence, packet.acknowledgement));
    side.pending.erase(side.pending.begin());
    return;
  }
  SegmentSpec reset = spec;
  reset.flags = kRst | kAck;
  reset.timestamps.reset();
  inject(reset);
}

/// What was judged good before the frame that is refused goes first, whether it came in the same
/// packet or not: a reply that the responder gave must not be lost to the initiator.
void PacketLoop::pass_released(std::uint32_t index) noexcept {
  const FlowStage stage = flows_[index]->stage;
  if (stage != FlowStage::open && stage != FlowStage::closing) return;
  settle_side(index, Side::responder);
  settle_side(index, Side::initiator);
}

void PacketLoop::drop_waiting(Flow& flow) noexcept {
  for (const Side which : {Side::initiator, Side::responder}) {
    FlowSide& side = flow.side(which);
    for (const PendingPacket& pending : side.pending) drop(pending.id, Counter::drop_refused);
    side.pending.clear();
    while (!side.early.empty())
      drop_early(flow, which, side.early.size() - 1, Counter::drop_refused);
  }
}

/// The responder is reset at once, so that the transaction can never complete; the initiator is
/// heard out to the end of what it is in the middle of, for only then does its protocol let it read
/// an answer.
void PacketLoop::refuse_with_words(std::uint32_t index, std::span<const std::byte> words) noexcept {
  Flow& flow = *flows_[index];
  FlowSide& initiator = flow.side(Side::initiator);
  pass_released(index);
  // Behind the responder's FIN nothing can be said in its name, and behind half a reply of its own
  // words would be read as the other half: "2" and "500 no" are 250.
  const FlowSide& responder = flow.side(Side::responder);
  if (flow.loose || responder.fin_forwarded || is_amid_frame(responder)) {
    refuse_with_reset(index, EndReason::refused);
    return;
  }
  reset_toward(index, Side::responder);
  drop_waiting(flow);
  drop_content(flow);
  auto refusal = std::make_unique<Refusal>();
  refusal->words.assign(words.begin(), words.end());
  refusal->send_sequence = sequence_at(responder, responder.forwarded);
  refusal->receive_next =
      sequence_at(initiator, initiator.store.end()) + (initiator.fin_received ? 1U : 0U);
  refusal->peer_fin = initiator.fin_received;
  refusal->retransmit_ms = kRetransmitFirstMs;
  refusal->give_up_ms = now_ms_ + kWaitForEndMs;
  flow.refusal = std::move(refusal);
  note_look_alike(flow);
  set_stage(flow, FlowStage::refusing);

  const FramingMode mode = initiator.framer.framing().mode;
  bool ended =
      (mode != FramingMode::mail_data && mode != FramingMode::counted) || initiator.fin_received;
  while (!ended && initiator.framed < initiator.store.end()) {
    const std::span<std::byte> run = initiator.store.run_at(pool_, initiator.framed);
    discard_framed(flow, run, ended);
    initiator.framed += run.size();
  }
  flow.refusal->heard_out = ended;
  for (FlowSide& side : flow.sides) side.store.release(pool_);
  tell_closed(index, EndReason::refused);
  if (ended) {
    speak(index);
  } else {
    acknowledge_refused(index);
  }
  arm(index);
}

/// Looks for the end of the message or of the counted run in octets that go nowhere.
void PacketLoop::discard_framed(Flow& flow, std::span<const std::byte> bytes,
                                bool& ended) noexcept {
  Framer& framer = flow.side(Side::initiator).framer;
  while (!bytes.empty() && !ended) {
    const Cut cut = framer.next(bytes);
    ended = cut.kind == CutKind::data_end || cut.kind == CutKind::counted_end;
    bytes = bytes.subspan(cut.taken);
  }
  note_look_alike(flow);
}

/// A client that ends its message with a look-alike (LF.LF) waits for the answer to it and sends no
/// other end. If nothing follows, it is told; if something does, it was text, and is heard out.
void PacketLoop::note_look_alike(Flow& flow) noexcept {
  const bool waits = flow.side(Side::initiator).framer.behind_look_alike();
  flow.refusal->interrupt_ms = waits ? now_ms_ + kLookAlikeQuietMs : 0;
}

/// The words and FIN, in as many segments as the client's size asks for. Also sends them again.
void PacketLoop::speak(std::uint32_t index) noexcept {
  Flow& flow = *flows_[index];
  Refusal& refusal = *flow.refusal;
  SegmentSpec spec = segment_from(index, Side::responder);
  spec.acknowledgement = refusal.receive_next;
  spec.window =
      announced_window(flow.tracker.half(Side::responder), flow.tracker.half(Side::initiator));
  const std::span<const std::byte> words(refusal.words);
  const std::size_t segment_max = injected_payload_max(flow, Side::initiator);
  for (std::size_t at = 0; at < words.size(); at += segment_max) {
    const std::size_t octets = std::min(segment_max, words.size() - at);
    spec.sequence = refusal.send_sequence + static_cast<std::uint32_t>(at);
    spec.payload = words.subspan(at, octets);
    spec.flags = kAck | kPsh;
    if (at + octets == words.size()) spec.flags |= kFin;
    inject(spec);
  }
  if (!refusal.spoken) {
    refusal.spoken = true;
    refusal.give_up_ms = now_ms_ + options_.finwait_ms;
  }
  refusal.next_send_ms = now_ms_ + refusal.retransmit_ms;
  refusal.retransmit_ms *= 2;
  arm(index);
}

void PacketLoop::acknowledge_refused(std::uint32_t index) noexcept {
  const Flow& flow = *flows_[index];
  const Refusal& refusal = *flow.refusal;
  SegmentSpec spec = segment_from(index, Side::responder);
  const auto said = static_cast<std::uint32_t>(refusal.words.size()) + 1;
  spec.sequence = refusal.send_sequence + (refusal.spoken ? said : 0U);
  spec.acknowledgement = refusal.receive_next;
  spec.window =
      announced_window(flow.tracker.half(Side::responder), flow.tracker.half(Side::initiator));
  inject(spec);
}

/// A segment of a client that is being refused: acknowledged and thrown away.
void PacketLoop::on_refusing(std::uint32_t index, Side from, InHand& hand) noexcept {
  Flow& flow = *flows_[index];
  Refusal& refusal = *flow.refusal;
  const TcpPacket& packet = hand.packet;
  drop_received(hand, Counter::drop_refused);
  if (from == Side::responder) {
    // It still speaks: our RST was lost.
    reset_late(index, from, packet);
    return;
  }
  if (packet.has(kRst)) {
    if (packet.sequence == refusal.receive_next) end_flow(index, EndReason::refused);
    return;
  }
  if (packet.options.has_timestamps)
    flow.side(Side::initiator).last_timestamp = packet.options.timestamp_value;
  const std::uint32_t said_all =
      refusal.send_sequence + static_cast<std::uint32_t>(refusal.words.size()) + 1;
  if (refusal.spoken && packet.has(kAck) && packet.acknowledgement == said_all)
    refusal.acknowledged = true;

  const std::span<const std::byte> payload = packet.payload();
  bool ended = false;
  const std::uint32_t skip = refusal.receive_next - packet.sequence;
  const bool in_order = seq_le(packet.sequence, refusal.receive_next) && skip <= payload.size();
  if (in_order && !refusal.peer_fin) {
    const std::span<const std::byte> fresh = payload.subspan(skip);
    if (!refusal.heard_out && !fresh.empty()) discard_framed(flow, fresh, ended);
    refusal.receive_next += static_cast<std::uint32_t>(fresh.size());
    if (packet.has(kFin)) {
      refusal.receive_next += 1;
      refusal.peer_fin = true;
      ended = true;
    }
    refusal.heard_out = refusal.heard_out || ended;
    // Told or not, a client in the middle of its message must not lose the words by RST.
    const bool goes_on = !refusal.heard_out && !fresh.empty();
    if (!refusal.spoken || goes_on) refusal.give_up_ms = now_ms_ + kWaitForEndMs;
  }
  if (ended && !refusal.spoken) {
    speak(index);
  } else if (!payload.empty() || packet.has(kFin)) {
    acknowledge_refused(index);
  }
  if (refusal.acknowledged && refusal.peer_fin) set_stage(flow, FlowStage::dead);
  arm(index);
}

/// RST for a segment of a session that its sender does not know is over, a bounded number of times.
void PacketLoop::reset_late(std::uint32_t index, Side from, const TcpPacket& packet) noexcept {
  Flow& flow = *flows_[index];
  if (packet.has(kRst) || flow.late_resets >= kLateResetsMax) return;
  ++flow.late_resets;
  SegmentSpec reset = segment_from(index, other(from));
  reset.sequence = packet.has(kAck) ? packet.acknowledgement : 0;
  reset.acknowledgement = packet.sequence + packet.segment_length();
  reset.flags = kRst | kAck;
  reset.timestamps.reset();
  inject(reset);
}

/// What comes for a session that is over. A client that was told so in words only closes.
void PacketLoop::on_dead(std::uint32_t index, Side from, InHand& hand) noexcept {
  const Flow& flow = *flows_[index];
  if (flow.refusal == nullptr || from == Side::responder) {
    reset_late(index, from, hand.packet);
  } else if (hand.packet.has(kFin)) {
    acknowledge_refused(index);
  }
  drop_received(hand, Counter::drop_refused);
}

}  // namespace postern
