#include "io/thread_pulse.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

using namespace postern;

namespace {

void wait_ms(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

}  // namespace

TEST_CASE("a thread that sleeps ages by the clock, one that turns in a circle by its own time") {
  ThreadPulse pulse;
  CHECK(pulse.age_ms() == 0);
  std::atomic<int> step{0};
  std::thread thread([&] {
    pulse.beat();
    step = 1;
    while (step == 1) wait_ms(5);
    pulse.beat();
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (step == 2 && std::chrono::steady_clock::now() < until) {
    }
  });
  while (step == 0) wait_ms(1);
  wait_ms(700);
  CHECK(pulse.age_ms() >= 690);

  step = 2;
  // However little of the processor it gets on a busy machine, it gets so much in the end.
  for (int i = 0; i < 180 && pulse.age_ms() < 600; ++i) wait_ms(100);
  CHECK(pulse.age_ms() >= 600);
  step = 3;
  thread.join();
}

TEST_CASE("a thread that comes round is young") {
  ThreadPulse pulse;
  for (int i = 0; i < 3; ++i) {
    pulse.beat();
    CHECK(pulse.age_ms() < 500);
  }
}
