#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/content_scan.h"

namespace postern {

/// A budget that hides something the plan asks for. Where several are reached at once, the first of
/// this list is told.
enum class ContentLimit : std::uint8_t {
  none = 0,
  engine,    ///< the pattern engine or memory failed
  streams,   ///< kPatternStreamsMax
  facts,     ///< kContentFactBytesMax
  field,     ///< kMimeFieldBytesMax
  fields,    ///< kMimeFieldsMax
  header,    ///< kMimeHeaderBytesMax
  parts,     ///< kMimePartsMax
  depth,     ///< kMimeDepthMax
  boundary,  ///< kMimeBoundaryBytesMax, kMimeBoundariesMax
};

/// The name as a fact of kind `limit` tells it.
[[nodiscard]] std::string_view content_limit_name(ContentLimit limit) noexcept;

/// The records of one scan. What is found in bodies is kept until it is settled: when the engine
/// tells a match depends on how the octets were cut, which matches it has told by a certain octet
/// does not.
class ContentFacts {
 public:
  /// A record; what was kept stands before it when settle() was called first.
  void tell(ContentFactKind kind, std::uint64_t number, std::string_view text);
  /// For settle(): a pattern found in the body of a part.
  void keep(std::uint32_t part, ContentFactKind kind, std::uint32_t pattern);
  /// For settle(): a budget was reached.
  void keep(ContentLimit limit) noexcept;
  /// Writes what was kept, in the order of parts, kinds and patterns; a limit last.
  void settle();

  /// A limit was told: it is the last record there will be.
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] std::span<const std::byte> records() const noexcept { return records_; }
  void take() noexcept { records_.clear(); }

 private:
  struct Found {
    std::uint32_t part = 0;
    ContentFactKind kind = ContentFactKind::body;
    std::uint32_t pattern = 0;
    [[nodiscard]] auto operator<=>(const Found&) const noexcept = default;
  };

  [[nodiscard]] bool fits(std::size_t octets) const noexcept;
  void write(ContentFactKind kind, std::uint64_t number, std::string_view text);
  void end_with(ContentLimit limit);

  std::vector<std::byte> records_;
  std::vector<Found> kept_;
  std::size_t octets_ = 0;  ///< of all records of the message, also those that were taken
  ContentLimit limit_ = ContentLimit::none;
  bool failed_ = false;
};

}  // namespace postern
