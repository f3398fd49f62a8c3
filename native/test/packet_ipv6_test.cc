#include <doctest/doctest.h>

#include "core/limits.h"
#include "test/packet_samples.h"

using namespace postern;
using namespace postern::test;

namespace {

constexpr unsigned kTcp = 6;
constexpr unsigned kHopByHop = 0;
constexpr unsigned kRouting = 43;
constexpr unsigned kFragment = 44;
constexpr unsigned kDestination = 60;

}  // namespace

TEST_CASE("an IPv6 packet is read field by field") {
  Octets bytes = ipv6_sample(tcp_sample());
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK(packet.source.address.version == 6);
  CHECK(packet.source.address.octets[15] == std::byte{1});
  CHECK(packet.destination.address.octets[0] == std::byte{0x20});
  CHECK(packet.destination.address.octets[15] == std::byte{2});
  CHECK(packet.destination.port == 25);
  CHECK(packet.ip_ident == 0);
  CHECK(packet.tcp_offset == 40);
  CHECK(to_text(packet.payload()) == "NOOP\r\n");
}

TEST_CASE("destination options before TCP are walked (TCP-72)") {
  Octets bytes = ipv6_sample(extended(kTcp, {1, 4, 0, 0, 0, 0}, tcp_sample()), kDestination);
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK(packet.tcp_offset == 48);
  CHECK(to_text(packet.payload()) == "NOOP\r\n");
}

TEST_CASE("an extension header longer than eight octets is stepped over whole") {
  Octets header = octets_of({kTcp, 1, 1, 12});
  header.resize(16);
  put(header, tcp_sample());
  Octets bytes = ipv6_sample(header, kDestination);
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK(packet.tcp_offset == 56);
}

TEST_CASE("options that do not fill their header exactly are malformed") {
  const auto with = [](std::initializer_list<unsigned> six) {
    return error_of(ipv6_sample(extended(kTcp, six, tcp_sample()), kDestination));
  };
  CHECK(with({0, 0, 0, 0, 0, 0}) == ParseError::none);
  CHECK(with({0, 1, 3, 0, 0, 0}) == ParseError::none);
  CHECK(with({0x1E, 1, 9, 1, 1, 0}) == ParseError::none);
  CHECK(with({1, 5, 0, 0, 0, 0}) == ParseError::bad_extension);
  CHECK(with({1, 3, 0, 0, 0, 1}) == ParseError::bad_extension);
}

TEST_CASE("a jumbo payload option and a home address are refused") {
  const auto jumbo = extended(kTcp, {0xC2, 4, 0, 1, 0, 0}, tcp_sample());
  CHECK(error_of(ipv6_sample(jumbo, kHopByHop)) == ParseError::bad_extension);
  Octets home = octets_of({kTcp, 2, 1, 2, 0, 0, 0xC9, 16});
  home.resize(24);
  put(home, tcp_sample());
  CHECK(error_of(ipv6_sample(home, kDestination)) == ParseError::bad_extension);
}

TEST_CASE("a payload length of 0 is refused, whatever the buffer holds") {
  Octets bytes = ipv6_sample(tcp_sample());
  bytes[4] = bytes[5] = std::byte{0};
  CHECK(error_of(bytes) == ParseError::bad_ip_header);
}

TEST_CASE("hop-by-hop options stand first or not at all") {
  const auto options = extended(kTcp, {1, 4, 0, 0, 0, 0}, tcp_sample());
  CHECK(error_of(ipv6_sample(options, kHopByHop)) == ParseError::none);
  const auto second = extended(kHopByHop, {1, 4, 0, 0, 0, 0}, options);
  CHECK(error_of(ipv6_sample(second, kDestination)) == ParseError::bad_extension);
  CHECK(error_of(ipv6_sample(second, kHopByHop)) == ParseError::bad_extension);
}

TEST_CASE("routing header type 0 is refused even with no segments left (TCP-74)") {
  const auto with = [](unsigned type, unsigned segments_left) {
    return error_of(
        ipv6_sample(extended(kTcp, {type, segments_left, 0, 0, 0, 0}, tcp_sample()), kRouting));
  };
  CHECK(with(0, 0) == ParseError::bad_extension);
  CHECK(with(0, 1) == ParseError::bad_extension);
  CHECK(with(4, 0) == ParseError::none);
  CHECK(with(4, 1) == ParseError::bad_extension);
}

TEST_CASE("fragments are refused, an atomic fragment is a whole packet") {
  const auto with = [](unsigned high, unsigned low) {
    return error_of(ipv6_sample(extended(kTcp, {high, low, 9, 9, 9, 9}, tcp_sample()), kFragment));
  };
  CHECK(with(0, 0) == ParseError::none);
  CHECK(with(0, 6) == ParseError::none);
  CHECK(with(0, 1) == ParseError::fragment);
  CHECK(with(0, 8) == ParseError::fragment);
  CHECK(with(0x80, 0) == ParseError::fragment);
}

TEST_CASE("a fragment header is eight octets long whatever its reserved octet says") {
  Octets bytes = ipv6_sample(extended(kTcp, {0, 0, 9, 9, 9, 9}, tcp_sample()), kFragment);
  bytes[41] = std::byte{7};
  CHECK(error_of(bytes) == ParseError::none);
}

TEST_CASE("as many extension headers as the limit pass, one more does not") {
  Octets chain = extended(kTcp, {1, 4, 0, 0, 0, 0}, tcp_sample());
  for (std::size_t count = 1; count < kIpv6ExtensionHeadersMax; ++count) {
    chain = extended(kDestination, {1, 4, 0, 0, 0, 0}, chain);
  }
  CHECK(error_of(ipv6_sample(chain, kDestination)) == ParseError::none);
  chain = extended(kDestination, {1, 4, 0, 0, 0, 0}, chain);
  CHECK(error_of(ipv6_sample(chain, kDestination)) == ParseError::bad_extension);
}

TEST_CASE("an extension header past the packet's end is malformed") {
  Octets bytes = ipv6_sample(octets_of({kTcp, 1, 1, 12, 0, 0, 0, 0}), kDestination);
  CHECK(error_of(bytes) == ParseError::bad_extension);
  CHECK(error_of(ipv6_sample(octets_of({kTcp, 0, 0}), kDestination)) == ParseError::bad_extension);
}

TEST_CASE("an authentication header, ESP and no next header are not TCP") {
  for (const unsigned next_header : {50U, 51U, 59U, 135U}) {
    CHECK(error_of(ipv6_sample(tcp_sample(), next_header)) == ParseError::not_tcp);
  }
}
