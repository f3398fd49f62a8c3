#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/flow_table.h"
#include "core/keyed_hash.h"
#include "core/packet.h"
#include "core/zeroed_array.h"

namespace postern {

inline constexpr std::uint32_t kNoEntry = 0xFFFF'FFFFU;

/// A connection whose handshake is not complete, unpacked: what its SYN and SYN-ACK said, as much
/// of it as the tracker needs.
struct HalfOpen {
  std::uint32_t index = kNoEntry;
  std::uint32_t generation = 0;
  FlowKey key;
  std::uint32_t initiator_sequence = 0;  ///< ISS of the initiator
  std::uint32_t responder_sequence = 0;  ///< ISS of the responder, once answered
  std::uint16_t initiator_window = 0;    ///< of the SYN, unscaled
  std::uint16_t responder_window = 0;
  std::uint16_t initiator_mss = 536;  ///< rounded down to what the record can hold
  std::uint16_t responder_mss = 536;
  std::optional<std::uint8_t> initiator_window_scale;
  std::optional<std::uint8_t> responder_window_scale;
  bool initiator_timestamps = false;
  bool responder_timestamps = false;
  bool answered = false;  ///< the SYN-ACK was passed on
  std::int64_t created_ms = 0;
};

/// Fixed-size records of at most 64 octets, links included, in a table with a keyed hash; entries
/// in the order of their age, over all and for each responder host. Memory is touched only as
/// entries come. Not thread-safe: engine/gate.h guards it.
///
/// A host has a record while it has an entry or is blocked: how many half-open connections it has,
/// and its oldest.
class HalfOpenTable {
 public:
  static constexpr std::size_t kRecordBytes = 64;

  HalfOpenTable(std::size_t entries_max, std::size_t hosts_max, const HashKey& hash_key) noexcept;
  HalfOpenTable(const HalfOpenTable&) = delete;
  HalfOpenTable& operator=(const HalfOpenTable&) = delete;
};

}  // namespace postern
