// What the judge asked for, carried out on the flow.
#include <algorithm>

#include "engine/packet_loop.h"

namespace postern {

namespace {

/// Order::flags of `stop` (src/native/event-batch.ts).
constexpr std::uint32_t kStopTls = 1;
constexpr std::uint32_t kStopAuthenticated = 2;

Framing framing_of(const Order& order) noexcept {
  Framing framing;
  framing.mode = static_cast<FramingMode>(order.flags & 0xFU);
  framing.tolerant = (order.flags & 0x10U) != 0;
  framing.bytes = order.first | (static_cast<std::uint64_t>(order.second) << 32U);
  return framing;
}

}  // namespace

/// False for an order that names no flow or no framing: the caller stops believing the rest.
bool PacketLoop::carry_out(const Order& order) noexcept {
  if (DatagramFlows::owns(order.flow)) return datagrams_.carry_out(order);
  if (!table_.used(order.flow)) return false;
  Flow& flow = *flows_[order.flow];
  if (flow.stage == FlowStage::dead || flow.stage == FlowStage::refusing) return true;
  flow.ordered = true;
  switch (order.op) {
    case OrderOp::forward: {
      FlowSide& side = flow.side(order.side);
      side.released = std::max(side.released, side.framed);
      if (order.side == Side::initiator) flow.forward_wanted = false;
      if (!flow.event_is_partial && !side.judged_at_cr) side.begin_frame(side.framed);
      return true;
    }
    case OrderOp::mask:
      order_mask(flow, order);
      return true;
    case OrderOp::pause:
      flow.side(order.side).paused = true;
      return true;
    case OrderOp::resume:
      // What waited for this frame is judged before what came behind it.
      flow.side(order.side).paused = false;
      flow.next_side = order.side;
      return true;
    case OrderOp::frame:
      if ((order.flags & 0xFU) > static_cast<std::uint32_t>(FramingMode::opaque)) {
        // How the frame goes on is not known: it counts as one that nobody judged.
        flow.ordered = false;
        return false;
      }
      order_frame(flow, order);
      return true;
    case OrderOp::refuse:
      order_refuse(order.flow, order);
      return true;
    case OrderOp::stop:
      order_stop(flow, order.flags);
      return true;
    case OrderOp::again:
      order_again(flow);
      return true;
    case OrderOp::idle:
      order_idle(flow, order.first);
      arm(order.flow);
      return true;
    case OrderOp::end:
      if (flow.offloaded != 0 && flow.offload_mark != 0) {
        // Its packets come back to the queue and are answered with RST there, where their sequence
        // numbers are seen.
        const FlowKey& key = table_.key(order.flow);
        const std::uint32_t marks = options_.mark_offload_both | options_.mark_offload_responder;
        sender_.recall(key.initiator, key.responder, marks);
      }
      refuse_with_reset(order.flow, static_cast<EndReason>(order.first));
      return true;
    case OrderOp::content:
      order_content(order.flow, order);
      return true;
  }
  return false;
}

/// A time that is the configured one stays that when it is configured anew.
void PacketLoop::order_idle(Flow& flow, std::uint32_t seconds) noexcept {
  const std::uint32_t ms = seconds > 0xFFFF'FFFFU / 1'000U ? 0xFFFF'FFFFU : seconds * 1'000U;
  flow.idle_ordered_ms = ms == options_.idle_ms ? 0 : ms;
  // Behind the packet that refreshes it: at once.
  if (flow.last_heard_ms == now_ms_) refresh(flow);
}

void PacketLoop::note_masked(FlowSide& side, std::uint64_t begin, std::uint64_t end) noexcept {
  const bool goes_on =
      !side.masked.empty() && side.masked.back().offset + side.masked.back().octets.size() == begin;
  if (!goes_on) side.masked.push_back({begin, {}});
  std::vector<std::byte>& octets = side.masked.back().octets;
  const std::size_t known = octets.size();
  octets.resize(known + static_cast<std::size_t>(end - begin));
  side.store.copy_out(pool_, begin, std::span(octets).subspan(known));
}

/// Overwrites octets of the frame in the store, which every copy of them is imposed from. What has
/// left stays as it went.
void PacketLoop::order_mask(Flow& flow, const Order& order) noexcept {
  FlowSide& side = flow.side(flow.event_side);
  const std::uint64_t end = std::min(side.frame_begin + order.first + order.second, side.framed);
  const std::uint64_t begin = std::max(side.frame_begin + order.first, side.released);
  if (begin >= end) return;
  if (flow.mend_wanted && end == side.framed) {
    side.framer.mend();
    flow.mend_wanted = flow.reframe_wanted = false;
  }
  side.hides_to = std::max(side.hides_to, end);
  note_masked(side, begin, end);
  side.store.fill(pool_, begin, end - begin, static_cast<std::byte>(order.flags & 0xFFU));
  for (PendingPacket& pending : side.pending) {
    if (pending.offset < end && begin < pending.offset + pending.length) pending.dirty = true;
  }
}

void PacketLoop::order_frame(Flow& flow, const Order& order) noexcept {
  FlowSide& side = flow.side(order.side);
  const Framing framing = framing_of(order);
  flow.reframe_wanted = false;
  drop_hello(side);
  if (!side.judged_at_cr) side.begin_frame(side.framed);
  side.framer.set(framing);
  if (framing.mode != FramingMode::opaque) return;
  if (order.side == Side::initiator) drop_content(flow);
  side.opaque = true;
  side.released = side.store.end();
}

void PacketLoop::order_refuse(std::uint32_t index, const Order& order) noexcept {
  flows_[index]->reframe_wanted = false;
  const std::size_t size = buffers_.order_arena.size();
  const bool words = order.flags == 0 && order.second > 0 && order.second <= kRefusalBytesMax &&
                     order.first <= size && order.second <= size - order.first;
  if (words) {
    refuse_with_words(index, buffers_.order_arena.subspan(order.first, order.second));
  } else {
    refuse_with_reset(index, EndReason::refused);
  }
}

/// design.md, principle 6: decided flows leave the queue. TLS and flows that are not ours leave
/// whole; an authenticated one gives up the responder's direction only. The mark rides on the
/// packets that are accepted from now on.
void PacketLoop::order_stop(Flow& flow, std::uint32_t what) noexcept {
  const bool responder_only = what == kStopAuthenticated;
  drop_content(flow);
  for (const Side which : {Side::initiator, Side::responder}) {
    if (responder_only && which == Side::initiator) continue;
    FlowSide& side = flow.side(which);
    side.opaque = true;
    side.paused = false;
    side.judged_at_cr = false;
    side.released = side.store.end();
    side.framed = side.store.end();
    side.begin_frame(side.framed);
  }
  flow.reframe_wanted = false;
  flow.offloaded = what;
  if (!options_.offload) return;
  if (what == kStopTls || what > kStopAuthenticated) {
    flow.offload_mark = options_.mark_offload_both;
  } else {
    flow.offload_mark = options_.mark_offload_responder;
  }
  flow.loose = flow.loose || flow.offload_mark != 0;
}

/// Both sides are read again. What the responder sends while it was out of the queue is lost to us,
/// so its stream begins anew with the next segment seen.
void PacketLoop::order_again(Flow& flow) noexcept {
  drop_content(flow);
  flow.offloaded = 0;
  flow.offload_mark = flow.loose ? options_.mark_clear : 0;
  for (FlowSide& side : flow.sides) {
    if (!side.opaque) continue;
    side.opaque = false;
    side.resync = flow.loose;
    side.judged_at_cr = false;
    // Octets that were let go in this very turn still stand in the store; later ones went unstored.
    if (side.forwarded > side.store.end()) side.store.skip_to(pool_, side.forwarded);
    const std::uint64_t here = side.store.end();
    side.framed = side.released = side.partial_asked = here;
    side.begin_frame(here);
  }
}

}  // namespace postern
