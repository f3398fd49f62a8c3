// Patterns and texts from a stranger. A set compiles or is refused with a place inside the pattern;
// the same octets match the same in one piece as in many; a copied set matches like the first.
#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>

#include "core/pattern_set_scan.h"
#include "fuzz/fuzzing.h"

using namespace postern;
using fuzz::require;

namespace {

constexpr std::size_t kPatternOctetsMax = 24;
constexpr std::size_t kPatternsOfARunMax = 4;

/// A run of the engine is bounded by the pattern's size, if its numbers are small.
std::string small_numbers(std::string expression) {
  int digits = 0;
  for (char& c : expression) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > 1) c = 'n';
  }
  return expression;
}

using Found = std::set<std::uint32_t>;

struct Scanned {
  Found found;
  ScanEnd end = ScanEnd::done;
  bool operator==(const Scanned&) const = default;
};

Scanned told(const PatternMatches& matches, ScanEnd end) {
  Scanned scanned;
  scanned.end = end;
  for (const PatternMatch& match : matches.found()) {
    require(scanned.found.insert(match.id).second);  // once
  }
  return scanned;
}

Scanned in_pieces(const std::shared_ptr<const PatternSet>& set, std::span<const std::byte> text,
                  std::size_t piece) {
  PatternScratch scratch;
  require(scratch.prepare(*set));
  std::array<PatternMatch, kPatternsOfARunMax> room{};
  PatternMatches matches(room);
  PatternStreams streams(set, 2);
  std::uint32_t stream = streams.open();
  while (!text.empty()) {
    const auto next = text.first(std::min(piece, text.size()));
    text = text.subspan(next.size());
    require(streams.scan(stream, fuzz::own(next), scratch, matches) == ScanEnd::done);
    if (text.size() % 3 != 0) continue;
    const std::uint32_t twin = streams.copy(stream);  // goes on as the first would have
    streams.drop(stream);
    stream = twin;
  }
  const ScanEnd end = streams.close(stream, scratch, matches);
  require(streams.open_streams() == 0);
  return told(matches, end);
}

Scanned at_once(const PatternSet& set, std::span<const std::byte> text) {
  PatternScratch scratch;
  require(scratch.prepare(set));
  std::array<PatternMatch, kPatternsOfARunMax> room{};
  PatternMatches matches(room);
  const ScanEnd end = scratch.scan(set, fuzz::own(text), matches);
  return told(matches, end);
}

Scanned found_by(const std::shared_ptr<const PatternSet>& set, std::span<const std::byte> text) {
  if (set->place() != PatternPlace::body) return at_once(*set, text);
  const Scanned whole = in_pieces(set, text, text.size());
  for (const std::size_t piece : {1U, 2U, 7U}) require(in_pieces(set, text, piece) == whole);
  return whole;
}

}  // namespace

/// Place and flags, then a length and a pattern for each, then the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 512) return 0;
  const unsigned how = data[0];
  std::size_t at = 1;
  std::vector<Pattern> patterns;
  while (patterns.size() <= (how >> 4U) % kPatternsOfARunMax && at < size) {
    const std::size_t octets = std::min<std::size_t>(data[at] % kPatternOctetsMax, size - at - 1);
    const std::string text(reinterpret_cast<const char*>(data) + at + 1, octets);
    const auto id = static_cast<std::uint32_t>(patterns.size());
    patterns.push_back({id / (1 + (how >> 3U) % 2), small_numbers(text), (how & 4U) != 0});
    at += 1 + octets;
  }
  const auto text = fuzz::input(data, size).subspan(at);
  PatternSetOptions options;
  options.place = static_cast<PatternPlace>((how & 3U) % 3);
  PatternSet::Result result = PatternSet::compile(patterns, options);
  require((result.set == nullptr) == !result.error.message.empty());
  if (result.set == nullptr) {
    const PatternError& error = result.error;
    require(error.index == kNoPattern || error.index < patterns.size());
    require(error.column == kNoColumn || error.column <= patterns[error.index].expression.size());
    return 0;
  }
  const std::shared_ptr<const PatternSet> set = std::move(result.set);
  const Scanned scanned = found_by(set, text);
  require(scanned.end == ScanEnd::done);
  const std::shared_ptr<const PatternSet> again = PatternSet::deserialize(set->serialize()).set;
  require(again != nullptr && found_by(again, text) == scanned);
  return 0;
}
