// One end that speaks in the other's name, from its own side of the router.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

namespace {

constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;
using Interfaces = std::array<std::uint32_t, 2>;
constexpr Interfaces kInward{3, 7};
constexpr Interfaces kOutward{7, 3};
constexpr Interfaces kTurnedOutside{3, 3};
constexpr Interfaces kTurnedInside{7, 7};

void connect_over(LoopLab& lab, Interfaces syn, Interfaces syn_ack) {
  lab.answer = LoopLab::forward_all;
  lab.source.interfaces = syn;
  lab.send_syn();
  lab.source.interfaces = syn_ack;
  lab.send_syn_ack();
  lab.source.interfaces = syn;
  lab.send(I, 0, "", kAck);
}

std::string fate_over(LoopLab& lab, Interfaces interfaces, Side from, std::string_view text) {
  lab.source.interfaces = interfaces;
  return lab.fate(lab.send(from, 0, text));
}

}  // namespace

TEST_CASE("no end speaks in the other's name from its own side of the router") {
  LoopLab lab;
  connect_over(lab, kInward, kOutward);
  CHECK(fate_over(lab, kTurnedOutside, R, "220 forged\r\n") == "drop");
  CHECK(fate_over(lab, kTurnedInside, I, "NOOP\r\n") == "drop");
  CHECK(lab.loop.counters()[Counter::drop_turned] == 2);
  CHECK(fate_over(lab, kOutward, R, "220 real\r\n") == "accept");
  lab.acknowledged[0] = 10;
  CHECK(fate_over(lab, kInward, I, "NOOP\r\n") == "accept");
}

TEST_CASE("a router with one arm turns all of a session, and other paths are as good") {
  LoopLab lab;
  SUBCASE("one arm") {
    connect_over(lab, kTurnedOutside, kTurnedOutside);
    CHECK(fate_over(lab, kTurnedOutside, R, "220 real\r\n") == "accept");
  }
  SUBCASE("the way back turned from the beginning") {
    connect_over(lab, kInward, kTurnedOutside);
    CHECK(fate_over(lab, kTurnedOutside, R, "220 real\r\n") == "accept");
  }
  SUBCASE("another interface toward the responder") {
    connect_over(lab, kInward, kOutward);
    CHECK(fate_over(lab, {8, 3}, R, "220 real\r\n") == "accept");
  }
  SUBCASE("the machine itself is an end") {
    connect_over(lab, {3, 0}, {0, 3});
    CHECK(fate_over(lab, {0, 3}, R, "220 real\r\n") == "accept");
  }
}

}  // namespace postern::test
