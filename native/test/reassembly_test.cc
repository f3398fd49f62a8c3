// cisco-ios 3.6, sentence by sentence: what waits out of order, how much of it, and how long.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

/// Octets of an IPv4 packet before its payload, as the lab sends it.
constexpr std::size_t kHeaderOctets = 40;

LoopOptions with_queue(std::size_t packets) {
  LoopOptions options = LoopLab::with_mail_ports();
  options.out_of_order_max = packets;
  return options;
}

LoopOptions with_memory(std::size_t octets) {
  LoopOptions options = LoopLab::with_mail_ports();
  options.out_of_order_bytes_max = octets;
  return options;
}

/// A session of another client port beside the lab's own.
struct OtherClient {
  LoopLab& lab;
  std::uint16_t port;

  std::uint32_t send(Side from, std::uint32_t offset, std::string_view payload,
                     std::uint8_t flags = kAck | kPsh) {
    SegmentSpec made = lab.spec(from, offset, flags);
    (from == I ? made.source : made.destination).port = port;
    made.payload = std::as_bytes(std::span(payload.data(), payload.size()));
    return lab.send_spec(made);
  }
  void connect() {
    SegmentSpec syn = lab.spec(I, 0, kSyn);
    syn.source.port = port;
    --syn.sequence;
    lab.send_spec(syn);
    SegmentSpec answer = lab.spec(R, 0, kSyn | kAck);
    answer.destination.port = port;
    --answer.sequence;
    lab.send_spec(answer);
    CHECK(lab.fate(send(I, 0, "", kAck)) == "accept");
  }
};

/// The alarms, each as "KIND WAITING OCTETS SEQUENCE awaits SEQUENCE", as stream offsets.
Strings alarms(const LoopLab& lab) {
  constexpr std::array<const char*, 5> kNames{"full", "memory", "released", "expired", "deleted"};
  Strings told;
  for (const SeenEvent& event : lab.seen) {
    if (event.kind != EventKind::reassembly) continue;
    const std::uint32_t first = lab.spec(event.side, 0, kAck).sequence;
    const auto sequence = static_cast<std::uint32_t>(event.number);
    const auto awaited = static_cast<std::uint32_t>(event.number >> 32U);
    told.push_back(std::string(kNames.at(event.extra & 0xFFU)) + " " +
                   std::to_string(event.extra >> 8U) + " " + std::to_string(event.flags) + " " +
                   std::to_string(sequence - first) + " awaits " + std::to_string(awaited - first));
  }
  return told;
}

LoopOptions with_alarm(LoopOptions options) {
  options.reassembly_alarm = true;
  return options;
}

}  // namespace

TEST_CASE("reassembly: each direction has a queue of its own") {
  LoopLab lab(with_queue(2));
  lab.connect();
  for (const Side side : {I, R}) {
    CHECK(lab.fate(lab.send(side, 10, "a")) == "held");
    CHECK(lab.fate(lab.send(side, 20, "b")) == "held");
    CHECK(lab.fate(lab.send(side, 30, "c")) == "drop");
  }
  const Counters& counted = lab.loop.counters();
  CHECK(counted[Counter::out_of_order] == 6);
  CHECK(counted[Counter::drop_out_of_order] == 2);
  CHECK(counted[Counter::out_of_order_peak_queue] == 2);
}

TEST_CASE("reassembly: a queue of length 0 keeps nothing, and what comes in order passes") {
  LoopLab lab(with_queue(0));
  lab.connect();
  CHECK(lab.fate(lab.send(I, 6, "RSET\r\n")) == "drop");
  CHECK(lab.loop.flow(0).early_since_ms == 0);
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.fate(lab.send(I, 6, "RSET\r\n")) == "accept");
  CHECK(lab.loop.counters()[Counter::out_of_order_peak_bytes] == 0);
  lab.wait_ms(30'000);
  CHECK(lab.loop.flow(0).stage == FlowStage::open);
}

TEST_CASE("reassembly: a full queue takes the segment that is waited for, and empties") {
  LoopLab lab(with_queue(2));
  lab.connect();
  const std::uint32_t second = lab.send(I, 6, "RSET\r\n");
  const std::uint32_t third = lab.send(I, 12, "QUIT\r\n");
  CHECK(lab.fate(lab.send(I, 18, "x")) == "drop");
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.fate(second) == "accept");
  CHECK(lab.fate(third) == "accept");
  CHECK(lab.lines == Strings{"I: NOOP", "I: RSET", "I: QUIT"});
  CHECK(lab.loop.counters()[Counter::out_of_order_bytes] == 0);
}

TEST_CASE("reassembly: the first expiry keeps the queue, and a gap that closes then is forgiven") {
  LoopLab lab;
  lab.connect();
  const std::uint32_t early = lab.send(I, 6, "RSET\r\n");
  lab.wait_ms(5'100);
  CHECK(lab.fate(early) == "held");
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.fate(early) == "accept");
  // The next gap has both of its times again.
  lab.send(I, 20, "x");
  lab.wait_ms(5'100);
  CHECK(lab.loop.flow(0).stage == FlowStage::open);
}

TEST_CASE("reassembly: the second expiry deletes the session and frees what waited") {
  LoopLab lab;
  lab.connect();
  const std::uint32_t of_client = lab.send(I, 10, "a\r\n");
  const std::uint32_t of_server = lab.send(R, 10, "b\r\n");
  lab.wait_ms(5'100);
  lab.wait_ms(5'100);
  CHECK(lab.fate(of_client) == "drop");
  CHECK(lab.fate(of_server) == "drop");
  CHECK(lab.loop.counters()[Counter::out_of_order_bytes] == 0);
  CHECK(lab.injected(R) == Strings{" ack 0", "rst@0"});
  CHECK(lab.injected(I) == Strings{" ack 0", "rst@0"});
  lab.wait_ms(5'100);
  CHECK(lab.loop.table().size() == 0);
}

TEST_CASE("reassembly: the time is what is configured") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.reassembly_timeout_ms = 60'000;
  LoopLab lab(options);
  lab.connect();
  lab.send(I, 10, "a");
  lab.wait_ms(119'000);
  CHECK(lab.loop.flow(0).stage == FlowStage::open);
  lab.wait_ms(1'200);
  CHECK(lab.loop.flow(0).stage == FlowStage::dead);
}

TEST_CASE("reassembly: memory used up, the tail makes room for what is nearer to the hole") {
  LoopLab lab(with_memory(3 * kHeaderOctets + 30));
  lab.connect();
  const std::uint32_t near = lab.send(I, 20, "0123456789");
  const std::uint32_t far = lab.send(I, 60, "0123456789");
  const std::uint32_t farther = lab.send(I, 80, "0123456789");
  const std::uint32_t middle = lab.send(I, 40, "0123456789");
  CHECK(lab.fate(farther) == "drop");
  CHECK(lab.fate(far) == "held");
  CHECK(lab.fate(middle) == "held");
  CHECK(lab.fate(near) == "held");
  const Counters& counted = lab.loop.counters();
  CHECK(counted[Counter::out_of_order_released] == 1);
  CHECK(counted[Counter::drop_out_of_order] == 1);
  CHECK(counted[Counter::out_of_order_bytes] == 3 * kHeaderOctets + 30);
}

TEST_CASE("reassembly: memory used up, what is farther than all that waits is dropped") {
  LoopLab lab(with_memory(2 * kHeaderOctets + 20));
  lab.connect();
  const std::uint32_t near = lab.send(I, 20, "0123456789");
  const std::uint32_t far = lab.send(I, 60, "0123456789");
  CHECK(lab.fate(lab.send(I, 80, "0123456789")) == "drop");
  // Nor is anything nearer given for it, or for its like.
  CHECK(lab.fate(lab.send(I, 60, "0123456789")) == "drop");
  CHECK(lab.fate(near) == "held");
  CHECK(lab.fate(far) == "held");
  CHECK(lab.loop.counters()[Counter::out_of_order_released] == 0);
}

TEST_CASE("reassembly: nothing is released for a segment that does not fit even then") {
  LoopLab lab(with_memory(2 * kHeaderOctets + 20));
  lab.connect();
  const std::uint32_t near = lab.send(I, 20, "0123456789");
  const std::uint32_t far = lab.send(I, 100, "0123456789");
  CHECK(lab.fate(lab.send(I, 40, std::string(20, 'x'))) == "drop");
  CHECK(lab.fate(near) == "held");
  CHECK(lab.fate(far) == "held");
  CHECK(lab.loop.counters()[Counter::out_of_order_released] == 0);
}

TEST_CASE("reassembly: memory is of all sessions together, and one does not release another's") {
  LoopLab lab(with_memory(2 * kHeaderOctets + 20));
  lab.connect();
  OtherClient other{lab, 40'001};
  other.connect();
  const std::uint32_t first = lab.send(I, 60, "0123456789");
  const std::uint32_t second = lab.send(I, 80, "0123456789");
  CHECK(lab.fate(other.send(I, 20, "0123456789")) == "drop");
  CHECK(lab.fate(first) == "held");
  CHECK(lab.fate(second) == "held");
  // The other session goes on in order all the same.
  CHECK(lab.fate(other.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.loop.flow(1).early_since_ms == 0);
}

TEST_CASE("reassembly alarm: says why a segment was dropped") {
  LoopLab full(with_alarm(with_queue(1)));
  full.connect();
  full.send(R, 0, "220 a\r\n");
  full.send(R, 20, "0123");
  full.send(R, 30, "012345");
  CHECK(alarms(full) == Strings{"full 1 6 30 awaits 7"});
  CHECK(full.seen.back().side == R);

  LoopLab memory(with_alarm(with_memory(2 * kHeaderOctets + 20)));
  memory.connect();
  memory.send(I, 20, "0123456789");
  memory.send(I, 60, "0123456789");
  memory.send(I, 80, "0123456789");
  memory.send(I, 40, "0123456789");
  CHECK(alarms(memory) == Strings{"memory 2 10 80 awaits 0", "released 2 10 60 awaits 0"});
}

TEST_CASE("reassembly alarm: says that the time was up once, and that the session was deleted") {
  LoopLab lab(with_alarm(LoopLab::with_mail_ports()));
  lab.connect();
  lab.send(I, 10, "a\r\n");
  lab.wait_ms(5'100);
  CHECK(alarms(lab) == Strings{"expired 1 0 0 awaits 0"});
  lab.wait_ms(5'100);
  CHECK(alarms(lab).back() == "deleted 1 0 0 awaits 0");
  // Before the session's end, so that it can be told of by name.
  CHECK(lab.seen.back().kind == EventKind::closed);
}

TEST_CASE("reassembly alarm: off, or with nothing to tell, it is silent") {
  LoopLab off(with_queue(0));
  off.connect();
  off.send(I, 10, "a");
  CHECK(alarms(off).empty());

  LoopLab on(with_alarm(with_queue(4)));
  on.connect();
  on.send(I, 6, "RSET\r\n");
  on.send(I, 0, "NOOP\r\n");
  CHECK(alarms(on).empty());
}

TEST_CASE("reassembly: what it drops is reported where dropped packets are") {
  LoopOptions options = with_queue(0);
  options.report_drops = true;
  LoopLab lab(options);
  lab.connect();
  lab.send(I, 10, "a");
  CHECK(lab.seen.back().kind == EventKind::dropped);
  CHECK(lab.seen.back().extra == static_cast<std::uint32_t>(Counter::drop_out_of_order));
}

}  // namespace postern::test
