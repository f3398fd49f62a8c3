#include "core/line_search.h"

#include <random>
#include <string>

#include "core/bytes.h"
#include "test/pattern_lab.h"

using namespace postern;
using namespace postern::test;

namespace {

/// The same, an octet at a time.
std::size_t plainly(std::string_view text, std::size_t at, char next, bool bare) {
  for (; at < text.size(); ++at) {
    if (text[at] != '\n') continue;
    if (at + 1 == text.size() || text[at + 1] == next) return at;
    if (bare && (at == 0 || text[at - 1] != '\r')) return at;
  }
  return text.size();
}

/// Each text is a copy of its size, so that the sanitizer sees a read of one octet too many.
void check(std::string_view text) {
  const std::vector<char> copy(text.begin(), text.end());
  const auto all = std::as_bytes(std::span(copy));
  for (std::size_t at = 0; at <= text.size(); ++at) {
    CAPTURE(text);
    CAPTURE(at);
    REQUIRE(find_lf_before(all, at, std::byte{'.'}) == plainly(text, at, '.', false));
    REQUIRE(find_lf_bare_or_before(all, at, std::byte{'-'}) == plainly(text, at, '-', true));
  }
}

}  // namespace

TEST_CASE("line search: what is looked for is found at any place of a text of any length") {
  for (const std::string_view planted : {"\r\n.", "\r\n-", "\n", "\n.", "\n-", "\r\n", ".", "-"}) {
    for (std::size_t length = planted.size(); length < 210; ++length) {
      for (std::size_t at = 0; at + planted.size() <= length; at += 1 + length / 16) {
        std::string text(length, 'x');
        text.replace(at, planted.size(), planted);
        check(text);
      }
    }
  }
  check("");
}

TEST_CASE("line search: texts of ends, dots and hyphens in any order") {
  std::mt19937 chance(7);
  for (int round = 0; round < 3'000; ++round) {
    std::string text;
    const std::size_t length = chance() % 200;
    const std::size_t rare = 1 + chance() % 60;
    while (text.size() < length) text += chance() % rare == 0 ? "\r\n.-"[chance() % 4] : 'x';
    check(text);
  }
}
