// What TCP lets a sender do that two receivers may read differently (docs/tcp.md has the list).
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

/// build_segment writes no urgent pointer: it is put in, and the checksum with it.
std::uint32_t send_urgent(LoopLab& lab, Side from, std::uint32_t offset, std::string_view payload,
                          std::uint16_t pointer, std::uint8_t flags = kAck | kPsh) {
  SegmentSpec made = lab.spec(from, offset, static_cast<std::uint8_t>(flags | kUrg));
  made.payload = std::as_bytes(std::span(payload.data(), payload.size()));
  std::vector<std::byte> bytes(payload.size() + 100);
  bytes.resize(build_segment(made, bytes));
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  bytes[packet.tcp_offset + 18U] = static_cast<std::byte>(pointer >> 8U);
  bytes[packet.tcp_offset + 19U] = static_cast<std::byte>(pointer & 0xFFU);
  write_checksums(packet);
  lab.source.feed(std::move(bytes));
  lab.turn();
  return lab.source.last_id();
}

/// What went on has no urgent octet, and a right checksum.
void check_ordinary(const LoopLab& lab, std::uint32_t id) {
  const Given* given = lab.source.verdict_of(id);
  REQUIRE(given != nullptr);
  REQUIRE(given->accept);
  std::vector<std::byte> bytes = given->bytes;
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK_FALSE(packet.has(kUrg));
  CHECK(packet.urgent_pointer == 0);
  CHECK(tcp_checksum_ok(packet));
}

void stop_at_starttls(const SeenEvent& event, Orders& orders) {
  LoopLab::forward_all(event, orders);
  if (event.text == "STARTTLS") orders.stop(event.flow, 1);
}

}  // namespace

TEST_CASE("phenomena: an urgent pointer goes wherever it points, and the octets are read in line") {
  for (const int pointer : {0, 1, 3, 7, 8, 100, 0xFFFF}) {
    LoopLab lab;
    lab.connect();
    check_ordinary(lab, send_urgent(lab, I, 0, "NOXOP\r\n", static_cast<std::uint16_t>(pointer)));
    CHECK(lab.lines == Strings{"I: NOXOP"});
    CHECK(lab.loop.counters()[Counter::urgent_cleared] == 1);
  }
}

TEST_CASE("phenomena: an empty segment makes no octet of the next one urgent") {
  LoopLab lab;
  lab.send_syn();
  lab.send_syn_ack();
  check_ordinary(lab, send_urgent(lab, I, 0, "", 3, kAck));
  check_ordinary(lab, send_urgent(lab, I, 0, "", 5, kAck));
  check_ordinary(lab, send_urgent(lab, R, 0, "", 3, kAck));
  CHECK(lab.fate(lab.send(I, 0, "NOXOP\r\n")) == "accept");
  CHECK(lab.loop.counters()[Counter::urgent_cleared] == 3);
}

TEST_CASE("phenomena: urgent on FIN, on what comes again, early, and where nobody reads") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.offload = false;
  LoopLab lab(options);
  lab.answer = stop_at_starttls;
  lab.connect();
  const std::uint32_t early = send_urgent(lab, I, 6, "RSET\r\n", 2);
  check_ordinary(lab, send_urgent(lab, I, 0, "NOOP\r\n", 2));
  check_ordinary(lab, early);
  check_ordinary(lab, send_urgent(lab, I, 0, "NOOP\r\n", 2));
  lab.send(I, 12, "STARTTLS\r\n");
  check_ordinary(lab, send_urgent(lab, I, 22, "hello", 2));
  check_ordinary(lab, send_urgent(lab, I, 27, "", 2, kAck));
  check_ordinary(lab, send_urgent(lab, I, 27, "", 2, kAck | kFin));
}

TEST_CASE("phenomena: a keepalive with an octet repeats it, and cannot change it") {
  LoopLab lab;
  lab.connect();
  lab.send(I, 0, "NOOP\r\n");
  CHECK(lab.fate(lab.send(I, 5, "\n", kAck)) == "accept");
  CHECK(lab.fate(lab.send(I, 5, "X", kAck)) == "rewrite \n");
  lab.acknowledged[1] = 6;
  lab.send(R, 0, "250 a\r\n");
  // Acknowledged: its receiver throws it away, whatever it is.
  CHECK(lab.fate(lab.send(I, 5, "X", kAck)) == "accept");
  SegmentSpec bare = lab.spec(I, 0, kAck);
  bare.sequence += 5;
  CHECK(lab.fate(lab.send_spec(bare)) == "accept");
  CHECK(lab.lines == Strings{"I: NOOP", "R: 250 a"});
}

TEST_CASE("phenomena: the octet of a probe against a closed window was seen first") {
  LoopLab lab;
  lab.connect();
  SegmentSpec closed = lab.spec(R, 0, kAck);
  closed.window = 0;
  CHECK(lab.fate(lab.send_spec(closed)) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "N", kAck)) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "N", kAck)) == "accept");
  // The window opened: what was probed comes again with the rest, as it was or not.
  CHECK(lab.fate(lab.send(R, 0, "", kAck)) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "XOOP\r\n")) == "rewrite NOOP\r\n");
  CHECK(lab.lines.back() == "I: NOOP");
}

TEST_CASE(
    "phenomena: a checksum that the card was to write is not judged, and written when it must be") {
  LoopLab lab;
  lab.connect();
  lab.source.checksum_complete = false;
  const auto unfinished = [&lab](std::uint32_t offset, std::string_view payload) {
    SegmentSpec made = lab.spec(I, offset, kAck | kPsh);
    made.payload = std::as_bytes(std::span(payload.data(), payload.size()));
    std::vector<std::byte> bytes(payload.size() + 100);
    bytes.resize(build_segment(made, bytes));
    bytes[36] = std::byte{0};
    bytes[37] = std::byte{0};
    lab.source.feed(std::move(bytes));
    lab.turn();
    return lab.source.last_id();
  };
  const std::uint32_t first = unfinished(0, "NOOP\r\n");
  REQUIRE(lab.source.verdict_of(first) != nullptr);
  CHECK(lab.source.verdict_of(first)->accept);
  CHECK_FALSE(lab.source.verdict_of(first)->rewritten);
  // Describing a rewritten packet checks its checksum.
  CHECK(lab.fate(unfinished(0, "QUIT\r\n")) == "rewrite NOOP\r\n");
  CHECK(lab.lines == Strings{"I: NOOP"});
  lab.source.checksum_complete = true;
  CHECK(lab.fate(unfinished(6, "RSET\r\n")) == "drop");
  CHECK(lab.loop.counters()[Counter::drop_bad_checksum] == 1);
}

TEST_CASE("phenomena: a super-packet as large as the kernel hands over is read to its last octet") {
  constexpr std::size_t kHeaders = 40;
  LoopLab lab;
  lab.connect();
  SegmentSpec open = lab.spec(R, 0, kAck);
  open.window = 0xFFFF;
  CHECK(lab.fate(lab.send_spec(open)) == "accept");
  std::string text;
  while (text.size() + 8 <= kPacketBytesMax - kHeaders) text += "NOOP ab\r\n";
  text.resize(kPacketBytesMax - kHeaders - 2, 'x');
  text += "\r\n";
  CHECK(lab.fate(lab.send_gso(I, 0, text)) == "accept");
  CHECK(lab.loop.flow(0).bytes[0] == kPacketBytesMax - kHeaders);
  const auto end = static_cast<std::uint32_t>(text.size());
  CHECK(lab.fate(lab.send(I, end - 4, "xxxxNOOP\r\n")) ==
        "rewrite " + text.substr(text.size() - 4) + "NOOP\r\n");
  CHECK(lab.lines.back() == "I: NOOP");
}

TEST_CASE("phenomena: a larger one comes in part, and is dropped whole") {
  LoopLab lab;
  lab.connect();
  lab.source.truncated = true;
  CHECK(lab.fate(lab.send_gso(I, 0, std::string(kPacketBytesMax - 40, 'x'))) == "drop");
  CHECK(lab.loop.counters()[Counter::drop_truncated] == 1);
  CHECK(lab.lines.empty());
}

TEST_CASE("phenomena: what died on its way behind us comes again, and as it was") {
  // A low TTL carries octets to Postern and not to the server (TCP-20): they were seen all the
  // same.
  LoopLab lab;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "VRFY x\r\n")) == "rewrite NOOP\r\n\r\n");
  CHECK(lab.lines == Strings{"I: NOOP", "I: "});
}

TEST_CASE("phenomena: a FIN that died on its way ends the stream where it stood") {
  LoopLab lab;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n", kAck | kFin)) == "accept");
  CHECK(lab.fate(lab.send(I, 6, "VRFY x\r\n")) == "drop");
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\nVRFY x\r\n")) == "drop");
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n", kAck | kFin)) == "accept");
  CHECK(lab.lines == Strings{"I: NOOP"});
}

TEST_CASE("phenomena: an RST that died on its way ends the session all the same") {
  LoopLab lab;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "", kRst)) == "accept");
  const std::string after = lab.fate(lab.send(I, 0, "VRFY x\r\n"));
  CHECK((after == "drop" || after.starts_with("rst@")));
  CHECK(lab.lines.empty());
}

}  // namespace postern::test
