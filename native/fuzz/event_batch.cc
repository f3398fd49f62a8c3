// Orders as a broken writer may leave them, orders as a sound one writes them, and events up to the
// last word that fits.
#include "engine/event_batch.h"

#include <algorithm>
#include <array>
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

/// An order for each three octets, with the words that its operation has
/// (src/native/event-batch.ts).
std::vector<std::uint32_t> sound_orders(std::span<const std::byte> bytes,
                                        std::vector<Order>& orders) {
  constexpr std::array<std::size_t, 11> kArguments{0, 2, 0, 0, 2, 2, 0, 0, 1, 1, 1};
  static_assert(static_cast<std::size_t>(OrderOp::content) == kArguments.size());
  std::vector<std::uint32_t> words;
  for (; bytes.size() >= 3; bytes = bytes.subspan(3)) {
    const auto what = std::to_integer<std::uint32_t>(bytes[0]);
    const auto flags = std::to_integer<std::uint32_t>(bytes[1]) * 257U;
    const auto value = std::to_integer<std::uint32_t>(bytes[2]) * 0x0101'0101U;
    const std::uint32_t op = 1 + (what >> 1U) % static_cast<std::uint32_t>(kArguments.size());
    const std::size_t arguments = kArguments[op - 1];
    const Order order{.op = static_cast<OrderOp>(op),
                      .side = static_cast<Side>(what & 1U),
                      .flags = flags,
                      .flow = ~value,
                      .first = arguments > 0 ? value : 0,
                      .second = arguments > 1 ? value + 1 : 0};
    orders.push_back(order);
    words.insert(words.end(), {op | ((what & 1U) << 8U) | (flags << 16U), order.flow});
    if (arguments > 0) words.push_back(order.first);
    if (arguments > 1) words.push_back(order.second);
  }
  return words;
}

/// What was written is read; without its last words, whole orders are, up to the one that is cut.
void read_sound_orders(std::span<const std::byte> bytes, std::size_t missing) {
  std::vector<Order> written;
  std::vector<std::uint32_t> words = sound_orders(bytes, written);
  words.resize(words.size() - std::min(missing, words.size()));
  words.shrink_to_fit();
  OrderReader reader(words);
  std::size_t read = 0;
  for (Order order; reader.next(order); ++read) {
    require(read < written.size());
    const Order& meant = written[read];
    require(order.op == meant.op && order.side == meant.side && order.flags == meant.flags);
    require(order.flow == meant.flow && order.first == meant.first);
    require(order.second == meant.second);
  }
  require(missing != 0 || (read == written.size() && !reader.broken()));
  require(read + missing >= written.size());
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
  read_sound_orders(bytes, 0);
  read_sound_orders(bytes, size % 7);
  if (!bytes.empty()) write_events(bytes.subspan(1), std::to_integer<std::size_t>(bytes[0]));
  return 0;
}
