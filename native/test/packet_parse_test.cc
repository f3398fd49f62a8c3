#include <doctest/doctest.h>

#include "test/packet_samples.h"

using namespace postern;
using namespace postern::test;

TEST_CASE("an IPv4 packet is read field by field") {
  Octets bytes = ipv4_sample(tcp_sample());
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK(packet.source.address.version == 4);
  CHECK(to_text(std::span(packet.source.address.octets).first(5)) ==
        to_text(octets_of({192, 0, 2, 1, 0})));
  CHECK(to_text(std::span(packet.destination.address.octets).first(5)) ==
        to_text(octets_of({198, 51, 100, 7, 0})));
  CHECK(packet.source.port == 40'000);
  CHECK(packet.destination.port == 25);
  CHECK(packet.ip_ident == 0xBEEF);
  CHECK(packet.sequence == 0x0102'0304);
  CHECK(packet.acknowledgement == 0x0A0B'0C0D);
  CHECK(packet.flags == (kAck | kPsh));
  CHECK(packet.window == 0x1234);
  CHECK(packet.tcp_offset == 20);
  CHECK(to_text(packet.payload()) == "NOOP\r\n");
  CHECK(packet.segment_length() == 6);
}

TEST_CASE("SYN and FIN count in the segment's length") {
  Octets bytes = ipv4_sample(tcp_sample({.flags = kSyn | kFin, .payload = "ab"}));
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK(packet.segment_length() == 4);
}

TEST_CASE("IPv4 options are stepped over") {
  Octets bytes = ipv4_sample(tcp_sample(), {.options = octets_of({7, 4, 0, 0})});
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK(packet.tcp_offset == 24);
  CHECK(to_text(packet.payload()) == "NOOP\r\n");
}

TEST_CASE("padding behind the IP length is no payload (TCP-76)") {
  for (Octets bytes : {ipv4_sample(tcp_sample()), ipv6_sample(tcp_sample())}) {
    put(bytes, from_text("VRFY\r\n"));
    TcpPacket packet;
    REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
    CHECK(to_text(packet.payload()) == "NOOP\r\n");
    CHECK(packet.bytes.size() == bytes.size() - 6);
  }
}

TEST_CASE("a packet that was parsed before leaves nothing behind in the next") {
  Octets first = ipv6_sample(tcp_sample({.options = octets_of({2, 4, 5, 0xB4})}));
  Octets second = ipv4_sample(tcp_sample({.payload = ""}));
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(first, packet) == ParseError::none);
  REQUIRE(parse_tcp_packet(second, packet) == ParseError::none);
  CHECK_FALSE(packet.options.mss.has_value());
  CHECK(packet.source.address.octets[4] == std::byte{0});
  CHECK(packet.payload().empty());
}

TEST_CASE("what is neither IPv4 nor IPv6 is not IP") {
  CHECK(error_of({}) == ParseError::truncated);
  CHECK(error_of(octets_of({0x50, 0, 0, 40})) == ParseError::not_ip);
  CHECK(error_of(Octets(64)) == ParseError::not_ip);
}

TEST_CASE("every cut of a packet is noticed and none read past") {
  for (const Octets& whole : {ipv4_sample(tcp_sample()),
                              ipv6_sample(extended(6, {1, 4, 0, 0, 0, 0}, tcp_sample()), 60)}) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const auto end = whole.begin() + static_cast<std::ptrdiff_t>(length);
      CAPTURE(length);
      CHECK(error_of(Octets(whole.begin(), end)) == ParseError::truncated);
    }
  }
}

TEST_CASE("a truncated copy still tells who talks to whom") {
  Octets bytes = ipv4_sample(tcp_sample());
  bytes.pop_back();
  TcpPacket packet;
  CHECK(parse_tcp_packet(bytes, packet) == ParseError::truncated);
  CHECK(packet.source.port == 40'000);
  CHECK(packet.destination.port == 25);
  CHECK(packet.destination.address.octets[0] == std::byte{198});
}

TEST_CASE("an IPv4 header length below five words or past the total is impossible") {
  Octets bytes = ipv4_sample(tcp_sample());
  bytes[0] = std::byte{0x44};
  CHECK(error_of(bytes) == ParseError::bad_ip_header);
  bytes = ipv4_sample({});
  bytes[0] = std::byte{0x4F};
  CHECK(error_of(bytes) == ParseError::bad_ip_header);
}

TEST_CASE("an IPv4 total length of 0 is refused, whatever the buffer holds") {
  Octets bytes = ipv4_sample(tcp_sample());
  bytes[2] = bytes[3] = std::byte{0};
  CHECK(error_of(bytes) == ParseError::bad_ip_header);
}

TEST_CASE("IPv4 fragments are refused, first, middle and last") {
  for (const unsigned flags_and_offset : {0x2000U, 0x2010U, 0x0010U, 0x1FFFU}) {
    CHECK(error_of(ipv4_sample(tcp_sample(), {.flags_and_offset = flags_and_offset})) ==
          ParseError::fragment);
  }
  CHECK(error_of(ipv4_sample(tcp_sample(), {.flags_and_offset = 0x8000})) == ParseError::none);
}

TEST_CASE("UDP is not TCP") {
  CHECK(error_of(ipv4_sample(tcp_sample(), {.protocol = 17})) == ParseError::not_tcp);
  CHECK(error_of(ipv6_sample(tcp_sample(), 17)) == ParseError::not_tcp);
}

TEST_CASE("an IP packet too short for a TCP header is a bad one, its ports known if there") {
  Octets bytes = ipv4_sample(octets_of({0x9C, 0x40, 0, 25, 0}));
  TcpPacket packet;
  CHECK(parse_tcp_packet(bytes, packet) == ParseError::bad_tcp_header);
  CHECK(packet.source.port == 40'000);
  CHECK(error_of(ipv4_sample({})) == ParseError::bad_tcp_header);
}

TEST_CASE("a data offset below five words or past the packet is impossible") {
  Octets bytes = ipv4_sample(tcp_sample());
  bytes[20 + 12] = std::byte{0x40};
  CHECK(error_of(bytes) == ParseError::bad_tcp_header);
  bytes = ipv4_sample(tcp_sample({.payload = std::string_view("\0", 1)}));
  bytes[20 + 12] = std::byte{0x60};
  CHECK(error_of(bytes) == ParseError::bad_tcp_header);
  bytes = ipv4_sample(tcp_sample({.payload = "\1\1\1\1"}));
  bytes[20 + 12] = std::byte{0x60};
  CHECK(error_of(bytes) == ParseError::none);
}

TEST_CASE("the reserved bits beside the data offset mean nothing here (TCP-32)") {
  Octets bytes = ipv4_sample(tcp_sample());
  bytes[20 + 12] |= std::byte{0x0E};
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK(to_text(packet.payload()) == "NOOP\r\n");
}

TEST_CASE("the largest copy the kernel makes is read whole") {
  const std::string payload(65'000, 'a');
  Octets bytes = ipv6_sample(tcp_sample({.payload = payload}));
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK(packet.payload().size() == payload.size());
}
