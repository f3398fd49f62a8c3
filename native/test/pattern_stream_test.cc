#include "test/pattern_lab.h"

using namespace postern;
using namespace postern::test;

namespace {

const std::string kMail =
    "Dear all,\r\nthe marker is UD-421590.\r\nYou won the LoTTery today\r\nimage///png\r\nbye";

Set mail_set() {
  return compiled({{0, "UD-421590", false},
                   {1, "won.*lottery", true},
                   {2, "image/+png$", false},
                   {3, "^bye$", false},
                   {4, "lottery", false},
                   {5, "today\r", false},
                   {6, "[0-9]{7}", false}},
                  {.place = PatternPlace::body});
}

}  // namespace

TEST_CASE("a pattern is found wherever the text is split") {
  const Set set = mail_set();
  REQUIRE(found_in(set, {kMail}) == "0 1 2 3 5");
  const std::string_view text = kMail;
  for (std::size_t first = 0; first <= text.size(); ++first) {
    CHECK(found_in(set, {text.substr(0, first), text.substr(first)}) == "0 1 2 3 5");
  }
  for (std::size_t octets = 1; octets < 9; ++octets) {
    CHECK(found_in(set, pieces_of(text, octets)) == "0 1 2 3 5");
  }
}

TEST_CASE("two splits anywhere in a marker do not hide it, and make none of another") {
  const Set set = compiled({"UD-421590", "image/+x$"}, PatternPlace::body);
  const std::string_view text = "abUD-421590image//x";
  const std::string_view other = "abUD-421580image//y";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      const auto in_three = [first, second](std::string_view all) {
        return std::vector{all.substr(0, first), all.substr(first, second - first),
                           all.substr(second)};
      };
      CHECK(found_in(set, in_three(text)) == "0 1");
      CHECK(found_in(set, in_three(other)) == "");
    }
  }
}

TEST_CASE("the engine overlooks nothing, at whatever place of a text of whatever length") {
  const std::vector<std::pair<std::string, std::string>> cases = {{"q", "q"},
                                                                  {"[0-9]", "7"},
                                                                  {"qz", "qz"},
                                                                  {"(spam|junk)@", "junk@"},
                                                                  {"image/+", "image/"},
                                                                  {"ab.*yz", "abcyz"},
                                                                  {"UD-421590", "UD-421590"}};
  for (const auto& [written, planted] : cases) {
    // clang captures no structured binding, and INFO captures.
    const auto& expression = written;
    const auto& hit = planted;
    const Set set = compiled(std::vector{expression}, PatternPlace::body);
    PatternScratch scratch;
    REQUIRE(scratch.prepare(*set));
    PatternStreams streams(set, 1);
    std::size_t overlooked = 0;
    for (std::size_t length = hit.size(); length < 200; ++length) {
      for (std::size_t at = 0; at + hit.size() <= length; ++at) {
        std::string text(length, '.');
        text.replace(at, hit.size(), hit);
        const std::uint32_t stream = streams.open();
        Room room;
        REQUIRE(streams.scan(stream, octets(text), scratch, room.matches) == ScanEnd::done);
        REQUIRE(streams.close(stream, scratch, room.matches) == ScanEnd::done);
        overlooked += room.matches.found().size() == 1 ? 0U : 1U;
      }
    }
    INFO(expression);
    CHECK(overlooked == 0);  // Vectorscan 5.4.9 with AVX-512: thousands
  }
}

TEST_CASE("what stands at the end is told when the text ends, not before") {
  const Set set = compiled({"bye$", "bye"}, PatternPlace::body);
  PatternScratch scratch;
  REQUIRE(scratch.prepare(*set));
  PatternStreams streams(set, 2);
  const std::uint32_t stream = streams.open();
  Room room;
  CHECK(streams.scan(stream, octets("good bye"), scratch, room.matches) == ScanEnd::done);
  CHECK(ids_of(room.matches, ScanEnd::done) == "1");
  const std::uint32_t twin = streams.copy(stream);
  room.matches.clear();
  CHECK(streams.scan(twin, octets(" all"), scratch, room.matches) == ScanEnd::done);
  CHECK(streams.close(twin, scratch, room.matches) == ScanEnd::done);
  CHECK(ids_of(room.matches, ScanEnd::done) == "");
  CHECK(streams.reset(stream, scratch, room.matches) == ScanEnd::done);
  CHECK(ids_of(room.matches, ScanEnd::done) == "0");
}

TEST_CASE("each id comes once a stream, and again in a stream that begins anew") {
  const Set set = compiled({"a", "b"}, PatternPlace::body);
  PatternScratch scratch;
  REQUIRE(scratch.prepare(*set));
  PatternStreams streams(set, 1);
  const std::uint32_t stream = streams.open();
  Room room;
  for (int i = 0; i < 5; ++i) {
    CHECK(streams.scan(stream, octets("aaaa"), scratch, room.matches) == ScanEnd::done);
  }
  REQUIRE(room.matches.found().size() == 1);
  CHECK(room.matches.found()[0].end == 1);
  room.matches.clear();
  CHECK(streams.scan(stream, octets("aab"), scratch, room.matches) == ScanEnd::done);
  REQUIRE(room.matches.found().size() == 1);
  CHECK(room.matches.found()[0].id == 1);
  CHECK(room.matches.found()[0].end == 23);
  CHECK(streams.reset(stream, scratch, room.matches) == ScanEnd::done);
  room.matches.clear();
  CHECK(streams.scan(stream, octets("ab"), scratch, room.matches) == ScanEnd::done);
  CHECK(ids_of(room.matches, ScanEnd::done) == "0 1");
}

TEST_CASE("every match is told where that was asked for") {
  const Set set =
      compiled(patterns_of({"a", "ab"}), {.place = PatternPlace::body, .every_match = true});
  CHECK(found_in(set, {"aba", "b"}) == "0 0 1 1");
  CHECK(found_in(set, {"b"}) == "");
}

TEST_CASE("a scan stops where the room for matches ends, and the stream stays stopped") {
  const Set set = compiled({"a", "b", "c", "d$"}, PatternPlace::body);
  PatternScratch scratch;
  REQUIRE(scratch.prepare(*set));
  PatternStreams streams(set, 1);
  const std::uint32_t stream = streams.open();
  std::array<PatternMatch, 2> two{};
  PatternMatches matches(two);
  CHECK(streams.scan(stream, octets("ab"), scratch, matches) == ScanEnd::done);
  CHECK(streams.scan(stream, octets("ab"), scratch, matches) == ScanEnd::done);
  CHECK(streams.scan(stream, octets("c"), scratch, matches) == ScanEnd::full);
  matches.clear();
  CHECK(streams.scan(stream, octets("c"), scratch, matches) == ScanEnd::full);
  const std::uint32_t none = streams.open();
  CHECK(none == kNoPatternStream);
  CHECK(streams.close(stream, scratch, matches) == ScanEnd::full);
  CHECK(matches.found().empty());

  const std::uint32_t again = streams.open();
  CHECK(streams.scan(again, octets("abd"), scratch, matches) == ScanEnd::done);
  CHECK(streams.reset(again, scratch, matches) == ScanEnd::full);  // no room for what the end tells
  matches.clear();
  CHECK(streams.scan(again, octets("d"), scratch, matches) == ScanEnd::done);
  CHECK(streams.close(again, scratch, matches) == ScanEnd::done);
  CHECK(ids_of(matches, ScanEnd::done) == "3");
}

TEST_CASE("a field's scan stops where the room ends too") {
  const Set set = compiled({"a", "b", "c"}, PatternPlace::field);
  PatternScratch scratch;
  REQUIRE(scratch.prepare(*set));
  std::array<PatternMatch, 2> two{};
  PatternMatches matches(two);
  CHECK(scratch.scan(*set, octets("xbya"), matches) == ScanEnd::done);
  matches.clear();
  CHECK(scratch.scan(*set, octets("abc"), matches) == ScanEnd::full);
  CHECK(ids_of(matches, ScanEnd::full) == "0 1 full");
}

TEST_CASE("there are only so many streams, and memory of one serves the next") {
  const Set set = compiled(std::vector<std::string>{"ab"}, PatternPlace::body);
  PatternScratch scratch;
  REQUIRE(scratch.prepare(*set));
  PatternStreams streams(set, 3);
  CHECK_FALSE(streams.reserve(4));
  CHECK(streams.reserve(3));
  CHECK(streams.open_streams() == 0);
  Room room;
  for (int round = 0; round < 3; ++round) {
    const std::array open{streams.open(), streams.open(), streams.open()};
    CHECK(streams.open() == kNoPatternStream);
    CHECK(streams.copy(open[0]) == kNoPatternStream);
    CHECK(streams.open_streams() == 3);
    for (const std::uint32_t stream : open) {
      CHECK(streams.scan(stream, octets("xa"), scratch, room.matches) == ScanEnd::done);
    }
    CHECK(streams.scan(open[1], octets("b"), scratch, room.matches) == ScanEnd::done);
    CHECK(ids_of(room.matches, ScanEnd::done) == "0");
    room.matches.clear();
    for (const std::uint32_t stream : open) streams.drop(stream);
    // What a dropped stream had seen is forgotten.
    const std::uint32_t next = streams.open();
    CHECK(streams.scan(next, octets("b"), scratch, room.matches) == ScanEnd::done);
    CHECK(streams.close(next, scratch, room.matches) == ScanEnd::done);
    CHECK(ids_of(room.matches, ScanEnd::done) == "");
  }
  CHECK(streams.open_streams() == 0);
}

TEST_CASE("a set that is replaced while streams are open serves them to their end") {
  Set set = compiled(std::vector<std::string>{"old.*end"}, PatternPlace::body);
  const std::weak_ptr<const PatternSet> old = set;
  PatternScratch scratch;
  REQUIRE(scratch.prepare(*set));
  auto before = std::make_unique<PatternStreams>(std::move(set), 4);
  const std::uint32_t first = before->open();
  Room room;
  CHECK(before->scan(first, octets("old "), scratch, room.matches) == ScanEnd::done);

  set = compiled({"new", "x.{1,90}y", "z"}, PatternPlace::body);
  REQUIRE(scratch.prepare(*set));
  PatternStreams after(set, 4);
  const std::uint32_t second = after.open();
  CHECK(after.scan(second, octets("old new "), scratch, room.matches) == ScanEnd::done);
  CHECK(before->scan(first, octets("new end"), scratch, room.matches) == ScanEnd::done);
  CHECK(ids_of(room.matches, ScanEnd::done) == "0 0");
  CHECK(before->close(first, scratch, room.matches) == ScanEnd::done);
  CHECK(before->open_streams() == 0);
  CHECK_FALSE(old.expired());
  before.reset();
  CHECK(old.expired());
  CHECK(after.close(second, scratch, room.matches) == ScanEnd::done);
}

TEST_CASE("a scratch that no set was prepared with fails, and says so") {
  const Set set = compiled(std::vector<std::string>{"a"}, PatternPlace::field);
  PatternScratch scratch;
  Room room;
  CHECK(scratch.scan(*set, octets("a"), room.matches) == ScanEnd::failed);
  CHECK(room.matches.found().empty());
}
