#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/pattern_set_scan.h"
#include "engine/content_plan.h"

namespace postern {

/// Octets of one text on their way to the engine: a call of it costs more than to copy a segment.
/// Nothing is told of a text before its facts are settled, so they may wait here until then.
class ContentRun {
 public:
  [[nodiscard]] std::span<const std::byte> octets() const noexcept {
    return std::span(octets_).first(size_);
  }
  [[nodiscard]] bool takes(std::span<const std::byte> piece) const noexcept {
    return piece.size() <= octets_.size() - size_;
  }
  void add(std::span<const std::byte> piece) noexcept;
  void clear() noexcept { size_ = 0; }

 private:
  static constexpr std::size_t kRunBytes = 16'384;
  std::array<std::byte, kRunBytes> octets_;  // not cleared: only what was written is read
  std::size_t size_ = 0;
};

/// The texts of a part. The second is the first for `decoded` patterns, which are a set of their
/// own.
enum class ContentText : std::uint8_t { as_is, as_is_decoded, base64, quoted_printable };
inline constexpr std::size_t kContentTexts = 4;

/// The scan whose octets stand in the runs.
class ContentRunOwner {
 public:
  virtual void scan_runs() = 0;

 protected:
  ~ContentRunOwner() = default;
};

/// What the scans of one thread share (ContentScanner).
struct ContentMemory {
  explicit ContentMemory(const ContentPlan& plan);
  [[nodiscard]] bool prepare(const ContentPlan& plan) noexcept;

  PatternScratch scratch;
  std::optional<PatternStreams> body;
  std::optional<PatternStreams> decoded;
  /// For what one call of the engine finds: no more than facts have room for.
  std::vector<PatternMatch> room;
  /// By ContentText; there is none for as_is_decoded. They hold octets of one scan at a time: the
  /// next that needs them has those of the last one scanned first.
  std::array<ContentRun, kContentTexts> runs;
  ContentRunOwner* runs_owner = nullptr;
  std::uint64_t scanned_octets = 0;
  bool ready = false;
};

}  // namespace postern
