#include <doctest/doctest.h>

#include "test/datagram_lab.h"
#include "test/half_open_script.h"

using namespace postern;
using namespace postern::test;

TEST_CASE("aggressive: each new session takes the place of the oldest half-open one") {
  DatagramLab net;
  CHECK(net.from_inside(asked_udp(123, 1)) == "accept marked");
  CHECK(net.from_outside(answered_udp(123, 1), kMarkSession) == "accept");
  CHECK(net.from_inside(asked_udp(123, 2)) == "accept marked");
  CHECK(net.from_inside(asked_udp(123, 3)) == "accept marked");
  net.lab.wait_ms(1'000);
  // What it sends again does not make it younger.
  CHECK(net.from_inside(asked_udp(123, 2), kMarkSession) == "accept");
  CHECK(net.sessions() == 3);
  GateLimits limits;
  limits.aggressive = true;
  net.gate->configure(limits);
  CHECK(net.from_inside(asked_udp(123, 4)) == "accept marked");
  CHECK(net.sessions() == 3);
  CHECK(net.count(Counter::half_open_evicted) == 1);
  CHECK(net.from_outside(answered_udp(123, 2), kMarkSession) == "drop");
  CHECK(net.from_outside(answered_udp(123, 3), kMarkSession) == "accept");
  CHECK(net.from_outside(answered_udp(123, 1), kMarkSession) == "accept");
  CHECK(net.told(EventKind::closed) == 1);
  // Calm again: nobody goes.
  net.gate->configure(GateLimits{});
  CHECK(net.from_inside(asked_udp(123, 5)) == "accept marked");
  CHECK(net.count(Counter::half_open_evicted) == 1);
  CHECK(net.gate->half_open() == 2);
}

TEST_CASE("a flood of SYNs does not take the places of questions that wait for their answer") {
  DatagramLab net;
  for (std::uint32_t i = 0; i < 10; ++i) {
    CHECK(net.gate->on_syn(syn_of(ends_of(i)), net.lab.now_ms).accept);
  }
  GateLimits limits;
  limits.aggressive = true;
  net.gate->configure(limits);
  for (unsigned client = 1; client <= 3; ++client) {
    CHECK(net.from_inside(asked_udp(123, client)) == "accept marked");
  }
  for (unsigned client = 1; client <= 3; ++client) {
    CHECK(net.from_outside(answered_udp(123, client), kMarkSession) == "accept");
  }
  Gate::Resets resets;
  net.gate->expire(net.lab.now_ms, resets);
  CHECK(resets.count == 3);
  CHECK(net.gate->half_open() == 7);
}

TEST_CASE("a flood of datagrams does not take the places of handshakes") {
  DatagramLab net;
  GateLimits limits;
  limits.half_open_max = 4;
  net.gate->configure(limits);
  for (unsigned client = 1; client <= 4; ++client) {
    CHECK(net.from_inside(asked_udp(123, client)) == "accept marked");
  }
  for (std::uint32_t i = 0; i < 2; ++i) {
    CHECK(net.gate->on_syn(syn_of(ends_of(i)), net.lab.now_ms).resets.count == 0);
  }
  CHECK(net.gate->size() == 2);
  net.lab.wait_ms(100);
  CHECK(net.sessions() == 2);
  CHECK(net.gate->half_open() == 4);
  CHECK(net.from_outside(answered_udp(123, 2), kMarkSession) == "drop");
  CHECK(net.from_outside(answered_udp(123, 3), kMarkSession) == "accept");
}

TEST_CASE("beyond max-incomplete each new session takes the place of the oldest half-open one") {
  DatagramLab net;
  GateLimits limits;
  limits.half_open_max = 2;
  net.gate->configure(limits);
  for (unsigned client = 1; client <= 5; ++client) {
    CHECK(net.from_inside(asked_udp(123, client)) == "accept marked");
  }
  CHECK(net.gate->half_open() == 2);
  CHECK(net.count(Counter::half_open_evicted) == 3);
  CHECK(net.from_outside(answered_udp(123, 5), kMarkSession) == "accept");
}

TEST_CASE("a full table gives up what is no session, then who was not answered, then the silent") {
  DatagramLab net;  // 64 places
  CHECK(net.from_outside(asked_udp(9, 1)) == "accept");
  for (unsigned client = 1; client <= 62; ++client) {
    CHECK(net.from_inside(asked_udp(123, client)) == "accept marked");
    CHECK(net.from_outside(answered_udp(123, client), kMarkSession) == "accept");
  }
  CHECK(net.from_inside(asked_udp(123, 63)) == "accept marked");
  CHECK(net.table().size() == 64);

  CHECK(net.from_inside(asked_udp(123, 64)) == "accept marked");
  CHECK(net.sessions() == 64);
  CHECK(net.count(Counter::half_open_evicted) == 0);

  CHECK(net.from_inside(asked_udp(123, 65)) == "accept marked");
  CHECK(net.count(Counter::half_open_evicted) == 1);
  CHECK(net.from_outside(answered_udp(123, 63), kMarkSession) == "drop");
  CHECK(net.from_outside(answered_udp(123, 64), kMarkSession) == "accept");
  CHECK(net.from_outside(answered_udp(123, 65), kMarkSession) == "accept");

  CHECK(net.from_outside(answered_udp(123, 1), kMarkSession) == "accept");
  CHECK(net.from_inside(asked_udp(123, 66)) == "accept marked");
  CHECK(net.from_outside(answered_udp(123, 66), kMarkSession) == "accept");
  CHECK(net.from_inside(asked_udp(123, 67)) == "accept marked");
  CHECK(net.from_outside(answered_udp(123, 1), kMarkSession) == "accept");  // heard of lately
  CHECK((net.count(Counter::flows_established) + net.count(Counter::flows_half_open)) == 64);
}
