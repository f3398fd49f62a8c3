#pragma once

#include <cstdint>

#include "engine/gate.h"
#include "io/packet_source.h"

namespace postern {

/// The packet marks by which the rules tell the gate that a zone policy has decided already
/// (src/netfilter/marks.ts): a packet comes here for the log. Without a mask none does.
struct ZoneMarks {
  enum class Meaning : std::uint8_t { none, drop, pass };

  std::uint32_t drop = 0;
  std::uint32_t pass = 0;
  std::uint32_t mask = 0;  ///< all bits that are ours; an accepted packet leaves without them

  [[nodiscard]] Meaning meaning_of(std::uint32_t mark) const noexcept;
};

/// What the log tells of a packet of any transport. Of one that is cut short or malformed, what
/// could be read.
[[nodiscard]] GateDrop describe_packet(const ReceivedPacket& received) noexcept;

}  // namespace postern
