#include "core/encoded_words.h"

#include <doctest/doctest.h>

using namespace postern;
using namespace std::literals;

namespace {

/// The value as shown, or a word that says that there is nothing to decode.
std::string shown(std::string_view value) {
  std::string out = "> ";
  const bool found = decode_encoded_words(value, out);
  if (!found) CHECK(out == "> ");
  return found ? out.substr(2) : "(as it is)";
}

}  // namespace

TEST_CASE("both encodings, in either case") {
  CHECK(shown("=?utf-8?B?U01VR0dMRUQ=?=") == "SMUGGLED");
  CHECK(shown("=?UTF-8?b?U01VR0dMRUQ?=") == "SMUGGLED");
  CHECK(shown("=?us-ascii?Q?SMUG_GLED=21?=") == "SMUG GLED!");
  CHECK(shown("=?utf-8?q?Gr=C3=BC=c3=9fe?= x") ==
        "Gr\xc3\xbc\xc3\x9f"
        "e x");
}

TEST_CASE("white space between encoded words goes, elsewhere it stays (RFC 2047 6.2)") {
  CHECK(shown("=?a?Q?SMUG?= \t =?a?Q?GLED?=") == "SMUGGLED");
  CHECK(shown("=?a?Q?a?==?a?Q?b?=") == "ab");
  CHECK(shown("one =?a?Q?two?= three =?a?Q?four?= five") == "one two three four five");
  CHECK(shown("  =?a?Q?x?=  ") == "  x  ");
}

TEST_CASE("a character cut by two words is whole again") {
  CHECK(shown("=?utf-8?B?w7w=?= =?utf-8?Q?=C3?= =?utf-8?Q?=9F?=") == "\xc3\xbc\xc3\x9f");
}

TEST_CASE("readers decode what RFC 2047 does not allow, and so do we") {
  CHECK(shown("\"=?a?Q?in quotes?=\"") == "\"in quotes\"");
  CHECK(shown("pre=?a?Q?mid?=post") == "premidpost");
  CHECK(shown("=?a?Q?why?not?=") == "why?not");
  CHECK(shown("=?a?Q?bad=zz=4?=") == "bad=zz=4");
  CHECK(shown("=?a?B?U0*1V?=") == "SMU");
  CHECK(shown("=?utf-8*en?Q?x?=") == "x");
  CHECK(shown("=?a?Q?"
              "?=") == "");
  CHECK(shown("=?a?Q?" + std::string(2'000, 'x') + "?=") == std::string(2'000, 'x'));
}

TEST_CASE("what is no encoded word stays, and the next one is found") {
  CHECK(shown("") == "(as it is)");
  CHECK(shown("plain = ? text") == "(as it is)");
  CHECK(shown("=?utf-8?B?U01V") == "(as it is)");
  CHECK(shown("=?utf-8?X?U01V?=") == "(as it is)");
  CHECK(shown("=??Q?x?=") == "(as it is)");
  CHECK(shown("=?a?Qx?=") == "(as it is)");
  CHECK(shown("=?") == "(as it is)");
  CHECK(shown("=?a?") == "(as it is)");
  CHECK(shown("?==?a?Q") == "(as it is)");
  CHECK(shown("=?=?a?Q?x?=") == "=?x");
  CHECK(shown("=?a?X?y?= =?a?Q?z?=") == "=?a?X?y?= z");
}

TEST_CASE("ISO-8859-1 and UTF-16 become UTF-8, other sets keep their octets") {
  CHECK(shown("=?iso-8859-1?Q?Gr=FC=DFe?=") ==
        "Gr\xc3\xbc\xc3\x9f"
        "e");
  CHECK(shown("=?ISO-8859-1?B?/w==?=") == "\xc3\xbf");
  CHECK(shown("=?utf-16?B?AFMATQBV?=") == "SMU");
  CHECK(shown("=?utf-16?B?//5TAE0AVQA=?=") == "SMU");
  CHECK(shown("=?utf-16le?B?UwBNAFUA?=") == "SMU");
  CHECK(shown("=?UTF-16BE?Q?=20=AC=D8=3D=DE=00=D8?=") == "\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(shown("=?koi8-r?Q?=C1?=") == "\xc1");
}

TEST_CASE("hostile values take time linear in their length") {
  for (const std::string_view unit : {"=?a?Q?"sv, "=?"sv, "=?a?"sv, "?="sv, "=?a?X?y?="sv, "?"sv}) {
    std::string value;
    while (value.size() < 1'000'000) value += unit;
    std::string out;
    static_cast<void>(decode_encoded_words(value, out));
    CHECK(out.size() <= 2 * value.size());
  }
}
