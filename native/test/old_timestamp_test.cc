// RFC 7323 5.3: what its receiver drops for its timestamp must not be judged, from the first octet.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

/// TSval and TSecr.
using Stamps = std::array<std::uint32_t, 2>;

std::uint32_t send(LoopLab& lab, Side from, std::string_view payload, Stamps stamps) {
  SegmentSpec made = lab.spec(from, 0, kAck | kPsh);
  made.payload = std::as_bytes(std::span(payload.data(), payload.size()));
  made.timestamps = stamps;
  return lab.send_spec(made);
}

/// The initiator's stamps begin at 100, the responder's at `first`; the last packet of the
/// handshake echoes `echo`.
void connect(LoopLab& lab, std::uint32_t first, std::uint32_t echo) {
  SegmentSpec syn = lab.spec(I, 0, kSyn);
  --syn.sequence;
  syn.timestamps = {{100, 0}};
  CHECK(lab.fate(lab.send_spec(syn)) == "accept");
  SegmentSpec answer = lab.spec(R, 0, kSyn | kAck);
  --answer.sequence;
  answer.timestamps = {{first, 100}};
  CHECK(lab.fate(lab.send_spec(answer)) == "accept");
  SegmentSpec last = lab.spec(I, 0, kAck);
  last.timestamps = {{101, echo}};
  CHECK(lab.fate(lab.send_spec(last)) == "accept");
}

}  // namespace

TEST_CASE("old timestamps: a responder's first octets are held against its SYN-ACK") {
  LoopLab lab;
  connect(lab, 5'000, 5'000);
  CHECK(lab.fate(send(lab, R, "421 forged\r\n", {4'999, 101})) == "drop");
  CHECK(lab.fate(send(lab, R, "421 forged\r\n", {0xF000'0000, 101})) == "drop");
  CHECK(lab.lines.empty());
  CHECK(lab.loop.counters()[Counter::drop_old_timestamp] == 2);
  CHECK(lab.fate(send(lab, R, "220 hi\r\n", {5'000, 101})) == "accept");
  CHECK(lab.lines == std::vector<std::string>{"R: 220 hi"});
}

TEST_CASE("old timestamps: an initiator's are held against the end of the handshake") {
  LoopLab lab;
  connect(lab, 5'000, 5'000);
  CHECK(lab.fate(send(lab, I, "QUIT\r\n", {100, 5'000})) == "drop");
  CHECK(lab.lines.empty());
  CHECK(lab.fate(send(lab, I, "NOOP\r\n", {101, 5'000})) == "accept");
}

TEST_CASE("old timestamps: through 0, and from the upper half") {
  LoopLab lab;
  connect(lab, 0xFFFF'FFF0, 0xFFFF'FFF0);
  CHECK(lab.fate(send(lab, R, "421 forged\r\n", {0xFFFF'FFEF, 101})) == "drop");
  CHECK(lab.fate(send(lab, R, "220 hi\r\n", {5, 101})) == "accept");
}

TEST_CASE("old timestamps: the echo of a SYN-ACK that was sent again counts") {
  LoopLab lab;
  SegmentSpec syn = lab.spec(I, 0, kSyn);
  --syn.sequence;
  syn.timestamps = {{100, 0}};
  lab.send_spec(syn);
  SegmentSpec answer = lab.spec(R, 0, kSyn | kAck);
  --answer.sequence;
  answer.timestamps = {{5'000, 100}};
  CHECK(lab.fate(lab.send_spec(answer)) == "accept");
  answer.timestamps = {{6'000, 100}};
  CHECK(lab.fate(lab.send_spec(answer)) == "accept");
  SegmentSpec last = lab.spec(I, 0, kAck);
  last.timestamps = {{101, 6'000}};
  CHECK(lab.fate(lab.send_spec(last)) == "accept");
  CHECK(lab.fate(send(lab, R, "421 forged\r\n", {5'500, 101})) == "drop");
  CHECK(lab.fate(send(lab, R, "220 hi\r\n", {6'001, 101})) == "accept");
}

TEST_CASE("old timestamps: where the echo says nothing, the first stamp is believed") {
  LoopLab lab;
  connect(lab, 0xF000'0000, 0);
  CHECK(lab.fate(send(lab, R, "220 hi\r\n", {0xF000'0001, 101})) == "accept");
  CHECK(lab.fate(send(lab, I, "NOOP\r\n", {102, 0})) == "accept");
}

TEST_CASE("old timestamps: a stamp behind a SYN-ACK without any is nobody's business") {
  LoopLab lab;
  SegmentSpec syn = lab.spec(I, 0, kSyn);
  --syn.sequence;
  syn.timestamps = {{100, 0}};
  lab.send_spec(syn);
  SegmentSpec answer = lab.spec(R, 0, kSyn | kAck);
  --answer.sequence;
  CHECK(lab.fate(lab.send_spec(answer)) == "accept");
  SegmentSpec last = lab.spec(I, 0, kAck);
  last.timestamps = {{101, 5'000}};
  CHECK(lab.fate(lab.send_spec(last)) == "accept");
  CHECK(lab.fate(send(lab, R, "220 hi\r\n", {1, 101})) == "accept");
}

}  // namespace postern::test
