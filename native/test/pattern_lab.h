#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/pattern_set_scan.h"

namespace postern::test {

using Set = std::shared_ptr<const PatternSet>;

inline std::span<const std::byte> octets(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// Patterns with their places in the list as ids.
inline std::vector<Pattern> patterns_of(const std::vector<std::string>& expressions,
                                        bool caseless = false) {
  std::vector<Pattern> patterns;
  for (const std::string& expression : expressions) {
    patterns.push_back({static_cast<std::uint32_t>(patterns.size()), expression, caseless});
  }
  return patterns;
}

inline Set compiled(const std::vector<Pattern>& patterns, const PatternSetOptions& options) {
  PatternSet::Result result = PatternSet::compile(patterns, options);
  INFO(result.error.message);
  REQUIRE(result.set != nullptr);
  return std::move(result.set);
}

inline Set compiled(const std::vector<std::string>& expressions, PatternPlace place) {
  return compiled(patterns_of(expressions), {.place = place});
}

/// "1 4": the ids found, in their order; "full" and "failed" are told too.
inline std::string ids_of(const PatternMatches& matches, ScanEnd end) {
  std::vector<std::uint32_t> ids;
  for (const PatternMatch& match : matches.found()) ids.push_back(match.id);
  std::ranges::sort(ids);
  std::string text;
  for (const std::uint32_t id : ids) text += (text.empty() ? "" : " ") + std::to_string(id);
  if (end == ScanEnd::full) text += " full";
  if (end == ScanEnd::failed) text += " failed";
  return text;
}

struct Room {
  std::array<PatternMatch, 32> memory{};
  PatternMatches matches{memory};
};

/// What a set for fields or lines finds.
inline std::string found(const Set& set, std::string_view text) {
  PatternScratch scratch;
  REQUIRE(scratch.prepare(*set));
  Room room;
  const ScanEnd end = scratch.scan(*set, octets(text), room.matches);
  return ids_of(room.matches, end);
}

/// What a set for bodies finds in a text that comes in pieces.
inline std::string found_in(const Set& set, const std::vector<std::string_view>& pieces) {
  PatternScratch scratch;
  REQUIRE(scratch.prepare(*set));
  PatternStreams streams(set, 1);
  const std::uint32_t stream = streams.open();
  REQUIRE(stream != kNoPatternStream);
  Room room;
  ScanEnd end = ScanEnd::done;
  for (const std::string_view piece : pieces) {
    end = streams.scan(stream, octets(piece), scratch, room.matches);
  }
  const ScanEnd last = streams.close(stream, scratch, room.matches);
  return ids_of(room.matches, end == ScanEnd::done ? last : end);
}

inline std::vector<std::string_view> pieces_of(std::string_view text, std::size_t octets_each) {
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < text.size(); at += octets_each) {
    pieces.push_back(text.substr(at, octets_each));
  }
  return pieces;
}

}  // namespace postern::test
