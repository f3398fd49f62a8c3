#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

#include "core/bytes.h"

namespace postern {

/// Where the next LF is, from `at` on; the size if there is none.
[[nodiscard]] inline std::size_t find_lf(std::span<const std::byte> octets,
                                         std::size_t at = 0) noexcept {
  if (at >= octets.size()) return octets.size();
  const void* lf = std::memchr(octets.data() + at, std::to_integer<int>(kLf), octets.size() - at);
  if (lf == nullptr) return octets.size();
  return static_cast<std::size_t>(static_cast<const std::byte*>(lf) - octets.data());
}

[[nodiscard]] inline std::span<const std::byte> octets_of(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}

[[nodiscard]] inline std::string_view text_of(std::span<const std::byte> octets) noexcept {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

/// A line without one CR at its end.
[[nodiscard]] inline std::string_view without_cr(std::string_view line) noexcept {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace postern
