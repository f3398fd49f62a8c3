#include "io/time_share.h"

#include <doctest/doctest.h>

using namespace postern;

namespace {

constexpr std::int64_t kCostUs = 40'000;
constexpr std::int64_t kMsUs = 1'000;

/// How many of `tries`, one every `gap_us`, may happen.
int allowed(TimeShare& share, int tries, std::int64_t gap_us) {
  int count = 0;
  std::int64_t now_us = 1'000'000'000;
  for (int i = 0; i < tries; ++i, now_us += gap_us) {
    if (!share.may_begin(now_us)) continue;
    share.spend(now_us, now_us + kCostUs);
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("what stays within its share is never kept waiting") {
  TimeShare share(10, 5'000 * kMsUs);
  CHECK(allowed(share, 1'000, 400 * kMsUs) == 1'000);
}

TEST_CASE("after a rest a few come at once") {
  TimeShare share(10, 5'000 * kMsUs);
  // 40 ms cost 400 ms; the thirteenth finds 4.8 s spent in advance, the fourteenth 5.2.
  CHECK(allowed(share, 100, 0) == 13);
}

TEST_CASE("what never rests gets its share and no more") {
  TimeShare share(10, 5'000 * kMsUs);
  const int tries = 100'000;
  const std::int64_t gap_us = kMsUs;
  const int count = allowed(share, tries, gap_us);
  const std::int64_t spent_us = count * kCostUs;
  CHECK(spent_us <= tries * gap_us / 10 + 14 * kCostUs);
  CHECK(spent_us >= tries * gap_us / 10 - kCostUs);
}
