#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/pattern_set_scan.h"
#include "engine/content_plan.h"

namespace postern {

/// What a scan tells (src/native/content-facts.ts reads the same records). A record is: kind (one
/// octet), zero, length of its text (two octets), number (eight octets), text; numbers are
/// big-endian.
enum class ContentFactKind : std::uint8_t {
  header = 1,         ///< number: pattern id; text: the field's name
  body = 2,           ///< number: pattern id
  decoded = 3,        ///< number: pattern id
  content_type = 4,   ///< number: pattern id; text: the type, `type/subtype`
  encoding = 5,       ///< text: the lower-case token
  header_length = 6,  ///< number: the plan's length that was passed
  data_length = 7,    ///< number: the plan's length that was passed
  limit = 8,          ///< text: the name of the budget (ContentLimit); the last fact of a message
};

struct ContentMemory;

/// What the scans of one thread have in common: a plan, its scratch memory and its streams.
/// It lives as long as a scan of it does.
class ContentScanner {
 public:
  explicit ContentScanner(std::shared_ptr<const ContentPlan> plan);
  ContentScanner(const ContentScanner&) = delete;
  ContentScanner& operator=(const ContentScanner&) = delete;
  ~ContentScanner();

  /// False when memory was refused: nothing can be scanned with it.
  [[nodiscard]] bool ready() const noexcept;
  [[nodiscard]] const ContentPlan& plan() const noexcept { return *plan_; }
  /// Octets of message data that went through scans, in all; for coverage.
  [[nodiscard]] std::uint64_t scanned_octets() const noexcept;

 private:
  friend class ContentScan;
  std::shared_ptr<const ContentPlan> plan_;
  std::unique_ptr<ContentMemory> memory_;
};

/// The scan of one message: walks it, holds what it finds against the plan, and gathers facts until
/// they are taken. The same octets give the same facts, however they were cut. Nothing is told
/// twice for one field, one part's body, or one threshold.
///
/// Fields and lengths are told by the octet that makes them known. What stands in bodies is told
/// where the walk comes to something else (a field, the end of the part) or each 64 KiB of the
/// message, whichever is first, in the order of patterns: the order of matches within is not known.
class ContentScan {
 public:
  /// The scanner is ready, and outlives the scan. `dot_stuffed`: the octets are those of DATA, end
  /// line included; else those of chunks.
  ContentScan(ContentScanner& scanner, bool dot_stuffed);
  ContentScan(const ContentScan&) = delete;
  ContentScan& operator=(const ContentScan&) = delete;
  ~ContentScan();

  /// The next octets of the message.
  void feed(std::span<const std::byte> octets) noexcept;
  /// The message is complete; what stands at its end is told now. Feeding has no effect any more.
  void finish() noexcept;

  /// Records that were not taken yet; empty when there is nothing to tell. A message has at most
  /// kContentFactBytesMax of them, taken or not: beyond it the last one is a `limit`.
  [[nodiscard]] std::span<const std::byte> facts() const noexcept;
  void take_facts() noexcept;
  /// A budget was reached or the engine failed: facts behind it are missing.
  [[nodiscard]] bool failed() const noexcept;

 private:
  class Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace postern
