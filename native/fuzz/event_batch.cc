// Orders as a broken writer may leave them, and events up to the last word that fits.
#include "engine/event_batch.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "fuzz/fuzzing.h"

namespace {

using namespace postern;
using postern::fuzz::require;

void read_orders(std::span<const std::byte> bytes) {
  // A copy of exactly its size: a word too far is seen by the sanitizer.
  std::vector<std::uint32_t> words(bytes.size() / sizeof(std::uint32_t));
  if (!words.empty()) std::memcpy(words.data(), bytes.data(), words.size() * sizeof(std::uint32_t));
  OrderReader reader(words);
  Order order;
  std::size_t orders = 0;
  while (reader.next(order)) {
    ++orders;
    require(!reader.broken());
    require(order.op >= OrderOp::forward && order.op <= OrderOp::content);
    require(order.side == Side::initiator || order.side == Side::responder);
  }
  require(orders <= words.size() / 2);
  const bool broken = reader.broken();
  require(!reader.next(order) && reader.broken() == broken);
}

void write_events(std::span<const std::byte> bytes, std::size_t room) {
  std::vector<std::uint32_t> words(kEventHeaderWords + room);
  std::vector<std::byte> arena(room * 3);
  EventWriter writer(words, arena);
  writer.start(-1);
  std::size_t taken = 0;
  for (const std::byte octet : bytes) {
    std::uint32_t at = 0;
    const std::size_t wanted = std::to_integer<std::size_t>(octet);
    if (!writer.reserve(wanted, at)) {
      require(taken + wanted > arena.size());
      continue;
    }
    require(at == taken && at + wanted <= arena.size());
    taken += wanted;
    std::ranges::fill(writer.text(at, wanted), octet);
    if (writer.full()) break;
    writer.add({.flow = at, .text_offset = at, .text_length = static_cast<std::uint32_t>(wanted)});
    require(words[kEventHeaderWords + (writer.count() - 1) * kEventWords + 3] == at);
  }
  require(writer.count() <= room / kEventWords);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = postern::fuzz::input(data, size);
  read_orders(bytes);
  if (!bytes.empty()) write_events(bytes.subspan(1), std::to_integer<std::size_t>(bytes[0]));
  return 0;
}
