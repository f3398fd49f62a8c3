#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/packet.h"

/// How endpoints stand in the text of an event: version, 16 octets of address, port. TypeScript
/// reads them (src/native/event-batch.ts).
namespace postern {

inline constexpr std::size_t kEndpointOctets = 19;
/// Two endpoints, then identification, flags, sequence and acknowledgement of four octets each.
inline constexpr std::uint32_t kDropRecordOctets = 2 * kEndpointOctets + 4 * 4;

inline void put_endpoint(std::span<std::byte> out, const Endpoint& endpoint) noexcept {
  out[0] = static_cast<std::byte>(endpoint.address.version);
  std::copy(endpoint.address.octets.begin(), endpoint.address.octets.end(), out.begin() + 1);
  out[17] = static_cast<std::byte>(endpoint.port >> 8U);
  out[18] = static_cast<std::byte>(endpoint.port & 0xFFU);
}

}  // namespace postern
