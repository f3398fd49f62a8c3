#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace postern::fuzz {

/// Ends the run as a finding when a property does not hold.
inline void require(bool holds) {
  if (!holds) std::abort();
}

/// A copy of exactly the input's size, so that the sanitizer sees a read of one octet too many.
inline std::vector<std::byte> own(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

inline std::span<const std::byte> input(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}

}  // namespace postern::fuzz
