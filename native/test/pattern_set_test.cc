#include <ctime>

#include "test/pattern_lab.h"

using namespace postern;
using namespace postern::test;

namespace {

/// "2:4 words": the pattern, the column and the words of a refusal; what is not named is "-".
std::string refusal(const std::vector<Pattern>& patterns, const PatternSetOptions& options) {
  const PatternSet::Result result = PatternSet::compile(patterns, options);
  if (result.set != nullptr) return "compiled";
  const auto number = [](std::size_t value, std::size_t none) {
    return value == none ? std::string("-") : std::to_string(value);
  };
  return number(result.error.index, kNoPattern) + ":" + number(result.error.column, kNoColumn) +
         " " + result.error.message;
}

std::string refusal(const std::string& expression, PatternPlace place = PatternPlace::body) {
  return refusal({{7, "good", false}, {9, expression, false}}, {.place = place});
}

std::string word_of(std::uint32_t number) {
  std::string word;
  for (std::uint32_t rest = number * 2'654'435'761U; word.size() < 7; rest = rest / 26 + number) {
    word += static_cast<char>('a' + rest % 26);
  }
  return word + std::to_string(number);
}

/// The shapes of cisco-ios 1.5, one after the other.
std::string shape_of(std::uint32_t number) {
  const std::string word = word_of(number);
  const std::string other = word_of(number + 100'000);
  switch (number % 8) {
    case 0:
      return "UD-" + std::to_string(100'000 + number);
    case 1:
      return "^Subject:.*" + word;
    case 2:
      return word + "/+";
    case 3:
      return word + "\\.com$";
    case 4:
      return "(" + word + "|" + other + ")@example\\.com";
    case 5:
      return "[0-9]{4,}" + word;
    case 6:
      return word + ".*@" + other + "\\.com$";
    default:
      return "lo*se" + word;
  }
}

}  // namespace

TEST_CASE("the vectors of the dialect, as src/policy/pattern.ts writes them (cisco-ios 1.5)") {
  const Set set = compiled(
      {"UD-421590", "image/+", "^Subject:.*lottery", "deals\\.com$", "crazyperson.*@wrdmail\\.com$",
       "^image/", "lo*se", "^[Ss]ubject:.*lottery", "(spam|junk)@example\\.com", "[0-9]{4,}"},
      PatternPlace::field);
  CHECK(found(set, "a UD-421590 b") == "0 9");
  CHECK(found(set, "UD-42159") == "9");
  CHECK(found(set, "image/jpeg") == "1 5");
  CHECK(found(set, "x image//jpeg") == "1");
  CHECK(found(set, "Subject: You won the lottery") == "2 7");
  CHECK(found(set, "subject: lottery") == "7");
  CHECK(found(set, "X-Subject: lottery") == "");
  CHECK(found(set, "x@hotdeals.com") == "3");
  CHECK(found(set, "x@hotdeals.com.test") == "");
  CHECK(found(set, "x@hotdealsxcom") == "");
  CHECK(found(set, "crazyperson99@wrdmail.com") == "4");
  CHECK(found(set, "lse") == "6");
  CHECK(found(set, "looose") == "6");
  CHECK(found(set, "l*se") == "");
  CHECK(found(set, "junk@example.com") == "8");
  CHECK(found(set, "junk@example,com") == "");
  CHECK(found(set, "123 456") == "");
}

TEST_CASE("a pattern that can match nothing matches every text") {
  for (const std::string expression : {".*", "x*", "(a|)"}) {
    const Set field = compiled(std::vector{expression, std::string("b")}, PatternPlace::field);
    CHECK(found(field, "anything") == "0");
    CHECK(found(field, "") == "0");
    const Set body = compiled(std::vector{expression, std::string("b")}, PatternPlace::body);
    CHECK(found_in(body, {"anything"}) == "0");
    CHECK(found_in(body, {}) == "0");
  }
}

TEST_CASE("the ends of a field are its ends, and a point is any octet of it") {
  const Set set = compiled({"^a", "a$", "a.b", "^a$"}, PatternPlace::line);
  CHECK(found(set, "a") == "0 1 3");
  CHECK(found(set, "xa\n") == "");
  CHECK(found(set, "x\na") == "1");
  CHECK(found(set, "a\nx") == "0");
  CHECK(found(set, "xa\nb") == "2");
}

TEST_CASE("the ends of a body's lines are LF and CRLF, and a point does not leave a line") {
  const Set set =
      compiled({"^one", "two$", "a.*b", "^$", "[$]x", "x\\$y", "no$|yes"}, PatternPlace::body);
  CHECK(found_in(set, {"zero\r\none and two\r\nx"}) == "0 1");
  CHECK(found_in(set, {"zero\none and two\nx"}) == "0 1");
  CHECK(found_in(set, {"a\r\nb"}) == "");
  CHECK(found_in(set, {"a\rb"}) == "2");
  CHECK(found_in(set, {"x two"}) == "1");
  CHECK(found_in(set, {"x two "}) == "");
  CHECK(found_in(set, {"x\r\n\r\ny"}) == "3");
  CHECK(found_in(set, {"$x x$y"}) == "4 5");
  CHECK(found_in(set, {"yes"}) == "6");
  CHECK(found_in(set, {"x no\r\n"}).ends_with("6"));
  CHECK(found_in(set, {"nothing"}) == "");
}

TEST_CASE("letters are told apart unless a pattern says otherwise, and octets are octets") {
  const Set set = compiled({{1, "Viagra", false},
                            {2, "Viagra", true},
                            {3, "\xE4", true},
                            {4, "\\xC3\\xA4", false},
                            {5, "^.\\z", false}},
                           {.place = PatternPlace::field});
  CHECK(found(set, "viagrA") == "2");
  CHECK(found(set, "Viagra") == "1 2");
  CHECK(found(set, "\xC4") == "5");      // no letter of ASCII: its case is its own
  CHECK(found(set, "\xC3\xA4") == "4");  // UTF-8 for one letter is two octets
  CHECK(found(set, "\xE4") == "3 5");
}

TEST_CASE("patterns of one id are told once, wherever they stand in the list") {
  const Set set =
      compiled({{5, "one", false}, {2, "two", false}, {5, "three", false}, {5, "one three", false}},
               {.place = PatternPlace::body});
  CHECK(found_in(set, {"one two three"}) == "2 5");
  CHECK(found_in(set, {"three"}) == "5");
  CHECK(set->patterns() == 4);
}

TEST_CASE("a refusal names the pattern, the column and the cause") {
  CHECK(refusal("a**b") == "1:2 Invalid repeat");
  CHECK(refusal("+x") == "1:0 Invalid repeat");
  CHECK(refusal("$$[abc") == "1:2 Unterminated character class starting");
  CHECK(refusal("ab(c") == "1:2 Missing close parenthesis for group started");
  CHECK(refusal("a$b)") == "1:3 Unmatched parentheses");
  CHECK(refusal("x\\") == "1:1 Unescaped \\ at end of input");
  CHECK(refusal("a(?=b)") == "1:1 Looking ahead or behind is not supported");
  CHECK(refusal("(?<!a)b") == "1:0 Looking ahead or behind is not supported");
  CHECK(refusal("(a)\\1") == "1:- Back-references are unsupported");
  CHECK(refusal("(?i)a") == "1:0 A group begins with '(' or '(?:'");
  CHECK(refusal("(*UTF8)a") == "1:1 Nothing to repeat before '*'");
  CHECK(refusal("a\\Q$\\E") == "1:1 \\Q and \\E are no quotes");
  CHECK(refusal("") == "1:0 The pattern is empty");
  CHECK(refusal(std::string("a[b\0]", 5)) == "1:3 An octet of value 0 is written as \\x00");
  CHECK(refusal(std::string(1'025, 'a')) == "1:1024 The pattern is longer than 1024 octets");
  CHECK(refusal("a.{1,40000}b") == "1:- Bounded repeat is too large");
  CHECK(refusal("(?:a)[(?=][(*]\\(?=") == "compiled");
  CHECK(refusal("[[:digit:]$][]$][^]$]") == "compiled");
}

TEST_CASE("a refusal names the pattern by its place in the list, whatever the ids") {
  std::vector<Pattern> patterns;
  for (std::uint32_t i = 0; i < 5'000; ++i) patterns.push_back({9'999 - i, word_of(i), false});
  patterns[123].expression = "b(a";
  CHECK(refusal(patterns, {.place = PatternPlace::field}) ==
        "123:1 Missing close parenthesis for group started");
}

TEST_CASE("limits of a set are named when it reaches them") {
  const std::vector<Pattern> two = patterns_of({"one", "two.*three"});
  CHECK(refusal(two, {.patterns_max = 1}) == "1:- More than 1 patterns");
  CHECK(refusal(two, {.patterns_max = 2}) == "compiled");
  CHECK(refusal(std::vector<Pattern>(), {}) == "-:- There are no patterns");
  const Set set = compiled(two, {.place = PatternPlace::body});
  const std::size_t octets = set->database_bytes();
  const std::size_t state = set->stream_bytes();
  CHECK(state > 0);
  CHECK(compiled(two, {})->stream_bytes() == 0);
  CHECK(refusal(two, {.place = PatternPlace::body, .database_bytes_max = octets}) == "compiled");
  CHECK(refusal(two, {.place = PatternPlace::body, .stream_bytes_max = state}) == "compiled");
  CHECK(refusal(two, {.place = PatternPlace::body, .database_bytes_max = octets - 1}) ==
        "-:- The patterns take a database of " + std::to_string(octets) + " octets, more than " +
            std::to_string(octets - 1));
  CHECK(refusal(two, {.place = PatternPlace::body, .stream_bytes_max = state - 1}) ==
        "-:- The patterns take a state a stream of " + std::to_string(state) +
            " octets, more than " + std::to_string(state - 1));
}

TEST_CASE("10,000 patterns compile in time, and each is found") {
  std::vector<Pattern> patterns;
  for (std::uint32_t i = 0; i < 10'000; ++i) patterns.push_back({i, shape_of(i), i % 3 == 0});
  const std::clock_t start = std::clock();
  const Set set = compiled(patterns, {.place = PatternPlace::body});
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  MESSAGE("10,000 patterns: " << seconds << " s of CPU, " << set->database_bytes()
                              << " octets, stream state " << set->stream_bytes());
  // The bar is 10 s (bench/pattern-scan.cc); the sanitizers' allocator takes some more.
  CHECK(seconds < 40.0);
  CHECK(found_in(set, {"x UD-100000 y UD-109992"}) == "0 9992");
  CHECK(found_in(set, {"Subject: ", word_of(9'993), "\r\n"}) == "9993");
  CHECK(found_in(set, {word_of(5'003), ".com\r\nx"}) == "5003");
  CHECK(found_in(set, {"UD-1"}) == "");
}

TEST_CASE("a set survives its way through octets, and nothing else does") {
  const Set set = compiled({"^one", "two$", "three"}, PatternPlace::body);
  const std::vector<std::byte> image = set->serialize();
  const Set again = PatternSet::deserialize(image).set;
  REQUIRE(again != nullptr);
  CHECK(again->place() == PatternPlace::body);
  CHECK(again->patterns() == 3);
  CHECK(again->database_bytes() == set->database_bytes());
  CHECK(again->stream_bytes() == set->stream_bytes());
  CHECK(found_in(again, {"one tw", "o\r\nthr", "ee"}) == "0 1 2");

  for (std::size_t octets = 0; octets < image.size(); octets += 1 + octets / 3) {
    const PatternSet::Result cut = PatternSet::deserialize(std::span(image).first(octets));
    CHECK(cut.set == nullptr);
    CHECK(cut.error.message == "The set is damaged");
  }
  std::vector<std::byte> longer = image;
  longer.push_back(std::byte{0});
  CHECK(PatternSet::deserialize(longer).set == nullptr);
}

TEST_CASE("a set of another version, another processor or with other octets is refused") {
  const std::vector<std::byte> image = compiled({"one", "two"}, PatternPlace::field)->serialize();
  const auto refused_with = [&image](std::size_t at, std::size_t octets) {
    std::vector<std::byte> other = image;
    for (std::size_t i = 0; i < octets; ++i) other[at + i] ^= std::byte{0x55};
    const PatternSet::Result result = PatternSet::deserialize(other);
    return result.set == nullptr ? result.error.message : "accepted";
  };
  // Behind the head of 16 octets and the length: the engine's magic, version, length, platform.
  constexpr std::size_t kEngine = 20;
  CHECK(refused_with(0, 4) == "The set is damaged");
  CHECK(refused_with(kEngine, 4) == "The set is damaged");
  CHECK(refused_with(kEngine + 4, 4) == "The set was compiled by another version of the engine");
  CHECK(refused_with(kEngine + 12, 8) == "The set was compiled for another processor");
  CHECK(refused_with(image.size() / 2, 8) == "The set is damaged");
}
