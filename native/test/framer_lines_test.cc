#include "test/framer_cuts.h"

using namespace postern;
using namespace postern::test;
using namespace std::string_literals;

namespace {

std::string lines(std::string_view stream, std::uint64_t budget_bytes = 512) {
  return cuts_of(
      {.framing = {.mode = FramingMode::lines, .bytes = budget_bytes}, .stream = stream});
}

/// The rule of `lines` for one line, written down a second time: what the first cut is.
std::string first_cut_by_rule(const std::string& text, std::size_t budget) {
  const std::size_t lf = text.find('\n');
  const std::size_t known = lf == std::string::npos ? text.size() : lf;
  const bool after_cr = known > 0 && text[known - 1] == '\r';
  const bool ended = lf != std::string::npos;
  const std::size_t content = known - (after_cr && (ended || known == budget + 1) ? 1 : 0);
  if (content > budget) {
    const std::size_t cut = budget + (text[budget] == '\r' ? 1 : 0);
    return "over_budget:" + std::to_string(cut) + ':' + std::to_string(cut);
  }
  if (!ended) return "";
  const std::string size = std::to_string(lf + 1);
  return (after_cr ? "line:" : "bare_lf_line:") + size + ':' + size;
}

}  // namespace

TEST_CASE("two commands in one segment are two lines") {
  CHECK(lines("NOOP\r\nQUIT\r\n") == "line:6:6 line:12:6");
}

TEST_CASE("a line without its end is not cut") {
  CHECK(lines("NOOP") == "");
  CHECK(lines("NOOP\r") == "");
  CHECK(lines("") == "");
}

TEST_CASE("a bare LF ends a line and is told from CRLF") {
  CHECK(lines("NOOP\nQUIT\r\n") == "bare_lf_line:5:5 line:11:6");
  CHECK(lines("\n\r\n") == "bare_lf_line:1:1 line:3:2");
}

TEST_CASE("a CR without LF stays inside the line") {
  CHECK(lines("A\rB\r\n") == "line:5:5");
  CHECK(lines("A\r\r\n") == "line:4:4");
}

TEST_CASE("a CR that ended one line does not reach into the next") {
  CHECK(lines("A\r\n\nB\r\n") == "line:3:3 bare_lf_line:4:1 line:7:3");
}

TEST_CASE("NUL and octets above 127 are content") {
  CHECK(lines("A\0\x8d\x8a\x85\r\n"s) == "line:7:7");
}

TEST_CASE("a line that fills its budget exactly is within it") {
  CHECK(lines("12345\r\n", 5) == "line:7:7");
  CHECK(lines("12345\n", 5) == "bare_lf_line:6:6");
  CHECK(lines("1234\r\n\r\n", 5) == "line:6:6 line:8:2");
}

TEST_CASE("one octet of content past the budget cuts behind those that fitted") {
  CHECK(lines("123456\r\n", 5) == "over_budget:5:5");
  CHECK(lines("123456", 5) == "over_budget:5:5");
}

TEST_CASE("a CR past the budget waits for the octet that decides") {
  CHECK(lines("12345\r", 5) == "");
  CHECK(lines("12345\rX\r\n", 5) == "over_budget:6:6");
  CHECK(lines("12345\r\r\n", 5) == "over_budget:6:6");
}

TEST_CASE("a budget of nothing allows empty lines only") {
  CHECK(lines("\r\n\n", 0) == "line:2:2 bare_lf_line:3:1");
  CHECK(lines("X\r\n", 0) == "over_budget:0:0");
}

TEST_CASE("a tolerant line never runs over but ends as usual") {
  const Framing tolerant{.mode = FramingMode::lines, .bytes = 4, .tolerant = true};
  CHECK(cuts_of({.framing = tolerant, .stream = "0123456789\r\nshort\n"}) ==
        "line:12:12 bare_lf_line:18:6");
}

TEST_CASE("fed on after over_budget, the framer says it once and finds the line's end") {
  const Framing framing{.mode = FramingMode::lines, .bytes = 4};
  CHECK(cuts_of({.framing = framing,
                 .stream = "0123456789\r\n0123456\r\n",
                 .after_refusal = AfterRefusal::feed_on}) ==
        "over_budget:4:4 line:12:12 over_budget:16:4 line:21:9");
}

TEST_CASE("every short text of CR, LF and a letter is cut as the rule says") {
  for (std::size_t budget = 0; budget < 4; ++budget) {
    for_every_text("\r\na", 7, [budget](const std::string& text) {
      const Framing framing{.mode = FramingMode::lines, .bytes = budget};
      const AtCut stop_at_first = [](Framer& framer, const Cut&) {
        framer.set({.mode = FramingMode::opaque});
      };
      CAPTURE(text);
      CAPTURE(budget);
      CHECK(cuts_of({.framing = framing, .stream = text, .at_cut = stop_at_first}) ==
            first_cut_by_rule(text, budget));
    });
  }
}
