// An RST that Postern believes in reaches its receiver: else the session goes on where nobody
// reads.
#include <doctest/doctest.h>

#include "core/bytes.h"
#include "core/checksum.h"
#include "core/wire.h"
#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

LoopOptions open_at_failure() {
  LoopOptions options = LoopLab::with_mail_ports();
  options.fail_open = true;
  return options;
}

void refuse_bad(const SeenEvent& event, Orders& orders) {
  if (event.text == "BAD") {
    orders.refuse_with_words(event.flow, "554 no\r\n");
  } else {
    LoopLab::forward_all(event, orders);
  }
}

std::vector<std::byte> built(const SegmentSpec& spec) {
  std::vector<std::byte> packet(spec.payload.size() + 100);
  packet.resize(build_segment(spec, packet));
  return packet;
}

/// One hop more, and it is gone.
std::vector<std::byte> dying(const SegmentSpec& spec) {
  std::vector<std::byte> packet = built(spec);
  packet[wire::ipv4::kTimeToLive] = std::byte{1};
  write_packet_checksums(packet, wire::ipv4::kHeaderBytesMin);
  return packet;
}

/// With a record route in its IP header (RFC 791 3.1), which the next hop may not want.
std::vector<std::byte> with_ip_option(const SegmentSpec& spec) {
  std::vector<std::byte> packet = built(spec);
  const std::array<std::byte, 4> option{std::byte{7}, std::byte{4}, std::byte{4}, std::byte{0}};
  packet.insert(packet.begin() + wire::ipv4::kHeaderBytesMin, option.begin(), option.end());
  packet[0] = std::byte{0x46};
  write_u16(packet, wire::ipv4::kTotalLength, static_cast<std::uint16_t>(packet.size()));
  write_packet_checksums(packet, wire::ipv4::kHeaderBytesMin + option.size());
  return packet;
}

std::uint32_t send(LoopLab& lab, std::vector<std::byte> packet) {
  lab.source.feed(std::move(packet));
  lab.turn();
  return lab.source.last_id();
}

SegmentSpec line(const LoopLab& lab, std::string_view text) {
  SegmentSpec spec = lab.spec(I, 0, kAck | kPsh);
  spec.payload = std::as_bytes(std::span(text.data(), text.size()));
  return spec;
}

/// What went on in a packet's place lives, and is nothing but the RST.
void check_bare(const LoopLab& lab, std::uint32_t id) {
  const Given* given = lab.source.verdict_of(id);
  REQUIRE(given != nullptr);
  CHECK(given->bytes.size() == 40);
  CHECK(given->bytes[wire::ipv4::kTimeToLive] == std::byte{64});
}

}  // namespace

TEST_CASE("reset arrives: what is refused does not choose how far its RST goes") {
  LoopLab lab;
  lab.answer = refuse_bad;
  lab.connect();
  const std::uint32_t bad = send(lab, dying(line(lab, "BAD\r\n")));
  CHECK(lab.fate(bad) == "rst@0");
  check_bare(lab, bad);
}

TEST_CASE("reset arrives: nor what else stands in its IP header") {
  LoopLab lab;
  lab.answer = refuse_bad;
  lab.connect();
  CHECK(lab.fate(send(lab, with_ip_option(line(lab, "BAD\r\n")))) == "drop");
  CHECK(lab.injected(R) == Strings{"rst@0"});
  CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 5"});
}

TEST_CASE("reset arrives: that of an initiator, where what comes later would pass unread") {
  LoopLab lab(open_at_failure());
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  SUBCASE("with a TTL that ends behind us") {
    const std::uint32_t reset = send(lab, dying(lab.spec(I, 6, kRst)));
    CHECK(lab.fate(reset) == "rst@6");
    check_bare(lab, reset);
  }
  SUBCASE("with an option that the next hop may not want") {
    CHECK(lab.fate(send(lab, with_ip_option(lab.spec(I, 6, kRst | kAck)))) == "drop");
    CHECK(lab.injected(R) == Strings{"rst@6"});
  }
  CHECK(lab.loop.flow(0).stage == FlowStage::dead);
}

TEST_CASE("reset arrives: also before the handshake is complete") {
  // A listener ignores an RST with an old timestamp; what the initiator sends then is no handshake.
  LoopLab lab(open_at_failure());
  lab.send_syn();
  lab.send_syn_ack();
  SegmentSpec reset = lab.spec(I, 0, kRst);
  reset.timestamps = {{1, 1}};
  SUBCASE("with an old timestamp") {
    const std::uint32_t id = send(lab, built(reset));
    CHECK(lab.fate(id) == "rst@0");
    check_bare(lab, id);
  }
  SUBCASE("with a TTL that ends behind us") {
    const std::uint32_t id = send(lab, dying(reset));
    CHECK(lab.fate(id) == "rst@0");
    check_bare(lab, id);
  }
}

TEST_CASE("reset arrives: of nothing that we know, too") {
  LoopLab lab;
  const std::uint32_t id = send(lab, dying(line(lab, "NOOP\r\n")));
  CHECK(lab.fate(id) == "rst@0");
  check_bare(lab, id);
  static_cast<void>(lab.injected(I));
  CHECK(lab.fate(send(lab, with_ip_option(line(lab, "NOOP\r\n")))) == "drop");
  CHECK(lab.injected(R) == Strings{"rst@0"});
}

TEST_CASE("reset arrives: where nothing passes unread, it goes as it came") {
  LoopLab lab;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "", kRst)) == "accept");
}

}  // namespace postern::test
