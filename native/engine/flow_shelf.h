#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/stream_store.h"
#include "core/zeroed_array.h"
#include "engine/flow.h"

namespace postern {

/// A flow with nothing under way: no octet stored, no packet held, every line ended, and all that
/// was sent acknowledged.
struct RestingFlow {
  static constexpr std::uint32_t kLineBytesMax = (1U << 30U) - 1;

  struct RestingSide {
    std::uint64_t position;  ///< where the stream stands: all offsets of the side are this one
    SideFacts facts;
    std::uint32_t line_bytes : 30;  ///< the budget of the next line
    std::uint32_t tolerant : 1;
  };
  FlowFacts facts;
  std::array<RestingSide, 2> sides;
};

/// The flows of a worker by their index. Most of them rest most of the time, and then cost a record
/// each; whoever asks for one gets it whole.
class FlowShelf {
 public:
  /// The pool that their stores take chunks of.
  FlowShelf(std::size_t flows_max, ChunkPool& pool);
  FlowShelf(const FlowShelf&) = delete;
  FlowShelf& operator=(const FlowShelf&) = delete;

  Flow& add(std::uint32_t index);
  void remove(std::uint32_t index) noexcept;
  /// A flow that was added. It stays where it is until the next put_down().
  [[nodiscard]] Flow* operator[](std::uint32_t index) noexcept;
  /// Something happened to the flow, which is awake: it may be at rest now.
  void touch(std::uint32_t index) noexcept;
  /// Puts down those of the flows touched or woken since the last time that are at rest.
  void put_down() noexcept;

  [[nodiscard]] std::size_t awake() const noexcept { return awake_count_; }

 private:
  [[nodiscard]] Flow& wake(std::uint32_t index);

  ChunkPool& pool_;
  ZeroedArray<RestingFlow> resting_;
  std::vector<std::unique_ptr<Flow>> awake_;
  std::vector<std::uint32_t> touched_;
  std::size_t awake_count_ = 0;
};

}  // namespace postern
