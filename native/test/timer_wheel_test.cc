#include "core/timer_wheel.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <vector>

using namespace postern;

namespace {

std::vector<std::uint32_t> expired_at(TimerWheel& wheel, std::int64_t now_ms) {
  std::vector<std::uint32_t> expired;
  wheel.advance(now_ms, [&](std::uint32_t flow) { expired.push_back(flow); });
  return expired;
}

using Flows = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("timer wheel: fires not early, and at most one granularity late") {
  TimerWheel wheel(4, 10);
  wheel.set(1, 1'005);
  CHECK(wheel.armed(1));
  CHECK(wheel.deadline_ms(1) == 1'005);
  CHECK(expired_at(wheel, 1'004).empty());
  CHECK(expired_at(wheel, 1'015) == Flows{1});
  CHECK_FALSE(wheel.armed(1));
  CHECK(expired_at(wheel, 2'000).empty());
}

TEST_CASE("timer wheel: a deadline may be moved later, earlier and away") {
  TimerWheel wheel(4, 10);
  wheel.set(0, 100);
  wheel.set(0, 500);
  CHECK(expired_at(wheel, 300).empty());
  wheel.set(0, 350);
  CHECK(expired_at(wheel, 350) == Flows{0});
  wheel.set(2, 400);
  wheel.cancel(2);
  wheel.cancel(2);
  wheel.cancel(3);
  CHECK(expired_at(wheel, 1'000).empty());
  CHECK(wheel.size() == 0);
}

TEST_CASE("timer wheel: deadlines beyond its span are kept") {
  TimerWheel wheel(2, 10);
  const std::int64_t hour_ms = 3'600'000;
  expired_at(wheel, 5'000);
  wheel.set(0, 5'000 + hour_ms);
  wheel.set(1, 5'000 + 24 * hour_ms);
  Flows expired;
  std::int64_t now_ms = 5'000;
  while (expired.empty()) expired = expired_at(wheel, now_ms += 250);
  CHECK(expired == Flows{0});
  CHECK(now_ms >= 5'000 + hour_ms);
  CHECK(now_ms < 5'000 + hour_ms + 300);
  CHECK(expired_at(wheel, 5'000 + 24 * hour_ms - 1).empty());
  CHECK(expired_at(wheel, 5'000 + 24 * hour_ms + 10) == Flows{1});
}

TEST_CASE("timer wheel: a long pause expires all that is due and nothing else") {
  TimerWheel wheel(200, 10);
  for (std::uint32_t flow = 0; flow < 200; ++flow) wheel.set(flow, 1'000 * (flow + 1));
  CHECK(expired_at(wheel, 150'000).size() == 150);
  CHECK(wheel.size() == 50);
  CHECK(expired_at(wheel, 149'000).empty());
  CHECK(expired_at(wheel, 1'000'000'000).size() == 50);
}

TEST_CASE("timer wheel: a deadline that has passed fires at the next advance") {
  TimerWheel wheel(2, 10);
  expired_at(wheel, 1'000);
  wheel.set(0, -5);
  wheel.set(1, 900);
  CHECK(expired_at(wheel, 1'020).size() == 2);
}

TEST_CASE("timer wheel: what expires may set and cancel any timer") {
  TimerWheel wheel(4, 10);
  for (std::uint32_t flow = 0; flow < 4; ++flow) wheel.set(flow, 100);
  int calls = 0;
  wheel.advance(50'000, [&](std::uint32_t flow) {
    ++calls;
    wheel.set(flow, 0);  // at once, yet not in this advance
    for (std::uint32_t another = 0; another < 4; ++another) {
      if (another != flow) wheel.cancel(another);
    }
  });
  CHECK(calls == 1);
  CHECK(wheel.size() == 1);
  CHECK(expired_at(wheel, 50'020).size() == 1);
}

TEST_CASE("timer wheel: says when it wants to be called") {
  TimerWheel wheel(3, 10);
  CHECK(wheel.next_deadline_hint_ms(77) == TimerWheel::kNever);
  expired_at(wheel, 1'000);
  wheel.set(0, 1'500);
  CHECK(wheel.next_deadline_hint_ms(1'000) == 1'500);
  wheel.set(1, 1'203);
  CHECK(wheel.next_deadline_hint_ms(1'000) == 1'210);
  CHECK(wheel.next_deadline_hint_ms(9'000) == 9'000);
  wheel.set(2, 1'000 + 3'600'000);
  wheel.cancel(0);
  wheel.cancel(1);
  const std::int64_t hint_ms = wheel.next_deadline_hint_ms(1'000);
  CHECK(hint_ms > 1'000);
  CHECK(hint_ms <= 3'601'010);
}

TEST_CASE("timer wheel: without memory or out of range nothing happens") {
  TimerWheel wheel(0, 0);
  wheel.set(0, 5);
  wheel.cancel(0);
  CHECK_FALSE(wheel.armed(0));
  CHECK(expired_at(wheel, 100).empty());
}

TEST_CASE("timer wheel: any sequence of steps agrees with a sorted list of deadlines") {
  for (const std::int64_t granularity_ms : {1, 10, 100}) {
    TimerWheel wheel(64, granularity_ms);
    std::map<std::uint32_t, std::int64_t> model;
    std::mt19937 random(7);
    std::int64_t now_ms = 1'000'000'000;
    expired_at(wheel, now_ms);
    for (int i = 0; i < 15'000; ++i) {
      const auto flow = static_cast<std::uint32_t>(random() % 64);
      const auto what = static_cast<std::uint32_t>(random() % 16);
      if (what < 9) {
        const std::int64_t span_ms = random() % 8 == 0 ? 900'000 : 2'000;
        model[flow] = now_ms + 1 + static_cast<std::int64_t>(random()) % span_ms;
        wheel.set(flow, model[flow]);
      } else if (what < 11) {
        wheel.cancel(flow);
        model.erase(flow);
      } else {
        const std::int64_t hint_ms = wheel.next_deadline_hint_ms(now_ms);
        for (const auto& [other, deadline_ms] : model) {
          REQUIRE(hint_ms < deadline_ms + granularity_ms);
        }
        now_ms += random() % 200 == 0 ? 600'000 : static_cast<std::int64_t>(random() % 40);
        wheel.advance(now_ms, [&](std::uint32_t fired) {
          REQUIRE(model.count(fired) == 1);
          REQUIRE(model[fired] <= now_ms);
          model.erase(fired);
        });
        for (const auto& [other, deadline_ms] : model) {
          REQUIRE(deadline_ms > now_ms - granularity_ms);
          REQUIRE(wheel.deadline_ms(other) == deadline_ms);
        }
      }
      REQUIRE(wheel.size() == model.size());
    }
  }
}

TEST_CASE("timer wheel: after a long pause every slot comes up") {
  TimerWheel wheel(kTimerWheelSlots, 10);
  std::int64_t now_ms = 0;
  for (const std::int64_t pause_ms : {41'000, 1'000'000, 1'234'567'890}) {
    for (std::uint32_t flow = 0; flow < kTimerWheelSlots; ++flow) {
      wheel.set(flow, now_ms + 1 + 10 * static_cast<std::int64_t>(flow));
    }
    now_ms += pause_ms;
    CHECK(expired_at(wheel, now_ms).size() == kTimerWheelSlots);
  }
}
