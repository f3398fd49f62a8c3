#include "core/half_open_table.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "core/limits.h"
#include "half_open_script.h"

using namespace postern;
using namespace postern::test;

namespace {

constexpr HashKey kKey{.low = 1, .high = 2};

std::vector<std::uint32_t> in_order_of_age(const HalfOpenTable& table) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t index = table.oldest(); index != kNoEntry; index = table.younger(index)) {
    order.push_back(index);
  }
  return order;
}

std::size_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  unsigned long size = 0;
  unsigned long resident = 0;
  const int read = std::fscanf(file, "%lu %lu", &size, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

TEST_CASE("an entry is found from both ends and by nobody else") {
  for (const bool v6 : {false, true}) {
    CAPTURE(v6);
    HalfOpenTable table(8, 8, kKey);
    const FlowKey ends = ends_of(7, 1, v6);
    const std::uint32_t index = table.insert(entry_of(ends, 12'340));
    REQUIRE(index != kNoEntry);
    CHECK(table.find(ends.initiator, ends.responder) == index);
    CHECK(table.find(ends.responder, ends.initiator) == index);
    const FlowKey other_client = ends_of(8, 1, v6);
    const FlowKey other_server = ends_of(7, 2, v6);
    CHECK(table.find(other_client.initiator, ends.responder) == kNoEntry);
    CHECK(table.find(ends.initiator, other_server.responder) == kNoEntry);
    Endpoint other_port = ends.responder;
    ++other_port.port;
    CHECK(table.find(ends.initiator, other_port) == kNoEntry);
    const FlowKey other_version = ends_of(7, 1, !v6);
    CHECK(table.find(other_version.initiator, other_version.responder) == kNoEntry);
  }
}

TEST_CASE("what a handshake said comes back, the MSS rounded down, a shift above 14 as 14") {
  HalfOpenTable table(8, 8, kKey);
  HalfOpen entry = entry_of(ends_of(1), 98'765);
  entry.initiator_sequence = 0xFFFF'FFFF;
  entry.initiator_window = 65'535;
  entry.initiator_mss = 1'460;
  entry.initiator_window_scale = 200;
  entry.initiator_timestamps = true;
  const std::uint32_t index = table.insert(entry);
  HalfOpen found = table.get(index);
  CHECK(found.index == index);
  CHECK(found.key == entry.key);
  CHECK(found.created_ms == 98'760);
  CHECK(found.initiator_sequence == 0xFFFF'FFFF);
  CHECK(found.initiator_window == 65'535);
  CHECK(found.initiator_mss == 1'408);
  CHECK(found.initiator_window_scale == 14);
  CHECK(found.initiator_timestamps);
  CHECK_FALSE(found.responder_timestamps);
  CHECK_FALSE(found.answered);
  CHECK_FALSE(found.responder_window_scale.has_value());

  found.answered = true;
  found.responder_sequence = 77;
  found.responder_window = 9;
  found.responder_mss = 65'535;
  found.responder_window_scale = 0;
  found.responder_timestamps = true;
  table.update(index, found);
  const HalfOpen answered = table.get(index);
  CHECK(answered.answered);
  CHECK(answered.responder_sequence == 77);
  CHECK(answered.responder_window == 9);
  CHECK(answered.responder_mss == 16'320);
  CHECK(answered.responder_window_scale == 0);
  CHECK(answered.initiator_window_scale == 14);
  CHECK(answered.generation == found.generation);
}

TEST_CASE("entries stand in the order of their age, over all and for each host") {
  HalfOpenTable table(16, 16, kKey);
  std::vector<std::uint32_t> made;
  for (std::uint32_t i = 0; i < 6; ++i) {
    made.push_back(table.insert(entry_of(ends_of(i, i % 2), i * 100)));
  }
  CHECK(in_order_of_age(table) == made);
  const std::uint32_t even = table.host_of(made[0]);
  const std::uint32_t odd = table.host_of(made[1]);
  CHECK(even != odd);
  CHECK(table.hosts() == 2);
  CHECK(table.host_entries(even) == 3);
  CHECK(table.oldest_of_host(even) == made[0]);
  CHECK(table.oldest_of_host(odd) == made[1]);

  SUBCASE("one from the middle leaves") {
    table.erase(made[2]);
    CHECK(in_order_of_age(table) ==
          std::vector<std::uint32_t>{made[0], made[1], made[3], made[4], made[5]});
    table.erase(made[0]);
    CHECK(table.oldest_of_host(even) == made[4]);
    CHECK(table.oldest() == made[1]);
  }
  SUBCASE("the newest leaves, and another comes") {
    table.erase(made[5]);
    const std::uint32_t next = table.insert(entry_of(ends_of(9, 1), 600));
    CHECK(next == made[5]);
    CHECK(in_order_of_age(table).back() == next);
    CHECK(table.host_entries(odd) == 3);
  }
  SUBCASE("one begins anew: the newest of all and of its host, and not the same any more") {
    const HalfOpen before = table.get(made[0]);
    HalfOpen anew = before;
    anew.initiator_sequence = 4'711;
    anew.created_ms = 900;
    table.renew(made[0], anew);
    CHECK(in_order_of_age(table).back() == made[0]);
    CHECK(table.oldest() == made[1]);
    CHECK(table.oldest_of_host(even) == made[2]);
    CHECK(table.get(made[0]).created_ms == 900);
    CHECK_FALSE(table.holds(before));
    CHECK(table.holds(table.get(made[0])));
    CHECK(table.size() == 6);
  }
  SUBCASE("a host without entries is forgotten") {
    for (const std::uint32_t index : {made[0], made[2], made[4]}) table.erase(index);
    CHECK(table.hosts() == 1);
    CHECK(table.find_host(ends_of(0, 0).responder.address) == kNoHost);
  }
}

TEST_CASE("an index that was given out again is another entry") {
  HalfOpenTable table(4, 4, kKey);
  const HalfOpen first = table.get(table.insert(entry_of(ends_of(1))));
  CHECK(table.holds(first));
  table.erase(first.index);
  CHECK_FALSE(table.holds(first));
  const HalfOpen second = table.get(table.insert(entry_of(ends_of(1))));
  CHECK(second.index == first.index);
  CHECK(second.generation != first.generation);
  CHECK_FALSE(table.holds(first));
  HalfOpen other_ends = second;
  other_ends.key = ends_of(2);
  CHECK_FALSE(table.holds(other_ends));
}

TEST_CASE("a full table takes no more, and neither does one whose hosts are all in use") {
  HalfOpenTable table(3, 2, kKey);
  CHECK(table.insert(entry_of(ends_of(1, 1))) != kNoEntry);
  CHECK(table.insert(entry_of(ends_of(2, 2))) != kNoEntry);
  CHECK(table.insert(entry_of(ends_of(3, 3))) == kNoEntry);
  CHECK_FALSE(table.has_host_room(ends_of(3, 3).responder.address));
  CHECK(table.has_host_room(ends_of(3, 2).responder.address));
  CHECK(table.insert(entry_of(ends_of(3, 2))) != kNoEntry);
  CHECK(table.insert(entry_of(ends_of(4, 2))) == kNoEntry);
  CHECK(table.size() == 3);
  table.erase(table.find(ends_of(1, 1).initiator, ends_of(1, 1).responder));
  CHECK(table.insert(entry_of(ends_of(3, 3))) != kNoEntry);
}

TEST_CASE("a table without room takes nothing") {
  HalfOpenTable table(0, 0, kKey);
  CHECK(table.insert(entry_of(ends_of(1))) == kNoEntry);
  CHECK(table.find(ends_of(1).initiator, ends_of(1).responder) == kNoEntry);
  CHECK_FALSE(table.block(host_address(1)));
  CHECK(table.oldest() == kNoEntry);
  CHECK(table.next_used(0) == kNoEntry);
}

TEST_CASE("a blocked host keeps its record until it is unblocked") {
  HalfOpenTable table(4, 2, kKey);
  const Address host = ends_of(1).responder.address;
  const std::uint32_t entry = table.insert(entry_of(ends_of(1)));
  REQUIRE(table.block(host));
  REQUIRE(table.block(host));
  CHECK(table.blocked_hosts() == 1);
  table.erase(entry);
  CHECK(table.blocked(table.find_host(host)));
  REQUIRE(table.block(host_address(99)));
  CHECK_FALSE(table.block(host_address(98)));
  table.unblock(host_address(97));
  table.unblock(host);
  CHECK(table.find_host(host) == kNoHost);
  CHECK(table.blocked_hosts() == 1);
  CHECK(table.block(host_address(98)));
}

TEST_CASE("ages hold although they are kept modulo 2^32, and time never runs backwards") {
  HalfOpenTable table(4, 4, kKey);
  // Some 497 days are 2^32 units.
  constexpr std::int64_t kWrapMs = std::int64_t{10} << 32U;
  const std::uint32_t before = table.insert(entry_of(ends_of(1), kWrapMs - 1'000));
  const std::uint32_t after = table.insert(entry_of(ends_of(2), kWrapMs + 1'000));
  CHECK(table.created_ms(before) == kWrapMs - 1'000);
  CHECK(table.created_ms(after) == kWrapMs + 1'000);
  const std::uint32_t earlier = table.insert(entry_of(ends_of(3), 5));
  CHECK(table.created_ms(earlier) == kWrapMs + 1'000);
}

TEST_CASE("a table of the default size takes a million entries in less than 80 MB, empty none") {
  const std::size_t before = resident_bytes();
  HalfOpenTable table(kHalfOpenMax, kHostsMax, kKey);
  REQUIRE(table.capacity() == kHalfOpenMax);
  CHECK(resident_bytes() - before < 2'000'000);
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    REQUIRE(table.insert(entry_of(ends_of(i, i % 1'000), i / 100)) != kNoEntry);
  }
  const std::size_t grown = resident_bytes() - before;
  MESSAGE("a million half-open entries: ", grown / 1'000, " kB");
  CHECK(grown < 80'000'000);
  CHECK(table.size() == 1'000'000);
  const FlowKey some = ends_of(765'432, 432);
  CHECK(table.get(table.find(some.responder, some.initiator)).key == some);
}
