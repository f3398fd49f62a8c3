#include "engine/datagram_flows.h"

#include "test/datagram_lab.h"

using namespace postern;
using namespace postern::test;

namespace {

Octets gre() {
  return ipv4_sample(udp_sample(1, 2), {.protocol = 47});
}

Octets wrong_length() {
  return ipv4_sample(udp_sample(4'000, 123, "question", 200), {.protocol = kUdp});
}

Octets wrong_checksum() {
  Octets packet = asked_udp();
  put_checksum(packet, 20, 6, kUdp);
  packet.back() ^= std::byte{1};
  return packet;
}

}  // namespace

TEST_CASE("a datagram that a rule inspects opens a session, its answer completes it") {
  DatagramLab net;
  CHECK(net.from_inside(asked_udp()) == "accept marked");
  REQUIRE(net.lab.seen.size() == 1);
  const SeenEvent& opened = net.lab.seen.front();
  CHECK(opened.kind == EventKind::opened);
  CHECK(opened.flow >= kDatagramFlowBase);
  CHECK((opened.extra & 0xFFU) == static_cast<std::uint32_t>(PortProtocol::udp));
  CHECK((opened.extra >> 8U) == 1);
  CHECK(opened.number == (std::uint64_t{2} << 32U | 1U));
  CHECK(net.count(Counter::flows_half_open) == 1);
  CHECK(net.count(Counter::flows_created) == 1);
  CHECK(net.gate->half_open() == 1);
  CHECK(net.gate->sample().attempts == 1);

  // Nobody has answered, however often it is asked.
  CHECK(net.from_inside(asked_udp(), kMarkSession) == "accept");
  CHECK(net.count(Counter::flows_half_open) == 1);

  CHECK(net.from_outside(answered_udp(), kMarkSession) == "accept");
  CHECK(net.count(Counter::flows_half_open) == 0);
  CHECK(net.count(Counter::flows_established) == 1);
  CHECK(net.gate->half_open() == 0);
  CHECK(net.gate->sample().attempts == 0);
  const DatagramSession& session = net.table().at(opened.flow - kDatagramFlowBase);
  CHECK(session.standing == DatagramStanding::open);
  CHECK(session.bytes == std::array<std::uint64_t, 2>{16, 10});
  CHECK(session.packets == std::array<std::uint64_t, 2>{2, 1});
  CHECK(net.count(Counter::udp_packets) == 3);
  CHECK(net.lab.seen.size() == 1);
}

TEST_CASE("a packet of a session that came without the mark gets it again") {
  // The kernel had forgotten the connection before the session's time was over.
  DatagramLab net;
  CHECK(net.from_inside(asked_udp()) == "accept marked");
  CHECK(net.from_inside(asked_udp()) == "accept marked");
  CHECK(net.from_inside(asked_udp(), kMarkSession | 0x1) == "accept");
}

TEST_CASE("what no rule inspects in its direction passes without becoming a session") {
  DatagramLab net;
  CHECK(net.from_outside(asked_udp()) == "accept");
  CHECK(net.from_outside(asked_udp()) == "accept");
  CHECK(net.from_inside(answered_udp()) == "accept");
  CHECK(net.told(EventKind::opened) == 1);  // the judge is asked once
  CHECK(net.sessions() == 0);
  CHECK(net.count(Counter::flows_created) == 0);
  CHECK(net.gate->half_open() == 0);
  net.lab.wait_ms(31'000);
  CHECK(net.table().size() == 0);
  CHECK(net.told(EventKind::closed) == 0);
}

TEST_CASE("nothing passes because nobody answered") {
  DatagramLab net;
  SUBCASE("the judge fails") {
    net.lab.judge_fails = true;
  }
  SUBCASE("the judge says nothing") {
    net.lab.answer = [](const SeenEvent&, Orders&) {};
  }
  SUBCASE("there is no judge") {
    net.lab.loop.attach({}, nullptr);
  }
  CHECK(net.from_inside(asked_udp()) == "drop");
  CHECK(net.count(Counter::drop_no_session) == 1);
  CHECK(net.table().size() == 0);
}

TEST_CASE("a session that the judge ends at once passes nothing") {
  DatagramLab net;
  net.lab.answer = [](const SeenEvent& event, Orders& orders) {
    if (event.kind == EventKind::opened) orders.end(event.flow, EndReason::refused);
  };
  CHECK(net.from_inside(asked_udp()) == "drop");
  CHECK(net.count(Counter::drop_refused) == 1);
  CHECK(net.table().size() == 0);
  CHECK(net.gate->half_open() == 0);
}

TEST_CASE("packets of one turn wait for one answer") {
  DatagramLab net;
  const std::uint32_t first = net.feed(asked_udp(), kFromInside);
  const std::uint32_t second = net.feed(asked_udp(), kFromInside);
  const std::uint32_t answer = net.feed(answered_udp(), kFromOutside);
  net.lab.turn();
  CHECK(net.fate(first) == "accept marked");
  CHECK(net.fate(second) == "accept marked");
  CHECK(net.fate(answer) == "accept marked");
  CHECK(net.told(EventKind::opened) == 1);
  CHECK(net.count(Counter::flows_established) == 1);
}

TEST_CASE("silence ends a session, and every packet puts it off (cisco-ios 3.5)") {
  DatagramLab net;
  CHECK(net.from_inside(asked_udp()) == "accept marked");
  net.lab.wait_ms(29'000);
  CHECK(net.from_outside(answered_udp(), kMarkSession) == "accept");
  net.lab.wait_ms(29'900);
  CHECK(net.sessions() == 1);
  CHECK(net.told(EventKind::closed) == 0);
  net.lab.wait_ms(200);
  CHECK(net.sessions() == 0);
  REQUIRE(net.told(EventKind::closed) == 1);
  CHECK(net.lab.seen.back().extra == static_cast<std::uint32_t>(EndReason::closed));
  CHECK(net.lab.seen.back().number == 8);
  CHECK(net.lab.sender.sent.empty());  // nobody is reset
  CHECK(net.count(Counter::flows_established) == 0);
  CHECK(net.count(Counter::half_open_expired) == 0);
}

TEST_CASE("one that was never answered leaves the totals when it ends") {
  DatagramLab net;
  CHECK(net.from_inside(asked_udp()) == "accept marked");
  net.lab.wait_ms(30'100);
  CHECK(net.sessions() == 0);
  CHECK(net.gate->half_open() == 0);
  CHECK(net.count(Counter::half_open_expired) == 1);
}

TEST_CASE("each transport has its time, a rule may set another, name servers keep theirs") {
  struct Case {
    Octets packet;
    std::int64_t lives_ms;
    bool with_order;
  };
  const Case cases[] = {{asked_udp(), 30'000, false},  {asked_udp(), 100'000, true},
                        {asked_ping(), 10'000, false}, {asked_ping(), 100'000, true},
                        {asked_udp(53), 5'000, false}, {asked_udp(53), 5'000, true}};
  for (const Case& one : cases) {
    CAPTURE(one.lives_ms);
    DatagramLab net;
    if (one.with_order) {
      net.lab.answer = [](const SeenEvent& event, Orders& orders) {
        if (event.kind == EventKind::opened) orders.idle(event.flow, 100);
      };
    }
    CHECK(net.from_inside(one.packet) == "accept marked");
    net.lab.wait_ms(one.lives_ms - 1);
    CHECK(net.sessions() == 1);
    net.lab.wait_ms(101);
    CHECK(net.sessions() == 0);
  }
}

TEST_CASE("an answer to a session that is over does not open one from outside") {
  DatagramLab net;
  CHECK(net.from_inside(asked_udp()) == "accept marked");
  net.lab.wait_ms(31'000);
  CHECK(net.from_outside(answered_udp(), kMarkSession) == "drop");
  CHECK(net.count(Counter::drop_no_session) == 1);
  REQUIRE(net.lab.sender.recalled_datagrams.size() == 1);
  CHECK(net.lab.sender.recalled_datagrams[0].source.port == 123);
  CHECK(net.lab.sender.recalled_datagrams[0].protocol == kUdp);
  CHECK(net.lab.sender.recalled[0].mask == kMarkSession);
  CHECK(net.table().size() == 0);
  // Without the mark an access list has let it in, which is for the list to say.
  CHECK(net.from_outside(answered_udp()) == "accept");
  CHECK(net.lab.sender.recalled_datagrams.size() == 1);
}

TEST_CASE("who asks again after the session's end opens it again") {
  DatagramLab net;
  CHECK(net.from_inside(asked_ping()) == "accept marked");
  net.lab.wait_ms(15'000);
  CHECK(net.from_inside(asked_ping(), kMarkSession) == "accept");
  CHECK(net.from_outside(answered_ping(), kMarkSession) == "accept");
  CHECK(net.count(Counter::flows_created) == 2);
  CHECK(net.lab.sender.recalled_datagrams.empty());
}

TEST_CASE("a ping: its reply passes, and no other") {
  DatagramLab net;
  CHECK(net.from_outside(answered_ping(), kMarkSession) == "drop");
  CHECK(net.from_inside(asked_ping()) == "accept marked");
  CHECK((net.lab.seen.back().extra & 0xFFU) == static_cast<std::uint32_t>(PortProtocol::icmp));
  CHECK(net.from_outside(answered_ping(701), kMarkSession) == "drop");
  CHECK(net.from_inside(turned(answered_ping())) == "drop");  // the asker does not answer
  CHECK(net.from_outside(turned(icmp_packet(14, 700)), kMarkSession) == "drop");
  CHECK(net.count(Counter::flows_established) == 0);
  CHECK(net.from_outside(answered_ping(), kMarkSession) == "accept");
  CHECK(net.count(Counter::flows_established) == 1);
  CHECK(net.count(Counter::drop_no_session) == 4);
  CHECK(net.count(Counter::icmp_packets) == 6);
}

TEST_CASE("two hosts that ask each other with the same identifier have two sessions") {
  for (const unsigned identifier : {700U, 8U}) {
    DatagramLab net;
    CHECK(net.from_inside(asked_ping(identifier)) == "accept marked");
    CHECK(net.from_outside(turned(asked_ping(identifier))) == "accept");
    CHECK(net.count(Counter::flows_half_open) == 1);
    CHECK(net.count(Counter::flows_established) == 0);
    CHECK(net.table().size() == 2);
  }
}

TEST_CASE("UDP and ICMP with the same numbers are two sessions") {
  DatagramLab net;
  CHECK(net.from_inside(asked_udp(8, 700)) == "accept marked");
  CHECK(net.from_inside(asked_ping(700)) == "accept marked");
  CHECK(net.count(Counter::flows_half_open) == 2);
}

TEST_CASE("IPv6: UDP with its checksum, ping, neighbours") {
  DatagramLab net;
  Octets udp = ipv6_sample(udp_sample(4'000, 123), kUdp);
  CHECK(net.from_inside(udp) == "drop");
  put_checksum(udp, 40, 6, kUdp);
  CHECK(net.from_inside(udp) == "accept marked");
  Octets ping = ipv6_sample(icmp_sample(128, 7), kIcmpv6);
  put_checksum(ping, 40, 2, kIcmpv6);
  CHECK(net.from_inside(ping) == "accept marked");
  Octets pong = turned(ipv6_sample(icmp_sample(129, 7), kIcmpv6));
  put_checksum(pong, 40, 2, kIcmpv6);
  CHECK(net.from_outside(pong, kMarkSession) == "accept");
  Octets neighbour = ipv6_sample(icmp_sample(135, 0), kIcmpv6);
  put_checksum(neighbour, 40, 2, kIcmpv6);
  CHECK(net.from_outside(neighbour) == "drop");
  neighbour[7] = std::byte{255};
  CHECK(net.from_outside(neighbour) == "accept");
  CHECK(net.sessions() == 2);
}

TEST_CASE("an error passes to who sent what it is about, when that belongs to a session") {
  DatagramLab net;
  CHECK(net.from_outside(error_about(asked_udp())) == "drop");
  CHECK(net.from_inside(asked_udp()) == "accept marked");
  CHECK(net.from_outside(error_about(asked_udp())) == "accept");
  CHECK(net.from_outside(error_about(asked_udp(124))) == "drop");
  CHECK(net.from_outside(error_about(asked_ping())) == "drop");
  CHECK(net.from_inside(asked_ping()) == "accept marked");
  CHECK(net.from_outside(error_about(asked_ping())) == "accept");
  // To somebody who did not send it; to nobody in particular, its packet cut off.
  CHECK(net.from_outside(turned(error_about(asked_udp()))) == "drop");
  CHECK(net.from_outside(turned(icmp_packet(3, 0)), kMarkSession) == "drop");
  // An error answers nothing, and puts nothing off.
  CHECK(net.count(Counter::flows_established) == 0);
  CHECK(net.count(Counter::drop_no_session) == 5);
  // Redirects and source quench are never about a session.
  const Octets udp = asked_udp();
  const Octets head(udp.begin(), udp.begin() + 28);
  CHECK(net.from_outside(turned(icmp_packet(5, 0, head)), kMarkSession) == "drop");
}

TEST_CASE("an error about a session of another worker is known by its connection's mark") {
  DatagramLab net;
  CHECK(net.from_outside(error_about(asked_udp()), kMarkSession) == "accept");
}

TEST_CASE("an error about a TCP connection, half-open or established") {
  DatagramLab net;
  net.lab.answer = LoopLab::forward_all;
  const auto about_the_client = [&](std::uint16_t port) {
    SegmentSpec spec = net.lab.spec(Side::initiator, 0, kAck);
    spec.destination.port = port;
    Octets segment(100);
    segment.resize(build_segment(spec, segment));
    const Octets head(segment.begin(), segment.begin() + 28);
    Octets error = icmp_packet(3, 0, head);
    std::copy_n(segment.begin() + 12, 4, error.begin() + 16);  // to the segment's sender
    return error;
  };
  CHECK(net.from_outside(about_the_client(25)) == "drop");
  CHECK(net.lab.fate(net.lab.send_syn(1'460)) == "accept");
  CHECK(net.from_outside(about_the_client(25)) == "accept");
  CHECK(net.from_outside(about_the_client(26)) == "drop");
}

TEST_CASE("what cannot be read is dropped and counted") {
  DatagramLab net;
  CHECK(net.from_inside(wrong_length()) == "drop");
  CHECK(net.from_inside(gre()) == "drop");
  CHECK(net.count(Counter::drop_bad_packet) == 2);
  CHECK(net.from_inside(wrong_checksum()) == "drop");
  CHECK(net.count(Counter::drop_bad_checksum) == 1);
  CHECK(net.from_inside(icmp_packet(42, 0)) == "drop");
  CHECK(net.count(Counter::drop_no_session) == 1);
  CHECK(net.table().size() == 0);
  CHECK(net.told(EventKind::opened) == 0);
}

TEST_CASE("where no rule inspects a transport, what a replay has of it passes unjudged") {
  LoopOptions options = datagram_options();
  options.generic_udp = false;
  DatagramLab net(options);
  CHECK(net.from_outside(asked_udp()) == "accept");
  CHECK(net.from_outside(wrong_length()) == "accept");
  CHECK(net.from_outside(answered_ping()) == "drop");
  CHECK(net.from_inside(asked_ping()) == "accept marked");
  // IPsec around TCP, say, is neither: mail could go by in it.
  CHECK(net.from_outside(gre()) == "drop");
  CHECK(net.count(Counter::udp_packets) == 0);
  CHECK(net.told(EventKind::opened) == 1);
}

TEST_CASE("a drop is reported with its ends and its transport, when the log asks for it") {
  LoopOptions options = datagram_options();
  options.report_drops = true;
  DatagramLab net(options);
  CHECK(net.from_outside(answered_ping(), kMarkSession) == "drop");
  REQUIRE(net.told(EventKind::dropped) == 1);
  const SeenEvent& told = net.lab.seen.front();
  CHECK(told.flow == static_cast<std::uint32_t>(PortProtocol::icmp));
  CHECK(told.extra == static_cast<std::uint32_t>(Counter::drop_no_session));
  REQUIRE(told.text.size() == 54);
  const auto octet = [&](std::size_t at) { return static_cast<unsigned char>(told.text[at]); };
  CHECK(octet(0) == 4);
  CHECK(octet(1) == 198);
  CHECK(octet(17) * 256 + octet(18) == 0);  // who answers has no port
  CHECK(octet(19 + 17) * 256 + octet(19 + 18) == 700);
  CHECK(octet(40) * 256 + octet(41) == 0xBEEF);
  CHECK(net.from_inside(wrong_length()) == "drop");
  CHECK(net.lab.seen.back().flow == static_cast<std::uint32_t>(PortProtocol::udp));

  DatagramLab silent;
  CHECK(silent.from_outside(answered_ping(), kMarkSession) == "drop");
  CHECK(silent.told(EventKind::dropped) == 0);
}

TEST_CASE("a cleared session ends without a word to its ends") {
  DatagramLab net;
  CHECK(net.from_inside(asked_udp()) == "accept marked");
  const std::uint32_t flow = net.lab.seen.back().flow;
  std::vector<std::uint32_t> words(16);
  Orders orders(words, {});
  orders.end(flow, EndReason::cleared);
  CHECK(net.lab.loop.apply_orders(std::span(words).first(orders.length())));
  CHECK(net.sessions() == 0);
  CHECK(net.lab.sender.sent.empty());
  CHECK(net.lab.seen.back().kind == EventKind::closed);
  CHECK(net.lab.seen.back().extra == static_cast<std::uint32_t>(EndReason::cleared));
  // An order that comes too late does no harm, one for no session at all is none.
  CHECK(net.lab.loop.apply_orders(std::span(words).first(orders.length())));
  words[1] = 0xFFFF'FFFFU;
  CHECK_FALSE(net.lab.loop.apply_orders(std::span(words).first(orders.length())));
}

TEST_CASE("a new judge: sessions end when closed, stay when open") {
  for (const bool fail_open : {false, true}) {
    LoopOptions options = datagram_options();
    options.fail_open = fail_open;
    DatagramLab net(options);
    CHECK(net.from_inside(asked_udp()) == "accept marked");
    net.lab.loop.abandon_sessions();
    CHECK(net.sessions() == (fail_open ? 1U : 0U));
    CHECK(net.from_outside(answered_udp(), kMarkSession) == (fail_open ? "accept" : "drop"));
    net.lab.wait_ms(31'000);
    CHECK(net.told(EventKind::closed) == 0);  // it knows none of them
    CHECK(net.gate->half_open() == 0);
  }
}
