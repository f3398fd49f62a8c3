#include "core/pattern_set_scan.h"

#include <hs.h>

#include <algorithm>
#include <limits>

namespace postern {
namespace {

/// The engine counts the octets of one call in 32 bits.
constexpr std::size_t kCallBytesMax = std::numeric_limits<unsigned>::max();

/// Told by the engine. Whether it was stopped is kept here, because the end of a stream does not
/// say it.
struct Listener {
  PatternMatches& matches;
  bool full = false;
};

int on_match(unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) {
  Listener& listener = *static_cast<Listener*>(context);
  listener.full = listener.full || !listener.matches.add({id, to});
  return listener.full ? 1 : 0;
}

ScanEnd end_of(hs_error_t end) noexcept {
  if (end == HS_SUCCESS) return ScanEnd::done;
  return end == HS_SCAN_TERMINATED ? ScanEnd::full : ScanEnd::failed;
}

/// The engine takes no null pointer, which an empty span may have.
const char* chars_of(std::span<const std::byte> text) noexcept {
  return text.empty() ? "" : reinterpret_cast<const char*>(text.data());
}

}  // namespace

PatternScratch::~PatternScratch() {
  hs_free_scratch(memory_);
}

bool PatternScratch::prepare(const PatternSet& set) noexcept {
  return std::ranges::all_of(set.databases_, [this](const auto& database) {
    return hs_alloc_scratch(database.get(), &memory_) == HS_SUCCESS;
  });
}

ScanEnd PatternScratch::scan(const PatternSet& set, std::span<const std::byte> text,
                             PatternMatches& matches) noexcept {
  if (text.size() > kCallBytesMax) return ScanEnd::failed;
  Listener listener{matches};
  for (const auto& database : set.databases_) {
    const ScanEnd end =
        end_of(hs_scan(database.get(), chars_of(text), static_cast<unsigned>(text.size()), 0,
                       memory_, on_match, &listener));
    if (end != ScanEnd::done) return end;
  }
  return ScanEnd::done;
}

PatternStreams::PatternStreams(std::shared_ptr<const PatternSet> set,
                               std::size_t streams_max) noexcept
    : set_(std::move(set)), streams_max_(std::min(streams_max, kPatternStreamsMax)) {}

PatternStreams::~PatternStreams() {
  for (hs_stream* state : states_) {
    if (state != nullptr) hs_close_stream(state, nullptr, nullptr, nullptr);
  }
}

std::span<hs_stream*> PatternStreams::states(std::uint32_t stream) noexcept {
  const std::size_t each = set_->databases_.size();
  return std::span(states_).subspan(stream * each, each);
}

bool PatternStreams::make_states(std::uint32_t stream) noexcept {
  if (slots_[stream].prepared) return true;
  const std::span<hs_stream*> own = states(stream);
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i] != nullptr) continue;  // an earlier try came as far as here
    if (hs_open_stream(set_->databases_[i].get(), 0, &own[i]) != HS_SUCCESS) return false;
  }
  slots_[stream].prepared = true;
  return true;
}

/// A stream more, the next to be opened.
void PatternStreams::add_slot() noexcept {
  slots_.push_back({.next_free = first_free_});
  states_.resize(slots_.size() * set_->databases_.size());
  first_free_ = static_cast<std::uint32_t>(slots_.size() - 1);
}

bool PatternStreams::reserve(std::size_t streams) noexcept {
  if (streams > streams_max_) return false;
  while (slots_.size() < streams) add_slot();
  for (std::uint32_t i = 0; i < streams; ++i) {
    if (!make_states(i)) return false;
  }
  return true;
}

std::uint32_t PatternStreams::open() noexcept {
  if (first_free_ == kNoPatternStream && slots_.size() < streams_max_) add_slot();
  const std::uint32_t stream = first_free_;
  if (stream == kNoPatternStream || !make_states(stream)) return kNoPatternStream;
  Slot& slot = slots_[stream];
  first_free_ = slot.next_free;
  slot.used = true;
  slot.end = ScanEnd::done;
  ++open_;
  return stream;
}

std::uint32_t PatternStreams::copy(std::uint32_t stream) noexcept {
  const std::uint32_t twin = open();
  if (twin == kNoPatternStream) return kNoPatternStream;
  const std::span<hs_stream*> from = states(stream);
  const std::span<hs_stream*> to = states(twin);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (hs_reset_and_copy_stream(to[i], from[i], nullptr, nullptr, nullptr) != HS_SUCCESS) {
      drop(twin);
      return kNoPatternStream;
    }
  }
  slots_[twin].end = slots_[stream].end;
  return twin;
}

ScanEnd PatternStreams::scan(std::uint32_t stream, std::span<const std::byte> piece,
                             PatternScratch& scratch, PatternMatches& matches) noexcept {
  Slot& slot = slots_[stream];
  if (slot.end != ScanEnd::done || piece.empty()) return slot.end;
  if (piece.size() > kCallBytesMax) return slot.end = ScanEnd::failed;
  Listener listener{matches};
  for (hs_stream* state : states(stream)) {
    slot.end = end_of(hs_scan_stream(state, chars_of(piece), static_cast<unsigned>(piece.size()), 0,
                                     scratch.memory_, on_match, &listener));
    if (slot.end != ScanEnd::done) break;
  }
  return slot.end;
}

ScanEnd PatternStreams::reset(std::uint32_t stream, PatternScratch& scratch,
                              PatternMatches& matches) noexcept {
  ScanEnd end = slots_[stream].end;
  for (hs_stream* state : states(stream)) {
    if (end != ScanEnd::done) break;
    Listener listener{matches};
    end = end_of(hs_reset_stream(state, 0, scratch.memory_, on_match, &listener));
    if (listener.full) end = ScanEnd::full;
  }
  // One that was stopped may not have come to all states.
  if (end != ScanEnd::done) rewind(stream);
  return end;
}

ScanEnd PatternStreams::close(std::uint32_t stream, PatternScratch& scratch,
                              PatternMatches& matches) noexcept {
  const ScanEnd end = reset(stream, scratch, matches);
  give_back(stream);
  return end;
}

void PatternStreams::drop(std::uint32_t stream) noexcept {
  rewind(stream);
  give_back(stream);
}

void PatternStreams::give_back(std::uint32_t stream) noexcept {
  Slot& slot = slots_[stream];
  slot.used = false;
  slot.next_free = first_free_;
  first_free_ = stream;
  --open_;
}

/// The states as they were when opened; the engine asks for no scratch where nobody is told.
void PatternStreams::rewind(std::uint32_t stream) noexcept {
  for (hs_stream* state : states(stream)) hs_reset_stream(state, 0, nullptr, nullptr, nullptr);
  slots_[stream].end = ScanEnd::done;
}

}  // namespace postern
