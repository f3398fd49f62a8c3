#pragma once

#include <cstddef>
#include <span>

namespace postern {

/// Where lines may begin that somebody has to look at, many octets at a time: most lines are none
/// of them, and to stop at each costs more than to compare. `at` is where to begin; the size is
/// answered where there is none.

/// The next LF with `next` behind it, or with nothing behind it yet.
[[nodiscard]] std::size_t find_lf_before(std::span<const std::byte> octets, std::size_t at,
                                         std::byte next) noexcept;

/// The same, and also each LF with no CR before it.
[[nodiscard]] std::size_t find_lf_bare_or_before(std::span<const std::byte> octets, std::size_t at,
                                                 std::byte next) noexcept;

}  // namespace postern
