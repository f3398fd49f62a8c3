#include "engine/flow_shelf.h"

#include <utility>

namespace postern {

namespace {

bool at_rest(const FlowSide& side) noexcept {
  const bool empty = side.pending.empty() && side.early.empty() && side.head.empty() &&
                     side.masked.empty() && side.store.begin() == side.store.end();
  if (!empty || side.judged_at_cr || side.released != side.forwarded) return false;
  if (side.fin_received != side.fin_forwarded) return false;
  // Octets that nobody reads go unstored; how they would be cut is said when they are read again.
  if (side.opaque) return side.forwarded >= side.store.end();
  const bool level = side.frame_begin == side.store.end() && side.framed == side.frame_begin &&
                     side.forwarded == side.frame_begin;
  const Framing& framing = side.framer.framing();
  return level && framing.mode == FramingMode::lines && side.framer.at_start() &&
         framing.bytes <= RestingFlow::kLineBytesMax;
}

bool at_rest(const Flow& flow) noexcept {
  return !flow.busy && !flow.needs_announcement && !flow.reframe_wanted && !flow.refusal &&
         !flow.content && flow.early_since_ms == 0 && flow.held_since_ms == 0 &&
         at_rest(flow.sides[0]) && at_rest(flow.sides[1]);
}

RestingFlow::RestingSide put_down(const FlowSide& side) noexcept {
  RestingFlow::RestingSide resting{};
  resting.position = side.forwarded;
  resting.facts = side;
  if (side.opaque) return resting;
  const Framing& framing = side.framer.framing();
  resting.line_bytes = static_cast<std::uint32_t>(framing.bytes) & RestingFlow::kLineBytesMax;
  resting.tolerant = framing.tolerant ? 1U : 0U;
  return resting;
}

void take_up(FlowSide& side, const RestingFlow::RestingSide& resting, ChunkPool& pool) noexcept {
  static_cast<SideFacts&>(side) = resting.facts;
  side.store.skip_to(pool, resting.position);
  side.frame_begin = side.framed = side.released = side.forwarded = resting.position;
  side.partial_asked = resting.position;
  side.framer.set(
      {.mode = FramingMode::lines, .bytes = resting.line_bytes, .tolerant = resting.tolerant != 0});
}

}  // namespace

FlowShelf::FlowShelf(std::size_t flows_max, ChunkPool& pool)
    : pool_(pool), resting_(flows_max), awake_(flows_max) {}

Flow& FlowShelf::wake(std::uint32_t index) {
  awake_[index] = std::make_unique<Flow>();
  ++awake_count_;
  touch(index);
  return *awake_[index];
}

Flow& FlowShelf::add(std::uint32_t index) {
  return wake(index);
}

Flow* FlowShelf::operator[](std::uint32_t index) noexcept {
  if (awake_[index]) return awake_[index].get();
  Flow& flow = wake(index);
  const RestingFlow& resting = resting_[index];
  static_cast<FlowFacts&>(flow) = resting.facts;
  for (std::size_t i = 0; i < flow.sides.size(); ++i) {
    take_up(flow.sides[i], resting.sides[i], pool_);
  }
  return &flow;
}

void FlowShelf::remove(std::uint32_t index) noexcept {
  if (std::exchange(awake_[index], nullptr)) --awake_count_;
}

void FlowShelf::touch(std::uint32_t index) noexcept {
  Flow& flow = *awake_[index];
  if (std::exchange(flow.may_rest, true)) return;
  touched_.push_back(index);
}

void FlowShelf::put_down() noexcept {
  for (const std::uint32_t index : touched_) {
    // Gone since, or listed twice because another flow has got its index.
    Flow* const flow = awake_[index].get();
    if (flow == nullptr) continue;
    flow->may_rest = false;
    if (index >= resting_.size() || !at_rest(*flow)) continue;
    RestingFlow& resting = resting_[index];
    resting.facts = *flow;
    for (std::size_t i = 0; i < flow->sides.size(); ++i) {
      resting.sides[i] = postern::put_down(flow->sides[i]);
    }
    remove(index);
  }
  touched_.clear();
}

}  // namespace postern
