// Stories of peers, and of strangers, that mean no good.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

/// As POP3 does: the initiator stays read after the login, the responder does not.
void log_in(const SeenEvent& event, Orders& orders) {
  if (event.text == "BAD") {
    orders.refuse_with_reset(event.flow);
    return;
  }
  LoopLab::forward_all(event, orders);
  if (event.text == "+OK in") orders.stop(event.flow, 2);
}

void refuse_bad(const SeenEvent& event, Orders& orders) {
  if (event.text == "BAD") {
    orders.refuse_with_words(event.flow, "554 no\r\n");
  } else {
    LoopLab::forward_all(event, orders);
  }
}

}  // namespace

TEST_CASE("a SYN on an offloaded session neither moves its stream nor brings data") {
  LoopLab lab;
  lab.answer = log_in;
  lab.connect();
  lab.send(R, 0, "+OK in\r\n");
  lab.acknowledged[0] = 8;
  lab.send(I, 0, "STAT\r\n");
  SUBCASE("a SYN-ACK of the initiator") {
    CHECK(lab.fate(lab.send(I, 0xFFFF'FF00, "", kSyn | kAck)) == "drop");
    // The stream stands where it stood: what follows is judged.
    CHECK(lab.fate(lab.send(I, 6, "QUIT\r\n")) == "accept");
    CHECK(lab.lines.back() == "I: QUIT");
  }
  SUBCASE("a SYN-ACK of the responder") {
    CHECK(lab.fate(lab.send(R, 77, "", kSyn | kAck)) == "drop");
  }
  SUBCASE("a SYN with data") {
    CHECK(lab.fate(lab.send(I, 6, "x", kSyn)) == "drop");
    CHECK(lab.fate(lab.send(I, 6, "QUIT\r\n")) == "accept");
  }
}

TEST_CASE("an RST on an offloaded session ends it only at the sequence number that is expected") {
  LoopLab lab;
  lab.answer = log_in;
  lab.connect();
  lab.send(R, 0, "+OK in\r\n");
  lab.acknowledged[0] = 8;
  lab.send(I, 0, "STAT\r\n");
  CHECK(lab.fate(lab.send(I, 500, "", kRst)) == "drop");
  CHECK(lab.fate(lab.send(I, 6, "NOOP\r\n")) == "accept");
  CHECK(lab.fate(lab.send(I, 12, "", kRst)) == "accept");
  CHECK(lab.loop.flow(0).stage == FlowStage::dead);
}

TEST_CASE("the initiator of an offloaded session is reset where it stands, not where we last saw") {
  LoopLab lab;
  lab.answer = log_in;
  lab.connect();
  lab.send(R, 0, "+OK in\r\n");
  lab.acknowledged[0] = 90'000;
  lab.send(I, 0, "BAD\r\n");
  CHECK(lab.injected(I) == Strings{"rst@90000"});
}

TEST_CASE("packets that waited for a flow which is gone are still judged") {
  LoopLab lab;
  lab.answer = refuse_bad;
  lab.connect();
  const std::uint32_t bad = lab.feed(I, 0, "BAD\r\n");
  // Opens anew what is refused by then, but is no SYN that may open anything.
  const std::uint32_t stray_syn = lab.feed(I, 5, "x", kSyn);
  const std::uint32_t last = lab.feed(I, 5, "NOOP\r\n");
  lab.turn();
  CHECK(lab.fate(bad) == "rst@0");
  CHECK(lab.fate(stray_syn) == "drop");
  CHECK(lab.fate(last) != "held");
}

TEST_CASE("packets that waited for a flow which could not be judged get their verdict") {
  LoopLab lab;
  lab.connect();
  // No room for a single event.
  std::array<std::uint32_t, 4> events{};
  std::array<std::uint32_t, 4> orders{};
  lab.loop.attach({events, {}, orders, {}}, &lab);
  const std::uint32_t first = lab.feed(I, 0, "NOOP\r\n");
  const std::uint32_t second = lab.feed(I, 6, "NOOP\r\n");
  lab.turn();
  CHECK(lab.fate(first) == "rst@0");
  CHECK(lab.fate(second) == "drop");
}

TEST_CASE("words cannot follow the server's FIN: the refusal is a reset then") {
  LoopLab lab;
  lab.answer = refuse_bad;
  lab.connect();
  lab.send(R, 0, "421 bye\r\n", kAck | kFin);
  lab.acknowledged[0] = 10;
  CHECK(lab.fate(lab.send(I, 0, "BAD\r\n")) == "rst@0");
  CHECK(lab.injected(I) == Strings{"rst@10"});
}

TEST_CASE("a dot where the budget ends is no end of the message") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    if (event.kind == EventKind::opened) {
      orders.frame(event.flow, I, FramingMode::mail_data, 10);
      orders.frame(event.flow, R, FramingMode::lines, 100);
    } else if (event.kind == EventKind::over_budget) {
      orders.refuse_with_words(event.flow, "552 big\r\n");
    }
  };
  lab.connect();
  lab.send(I, 0, "0123456789.\r\nmore\r\n");
  CHECK(lab.injected(I) == Strings{" ack 19"});
  lab.send(I, 19, ".\r\n");
  CHECK(lab.injected(I) == Strings{"552 big\r\n<fin> ack 22"});
}

TEST_CASE("the receiver that refuses takes octets in order, once, and a FIN only at their end") {
  LoopLab lab;
  lab.answer = refuse_bad;
  lab.connect();
  lab.send(I, 0, "BAD\r\n");
  CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 5"});
  lab.acknowledged[0] = 9;
  SUBCASE("a gap") {
    lab.send(I, 8, "late\r\n");
    CHECK(lab.injected(I) == Strings{" ack 5"});
    lab.send(I, 5, "hole");
    CHECK(lab.injected(I) == Strings{" ack 9"});
  }
  SUBCASE("an overlap with a FIN") {
    lab.send(I, 0, "BAD\r\nx\r\n", kAck | kFin);
    CHECK(lab.injected(I) == Strings{" ack 9"});
    CHECK(lab.loop.flow(0).stage == FlowStage::dead);
    lab.send(I, 8, "", kAck | kFin);
    CHECK(lab.injected(I) == Strings{" ack 9"});
  }
  SUBCASE("a FIN beyond a gap") {
    lab.send(I, 8, "", kAck | kFin);
    CHECK(lab.injected(I) == Strings{" ack 5"});
    CHECK(lab.loop.flow(0).stage == FlowStage::refusing);
  }
  SUBCASE("an RST elsewhere") {
    lab.send(I, 8, "", kRst);
    CHECK(lab.loop.flow(0).stage == FlowStage::refusing);
    lab.send(I, 5, "", kRst);
    CHECK(lab.loop.flow(0).stage == FlowStage::dead);
  }
}

TEST_CASE("memory that is used up drops packets, and what comes again is judged as it came first") {
  LoopLab lab;
  lab.connect();
  // The lab owns 256 chunks of 2,048 octets; nobody acknowledges what is sent.
  std::uint32_t offset = 0;
  std::uint32_t id = lab.send(I, offset, "NOOP\r\n");
  offset += 6;
  while (lab.fate(id) == "accept" && offset < 600'000) {
    id = lab.send(I, offset, std::string(498, 'b') + "\r\n");
    if (lab.fate(id) == "accept") offset += 500;
  }
  CHECK(lab.fate(id) == "drop");
  lab.acknowledged[1] = offset;
  CHECK(lab.fate(lab.send(R, 0, "ok\r\n")) == "accept");
  CHECK(lab.fate(lab.send(I, offset, std::string(498, 'c') + "\r\n")) == "accept");
  CHECK(lab.lines.back() == "I: " + std::string(498, 'c'));
}

}  // namespace postern::test
