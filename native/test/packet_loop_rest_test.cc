// Flows with nothing under way: what they cost, and that nobody can tell that they were put down.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

/// What a source must do, and no memory of it.
class ForgetfulSource final : public PacketSource {
 public:
  ReceiveStatus receive(std::span<ReceivedPacket> packets, std::size_t& count) noexcept override {
    count = waiting ? 1 : 0;
    if (waiting) packets[0] = {.id = ++id, .bytes = bytes};
    waiting = false;
    return count > 0 ? ReceiveStatus::packets : ReceiveStatus::none;
  }
  void verdict(std::uint32_t, const Verdict& verdict) noexcept override {
    accepted += verdict.accept ? 1U : 0U;
  }
  void flush() noexcept override {}
  [[nodiscard]] int descriptor() const noexcept override { return -1; }
  [[nodiscard]] const SourceCounters& counters() const noexcept override { return counters_; }
  [[nodiscard]] const char* error() const noexcept override { return ""; }

  std::span<std::byte> bytes;
  bool waiting = false;
  std::uint32_t id = 0;
  std::size_t accepted = 0;

 private:
  SourceCounters counters_;
};

/// Lines on both sides, for every flow that opens.
class LineJudge final : public Judge {
 public:
  explicit LineJudge(PacketLoop& loop) { loop.attach({events_, arena_, orders_, {}}, this); }
  [[nodiscard]] std::size_t judge(std::uint32_t events) noexcept override {
    Orders orders(orders_, {});
    for (std::uint32_t i = 0; i < events; ++i) {
      const std::uint32_t* word = &events_[kEventHeaderWords + kEventWords * std::size_t{i}];
      if (static_cast<EventKind>(word[0] & 0xFFU) != EventKind::opened) continue;
      orders.frame(word[1], I, FramingMode::lines, 512);
      orders.frame(word[1], R, FramingMode::lines, 512);
    }
    return orders.length();
  }

 private:
  std::vector<std::uint32_t> events_ =
      std::vector<std::uint32_t>(kEventHeaderWords + 8 * kEventWords);
  std::vector<std::byte> arena_ = std::vector<std::byte>(65'536);
  std::vector<std::uint32_t> orders_ = std::vector<std::uint32_t>(kOrderWordsMax);
};

void put_segment(PacketLoop& loop, ForgetfulSource& source, const SegmentSpec& spec) {
  std::array<std::byte, 100> packet;
  source.bytes = std::span(packet).first(build_segment(spec, packet));
  source.waiting = true;
  loop.turn(1'000);
}

void connect(PacketLoop& loop, ForgetfulSource& source, std::uint32_t number) {
  SegmentSpec spec;
  spec.source.address.octets = {std::byte{10}, static_cast<std::byte>(number >> 16U)};
  spec.source.port = static_cast<std::uint16_t>(number);
  spec.destination.address.octets = {std::byte{192}, std::byte{168}};
  spec.destination.port = 25;
  spec.window = 60'000;
  spec.sequence = 1'000;
  spec.flags = kSyn;
  put_segment(loop, source, spec);
  SegmentSpec answer = spec;
  std::swap(answer.source, answer.destination);
  answer.sequence = 5'000;
  answer.acknowledgement = 1'001;
  answer.flags = kSyn | kAck;
  put_segment(loop, source, answer);
  spec.sequence = 1'001;
  spec.acknowledgement = 5'001;
  spec.flags = kAck;
  put_segment(loop, source, spec);
}

std::size_t resident_octets() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("a hundred thousand idle sessions cost a worker less than 400 octets each") {
  constexpr std::uint32_t kSessions = 100'000;
  ForgetfulSource source;
  FakeSender sender;
  PacketLoop loop(source, sender, LoopRoom{});
  LoopOptions options = LoopLab::with_mail_ports();
  loop.configure(options);
  LineJudge judge(loop);
  const std::size_t before = resident_octets();
  for (std::uint32_t i = 0; i < kSessions; ++i) connect(loop, source, i);
  const std::size_t octets = (resident_octets() - before) / kSessions;
  CHECK(source.accepted == 3 * std::size_t{kSessions});
  CHECK(loop.table().size() == kSessions);
  CHECK(loop.flows_awake() == 0);
  CHECK(loop.used_chunks() == 0);
  MESSAGE("octets a session: ", octets, "; record ", sizeof(RestingFlow), ", awake ", sizeof(Flow));
#if !defined(__SANITIZE_ADDRESS__)
  CHECK(octets <= 400);
#endif
}

TEST_CASE("a flow rests when all is judged, sent and acknowledged, and goes on as if it had not") {
  LoopLab lab;
  lab.connect();
  CHECK(lab.loop.flows_awake() == 0);
  lab.send(R, 0, "220 hi\r\n");
  CHECK(lab.loop.flows_awake() == 1);
  lab.acknowledged[0] = 8;
  lab.send(I, 0, "", kAck);
  CHECK(lab.loop.flows_awake() == 0);
  SUBCASE("a line") {
    CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
    CHECK(lab.lines == Strings{"R: 220 hi", "I: NOOP"});
  }
  SUBCASE("a line in two pieces, with a rest that may not be") {
    lab.send(I, 0, "NO");
    lab.acknowledged[1] = 2;
    lab.send(R, 8, "", kAck);
    CHECK(lab.loop.flows_awake() == 1);
    lab.send(I, 2, "OP\r\n");
    CHECK(lab.lines.back() == "I: NOOP");
  }
  SUBCASE("the budget of a line holds") {
    lab.answer = [](const SeenEvent& event, Orders& orders) {
      if (event.kind == EventKind::over_budget) orders.refuse_with_reset(event.flow);
    };
    lab.send(I, 0, std::string(513, 'x') + "\r\n");
    CHECK(std::ranges::count(lab.seen, EventKind::over_budget, &SeenEvent::kind) == 1);
  }
  SUBCASE("what is retransmitted although it was acknowledged passes") {
    CHECK(lab.fate(lab.send(R, 0, "220 hi\r\n")) == "accept");
    CHECK(lab.lines == Strings{"R: 220 hi"});
  }
  SUBCASE("a FIN, and finwait") {
    lab.send(I, 0, "", kAck | kFin);
    lab.acknowledged[1] = 1;
    lab.send(R, 8, "", kAck | kFin);
    lab.acknowledged[0] = 9;
    lab.send(I, 1, "", kAck);
    CHECK(lab.loop.flows_awake() == 0);
    CHECK(lab.loop.flow(0).bytes == std::array<std::uint64_t, 2>{0, 8});
    lab.wait_ms(6'000);
    CHECK(lab.loop.table().size() == 0);
  }
  SUBCASE("the idle time") {
    lab.wait_ms(3'600'100);
    CHECK(lab.injected(R) == Strings{"rst@0"});
    CHECK(lab.injected(I) == Strings{"rst@8"});
  }
  SUBCASE("an RST beside its place is refused, and one in place ends it") {
    CHECK(lab.fate(lab.send(R, 9, "", kRst)) == "drop");
    CHECK(lab.fate(lab.send(R, 8, "", kRst)) == "accept");
  }
  SUBCASE("orders from outside") {
    const std::array<std::uint32_t, 3> end{10, 0, static_cast<std::uint32_t>(EndReason::cleared)};
    CHECK(lab.loop.apply_orders(end));
    CHECK(lab.injected(R) == Strings{"rst@0"});
    CHECK(lab.loop.flow(0).stage == FlowStage::dead);
  }
}

TEST_CASE("a flow does not rest while something of it waits") {
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
  SUBCASE("early packets") {
    lab.send(I, 6, "QUIT\r\n");
  }
  SUBCASE("held packets") {
    lab.send(I, 0, "DATA\r\nx");
  }
  SUBCASE("message data under way") {
    lab.send(I, 0, "DATA\r\n");
    lab.acknowledged[1] = 6;
    lab.send(R, 0, "354 go\r\n");
    lab.acknowledged[0] = 8;
    lab.send(I, 6, "x\r\n");
    lab.acknowledged[1] = 9;
    lab.send(R, 8, "", kAck);
    CHECK(lab.fate(lab.send(I, 9, ".\r\n")) == "accept");
    CHECK(lab.seen.back().kind == EventKind::data_end);
  }
  CHECK(lab.loop.flows_awake() == 1);
}

TEST_CASE("a paused side that rests is still paused") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.text == "DATA") orders.pause(event.flow, I);
  };
  lab.connect();
  lab.send(I, 0, "DATA\r\n");
  lab.acknowledged[1] = 6;
  lab.send(R, 0, "", kAck);
  CHECK(lab.loop.flows_awake() == 0);
  CHECK(lab.fate(lab.send(I, 6, "x\r\n")) == "held");
}

TEST_CASE("a flow that has left the queue keeps no octets") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    if (event.text == "STARTTLS") {
      orders.stop(event.flow, 1);
      return;
    }
    LoopLab::forward_all(event, orders);
  };
  lab.connect();
  const std::uint32_t last = lab.send(I, 0, "STARTTLS\r\n");
  CHECK(lab.fate(last) == "accept");
  CHECK(lab.source.verdict_of(last)->mark != 0);
  CHECK(lab.loop.flows_awake() == 0);
  CHECK(lab.loop.used_chunks() == 0);
  CHECK(lab.fate(lab.send(R, 0, "octets that nobody reads")) == "accept");
  CHECK(lab.loop.flow(0).bytes == std::array<std::uint64_t, 2>{10, 24});
  lab.turn();
  CHECK(lab.loop.flows_awake() == 0);
}

}  // namespace postern::test
