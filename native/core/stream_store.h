#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/limits.h"
#include "core/zeroed_array.h"

namespace postern {

/// The chunks of memory that all stream stores of a worker share: fixed in number, never growing,
/// and touched only when first taken. The chunk given back last is taken first, so a quiet router
/// works in a few warm chunks.
class ChunkPool {
 public:
  /// With no chunks (also when the memory was refused) take() always answers kNone.
  explicit ChunkPool(std::size_t chunks_max) noexcept;
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  static constexpr std::uint32_t kNone = 0xFFFF'FFFFU;

  [[nodiscard]] std::uint32_t take() noexcept;  ///< kNone when the pool is empty
  void give_back(std::uint32_t chunk) noexcept;
  [[nodiscard]] std::span<std::byte> bytes(std::uint32_t chunk) noexcept {
    return {memory_[chunk].data(), kChunkBytes};
  }
  [[nodiscard]] std::uint32_t& next(std::uint32_t chunk) noexcept { return next_[chunk]; }
  [[nodiscard]] std::size_t free_chunks() const noexcept { return chunks_ - used_; }
  [[nodiscard]] std::size_t used_chunks() const noexcept { return used_; }

 private:
  ZeroedArray<std::array<std::byte, kChunkBytes>> memory_;
  ZeroedArray<std::uint32_t> next_;
  std::size_t chunks_ = 0;
  std::size_t used_ = 0;
  std::uint32_t first_free_ = kNone;
  std::uint32_t untouched_ = 0;  ///< chunks from here on were never taken
};

/// The in-order octets of one side, from the oldest that may still be wanted (not yet acknowledged
/// by the receiver, or part of the frame under way) to the newest. It is the one truth of what was
/// sent: masks are written into it, and every retransmission is overwritten from it, so first-seen
/// octets win.
///
/// Offsets are stream offsets: 0 is the first octet after the SYN, and they never wrap (64 bits).
/// A store must be released before it goes; every call must name the pool of the first one.
class StreamStore {
 public:
  StreamStore() noexcept = default;
  StreamStore(const StreamStore&) = delete;
  StreamStore& operator=(const StreamStore&) = delete;

  [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }
  [[nodiscard]] std::uint64_t end() const noexcept { return end_; }

  /// Adds octets at the end. False, with nothing added, when the pool cannot hold all of them.
  [[nodiscard]] bool append(ChunkPool& pool, std::span<const std::byte> bytes) noexcept;
  /// Moves begin() to `offset` (clamped to [begin, end]) and gives emptied chunks back.
  void discard_before(ChunkPool& pool, std::uint64_t offset) noexcept;
  /// Moves both ends to `offset` with nothing stored: used where octets pass without being kept.
  void skip_to(ChunkPool& pool, std::uint64_t offset) noexcept;
  /// The longest contiguous run that starts at `offset` (in [begin, end]); empty at end().
  [[nodiscard]] std::span<std::byte> run_at(ChunkPool& pool, std::uint64_t offset) noexcept;
  /// Copies [offset, offset + out.size()) out; the range must lie within [begin, end).
  void copy_out(ChunkPool& pool, std::uint64_t offset, std::span<std::byte> out) noexcept;
  /// Overwrites a range with one octet; the part outside [begin, end) is left out.
  void fill(ChunkPool& pool, std::uint64_t offset, std::uint64_t length, std::byte octet) noexcept;
  /// Makes `payload`, which claims to be the octets at `offset`, equal to what is stored where both
  /// exist. Returns whether anything differed.
  [[nodiscard]] bool impose(ChunkPool& pool, std::uint64_t offset,
                            std::span<std::byte> payload) noexcept;
  void release(ChunkPool& pool) noexcept;  ///< gives every chunk back; begin() = end()

 private:
  /// An octet's place: its chunk and how far into it.
  struct Place {
    std::uint32_t chunk;
    std::uint32_t within;
  };
  [[nodiscard]] Place locate(ChunkPool& pool, std::uint64_t offset) noexcept;
  void drop_first_chunk(ChunkPool& pool) noexcept;

  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  /// Stream offset of the first octet of near_chunk_, the chunk looked at last: whoever reads on
  /// does not walk the chain from its start.
  std::uint64_t near_offset_ = 0;
  std::uint32_t near_chunk_ = ChunkPool::kNone;
  std::uint32_t first_chunk_ = ChunkPool::kNone;
  std::uint32_t last_chunk_ = ChunkPool::kNone;
  std::uint32_t first_used_ = 0;  ///< offset of begin_ in the first chunk
  std::uint32_t last_used_ = 0;   ///< octets written in the last chunk
};

}  // namespace postern
