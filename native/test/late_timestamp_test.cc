// RFC 7323 5: what is released late must not look older than what its receiver already has.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

/// TSval of a packet as it went on; 0 when it was dropped or carries none.
std::uint32_t timestamp_of(const LoopLab& lab, std::uint32_t id) {
  const Given* given = lab.source.verdict_of(id);
  if (given == nullptr || !given->accept) return 0;
  std::vector<std::byte> bytes = given->bytes;
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK(tcp_checksum_ok(packet));
  return packet.options.timestamp_value;
}

std::uint32_t send(LoopLab& lab, Side from, std::uint32_t offset, std::string_view payload,
                   std::uint32_t timestamp) {
  SegmentSpec made = lab.spec(from, offset, kAck | kPsh);
  made.payload = std::as_bytes(std::span(payload.data(), payload.size()));
  made.timestamps = {{timestamp, 1}};
  return lab.send_spec(made);
}

void connect(LoopLab& lab, std::uint32_t first) {
  SegmentSpec syn = lab.spec(I, 0, kSyn);
  --syn.sequence;
  syn.timestamps = {{first, 0}};
  CHECK(lab.fate(lab.send_spec(syn)) == "accept");
  SegmentSpec answer = lab.spec(R, 0, kSyn | kAck);
  --answer.sequence;
  answer.timestamps = {{1, first}};
  CHECK(lab.fate(lab.send_spec(answer)) == "accept");
  SegmentSpec last = lab.spec(I, 0, kAck);
  last.timestamps = {{first, 1}};
  CHECK(lab.fate(lab.send_spec(last)) == "accept");
}

void stop_at_starttls(const SeenEvent& event, Orders& orders) {
  LoopLab::forward_all(event, orders);
  if (event.text == "STARTTLS") orders.stop(event.flow, 1);
}

void pause_at_data(const SeenEvent& event, Orders& orders) {
  LoopLab::forward_all(event, orders);
  if (event.text == "DATA") orders.pause(event.flow, I);
  if (event.side == R && event.kind == EventKind::line) orders.resume(event.flow, I);
}

}  // namespace

TEST_CASE("late timestamps: raised to that of the retransmission that closed the gap") {
  LoopLab lab;
  connect(lab, 100);
  const std::uint32_t early = send(lab, I, 6, "RSET\r\n", 101);
  const std::uint32_t hole = send(lab, I, 0, "NOOP\r\n", 900);
  CHECK(timestamp_of(lab, hole) == 900);
  CHECK(lab.fate(hole) == "accept");
  CHECK(timestamp_of(lab, early) == 900);
  CHECK(lab.fate(early) == "rewrite RSET\r\n");
}

TEST_CASE("late timestamps: never lowered, and left alone where nothing newer went before") {
  LoopLab lab;
  connect(lab, 100);
  const std::uint32_t early = send(lab, I, 6, "RSET\r\n", 900);
  send(lab, I, 0, "NOOP\r\n", 500);
  CHECK(timestamp_of(lab, early) == 900);
  CHECK(lab.fate(early) == "accept");
}

TEST_CASE("late timestamps: through 0") {
  LoopLab lab;
  connect(lab, 0xFFFF'FF00);
  const std::uint32_t early = send(lab, I, 6, "RSET\r\n", 0xFFFF'FF01);
  send(lab, I, 0, "NOOP\r\n", 5);
  CHECK(timestamp_of(lab, early) == 5);
}

TEST_CASE("late timestamps: of what was held for the judge, too") {
  LoopLab lab;
  lab.answer = pause_at_data;
  connect(lab, 100);
  send(lab, I, 0, "DATA\r\n", 101);
  const std::uint32_t held = send(lab, I, 6, "NOOP\r\n", 102);
  // Its first half went and comes again, with what stands behind it.
  const std::uint32_t again = send(lab, I, 0, "DATA\r\nNO", 700);
  CHECK(lab.fate(again) == "rewrite DATA\r\n");
  lab.acknowledged[1] = 6;
  send(lab, R, 0, "503 no\r\n", 2);
  CHECK(timestamp_of(lab, held) == 700);
  CHECK(lab.fate(held) == "rewrite NOOP\r\n");
}

TEST_CASE("late timestamps: of what waited when its side is no longer read") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.offload = false;
  LoopLab lab(options);
  lab.answer = stop_at_starttls;
  connect(lab, 100);
  const std::uint32_t early = send(lab, I, 10, "hello", 101);
  send(lab, I, 0, "STARTTLS\r\n", 900);
  CHECK(timestamp_of(lab, early) == 900);
  // What nobody held goes as it came, in whatever order the path brings it.
  send(lab, I, 30, "later", 950);
  const std::uint32_t reordered = send(lab, I, 15, "before", 950);
  CHECK(lab.fate(reordered) == "accept");
}

TEST_CASE("late timestamps: what we send in a peer's name is no older either") {
  LoopLab lab;
  lab.answer = pause_at_data;
  connect(lab, 100);
  const std::uint32_t cut = send(lab, I, 0, "DATA\r\nNOOP\r\n", 101);
  CHECK(lab.fate(cut) == "rewrite DATA\r\n");
  CHECK(lab.fate(send(lab, I, 0, "DATA\r\n", 700)) == "accept");
  // An acknowledgement that the repetition overtook on its way.
  CHECK(lab.fate(send(lab, I, 12, "", 650)) == "accept");
  lab.acknowledged[1] = 6;
  send(lab, R, 0, "503 no\r\n", 2);
  REQUIRE(lab.sender.sent.size() == 1);
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(lab.sender.sent[0], packet) == ParseError::none);
  CHECK(packet.options.timestamp_value == 700);
}

}  // namespace postern::test
