#include <random>

#include "test/framer_cuts.h"

using namespace postern;
using namespace postern::test;
using namespace std::literals;

namespace {

std::string mail_data(std::string_view stream, std::uint64_t budget_bytes = kNoBudget) {
  return cuts_of(
      {.framing = {.mode = FramingMode::mail_data, .bytes = budget_bytes}, .stream = stream});
}

std::string cut(const char* kind, std::size_t at) {
  return kind + (':' + std::to_string(at)) + ':' + std::to_string(at);
}

/// What stands before the dot at `dot`, NULs looked through.
enum class Before : std::uint8_t { text, loose_end, crlf };

Before before_dot(const std::string& text, std::size_t dot) {
  std::size_t at = dot;
  while (at > 0 && text[at - 1] == '\0') --at;
  const bool nuls = at != dot;
  if (at == 0) return nuls ? Before::loose_end : Before::crlf;
  if (!nuls && at >= 2 && text.substr(at - 2, 2) == "\r\n") return Before::crlf;
  return text[at - 1] == '\r' || text[at - 1] == '\n' ? Before::loose_end : Before::text;
}

/// The rule of `mail_data` without a budget, written down a second time over the whole text.
std::string first_cut_by_rule(const std::string& text) {
  for (std::size_t dot = text.find('.'); dot != std::string::npos; dot = text.find('.', dot + 1)) {
    const Before before = before_dot(text, dot);
    if (before == Before::text || dot + 1 == text.size()) continue;
    const char next = text[dot + 1];
    if (next != '\r' && next != '\n' && next != '\0') continue;
    if (before == Before::loose_end || next != '\r') return cut("look_alike", dot + 2);
    if (dot + 2 == text.size()) continue;
    return cut(text[dot + 2] == '\n' ? "data_end" : "look_alike", dot + 3);
  }
  return "";
}

}  // namespace

TEST_CASE("CRLF.CRLF ends the message") {
  CHECK(mail_data("x\r\n.\r\n") == "data_end:6:6");
  CHECK(mail_data("Subject: outer\r\n\r\nx\r\n.\r\n") == "data_end:24:24");
}

TEST_CASE("an empty message: the first line is the dot (EOD-35)") {
  CHECK(mail_data(".\r\n") == "data_end:3:3");
}

TEST_CASE("nothing is decided before the last octet of the end") {
  CHECK(mail_data("x\r\n") == "");
  CHECK(mail_data("x\r\n.") == "");
  CHECK(mail_data("x\r\n.\r") == "");
}

TEST_CASE("the end of data one octet a segment is seen (EOD-31)") {
  CHECK(cuts_at({.framing = {.mode = FramingMode::mail_data, .bytes = kNoBudget},
                 .stream = "x\r\n.\r\n"},
                {1, 2, 3, 4, 5}) == "data_end:6:6");
}

TEST_CASE("a dot between line ends that are not both CRLF is a look-alike") {
  CHECK(mail_data("x\n.\nMAIL") == "look_alike:4:4");  // EOD-01
  CHECK(mail_data("x\n.\r\nMAIL") == "look_alike:4:4");
  CHECK(mail_data("x\r\n.\nMAIL") == "look_alike:5:5");        // EOD-03
  CHECK(mail_data("x\r\r\n.\r\r\nMAIL") == "look_alike:7:7");  // EOD-05
  CHECK(mail_data("x\r\r\n.\nMAIL") == "look_alike:6:6");      // EOD-07
  CHECK(mail_data("x\r.\rMAIL") == "look_alike:4:4");          // EOD-15
  CHECK(mail_data("x\r.\nMAIL") == "look_alike:4:4");          // EOD-17
  CHECK(mail_data("x\r.\r\nMAIL") == "look_alike:4:4");
  CHECK(mail_data("x\n.\rMAIL") == "look_alike:4:4");
  CHECK(mail_data("x\n.\n\rMAIL") == "look_alike:4:4");  // EOD-21
  CHECK(mail_data("x\n.\r\r\nMAIL") == "look_alike:4:4");
}

TEST_CASE("CRLF.CR is a look-alike as soon as no LF follows (EOD-19)") {
  CHECK(mail_data("x\r\n.\rMAIL") == "look_alike:6:6");
  CHECK(mail_data("x\r\n.\r\0\n"s) == "look_alike:6:6");
}

TEST_CASE("a NUL behind the dot makes a look-alike: a C string ends there (EOD-11)") {
  CHECK(mail_data("x\r\n.\0\r\nMAIL"s) == "look_alike:5:5");
  CHECK(mail_data("x\n.\0"s) == "look_alike:4:4");
}

TEST_CASE("a NUL inside the line end before the dot makes a look-alike (EOD-13)") {
  CHECK(mail_data("x\r\0\n.\r\nMAIL"s) == "look_alike:6:6");
}

TEST_CASE("NULs between line end and dot make a look-alike: some servers drop them") {
  CHECK(mail_data("x\r\n\0.\r\nMAIL"s) == "look_alike:6:6");
  CHECK(mail_data("x\r\n\0\0\0\0\0\0.\r\nMAIL"s) == "look_alike:11:11");
  CHECK(mail_data("\0.\r\n"s) == "look_alike:3:3");
}

TEST_CASE("a NUL before a whole CRLF.CRLF changes nothing (EOD-09)") {
  CHECK(mail_data("x\0\r\n.\r\n"s) == "data_end:7:7");
}

TEST_CASE("CRCRLF.CRLF is canonical: its last five octets are CRLF.CRLF") {
  CHECK(mail_data("x\r\r\n.\r\n") == "data_end:7:7");
}

TEST_CASE("a message of LF lines is a look-alike at its end, not before (EOD-37)") {
  CHECK(mail_data("Subject: l\n\nbody\n.\nQUIT\r\n") == "look_alike:19:19");
  CHECK(mail_data("Subject: l\n\nbody\nmore\r\n.\r\n") == "data_end:26:26");
}

TEST_CASE("a dot with a space before or behind it is text (EOD-23, EOD-25)") {
  CHECK(mail_data("x\r\n. \r\n.\r\n") == "data_end:10:10");
  CHECK(mail_data("x\r\n .\r\n.\r\n") == "data_end:10:10");
  CHECK(mail_data("x\r\n. \r\nMAIL") == "");
}

TEST_CASE("NEL and CR LF with the high bit set are no line ends (EOD-27, EOD-29)") {
  CHECK(mail_data("x\x85.\r\nMAIL\r\n") == "");
  CHECK(mail_data("x\r\n.\x8d\x8aMAIL\r\n") == "");
  CHECK(mail_data("x\xe2\x80\xa8.\r\n\x0b.\r\n\x0c.\r\n") == "");
}

TEST_CASE("a segment that ends in CRLF and a dot may go on as text (EOD-33)") {
  CHECK(cuts_at({.framing = {.mode = FramingMode::mail_data, .bytes = kNoBudget},
                 .stream = "x\r\n.y\r\n.\r\n"},
                {4}) == "data_end:10:10");
}

TEST_CASE("stuffed dots and a line that begins with one dot are text (DAT-01, DAT-03)") {
  CHECK(mail_data("..leading dot\r\n...two\r\n..\r\n.\r\n") == "data_end:30:30");
  CHECK(mail_data("x\r\n.hidden\r\n.\r\n") == "data_end:15:15");
  CHECK(mail_data("x.\r\ny.\ny.\r.\r") == "look_alike:12:12");
}

TEST_CASE("verbs inside the message are text (EOD-41)") {
  CHECK(mail_data("RSET\r\nMAIL FROM:<smug@evil.test>\r\nx\r\n.\r\n") == "data_end:40:40");
}

TEST_CASE(
    "a dot at the end of a long line is text, and the end behind one is seen (DAT-31, DAT-33)") {
  for (const std::size_t length : {998U, 1000U, 1001U, 2047U, 2048U}) {
    const std::string line(length, 'a');
    CHECK(mail_data(line + ".\r\nMAIL\r\n") == "");
    CHECK(mail_data(line + "\r\n.\r\n") == cut("data_end", length + 5));
  }
}

TEST_CASE("octets above 127, SUB and DEL are text (DAT-37)") {
  CHECK(mail_data("\x80\xff\xc3\xa9\x1a\x7f\r\n.\r\n") == "data_end:11:11");
}

TEST_CASE("fed on after a look-alike, the framer finds the next one and the end") {
  CHECK(cuts_of({.framing = {.mode = FramingMode::mail_data, .bytes = kNoBudget},
                 .stream = "x\n.\n.\r\n.\r\n",
                 .after_refusal = AfterRefusal::feed_on}) ==
        "look_alike:4:4 look_alike:6:6 data_end:10:10");
  CHECK(cuts_of({.framing = {.mode = FramingMode::mail_data, .bytes = kNoBudget},
                 .stream = "x\r\n.\r.\r\n.\r\n",
                 .after_refusal = AfterRefusal::feed_on}) ==
        "look_alike:6:6 look_alike:7:7 data_end:11:11");
}

TEST_CASE("every short text of CR, LF, NUL, dot and a letter is cut as the rule says") {
  for_every_text("\r\n\0.a"s, 7, [](const std::string& text) {
    const Play play{
        .framing = {.mode = FramingMode::mail_data, .bytes = kNoBudget},
        .stream = text,
        .at_cut = [](Framer& framer, const Cut&) { framer.set({.mode = FramingMode::opaque}); }};
    const std::string expected = first_cut_by_rule(text);
    const std::size_t half = text.size() / 2;
    const bool whole_right = cuts_at(play, {}) == expected;
    const bool halves_right = cuts_at(play, {half, text.size() - half / 2}) == expected;
    if (!whole_right || !halves_right || text.size() < 5) {
      CAPTURE(text);
      CHECK(cuts_of(play) == expected);
    }
  });
}

TEST_CASE("long texts full of dots are cut as the rule says") {
  std::mt19937 random(20'250'103);
  const std::string_view rare = "\r\n\0\r\n"sv;
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 400, '.');
    const std::size_t rarity = 3 + random() % 60;
    for (char& letter : text) {
      if (random() % 3 == 0) letter = 'a';
      if (random() % rarity == 0) letter = rare[random() % rare.size()];
    }
    const Play play{
        .framing = {.mode = FramingMode::mail_data, .bytes = kNoBudget},
        .stream = text,
        .at_cut = [](Framer& framer, const Cut&) { framer.set({.mode = FramingMode::opaque}); }};
    const std::size_t border = text.empty() ? 0 : random() % text.size();
    CAPTURE(text);
    CHECK(cuts_at(play, {}) == first_cut_by_rule(text));
    CHECK(cuts_at(play, {border}) == first_cut_by_rule(text));
  }
}
