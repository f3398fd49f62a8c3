#include "core/dot_unstuffing.h"

#include "core/bytes.h"
#include "core/line_search.h"

namespace postern {

DotUnstuffing::Step DotUnstuffing::next(std::span<const std::byte> octets) noexcept {
  switch (state_) {
    case State::text:
      break;
    case State::line_start:
      if (octets.front() == kDot) {
        state_ = State::dot;
        return {.taken = 1, .content = {}};
      }
      break;
    case State::loose_start:
      if (octets.front() == kDot) {
        state_ = State::text;
        after_cr_ = false;
        return {.taken = 1, .content = {}};
      }
      break;
    case State::dot:
      if (octets.front() == kCr) {
        state_ = State::dot_cr;
        return {.taken = 1, .content = {}};
      }
      break;
    case State::dot_cr:
      if (octets.front() == kLf) {
        state_ = State::ended;
        return {.taken = 1, .content = {}};
      }
      state_ = State::text;
      after_cr_ = true;
      return {.taken = 0, .content = std::span(&kCr, 1)};
    case State::ended:
      return {.taken = octets.size(), .content = {}};
  }
  if (state_ != State::text) after_cr_ = false;
  state_ = State::text;
  return next_of_text(octets);
}

DotUnstuffing::Step DotUnstuffing::next_of_text(std::span<const std::byte> octets) noexcept {
  std::size_t at = 0;
  while (true) {
    // Lines that do not begin with a dot are passed over.
    const std::size_t lf = find_lf_before(octets, at, kDot);
    if (lf == octets.size()) {
      after_cr_ = octets.back() == kCr;
      return {.taken = octets.size(), .content = octets};
    }
    const bool crlf = lf > 0 ? octets[lf - 1] == kCr : after_cr_;
    after_cr_ = false;
    at = lf + 1;
    if (at == octets.size() || octets[at] == kDot) {
      state_ = crlf ? State::line_start : State::loose_start;
      return {.taken = at, .content = octets.first(at)};
    }
  }
}

}  // namespace postern
