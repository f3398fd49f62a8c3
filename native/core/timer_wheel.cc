#include "core/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace postern {
namespace {

constexpr std::uint32_t kSlotMask = kTimerWheelSlots - 1;
constexpr std::size_t kWords = kTimerWheelSlots / 64;
static_assert(std::has_single_bit(kTimerWheelSlots) && kTimerWheelSlots >= 64);

std::uint32_t slot_of(std::int64_t tick) noexcept {
  return static_cast<std::uint32_t>(tick) & kSlotMask;
}

}  // namespace

TimerWheel::TimerWheel(std::size_t capacity, std::int64_t granularity_ms) noexcept
    : granularity_ms_(std::max<std::int64_t>(granularity_ms, 1)),
      timers_(capacity),
      heads_(kTimerWheelSlots + 1),
      used_slots_(kWords) {
  if (!heads_.ok() || !used_slots_.ok()) timers_ = ZeroedArray<Timer>(0);
}

void TimerWheel::link(std::uint32_t flow, std::uint32_t list) noexcept {
  Timer& timer = timers_[flow];
  timer.next = heads_[list];
  timer.previous = 0;
  timer.list = list + 1;
  if (timer.next != 0) timers_[timer.next - 1].previous = flow + 1;
  heads_[list] = flow + 1;
  if (list < kTimerWheelSlots) used_slots_[list / 64] |= std::uint64_t{1} << (list % 64);
}

void TimerWheel::unlink(std::uint32_t flow) noexcept {
  Timer& timer = timers_[flow];
  const std::uint32_t list = timer.list - 1;
  if (timer.next != 0) timers_[timer.next - 1].previous = timer.previous;
  if (timer.previous != 0) {
    timers_[timer.previous - 1].next = timer.next;
  } else {
    heads_[list] = timer.next;
    if (timer.next == 0 && list < kTimerWheelSlots) {
      used_slots_[list / 64] &= ~(std::uint64_t{1} << (list % 64));
    }
  }
  timer.list = 0;
}

/// The tick at whose start the deadline has passed, brought into the turn ahead. The slot of the
/// present tick stays empty, so a slot always stands for one tick only.
std::int64_t TimerWheel::tick_for(std::int64_t deadline_ms) const noexcept {
  const std::int64_t deadline = std::max<std::int64_t>(deadline_ms, 0);
  const std::int64_t tick = deadline / granularity_ms_ + (deadline % granularity_ms_ != 0 ? 1 : 0);
  return std::clamp<std::int64_t>(tick, tick_ + 1, tick_ + kTimerWheelSlots - 1);
}

void TimerWheel::set(std::uint32_t flow, std::int64_t deadline_ms) noexcept {
  assert(flow < timers_.size() || timers_.size() == 0);
  if (flow >= timers_.size()) return;
  Timer& timer = timers_[flow];
  // After the last advance: so a callback that sets a past deadline cannot keep advance() busy.
  timer.deadline_ms = std::clamp<std::int64_t>(deadline_ms, now_ms_ + 1, kNever - 1);
  const std::uint32_t slot = slot_of(tick_for(timer.deadline_ms));
  if (timer.list == 0) {
    ++size_;
    link(flow, slot);
    return;
  }
  // On the due list the deadline is looked at anyway, and so it is in a slot that comes up sooner.
  if (timer.list == kDueList + 1) return;
  const std::uint32_t present = slot_of(tick_);
  if (((timer.list - 1 - present) & kSlotMask) <= ((slot - present) & kSlotMask)) return;
  unlink(flow);
  link(flow, slot);
}

void TimerWheel::cancel(std::uint32_t flow) noexcept {
  if (!armed(flow)) return;
  unlink(flow);
  --size_;
}

bool TimerWheel::armed(std::uint32_t flow) const noexcept {
  return flow < timers_.size() && timers_[flow].list != 0;
}

std::int64_t TimerWheel::deadline_ms(std::uint32_t flow) const noexcept {
  return armed(flow) ? timers_[flow].deadline_ms : kNever;
}

void TimerWheel::start_advance(std::int64_t now_ms) noexcept {
  if (now_ms <= now_ms_) return;
  now_ms_ = now_ms;
  target_tick_ = now_ms / granularity_ms_;
  // After a pause longer than a turn every slot comes up once; which tick it stood for is then
  // without meaning, because all of them have passed.
  tick_ = std::max<std::int64_t>(tick_, target_tick_ - kTimerWheelSlots);
}

void TimerWheel::move_slot_to_due(std::uint32_t slot) noexcept {
  while (heads_[slot] != 0) {
    const std::uint32_t flow = heads_[slot] - 1;
    unlink(flow);
    link(flow, kDueList);
  }
}

std::uint32_t TimerWheel::next_expired() noexcept {
  if (size_ == 0) {
    tick_ = std::max(tick_, target_tick_);
    return kNoTimer;
  }
  for (;;) {
    while (heads_[kDueList] != 0) {
      const std::uint32_t flow = heads_[kDueList] - 1;
      unlink(flow);
      if (timers_[flow].deadline_ms <= now_ms_) {
        --size_;
        return flow;
      }
      link(flow, slot_of(tick_for(timers_[flow].deadline_ms)));
    }
    if (tick_ >= target_tick_) return kNoTimer;
    tick_ = std::min<std::int64_t>(tick_ + slots_to_next_used(), target_tick_);
    move_slot_to_due(slot_of(tick_));
  }
}

/// How many ticks ahead the next slot with a timer in it is; a whole turn when there is none.
std::uint32_t TimerWheel::slots_to_next_used() const noexcept {
  const std::uint32_t first = (slot_of(tick_) + 1) & kSlotMask;
  std::uint64_t bits = used_slots_[first / 64] & (~std::uint64_t{0} << (first % 64));
  for (std::size_t i = 0; i <= kWords; ++i) {
    const std::size_t word = (first / 64 + i) % kWords;
    if (i != 0) bits = used_slots_[word];
    if (bits == 0) continue;
    const auto slot =
        static_cast<std::uint32_t>(word * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
    return ((slot - first) & kSlotMask) + 1;
  }
  return kTimerWheelSlots;
}

std::int64_t TimerWheel::next_deadline_hint_ms(std::int64_t now_ms) const noexcept {
  if (size_ == 0) return kNever;
  const std::int64_t due_ms = (tick_ + slots_to_next_used()) * granularity_ms_;
  return std::max(due_ms, now_ms);
}

}  // namespace postern
