#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/packet.h"

namespace postern {

/// Reads the options of a TCP header (the octets behind the first 20). False when a length is
/// impossible: shorter than kind and length themselves, past the header's end, or not what the
/// option's own document gives. Receivers differ in what they make of such a segment, so it is
/// refused.
[[nodiscard]] bool read_tcp_options(std::span<const std::byte> bytes, TcpOptions& options) noexcept;

/// Overwrites those of which read_tcp_options said `has_unknown` with NOP.
void clear_unknown_options(std::span<std::byte> bytes) noexcept;

inline constexpr std::uint8_t kTimestampsOption = 8;  ///< RFC 7323 3.2

/// Where the last option of this kind begins, among options that were read without complaint; the
/// size of `bytes` when there is none. The last, because that is the one read_tcp_options believes.
[[nodiscard]] std::size_t find_tcp_option(std::span<const std::byte> bytes,
                                          std::uint8_t kind) noexcept;

}  // namespace postern
