#include "core/flow_table.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <vector>

using namespace postern;

namespace {

constexpr HashKey kKey{0x0706'0504'0302'0100U, 0x0F0E'0D0C'0B0A'0908U};

Endpoint end_v4(std::uint32_t host, std::uint16_t port) {
  Endpoint end;
  for (std::size_t i = 0; i < 4; ++i) {
    end.address.octets[i] = static_cast<std::byte>(host >> (24 - 8 * i));
  }
  end.port = port;
  return end;
}

Endpoint end_v6(std::uint32_t host, std::uint16_t port) {
  Endpoint end = end_v4(0x2001'0DB8U, port);
  end.address.version = 6;
  for (std::size_t i = 0; i < 4; ++i) {
    end.address.octets[12 + i] = static_cast<std::byte>(host >> (24 - 8 * i));
  }
  return end;
}

FlowKey numbered(std::uint32_t n) {
  const auto port = static_cast<std::uint16_t>(1'024 + n % 50'000);
  if (n % 3 == 0) return {end_v6(n, port), end_v6(7, 25)};
  return {end_v4(0x0A00'0000U + n / 7, port), end_v4(0xC000'0219U, 25)};
}

}  // namespace

TEST_CASE("keyed hash: gives the values of SipHash-1-3") {
  // Made with another implementation: CPython's hash of bytes(range(8 n)) under the zero key.
  const std::vector<std::uint64_t> words = {0x0706050403020100U, 0x0F0E0D0C0B0A0908U,
                                            0x1716151413121110U, 0x1F1E1D1C1B1A1918U,
                                            0x2726252423222120U};
  const std::span<const std::uint64_t> all(words);
  CHECK(keyed_hash({}, all.first(1)) == 0xEAD411E67EBE2EEAU);
  CHECK(keyed_hash({}, all.first(2)) == 0x8972188433A5C5B7U);
  CHECK(keyed_hash({}, all) == 0x95BC321AB41D8206U);
  CHECK(keyed_hash({1, 0}, all) != keyed_hash({0, 1}, all));
}

TEST_CASE("flow table: both directions find the same flow, and know who opened it") {
  FlowTable table(8, kKey);
  for (const FlowKey& key :
       {FlowKey{end_v4(1, 40'000), end_v4(2, 25)}, FlowKey{end_v6(2, 25), end_v6(1, 40'000)}}) {
    CHECK(table.find(key.initiator, key.responder) == kNoFlow);
    const std::uint32_t flow = table.insert(key);
    REQUIRE(flow != kNoFlow);
    CHECK(table.find(key.initiator, key.responder) == flow);
    CHECK(table.find(key.responder, key.initiator) == flow);
    CHECK(table.key(flow) == key);
    CHECK(table.side_of(flow, key.initiator) == Side::initiator);
    CHECK(table.side_of(flow, key.responder) == Side::responder);
  }
  CHECK(table.size() == 2);
}

TEST_CASE("flow table: ends that differ in one thing are other flows") {
  FlowTable table(8, kKey);
  const FlowKey key{end_v4(1, 40'000), end_v4(2, 25)};
  REQUIRE(table.insert(key) != kNoFlow);
  CHECK(table.find(end_v4(1, 25), end_v4(2, 40'000)) == kNoFlow);
  CHECK(table.find(end_v4(2, 40'000), end_v4(1, 25)) == kNoFlow);
  CHECK(table.find(end_v4(1, 40'001), end_v4(2, 25)) == kNoFlow);
  CHECK(table.find(end_v4(3, 40'000), end_v4(2, 25)) == kNoFlow);
  CHECK(table.find(key.initiator, key.initiator) == kNoFlow);
  Endpoint same_octets_v6 = key.initiator;
  same_octets_v6.address.version = 6;
  CHECK(table.find(same_octets_v6, key.responder) == kNoFlow);
}

TEST_CASE("flow table: a connection of an end with itself is a flow like others") {
  FlowTable table(2, kKey);
  const Endpoint end = end_v4(1, 25);
  const std::uint32_t flow = table.insert({end, end});
  CHECK(table.find(end, end) == flow);
  table.erase(flow);
  CHECK(table.find(end, end) == kNoFlow);
}

TEST_CASE("flow table: a full table refuses, and takes again after an erase") {
  FlowTable table(3, kKey);
  std::vector<std::uint32_t> flows;
  for (std::uint32_t n = 0; n < 3; ++n) flows.push_back(table.insert(numbered(n)));
  CHECK(table.insert(numbered(3)) == kNoFlow);
  CHECK(table.size() == 3);
  const std::uint32_t generation = table.generation(flows[1]);
  table.erase(flows[1]);
  CHECK_FALSE(table.used(flows[1]));
  CHECK(table.insert(numbered(3)) == flows[1]);
  CHECK(table.generation(flows[1]) != generation);
  CHECK(table.find(numbered(1).initiator, numbered(1).responder) == kNoFlow);

  FlowTable none(0, kKey);
  CHECK(none.insert(numbered(0)) == kNoFlow);
  CHECK(none.find(numbered(0).initiator, numbered(0).responder) == kNoFlow);
  CHECK(none.next_used(0) == kNoFlow);
  CHECK_FALSE(none.used(0));
}

TEST_CASE("flow table: any sequence of inserts and erases agrees with a plain map") {
  constexpr std::uint32_t kCapacity = 120;
  FlowTable table(kCapacity, kKey);
  std::map<std::uint32_t, std::uint32_t> model;  // number -> flow
  std::mt19937 random(42);
  std::size_t refused = 0;
  for (int i = 0; i < 40'000; ++i) {
    const auto n = static_cast<std::uint32_t>(random() % 300);
    const auto known = model.find(n);
    if (known != model.end()) {
      REQUIRE(table.find(numbered(n).responder, numbered(n).initiator) == known->second);
      table.erase(known->second);
      model.erase(known);
    } else {
      REQUIRE(table.find(numbered(n).initiator, numbered(n).responder) == kNoFlow);
      const std::uint32_t flow = table.insert(numbered(n));
      REQUIRE((flow == kNoFlow) == (model.size() == kCapacity));
      flow == kNoFlow ? void(++refused) : void(model[n] = flow);
    }
    REQUIRE(table.size() == model.size());
  }
  CHECK(refused > 0);
  for (const auto& [n, flow] : model) CHECK(table.key(flow) == numbered(n));
}

TEST_CASE("flow table: a walk meets each flow once, and may erase as it goes") {
  FlowTable table(1'000, kKey);
  for (std::uint32_t n = 0; n < 700; ++n) REQUIRE(table.insert(numbered(n)) != kNoFlow);
  std::size_t met = 0;
  for (std::uint32_t flow = table.next_used(0); flow != kNoFlow; flow = table.next_used(flow + 1)) {
    if (++met % 2 == 0) table.erase(flow);
  }
  CHECK(met == 700);
  CHECK(table.size() == 350);
  met = 0;
  for (std::uint32_t flow = table.next_used(0); flow != kNoFlow; flow = table.next_used(flow + 1)) {
    CHECK(table.used(flow));
    ++met;
  }
  CHECK(met == 350);
}
