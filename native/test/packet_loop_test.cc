// Stories of packets through the loop: judged before they pass, held, masked, reordered, reset.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

TEST_CASE("a line passes once it is judged, and so does its answer") {
  LoopLab lab;
  lab.connect();
  CHECK(lab.fate(lab.send(R, 0, "220 hi\r\n")) == "accept");
  lab.acknowledged[0] = 8;
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\nRSET\r\n")) == "accept");
  CHECK(lab.lines == Strings{"R: 220 hi", "I: NOOP", "I: RSET"});
}

TEST_CASE("a line that is split is asked about as it grows, and judged as a whole") {
  LoopLab lab;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "NO")) == "accept");
  CHECK(lab.fate(lab.send(I, 2, "OP")) == "accept");
  CHECK(lab.fate(lab.send(I, 4, "\r\nX")) == "accept");
  CHECK(lab.lines == Strings{"I: NO…", "I: NOOP…", "I: NOOP", "I: X…"});
}

TEST_CASE("a packet that ends with CR has its line judged, and only an LF may follow") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    if (event.text.find('\r') != std::string::npos) {
      orders.refuse_with_reset(event.flow);
      return;
    }
    LoopLab::forward_all(event, orders);
    if (event.text == "DATA") orders.pause(event.flow, I);
    if (event.text == "BDAT 2") orders.frame(event.flow, I, FramingMode::counted, 2);
  };
  lab.connect();
  SUBCASE("LF follows") {
    CHECK(lab.fate(lab.send(I, 0, "NOOP\r")) == "accept");
    CHECK(lab.lines == Strings{"I: NOOP"});
    CHECK(lab.fate(lab.send(I, 5, "\nRSET\r\n")) == "accept");
    CHECK(lab.lines == Strings{"I: NOOP", "I: RSET"});
  }
  SUBCASE("LF follows although the line paused its side") {
    CHECK(lab.fate(lab.send(I, 0, "DATA\r")) == "accept");
    CHECK(lab.fate(lab.send(I, 5, "\n")) == "accept");
    CHECK(lab.fate(lab.send(I, 6, "x\r\n")) == "held");
  }
  SUBCASE("LF is no part of what the line announced") {
    CHECK(lab.fate(lab.send(I, 0, "BDAT 2\r")) == "accept");
    CHECK(lab.fate(lab.send(I, 7, "\nab")) == "accept");
    CHECK(lab.seen.back().kind == EventKind::counted_end);
  }
  SUBCASE("another octet follows") {
    CHECK(lab.fate(lab.send(I, 0, "NOOP\r")) == "accept");
    CHECK(lab.fate(lab.send(I, 5, "VRFY\r\n")) == "rst@5");
    CHECK(lab.lines.back() == "I: NOOP\rV…");
  }
  SUBCASE("another octet follows in the same packet") {
    CHECK(lab.fate(lab.send(I, 0, "NOOP\rVRFY\r\n")) == "rewrite NOOP\r");
    CHECK(lab.lines == Strings{"I: NOOP", "I: NOOP\rV…"});
    CHECK(lab.injected(R) == Strings{"rst@5"});
  }
  SUBCASE("a second CR follows") {
    CHECK(lab.fate(lab.send(I, 0, "NOOP\r\r\n")) == "rewrite NOOP\r");
    CHECK(lab.lines == Strings{"I: NOOP", "I: NOOP\r\r…"});
  }
  SUBCASE("another octet follows a line that paused its side") {
    CHECK(lab.fate(lab.send(I, 0, "DATA\rx\r\n")) == "rewrite DATA\r");
    CHECK(lab.lines.back() == "I: DATA\rx…");
  }
}

TEST_CASE(
    "what stands behind a pause is held: the packet goes on without it, the rest follows on "
    "resume") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.text == "DATA") orders.pause(event.flow, I);
    if (event.text.starts_with("354")) {
      orders.frame(event.flow, I, FramingMode::mail_data, 1'000);
      orders.resume(event.flow, I);
    }
  };
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "DATA\r\nx\r\n")) == "rewrite DATA\r\n");
  const std::uint32_t held = lab.send(I, 9, ".\r\n");
  CHECK(lab.fate(held) == "held");
  CHECK(lab.fate(lab.send(I, 9, ".\r\n")) == "drop");
  CHECK(lab.injected(R).empty());
  lab.acknowledged[1] = 6;
  CHECK(lab.fate(lab.send(R, 0, "354 go\r\n")) == "accept");
  CHECK(lab.injected(R) == Strings{"x\r\n ack 0"});
  CHECK(lab.fate(held) == "accept");
  CHECK(lab.seen.back().kind == EventKind::data_end);
}

static void mask_vrfy(const SeenEvent& event, Orders& orders) {
  if (event.kind == EventKind::line && event.text == "VRFY root")
    orders.mask(event.flow, 0, 9, 'x');
  LoopLab::forward_all(event, orders);
}

TEST_CASE("what was masked stays masked when it is sent again") {
  LoopLab lab;
  lab.answer = mask_vrfy;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "VRFY root\r\n")) == "rewrite xxxxxxxxx\r\n");
  CHECK(lab.fate(lab.send(I, 0, "VRFY root\r\nNOOP\r\n")) == "rewrite xxxxxxxxx\r\nNOOP\r\n");
  CHECK(lab.loop.counters()[Counter::retransmissions_altered] == 1);
}

TEST_CASE("what was masked does not show either when it is sent again after its receiver had it") {
  LoopLab lab;
  lab.answer = mask_vrfy;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "VRFY root\r\n")) == "rewrite xxxxxxxxx\r\n");
  lab.acknowledged[1] = 11;
  CHECK(lab.fate(lab.send(R, 0, "502 no\r\n")) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "VRFY root\r\n")) == "rewrite XXXXXXXXX\r\n");
  CHECK(lab.fate(lab.send(I, 5, "root\r\nNOOP\r\n")) == "rewrite XXXX\r\nNOOP\r\n");
}

TEST_CASE("octets that differ from those seen first never pass") {
  LoopLab lab;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "QUIT\r\n")) == "rewrite NOOP\r\n");
  CHECK(lab.fate(lab.send(I, 2, "XX\r\nRSET\r\n")) == "rewrite OP\r\nRSET\r\n");
  CHECK(lab.lines == Strings{"I: NOOP", "I: RSET"});
}

TEST_CASE("packets that come early wait for their turn and go in order") {
  LoopLab lab;
  lab.connect();
  const std::uint32_t third = lab.send(I, 12, "QUIT\r\n");
  const std::uint32_t second = lab.send(I, 6, "RSET\r\n");
  CHECK(lab.fate(second) == "held");
  CHECK(lab.fate(third) == "held");
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.fate(second) == "accept");
  CHECK(lab.fate(third) == "accept");
  CHECK(lab.lines == Strings{"I: NOOP", "I: RSET", "I: QUIT"});
  const std::vector<Given>& given = lab.source.given();
  CHECK(given[given.size() - 2].id == second);
}

TEST_CASE("the early queue is bounded") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.out_of_order_max = 2;
  LoopLab lab(options);
  lab.connect();
  const std::uint32_t first = lab.send(I, 10, "a");
  CHECK(lab.fate(lab.send(I, 11, "b")) == "held");
  CHECK(lab.fate(lab.send(I, 12, "c")) == "drop");
  CHECK(lab.fate(first) == "held");
}

TEST_CASE("a gap that never closes ends the session at the second expiry") {
  LoopLab lab;
  lab.connect();
  const std::uint32_t early = lab.send(I, 10, "a\r\n");
  lab.wait_ms(5'100);
  CHECK(lab.fate(early) == "held");
  lab.wait_ms(5'100);
  CHECK(lab.fate(early) == "drop");
  CHECK(lab.injected(R) == Strings{"rst@0"});
  CHECK(lab.seen.back().extra == static_cast<std::uint32_t>(EndReason::reassembly_timeout));
}

TEST_CASE("packets of one turn are judged in their order") {
  LoopLab lab;
  lab.connect();
  lab.feed(I, 0, "NOOP\r\n");
  lab.feed(R, 0, "220 a\r\n");
  lab.feed(I, 6, "RSET\r\n");
  lab.turn();
  CHECK(lab.lines == Strings{"I: NOOP", "R: 220 a", "I: RSET"});
}

TEST_CASE("urgent data is made ordinary") {
  LoopLab lab;
  lab.connect();
  const std::uint32_t id = lab.send(I, 0, "NOXOP\r\n", kAck | kPsh | kUrg);
  CHECK(lab.fate(id) == "rewrite NOXOP\r\n");
  std::vector<std::byte> bytes = lab.source.verdict_of(id)->bytes;
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK_FALSE(packet.has(kUrg));
  CHECK(lab.lines == Strings{"I: NOXOP"});
}

TEST_CASE("an answer to what was never forwarded is no acknowledgement") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.text == "DATA") orders.pause(event.flow, I);
  };
  lab.connect();
  lab.send(I, 0, "DATA\r\n");
  lab.send(I, 6, "held\r\n");
  lab.acknowledged[1] = 12;
  CHECK(lab.fate(lab.send(R, 0, "354 go\r\n")) == "drop");
  CHECK(lab.loop.counters()[Counter::drop_invalid_acknowledgement] == 1);
}

TEST_CASE("an RST behind held octets arrives at the sequence number that the receiver expects") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.text == "DATA") orders.pause(event.flow, I);
  };
  lab.connect();
  lab.send(I, 0, "DATA\r\n");
  const std::uint32_t held = lab.send(I, 6, "held\r\n");
  CHECK(lab.fate(lab.send(I, 12, "", kRst)) == "rst@6");
  CHECK(lab.fate(held) == "drop");
}

TEST_CASE("a FIN waits for the octets before it") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.text == "DATA") orders.pause(event.flow, I);
    if (event.side == R && event.kind == EventKind::line) orders.resume(event.flow, I);
  };
  lab.connect();
  lab.send(I, 0, "DATA\r\n");
  const std::uint32_t last = lab.send(I, 6, "QUIT\r\n", kAck | kFin);
  CHECK(lab.fate(last) == "held");
  lab.acknowledged[1] = 6;
  lab.send(R, 0, "503 no\r\n");
  CHECK(lab.fate(last) == "accept");
  lab.acknowledged[0] = 8;
  lab.acknowledged[1] = 13;
  CHECK(lab.fate(lab.send(R, 8, "", kAck | kFin)) == "accept");
  lab.acknowledged[0] = 9;
  CHECK(lab.fate(lab.send(I, 13, "", kAck)) == "accept");
  lab.wait_ms(100);
  CHECK(lab.seen.back().kind == EventKind::closed);
  CHECK(lab.seen.back().number == 12);
  lab.wait_ms(6'000);
  CHECK(lab.loop.table().size() == 0);
}

}  // namespace postern::test
