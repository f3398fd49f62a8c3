#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/limits.h"
#include "core/pattern_set_expression.h"

struct hs_database;

namespace postern {

/// One expression of a set. Several may have one id: it matches when any of them does.
struct Pattern {
  std::uint32_t id = 0;
  std::string expression;
  bool caseless = false;  ///< of ASCII letters
};

struct PatternSetOptions {
  PatternPlace place = PatternPlace::field;
  /// Every place where a pattern matches, instead of each id once a text.
  bool every_match = false;
  std::size_t patterns_max = kPatternsMax;
  std::size_t database_bytes_max = kPatternDatabaseBytesMax;
  std::size_t stream_bytes_max = kPatternStreamBytesMax;
};

/// Patterns compiled for one place of matching, all found in one pass over a text. Immutable, so
/// any number of threads may use it; each has scratch memory of its own (pattern_set_scan.h). Who
/// still scans with a set that was replaced keeps it alive.
///
/// Texts are octets, in no character set. A match may begin anywhere (search). `^` and `$` stand at
/// the ends of a field or a line, where `.` is any octet, also a fold; in a body they stand at the
/// ends of each of its lines (LF or CRLF), and `.` does not leave a line. A pattern that can match
/// nothing at all, as `.*`, matches every text, also an empty one.
class PatternSet {
 public:
  struct Result {
    std::unique_ptr<const PatternSet> set;  ///< null when refused
    PatternError error;
  };
  /// Takes long for large sets: not for the packet path.
  [[nodiscard]] static Result compile(std::span<const Pattern> patterns,
                                      const PatternSetOptions& options);

  /// The set as octets, for another process of the same program on the same machine. Empty when
  /// memory was refused.
  [[nodiscard]] std::vector<std::byte> serialize() const;
  /// The other way. Refuses what was cut, changed, or compiled for another version of the engine or
  /// for another processor; it is no guard against somebody who forges it.
  [[nodiscard]] static Result deserialize(std::span<const std::byte> image);

  [[nodiscard]] PatternPlace place() const noexcept { return place_; }
  [[nodiscard]] bool every_match() const noexcept { return every_match_; }
  [[nodiscard]] std::size_t patterns() const noexcept { return patterns_; }
  /// All databases of the set together.
  [[nodiscard]] std::size_t database_bytes() const noexcept { return database_bytes_; }
  /// What one open stream takes; 0 for a field or a line.
  [[nodiscard]] std::size_t stream_bytes() const noexcept { return stream_bytes_; }

 private:
  struct FreeDatabase {
    void operator()(hs_database* database) const noexcept;
  };
  using Database = std::unique_ptr<hs_database, FreeDatabase>;
  friend class PatternScratch;
  friend class PatternStreams;

  PatternSet() = default;
  [[nodiscard]] static PatternError compile_part(std::span<const Pattern* const> part,
                                                 const PatternSetOptions& options, Database& to);
  /// Adds a database and its sizes; what went wrong, or empty.
  [[nodiscard]] std::string take(Database&& database, const PatternSetOptions& options);
  [[nodiscard]] std::string restore(std::span<const std::byte> image);

  PatternPlace place_ = PatternPlace::field;
  bool every_match_ = false;
  std::size_t patterns_ = 0;
  std::size_t database_bytes_ = 0;
  std::size_t stream_bytes_ = 0;
  std::vector<Database> databases_;
};

}  // namespace postern
