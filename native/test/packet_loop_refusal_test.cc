// Stories of refusals and of sessions that end: what each peer is told.
#include <doctest/doctest.h>

#include "loop_lab.h"
#include "packet_samples.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

void refuse_bad(const SeenEvent& event, Orders& orders) {
  if (event.kind == EventKind::line && event.text == "BAD") {
    orders.refuse_with_words(event.flow, "554 no\r\n");
  } else {
    LoopLab::forward_all(event, orders);
  }
}

}  // namespace

TEST_CASE("a refused command is swallowed: RST for the server, words and FIN for the client") {
  LoopLab lab;
  lab.answer = refuse_bad;
  lab.connect();
  lab.send(R, 0, "220 hi\r\n");
  lab.acknowledged[0] = 8;
  lab.send(I, 0, "NOOP\r\n");
  CHECK(lab.fate(lab.send(I, 6, "BAD\r\nRSET\r\n")) == "rst@6");
  CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 17"});
  CHECK(lab.injected(R).empty());

  SUBCASE("the client closes in its turn") {
    lab.acknowledged[0] = 17;
    CHECK(lab.fate(lab.send(I, 17, "", kAck | kFin)) == "drop");
    CHECK(lab.injected(I) == Strings{" ack 18"});
  }
  SUBCASE("the client says nothing: the words are said again, then RST") {
    lab.wait_ms(600);
    CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 17"});
    lab.wait_ms(10'000);
    CHECK(lab.injected(I).back() == "rst@17");
  }
  SUBCASE("what the client still sends is acknowledged and thrown away") {
    CHECK(lab.fate(lab.send(I, 17, "QUIT\r\n")) == "drop");
    CHECK(lab.injected(I) == Strings{" ack 23"});
  }
  SUBCASE("the server's voice no longer reaches the client") {
    lab.acknowledged[1] = 6;
    CHECK(lab.fate(lab.send(R, 8, "250 ok\r\n")) == "drop");
    CHECK(lab.injected(R) == Strings{"rst@6"});
  }
  lab.wait_ms(20'000);
  lab.wait_ms(20'000);
  CHECK(lab.loop.table().size() == 0);
}

TEST_CASE("no words behind half a line of the server's: they would be read as its end") {
  LoopLab lab;
  lab.answer = refuse_bad;
  lab.connect();
  std::uint32_t said = 0;
  const auto say = [&](const std::string& text) {
    lab.send(R, said, text);
    said += static_cast<std::uint32_t>(text.size());
    lab.acknowledged[0] = said;
  };
  say("220 hi\r\n");
  SUBCASE("reset where a line has begun") {
    say("2");
    CHECK(lab.fate(lab.send(I, 0, "BAD\r\n")) == "rst@0");
    CHECK(lab.injected(I) == Strings{"rst@9"});
  }
  SUBCASE("reset where its LF is missing") {
    say("250 ok\r");
    lab.send(I, 0, "BAD\r\n");
    CHECK(lab.injected(I) == Strings{"rst@15"});
  }
  SUBCASE("told where it has ended") {
    say("2");
    say("50 ok\r\n");
    lab.send(I, 0, "BAD\r\n");
    CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 5"});
  }
}

TEST_CASE("a message is heard to its end before the client is told") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    if (event.kind == EventKind::opened) {
      orders.frame(event.flow, I, FramingMode::mail_data, 10);
      orders.frame(event.flow, R, FramingMode::lines, 100);
    } else if (event.kind == EventKind::over_budget) {
      orders.refuse_with_words(event.flow, "552 big\r\n");
    } else {
      LoopLab::forward_all(event, orders);
    }
  };
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "0123456789abc\r\n")).starts_with("rst@"));
  CHECK(lab.injected(I) == Strings{" ack 15"});
  CHECK(lab.fate(lab.send(I, 15, "more\r\n")) == "drop");
  CHECK(lab.injected(I) == Strings{" ack 21"});
  SUBCASE("the end in one packet") {
    lab.send(I, 21, ".\r\n");
  }
  SUBCASE("the end in three") {
    lab.send(I, 21, ".");
    lab.send(I, 22, "\r");
    CHECK(lab.injected(I).size() == 2);
    lab.send(I, 23, "\n");
  }
  CHECK(lab.injected(I) == Strings{"552 big\r\n<fin> ack 24"});
}

static void refuse_look_alikes(const SeenEvent& event, Orders& orders) {
  if (event.kind == EventKind::opened) {
    orders.frame(event.flow, I, FramingMode::mail_data, 1'000);
    orders.frame(event.flow, R, FramingMode::lines, 100);
  } else if (event.kind == EventKind::look_alike) {
    orders.refuse_with_words(event.flow, "554 no\r\n");
  } else {
    LoopLab::forward_all(event, orders);
  }
}

TEST_CASE("a client that ends its message with a look-alike is told when it falls silent") {
  LoopLab lab;
  lab.answer = refuse_look_alikes;
  lab.connect();
  const Strings told{"554 no\r\n<fin> ack 6"};
  SUBCASE("and says nothing more") {
    lab.send(I, 0, "x\n.\nyz");
    CHECK(lab.injected(I) == Strings{" ack 6"});
    lab.wait_ms(20'000);
    CHECK(lab.injected(I).empty());
    // What follows the look-alike was text, and so is this: the end is still to come.
    lab.send(I, 6, "x\r\n.\r\n");
    CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 12"});
  }
  SUBCASE("not before") {
    lab.send(I, 0, "abx\n.\n");
    CHECK(lab.injected(I) == Strings{" ack 6"});
    lab.wait_ms(900);
    CHECK(lab.injected(I).empty());
    lab.wait_ms(200);
    CHECK(lab.injected(I) == told);
  }
  SUBCASE("the look-alike behind the one that was refused") {
    lab.send(I, 0, "\n.\nyz");
    lab.wait_ms(2'000);
    lab.send(I, 5, "\n.\n");
    lab.wait_ms(1'100);
    CHECK(lab.injected(I).back() == "554 no\r\n<fin> ack 8");
  }
  SUBCASE("what it sends all the same is acknowledged, and no RST takes the words away") {
    lab.send(I, 0, "abx\n.\n");
    lab.wait_ms(1'100);
    CHECK(lab.injected(I).back() == told.front());
    lab.acknowledged[0] = 9;
    lab.send(I, 6, "more\r\n");
    CHECK(lab.injected(I) == Strings{" ack 12"});
    lab.wait_ms(30'000);
    CHECK(lab.injected(I).empty());
    lab.wait_ms(31'000);
    CHECK(lab.injected(I) == Strings{"rst@9"});
  }
}

TEST_CASE("a client that falls silent inside a message is told before it is given up") {
  LoopLab lab;
  lab.answer = refuse_look_alikes;
  lab.connect();
  lab.send(I, 0, "x\n.\nyz");
  lab.wait_ms(61'000);
  CHECK(lab.injected(I).back() == "554 no\r\n<fin> ack 6");
  lab.wait_ms(10'000);
  CHECK(lab.injected(I).back() == "rst@9");
}

TEST_CASE("reset means RST to both") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    if (event.text == "BAD") {
      orders.refuse_with_reset(event.flow);
    } else {
      LoopLab::forward_all(event, orders);
    }
  };
  lab.connect();
  lab.send(R, 0, "220 hi\r\n");
  CHECK(lab.fate(lab.send(I, 0, "BAD\r\n")) == "rst@0");
  CHECK(lab.injected(I) == Strings{"rst@8"});
  lab.acknowledged[1] = 0;
  CHECK(lab.fate(lab.send(R, 8, "late\r\n")) == "drop");
  CHECK(lab.injected(R) == Strings{"rst@0"});
}

TEST_CASE("a judge that fails, or forgets a frame, lets nothing pass") {
  LoopLab lab;
  lab.connect();
  SUBCASE("fails") {
    lab.judge_fails = true;
  }
  SUBCASE("forgets") {
    lab.answer = [](const SeenEvent&, Orders&) {};
  }
  SUBCASE("goes on past a spent budget") {
    lab.answer = [](const SeenEvent& event, Orders& orders) {
      orders.forward(event.flow, event.side);
    };
    CHECK(lab.fate(lab.send(I, 0, std::string(600, 'a'))) == "rst@0");
    return;
  }
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "rst@0");
  CHECK(lab.injected(I) == Strings{"rst@0"});
}

TEST_CASE("a flow under way") {
  LoopOptions options = LoopLab::with_mail_ports();
  SUBCASE("is reset at both ends when failing closed") {
    LoopLab lab(options);
    CHECK(lab.fate(lab.send(I, 100, "RSET\r\n")) == "rst@100");
    CHECK(lab.injected(I).size() == 1);
  }
  SUBCASE("passes and is marked when failing open") {
    options.fail_open = true;
    LoopLab lab(options);
    CHECK(lab.fate(lab.send(I, 100, "RSET\r\n")) == "accept");
    CHECK(lab.fate(lab.send(R, 500, "250\r\n")) == "accept");
    CHECK(lab.loop.flow(0).midstream);
    CHECK(lab.seen.front().flags == kMidstream);
  }
}

TEST_CASE("behind IPv6 extension headers nothing is taken for a connection under way") {
  constexpr unsigned kTcp = 6;
  constexpr unsigned kDestinationOptions = 60;
  LoopOptions options = LoopLab::with_mail_ports();
  options.fail_open = true;
  const auto fate_of = [&](Octets packet) {
    TcpPacket read;
    REQUIRE(parse_tcp_packet(packet, read) == ParseError::none);
    write_checksums(read);
    LoopLab lab(options);
    lab.source.feed(std::move(packet));
    lab.turn();
    // One RST each way, without the headers that this one came behind.
    for (const std::vector<std::byte>& reset : lab.sender.sent) CHECK(reset.size() == 60);
    CHECK(lab.sender.sent.size() == (lab.fate(lab.source.last_id()) == "accept" ? 0 : 2));
    return lab.fate(lab.source.last_id());
  };
  CHECK(fate_of(ipv6_sample(tcp_sample())) == "accept");
  const Octets behind = extended(kTcp, {1, 4, 0, 0, 0, 0}, tcp_sample());
  CHECK(fate_of(ipv6_sample(behind, kDestinationOptions)) == "drop");
}

TEST_CASE("TLS leaves the queue: the packets carry the mark, and both ends of it are still seen") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.text == "STARTTLS") orders.stop(event.flow, 1);
  };
  lab.connect();
  const std::uint32_t id = lab.send(I, 0, "STARTTLS\r\n");
  CHECK(lab.source.verdict_of(id)->mark == 0x2);
  const std::uint32_t fin = lab.send(I, 5'000, "", kAck | kFin);
  CHECK(lab.fate(fin) == "accept");
  CHECK(lab.loop.flow(0).bytes[0] == 5'000);
}

TEST_CASE("a judge that was replaced knows no session") {
  LoopOptions options = LoopLab::with_mail_ports();
  SUBCASE("closed: they are reset") {
    LoopLab lab(options);
    lab.connect();
    lab.loop.abandon_sessions();
    CHECK(lab.injected(I) == Strings{"rst@0"});
    CHECK(lab.injected(R) == Strings{"rst@0"});
  }
  SUBCASE("open: they pass unread") {
    options.fail_open = true;
    LoopLab lab(options);
    lab.connect();
    lab.loop.abandon_sessions();
    CHECK(lab.fate(lab.send(I, 0, "ANYTHING\r\n")) == "accept");
    CHECK(lab.lines.empty());
  }
}

TEST_CASE("timers end what nobody ends") {
  LoopLab lab;
  SUBCASE("a handshake that stops after the SYN") {
    SegmentSpec syn = lab.spec(I, 0, kSyn);
    lab.send_spec(syn);
    lab.wait_ms(29'900);
    CHECK(lab.sender.sent.empty());
    lab.wait_ms(200);
    CHECK(lab.injected(R).size() == 1);
    CHECK(lab.injected(I).size() == 1);
    CHECK(lab.loop.counters()[Counter::half_open_expired] == 1);
  }
  SUBCASE("an idle session") {
    lab.connect();
    lab.wait_ms(3'600'100);
    CHECK(lab.injected(R) == Strings{"rst@0"});
    CHECK(lab.injected(I) == Strings{"rst@0"});
  }
  SUBCASE("octets whose reply never comes") {
    lab.answer = [](const SeenEvent& event, Orders& orders) {
      LoopLab::forward_all(event, orders);
      if (event.text == "DATA") orders.pause(event.flow, I);
    };
    lab.connect();
    lab.send(I, 0, "DATA\r\n");
    const std::uint32_t held = lab.send(I, 6, "x\r\n");
    lab.wait_ms(120'100);
    CHECK(lab.fate(held) == "rst@6");
  }
  lab.wait_ms(6'000);
  CHECK(lab.loop.table().size() == 0);
}

TEST_CASE("without a judge and its memory the loop lives, and nothing passes") {
  LoopLab lab;
  lab.connect();
  lab.loop.attach({}, nullptr);
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "rst@0");
}

TEST_CASE("an order reader stops at what is no order") {
  const std::array<std::uint32_t, 3> words{99, 0, 0};
  OrderReader reader(words);
  Order order;
  CHECK_FALSE(reader.next(order));
  CHECK(reader.broken());
}

}  // namespace postern::test
