#include "engine/content_memory.h"

#include <algorithm>
#include <cstring>

#include "core/limits.h"

namespace postern {
namespace {

/// A record has twelve octets at least.
constexpr std::size_t kMatchesMax = kContentFactBytesMax / 12 + 1;

std::array<const PatternSet*, 4> sets_of(const ContentPlan& plan) noexcept {
  return {plan.header.get(), plan.body.get(), plan.decoded.get(), plan.content_type.get()};
}

}  // namespace

void ContentRun::add(std::span<const std::byte> piece) noexcept {
  std::memcpy(octets_.data() + size_, piece.data(), piece.size());
  size_ += piece.size();
}

ContentMemory::ContentMemory(const ContentPlan& plan) {
  if (plan.body) body.emplace(plan.body, kPatternStreamsMax);
  if (plan.decoded) decoded.emplace(plan.decoded, kPatternStreamsMax);
  std::size_t patterns = 0;
  for (const PatternSet* set : sets_of(plan)) {
    if (set != nullptr) patterns = std::max(patterns, set->patterns());
  }
  room.resize(std::min(patterns, kMatchesMax));
  ready = prepare(plan);
}

bool ContentMemory::prepare(const ContentPlan& plan) noexcept {
  return std::ranges::all_of(sets_of(plan), [this](const PatternSet* set) {
    return set == nullptr || scratch.prepare(*set);
  });
}

}  // namespace postern
