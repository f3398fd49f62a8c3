#pragma once

#include <cstddef>
#include <cstdint>

namespace postern {

/// Who sent a segment: the peer whose SYN opened the connection, or the peer that answered it.
enum class Side : std::uint8_t { initiator = 0, responder = 1 };

[[nodiscard]] constexpr Side other(Side side) noexcept {
  return side == Side::initiator ? Side::responder : Side::initiator;
}

[[nodiscard]] constexpr std::size_t index(Side side) noexcept {
  return static_cast<std::size_t>(side);
}

}  // namespace postern
