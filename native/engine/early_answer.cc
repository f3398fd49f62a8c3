// What a receiver says of octets that came early, in its name: it does not see them yet.
#include "core/sequence.h"
#include "engine/packet_loop.h"

namespace postern {

namespace {

/// What waits, the newest first (RFC 2018 4): runs of the order in which it came.
SackRanges ranges_of(const FlowSide& side) noexcept {
  SackRanges found;
  for (std::size_t at = side.early.size(); at > 0; --at) {
    const PendingPacket& waiting = side.early[at - 1];
    if (waiting.length == 0) continue;
    const std::uint32_t begin = sequence_at(side, waiting.offset);
    const std::uint32_t end = begin + waiting.length;
    if (found.count > 0) {
      auto& last = found.ranges.at(found.count - 1);
      if (seq_le(begin, last[1]) && seq_ge(end, last[0])) {
        if (seq_lt(begin, last[0])) last[0] = begin;
        if (seq_gt(end, last[1])) last[1] = end;
        continue;
      }
    }
    if (found.count == SackRanges::kRangesMax) break;
    found.ranges.at(found.count++) = {begin, end};
  }
  return found;
}

}  // namespace

/// RFC 5681 4.2: a receiver acknowledges at once what comes out of order, and so its sender learns
/// of a loss within a round trip. Held back here, it would learn by its retransmission timer alone,
/// a segment at a time, and on a lossy line be too late for the reassembly timeout.
void PacketLoop::answer_early(std::uint32_t index, Side from) noexcept {
  const Flow& flow = *flows_[index];
  const FlowSide& side = flow.side(from);
  const FlowSide& peer = flow.side(other(from));
  if (flow.loose || !peer.acknowledges) return;
  SegmentSpec spec = segment_from(index, other(from));
  // Never more than it said itself: what went on to it may still be lost on its way.
  spec.acknowledgement = peer.last_acknowledgement;
  // RFC 7323 4.3: the echo is of what came last in order.
  if (spec.timestamps && side.timestamp_passed) spec.timestamps->back() = *side.timestamp_passed;
  if (flow.selective) spec.selective = ranges_of(side);
  inject(spec);
}

}  // namespace postern
