#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/zeroed_array.h"

namespace postern {

/// Slots of a wheel; a deadline further away than all of them is looked at once a turn.
inline constexpr std::uint32_t kTimerWheelSlots = 4'096;

/// One timer a flow. Setting, cancelling and expiring take constant time, and moving a deadline
/// later, which every packet of a flow does, only stores it: the timer is moved when its old slot
/// comes up. A timer never fires early and at most one granularity late (as far as advance() is
/// called). Times are milliseconds of any clock that starts at 0 or later.
class TimerWheel {
 public:
  static constexpr std::uint32_t kNoTimer = 0xFFFF'FFFFU;
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  /// Capacity 0 stands when the memory was refused; set() and cancel() then do nothing.
  TimerWheel(std::size_t capacity, std::int64_t granularity_ms) noexcept;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// Arms the flow's timer, or moves it. A deadline that has passed fires at the next advance().
  void set(std::uint32_t flow, std::int64_t deadline_ms) noexcept;
  void cancel(std::uint32_t flow) noexcept;
  [[nodiscard]] bool armed(std::uint32_t flow) const noexcept;
  [[nodiscard]] std::int64_t deadline_ms(std::uint32_t flow) const noexcept;  ///< kNever: not armed

  /// Calls expired(flow) for each timer whose deadline has passed; the timer is unarmed before.
  /// `expired` may set and cancel any timer; what it sets fires at a later advance() at the
  /// earliest. A clock that went backwards expires nothing.
  template <typename Expired>
  void advance(std::int64_t now_ms, Expired&& expired) {
    start_advance(now_ms);
    for (std::uint32_t flow = next_expired(); flow != kNoTimer; flow = next_expired()) {
      expired(flow);
    }
  }

  /// When advance() is worth calling next: never later than one granularity after the earliest
  /// deadline, maybe earlier. kNever when no timer is armed, `now_ms` when it is due.
  [[nodiscard]] std::int64_t next_deadline_hint_ms(std::int64_t now_ms) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return timers_.size(); }

 private:
  /// Links hold an index plus one, `list` a list's number plus one: zeroed memory means "unarmed".
  struct Timer {
    std::int64_t deadline_ms;
    std::uint32_t next;
    std::uint32_t previous;
    std::uint32_t list;
  };
  /// Behind the slots: the timers of the tick being worked on.
  static constexpr std::uint32_t kDueList = kTimerWheelSlots;

  void start_advance(std::int64_t now_ms) noexcept;
  [[nodiscard]] std::uint32_t next_expired() noexcept;
  void link(std::uint32_t flow, std::uint32_t list) noexcept;
  void unlink(std::uint32_t flow) noexcept;
  void move_slot_to_due(std::uint32_t slot) noexcept;
  [[nodiscard]] std::int64_t tick_for(std::int64_t deadline_ms) const noexcept;
  [[nodiscard]] std::uint32_t slots_to_next_used() const noexcept;

  std::int64_t granularity_ms_;
  std::int64_t tick_ = 0;         ///< the slot of this tick and all before it are done
  std::int64_t target_tick_ = 0;  ///< where the advance under way ends
  std::int64_t now_ms_ = -1;      ///< of the last advance
  std::size_t size_ = 0;
  ZeroedArray<Timer> timers_;
  ZeroedArray<std::uint32_t> heads_;
  ZeroedArray<std::uint64_t> used_slots_;
};

}  // namespace postern
