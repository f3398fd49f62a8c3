#include "test/framer_cuts.h"

using namespace postern;
using namespace postern::test;
using namespace std::string_literals;

namespace {

std::string mail_data(std::string_view stream, std::uint64_t budget_bytes) {
  return cuts_of(
      {.framing = {.mode = FramingMode::mail_data, .bytes = budget_bytes}, .stream = stream});
}

}  // namespace

TEST_CASE("a message that fills its budget is within it; the final dot line is not counted") {
  CHECK(mail_data("abc\r\n.\r\n", 5) == "data_end:8:8");
  CHECK(mail_data("abc\r\n.\r\n", 4) == "over_budget:4:4");
}

TEST_CASE("a message of 10,001 octets is over 10,000 before its end is passed (DAT-35)") {
  const std::string body = std::string(9'999, 'a') + "\r\n";
  CHECK(mail_data(body + ".\r\n", 10'000) == "over_budget:10000:10000");
  CHECK(mail_data(body + ".\r\n", 10'001) == "data_end:10004:10004");
}

TEST_CASE("the octet behind a full budget cuts, unless it may begin the end") {
  CHECK(mail_data("abc\r\n", 5) == "");
  CHECK(mail_data("abc\r\nd", 5) == "over_budget:5:5");
  CHECK(mail_data("abc\r\n.", 5) == "");
  CHECK(mail_data("abc\r\n.\r", 5) == "");
}

TEST_CASE("a dot past the budget that was no end after all cuts behind it") {
  CHECK(mail_data("abc\r\n.d", 5) == "over_budget:6:6");
  CHECK(mail_data("abc\r\n..", 5) == "over_budget:6:6");
}

TEST_CASE("a dot past the budget that follows no CRLF does not fit") {
  CHECK(mail_data("abcde.\r\n", 5) == "over_budget:5:5");
  CHECK(mail_data("abcd\n.\r\n", 5) == "over_budget:5:5");
}

TEST_CASE("a look-alike at the border of the budget is called one") {
  CHECK(mail_data("abc\r\n.\n", 5) == "look_alike:7:7");
  CHECK(mail_data("abc\r\n.\rX", 5) == "look_alike:8:8");
  CHECK(mail_data("abc\n.\n", 5) == "look_alike:6:6");
}

TEST_CASE("a budget of nothing still allows the empty message") {
  CHECK(mail_data(".\r\n", 0) == "data_end:3:3");
  CHECK(mail_data("x", 0) == "over_budget:0:0");
}

TEST_CASE("fed on after over_budget, the framer says it once and finds the end of data") {
  CHECK(cuts_of({.framing = {.mode = FramingMode::mail_data, .bytes = 2},
                 .stream = "abc\r\nde\r\n.\r\n",
                 .after_refusal = AfterRefusal::feed_on}) == "over_budget:2:2 data_end:12:12");
}

TEST_CASE("every short text and budget is cut alike in every way of splitting") {
  for (std::uint64_t budget = 0; budget < 5; ++budget) {
    for_every_text("\r\n.a", 5, [budget](const std::string& text) {
      CAPTURE(text);
      CAPTURE(budget);
      CHECK(cuts_of({.framing = {.mode = FramingMode::mail_data, .bytes = budget},
                     .stream = text,
                     .after_refusal = AfterRefusal::feed_on}) != "?");
    });
  }
}
