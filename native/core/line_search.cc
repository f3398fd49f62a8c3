#include "core/line_search.h"

#include <cstdint>
#include <cstring>

#include "core/bytes.h"
#include "core/mime_walk_lines.h"

namespace postern {
namespace {

/// So many octets are compared before it is asked whether one was found.
constexpr std::size_t kBlockBytes = 64;

/// The compiler makes the processor's vectors of them. Wider ones gained nothing.
using Octets = std::uint8_t __attribute__((vector_size(16)));
static_assert(4 * sizeof(Octets) == kBlockBytes);

/// Adds the octets of a vector that are a wanted LF. One before and one behind it are read.
template <bool kBare>
[[gnu::always_inline]] inline void add_wanted(Octets& any, const std::byte* from,
                                              std::uint8_t next) noexcept {
  Octets here;
  Octets beside;
  std::memcpy(&here, from, sizeof here);
  std::memcpy(&beside, from + 1, sizeof beside);
  auto wanted = beside == next;
  if constexpr (kBare) {
    std::memcpy(&beside, from - 1, sizeof beside);
    wanted |= beside != std::to_integer<std::uint8_t>(kCr);
  }
  wanted &= here == std::to_integer<std::uint8_t>(kLf);
  any |= reinterpret_cast<Octets>(wanted);
}

/// Whether one is among the octets of a block.
template <bool kBare>
[[gnu::always_inline]] inline bool has_wanted(const std::byte* block, std::uint8_t next) noexcept {
  Octets any{};
  add_wanted<kBare>(any, block, next);
  add_wanted<kBare>(any, block + sizeof any, next);
  add_wanted<kBare>(any, block + 2 * sizeof any, next);
  add_wanted<kBare>(any, block + 3 * sizeof any, next);
  std::uint64_t halves[2];
  std::memcpy(halves, &any, sizeof any);
  return (halves[0] | halves[1]) != 0;
}

/// Where the first block from `at` on begins that has a wanted LF, or the octet behind the last.
template <bool kBare>
std::size_t skip_blocks(std::span<const std::byte> octets, std::size_t at,
                        std::uint8_t next) noexcept {
  // The last octet is looked at alone: nothing is behind it.
  const std::size_t last = octets.size() - 1;
  for (; last - at >= kBlockBytes; at += kBlockBytes) {
    if (has_wanted<kBare>(octets.data() + at, next)) return at;
  }
  // What is left is the end of a block that begins before it.
  const std::size_t first = kBare ? 1 : 0;
  if (at == last || last < kBlockBytes + first) return at;
  return has_wanted<kBare>(octets.data() + last - kBlockBytes, next) ? at : last;
}

template <bool kBare>
bool is_wanted(std::span<const std::byte> octets, std::size_t lf, std::byte next) noexcept {
  if (lf + 1 == octets.size() || octets[lf + 1] == next) return true;
  return kBare && octets[lf - 1] != kCr;
}

template <bool kBare>
std::size_t find(std::span<const std::byte> octets, std::size_t at, std::byte next) noexcept {
  if (kBare && at == 0 && !octets.empty()) {
    if (octets.front() == kLf) return 0;
    at = 1;  // from here on there is one before
  }
  while (at < octets.size()) {
    at = skip_blocks<kBare>(octets, at, std::to_integer<std::uint8_t>(next));
    const std::size_t lf = find_lf(octets, at);
    if (lf == octets.size() || is_wanted<kBare>(octets, lf, next)) return lf;
    at = lf + 1;
  }
  return octets.size();
}

}  // namespace

std::size_t find_lf_before(std::span<const std::byte> octets, std::size_t at,
                           std::byte next) noexcept {
  return find<false>(octets, at, next);
}

std::size_t find_lf_bare_or_before(std::span<const std::byte> octets, std::size_t at,
                                   std::byte next) noexcept {
  return find<true>(octets, at, next);
}

}  // namespace postern
