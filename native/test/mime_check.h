#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "test/mime_recorder.h"

namespace postern::test {

inline constexpr MimeOptions kDecode{.dot_stuffed = false, .decode = true};

inline constexpr MimeOptions kNoDetails{.dot_stuffed = false, .decode = true, .details = false};

/// Pairs of borders are tried on messages up to this length.
inline constexpr std::size_t kPairsLengthMax = 160;

/// What a walk over the message tells, having checked that every way of cutting it tells the same,
/// and that what is not told without details changes nothing else.
inline MimeRecorder walk(std::string_view message) {
  const MimeRecorder whole = walk_cut(message, kDecode, {});
  CHECK(whole.broken == "");
  REQUIRE(whole.ended);
  const MimeRecorder less = whole.without_details();
  CHECK(walk_cut(message, kNoDetails, {}).told == less.told);
  for (std::size_t piece = 1; piece < message.size(); piece += 1 + piece / 8) {
    CAPTURE(piece);
    REQUIRE(walk_in_pieces(message, kNoDetails, piece) == less);
  }
  for (std::size_t piece = 1; piece < message.size(); piece += 1 + piece / 8) {
    const MimeRecorder cut = walk_in_pieces(message, kDecode, piece);
    CAPTURE(piece);
    CHECK(cut.told == whole.told);
    REQUIRE(cut == whole);
  }
  for (std::size_t border = 1; border < message.size() && message.size() <= 4'000; ++border) {
    CAPTURE(border);
    REQUIRE(walk_cut(message, kDecode, {border}) == whole);
    REQUIRE(walk_cut(message, kNoDetails, {border}) == less);
  }
  for (std::size_t first = 1; first < message.size(); ++first) {
    if (message.size() > kPairsLengthMax) break;
    for (std::size_t second = first + 1; second < message.size(); ++second) {
      CAPTURE(first);
      CAPTURE(second);
      REQUIRE(walk_cut(message, kDecode, {first, second}) == whole);
    }
  }
  return whole;
}

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace postern::test
