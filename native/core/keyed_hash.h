#pragma once

#include <cstdint>
#include <span>

namespace postern {

/// A secret of the process, drawn at random at start: without it nobody can aim flows at one chain.
struct HashKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

/// SipHash-1-3 (Aumasson and Bernstein, 2012, with reduced rounds) over whole 64-bit words, each as
/// its eight octets in little-endian order.
[[nodiscard]] std::uint64_t keyed_hash(const HashKey& key,
                                       std::span<const std::uint64_t> words) noexcept;

}  // namespace postern
