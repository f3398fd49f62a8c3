#include "core/datagram_packet.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "test/datagram_samples.h"

using namespace postern;
using namespace postern::test;

namespace {

ParseError datagram_error(const Octets& bytes) {
  DatagramPacket packet;
  return parse_datagram(bytes, packet);
}

DatagramPacket read(const Octets& bytes) {
  DatagramPacket packet;
  REQUIRE(parse_datagram(bytes, packet) == ParseError::none);
  return packet;
}

Octets udp4(const Octets& udp) {
  return ipv4_sample(udp, {.protocol = kUdp});
}
Octets icmp4(const Octets& icmp) {
  return ipv4_sample(icmp, {.protocol = kIcmp});
}
Octets icmp6(const Octets& icmp) {
  return ipv6_sample(icmp, kIcmpv6);
}

/// The head of a packet as an error carries it: IP header and eight octets.
Octets head_of(const Octets& packet, std::size_t octets = 28) {
  return {packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(octets)};
}

}  // namespace

TEST_CASE("UDP is read field by field, over both versions of IP") {
  const Octets udp = udp_sample(5'353, 53, "what");
  for (const Octets& bytes : {udp4(udp), ipv6_sample(udp, kUdp)}) {
    const DatagramPacket packet = read(bytes);
    CHECK(packet.ends.protocol == kUdp);
    CHECK(packet.ends.source.port == 5'353);
    CHECK(packet.ends.destination.port == 53);
    CHECK(packet.kind == DatagramKind::data);
    CHECK(packet.transport_bytes == 12);
    CHECK(packet.bytes.size() == bytes.size());
  }
  CHECK(read(udp4(udp)).ip_ident == 0xBEEF);
  const Address source = read(udp4(udp)).ends.source.address;
  CHECK(to_text(std::span(source.octets).first(4)) == to_text(octets_of({192, 0, 2, 1})));
}

TEST_CASE("UDP's length may be shorter than IP's, never longer nor shorter than its header") {
  CHECK(read(udp4(udp_sample(1, 2, "abcdef", 10))).transport_bytes == 10);
  CHECK(datagram_error(udp4(udp_sample(1, 2, "abcdef", 15))) == ParseError::bad_datagram);
  CHECK(datagram_error(udp4(udp_sample(1, 2, "abcdef", 7))) == ParseError::bad_datagram);
  CHECK(datagram_error(udp4(octets_of({0, 1, 0, 2, 0, 7, 0}))) == ParseError::bad_datagram);
  // The length 0 of a jumbogram (RFC 2675) too.
  Octets jumbo = udp_sample(1, 2, "abcdef");
  jumbo[4] = jumbo[5] = std::byte{0};
  CHECK(datagram_error(ipv6_sample(jumbo, kUdp)) == ParseError::bad_datagram);
}

TEST_CASE("a packet refused for its length can still be named") {
  DatagramPacket packet;
  const Octets bytes = udp4(udp_sample(7, 9, "abc", 200));
  CHECK(parse_datagram(bytes, packet) == ParseError::bad_datagram);
  CHECK(packet.ends.source.port == 7);
  CHECK(packet.ends.destination.port == 9);
}

TEST_CASE("the rules for IP headers are those of TCP") {
  const Octets udp = udp_sample(1, 2);
  CHECK(datagram_error({}) == ParseError::truncated);
  CHECK(datagram_error(ipv4_sample(tcp_sample())) == ParseError::not_datagram);
  CHECK(datagram_error(ipv4_sample(udp, {.protocol = 47})) == ParseError::not_datagram);
  CHECK(datagram_error(ipv4_sample(udp, {.protocol = kUdp, .flags_and_offset = 0x2000})) ==
        ParseError::fragment);
  CHECK(datagram_error(ipv4_sample(udp, {.protocol = kUdp, .flags_and_offset = 0x0001})) ==
        ParseError::fragment);
  CHECK(read(ipv6_sample(extended(kUdp, {1, 4, 0, 0, 0, 0}, udp), 60)).ends.destination.port == 2);
  CHECK(datagram_error(ipv6_sample(extended(kUdp, {0, 1, 0, 0, 0, 0}, udp), 43)) ==
        ParseError::bad_extension);
  CHECK(datagram_error(ipv6_sample(extended(kUdp, {0, 1, 0, 0, 0, 7}, udp), 44)) ==
        ParseError::fragment);
}

TEST_CASE("ICMP goes with its own version of IP") {
  CHECK(datagram_error(ipv4_sample(icmp_sample(128, 7), {.protocol = kIcmpv6})) ==
        ParseError::not_datagram);
  CHECK(datagram_error(ipv6_sample(icmp_sample(8, 7), kIcmp)) == ParseError::not_datagram);
}

TEST_CASE("every cut of a datagram is noticed and none read past") {
  for (const Octets& whole : {udp4(udp_sample(1, 2)), icmp6(icmp_sample(128, 7)),
                              icmp4(icmp_sample(3, 0, head_of(udp4(udp_sample(1, 2)))))}) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const auto end = whole.begin() + static_cast<std::ptrdiff_t>(length);
      CAPTURE(length);
      CHECK(datagram_error(Octets(whole.begin(), end)) == ParseError::truncated);
    }
  }
}

TEST_CASE("a query and its reply have the same two ends") {
  struct Pair {
    unsigned query, reply;
  };
  for (const Pair& pair : {Pair{8, 0}, Pair{13, 14}, Pair{15, 16}}) {
    const DatagramPacket asked = read(icmp4(icmp_sample(pair.query, 700)));
    const DatagramPacket answered = read(turned(icmp4(icmp_sample(pair.reply, 700))));
    CHECK(asked.kind == DatagramKind::query);
    CHECK(answered.kind == DatagramKind::reply);
    CHECK(asked.ends.source.port == 700);
    CHECK(asked.ends.source == answered.ends.destination);
    CHECK(asked.ends.destination == answered.ends.source);
    CHECK(answered.ends.is_reply);
    CHECK_FALSE(asked.ends.is_reply);
  }
  const DatagramPacket echo = read(icmp6(icmp_sample(128, 700)));
  CHECK(echo.ends.destination == read(turned(icmp6(icmp_sample(129, 700)))).ends.source);
  // Another question with the same identifier is another pair.
  CHECK(read(icmp4(icmp_sample(8, 7))).ends.destination.port !=
        read(icmp4(icmp_sample(13, 7))).ends.destination.port);
}

TEST_CASE("a query with a code is none, and a message without its header is none") {
  CHECK(datagram_error(icmp4(icmp_sample(8, 7, {}, 1))) == ParseError::bad_datagram);
  CHECK(datagram_error(icmp4(octets_of({8, 0, 0, 0, 0, 7, 0}))) == ParseError::bad_datagram);
}

TEST_CASE("redirects, source quench and what nobody knows are neither query nor error") {
  for (const unsigned type : {4U, 5U, 9U, 17U, 42U, 255U})
    CHECK(read(icmp4(icmp_sample(type, 7))).kind == DatagramKind::other);
  for (const unsigned type : {0U, 5U, 127U, 138U, 255U})
    CHECK(read(icmp6(icmp_sample(type, 7))).kind == DatagramKind::other);
}

TEST_CASE("neighbour discovery is believed only where no router forwarded it (RFC 4861)") {
  for (const unsigned type : {133U, 135U, 137U}) {
    Octets bytes = icmp6(icmp_sample(type, 0));
    CHECK(read(bytes).kind == DatagramKind::other);
    bytes[7] = std::byte{255};
    CHECK(read(bytes).kind == DatagramKind::neighbour);
  }
}

TEST_CASE("an error says which packet it is about") {
  const Octets udp = udp4(udp_sample(5'353, 53));
  for (const unsigned type : {3U, 11U, 12U}) {
    const DatagramPacket packet = read(icmp4(icmp_sample(type, 0, head_of(udp))));
    CHECK(packet.kind == DatagramKind::error);
    CHECK(packet.about == read(udp).ends);
  }
  const DatagramPacket tcp = read(icmp4(icmp_sample(3, 0, head_of(ipv4_sample(tcp_sample())), 4)));
  CHECK(tcp.about.protocol == 6);
  CHECK(tcp.about.source.port == 40'000);
  CHECK(tcp.about.destination.port == 25);
  const Octets echo = icmp4(icmp_sample(8, 700));
  CHECK(read(icmp4(icmp_sample(11, 0, head_of(echo)))).about == read(echo).ends);

  const Octets udp_over_6 = ipv6_sample(udp_sample(5'353, 53), kUdp);
  for (const unsigned type : {1U, 2U, 3U, 4U}) {
    const DatagramPacket packet = read(icmp6(icmp_sample(type, 0, head_of(udp_over_6, 48))));
    CHECK(packet.kind == DatagramKind::error);
    CHECK(packet.about == read(udp_over_6).ends);
  }
}

TEST_CASE("an error about what cannot be read is about nothing") {
  const Octets udp = udp4(udp_sample(5'353, 53));
  const auto about = [](const Octets& head) {
    return read(icmp4(icmp_sample(3, 0, head))).about.protocol;
  };
  CHECK(about(head_of(udp)) == kUdp);
  CHECK(about({}) == 0);
  CHECK(about(head_of(udp, 27)) == 0);
  CHECK(about(head_of(icmp4(icmp_sample(3, 0)))) == 0);
  CHECK(about(head_of(ipv4_sample(udp_sample(1, 2), {.protocol = 47}))) == 0);
  Octets fragment = head_of(udp);
  fragment[7] = std::byte{1};
  CHECK(about(fragment) == 0);
  CHECK(about(head_of(ipv6_sample(udp_sample(1, 2), kUdp), 48)) == 0);
}

TEST_CASE("checksums: right ones, wrong ones, none") {
  Octets udp = udp4(udp_sample(1, 2, "odd"));
  CHECK(datagram_checksum_ok(read(udp)));  // RFC 768: 0 is none
  put_checksum(udp, 20, 6, kUdp);
  CHECK(datagram_checksum_ok(read(udp)));
  udp.back() ^= std::byte{1};
  CHECK_FALSE(datagram_checksum_ok(read(udp)));

  Octets over_6 = ipv6_sample(udp_sample(1, 2, "odd"), kUdp);
  CHECK_FALSE(datagram_checksum_ok(read(over_6)));  // RFC 8200 8.1: there must be one
  put_checksum(over_6, 40, 6, kUdp);
  CHECK(datagram_checksum_ok(read(over_6)));
  over_6[10] ^= std::byte{1};  // an address
  CHECK_FALSE(datagram_checksum_ok(read(over_6)));

  Octets echo = icmp4(icmp_sample(8, 7, octets_of({1, 2, 3})));
  CHECK_FALSE(datagram_checksum_ok(read(echo)));
  put_checksum(echo, 20, 2, kIcmp);
  CHECK(datagram_checksum_ok(read(echo)));
  Octets echo6 = icmp6(icmp_sample(128, 7, octets_of({1, 2, 3})));
  put_checksum(echo6, 40, 2, kIcmpv6);
  CHECK(datagram_checksum_ok(read(echo6)));
  echo6.back() ^= std::byte{1};
  CHECK_FALSE(datagram_checksum_ok(read(echo6)));
}

TEST_CASE("octets behind UDP's own length are in no checksum") {
  Octets bytes = udp4(udp_sample(1, 2, "ab"));
  put_checksum(bytes, 20, 6, kUdp);
  put(bytes, {1, 2, 3, 4});
  write_u16(bytes, 2, static_cast<std::uint16_t>(bytes.size()));
  CHECK(datagram_checksum_ok(read(bytes)));
}
