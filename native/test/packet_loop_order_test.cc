// Stories of packets out of order, of sides that nobody reads, and of long lines.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

LoopOptions without_offload() {
  LoopOptions options = LoopLab::with_mail_ports();
  options.offload = false;
  return options;
}

void stop_at_starttls(const SeenEvent& event, Orders& orders) {
  LoopLab::forward_all(event, orders);
  if (event.text == "STARTTLS") orders.stop(event.flow, 1);
}

}  // namespace

TEST_CASE("overlaps on both sides of a hole: what was seen first, once") {
  LoopLab lab;
  lab.connect();
  lab.send(I, 0, "NO");
  const std::uint32_t early = lab.send(I, 6, "RSET\r\n");
  // What went and what waits were seen before.
  CHECK(lab.fate(lab.send(I, 1, "XOP\r\nXX")) == "rewrite OOP\r\nRS");
  CHECK(lab.fate(early) == "accept");
  CHECK(lab.lines.back() == "I: RSET");
}

TEST_CASE("an early packet goes when its side is no longer read") {
  LoopLab lab(without_offload());
  lab.answer = stop_at_starttls;
  lab.connect();
  const std::uint32_t early = lab.send(I, 20, "late");
  CHECK(lab.fate(early) == "held");
  lab.send(I, 0, "STARTTLS\r\n");
  CHECK(lab.fate(early) == "accept");
  CHECK(lab.fate(lab.send(I, 10, "0123456789")) == "accept");
  lab.wait_ms(20'000);
  CHECK(lab.loop.flow(0).stage == FlowStage::open);
}

TEST_CASE("an opaque side may come in any order, and its receiver acknowledges it") {
  LoopLab lab(without_offload());
  lab.answer = stop_at_starttls;
  lab.connect();
  lab.send(I, 0, "STARTTLS\r\n");
  CHECK(lab.fate(lab.send(I, 20, "second....")) == "accept");
  CHECK(lab.fate(lab.send(I, 10, "first.....")) == "accept");
  lab.acknowledged[1] = 30;
  CHECK(lab.fate(lab.send(R, 0, "answer")) == "accept");
  CHECK(lab.fate(lab.send(I, 40, "", kAck | kFin)) == "accept");
  CHECK(lab.fate(lab.send(I, 30, "third.....")) == "accept");
  lab.acknowledged[1] = 41;
  CHECK(lab.fate(lab.send(R, 6, "", kAck | kFin)) == "accept");
  CHECK(lab.loop.flow(0).bytes[0] == 40);
}

TEST_CASE("what was lost where nobody reads passes as it is, whatever was masked before") {
  LoopLab lab(without_offload());
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    if (event.kind == EventKind::line && event.text == "VRFY root")
      orders.mask(event.flow, 0, 9, 'x');
    stop_at_starttls(event, orders);
  };
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "VRFY root\r\n")) == "rewrite xxxxxxxxx\r\n");
  lab.send(I, 11, "STARTTLS\r\n");
  CHECK(lab.fate(lab.send(I, 41, "third.....")) == "accept");
  CHECK(lab.fate(lab.send(I, 51, "", kAck | kFin)) == "accept");
  lab.acknowledged[1] = 21;
  CHECK(lab.fate(lab.send(R, 0, "answer")) == "accept");
  CHECK(lab.fate(lab.send(I, 21, "first.....")) == "accept");
  CHECK(lab.fate(lab.send(I, 31, "second....third.....")) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "VRFY root\r\n")) == "rewrite XXXXXXXXX\r\n");
}

TEST_CASE("the reassembly time is one gap's, not that of a path that loses packets all the time") {
  LoopLab lab;
  lab.connect();
  std::uint32_t hole = 0;
  lab.send(I, 1, "a");
  for (int i = 0; i < 10; ++i) {
    lab.wait_ms(3'000);
    // The next gap opens before this one closes.
    lab.send(I, hole + 3, "a");
    lab.send(I, hole, "a");
    hole += 2;
  }
  CHECK(lab.loop.flow(0).stage == FlowStage::open);
  lab.wait_ms(5'500);
  lab.wait_ms(5'500);
  CHECK(lab.loop.flow(0).stage == FlowStage::dead);
}

TEST_CASE("a tolerant line reads the same in every way of splitting") {
  const std::string text = "HEAD" + std::string(200, '-') + std::string(60, '+') + "TAIL";
  Strings seen;
  for (std::size_t cut = 1; cut <= text.size() + 2; ++cut) {
    LoopLab lab;
    lab.answer = [](const SeenEvent& event, Orders& orders) {
      if (event.kind == EventKind::opened) {
        orders.frame(event.flow, I, FramingMode::lines, 10, true);
        orders.frame(event.flow, R, FramingMode::lines, 100);
      } else if (event.kind != EventKind::closed) {
        orders.forward(event.flow, event.side);
      }
    };
    lab.connect();
    const std::string wire = text + "\r\n";
    for (std::size_t at = 0; at < wire.size(); at += cut) {
      lab.send(I, static_cast<std::uint32_t>(at), std::string_view(wire).substr(at, cut));
    }
    REQUIRE(lab.lines.size() == 1);
    CHECK_MESSAGE(lab.lines[0] == "I: HEAD------" + std::string(60, '+') + "TAIL", "cut ", cut);
  }
}

TEST_CASE("a tolerant line that is only a little longer than its budget is read whole") {
  const std::string text = "0123456789" + std::string(64, '+');
  for (std::size_t cut = 1; cut <= text.size() + 2; ++cut) {
    LoopLab lab;
    lab.answer = [](const SeenEvent& event, Orders& orders) {
      LoopLab::forward_all(event, orders);
      if (event.kind == EventKind::opened)
        orders.frame(event.flow, I, FramingMode::lines, 10, true);
    };
    lab.connect();
    const std::string wire = text + "\r\n";
    for (std::size_t at = 0; at < wire.size(); at += cut) {
      lab.send(I, static_cast<std::uint32_t>(at), std::string_view(wire).substr(at, cut));
    }
    CHECK_MESSAGE(lab.lines == Strings{"I: " + text}, "cut ", cut);
  }
}

}  // namespace postern::test
