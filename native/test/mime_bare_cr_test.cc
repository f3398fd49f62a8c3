// What readers see behind a bare CR, Exim's among them: it writes LF for those in a body.
#include "test/mime_check.h"

using namespace postern;
using namespace postern::test;
using namespace std::literals;

namespace {

std::string mixed(std::string_view parts) {
  return "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + std::string(parts);
}

}  // namespace

TEST_CASE("a field behind a bare CR is a field of its own, too (MIM-113)") {
  const MimeRecorder told = walk("X: y\rContent-Type: application/x-evil\rZ: a\r\n\r\nx\r\n");
  CHECK(told.lines("cut") == std::vector{"cut 0@0 Content-Type: application/x-evil"s});
  CHECK(told.lines("begin")[0] == "begin 0@0 in 0 leaf application/x-evil as-is");
  CHECK_FALSE(told.saw("bare-cr-structure"));
  const MimeRecorder part =
      walk(mixed("--b\r\nX: y\r\n z\rContent-Transfer-Encoding: base64\r\n\r\nU01V\r\n--b--\r\n"));
  CHECK(part.decoded_of(1) == "SMU");
  CHECK(walk("X: y\rContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--")
            .body_of(1) == "one");
}

TEST_CASE("an empty line behind a bare CR cannot be followed") {
  CHECK(walk("X: y\r\rbody\r\n\r\n").saw("bare-cr-structure"));
  CHECK(walk(mixed("--b\r\nX: y\r\rbody\r\n--b--")).saw("bare-cr-structure"));
  CHECK_FALSE(walk("X: y\r\r\nY: z\r\r\r\n\r\n").saw("bare-cr-structure"));
}

TEST_CASE("CR CR LF ends the header of a part at Exim, and not that of the message") {
  constexpr std::string_view kHeader = "Content-Transfer-Encoding: base64\r\r\nU:01VR0dMRUQ=\r\n";
  const MimeRecorder part = walk(mixed("--b\r\n" + std::string(kHeader) + "--b--\r\n"));
  CHECK(part.lasted.at(TransferCoding::base64) == "SMUGGLED");
  CHECK(walk("X: y\r\r\nTo: z\r\n\r\nx").body_of(0, MimeRegion::header_lines).empty());
}

TEST_CASE("two hyphens behind a bare CR may be a boundary line that cannot be followed") {
  CHECK(walk(mixed("--b\r\n\r\none\r--b\r\n\r\n--b--")).saw("bare-cr-structure"));
  CHECK(walk(mixed("pre\r--b\r\n\r\n--b--")).saw("bare-cr-structure"));
  for (const std::string_view text : {"one\r-b-"sv, "one\r\n--x"sv, "one\r\r\n--"sv, "\r- -"sv}) {
    CHECK_FALSE(
        walk(mixed("--b\r\n\r\n" + std::string(text) + "\r\n--b--")).saw("bare-cr-structure"));
  }
  CHECK_FALSE(walk(mixed("--b\r\n\r\nx\ry-\r\n--b\r\n\r\n-x\r\n--b--")).saw("bare-cr-structure"));
  // Where there are no boundaries there is nothing to be missed.
  CHECK_FALSE(walk("Subject: x\r\n\r\none\r--b\r\n").saw("bare-cr-structure"));
}
