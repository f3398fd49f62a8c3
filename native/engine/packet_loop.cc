#include "engine/packet_loop.h"

#include "engine/random_key.h"

namespace postern {

namespace {

constexpr std::int64_t kTimerGranularityMs = 50;

/// What a gate counts of connections. What became of packets, the loop counts itself.
constexpr std::array kHalfOpenCounters{
    Counter::flows_created,      Counter::flows_half_open,   Counter::max_half_open,
    Counter::half_open_answered, Counter::half_open_evicted, Counter::half_open_expired,
    Counter::half_open_reset,
};

}  // namespace

PacketLoop::PacketLoop(PacketSource& source, SegmentSender& sender, const LoopRoom& room)
    : source_(source),
      sender_(sender),
      gate_(room.gate),
      gate_is_shared_(room.gate != nullptr),
      resets_(sender),
      held_max_(room.held_max),
      table_(room.flows_max, random_key()),
      wheel_(room.flows_max, kTimerGranularityMs),
      pool_(room.chunks_max),
      flows_(room.flows_max, pool_),
      datagrams_({source, sender, counters_, writer_}, room.flows_max, random_key()),
      received_(kPacketsPerTurnMax),
      hands_(kPacketsPerTurnMax),
      scratch_(kPacketBytesMax + 1) {
  if (!gate_is_shared_) gate_ = std::make_shared<Gate>(room.flows_max, room.flows_max);
  datagrams_.share(gate_.get());
}

PacketLoop::~PacketLoop() = default;

void PacketLoop::configure(const LoopOptions& options) {
  options_ = options;
  datagrams_.configure(options);
  if (gate_is_shared_) return;
  GateLimits limits;
  limits.synwait_ms = options.synwait_ms;
  limits.window_scale_loose = options.window_scale_loose;
  gate_->configure(limits);
}

Counters PacketLoop::counters() const noexcept {
  Counters counted = counters_;
  if (gate_is_shared_) return counted;
  const Counters half_open = gate_->counters();
  for (const Counter counter : kHalfOpenCounters) counted[counter] += half_open[counter];
  return counted;
}

std::int64_t PacketLoop::next_timer_ms() const noexcept {
  const std::int64_t flows =
      std::min(wheel_.next_deadline_hint_ms(now_ms_), datagrams_.next_timer_ms(now_ms_));
  return gate_is_shared_ ? flows : std::min(flows, gate_->next_expiry_ms());
}

void PacketLoop::attach(const SharedBuffers& buffers, Judge* judge) noexcept {
  buffers_ = buffers;
  judge_ = judge;
  writer_ = EventWriter(buffers.events, buffers.arena);
  writer_.start(now_ms_);
}

ReceiveStatus PacketLoop::turn(std::int64_t now_ms) noexcept {
  std::size_t count = 0;
  const ReceiveStatus status =
      source_.receive(std::span(received_).first(packets_per_turn_), count);
  turn_was_full_ = count == packets_per_turn_;
  if (status == ReceiveStatus::overrun) ++counters_[Counter::overruns];
  now_ms_ = now_ms;
  if (count > 0 && received_[0].time_ms > 0) advance_time(received_[0].time_ms);

  writer_.start(now_ms_);
  hands_count_ = count;
  for (std::size_t i = 0; i < count; ++i) {
    hands_[i].received = received_[i];
    hands_[i].waiting = false;
    begin(hands_[i]);
  }
  judge_all();
  // Packets whose flow ended, or could not be judged, before it asked for them.
  for (std::size_t i = 0; i < count; ++i) {
    if (!hands_[i].waiting) continue;
    hands_[i].waiting = false;
    admit(hands_[i]);
    judge_all();
  }
  keep_in_hand();
  flows_.put_down();
  source_.flush();
  return status;
}

bool PacketLoop::apply_orders(std::span<const std::uint32_t> words) noexcept {
  OrderReader reader(words);
  Order order;
  bool good = true;
  while (reader.next(order)) {
    good = carry_out(order) && good;
    if (table_.used(order.flow)) settle(order.flow);
  }
  judge_all();
  flows_.put_down();
  source_.flush();
  return good && !reader.broken();
}

void PacketLoop::shut_down() noexcept {
  for (std::uint32_t index = table_.next_used(0); index != kNoFlow;
       index = table_.next_used(index + 1)) {
    drop_waiting(*flows_[index]);
    tell_closed(index, EndReason::shutdown);
    forget_flow(index);
  }
  datagrams_.shut_down();
  clear_half_open();
  source_.flush();
}

void PacketLoop::abandon_sessions() noexcept {
  datagrams_.abandon(options_.fail_open);
  active_.clear();
  touched_.clear();
  hands_count_ = 0;
  for (std::uint32_t index = table_.next_used(0); index != kNoFlow;
       index = table_.next_used(index + 1)) {
    Flow& flow = *flows_[index];
    flow.busy = false;
    if (!flow.announced && !flow.needs_announcement) continue;
    flow.announced = false;
    flow.needs_announcement = false;
    if (options_.fail_open) {
      flow.midstream = true;
      for (FlowSide& side : flow.sides) side.paused = false;
      order_stop(flow, 3);
      settle(index);
    } else {
      refuse_with_reset(index, EndReason::worker_restarted);
    }
    flows_.put_down();
  }
  source_.flush();
}

}  // namespace postern
