#pragma once

#include <cstdint>

#include "core/keyed_hash.h"
#include "core/packet.h"

namespace postern {

/// The same for both directions of a connection.
[[nodiscard]] std::uint32_t connection_hash(const HashKey& key, const Endpoint& one,
                                            const Endpoint& another) noexcept;

/// Of an address alone.
[[nodiscard]] std::uint32_t address_hash(const HashKey& key, const Address& address) noexcept;

}  // namespace postern
