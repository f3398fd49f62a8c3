// Octets in order, out of order and again: what goes into the stream that is judged.
#include <algorithm>

#include "core/sequence.h"
#include "engine/packet_loop.h"

namespace postern {

namespace {

/// Held since an earlier turn, or about to be: its octets are its own.
bool is_kept(const PendingPacket& pending) noexcept {
  return pending.packet.bytes.data() == pending.owned.data();
}

}  // namespace

void PacketLoop::admit_segment(std::uint32_t index, Side from, PendingPacket&& pending) noexcept {
  Flow& flow = *flows_[index];
  FlowSide& side = flow.side(from);
  if (side.opaque) {
    admit_opaque(index, from, pending);
    return;
  }
  if (side.resync) {
    // The direction was out of the queue: its stream goes on with what is seen now.
    side.resync = false;
    const std::uint64_t end = side.store.end();
    side.began_unseen = true;
    side.base_sequence = pending.packet.sequence - static_cast<std::uint32_t>(end);
  }
  const std::uint64_t end = side.store.end();
  const std::int64_t offset = offset_of(side, pending.packet.sequence, end);
  if (offset < 0) {
    admit_before_start(index, from, pending, offset);
    return;
  }
  agree_with_early(index, from, pending, offset);
  if (offset > static_cast<std::int64_t>(end)) {
    pending.offset = static_cast<std::uint64_t>(offset);
    keep_early(index, from, std::move(pending));
    answer_early(index, from);
    arm(index);
    return;
  }
  const bool new_fin = pending.packet.has(kFin) && !side.fin_received;
  if (offset + pending.length <= static_cast<std::int64_t>(end) && !new_fin) {
    pending.offset = static_cast<std::uint64_t>(offset);
    admit_retransmission(index, from, pending);
    return;
  }
  pending.offset = static_cast<std::uint64_t>(offset);
  if (!append(index, from, pending)) {
    drop(pending.id, Counter::drop_memory);
    return;
  }
  if (!flow.loose) flow.tracker.apply(from, pending.packet);
  if (pending.packet.has(kFin)) {
    side.fin_received = true;
    drop_behind_fin(flow, from);
  }
  touched_.push_back(index);
  side.pending.push_back(std::move(pending));
  flow.next_side = from;
  activate(index);
  drain_early(index, from);
}

/// A stream has no octets before its first: what begins there is a keepalive (RFC 9293 3.8.4), of
/// which no receiver takes anything. What reaches into the stream from there is no honest
/// segment, unless the stream began unseen.
void PacketLoop::admit_before_start(std::uint32_t index, Side from, PendingPacket& pending,
                                    std::int64_t offset) noexcept {
  Flow& flow = *flows_[index];
  FlowSide& side = flow.side(from);
  const std::int64_t end = offset + pending.length;
  const bool held = end > static_cast<std::int64_t>(side.released);
  if (pending.packet.has(kFin) || (end > 0 && (held || !side.began_unseen))) {
    drop(pending.id, Counter::drop_invalid_sequence);
    report_drop(pending.id, pending.packet, Counter::drop_invalid_sequence);
    return;
  }
  ++counters_[Counter::retransmissions];
  if (end > 0) {
    const std::span<std::byte> seen = pending.packet.payload().last(static_cast<std::size_t>(end));
    if (side.store.impose(pool_, 0, seen)) note_altered(index, from, pending);
  }
  keep_timestamps_rising(side, pending);
  accept_as_it_is(flow, pending);
}

/// A packet whose payload agrees with the stream.
void PacketLoop::accept_as_it_is(Flow& flow, PendingPacket& pending) noexcept {
  if (pending.dirty) {
    write_checksums(pending.packet);
    accept_rewritten(&flow, pending.id, pending.packet.bytes, pending.mark);
  } else {
    accept_plain(flow, pending.id, pending.mark);
  }
}

/// A side that nobody reads: TCP is tracked, the octets pass. Octets that were judged earlier stay
/// as they went.
void PacketLoop::admit_opaque(std::uint32_t index, Side from, PendingPacket& pending) noexcept {
  Flow& flow = *flows_[index];
  FlowSide& side = flow.side(from);
  if (side.resync) {
    side.resync = false;
    side.base_sequence = pending.packet.sequence;
  }
  const std::int64_t offset = offset_of(side, pending.packet.sequence, side.forwarded);
  if (offset < 0 && !flow.loose) {
    admit_before_start(index, from, pending, offset);
    return;
  }
  if (offset >= 0) {
    pending.offset = static_cast<std::uint64_t>(offset);
    hide_forgotten(side, pending);
    if (side.store.impose(pool_, pending.offset, pending.packet.payload())) {
      note_altered(index, from, pending);
    }
    const std::uint64_t end = pending.offset + pending.length;
    if (end > side.forwarded) {
      // What an offloaded direction carried unseen, or a hole that fills later, counts too:
      // sequence numbers tell how much it was.
      flow.bytes[postern::index(from)] += end - side.forwarded;
      side.forwarded = end;
      side.released = end;
    }
  }
  if (!flow.loose) {
    flow.tracker.skip_to(from, pending.packet.sequence);
    flow.tracker.apply(from, pending.packet);
  }
  if (pending.packet.has(kFin)) {
    side.fin_received = true;
    note_fin(flow, from);
  }
  keep_timestamps_rising(side, pending);
  accept_as_it_is(flow, pending);
  arm(index);
}

/// Octets that came before. What the store still knows is imposed on them; what it no longer knows
/// was acknowledged by the receiver, which throws them away. Of a packet whose end is still held
/// the part that went before goes again: its first copy may have been lost behind us, and then the
/// answer that the rest waits for would never come.
void PacketLoop::admit_retransmission(std::uint32_t index, Side from,
                                      PendingPacket& pending) noexcept {
  Flow& flow = *flows_[index];
  FlowSide& side = flow.side(from);
  ++counters_[Counter::retransmissions];
  const std::uint64_t end = pending.offset + pending.length;
  const bool whole = end <= side.released;
  hide_forgotten(side, pending);
  if (side.store.impose(pool_, pending.offset, pending.packet.payload())) {
    note_altered(index, from, pending);
  }
  if (!whole && pending.offset >= side.released) {
    drop(pending.id, Counter::drop_duplicate_held);
    return;
  }
  if (whole && pending.packet.has(kFin)) note_fin(flow, from);
  keep_timestamps_rising(side, pending);
  if (!whole) {
    replace(flow, from, pending, trim_payload(pending.packet, side.released - pending.offset));
  } else {
    accept_as_it_is(flow, pending);
  }
}

/// What the receiver has acknowledged is no longer known. It throws a repetition away, but where
/// octets were masked, what they hid must not show on the wire either. Behind the last of those
/// there is nothing to hide, and where nobody reads it may be new: TLS behind a hello, say, after a
/// loss.
void PacketLoop::hide_forgotten(const FlowSide& side, PendingPacket& pending) noexcept {
  const std::uint64_t hides_to = std::min(side.hides_to, side.store.begin());
  if (pending.offset >= hides_to) return;
  const std::span<std::byte> payload = pending.packet.payload();
  const std::uint64_t forgotten = hides_to - pending.offset;
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(forgotten, payload.size()));
  std::ranges::fill(payload.first(length), std::byte{'X'});
  pending.dirty = true;
}

/// Puts what is new of the packet at the end of the stream, and what is old of it to what was seen
/// first.
bool PacketLoop::append(std::uint32_t index, Side from, PendingPacket& pending) noexcept {
  FlowSide& side = flows_[index]->side(from);
  const std::span<std::byte> payload = pending.packet.payload();
  const auto old = static_cast<std::size_t>(
      std::min<std::uint64_t>(side.store.end() - pending.offset, payload.size()));
  if (side.store.end() - side.store.begin() + payload.size() > unacknowledged_max()) return false;
  hide_forgotten(side, pending);
  if (old > 0 && side.store.impose(pool_, pending.offset, payload.first(old))) {
    note_altered(index, from, pending);
  }
  return side.store.append(pool_, payload.subspan(old));
}

/// What one side may have in its store: less, the less there is left for others. A sender whose
/// octets die behind us, so that nobody acknowledges them, would keep what it has taken.
std::size_t PacketLoop::unacknowledged_max() const noexcept {
  const std::size_t share = pool_.free_chunks() * kChunkBytes / kFreeChunksPerSideDivisor;
  return std::clamp(share, kUnacknowledgedBytesAssured, kUnacknowledgedBytesMax);
}

/// Octets that came early and wait were seen first, too: what comes over them, in order or early
/// itself, is made to agree. So all that waits agrees, in whatever order it is taken up.
void PacketLoop::agree_with_early(std::uint32_t index, Side from, PendingPacket& pending,
                                  std::int64_t offset) noexcept {
  if (is_kept(pending)) return;
  const std::int64_t end = offset + pending.length;
  bool differed = false;
  for (const PendingPacket& waiting : flows_[index]->side(from).early) {
    const auto waits_from = static_cast<std::int64_t>(waiting.offset);
    const std::int64_t begin = std::max(offset, waits_from);
    const std::int64_t stop = std::min(end, waits_from + waiting.length);
    if (begin >= stop) continue;
    const auto octets = static_cast<std::size_t>(stop - begin);
    const auto seen =
        waiting.packet.payload().subspan(static_cast<std::size_t>(begin - waits_from), octets);
    const auto claimed =
        pending.packet.payload().subspan(static_cast<std::size_t>(begin - offset), octets);
    if (std::ranges::equal(seen, claimed)) continue;
    std::ranges::copy(seen, claimed.begin());
    differed = true;
  }
  if (differed) note_altered(index, from, pending);
}

/// Octets that differed from those seen first were overwritten: counted, and told once a session.
void PacketLoop::note_altered(std::uint32_t index, Side from, PendingPacket& pending) noexcept {
  Flow& flow = *flows_[index];
  pending.dirty = true;
  ++counters_[Counter::retransmissions_altered];
  ++flow.altered;
  if (flow.altered_told || !flow.announced) return;
  flow.altered_told = tell_reassembly(index, from, ReassemblyAlarm::altered, &pending);
}

/// The FIN ended the stream (RFC 9293 3.10.4): what came early from behind it never belongs to it.
void PacketLoop::drop_behind_fin(Flow& flow, Side from) noexcept {
  FlowSide& side = flow.side(from);
  for (std::size_t at = side.early.size(); at-- > 0;) {
    if (side.early[at].offset + side.early[at].length > side.store.end())
      drop_early(flow, from, at, Counter::drop_data_after_fin);
  }
}

/// cisco-ios 3.6: two queues a session; a full queue drops what arrives, unless inspection waits
/// for it, in which case it is not early and does not come here.
void PacketLoop::keep_early(std::uint32_t index, Side from, PendingPacket&& pending) noexcept {
  Flow& flow = *flows_[index];
  FlowSide& side = flow.side(from);
  ++counters_[Counter::out_of_order];
  // A place in the kernel's queue that nobody else has.
  if (counters_[Counter::held] > held_max_) {
    refuse_early(index, from, pending, ReassemblyAlarm::memory_limit);
    return;
  }
  if (side.early.size() >= options_.out_of_order_max) {
    refuse_early(index, from, pending, ReassemblyAlarm::queue_full);
    return;
  }
  if (!make_room(index, from, pending)) {
    refuse_early(index, from, pending, ReassemblyAlarm::memory_limit);
    return;
  }
  pending.owned.assign(pending.packet.bytes.begin(), pending.packet.bytes.end());
  pending.packet.bytes = pending.owned;
  counters_[Counter::out_of_order_bytes] += pending.owned.size();
  counters_.note_peak(Counter::out_of_order_bytes, Counter::out_of_order_peak_bytes);
  if (flow.early_since_ms == 0) flow.early_since_ms = now_ms_;
  side.early.push_back(std::move(pending));
  if (side.early.size() > counters_[Counter::out_of_order_peak_queue]) {
    counters_[Counter::out_of_order_peak_queue] = side.early.size();
  }
}

/// cisco-ios 3.6: where the memory of all sessions is used up, this queue gives from its tail,
/// farthest from the hole, what is needed for a segment nearer to it. Gives nothing when that is
/// not enough.
bool PacketLoop::make_room(std::uint32_t index, Side from, const PendingPacket& pending) noexcept {
  std::vector<PendingPacket>& early = flows_[index]->side(from).early;
  const std::uint64_t wanted = counters_[Counter::out_of_order_bytes] + pending.packet.bytes.size();
  std::uint64_t behind = 0;
  for (const PendingPacket& waiting : early) {
    if (waiting.offset > pending.offset) behind += waiting.packet.bytes.size();
  }
  if (wanted > options_.out_of_order_bytes_max + behind) return false;
  const auto room = options_.out_of_order_bytes_max;
  while (counters_[Counter::out_of_order_bytes] + pending.packet.bytes.size() > room) {
    const auto farthest = std::max_element(
        early.begin(), early.end(),
        [](const PendingPacket& a, const PendingPacket& b) { return a.offset < b.offset; });
    ++counters_[Counter::out_of_order_released];
    report_drop(farthest->id, farthest->packet, Counter::drop_out_of_order);
    alarm(index, from, ReassemblyAlarm::released, &*farthest);
    drop_early(*flows_[index], from, static_cast<std::size_t>(farthest - early.begin()),
               Counter::drop_out_of_order);
  }
  return true;
}

/// Its sender brings it again: what passed has been acknowledged, this has not.
void PacketLoop::refuse_early(std::uint32_t index, Side from, const PendingPacket& pending,
                              ReassemblyAlarm why) noexcept {
  drop(pending.id, Counter::drop_out_of_order);
  report_drop(pending.id, pending.packet, Counter::drop_out_of_order);
  alarm(index, from, why, &pending);
}

/// Tells of it where `reassembly alarm` wants that. A batch that is full loses it: the counters
/// do not.
void PacketLoop::alarm(std::uint32_t index, Side from, ReassemblyAlarm what,
                       const PendingPacket* segment) noexcept {
  if (options_.reassembly_alarm) static_cast<void>(tell_reassembly(index, from, what, segment));
}

bool PacketLoop::tell_reassembly(std::uint32_t index, Side from, ReassemblyAlarm what,
                                 const PendingPacket* segment) noexcept {
  if (writer_.full()) return false;
  const FlowSide& side = flows_[index]->side(from);
  const std::uint32_t awaited = sequence_at(side, side.store.end());
  const std::uint32_t sequence = segment == nullptr ? awaited : segment->packet.sequence;
  const auto waiting = static_cast<std::uint32_t>(side.early.size());
  writer_.add({.kind = EventKind::reassembly,
               .side = from,
               .flags = segment == nullptr ? 0U : std::min(segment->length, 0xFFFFU),
               .flow = index,
               .generation = table_.generation(index),
               .number = (std::uint64_t{awaited} << 32U) | sequence,
               .extra = static_cast<std::uint32_t>(what) | (waiting << 8U)});
  return true;
}

/// RFC 7323 5.3: a receiver drops what looks older than what it took last. A segment that we kept
/// carries the time at which it was first sent, and its receiver may have had a repetition since:
/// the stamp is raised to the newest that went ahead. One that nobody kept stays as its sender, or
/// a signature over it, wants it.
void PacketLoop::keep_timestamps_rising(FlowSide& side, PendingPacket& pending) noexcept {
  const TcpOptions& options = pending.packet.options;
  if (!options.has_timestamps) return;
  const bool newest =
      !side.timestamp_passed || seq_ge(options.timestamp_value, *side.timestamp_passed);
  if (newest) {
    side.timestamp_passed = options.timestamp_value;
    return;
  }
  if (!is_kept(pending) || options.has_md5 || options.has_authentication) return;
  set_timestamp_value(pending.packet, *side.timestamp_passed);
  pending.dirty = true;
}

void PacketLoop::drain_early(std::uint32_t index, Side from) noexcept {
  Flow& flow = *flows_[index];
  FlowSide& side = flow.side(from);
  bool progress = true;
  bool closed_a_gap = false;
  while (progress && !side.early.empty()) {
    progress = false;
    for (std::size_t i = 0; i < side.early.size(); ++i) {
      if (side.early[i].offset > side.store.end()) continue;
      PendingPacket pending = std::move(side.early[i]);
      side.early.erase(side.early.begin() + static_cast<std::ptrdiff_t>(i));
      counters_[Counter::out_of_order_bytes] -= pending.packet.bytes.size();
      progress = true;
      // Octets that came in order have overtaken its FIN: no receiver has one there.
      const bool fin_inside =
          pending.packet.has(kFin) && pending.offset + pending.length < side.store.end();
      if (fin_inside) {
        drop(pending.id, Counter::drop_invalid_sequence);
      } else {
        admit_segment(index, from, std::move(pending));
      }
      closed_a_gap = true;
      break;
    }
  }
  // The reassembly time is a gap's: where packets are lost all the time, the next one is there
  // before the last has closed.
  if (closed_a_gap) {
    flow.early_since_ms = now_ms_;
    flow.early_retried = false;
  }
  note_gaps(flow);
}

/// What came early to a side that is no longer read need not wait for the gap to close.
void PacketLoop::pass_early(std::uint32_t index, Side from) noexcept {
  FlowSide& side = flows_[index]->side(from);
  if (side.early.empty()) return;
  for (PendingPacket& pending : side.early) {
    counters_[Counter::out_of_order_bytes] -= pending.packet.bytes.size();
    admit_opaque(index, from, pending);
  }
  side.early.clear();
  note_gaps(*flows_[index]);
}

void PacketLoop::note_gaps(Flow& flow) noexcept {
  if (!flow.sides[0].early.empty() || !flow.sides[1].early.empty()) return;
  flow.early_since_ms = 0;
  flow.early_retried = false;
}

void PacketLoop::drop_early(Flow& flow, Side from, std::size_t at, Counter reason) noexcept {
  FlowSide& side = flow.side(from);
  counters_[Counter::out_of_order_bytes] -= side.early[at].packet.bytes.size();
  drop(side.early[at].id, reason);
  side.early.erase(side.early.begin() + static_cast<std::ptrdiff_t>(at));
}

/// What the receiver has acknowledged need not be kept for retransmissions, unless a frame under
/// way still wants its text.
void PacketLoop::note_acknowledgement(Flow& flow, Side from, const TcpPacket& packet) noexcept {
  FlowSide& peer = flow.side(other(from));
  if (!packet.has(kAck) || peer.resync || peer.store.begin() == peer.store.end()) return;
  const std::int64_t acknowledged = offset_of(peer, packet.acknowledgement, peer.forwarded);
  if (acknowledged <= 0) return;
  const std::uint64_t passed = std::min(static_cast<std::uint64_t>(acknowledged), peer.forwarded);
  const std::uint64_t wanted = peer.opaque ? peer.store.end() : peer.frame_begin;
  peer.store.discard_before(pool_, std::min(passed, wanted));
}

}  // namespace postern
