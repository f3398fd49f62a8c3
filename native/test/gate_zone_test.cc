#include "engine/gate_zone.h"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <span>
#include <vector>

using namespace postern;

namespace {

constexpr ZoneMarks kMarks{.drop = 0x1900'0000, .pass = 0x0900'0000, .mask = 0x1F00'0000};

/// A SYN of IPv4 with identification 0x0102, 192.0.2.1:4000 to 192.0.2.2:25.
std::vector<std::byte> syn() {
  constexpr std::array<unsigned char, 40> kOctets = {
      0x45, 0,    0, 40, 1, 2, 0x40, 0, 64, 6, 0, 0, 192,  0,    2, 1, 192, 0, 2, 2,
      0x0F, 0xA0, 0, 25, 0, 0, 0,    7, 0,  0, 0, 0, 0x50, 0x02, 4, 0, 0,   0, 0, 0};
  std::vector<std::byte> octets;
  for (const unsigned char octet : kOctets) octets.push_back(std::byte{octet});
  return octets;
}

GateDrop described(std::span<std::byte> octets) {
  ReceivedPacket received;
  received.bytes = octets;
  received.in_interface = 3;
  received.out_interface = 4;
  return describe_packet(received);
}

}  // namespace

TEST_CASE("a mark of the zones is exactly it, whatever the administrator's bits are") {
  CHECK(kMarks.meaning_of(0x1900'0000) == ZoneMarks::Meaning::drop);
  CHECK(kMarks.meaning_of(0x1900'0042) == ZoneMarks::Meaning::drop);
  CHECK(kMarks.meaning_of(0x0900'0042) == ZoneMarks::Meaning::pass);
  CHECK(kMarks.meaning_of(0) == ZoneMarks::Meaning::none);
  CHECK(kMarks.meaning_of(0x1000'0000) == ZoneMarks::Meaning::none);
  CHECK(kMarks.meaning_of(0x1800'0000) == ZoneMarks::Meaning::none);
  CHECK(ZoneMarks{}.meaning_of(0) == ZoneMarks::Meaning::none);
}

TEST_CASE("TCP is told of with its numbers and its interfaces") {
  std::vector<std::byte> octets = syn();
  const GateDrop told = described(octets);
  CHECK(told.protocol == 6);
  CHECK(told.source.port == 4'000);
  CHECK(told.destination.port == 25);
  CHECK(told.ip_ident == 0x0102);
  CHECK(told.flags == kSyn);
  CHECK(told.sequence == 7);
  CHECK(told.in_interface == 3);
  CHECK(told.out_interface == 4);
  CHECK_FALSE(told.passed);
}

TEST_CASE("other transports have addresses at least") {
  std::vector<std::byte> octets = syn();
  octets[9] = std::byte{17};
  octets[25] = std::byte{20};  // UDP's own length
  GateDrop told = described(octets);
  CHECK(told.protocol == 17);
  CHECK(told.destination.port == 25);
  CHECK(told.flags == 0);
  octets[9] = std::byte{47};
  told = described(octets);
  CHECK(told.protocol == 47);
  CHECK(told.destination.address.octets[3] == std::byte{2});
  CHECK(told.destination.port == 0);
}

TEST_CASE("what is cut short or wrong anywhere is told of as far as it goes") {
  const std::vector<std::byte> whole = syn();
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    const GateDrop told = described(cut);
    if (length >= 24) CHECK(told.destination.port == 25);
  }
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> noise = whole;
    for (int change = 0; change < 4; ++change) {
      noise[random() % noise.size()] = static_cast<std::byte>(random());
    }
    noise.resize(random() % (noise.size() + 1));
    static_cast<void>(described(noise));
  }
}
