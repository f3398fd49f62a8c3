// RFC 5681 4.2, RFC 2018: who loses a segment is told at once, although its receiver does not see
// the rest yet.
#include <doctest/doctest.h>

#include "core/bytes.h"
#include "core/checksum.h"
#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

constexpr std::byte kSackPermitted{4};
constexpr std::size_t kTcpOptionsAt = 40;

/// A SYN or SYN-ACK that welcomes selective acknowledgements: the option in place of nothing.
std::vector<std::byte> welcoming(const LoopLab& lab, Side from) {
  SegmentSpec syn = lab.spec(from, 0, from == I ? kSyn : kSyn | kAck);
  --syn.sequence;
  if (from == I) syn.acknowledgement = 0;
  // Built with one range, which is then written over: NOP NOP, permitted, end of list.
  syn.selective.count = 1;
  std::vector<std::byte> packet(200);
  packet.resize(build_segment(syn, packet));
  const std::size_t option = packet.size() - 12;
  std::fill(packet.begin() + static_cast<std::ptrdiff_t>(option), packet.end(), std::byte{1});
  packet[option] = kSackPermitted;
  packet[option + 1] = std::byte{2};
  write_packet_checksums(packet, 20);
  return packet;
}

void connect(LoopLab& lab, bool initiator_welcomes, bool responder_welcomes) {
  if (initiator_welcomes) {
    lab.source.feed(welcoming(lab, I));
    lab.turn();
  } else {
    lab.send_syn(1'460);
  }
  if (responder_welcomes) {
    lab.source.feed(welcoming(lab, R));
    lab.turn();
  } else {
    lab.send_syn_ack(1'460);
  }
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "accept");
}

/// The ranges of what was injected last, as stream offsets of this side.
Strings ranges(LoopLab& lab, Side of) {
  Strings found;
  REQUIRE(!lab.sender.sent.empty());
  const std::vector<std::byte>& packet = lab.sender.sent.back();
  const std::span<const std::byte> options = std::span(packet).subspan(kTcpOptionsAt);
  const std::uint32_t first = lab.spec(of, 0, kAck).sequence;
  if (options.size() < 4 || read_u8(options, 2) != 5) return found;
  for (std::size_t at = 4; at + 8 <= std::size_t{2} + read_u8(options, 3); at += 8) {
    found.push_back(std::to_string(read_u32(options, at) - first) + "-" +
                    std::to_string(read_u32(options, at + 4) - first));
  }
  lab.sender.sent.clear();
  return found;
}

/// A segment with timestamps; those of the handshake too.
std::uint32_t send_stamped(LoopLab& lab, Side from, SegmentSpec spec, std::uint32_t value) {
  spec.timestamps = {{value, from == I ? 1U : 100U}};
  return lab.send_spec(spec);
}

void connect_stamped(LoopLab& lab) {
  SegmentSpec syn = lab.spec(I, 0, kSyn);
  --syn.sequence;
  CHECK(lab.fate(send_stamped(lab, I, syn, 100)) == "accept");
  SegmentSpec answer = lab.spec(R, 0, kSyn | kAck);
  --answer.sequence;
  CHECK(lab.fate(send_stamped(lab, R, answer, 1)) == "accept");
  CHECK(lab.fate(send_stamped(lab, I, lab.spec(I, 0, kAck), 100)) == "accept");
}

}  // namespace

TEST_CASE("early: whoever sends it is told what is missing") {
  LoopLab lab;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 6, "RSET\r\n")) == "held");
  CHECK(lab.injected(I) == Strings{" ack 0"});
  CHECK(lab.fate(lab.send(R, 9, "250 b\r\n")) == "held");
  CHECK(lab.injected(R) == Strings{" ack 0"});
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.injected(I).empty());
}

TEST_CASE("early: never more is acknowledged than the receiver has acknowledged") {
  LoopLab lab;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.fate(lab.send(I, 12, "QUIT\r\n")) == "held");
  CHECK(lab.injected(I) == Strings{" ack 0"});
  lab.acknowledged[index(R)] = 6;
  lab.send(R, 0, "", kAck);
  CHECK(lab.fate(lab.send(I, 18, "x")) == "held");
  CHECK(lab.injected(I) == Strings{" ack 6"});
}

TEST_CASE("early: what waits is told where both agreed to it, the newest first") {
  LoopLab lab;
  connect(lab, true, true);
  lab.send(I, 10, "0123456789");
  CHECK(ranges(lab, I) == Strings{"10-20"});
  lab.send(I, 20, "0123456789");
  CHECK(ranges(lab, I) == Strings{"10-30"});
  lab.send(I, 50, "0123456789");
  CHECK(ranges(lab, I) == Strings{"50-60", "10-30"});
  lab.send(I, 70, "0123456789");
  lab.send(I, 90, "0123456789");
  CHECK(ranges(lab, I) == Strings{"90-100", "70-80", "50-60"});
  // What found no room is not said to have come.
  LoopOptions options = LoopLab::with_mail_ports();
  options.out_of_order_max = 1;
  LoopLab full(options);
  connect(full, true, true);
  full.send(I, 10, "0123456789");
  full.send(I, 40, "0123456789");
  CHECK(ranges(full, I) == Strings{"10-20"});
}

TEST_CASE("early: ranges are not told to who has not asked for them") {
  for (const bool initiator : {false, true}) {
    LoopLab lab;
    connect(lab, initiator, !initiator);
    lab.send(I, 10, "0123456789");
    CHECK(ranges(lab, I).empty());
  }
}

TEST_CASE("early: a FIN that waits is no octet that waits") {
  LoopLab lab;
  connect(lab, true, true);
  lab.send(I, 10, "", kAck | kFin);
  CHECK(ranges(lab, I).empty());
  lab.send(I, 6, "ab");
  CHECK(ranges(lab, I) == Strings{"6-8"});
}

TEST_CASE("early: the time that is echoed is that of the last octets in order") {
  LoopLab lab;
  connect_stamped(lab);
  SegmentSpec first = lab.spec(I, 0, kAck | kPsh);
  const std::string_view text = "NOOP\r\n";
  first.payload = std::as_bytes(std::span(text.data(), text.size()));
  CHECK(lab.fate(send_stamped(lab, I, first, 101)) == "accept");
  first.sequence += 12;
  CHECK(lab.fate(send_stamped(lab, I, first, 105)) == "held");
  REQUIRE(lab.sender.sent.size() == 1);
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(lab.sender.sent[0], packet) == ParseError::none);
  CHECK(packet.options.timestamp_echo == 101);
}

TEST_CASE("early: where answers go by us, nothing is said in the receiver's name") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.text == "+OK in") orders.stop(event.flow, 2);
  };
  lab.connect();
  lab.send(R, 0, "+OK in\r\n");
  CHECK(lab.fate(lab.send(I, 6, "RSET\r\n")) == "held");
  CHECK(lab.injected(I).empty());
}

}  // namespace postern::test
