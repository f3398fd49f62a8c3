// What is told apart by sessions and not by mail: a gate that others share, openings, generic tcp.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;
constexpr std::uint32_t kSession = 0x100;

namespace {

std::uint64_t counted(const LoopLab& lab, Counter counter) {
  return lab.loop.counters()[counter];
}

/// The SYN comes by the gate's own queue, which the loop does not see.
void syn_to(Gate& gate, const LoopLab& lab) {
  SegmentSpec syn = lab.spec(I, 0, kSyn);
  --syn.sequence;
  std::vector<std::byte> bytes(100);
  bytes.resize(build_segment(syn, bytes));
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK(gate.on_syn(packet, lab.now_ms).accept);
}

LoopOptions with_openings() {
  LoopOptions options = LoopLab::with_mail_ports();
  options.mark_session = kSession;
  return options;
}

std::uint32_t mark_of(const LoopLab& lab, std::uint32_t id) {
  const Given* given = lab.source.verdict_of(id);
  return given == nullptr ? 0 : given->mark;
}

std::vector<EndReason> ends(const LoopLab& lab) {
  std::vector<EndReason> reasons;
  for (const SeenEvent& event : lab.seen) {
    if (event.kind == EventKind::closed) reasons.push_back(static_cast<EndReason>(event.extra));
  }
  return reasons;
}

}  // namespace

TEST_CASE("a connection that another thread let begin is completed here") {
  const auto gate = std::make_shared<Gate>(16, 16);
  LoopLab lab(LoopLab::with_mail_ports(), gate);
  syn_to(*gate, lab);
  CHECK(lab.fate(lab.send_syn_ack()) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "accept");
  CHECK(lab.loop.table().size() == 1);
  CHECK(gate->counters()[Counter::flows_half_open] == 0);
  // A shared gate counts for itself.
  CHECK(counted(lab, Counter::flows_created) == 0);
  CHECK(counted(lab, Counter::half_open_answered) == 0);
}

TEST_CASE("a shared gate is let alone by time and by the loop's end") {
  const auto gate = std::make_shared<Gate>(16, 16);
  {
    LoopLab lab(LoopLab::with_mail_ports(), gate);
    syn_to(*gate, lab);
    lab.wait_ms(60'000);
    CHECK(lab.sender.sent.empty());
  }
  CHECK(gate->counters()[Counter::flows_half_open] == 1);
}

TEST_CASE("a connection that began elsewhere ends the one that stood between the same ends") {
  const auto gate = std::make_shared<Gate>(16, 16);
  LoopLab lab(LoopLab::with_mail_ports(), gate);
  syn_to(*gate, lab);
  lab.send_syn_ack();
  lab.send(I, 0, "", kAck);
  SUBCASE("closed at both ends") {
    lab.send(I, 0, "", kAck | kFin);
    lab.acknowledged[1] = 1;
    lab.send(R, 0, "", kAck | kFin);
    lab.acknowledged[0] = 1;
    lab.begin_anew();
    syn_to(*gate, lab);
    CHECK(lab.fate(lab.send_syn_ack()) == "accept");
    CHECK(ends(lab) == std::vector{EndReason::port_reused});
  }
  SUBCASE("refused") {
    lab.answer = [](const SeenEvent& event, Orders& orders) {
      if (event.kind == EventKind::line) orders.refuse_with_words(event.flow, "554 no\r\n");
    };
    lab.send(I, 0, "VRFY\r\n");
    lab.answer = LoopLab::forward_all;
    lab.begin_anew();
    syn_to(*gate, lab);
    CHECK(lab.fate(lab.send_syn_ack()) == "accept");
    CHECK(ends(lab) == std::vector{EndReason::refused});
  }
  SUBCASE("reset") {
    lab.send(I, 0, "", kRst);
    lab.begin_anew();
    syn_to(*gate, lab);
    CHECK(lab.fate(lab.send_syn_ack()) == "accept");
    CHECK(ends(lab) == std::vector{EndReason::reset_by_initiator});
  }
  SUBCASE("open, by a SYN-ACK that fits") {
    lab.begin_anew();
    syn_to(*gate, lab);
    lab.acknowledged[1] = 5;
    CHECK(lab.fate(lab.send_syn_ack()) == "drop");
    CHECK(ends(lab).empty());
    lab.acknowledged[1] = 0;
    CHECK(lab.fate(lab.send_syn_ack()) == "accept");
    CHECK(ends(lab) == std::vector{EndReason::port_reused});
  }
  CHECK(lab.loop.table().size() == 0);
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "accept");
  CHECK(lab.loop.table().size() == 1);
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
}

TEST_CASE("a flow that is open goes on although its ends are in the gate, until it is answered") {
  const auto gate = std::make_shared<Gate>(16, 16);
  LoopLab lab(LoopLab::with_mail_ports(), gate);
  syn_to(*gate, lab);
  lab.send_syn_ack();
  lab.send(I, 0, "", kAck);
  lab.begin_anew();
  syn_to(*gate, lab);
  SUBCASE("octets of the old connection pass") {
    for (std::uint32_t& sequence : lab.initial_sequences) sequence -= 0x1000'0000;
    CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
    CHECK(lab.fate(lab.send(R, 0, "", kRst)) == "accept");
    CHECK(gate->counters()[Counter::flows_half_open] == 1);
  }
  SUBCASE("a responder that has lost it resets the new one only") {
    CHECK(lab.fate(lab.send(R, 0, "", kRst | kAck)) == "accept");
    CHECK(gate->counters()[Counter::flows_half_open] == 0);
    CHECK(lab.loop.flow(0).stage == FlowStage::open);
  }
}

TEST_CASE("the packet that opens a session carries its mark, once") {
  LoopLab lab(with_openings());
  lab.source.mark = 0x1;
  CHECK(mark_of(lab, lab.send_syn()) == (kSession | 0x1));
  lab.source.mark = kSession | 0x1;
  const std::uint32_t again = lab.send_syn();
  CHECK(lab.fate(again) == "accept");
  CHECK(mark_of(lab, lab.send_syn_ack()) == 0);
  CHECK(mark_of(lab, lab.send(I, 0, "", kAck)) == 0);
  CHECK(mark_of(lab, lab.send(I, 0, "NOOP\r\n")) == 0);
}

TEST_CASE("a connection under way that is picked up is a session too") {
  LoopOptions options = with_openings();
  options.fail_open = true;
  LoopLab lab(options);
  lab.source.interfaces = {3, 7};
  CHECK(mark_of(lab, lab.send(R, 0, "220 hi\r\n")) == kSession);
  lab.source.mark = kSession;
  CHECK(mark_of(lab, lab.send(R, 8, "220 hi\r\n")) == 0);
  const Flow& flow = lab.loop.flow(0);
  CHECK(flow.midstream);
  CHECK(flow.in_interface == 7);
  CHECK(flow.out_interface == 3);
  CHECK(counted(lab, Counter::flows_created) == 1);
}

TEST_CASE("an opening without a session is closed") {
  LoopOptions options = with_openings();
  options.fail_open = true;
  LoopLab lab(options);
  lab.source.mark = kSession | 0x1;
  std::uint32_t id = 0;
  SUBCASE("by octets") {
    id = lab.send(R, 0, "220 hi\r\n");
  }
  SUBCASE("by a SYN") {
    id = lab.send_syn();
  }
  SUBCASE("by an RST") {
    id = lab.send(R, 0, "", kRst);
  }
  CHECK(lab.fate(id) == "drop");
  CHECK(counted(lab, Counter::drop_no_session) == 1);
  REQUIRE(lab.sender.recalled.size() == 1);
  CHECK(lab.sender.recalled[0].mask == kSession);
  CHECK(lab.loop.table().size() == 0);
  CHECK(counted(lab, Counter::flows_half_open) == 0);
  CHECK(lab.sender.sent.empty());
}

TEST_CASE("block-non-session is silent to what has no session, and lets sessions begin") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.block_non_session = true;
  SUBCASE("fail open") {
    options.fail_open = true;
  }
  SUBCASE("fail closed") {}
  LoopLab lab(options);
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "drop");
  CHECK(counted(lab, Counter::drop_no_session) == 1);
  CHECK(lab.sender.sent.empty());
  CHECK(lab.sender.recalled.empty());
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
}

TEST_CASE("with generic inspection a port without a protocol is a session of tcp") {
  LoopOptions options = LoopLab::with_mail_ports();
  SUBCASE("asked for") {
    options.generic_tcp = true;
    LoopLab lab(options);
    lab.responder_port = 8'080;
    lab.connect();
    REQUIRE(lab.seen.size() == 1);
    CHECK((lab.seen[0].extra & 0xFFU) == static_cast<std::uint32_t>(PortProtocol::tcp));
  }
  SUBCASE("not asked for") {
    LoopLab lab(options);
    lab.responder_port = 8'080;
    lab.connect();
    CHECK(lab.seen.empty());
    CHECK(lab.loop.flow(0).offloaded != 0);
  }
  SUBCASE("a port of mail stays one") {
    options.generic_tcp = true;
    LoopLab lab(options);
    lab.connect();
    CHECK((lab.seen[0].extra & 0xFFU) == static_cast<std::uint32_t>(PortProtocol::smtp));
  }
}

}  // namespace postern::test
