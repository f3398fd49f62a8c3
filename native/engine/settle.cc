// Verdicts: what may go, goes; what was rewritten is written anew; what must wait is kept.
#include <algorithm>
#include <cassert>
#include <utility>

#include "core/sequence.h"
#include "engine/event_text.h"
#include "engine/packet_loop.h"

namespace postern {

namespace {

/// The mark of the next packet of a flow that is accepted, if it is to change.
std::optional<std::uint32_t> marked(Flow& flow, std::uint32_t mark) noexcept {
  const std::uint32_t marks = flow.offload_mark | std::exchange(flow.mark_once, 0U);
  if (marks == 0) return std::nullopt;
  return mark | marks;
}

}  // namespace

void PacketLoop::settle(std::uint32_t flow_index) noexcept {
  Flow& flow = *flows_[flow_index];
  flows_.touch(flow_index);
  if (flow.stage == FlowStage::dead || flow.stage == FlowStage::refusing) return;
  // A reply goes before what it set free.
  settle_side(flow_index, Side::responder);
  settle_side(flow_index, Side::initiator);
  bool held = false;
  for (const FlowSide& side : flow.sides) held = held || side.forwarded < side.store.end();
  if (!held) flow.held_since_ms = 0;
  if (held && flow.held_since_ms == 0) flow.held_since_ms = now_ms_;
  arm(flow_index);
}

void PacketLoop::settle_side(std::uint32_t flow_index, Side from) noexcept {
  Flow& flow = *flows_[flow_index];
  FlowSide& side = flow.side(from);
  auto kept = side.pending.begin();
  for (PendingPacket& pending : side.pending) {
    const std::uint64_t end = pending.offset + pending.length;
    if (end > side.released && pending.offset >= side.released) {
      if (&*kept != &pending) *kept = std::move(pending);
      ++kept;
      continue;
    }
    if (pending.offset > side.forwarded && side.released > side.forwarded) {
      // The packet that brought these octets went on without them.
      inject_range(flow_index, from, std::min(side.released, pending.offset));
    }
    // Also behind packets that stay: what it repeats of octets that went may have been lost.
    const std::uint64_t stop = std::min(end, side.released);
    accept(flow, from, pending, static_cast<std::uint32_t>(stop - pending.offset));
  }
  side.pending.erase(kept, side.pending.end());
  const bool owes_fin =
      side.fin_received && !side.fin_forwarded && side.released >= side.store.end();
  // All that stays begins behind what is released: what is free now was brought by packets that
  // went on without it, and may be what the answer waits for that sets the others free.
  if (side.released > side.forwarded || (owes_fin && side.pending.empty())) {
    inject_range(flow_index, from, side.released);
  }
  if (side.opaque) pass_early(flow_index, from);
  // Nothing reads or acknowledges a direction whose other half has left the queue.
  if (flow.loose) side.store.discard_before(pool_, std::min(side.frame_begin, side.forwarded));
}

/// Accepts the first `length` payload octets of a packet, as the store has them.
void PacketLoop::accept(Flow& flow, Side from, PendingPacket& pending,
                        std::uint32_t length) noexcept {
  FlowSide& side = flow.side(from);
  const std::uint64_t end = pending.offset + length;
  const bool whole = length == pending.length;
  if (end > side.forwarded) {
    flow.bytes[index(from)] += end - side.forwarded;
    side.forwarded = end;
  }
  if (whole && pending.packet.has(kFin)) note_fin(flow, from);
  keep_timestamps_rising(side, pending);
  if (whole && !pending.dirty) {
    accept_plain(flow, pending.id, pending.mark);
    return;
  }
  // Headers as they came, payload from the store: first-seen octets with their masks.
  const std::size_t headers = pending.packet.payload_offset;
  std::copy_n(pending.packet.bytes.begin(), headers, scratch_.begin());
  TcpPacket packet = pending.packet;
  packet.bytes = std::span(scratch_).first(headers + pending.length);
  if (pending.offset >= side.store.begin()) {
    side.store.copy_out(pool_, pending.offset, packet.payload());
  } else {
    // Only a packet in hand repeats octets that were acknowledged: held ones begin behind those.
    assert(pending.payload_present);
    std::copy_n(pending.packet.payload().begin(), pending.length, packet.payload().begin());
    static_cast<void>(side.store.impose(pool_, pending.offset, packet.payload()));
  }
  std::span<std::byte> bytes = packet.bytes;
  if (whole) {
    write_checksums(packet);
  } else {
    bytes = trim_payload(packet, length);
  }
  replace(flow, from, pending, bytes);
}

/// Sends `packet` on in place of a pending one. The kernel would cut a super-packet into segments
/// by the size noted on it, and loses without a word what is no longer than one of them: such a
/// packet is dropped and sent anew.
void PacketLoop::replace(Flow& flow, Side from, const PendingPacket& pending,
                         std::span<const std::byte> packet) noexcept {
  const std::size_t payload =
      packet.size() - std::min<std::size_t>(packet.size(), pending.packet.payload_offset);
  if (!pending.gso || payload > flow.tracker.half(other(from)).mss) {
    accept_rewritten(&flow, pending.id, packet, pending.mark);
    return;
  }
  send_anew(pending.id, packet);
}

void PacketLoop::send_anew(std::uint32_t id, std::span<const std::byte> packet) noexcept {
  const bool sent = sender_.send(packet);
  ++counters_[sent ? Counter::injected : Counter::inject_failed];
  drop(id, Counter::drop_replaced);
}

void PacketLoop::accept_plain(Flow& flow, std::uint32_t id, std::uint32_t mark) noexcept {
  accept_marked(id, marked(flow, mark));
}

void PacketLoop::accept_marked(std::uint32_t id, std::optional<std::uint32_t> mark) noexcept {
  Verdict verdict;
  verdict.accept = true;
  verdict.mark = mark;
  source_.verdict(id, verdict);
  ++counters_[Counter::accepted];
  --counters_[Counter::held];
}

void PacketLoop::accept_rewritten(Flow* flow, std::uint32_t id, std::span<const std::byte> packet,
                                  std::uint32_t mark) noexcept {
  Verdict verdict;
  verdict.accept = true;
  verdict.replacement = packet;
  if (flow != nullptr) verdict.mark = marked(*flow, mark);
  source_.verdict(id, verdict);
  ++counters_[Counter::rewritten];
  --counters_[Counter::held];
}

void PacketLoop::drop(std::uint32_t id, Counter reason) noexcept {
  source_.verdict(id, Verdict{});
  ++counters_[Counter::dropped];
  ++counters_[reason];
  --counters_[Counter::held];
}

/// Drops a packet that could be read; `ip inspect log drop-pkt` tells of it.
void PacketLoop::drop_received(const InHand& hand, Counter reason) noexcept {
  drop(hand.received.id, reason);
  report_drop(hand.received.id, hand.packet, reason);
}

void PacketLoop::report_drop(std::uint32_t id, const TcpPacket& packet, Counter reason) noexcept {
  // A scale that was not offered has an alert of its own, whether drops are reported or not.
  if (!options_.report_drops && reason != Counter::drop_invalid_window_scale) return;
  const std::optional<std::uint8_t> scale = packet.options.window_scale;
  std::uint32_t at = 0;
  if (writer_.full() || !writer_.reserve(kDropRecordOctets, at)) return;
  write_drop_record(packet, writer_.text(at, kDropRecordOctets));
  writer_.add({.kind = EventKind::dropped,
               .generation = id,
               .text_offset = at,
               .text_length = kDropRecordOctets,
               .number = scale ? 0x100U | *scale : 0U,
               .extra = static_cast<std::uint32_t>(reason)});
}

/// At the end of a turn the receive buffer goes: of the packets still in hand the headers are kept.
/// Their payload stands in the store already, so a packet too many is dropped without loss; its
/// octets are injected when they are released.
void PacketLoop::keep_in_hand() noexcept {
  for (const std::uint32_t touched : touched_) {
    if (!table_.used(touched)) continue;
    for (FlowSide& side : flows_[touched]->sides) {
      while (side.pending.size() > kHeldPacketsPerSideMax ||
             (counters_[Counter::held] > held_max_ && !side.pending.empty())) {
        drop(side.pending.back().id, Counter::drop_held_limit);
        side.pending.pop_back();
      }
      for (PendingPacket& pending : side.pending) {
        if (!pending.payload_present || pending.packet.bytes.data() == pending.owned.data())
          continue;
        const std::span<std::byte> headers =
            pending.packet.bytes.first(pending.packet.payload_offset);
        pending.owned.assign(headers.begin(), headers.end());
        pending.packet.bytes = pending.owned;
        pending.payload_present = false;
      }
    }
  }
  touched_.clear();
  hands_count_ = 0;
}

/// A segment in the name of `from`, with everything its receiver expects of it but payload and
/// flags.
SegmentSpec PacketLoop::segment_from(std::uint32_t flow_index, Side from) noexcept {
  const Flow& flow = *flows_[flow_index];
  const FlowKey& key = table_.key(flow_index);
  const FlowSide& side = flow.side(from);
  const FlowSide& peer = flow.side(other(from));
  SegmentSpec spec;
  spec.source = from == Side::initiator ? key.initiator : key.responder;
  spec.destination = from == Side::initiator ? key.responder : key.initiator;
  spec.sequence = sequence_at(side, side.forwarded) + (side.fin_forwarded ? 1U : 0U);
  // Where a direction goes by us, its receiver knows best what it expects next.
  if (flow.loose && (side.opaque || side.resync)) spec.sequence = peer.last_acknowledgement;
  const std::uint64_t received = peer.opaque ? peer.forwarded : peer.store.end();
  spec.acknowledgement = sequence_at(peer, received) + (peer.fin_received ? 1U : 0U);
  if (from == Side::initiator) spec.acknowledgement_shift = flow.acknowledgement_shift;
  spec.flags = kAck;
  spec.window = side.last_window;
  if (!flow.tracker.timestamps()) return spec;
  spec.timestamps = {{side.last_timestamp, peer.last_timestamp}};
  if (side.timestamp_passed && seq_gt(*side.timestamp_passed, side.last_timestamp))
    spec.timestamps->front() = *side.timestamp_passed;
  return spec;
}

/// Sends the octets up to `end` that were released but whose packet went on without them, cut to
/// the receiver's segment size; with them the FIN, if it was lost to the stream the same way.
void PacketLoop::inject_range(std::uint32_t flow_index, Side from, std::uint64_t end) noexcept {
  Flow& flow = *flows_[flow_index];
  FlowSide& side = flow.side(from);
  std::array<std::byte, kInjectedPayloadBytesMax> payload;
  const std::size_t segment_max = injected_payload_max(flow, other(from));
  const bool last = side.fin_received && side.pending.empty() && end == side.store.end();
  while (side.forwarded < end || (last && !side.fin_forwarded)) {
    const auto octets =
        static_cast<std::size_t>(std::min<std::uint64_t>(segment_max, end - side.forwarded));
    SegmentSpec spec = segment_from(flow_index, from);
    spec.sequence = sequence_at(side, side.forwarded);
    // Never more than it said itself: what went on to it may still be lost on its way.
    spec.acknowledgement = side.last_acknowledgement;
    spec.flags = kAck | kPsh;
    spec.payload = std::span(payload).first(octets);
    side.store.copy_out(pool_, side.forwarded, std::span(payload).first(octets));
    if (last && side.forwarded + octets == end) {
      spec.flags |= kFin;
      note_fin(flow, from);
    }
    inject(spec);
    if (spec.timestamps) side.timestamp_passed = spec.timestamps->front();
    flow.bytes[index(from)] += octets;
    side.forwarded += octets;
  }
}

void PacketLoop::inject(const SegmentSpec& spec) noexcept {
  std::array<std::byte, 2'048> packet;
  const std::size_t octets = build_segment(spec, packet);
  const bool sent = octets > 0 && sender_.send(std::span(packet).first(octets));
  ++counters_[sent ? Counter::injected : Counter::inject_failed];
}

}  // namespace postern
