#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace postern {

/// VLAN tags passed over before a frame counts as none of IP.
inline constexpr std::size_t kVlanTagsMax = 4;

/// Whether frames of this libpcap link type (DLT_*) can be read.
[[nodiscard]] bool is_known_link_type(int link_type) noexcept;

/// The octets of a captured frame from the IP header on, link-layer padding behind them included;
/// nothing when the frame carries no IP or ends within its link-layer header.
[[nodiscard]] std::optional<std::span<const std::byte>> ip_bytes_of_frame(
    int link_type, std::span<const std::byte> frame) noexcept;

}  // namespace postern
