// Until a connection is a flow: handshakes in every order, with a gate of the loop's own.
#include <doctest/doctest.h>

#include "core/limits.h"
#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

std::uint64_t counted(const LoopLab& lab, Counter counter) {
  return lab.loop.counters()[counter];
}

/// An RST whose numbers are the lab's, moved by so much.
std::uint32_t send_reset(LoopLab& lab, Side from, std::uint8_t flags, std::uint32_t sequence_by,
                         std::uint32_t acknowledgement_by = 0) {
  SegmentSpec reset = lab.spec(from, sequence_by, flags);
  reset.acknowledgement += acknowledgement_by;
  return lab.send_spec(reset);
}

}  // namespace

TEST_CASE("a handshake is an entry of the gate, and a flow when it is complete") {
  LoopLab lab;
  CHECK(lab.fate(lab.send_syn()) == "accept");
  CHECK(lab.loop.table().size() == 0);
  CHECK(counted(lab, Counter::flows_half_open) == 1);
  CHECK(counted(lab, Counter::flows_created) == 1);
  CHECK(lab.fate(lab.send_syn_ack()) == "accept");
  CHECK(counted(lab, Counter::half_open_answered) == 1);
  CHECK(lab.seen.empty());
  lab.now_ms += 40;
  lab.source.interfaces = {3, 7};
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "accept");
  REQUIRE(lab.seen.size() == 1);
  CHECK(lab.seen[0].kind == EventKind::opened);
  CHECK(lab.seen[0].number == ((std::uint64_t{7} << 32U) | 3));
  CHECK(counted(lab, Counter::flows_half_open) == 0);
  CHECK(counted(lab, Counter::flows_established) == 1);
  CHECK(counted(lab, Counter::max_half_open) == 1);
  CHECK(counted(lab, Counter::flows_created) == 1);
  const Flow& flow = lab.loop.flow(0);
  CHECK(flow.created_ms == lab.now_ms - 40);
  CHECK(flow.packets == std::array<std::uint32_t, 2>{2, 1});
  lab.send(I, 0, "NOOP\r\n");
  CHECK(lab.loop.flow(0).packets[0] == 3);
}

TEST_CASE("what is lost in a handshake may come again") {
  LoopLab lab;
  lab.send_syn();
  SUBCASE("the SYN") {
    CHECK(lab.fate(lab.send_syn()) == "accept");
    CHECK(counted(lab, Counter::flows_created) == 1);
    lab.send_syn_ack();
  }
  SUBCASE("the SYN-ACK") {
    lab.send_syn_ack();
    CHECK(lab.fate(lab.send_syn()) == "accept");
    CHECK(lab.fate(lab.send_syn_ack()) == "accept");
    CHECK(counted(lab, Counter::half_open_answered) == 1);
  }
  SUBCASE("the ACK: the SYN-ACK comes again when the flow stands") {
    lab.send_syn_ack();
    lab.send(I, 0, "", kAck);
    CHECK(lab.fate(lab.send_syn_ack()) == "accept");
  }
  SUBCASE("the ACK, and octets come first") {
    lab.send_syn_ack();
    CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
    CHECK(lab.lines == Strings{"I: NOOP"});
    CHECK(lab.loop.flow(0).packets[0] == 2);
    return;
  }
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "accept");
  CHECK(lab.fate(lab.send(R, 0, "220 hi\r\n")) == "accept");
  CHECK(lab.lines == Strings{"R: 220 hi"});
}

TEST_CASE("a handshake in which something does not fit is no flow") {
  LoopLab lab;
  SUBCASE("SYN-ACK without a SYN") {
    CHECK(lab.fate(lab.send_syn_ack()) == "drop");
    CHECK(counted(lab, Counter::drop_no_flow) == 1);
    CHECK(lab.injected(I).empty());
    return;
  }
  lab.send_syn();
  SUBCASE("SYN-ACK of another SYN") {
    lab.acknowledged[1] = 1;
    CHECK(lab.fate(lab.send_syn_ack()) == "drop");
    CHECK(counted(lab, Counter::drop_invalid_acknowledgement) == 1);
    lab.acknowledged[1] = 0;
  }
  SUBCASE("SYN-ACK of the initiator's own") {
    SegmentSpec answer = lab.spec(I, 0, kSyn | kAck);
    --answer.sequence;
    CHECK(lab.fate(lab.send_spec(answer)) == "drop");
    CHECK(counted(lab, Counter::drop_stray) == 1);
  }
  SUBCASE("simultaneous open") {
    SegmentSpec syn = lab.spec(R, 0, kSyn);
    --syn.sequence;
    CHECK(lab.fate(lab.send_spec(syn)) == "drop");
    CHECK(counted(lab, Counter::drop_stray) == 1);
  }
  SUBCASE("octets before the SYN-ACK") {
    CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "drop");
    CHECK(lab.fate(lab.send(R, 0, "220 hi\r\n")) == "drop");
    CHECK(counted(lab, Counter::drop_stray) == 2);
  }
  SUBCASE("an ACK of another SYN-ACK") {
    lab.send_syn_ack();
    lab.acknowledged[0] = 1;
    CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "drop");
    CHECK(counted(lab, Counter::drop_invalid_acknowledgement) == 1);
    lab.acknowledged[0] = 0;
  }
  SUBCASE("the responder speaks before it is confirmed") {
    lab.send_syn_ack();
    CHECK(lab.fate(lab.send(R, 0, "220 hi\r\n")) == "drop");
  }
  CHECK(lab.loop.table().size() == 0);
  CHECK(counted(lab, Counter::flows_half_open) == 1);
  lab.send_syn_ack();
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "accept");
  CHECK(lab.loop.table().size() == 1);
}

TEST_CASE("an RST ends a handshake where it fits, and only there") {
  LoopLab lab;
  lab.send_syn();
  SUBCASE("the port is closed") {
    CHECK(lab.fate(send_reset(lab, R, kRst | kAck, 0)).starts_with("accept"));
  }
  SUBCASE("the responder takes its answer back") {
    lab.send_syn_ack();
    CHECK(lab.fate(send_reset(lab, R, kRst, 0)) == "accept");
  }
  SUBCASE("the initiator gives up before an answer") {
    CHECK(lab.fate(send_reset(lab, I, kRst, 0)) == "accept");
  }
  SUBCASE("the initiator wants no answer") {
    lab.send_syn_ack();
    CHECK(lab.fate(send_reset(lab, I, kRst, 0)) == "accept");
  }
  SUBCASE("not from the responder without the SYN's number") {
    CHECK(lab.fate(send_reset(lab, R, kRst | kAck, 0, 1)) == "drop");
    CHECK(lab.fate(send_reset(lab, R, kRst, 0)) == "drop");
    CHECK(counted(lab, Counter::flows_half_open) == 1);
    return;
  }
  SUBCASE("not from the initiator beside its number") {
    lab.send_syn_ack();
    CHECK(lab.fate(send_reset(lab, I, kRst, 1)) == "drop");
    CHECK(lab.fate(send_reset(lab, I, kRst, 0xFFFF'FFFF)) == "drop");
    CHECK(counted(lab, Counter::flows_half_open) == 1);
    return;
  }
  CHECK(counted(lab, Counter::half_open_reset) == 1);
  CHECK(counted(lab, Counter::flows_half_open) == 0);
  CHECK(lab.fate(lab.send_syn()) == "accept");
}

TEST_CASE("a handshake that nobody ends is ended at both ends with exact numbers") {
  LoopLab lab;
  lab.send_syn();
  lab.send_syn_ack();
  lab.wait_ms(30'100);
  CHECK(lab.injected(R) == Strings{"rst@0"});
  CHECK(lab.injected(I) == Strings{"rst@0"});
  CHECK(counted(lab, Counter::half_open_expired) == 1);
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "rst@0");
  CHECK(counted(lab, Counter::drop_midstream) == 1);
}

TEST_CASE("the same ports begin anew") {
  LoopLab lab;
  SUBCASE("after both have closed") {
    lab.connect();
    lab.send(I, 0, "", kAck | kFin);
    lab.acknowledged[1] = 1;
    lab.send(R, 0, "", kAck | kFin);
    lab.acknowledged[0] = 1;
    lab.send(I, 1, "", kAck);
  }
  SUBCASE("after a refusal in words") {
    lab.answer = [](const SeenEvent& event, Orders& orders) {
      if (event.text == "VRFY") return orders.refuse_with_words(event.flow, "554 no\r\n");
      LoopLab::forward_all(event, orders);
    };
    lab.connect();
    lab.send(I, 0, "VRFY\r\n");
    CHECK(counted(lab, Counter::flows_terminating) == 1);
  }
  SUBCASE("after an RST") {
    lab.connect();
    lab.send(I, 0, "", kRst);
  }
  lab.begin_anew();
  lab.answer = LoopLab::forward_all;
  lab.connect();
  CHECK(counted(lab, Counter::flows_created) == 2);
  CHECK(counted(lab, Counter::flows_established) == 1);
  CHECK(counted(lab, Counter::flows_terminating) == 0);
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
}

TEST_CASE("a SYN-ACK without a SYN is no connection under way, failing open or not") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.fail_open = true;
  LoopLab lab(options);
  CHECK(lab.fate(lab.send_syn_ack()) == "drop");
  CHECK(lab.loop.table().size() == 0);
  // The initiator sends its SYN again, and is read.
  lab.send_syn();
  lab.send_syn_ack();
  lab.send(I, 0, "", kAck);
  REQUIRE(lab.loop.table().size() == 1);
  CHECK_FALSE(lab.loop.flow(0).midstream);
}

TEST_CASE("connections under way are reset at so many a second, further segments only dropped") {
  LoopLab lab;
  for (std::uint32_t i = 0; i < kMidstreamResetsASecond; ++i) lab.send(I, 0, "", kAck);
  CHECK(counted(lab, Counter::resets_limited) == 0);
  CHECK(counted(lab, Counter::injected) == kMidstreamResetsASecond);
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "drop");
  CHECK(counted(lab, Counter::resets_limited) == 1);
  CHECK(counted(lab, Counter::injected) == kMidstreamResetsASecond);
  CHECK(counted(lab, Counter::drop_midstream) == kMidstreamResetsASecond + 1);
  lab.wait_ms(10);
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "rst@0");
}

TEST_CASE("a full table of flows keeps the handshake, so that it may succeed later") {
  LoopLab lab;
  lab.connect();
  const auto occupy = [&](std::uint16_t port) {
    SegmentSpec syn = lab.spec(I, 0, kSyn);
    syn.source.port = port;
    --syn.sequence;
    lab.send_spec(syn);
    SegmentSpec answer = lab.spec(R, 0, kSyn | kAck);
    answer.destination.port = port;
    --answer.sequence;
    lab.send_spec(answer);
    SegmentSpec last = lab.spec(I, 0, kAck);
    last.source.port = port;
    return lab.send_spec(last);
  };
  for (std::uint16_t port = 1; port < 64; ++port) occupy(port);
  CHECK(lab.loop.table().size() == 64);
  CHECK(lab.fate(occupy(64)) == "drop");
  CHECK(counted(lab, Counter::drop_flow_table_full) == 1);
  lab.send(I, 0, "", kRst);
  lab.wait_ms(5'100);
  CHECK(lab.fate(occupy(64)) == "accept");
}

}  // namespace postern::test
