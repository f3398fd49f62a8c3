#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/framer.h"

/// Plays one stream through a framer in every way of splitting and says where it was cut.
namespace postern::test {

/// What the caller does at a cut: set() another framing, or nothing.
using AtCut = std::function<void(Framer&, const Cut&)>;

enum class AfterRefusal : std::uint8_t { stop, feed_on };

struct Play {
  Framing framing;
  std::string_view stream;
  AtCut at_cut = nullptr;
  AfterRefusal after_refusal = AfterRefusal::stop;
};

inline constexpr std::uint64_t kNoBudget = UINT64_MAX;

inline std::string name_of(const Cut& cut) {
  switch (cut.kind) {
    case CutKind::need_more:
      return "need_more";
    case CutKind::line:
      return cut.end == LineEnd::crlf ? "line" : "bare_lf_line";
    case CutKind::over_budget:
      return "over_budget";
    case CutKind::counted_end:
      return "counted_end";
    case CutKind::data_end:
      return "data_end";
    case CutKind::look_alike:
      return "look_alike";
    case CutKind::tls_start:
      return cut.tls_alert ? "alert" : cut.well_formed ? "tls" : "no_tls";
  }
  return "?";
}

inline std::span<const std::byte> octets(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Feeds the stream in pieces that end at `borders` and at its end. The answer is one word a cut,
/// `kind:position:frame_bytes`.
inline std::string cuts_at(const Play& play, std::vector<std::size_t> borders) {
  borders.push_back(play.stream.size());
  Framer framer(play.framing);
  std::string cuts;
  std::size_t at = 0;
  for (const std::size_t border : borders) {
    while (at < border) {
      const Cut cut = framer.next(octets(play.stream.substr(at, border - at)));
      REQUIRE(cut.taken <= border - at);
      at += cut.taken;
      if (cut.kind == CutKind::need_more) {
        REQUIRE(at == border);
        break;
      }
      if (!cuts.empty()) cuts += ' ';
      cuts += name_of(cut) + ':' + std::to_string(at) + ':' + std::to_string(cut.frame_bytes);
      if (play.at_cut) play.at_cut(framer, cut);
      const bool refused = cut.kind == CutKind::over_budget || cut.kind == CutKind::look_alike;
      if (refused && play.after_refusal == AfterRefusal::stop) return cuts;
    }
  }
  return cuts;
}

/// The cuts of the stream, having checked that every piece length and, for short streams, every
/// pair of borders gives the same ones.
inline std::string cuts_of(const Play& play) {
  const std::size_t length = play.stream.size();
  const std::string whole = cuts_at(play, {});
  for (std::size_t piece = 1; piece < length; ++piece) {
    std::vector<std::size_t> borders;
    for (std::size_t at = piece; at < length; at += piece) borders.push_back(at);
    CAPTURE(piece);
    CHECK(cuts_at(play, borders) == whole);
  }
  if (length > 80) return whole;
  for (std::size_t first = 1; first < length; ++first) {
    for (std::size_t second = first; second < length; ++second) {
      CAPTURE(first);
      CAPTURE(second);
      CHECK(cuts_at(play, {first, second}) == whole);
    }
  }
  return whole;
}

/// Calls `visit` with every text of up to `length_max` letters of `alphabet`.
inline void for_every_text(std::string_view alphabet, std::size_t length_max,
                           const std::function<void(const std::string&)>& visit) {
  std::vector<std::string> texts{""};
  for (std::size_t length = 0; length <= length_max; ++length) {
    std::vector<std::string> longer;
    for (const std::string& text : texts) {
      visit(text);
      for (const char letter : alphabet) longer.push_back(text + letter);
    }
    texts = std::move(longer);
  }
}

}  // namespace postern::test
