#include <doctest/doctest.h>

#include <random>

#include "test/packet_samples.h"

using namespace postern;
using namespace postern::test;

namespace {

Endpoint endpoint(std::uint8_t version, std::uint8_t host, std::uint16_t port) {
  Endpoint end{.address = {.octets = {}, .version = version}, .port = port};
  const std::size_t octets = version == 4 ? 4 : 16;
  for (std::size_t at = 0; at < octets; ++at) end.address.octets[at] = std::byte{host};
  return end;
}

SegmentSpec spec_of(std::uint8_t version, std::span<const std::byte> payload) {
  return {.source = endpoint(version, 11, 25),
          .destination = endpoint(version, 22, 40'000),
          .sequence = 0x8000'0000,
          .acknowledgement = 0xFFFF'FFFE,
          .flags = kAck | kPsh | kFin,
          .window = 0xFFFF,
          .timestamps = std::nullopt,
          .selective = {},
          .payload = payload};
}

void check_builds_and_reads_back(const SegmentSpec& spec) {
  Octets out(100 + spec.payload.size(), std::byte{0xAA});
  const std::size_t length = build_segment(spec, out);
  REQUIRE(length > 0);
  CHECK(out[length] == std::byte{0xAA});
  out.resize(length);
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(out, packet) == ParseError::none);
  CHECK(packet.bytes.size() == length);
  CHECK(packet.source == spec.source);
  CHECK(packet.destination == spec.destination);
  CHECK(packet.sequence == spec.sequence);
  CHECK(packet.acknowledgement == spec.acknowledgement);
  CHECK(packet.flags == spec.flags);
  CHECK(packet.window == spec.window);
  CHECK(packet.urgent_pointer == 0);
  CHECK(packet.ip_ident == 0);
  CHECK(packet.options.has_timestamps == spec.timestamps.has_value());
  CHECK(packet.options.timestamp_value == (spec.timestamps ? (*spec.timestamps)[0] : 0));
  CHECK(packet.options.timestamp_echo == (spec.timestamps ? (*spec.timestamps)[1] : 0));
  CHECK(to_text(packet.payload()) == to_text(spec.payload));
  CHECK(checksums_right(out, packet.tcp_offset));
}

}  // namespace

TEST_CASE("a refusal over IPv4 is the packet written out by hand") {
  const Octets words = from_text("554 5.7.1 No\r\n");
  SegmentSpec spec = spec_of(4, words);
  spec.source.address.octets = {std::byte{192}, std::byte{0}, std::byte{2}, std::byte{1}};
  spec.destination.address.octets = {std::byte{198}, std::byte{51}, std::byte{100}, std::byte{7}};
  spec.timestamps = {0x0102'0304, 0x0506'0708};
  Octets out(200);
  out.resize(build_segment(spec, out));
  Octets expected =
      octets_of({0x45, 0, 0, 66, 0, 0, 0x40, 0, 64, 6, 0x4E, 0x7A, 192, 0, 2, 1, 198, 51, 100, 7});
  put(expected,
      {0,    25,   0x9C, 0x40, 0x80, 0, 0, 0,  0xFF, 0xFF, 0xFF, 0xFE, 0x80, 0x19, 0xFF, 0xFF,
       0xFB, 0xB1, 0,    0,    1,    1, 8, 10, 1,    2,    3,    4,    5,    6,    7,    8});
  put(expected, words);
  CHECK(to_text(out) == to_text(expected));
}

TEST_CASE("hop limit and length of an IPv6 segment stand where RFC 8200 puts them") {
  const Octets words = from_text("-ERR no\r\n");
  Octets out(200);
  out.resize(build_segment(spec_of(6, words), out));
  REQUIRE(out.size() == 40 + 20 + 9);
  CHECK(to_text(std::span(out).first(8)) == to_text(octets_of({0x60, 0, 0, 0, 0, 29, 6, 64})));
}

TEST_CASE("whatever is built reads back the same, checksums right") {
  std::mt19937 random(20'250'102);
  for (int round = 0; round < 2'000; ++round) {
    Octets payload(random() % 120);
    for (std::byte& octet : payload) octet = static_cast<std::byte>(random());
    SegmentSpec spec = spec_of(random() % 2 == 0 ? 4 : 6, payload);
    spec.source.port = static_cast<std::uint16_t>(random());
    spec.sequence = static_cast<std::uint32_t>(random());
    spec.acknowledgement = static_cast<std::uint32_t>(random());
    spec.flags = static_cast<std::uint8_t>(random());
    spec.window = static_cast<std::uint16_t>(random());
    if (random() % 2 == 0) {
      spec.timestamps = {static_cast<std::uint32_t>(random()),
                         static_cast<std::uint32_t>(random())};
    }
    check_builds_and_reads_back(spec);
  }
}

TEST_CASE("a buffer one octet too small gets nothing") {
  const Octets words = from_text("* BYE\r\n");
  for (const std::uint8_t version : {std::uint8_t{4}, std::uint8_t{6}}) {
    const std::size_t needed = (version == 4 ? 40U : 60U) + words.size();
    Octets out(needed - 1, std::byte{0xAA});
    CHECK(build_segment(spec_of(version, words), out) == 0);
    CHECK(out == Octets(needed - 1, std::byte{0xAA}));
    out.resize(needed);
    CHECK(build_segment(spec_of(version, words), out) == needed);
  }
}

TEST_CASE("addresses of two versions, or of none, build nothing") {
  Octets out(200);
  SegmentSpec mixed = spec_of(4, {});
  mixed.destination = endpoint(6, 22, 40'000);
  CHECK(build_segment(mixed, out) == 0);
  CHECK(build_segment(spec_of(5, {}), out) == 0);
}

TEST_CASE("a payload that no length field can hold builds nothing") {
  const Octets payload(65'535);
  Octets out(70'000);
  const auto fits = std::span(payload).first(65'535 - 40);
  CHECK(build_segment(spec_of(4, fits), out) == 65'535);
  CHECK(build_segment(spec_of(4, std::span(payload).first(65'535 - 39)), out) == 0);
  CHECK(build_segment(spec_of(6, payload), out) == 0);
}
