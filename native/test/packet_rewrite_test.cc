#include <doctest/doctest.h>

#include <random>

#include "core/checksum.h"
#include "test/packet_samples.h"

using namespace postern;
using namespace postern::test;

namespace {

/// A data segment with timestamps over each kind of IP header, checksums not written yet.
std::vector<Octets> samples(const TcpSample& tcp) {
  const Octets segment = tcp_sample(tcp);
  return {ipv4_sample(segment), ipv4_sample(segment, {.options = octets_of({7, 4, 0, 0})}),
          ipv6_sample(segment), ipv6_sample(extended(6, {1, 4, 0, 0, 0, 0}, segment), 60)};
}

TcpPacket parsed(Octets& bytes) {
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  return packet;
}

Octets timestamps_option() {
  return octets_of({1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9});
}

/// The packet in `left` reads back as `packet` says it is now.
void check_reads_back(const TcpPacket& packet, std::span<std::byte> left) {
  Octets copy(left.begin(), left.end());
  const TcpPacket again = parsed(copy);
  CHECK(again.bytes.size() == left.size());
  CHECK(again.source == packet.source);
  CHECK(again.destination == packet.destination);
  CHECK(again.sequence == packet.sequence);
  CHECK(again.acknowledgement == packet.acknowledgement);
  CHECK(again.flags == packet.flags);
  CHECK(again.window == packet.window);
  CHECK(again.urgent_pointer == packet.urgent_pointer);
  CHECK(again.payload_offset == packet.payload_offset);
  CHECK(again.options.has_timestamps == packet.options.has_timestamps);
  CHECK(checksums_right(left, packet.tcp_offset));
  CHECK(tcp_checksum_ok(packet));
}

}  // namespace

TEST_CASE("the sum over any run of octets is the one of RFC 1071") {
  std::mt19937 random(7);
  for (std::size_t length = 0; length < 600; ++length) {
    Octets bytes(length);
    for (std::byte& octet : bytes)
      octet = static_cast<std::byte>(random() % 3 == 0 ? 0xFF : random());
    CHECK(internet_sum(bytes) == slow_sum(bytes));
  }
  CHECK(internet_sum(octets_of({0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7})) == 0xDDF2);
}

TEST_CASE("checksums written are right over every kind of header, odd payloads too") {
  for (const std::string_view payload : {"", "a", "ab", "abc", "NOOP\r\n"}) {
    for (Octets bytes : samples({.payload = payload})) {
      TcpPacket packet = parsed(bytes);
      CHECK_FALSE(tcp_checksum_ok(packet));
      write_checksums(packet);
      CHECK(tcp_checksum_ok(packet));
      CHECK(checksums_right(bytes, packet.tcp_offset));
    }
  }
}

TEST_CASE("one changed octet makes the checksum wrong") {
  for (Octets bytes : samples({})) {
    TcpPacket packet = parsed(bytes);
    write_checksums(packet);
    bytes.back() ^= std::byte{0x20};
    CHECK_FALSE(tcp_checksum_ok(packet));
  }
}

TEST_CASE("padding has no part in the checksum") {
  Octets bytes = ipv4_sample(tcp_sample());
  put(bytes, from_text("VRFY"));
  TcpPacket packet = parsed(bytes);
  write_checksums(packet);
  CHECK(tcp_checksum_ok(packet));
  CHECK(to_text(bytes).ends_with("VRFY"));
}

TEST_CASE("a trimmed packet reads back with the octets that were left") {
  for (std::size_t keep = 0; keep < 6; ++keep) {
    for (Octets bytes :
         samples({.flags = kAck | kPsh | kFin | kEce, .options = timestamps_option()})) {
      TcpPacket packet = parsed(bytes);
      const auto left = trim_payload(packet, keep);
      CHECK(to_text(packet.payload()) == std::string("NOOP\r\n").substr(0, keep));
      CHECK(packet.flags == (kAck | kEce));
      CHECK(packet.options.timestamp_value == 7);
      check_reads_back(packet, left);
    }
  }
}

TEST_CASE("trimming to what is there, or more, cuts nothing and keeps FIN") {
  for (const std::size_t keep : {std::size_t{6}, std::size_t{7}, SIZE_MAX}) {
    for (Octets bytes : samples({.flags = kAck | kPsh | kFin})) {
      TcpPacket packet = parsed(bytes);
      const auto left = trim_payload(packet, keep);
      CHECK(left.size() == bytes.size());
      CHECK(packet.flags == (kAck | kPsh | kFin));
      check_reads_back(packet, left);
    }
  }
}

TEST_CASE("a reset is bare, exact, and from the same sender") {
  const TcpSample data{
      .flags = kAck | kPsh | kUrg | kCwr, .options = timestamps_option(), .urgent_pointer = 3};
  for (Octets bytes : samples(data)) {
    TcpPacket packet = parsed(bytes);
    const Endpoint source = packet.source;
    const auto left = make_reset(packet, 0xFFFF'FFFF, 0x8000'0001);
    CHECK(packet.source == source);
    CHECK(packet.flags == (kRst | kAck));
    CHECK(packet.sequence == 0xFFFF'FFFF);
    CHECK(packet.acknowledgement == 0x8000'0001);
    CHECK(packet.payload().empty());
    CHECK(packet.segment_length() == 0);
    CHECK(packet.urgent_pointer == 0);
    CHECK_FALSE(packet.options.has_timestamps);
    check_reads_back(packet, left);
  }
}

TEST_CASE("a reset made of a segment without ACK acknowledges nothing") {
  for (Octets bytes : samples({.flags = kSyn, .payload = ""})) {
    TcpPacket packet = parsed(bytes);
    const auto left = make_reset(packet, 5, 6);
    CHECK(packet.flags == kRst);
    CHECK(packet.acknowledgement == 0);
    check_reads_back(packet, left);
  }
}

TEST_CASE("an urgent segment is made an ordinary one, its octets as they were (TCP-34)") {
  for (Octets bytes :
       samples({.flags = kAck | kPsh | kUrg, .payload = "VRXFY root\r\n", .urgent_pointer = 3})) {
    TcpPacket packet = parsed(bytes);
    clear_urgent(packet);
    write_checksums(packet);
    CHECK(packet.flags == (kAck | kPsh));
    CHECK(to_text(packet.payload()) == "VRXFY root\r\n");
    check_reads_back(packet, packet.bytes);
  }
}

TEST_CASE("an urgent pointer without URG is wiped as well") {
  Octets bytes = ipv4_sample(tcp_sample({.urgent_pointer = 100}));
  TcpPacket packet = parsed(bytes);
  clear_urgent(packet);
  CHECK(parsed(bytes).urgent_pointer == 0);
}
