// Stories of octets that are held: what is lost behind us, what comes again, and how it ends.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

/// DATA pauses the initiator until any reply; a line `SECRET` is masked.
void pause_at_data(const SeenEvent& event, Orders& orders) {
  if (event.kind == EventKind::line && event.text == "SECRET") orders.mask(event.flow, 0, 6, 'x');
  LoopLab::forward_all(event, orders);
  if (event.kind == EventKind::line && event.text == "DATA") orders.pause(event.flow, I);
  if (event.kind == EventKind::line && event.side == R) orders.resume(event.flow, I);
}

std::uint32_t reply(LoopLab& lab, std::uint32_t seen_octets) {
  lab.acknowledged[1] = seen_octets;
  return lab.send(R, 0, "354 go\r\n");
}

}  // namespace

TEST_CASE("the part that was let go is let go again when it was lost behind us") {
  LoopLab lab;
  lab.answer = pause_at_data;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "DATA\r\nx\r\n")) == "rewrite DATA\r\n");
  // Without it the reply would never come, and what is held would wait for it for ever.
  CHECK(lab.fate(lab.send(I, 0, "DATA\r\nx\r\n")) == "rewrite DATA\r\n");
  CHECK(lab.fate(lab.send(I, 0, "DUST\r\nx\r\n")) == "rewrite DATA\r\n");
  CHECK(lab.fate(lab.send(I, 6, "x\r\n")) == "drop");
  reply(lab, 6);
  CHECK(lab.injected(R) == Strings{"x\r\n ack 0"});
  CHECK(lab.fate(lab.send(I, 0, "DATA\r\nx\r\n")) == "accept");
}

TEST_CASE("what repeats octets that were acknowledged goes with the masks of what follows them") {
  LoopLab lab;
  lab.answer = pause_at_data;
  lab.connect();
  lab.send(I, 0, "NOOP\r\n");
  reply(lab, 6);
  CHECK(lab.fate(lab.send(I, 3, "P\r\nSECRET\r\n")) == "rewrite P\r\nxxxxxx\r\n");
}

TEST_CASE("a reply goes before what it set free") {
  LoopLab lab;
  lab.answer = pause_at_data;
  lab.connect();
  lab.send(I, 0, "DATA\r\n");
  const std::uint32_t held = lab.send(I, 6, "x\r\n");
  const std::uint32_t answer = reply(lab, 6);
  const std::vector<Given>& given = lab.source.given();
  REQUIRE(given.size() >= 2);
  CHECK(given[given.size() - 2].id == answer);
  CHECK(given.back().id == held);
}

TEST_CASE("a super-packet of which one segment is left goes as one of ours") {
  LoopLab lab;
  lab.answer = pause_at_data;
  lab.connect();
  CHECK(lab.fate(lab.send_gso(I, 0, "DATA\r\nx\r\n")) == "drop");
  CHECK(lab.injected(R) == Strings{"DATA\r\n ack 0"});
}

TEST_CASE("what becomes free of a packet that went in part does not wait for those held behind") {
  LoopLab lab;
  lab.answer = pause_at_data;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "DATA\r\nx\r\nDATA\r\ny")) == "rewrite DATA\r\n");
  const std::uint32_t held = lab.send(I, 16, "z\r\n");
  reply(lab, 6);
  // The next answer is to this, and nothing else will set the held packet free.
  CHECK(lab.injected(R) == Strings{"x\r\nDATA\r\n ack 0"});
  CHECK(lab.fate(held) == "held");
  lab.acknowledged[1] = 15;
  CHECK(lab.fate(lab.send(R, 8, "354 go\r\n")) == "accept");
  CHECK(lab.injected(R) == Strings{"y ack 0"});
  CHECK(lab.fate(held) == "accept");
}

TEST_CASE("the part that was let go passes again although held packets stand before it") {
  LoopLab lab;
  lab.answer = pause_at_data;
  lab.connect();
  lab.send(I, 0, "DATA\r\n");
  const std::uint32_t held = lab.send(I, 6, "x\r\n");
  // A sender may join what it sends again with what is new.
  CHECK(lab.fate(lab.send(I, 0, "DATA\r\nx\r\ny\r\n")) == "rewrite DATA\r\n");
  reply(lab, 6);
  CHECK(lab.fate(held) == "accept");
  CHECK(lab.injected(R) == Strings{"y\r\n ack 0"});
}

TEST_CASE("a line is judged as it was sent, also where a prefix of it was masked before") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    if (event.text.starts_with("VRFY"))
      orders.mask(event.flow, 3, static_cast<std::uint32_t>(event.text.size() - 3), 'x');
    LoopLab::forward_all(event, orders);
  };
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "VR")) == "accept");
  CHECK(lab.fate(lab.send(I, 2, "FY")) == "rewrite Fx");
  CHECK(lab.fate(lab.send(I, 4, " roo")) == "rewrite xxxx");
  CHECK(lab.fate(lab.send(I, 8, "t\r\nVR\r\n")) == "rewrite x\r\nVR\r\n");
  CHECK(lab.lines == Strings{"I: VR…", "I: VRFY…", "I: VRFY roo…", "I: VRFY root", "I: VR"});
}

TEST_CASE("packets held one after the other keep their own headers") {
  LoopLab lab;
  lab.answer = pause_at_data;
  lab.connect();
  lab.send(I, 0, "DATA\r\n");
  const std::uint32_t first = lab.send(I, 6, "SECRET\r\n");
  const std::uint32_t second = lab.send(I, 14, "SECRET\r\n");
  reply(lab, 6);
  CHECK(lab.fate(first) == "rewrite xxxxxx\r\n");
  CHECK(lab.fate(second) == "rewrite xxxxxx\r\n");
}

TEST_CASE("what was judged good goes before a refusal that the same packet brings") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    if (event.text == "BAD") {
      orders.refuse_with_words(event.flow, "554 no\r\n");
    } else {
      LoopLab::forward_all(event, orders);
    }
  };
  lab.connect();
  SUBCASE("of the initiator") {
    CHECK(lab.fate(lab.send(I, 0, "NOOP\r\nBAD\r\n")) == "rewrite NOOP\r\n");
    CHECK(lab.injected(R) == Strings{"rst@6"});
    CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 11"});
  }
  SUBCASE("of the responder") {
    CHECK(lab.fate(lab.send(R, 0, "250 ok\r\nBAD\r\n")) == "rewrite 250 ok\r\n");
    CHECK(lab.injected(R) == Strings{"rst@0"});
    lab.acknowledged[0] = 17;
    lab.send(I, 0, "", kAck | kFin);
    CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 0", " ack 1"});
  }
}

TEST_CASE("a FIN behind held octets arrives although its packet went on without it") {
  LoopLab lab;
  lab.answer = pause_at_data;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "DATA\r\nQUIT\r\n", kAck | kFin)) == "rewrite DATA\r\n");
  reply(lab, 6);
  CHECK(lab.injected(R) == Strings{"QUIT\r\n<fin> ack 0"});
  lab.acknowledged[1] = 13;
  lab.acknowledged[0] = 8;
  CHECK(lab.fate(lab.send(R, 8, "", kAck | kFin)) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "DATA\r\nQUIT\r\n", kAck | kFin)) == "accept");
  lab.acknowledged[0] = 9;
  CHECK(lab.fate(lab.send(I, 13, "", kAck)) == "accept");
  lab.wait_ms(100);
  CHECK(lab.seen.back().kind == EventKind::closed);
}

TEST_CASE("a FIN that is sent again before it was let go counts as sent") {
  LoopOptions options = LoopLab::with_mail_ports();
  LoopLab lab(options);
  lab.answer = pause_at_data;
  lab.connect();
  lab.send(I, 0, "DATA\r\n");
  std::uint32_t offset = 6;
  // More than are held: the last one, with the FIN, is dropped, and its octets stand in the store.
  for (std::size_t i = 0; i < kHeldPacketsPerSideMax; ++i, offset += 3)
    lab.send(I, offset, "x\r\n");
  CHECK(lab.fate(lab.send(I, offset, "y\r\n", kAck | kFin)) == "drop");
  reply(lab, 6);
  CHECK(lab.injected(R) == Strings{"y\r\n<fin> ack 0"});
  lab.acknowledged[1] = offset + 4;
  CHECK(lab.fate(lab.send(R, 8, "", kAck)) == "accept");
}

TEST_CASE("finwait runs from the second FIN, however long the session was half closed") {
  LoopLab lab;
  lab.connect();
  lab.send(I, 0, "QUIT\r\n", kAck | kFin);
  lab.acknowledged[1] = 7;
  lab.wait_ms(60'000);
  CHECK(lab.fate(lab.send(R, 0, "bye\r\n", kAck | kFin)) == "accept");
  lab.wait_ms(1'000);
  lab.acknowledged[0] = 6;
  CHECK(lab.fate(lab.send(I, 7, "", kAck)) == "accept");
  lab.wait_ms(6'000);
  CHECK(lab.loop.table().size() == 0);
  CHECK(lab.injected(R).empty());
}

TEST_CASE("held octets are cut to what the receiver takes, however little it announced") {
  LoopLab lab;
  lab.answer = pause_at_data;
  std::uint16_t mss = 0;
  std::size_t segments = 1;
  SUBCASE("nothing") {}
  SUBCASE("one octet") {
    mss = 1;
  }
  SUBCASE("fifty octets") {
    mss = 50;
    segments = 2;
  }
  lab.connect(mss);
  const std::string line = std::string(segments == 2 ? 60 : 20, 'a') + "\r\n";
  lab.send(I, 0, "DATA\r\n" + line);
  reply(lab, 6);
  CHECK(lab.injected(R).size() == segments);
}

TEST_CASE("a command behind the one that logs in is judged, and what the server says goes on") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.offload = false;
  LoopLab lab(options);
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.kind != EventKind::line) return;
    if (event.text == "PASS") orders.pause(event.flow, I);
    if (event.text == "+OK in") {
      orders.resume(event.flow, I);
      orders.stop(event.flow, 2);
    }
    if (event.text == "QUIT") {
      orders.again(event.flow);
      for (const Side side : {I, R}) orders.frame(event.flow, side, FramingMode::lines, 512);
    }
  };
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "PASS\r\nQUIT\r\n")) == "rewrite PASS\r\n");
  lab.acknowledged[1] = 6;
  CHECK(lab.fate(lab.send(R, 0, "+OK in\r\n")) == "accept");
  CHECK(lab.injected(R) == Strings{"QUIT\r\n ack 0"});
  lab.acknowledged[1] = 12;
  CHECK(lab.fate(lab.send(R, 0, "+OK in\r\n+OK out\r\n")) == "accept");
  CHECK(lab.lines == Strings{"I: PASS", "R: +OK in", "I: QUIT", "R: +OK out"});
}

}  // namespace postern::test
