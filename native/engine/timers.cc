// Time, the ends of flows, and the gauges that count them.
#include <algorithm>

#include "engine/packet_loop.h"

namespace postern {

void PacketLoop::advance_time(std::int64_t now_ms) noexcept {
  now_ms_ = std::max(now_ms_, now_ms);
  wheel_.advance(now_ms_, [this](std::uint32_t index) {
    if (table_.used(index)) on_timer(index);
  });
  datagrams_.advance(now_ms_);
  expire_half_open();
  judge_all();
  flows_.put_down();
  source_.flush();
}

void PacketLoop::arm(std::uint32_t index) noexcept {
  wheel_.set(index, deadline_of(*flows_[index]));
}

/// A changed idle time holds from the next refresh on (cisco-ios 3.5).
void PacketLoop::refresh(Flow& flow) const noexcept {
  flow.last_heard_ms = now_ms_;
  flow.idle_ms = flow.idle_ordered_ms != 0 ? flow.idle_ordered_ms
                                           : static_cast<std::uint32_t>(options_.idle_ms);
}

std::int64_t PacketLoop::deadline_of(const Flow& flow) const noexcept {
  if (flow.stage == FlowStage::dead) return flow.closing_since_ms + flow.finwait_ms;
  if (flow.stage == FlowStage::refusing) {
    const Refusal& refusal = *flow.refusal;
    if (!refusal.spoken && refusal.interrupt_ms != 0)
      return std::min(refusal.interrupt_ms, refusal.give_up_ms);
    const bool waits = refusal.spoken && !refusal.acknowledged;
    return waits ? std::min(refusal.next_send_ms, refusal.give_up_ms) : refusal.give_up_ms;
  }
  std::int64_t deadline = flow.last_heard_ms + flow.idle_ms;
  // finwait runs from the exchange of FINs (cisco-ios 3.5); half-closed, the idle time holds.
  const bool both = flow.sides[0].fin_forwarded && flow.sides[1].fin_forwarded;
  if (both) deadline = std::min(deadline, flow.closing_since_ms + flow.finwait_ms);
  if (flow.early_since_ms != 0) {
    const std::int64_t times = flow.early_retried ? 2 : 1;
    deadline = std::min(deadline, flow.early_since_ms + times * options_.reassembly_timeout_ms);
  }
  if (flow.held_since_ms != 0) deadline = std::min(deadline, flow.held_since_ms + options_.held_ms);
  return deadline;
}

void PacketLoop::on_timer(std::uint32_t index) noexcept {
  Flow& flow = *flows_[index];
  if (now_ms_ < deadline_of(flow)) {
    arm(index);
    return;
  }
  switch (flow.stage) {
    case FlowStage::dead:
      forget_flow(index);
      return;
    case FlowStage::refusing:
      on_refusal_timer(index);
      return;
    case FlowStage::open:
    case FlowStage::closing:
      break;
  }
  if (flow.sides[0].fin_forwarded && flow.sides[1].fin_forwarded) {
    on_finwait(index);
  } else if (now_ms_ >= flow.last_heard_ms + flow.idle_ms) {
    on_idle(index);
  } else if (flow.held_since_ms != 0 && now_ms_ >= flow.held_since_ms + options_.held_ms) {
    refuse_with_reset(index, EndReason::held_too_long);
  } else {
    on_gap(index);
  }
}

/// cisco-ios 3.6: the first expiry keeps the queue, the second deletes the session.
void PacketLoop::on_gap(std::uint32_t index) noexcept {
  Flow& flow = *flows_[index];
  const Side side = flow.side(Side::initiator).early.empty() ? Side::responder : Side::initiator;
  alarm(index, side, flow.early_retried ? ReassemblyAlarm::deleted : ReassemblyAlarm::expired);
  if (flow.early_retried) {
    refuse_with_reset(index, EndReason::reassembly_timeout);
    return;
  }
  flow.early_retried = true;
  arm(index);
}

/// Both FINs went through and finwait is over. Where the last acknowledgement never came one end
/// still waits: RST, so that nothing is left behind. An offloaded flow's acknowledgements are not
/// seen here; conntrack looks after it.
void PacketLoop::on_finwait(std::uint32_t index) noexcept {
  const Flow& flow = *flows_[index];
  if (flow.loose || flow.tracker.over()) {
    forget_flow(index);
  } else {
    expire(index, EndReason::finwait_timeout, options_.half_close_reset);
  }
}

/// The end by a timer: with RST to both ends, or in silence (cisco-ios 3.5, the `reset off` forms).
void PacketLoop::expire(std::uint32_t index, EndReason reason, bool with_reset) noexcept {
  if (with_reset) {
    refuse_with_reset(index, reason);
    return;
  }
  tell_closed(index, reason);
  forget_flow(index);
}

/// An offloaded flow looks idle to us whatever it carries: the kernel, which forwards it, has the
/// last word.
void PacketLoop::on_idle(std::uint32_t index) noexcept {
  Flow& flow = *flows_[index];
  if (!flow.loose) {
    expire(index, EndReason::idle_timeout, options_.idle_reset);
    return;
  }
  const FlowKey& key = table_.key(index);
  if (sender_.tracked(key.initiator, key.responder)) {
    refresh(flow);
    arm(index);
    return;
  }
  tell_closed(index, EndReason::closed);
  forget_flow(index);
}

void PacketLoop::on_refusal_timer(std::uint32_t index) noexcept {
  Flow& flow = *flows_[index];
  // Whoever falls silent inside a message is told all the same before it is given up.
  if (!flow.refusal->spoken || now_ms_ < flow.refusal->give_up_ms) {
    speak(index);
    return;
  }
  SegmentSpec reset = segment_from(index, Side::responder);
  const auto said = static_cast<std::uint32_t>(flow.refusal->words.size()) + 1;
  reset.sequence = flow.refusal->send_sequence + (flow.refusal->spoken ? said : 0U);
  reset.acknowledgement = flow.refusal->receive_next;
  reset.flags = kRst | kAck;
  reset.timestamps.reset();
  inject(reset);
  forget_flow(index);
}

std::uint64_t* PacketLoop::gauge_of(FlowStage stage) noexcept {
  switch (stage) {
    case FlowStage::open:
      return &counters_[Counter::flows_established];
    case FlowStage::closing:
    case FlowStage::refusing:
    case FlowStage::dead:
      return &counters_[Counter::flows_terminating];
  }
  return &counters_[Counter::flows_terminating];
}

void PacketLoop::set_stage(Flow& flow, FlowStage stage) noexcept {
  if (stage == FlowStage::closing || stage == FlowStage::dead) flow.closing_since_ms = now_ms_;
  --*gauge_of(flow.stage);
  flow.stage = stage;
  ++*gauge_of(stage);
  counters_.note_peak(Counter::flows_established, Counter::max_established);
  counters_.note_peak(Counter::flows_terminating, Counter::max_terminating);
}

/// A FIN went on to its receiver. finwait runs from the second one (cisco-ios 3.5): a session may
/// be half closed for as long as it likes.
void PacketLoop::note_fin(Flow& flow, Side from) noexcept {
  FlowSide& side = flow.side(from);
  if (side.fin_forwarded) return;
  side.fin_forwarded = true;
  flow.closing_since_ms = now_ms_;
  if (flow.stage == FlowStage::open) set_stage(flow, FlowStage::closing);
}

/// Tells the judge, once, that a flow it was told of is over.
void PacketLoop::tell_closed(std::uint32_t index, EndReason reason) noexcept {
  Flow& flow = *flows_[index];
  if (flow.needs_announcement) flow.needs_announcement = false;
  if (!flow.announced) return;
  flow.announced = false;
  closed_.push_back({index, table_.generation(index), flow.bytes, reason});
}

/// The session is over; its record stays for finwait, to answer what still comes.
void PacketLoop::end_flow(std::uint32_t index, EndReason reason) noexcept {
  Flow& flow = *flows_[index];
  drop_waiting(flow);
  drop_content(flow);
  tell_closed(index, reason);
  for (FlowSide& side : flow.sides) {
    drop_hello(side);
    side.store.release(pool_);
  }
  set_stage(flow, FlowStage::dead);
  arm(index);
}

void PacketLoop::forget_flow(std::uint32_t index) noexcept {
  Flow& flow = *flows_[index];
  tell_closed(index, EndReason::closed);
  drop_waiting(flow);
  drop_content(flow);
  for (FlowSide& side : flow.sides) {
    drop_hello(side);
    side.store.release(pool_);
  }
  --*gauge_of(flow.stage);
  wheel_.cancel(index);
  flows_.remove(index);
  table_.erase(index);
}

}  // namespace postern
