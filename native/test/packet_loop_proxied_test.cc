// Connections whose initiator was answered by the kernel's SYNPROXY: it acknowledges in the
// cookie's numbers, everything else stands in the responder's own.
#include <doctest/doctest.h>

#include "core/limits.h"
#include "half_open_script.h"
#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

constexpr std::uint8_t kForward = 2;
constexpr std::uint8_t kLocalOut = 3;
constexpr std::uint32_t kCookie = 0x1234'5678;
constexpr std::uint32_t kClientSide = 7;
constexpr std::uint32_t kServerSide = 8;

std::uint32_t shift_of(const LoopLab& lab) {
  return kCookie - lab.initial_sequences[1];
}

/// The SYN that the kernel sends for a client that has brought the cookie back.
std::uint32_t send_proxy_syn(LoopLab& lab) {
  lab.source.hook = kLocalOut;
  SegmentSpec syn = lab.spec(I, 0, kSyn);
  --syn.sequence;
  syn.acknowledgement = kCookie;
  syn.acknowledgement_shift = 0;
  lab.source.interfaces = {0, kServerSide};
  const std::uint32_t id = lab.send_spec(syn);
  lab.source.hook = kForward;
  return id;
}

void connect_by_proxy(LoopLab& lab) {
  CHECK(lab.fate(send_proxy_syn(lab)) == "accept");
  lab.source.interfaces = {kServerSide, kClientSide};
  CHECK(lab.fate(lab.send_syn_ack()) == "accept");
  // The kernel's own last packet passes by the queue.
  lab.source.interfaces = {kClientSide, kServerSide};
  lab.initiator_shift = shift_of(lab);
}

/// The acknowledgement that went on in a packet.
std::uint32_t acknowledgement_in(std::vector<std::byte> bytes) {
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  return packet.acknowledgement;
}

void judge_words(const SeenEvent& event, Orders& orders) {
  if (event.kind == EventKind::line && event.text == "BAD") {
    orders.refuse_with_words(event.flow, "554 no\r\n");
  } else if (event.kind == EventKind::line && event.text == "ETRN x") {
    orders.mask(event.flow, 0, 4, 'X');
    orders.forward(event.flow, event.side);
  } else {
    LoopLab::forward_all(event, orders);
  }
}

}  // namespace

TEST_CASE("a dialogue behind the proxy is read like any other, and keeps its own numbers") {
  LoopLab lab;
  lab.answer = judge_words;
  connect_by_proxy(lab);
  CHECK(lab.loop.flow(0).acknowledgement_shift == shift_of(lab));
  CHECK(lab.loop.flow(0).in_interface == kClientSide);
  CHECK(lab.loop.flow(0).out_interface == kServerSide);
  CHECK(lab.fate(lab.send(R, 0, "220 hi\r\n")) == "accept");
  lab.acknowledged[0] = 8;
  const std::uint32_t plain = lab.send(I, 0, "NOOP\r\n");
  CHECK(lab.fate(plain) == "accept");
  CHECK(acknowledgement_in(lab.source.verdict_of(plain)->bytes) == kCookie + 9);
  lab.acknowledged[1] = 6;
  CHECK(lab.fate(lab.send(R, 8, "250 ok\r\n")) == "accept");
  lab.acknowledged[0] = 16;
  const std::uint32_t masked = lab.send(I, 6, "ETRN x\r\n");
  CHECK(lab.fate(masked) == "rewrite XXXX x\r\n");
  CHECK(acknowledgement_in(lab.source.verdict_of(masked)->bytes) == kCookie + 17);

  SUBCASE("a mask stays in what is sent again, and so do the numbers") {
    const std::uint32_t again = lab.send(I, 6, "ETRN x\r\n");
    CHECK(lab.fate(again) == "rewrite XXXX x\r\n");
    CHECK(acknowledgement_in(lab.source.verdict_of(again)->bytes) == kCookie + 17);
  }
  SUBCASE("closes in order, and is over") {
    CHECK(lab.fate(lab.send(I, 14, "", kAck | kFin)) == "accept");
    lab.acknowledged[1] = 15;
    CHECK(lab.fate(lab.send(R, 16, "", kAck | kFin)) == "accept");
    lab.acknowledged[0] = 17;
    CHECK(lab.fate(lab.send(I, 15, "", kAck)) == "accept");
    CHECK(lab.loop.flow(0).tracker.over());
    lab.wait_ms(6'000);
    CHECK(lab.loop.table().size() == 0);
    CHECK(lab.injected(R).empty());
  }
  SUBCASE("an acknowledgement of what was never sent is refused as strictly as ever") {
    lab.acknowledged[0] = 17;
    CHECK(lab.fate(lab.send(I, 14, "", kAck)) == "drop");
    CHECK(lab.loop.counters()[Counter::drop_invalid_acknowledgement] == 1);
  }
  SUBCASE("one in the responder's own numbers is not the client's") {
    lab.initiator_shift = 0;
    CHECK(lab.fate(lab.send(I, 14, "NOOP\r\n")) == "drop");
  }
  SUBCASE("from the kernel itself they are the responder's own") {
    lab.initiator_shift = 0;
    lab.source.hook = kLocalOut;
    CHECK(lab.fate(lab.send(I, 14, "", kAck)) == "accept");
    lab.source.hook = kForward;
    lab.initiator_shift = shift_of(lab);
  }
}

TEST_CASE("a refusal through the proxy: the words in the responder's numbers, RST exact") {
  LoopLab lab;
  lab.answer = judge_words;
  connect_by_proxy(lab);
  lab.send(R, 0, "220 hi\r\n");
  lab.acknowledged[0] = 8;
  lab.send(I, 0, "NOOP\r\n");
  const std::uint32_t refused = lab.send(I, 6, "BAD\r\n");
  CHECK(lab.fate(refused) == "rst@6");
  CHECK(acknowledgement_in(lab.source.verdict_of(refused)->bytes) == kCookie + 9);
  REQUIRE(lab.sender.sent.size() == 1);
  TcpPacket words;
  std::vector<std::byte> bytes = lab.sender.sent.front();
  REQUIRE(parse_tcp_packet(bytes, words) == ParseError::none);
  CHECK(words.sequence == lab.initial_sequences[1] + 9);
  CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 11"});
  SUBCASE("the client has heard it and closes") {
    lab.acknowledged[0] = 17;
    CHECK(lab.fate(lab.send(I, 11, "", kAck | kFin)) == "drop");
    CHECK(lab.injected(I) == Strings{" ack 12"});
    lab.wait_ms(6'000);
    CHECK(lab.loop.table().size() == 0);
  }
  SUBCASE("the server still speaks: RST in the client's name, with the cookie's numbers") {
    lab.acknowledged[1] = 6;
    lab.send(R, 8, "250 ok\r\n");
    REQUIRE(lab.sender.sent.size() == 1);
    CHECK(acknowledgement_in(lab.sender.sent.front()) == kCookie + 1 + 16);
    CHECK(lab.injected(R) == Strings{"rst@6"});
  }
  SUBCASE("a client that says nothing is reset where it stands") {
    lab.wait_ms(10'000);
    CHECK(lab.injected(I).back() == "rst@17");
  }
}

TEST_CASE("octets that are held and let go later stand in the numbers of their own side") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.text == "DATA") orders.pause(event.flow, I);
    if (event.text == "354 go") orders.resume(event.flow, I);
  };
  connect_by_proxy(lab);
  const std::uint32_t both = lab.send(I, 0, "DATA\r\nfirst\r\n");
  CHECK(lab.fate(both) == "rewrite DATA\r\n");
  const std::uint32_t held = lab.send(I, 13, "second\r\n");
  CHECK(lab.fate(held) == "held");
  SUBCASE("until the reply: the first part is sent anew") {
    lab.acknowledged[1] = 6;
    CHECK(lab.fate(lab.send(R, 0, "354 go\r\n")) == "accept");
    CHECK(lab.fate(held) == "accept");
    REQUIRE(lab.sender.sent.size() == 1);
    CHECK(acknowledgement_in(lab.sender.sent.front()) == kCookie + 1);
    CHECK(lab.injected(R) == Strings{"first\r\n ack 0"});
  }
  SUBCASE("too long: RST both ways") {
    lab.wait_ms(120'100);
    CHECK(lab.fate(held) == "rst@6");
    CHECK(acknowledgement_in(lab.source.verdict_of(held)->bytes) == kCookie + 1);
    CHECK(lab.injected(I) == Strings{"rst@0"});
  }
  SUBCASE("the client's own RST is made exact") {
    const std::uint32_t reset = lab.send(I, 21, "", kRst | kAck);
    CHECK(lab.fate(reset) == "rst@6");
    CHECK(acknowledgement_in(lab.source.verdict_of(reset)->bytes) == kCookie + 1);
  }
}

TEST_CASE("the answer makes the session, and comes again as long as nobody has heard it") {
  LoopLab lab;
  CHECK(lab.fate(send_proxy_syn(lab)) == "accept");
  SUBCASE("of another SYN: nothing") {
    SegmentSpec wrong = lab.spec(R, 0, kSyn | kAck);
    --wrong.sequence;
    ++wrong.acknowledgement;
    CHECK(lab.fate(lab.send_spec(wrong)) == "drop");
    CHECK(lab.loop.table().size() == 0);
    CHECK(lab.loop.counters()[Counter::flows_half_open] == 1);
  }
  SUBCASE("of this one, twice") {
    CHECK(lab.fate(lab.send_syn_ack()) == "accept");
    CHECK(lab.loop.table().size() == 1);
    CHECK(lab.loop.counters()[Counter::flows_half_open] == 0);
    CHECK(lab.fate(lab.send_syn_ack()) == "accept");
    CHECK(lab.loop.counters()[Counter::flows_established] == 1);
    lab.initiator_shift = shift_of(lab);
    CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
    CHECK(lab.fate(lab.send(R, 0, "220 hi\r\n")) == "accept");
    CHECK(lab.fate(lab.send_syn_ack()) == "drop");
  }
  SUBCASE("RST: nothing is left") {
    SegmentSpec reset = lab.spec(R, 0, kRst | kAck);
    reset.sequence = 0;
    CHECK(lab.fate(lab.send_spec(reset)) == "accept");
    CHECK(lab.loop.counters()[Counter::flows_half_open] == 0);
    CHECK(lab.loop.table().size() == 0);
  }
}

TEST_CASE("RST to both ends of an idle connection, after the flow has rested") {
  LoopLab lab;
  connect_by_proxy(lab);
  CHECK(lab.fate(lab.send(R, 0, "220 hi\r\n")) == "accept");
  lab.acknowledged[0] = 8;
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "accept");
  CHECK(lab.loop.flows_awake() == 0);
  lab.wait_ms(3'600'100);
  REQUIRE(lab.sender.sent.size() == 2);
  CHECK(acknowledgement_in(lab.sender.sent.front()) == kCookie + 9);
  CHECK(lab.injected(R) == Strings{"rst@0"});
  CHECK(lab.injected(I) == Strings{"rst@8"});
}

TEST_CASE("an ordinary connection is never shifted") {
  LoopLab lab;
  SUBCASE("a SYN from the network may say what it likes where no acknowledgement is") {
    SegmentSpec syn = lab.spec(I, 0, kSyn);
    --syn.sequence;
    syn.acknowledgement = kCookie;
    CHECK(lab.fate(lab.send_spec(syn)) == "accept");
  }
  SUBCASE("the router's own SYN says nothing there") {
    lab.source.hook = kLocalOut;
    CHECK(lab.fate(lab.send_syn()) == "accept");
    lab.source.hook = kForward;
  }
  CHECK(lab.fate(lab.send_syn_ack()) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "accept");
  CHECK(lab.loop.flow(0).acknowledgement_shift == 0);
  lab.send(R, 0, "220 hi\r\n");
  lab.acknowledged[0] = 8;
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  lab.initiator_shift = shift_of(lab);
  CHECK(lab.fate(lab.send(I, 6, "NOOP\r\n")) == "drop");
}

TEST_CASE("the same ends again, without the proxy: nothing of the first connection is left") {
  LoopLab lab;
  connect_by_proxy(lab);
  CHECK(lab.fate(lab.send(I, 0, "", kRst)) == "accept");
  lab.begin_anew();
  lab.initiator_shift = 0;
  CHECK(lab.fate(lab.send_syn()) == "accept");
  CHECK(lab.fate(lab.send_syn_ack()) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "accept");
  CHECK(lab.loop.flow(0).acknowledgement_shift == 0);
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
}

TEST_CASE("given up before the server answered, the initiator is reset where it stands") {
  LoopLab lab;
  send_proxy_syn(lab);
  lab.wait_ms(30'100);
  std::vector<std::byte> bytes = lab.sender.sent.back();
  TcpPacket reset;
  REQUIRE(parse_tcp_packet(bytes, reset) == ParseError::none);
  CHECK(reset.sequence == kCookie + 1);
}

TEST_CASE("cookies of entries: each index its own, forgotten with the next entry") {
  ProxiedTable table;
  table.set(3, Proxied{.sequence = 30});
  CHECK(table.find(3)->sequence == 30);
  CHECK_FALSE(table.find(4));
  SUBCASE("another entry on its place takes it") {
    const std::uint32_t same_place = 3 + static_cast<std::uint32_t>(kProxiedMax);
    table.set(same_place, std::nullopt);
    CHECK(table.find(3)->sequence == 30);
    table.set(same_place, Proxied{.sequence = 40});
    CHECK_FALSE(table.find(3));
    CHECK(table.find(same_place)->sequence == 40);
  }
  SUBCASE("an ordinary entry gets the index") {
    table.set(3, std::nullopt);
    CHECK_FALSE(table.find(3));
  }
}

TEST_CASE("an ordinary connection on an index that a proxied one had") {
  Gate gate(1, 1);
  CHECK(gate.on_syn(syn_of(ends_of(1)), 0, Proxied{.sequence = 5}).accept);
  CHECK(gate.find(ends_of(1).initiator, ends_of(1).responder)->proxied->sequence == 5);
  CHECK(gate.on_syn(syn_of(ends_of(2)), 0).accept);
  CHECK_FALSE(gate.find(ends_of(2).initiator, ends_of(2).responder)->proxied);
}

}  // namespace postern::test
