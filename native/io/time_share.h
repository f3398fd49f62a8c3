#pragma once

#include <algorithm>
#include <cstdint>

namespace postern {

/// Lets something dear happen for a part of the time: one microsecond in `one_in`, and after a rest
/// as much at once as `burst_us` earns. Times in microseconds of a clock that is never set back.
class TimeShare {
 public:
  TimeShare(std::int64_t one_in, std::int64_t burst_us) noexcept
      : one_in_(one_in), burst_us_(burst_us) {}

  [[nodiscard]] bool may_begin(std::int64_t now_us) const noexcept {
    return now_us >= paid_until_us_ - burst_us_;
  }
  /// It has happened, from `began_us` to `ended_us`.
  void spend(std::int64_t began_us, std::int64_t ended_us) noexcept {
    paid_until_us_ = std::max(paid_until_us_, began_us) + (ended_us - began_us) * one_in_;
  }

 private:
  std::int64_t one_in_;
  std::int64_t burst_us_;
  std::int64_t paid_until_us_ = 0;
};

}  // namespace postern
