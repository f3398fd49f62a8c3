// A stream has no octets before its first: what claims to begin there is not read a few octets off.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

constexpr std::string_view kLine = "NOOP VRFY root\r\n";

/// The offset of so many octets before the stream's first.
constexpr std::uint32_t before(std::uint32_t octets) {
  return 0U - octets;
}

std::uint64_t refused(const LoopLab& lab) {
  return lab.loop.counters()[Counter::drop_invalid_sequence];
}

/// The login ends the reading of the responder, QUIT begins it again.
void log_in(const SeenEvent& event, Orders& orders) {
  LoopLab::forward_all(event, orders);
  if (event.text == "+OK in") orders.stop(event.flow, 2);
  if (event.text != "QUIT") return;
  orders.again(event.flow);
  for (const Side side : {I, R}) orders.frame(event.flow, side, FramingMode::lines, 512);
}

}  // namespace

TEST_CASE("before the start: octets that died behind us do not come again a few places off") {
  for (const Side from : {I, R}) {
    LoopLab lab;
    lab.connect();
    CHECK(lab.fate(lab.send(from, 0, kLine)) == "accept");
    // A receiver that missed the first copy would begin to read at VRFY.
    CHECK(lab.fate(lab.send(from, before(5), kLine)) == "drop");
    CHECK(lab.fate(lab.send(from, before(5), "xxxxx" + std::string(kLine))) == "drop");
    CHECK(lab.fate(lab.send(from, before(1), "xNO")) == "drop");
    CHECK(refused(lab) == 3);
    CHECK(lab.fate(lab.send(from, 0, kLine)) == "accept");
    CHECK(lab.fate(lab.send(from, 16, "NOOP\r\n")) == "accept");
  }
}

TEST_CASE("before the start: nor does what reaches from there into what is new") {
  LoopLab lab;
  lab.connect();
  CHECK(lab.fate(lab.send(I, before(2), "xxNOOP\r\n")) == "drop");
  CHECK(lab.lines.empty());
  CHECK(lab.fate(lab.send(I, before(2), "", kAck | kFin)) == "drop");
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
}

TEST_CASE("before the start: also where nobody reads what was judged before") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.offload = false;
  LoopLab lab(options);
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.text == "STOP") orders.stop(event.flow, 1);
  };
  lab.connect();
  lab.send(I, 0, kLine);
  lab.send(I, 16, "STOP\r\n");
  CHECK(lab.fate(lab.send(I, before(5), kLine)) == "drop");
  CHECK(lab.fate(lab.send(I, 0, kLine)) == "accept");
}

TEST_CASE("before the start: a keepalive passes, whatever its octet is") {
  LoopLab lab;
  lab.connect();
  CHECK(lab.fate(lab.send(I, before(1), "x", kAck)) == "accept");
  CHECK(lab.fate(lab.send(I, before(1), "", kAck)) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.fate(lab.send(I, before(1), "x", kAck)) == "accept");
  CHECK(lab.loop.counters()[Counter::retransmissions_altered] == 0);
}

TEST_CASE("before the start: where a stream began unseen, what was lost may reach into it") {
  LoopLab lab;
  lab.answer = log_in;
  lab.connect();
  lab.send(R, 0, "+OK in\r\n");
  lab.acknowledged[0] = 8;
  lab.send(I, 0, "QUIT\r\n");
  // What lies between went by us; a line under way is known still.
  const std::string lost(20, 'm');
  CHECK(lab.fate(lab.send(R, 90'000, "+OK b")) == "accept");
  CHECK(lab.fate(lab.send(R, 89'980, lost + "+OK B")) == "rewrite " + lost + "+OK b");
  CHECK(lab.fate(lab.send(R, 89'980, lost + "+OK b")) == "accept");
  CHECK(lab.fate(lab.send(R, 89'980, lost + "+OK bye\r\n")) == "drop");
  CHECK(lab.fate(lab.send(R, 90'005, "ye\r\n")) == "accept");
}

}  // namespace postern::test
