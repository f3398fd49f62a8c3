#pragma once

#include <cstddef>
#include <cstdint>

#include "core/keyed_hash.h"
#include "core/packet.h"
#include "core/side.h"
#include "core/zeroed_array.h"

namespace postern {

inline constexpr std::uint32_t kNoFlow = 0xFFFF'FFFFU;

/// A connection's two ends. Both orders of them are one flow; this order says who opened it.
struct FlowKey {
  Endpoint initiator;
  Endpoint responder;

  friend bool operator==(const FlowKey&, const FlowKey&) noexcept = default;
};

/// Which connection a packet belongs to: from its two ends to a dense index below capacity(), so
/// that everything else about a flow can stand in plain arrays. Chains are linked by index, hence
/// erasing leaves nothing behind that later searches would walk over.
///
/// Fixed in size; memory is touched only as flows come. References to keys hold until the flow is
/// erased.
class FlowTable {
 public:
  /// With a capacity of 0 (also when the memory was refused) every insert answers kNoFlow.
  FlowTable(std::size_t capacity, const HashKey& hash_key) noexcept;
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  /// The flow between the two ends, whichever of them sends; kNoFlow if there is none.
  [[nodiscard]] std::uint32_t find(const Endpoint& source,
                                   const Endpoint& destination) const noexcept;
  /// Adds a flow that must not be there yet. kNoFlow when the table is full.
  [[nodiscard]] std::uint32_t insert(const FlowKey& key) noexcept;
  /// Removes a flow that is there; its index may be given out again at once.
  void erase(std::uint32_t flow) noexcept;

  [[nodiscard]] const FlowKey& key(std::uint32_t flow) const noexcept { return entries_[flow].key; }
  /// Which of the flow's ends `source` is.
  [[nodiscard]] Side side_of(std::uint32_t flow, const Endpoint& source) const noexcept {
    return entries_[flow].key.initiator == source ? Side::initiator : Side::responder;
  }
  /// How often the index was erased: a stored (index, generation) is stale when this has changed.
  [[nodiscard]] std::uint32_t generation(std::uint32_t flow) const noexcept {
    return entries_[flow].generation;
  }
  [[nodiscard]] bool used(std::uint32_t flow) const noexcept {
    return flow < capacity_ && ((used_bits_[flow / 64] >> (flow % 64)) & 1U) != 0;
  }
  /// The first flow in use at or after `from`, kNoFlow behind the last. Erasing and inserting
  /// between calls is allowed.
  [[nodiscard]] std::uint32_t next_used(std::uint32_t from) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  /// Links hold an index plus one, so that zeroed memory means "none".
  struct Entry {
    FlowKey key;
    std::uint32_t hash;
    std::uint32_t next;  ///< in the chain while used, in the free list after that
    std::uint32_t generation;
  };

  [[nodiscard]] std::uint32_t take_index() noexcept;

  HashKey hash_key_;
  ZeroedArray<Entry> entries_;
  ZeroedArray<std::uint32_t> buckets_;
  ZeroedArray<std::uint64_t> used_bits_;
  std::size_t capacity_ = 0;
  std::uint32_t bucket_mask_ = 0;
  std::size_t size_ = 0;
  std::uint32_t first_free_ = 0;  ///< index plus one
  std::uint32_t untouched_ = 0;   ///< indexes from here on were never given out
};

}  // namespace postern
