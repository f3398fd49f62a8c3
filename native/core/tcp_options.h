#pragma once

#include <cstddef>
#include <span>

#include "core/packet.h"

namespace postern {

/// Reads the options of a TCP header (the octets behind the first 20). False when a length is
/// impossible: shorter than kind and length themselves, past the header's end, or not what the
/// option's own document gives. Receivers differ in what they make of such a segment, so it is
/// refused.
[[nodiscard]] bool read_tcp_options(std::span<const std::byte> bytes, TcpOptions& options) noexcept;

}  // namespace postern
