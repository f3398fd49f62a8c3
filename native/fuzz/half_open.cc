// Random operations on a small half-open table, against a plain list of what it should hold.
#include <algorithm>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "core/half_open_table.h"
#include "fuzzing.h"

using namespace postern;
using postern::fuzz::require;

namespace {

constexpr std::size_t kEntries = 12;
constexpr std::size_t kHosts = 5;

/// Few ends, so that they meet again: one of four clients, two ports, eight servers, two versions.
FlowKey ends_of(std::uint8_t octet) {
  FlowKey ends;
  ends.initiator.address.octets[3] = std::byte{static_cast<std::uint8_t>(octet & 3U)};
  ends.initiator.port = (octet & 4U) != 0 ? 1'025 : 1'024;
  ends.responder.address.octets[3] =
      std::byte{static_cast<std::uint8_t>(8U + ((octet >> 3U) & 7U))};
  ends.responder.port = 25;
  const std::uint8_t version = (octet & 64U) != 0 ? 6 : 4;
  ends.initiator.address.version = version;
  ends.responder.address.version = version;
  // The other direction of another connection: clients may be servers too.
  if ((octet & 128U) != 0) std::swap(ends.initiator.address, ends.responder.address);
  return ends;
}

bool joins(const FlowKey& key, const FlowKey& ends) {
  return key == ends || (key.initiator == ends.responder && key.responder == ends.initiator);
}

/// What the table should hold: entries from the oldest to the newest.
struct Model {
  std::vector<HalfOpen> entries;
  std::vector<Address> blocked;
  std::int64_t newest_ms = 0;

  [[nodiscard]] auto find(const FlowKey& ends) {
    return std::ranges::find_if(entries, [&](const HalfOpen& e) { return joins(e.key, ends); });
  }
  [[nodiscard]] std::size_t entries_of(const Address& host) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        entries, [&](const HalfOpen& e) { return e.key.responder.address == host; }));
  }
  [[nodiscard]] bool is_blocked(const Address& host) const {
    return std::ranges::find(blocked, host) != blocked.end();
  }
  [[nodiscard]] std::vector<Address> hosts() const {
    std::vector<Address> all = blocked;
    for (const HalfOpen& entry : entries) {
      const Address& host = entry.key.responder.address;
      if (std::ranges::find(all, host) == all.end()) all.push_back(host);
    }
    return all;
  }
  [[nodiscard]] bool has_host_room(const Address& host) const {
    const std::vector<Address> all = hosts();
    return all.size() < kHosts || std::ranges::find(all, host) != all.end();
  }
  [[nodiscard]] std::int64_t time(std::int64_t now_ms) {
    newest_ms = std::max(newest_ms, now_ms / 10 * 10);
    return newest_ms;
  }
};

bool same_facts(const HalfOpen& a, const HalfOpen& b) {
  return a.index == b.index && a.generation == b.generation && a.key == b.key &&
         a.initiator_sequence == b.initiator_sequence && a.answered == b.answered &&
         a.responder_sequence == b.responder_sequence && a.created_ms == b.created_ms &&
         a.initiator_window_scale == b.initiator_window_scale;
}

void compare(const HalfOpenTable& table, Model& model) {
  require(table.size() == model.entries.size());
  std::uint32_t index = table.oldest();
  for (const HalfOpen& expected : model.entries) {
    require(index != kNoEntry && same_facts(table.get(index), expected));
    require(table.holds(expected));
    require(table.find(expected.key.responder, expected.key.initiator) == index);
    index = table.younger(index);
  }
  require(index == kNoEntry);
  std::size_t listed = 0;
  for (index = table.next_used(0); index != kNoEntry; index = table.next_used(index + 1)) ++listed;
  require(listed == model.entries.size());

  const std::vector<Address> hosts = model.hosts();
  require(table.hosts() == hosts.size());
  require(table.blocked_hosts() == model.blocked.size());
  for (const Address& address : hosts) {
    const std::uint32_t host = table.find_host(address);
    require(host != kNoHost && table.host_entries(host) == model.entries_of(address));
    require(table.blocked(host) == model.is_blocked(address));
    const auto oldest = std::ranges::find_if(model.entries, [&](const HalfOpen& entry) {
      return entry.key.responder.address == address;
    });
    const std::uint32_t expected = oldest == model.entries.end() ? kNoEntry : oldest->index;
    require(table.oldest_of_host(host) == expected);
  }
}

void insert(HalfOpenTable& table, Model& model, const FlowKey& ends, std::int64_t now_ms) {
  HalfOpen entry;
  entry.key = ends;
  entry.initiator_sequence = static_cast<std::uint32_t>(now_ms) * 7U;
  entry.created_ms = now_ms;
  const auto known = model.find(ends);
  if (known != model.entries.end()) {
    // The same ends again: they begin anew.
    entry.key = known->key;
    table.renew(known->index, entry);
    entry.index = known->index;
    entry.generation = (known->generation + 1) & 0xFFFU;
    model.entries.erase(known);
  } else {
    const bool room =
        model.entries.size() < kEntries && model.has_host_room(ends.responder.address);
    entry.index = table.insert(entry);
    require((entry.index != kNoEntry) == room);
    if (!room) return;
    entry.generation = table.get(entry.index).generation;
  }
  entry.created_ms = model.time(now_ms);
  model.entries.push_back(entry);
}

void erase(HalfOpenTable& table, Model& model, const FlowKey& ends) {
  const auto known = model.find(ends);
  const std::uint32_t index = table.find(ends.initiator, ends.responder);
  require((index != kNoEntry) == (known != model.entries.end()));
  if (index == kNoEntry) return;
  const HalfOpen gone = *known;
  table.erase(index);
  model.entries.erase(known);
  require(!table.holds(gone));
}

void answer(HalfOpenTable& table, Model& model, const FlowKey& ends, std::uint8_t octet) {
  const auto known = model.find(ends);
  if (known == model.entries.end()) return;
  known->answered = true;
  known->responder_sequence = octet * 0x01010101U;
  known->initiator_window_scale = octet % 15;
  table.update(known->index, *known);
}

void block(HalfOpenTable& table, Model& model, const Address& host) {
  const bool room = model.has_host_room(host);
  require(table.block(host) == room);
  if (room && !model.is_blocked(host)) model.blocked.push_back(host);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span octets(data, std::min<std::size_t>(size, 1'024));
  HalfOpenTable table(kEntries, kHosts, {.low = 3, .high = 4});
  Model model;
  std::int64_t now_ms = 0;
  for (std::size_t at = 0; at + 1 < octets.size(); at += 2) {
    const FlowKey ends = ends_of(octets[at + 1]);
    now_ms += octets[at] >> 3U;
    switch (octets[at] & 7U) {
      case 0:
      case 1:
      case 2:
        insert(table, model, ends, now_ms);
        break;
      case 3:
        erase(table, model, ends);
        break;
      case 4:
        answer(table, model, ends, octets[at]);
        break;
      case 5:
        block(table, model, ends.responder.address);
        break;
      case 6:
        table.unblock(ends.responder.address);
        std::erase(model.blocked, ends.responder.address);
        break;
      default:
        if (!model.entries.empty()) erase(table, model, model.entries.front().key);
        break;
    }
    compare(table, model);
  }
  return 0;
}
