// cisco-ios 3.5, 3.10 and D-24: how sessions end by the clock, by FIN and by RST, and what is left.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;
constexpr std::int64_t kMinuteMs = 60'000;

namespace {

EndReason end_of(const LoopLab& lab) {
  REQUIRE(!lab.seen.empty());
  REQUIRE(lab.seen.back().kind == EventKind::closed);
  return static_cast<EndReason>(lab.seen.back().extra);
}

/// The wheel turns as the host turns it: many times before anything is due.
void wait_minutes(LoopLab& lab, int minutes) {
  for (int i = 0; i < minutes; ++i) lab.wait_ms(kMinuteMs);
}

/// Both sides have sent FIN; the server has not acknowledged the client's.
void exchange_fins(LoopLab& lab) {
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "", kAck | kFin)) == "accept");
  CHECK(lab.fate(lab.send(R, 0, "", kAck | kFin)) == "accept");
}

void expect_nothing_left(LoopLab& lab) {
  CHECK(lab.loop.table().size() == 0);
  CHECK(lab.loop.counters()[Counter::held] == 0);
  CHECK(lab.loop.used_chunks() == 0);
  for (const Counter gauge :
       {Counter::flows_half_open, Counter::flows_established, Counter::flows_terminating}) {
    CHECK(lab.loop.counters()[gauge] == 0);
  }
}

}  // namespace

TEST_CASE("session end: 29 minutes of IMAP IDLE survive, 61 minutes of silence do not") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.ports[25] = PortProtocol::imap;
  LoopLab lab(options);
  lab.connect();
  lab.send(R, 0, "* OK ready\r\n");
  lab.send(I, 0, "a IDLE\r\n");
  lab.send(R, 12, "+ idling\r\n");
  wait_minutes(lab, 29);
  CHECK(lab.loop.flow(0).stage == FlowStage::open);
  CHECK(lab.sender.sent.empty());
  CHECK(lab.fate(lab.send(I, 8, "DONE\r\n")) == "accept");
  wait_minutes(lab, 59);
  CHECK(lab.loop.flow(0).stage == FlowStage::open);
  wait_minutes(lab, 2);
  CHECK(end_of(lab) == EndReason::idle_timeout);
  CHECK(lab.injected(I) == Strings{"rst@22"});
  CHECK(lab.injected(R) == Strings{"rst@14"});
  wait_minutes(lab, 1);
  expect_nothing_left(lab);
}

TEST_CASE("session end: the idle time without resets is forgotten in silence") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.idle_reset = false;
  LoopLab lab(options);
  lab.connect();
  lab.send(I, 0, "NO");
  wait_minutes(lab, 61);
  CHECK(end_of(lab) == EndReason::idle_timeout);
  CHECK(lab.sender.sent.empty());
  expect_nothing_left(lab);
}

TEST_CASE("session end: any packet begins the idle time anew, one that is dropped does not") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.idle_ms = 10'000;
  LoopLab lab(options);
  lab.connect();
  lab.wait_ms(8'000);
  lab.send(I, 0, "", kAck);
  lab.wait_ms(8'000);
  CHECK(lab.loop.flow(0).stage == FlowStage::open);
  CHECK(lab.fate(lab.send(I, 500'000, "x")) == "drop");
  lab.wait_ms(3'000);
  CHECK(end_of(lab) == EndReason::idle_timeout);
}

TEST_CASE("session end: a new idle time is taken at the session's next packet") {
  LoopLab lab;
  lab.connect();
  lab.wait_ms(1'000);
  const std::array<std::uint32_t, 3> order{static_cast<std::uint32_t>(OrderOp::idle), 0, 5};
  CHECK(lab.loop.apply_orders(order));
  lab.wait_ms(30'000);
  CHECK(lab.loop.flow(0).stage == FlowStage::open);
  lab.send(I, 0, "", kAck);
  lab.wait_ms(4'000);
  CHECK(lab.loop.flow(0).stage == FlowStage::open);
  lab.wait_ms(1'200);
  CHECK(end_of(lab) == EndReason::idle_timeout);
}

TEST_CASE(
    "session end: a new configured idle time is taken at the next packet, unless it has its own") {
  for (const std::uint32_t own_seconds : {3'600U, 7'200U}) {
    LoopLab lab;
    lab.connect();
    const std::array<std::uint32_t, 3> order{static_cast<std::uint32_t>(OrderOp::idle), 0,
                                             own_seconds};
    CHECK(lab.loop.apply_orders(order));
    LoopOptions shorter = LoopLab::with_mail_ports();
    shorter.idle_ms = 5'000;
    lab.loop.configure(shorter);
    lab.wait_ms(30'000);
    CHECK(lab.loop.flow(0).stage == FlowStage::open);
    lab.send(I, 0, "", kAck);
    lab.wait_ms(5'200);
    CHECK((lab.loop.flow(0).stage == FlowStage::open) == (own_seconds == 7'200));
  }
}

TEST_CASE("session end: a new finwait time is for new sessions") {
  LoopLab lab;
  exchange_fins(lab);
  LoopOptions longer = LoopLab::with_mail_ports();
  longer.finwait_ms = 600'000;
  lab.loop.configure(longer);
  lab.wait_ms(5'200);
  CHECK(end_of(lab) == EndReason::finwait_timeout);
}

TEST_CASE("session end: FIN and FIN, acknowledged: closed, and gone after finwait") {
  LoopLab lab;
  lab.connect();
  lab.send(I, 0, "", kAck | kFin);
  lab.acknowledged[1] = 1;
  lab.send(R, 0, "", kAck | kFin);
  lab.acknowledged[0] = 1;
  CHECK(lab.fate(lab.send(I, 1, "", kAck)) == "accept");
  CHECK(end_of(lab) == EndReason::closed);
  CHECK(lab.loop.counters()[Counter::flows_terminating] == 1);
  lab.wait_ms(5'200);
  CHECK(lab.sender.sent.empty());
  expect_nothing_left(lab);
}

TEST_CASE("session end: FIN and FIN without the last acknowledgement: RST to both at finwait") {
  LoopLab lab;
  exchange_fins(lab);
  lab.wait_ms(4'800);
  CHECK(lab.sender.sent.empty());
  lab.wait_ms(400);
  CHECK(end_of(lab) == EndReason::finwait_timeout);
  CHECK(lab.injected(I) == Strings{"rst@1"});
  CHECK(lab.injected(R) == Strings{"rst@1"});
  lab.wait_ms(5'200);
  expect_nothing_left(lab);
}

TEST_CASE("session end: the same with half-close resets off: forgotten in silence") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.half_close_reset = false;
  LoopLab lab(options);
  exchange_fins(lab);
  lab.wait_ms(5'200);
  CHECK(end_of(lab) == EndReason::finwait_timeout);
  CHECK(lab.sender.sent.empty());
  expect_nothing_left(lab);
}

TEST_CASE("session end: half closed, a session lives by the idle time, not by finwait") {
  LoopLab lab;
  lab.connect();
  lab.send(I, 0, "QUIT\r\n", kAck | kPsh | kFin);
  lab.acknowledged[1] = 7;
  lab.send(R, 0, "", kAck);
  wait_minutes(lab, 59);
  CHECK(lab.loop.flow(0).stage == FlowStage::closing);
  CHECK(lab.fate(lab.send(R, 0, "221 bye\r\n")) == "accept");
  wait_minutes(lab, 61);
  CHECK(end_of(lab) == EndReason::idle_timeout);
  CHECK(lab.injected(I) == Strings{"rst@9"});
  CHECK(lab.injected(R) == Strings{"rst@7"});
}

TEST_CASE("session end: octets held without an answer are given up, with resets") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.text == "DATA") orders.pause(event.flow, I);
  };
  lab.connect();
  lab.send(I, 0, "DATA\r\n");
  const std::uint32_t held = lab.send(I, 6, "too early\r\n");
  wait_minutes(lab, 1);
  CHECK(lab.fate(held) == "held");
  wait_minutes(lab, 1);
  lab.wait_ms(200);
  CHECK(end_of(lab) == EndReason::held_too_long);
  // The packet that waited carries the RST, to where its receiver stands.
  CHECK(lab.fate(held) == "rst@6");
  CHECK(lab.injected(I) == Strings{"rst@0"});
}

TEST_CASE("session end: an RST inside of the window is dropped and the session lives (D-24)") {
  LoopLab lab;
  lab.connect();
  lab.send(I, 0, "NOOP\r\n");
  for (const std::uint32_t offset : {7U, 5'000U, 50'000U}) {
    CHECK(lab.fate(lab.send(I, offset, "", kRst)) == "drop");
  }
  CHECK(lab.loop.counters()[Counter::drop_rst_in_window] == 3);
  CHECK(lab.loop.flow(0).stage == FlowStage::open);
  CHECK(lab.fate(lab.send(I, 6, "RSET\r\n")) == "accept");
}

TEST_CASE("session end: an RST at the exact sequence number ends it, from either side (D-24)") {
  for (const Side from : {I, R}) {
    LoopLab lab;
    lab.connect();
    lab.send(from, 0, "NOOP\r\n");
    CHECK(lab.fate(lab.send(from, 6, "", kRst | kAck)) == "accept");
    const EndReason wanted =
        from == I ? EndReason::reset_by_initiator : EndReason::reset_by_responder;
    CHECK(end_of(lab) == wanted);
    lab.wait_ms(5'200);
    CHECK(lab.sender.sent.empty());
    expect_nothing_left(lab);
  }
}

}  // namespace postern::test
