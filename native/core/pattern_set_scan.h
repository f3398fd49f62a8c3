#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/limits.h"
#include "core/pattern_set.h"

struct hs_scratch;
struct hs_stream;

namespace postern {

struct PatternMatch {
  std::uint32_t id = 0;
  std::uint64_t end = 0;  ///< octets of the text up to the match's end
};

enum class ScanEnd : std::uint8_t {
  done,    ///< all of it was scanned
  full,    ///< more matches than room: the scan stopped, the rest of the text is not judged
  failed,  ///< memory or the engine failed: the text is not judged
};

/// Where a scan puts what it found, in room that the caller has. It may be used for many pieces of
/// one text; where each id comes once, it comes once however long the room is kept.
class PatternMatches {
 public:
  explicit PatternMatches(std::span<PatternMatch> room) noexcept : room_(room) {}
  void clear() noexcept { count_ = 0; }
  [[nodiscard]] std::span<const PatternMatch> found() const noexcept { return room_.first(count_); }
  [[nodiscard]] bool add(PatternMatch match) noexcept {
    if (count_ == room_.size()) return false;
    room_[count_++] = match;
    return true;
  }

 private:
  std::span<PatternMatch> room_;
  std::size_t count_ = 0;
};

/// Memory that the engine writes to while it scans: one a thread, for all sets that the thread
/// uses. Nothing is allocated by a scan.
class PatternScratch {
 public:
  PatternScratch() = default;
  PatternScratch(const PatternScratch&) = delete;
  PatternScratch& operator=(const PatternScratch&) = delete;
  ~PatternScratch();

  /// Makes the memory large enough for this set too; before its first scan, off the packet path.
  /// False when memory was refused.
  [[nodiscard]] bool prepare(const PatternSet& set) noexcept;
  /// Scans a whole text; of a set for fields or lines, that was prepared.
  [[nodiscard]] ScanEnd scan(const PatternSet& set, std::span<const std::byte> text,
                             PatternMatches& matches) noexcept;

 private:
  friend class PatternStreams;
  hs_scratch* memory_ = nullptr;
};

inline constexpr std::uint32_t kNoPatternStream = 0xFFFF'FFFFU;

/// Texts that come in pieces, each a stream: at most so many at once, of one set, which lives as
/// long. To swap sets, make another of these for new texts and keep this one until `open_streams()`
/// is 0. Memory of a stream that ended serves the next. One thread, with a scratch prepared for it.
class PatternStreams {
 public:
  /// The set is one for bodies; `streams_max` is at most kPatternStreamsMax. What a stream takes is
  /// allocated when so many are first in use at once.
  PatternStreams(std::shared_ptr<const PatternSet> set, std::size_t streams_max) noexcept;
  PatternStreams(const PatternStreams&) = delete;
  PatternStreams& operator=(const PatternStreams&) = delete;
  ~PatternStreams();

  /// Takes the memory of so many streams in advance, so that opening them takes none.
  [[nodiscard]] bool reserve(std::size_t streams) noexcept;
  /// kNoPatternStream when all are in use or memory was refused: that text cannot be judged.
  [[nodiscard]] std::uint32_t open() noexcept;
  /// Another stream that stands where this one does.
  [[nodiscard]] std::uint32_t copy(std::uint32_t stream) noexcept;
  [[nodiscard]] ScanEnd scan(std::uint32_t stream, std::span<const std::byte> piece,
                             PatternScratch& scratch, PatternMatches& matches) noexcept;
  /// The text ends here: finds what stands at its end, and the stream begins anew.
  [[nodiscard]] ScanEnd reset(std::uint32_t stream, PatternScratch& scratch,
                              PatternMatches& matches) noexcept;
  /// The text ends here, and the stream is given back.
  [[nodiscard]] ScanEnd close(std::uint32_t stream, PatternScratch& scratch,
                              PatternMatches& matches) noexcept;
  /// Gives the stream back; nobody asks any more what stands at its end.
  void drop(std::uint32_t stream) noexcept;

  [[nodiscard]] std::size_t open_streams() const noexcept { return open_; }
  [[nodiscard]] const PatternSet& set() const noexcept { return *set_; }

 private:
  /// A stream has a state a database of the set, next to each other in `states_`.
  struct Slot {
    bool used = false;
    bool prepared = false;  ///< its states are there
    ScanEnd end = ScanEnd::done;
    std::uint32_t next_free = kNoPatternStream;
  };
  [[nodiscard]] std::span<hs_stream*> states(std::uint32_t stream) noexcept;
  [[nodiscard]] bool make_states(std::uint32_t stream) noexcept;
  void add_slot() noexcept;
  void rewind(std::uint32_t stream) noexcept;
  void give_back(std::uint32_t stream) noexcept;

  std::shared_ptr<const PatternSet> set_;
  std::size_t streams_max_;
  std::vector<Slot> slots_;
  std::vector<hs_stream*> states_;
  std::uint32_t first_free_ = kNoPatternStream;
  std::size_t open_ = 0;
};

}  // namespace postern
