#include <random>

#include "test/framer_cuts.h"

using namespace postern;
using namespace postern::test;

namespace {

constexpr Framing kLines{.mode = FramingMode::lines, .bytes = 64};

/// Sets each of `framings` in turn, one a line.
AtCut at_each_line(std::vector<Framing> framings) {
  return [framings = std::move(framings), next = std::size_t{0}](Framer& framer,
                                                                 const Cut& cut) mutable {
    if (cut.kind != CutKind::line || next == framings.size()) return;
    framer.set(framings[next++]);
  };
}

/// Since at_each_line counts, every play needs its own.
std::string cuts_switching(std::string_view stream, const std::vector<Framing>& framings) {
  const auto play = [&](const std::vector<std::size_t>& borders) {
    return cuts_at({.framing = kLines, .stream = stream, .at_cut = at_each_line(framings)},
                   borders);
  };
  const std::string whole = play({});
  for (std::size_t first = 1; first < stream.size(); ++first) {
    for (std::size_t second = first; second < stream.size(); ++second) {
      CHECK(play({first, second}) == whole);
    }
  }
  return whole;
}

}  // namespace

TEST_CASE("a counted run ends after its octets, whatever they are, and lines follow") {
  const Framing five{.mode = FramingMode::counted, .bytes = 5};
  CHECK(cuts_switching("a LOGIN {5}\r\nx\r\n.\n pass\r\n", {five}) ==
        "line:13:13 counted_end:18:5 line:25:7");
}

TEST_CASE("a counted run of nothing ends at once, even with no input") {
  Framer framer(kLines);
  framer.set({.mode = FramingMode::counted, .bytes = 0});
  const Cut cut = framer.next({});
  CHECK(cut.kind == CutKind::counted_end);
  CHECK(cut.taken == 0);
  CHECK(framer.framing().mode == FramingMode::lines);
}

TEST_CASE("a counted run that is one octet short has not ended") {
  Framer framer({.mode = FramingMode::counted, .bytes = 5});
  const Cut cut = framer.next(octets("1234"));
  CHECK(cut.kind == CutKind::need_more);
  CHECK(cut.frame_bytes == 4);
}

TEST_CASE("behind a counted run the CR of its last octet is forgotten") {
  const Framing one{.mode = FramingMode::counted, .bytes = 1};
  CHECK(cuts_switching("{1}\r\n\r\nX\r\n", {one}) ==
        "line:5:5 counted_end:6:1 bare_lf_line:7:1 line:10:3");
}

TEST_CASE("a count beyond every stream is counted without wrapping") {
  Framer framer({.mode = FramingMode::counted, .bytes = UINT64_MAX});
  CHECK(framer.next(octets("1234")).kind == CutKind::need_more);
}

TEST_CASE("the line budget that stood before comes back after a counted run") {
  Framer framer({.mode = FramingMode::lines, .bytes = 3});
  framer.set({.mode = FramingMode::counted, .bytes = 1});
  CHECK(framer.next(octets("x")).kind == CutKind::counted_end);
  CHECK(framer.next(octets("abcd")).kind == CutKind::over_budget);
}

TEST_CASE("tolerance comes back too, and means nothing for other framings") {
  Framer framer({.mode = FramingMode::lines, .bytes = 3, .tolerant = true});
  framer.set({.mode = FramingMode::counted, .bytes = 2, .tolerant = true});
  CHECK(framer.next(octets("xyz")).taken == 2);
  CHECK(framer.next(octets("abcdef\r\n")).kind == CutKind::line);
}

TEST_CASE("two pipelined messages are two ends of data with lines between (EOD-39)") {
  const Framing data{.mode = FramingMode::mail_data, .bytes = kNoBudget};
  CHECK(cuts_switching("DATA\r\none\r\n.\r\nDATA\r\ntwo\r\n.\r\n", {data, data}) ==
        "line:6:6 data_end:14:8 line:20:6 data_end:28:8");
}

TEST_CASE("a frame under way is forgotten when another framing is set") {
  Framer framer(kLines);
  CHECK(framer.next(octets("half\r")).frame_bytes == 5);
  framer.set(kLines);
  const Cut cut = framer.next(octets("\nX"));
  CHECK(cut.end == LineEnd::bare_lf);
  CHECK(cut.frame_bytes == 1);
}

TEST_CASE("a budget set anew after over_budget holds again") {
  Framer framer({.mode = FramingMode::lines, .bytes = 2});
  CHECK(framer.next(octets("abc")).kind == CutKind::over_budget);
  framer.set({.mode = FramingMode::lines, .bytes = 4});
  const Cut cut = framer.next(octets("cdefg"));
  CHECK(cut.kind == CutKind::over_budget);
  CHECK(cut.taken == 4);
}

TEST_CASE("an opaque stream is counted and never cut") {
  const Framing opaque{.mode = FramingMode::opaque};
  CHECK(cuts_of({.framing = opaque, .stream = "NOOP\r\n.\r\n\x16\x03\x01"}) == "");
  CHECK(Framer(opaque).next(octets("NOOP\r\n")).frame_bytes == 6);
}

TEST_CASE("random dialogues of lines, counts and messages are cut alike in random pieces") {
  std::mt19937 random(20'250'101);
  const std::string_view letters = "\r\n\r\n..ab";
  for (int round = 0; round < 2'000; ++round) {
    std::string stream(random() % 200, ' ');
    for (char& letter : stream) letter = letters[random() % letters.size()];
    const std::vector<Framing> framings{
        {.mode = FramingMode::mail_data, .bytes = random() % 40},
        {.mode = FramingMode::counted, .bytes = random() % 9},
        {.mode = FramingMode::lines, .bytes = random() % 6},
    };
    const auto play = [&](const std::vector<std::size_t>& borders) {
      return cuts_at({.framing = kLines,
                      .stream = stream,
                      .at_cut = at_each_line(framings),
                      .after_refusal = AfterRefusal::feed_on},
                     borders);
    };
    std::vector<std::size_t> borders;
    for (std::size_t at = random() % 9; at < stream.size(); at += 1 + random() % 17) {
      borders.push_back(at);
    }
    CAPTURE(stream);
    CHECK(play(borders) == play({}));
  }
}
