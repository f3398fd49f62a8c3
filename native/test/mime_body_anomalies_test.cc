// Bodies and boundaries that mail readers read differently.
#include "test/mime_check.h"

using namespace postern;
using namespace postern::test;
using namespace std::literals;

namespace {

std::string anomalies(const MimeRecorder& told) {
  return joined(told.anomalies);
}

std::string mixed(std::string_view boundary, std::string_view body) {
  return "Content-Type: multipart/mixed; boundary=" + std::string(boundary) + "\r\n\r\n" +
         std::string(body);
}

constexpr std::string_view kEvil = "Content-Type: application/x-evil\r\n\r\nMZ\r\n";
constexpr std::string_view kEvilBegin = "begin 1@1 in 0 leaf application/x-evil as-is";

}  // namespace

TEST_CASE("boundary lines with white space behind them, and the last one without an end") {
  const MimeRecorder told = walk(mixed("b", "--b \t\r\n\r\none\r\n--b-- "));
  CHECK(told.body_of(1) == "one");
  CHECK(told.anomalies.empty());
  CHECK(walk(mixed("b", "--b\r\n\r\none\r\n--b--\r")).anomalies.empty());
}

TEST_CASE("one boundary begins like another (MIM-12)") {
  const MimeRecorder told = walk(mixed("b",
                                       "--b\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n"
                                       "--bb\r\n\r\ninner\r\n--bb--\r\n"
                                       "--b\r\n\r\nouter\r\n--b--\r\n"));
  CHECK(told.body_of(2) == "inner");
  CHECK(told.body_of(3) == "outer");
  CHECK(told.anomalies.empty());
}

TEST_CASE("where one boundary's end is another boundary, the longer one is meant") {
  const MimeRecorder told = walk(mixed("b--",
                                       "--b--\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
                                       "--b\r\n\r\ninner\r\n"
                                       "--b--\r\n\r\nouter\r\n--b----\r\n"));
  CHECK(told.body_of(2) == "inner");
  CHECK(told.body_of(3) == "outer");
}

TEST_CASE("a line that begins with a boundary and goes on is a boundary line, and text") {
  const MimeRecorder told =
      walk(mixed("b", "--b\r\n\r\none\r\n--bx\r\nA: 1\r\n\r\ntwo\r\n--b--\r\n"));
  CHECK(anomalies(told) == "0 boundary-line-odd");
  CHECK(told.body_of(1) == "one");
  CHECK(told.body_of(2, MimeRegion::header_lines) == "--bx\nA: 1\r\n\r\n");
  CHECK(told.lines("field 2@1 A: 1").size() == 1);
  CHECK(told.body_of(2) == "two");
}

TEST_CASE("hyphens in text are no boundary lines") {
  const std::string text = "-\r\n--\r\n-- \r\n---b\r\n -- b\r\n--a\r\n-b\r\nx --b\r\n\r\n-";
  const MimeRecorder told = walk(mixed("b", "--b\r\n\r\n" + text + "\r\n--b--\r\n"));
  CHECK(told.body_of(1) == text);
  CHECK(told.anomalies.empty());
}

TEST_CASE("bare LF and CR around a boundary line") {
  const MimeRecorder told =
      walk(mixed("b", "--b\r\n\r\none\n--b\r\n\r\ntwo\r--b\r\n\r\r\n--b--\r\n"));
  CHECK(told.body_of(1) == "one");
  CHECK(told.body_of(2) == "two\r--b\r\n\r");
  CHECK(anomalies(told) == "1 bare-lf-in-body\n2 bare-cr-structure");
  CHECK(walk(mixed("b", "--b\r\r\n\r\none\r\n--b--\r\n")).saw("boundary-line-odd"));
}

TEST_CASE("without a boundary, the first line that looks like one is taken (MIM-08, MIM-14)") {
  for (const std::string_view type : {"multipart/mixed"sv, "multipart/mixed; boundary=\"\""sv}) {
    const MimeRecorder told =
        walk("Content-Type: " + std::string(type) + "\r\n\r\npre\r\n-- \r\n--x\r\n" +
             std::string(kEvil) + "--x\r\n\r\ntwo\r\n--x--\r\n");
    CHECK(anomalies(told) == "0 boundary-missing\n0 boundary-guessed\n0 boundary-line-odd");
    CHECK(told.lines("begin")[1] == kEvilBegin);
    CHECK(told.body_of(0, MimeRegion::preamble) == "pre\r\n-- ");
    CHECK(told.body_of(1, MimeRegion::header_lines).starts_with("--x\nContent-Type:"));
    CHECK(told.body_of(2) == "two");
  }
  const MimeRecorder none = walk("Content-Type: multipart/mixed\r\n\r\nnothing like it\r\n");
  CHECK(none.body_of(0, MimeRegion::preamble) == "nothing like it\r\n");
}

TEST_CASE("all readings of a boundary count (MIM-10)") {
  const MimeRecorder pieces =
      walk("Content-Type: multipart/mixed; boundary*0=fo; boundary*1=o\r\n\r\n--foo\r\n" +
           std::string(kEvil) + "--foo--\r\n");
  CHECK(pieces.lines("begin")[1] == kEvilBegin);
  CHECK(anomalies(pieces) == "0 parameter-extended");
  for (const std::string_view line : {"--a\r\n"sv, "--a b\r\n"sv}) {
    const MimeRecorder told = walk(mixed("a b", std::string(line) + std::string(kEvil)));
    CHECK(told.lines("begin")[1] == kEvilBegin);
    CHECK_FALSE(told.saw("boundary-line-odd"));
    CHECK(anomalies(told) == "0 boundary-ambiguous\n0 multipart-unterminated");
  }
}

TEST_CASE("a part behind the last boundary line is told (MIM-20)") {
  const MimeRecorder told =
      walk(mixed("b", "--b--\r\nepilogue\r\n--b\r\n" + std::string(kEvil) + "--b--\r\nend"));
  CHECK(anomalies(told) == "0 part-after-close");
  CHECK(told.lines("begin")[1] == kEvilBegin);
  CHECK(told.body_of(0, MimeRegion::epilogue) == "epilogueend");
}

TEST_CASE("an outer boundary line ends everything inside") {
  const MimeRecorder told = walk(mixed("b",
                                       "--b\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
                                       "--i\r\n\r\ninner\r\n--b\r\n\r\nouter\r\n"));
  CHECK(told.body_of(2) == "inner");
  CHECK(told.body_of(3) == "outer\r\n");
  CHECK(anomalies(told) == "1 multipart-unterminated\n0 multipart-unterminated");
}

TEST_CASE("an encoded multipart is read as it is and decoded (MIM-30)") {
  const MimeRecorder told = walk(
      "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
      "U01VR0dM\r\nRUQ=\r\n--b\r\n\r\nU01V\r\n--b\r\nContent-Transfer-Encoding: "
      "7bit\r\n\r\nx\r\n--b--\r\n");
  CHECK(told.saw("0 encoded-composite"));
  CHECK(told.decoded_of(0) == "SMUGGLED");
  CHECK(told.decoded_of(1) == "SMU");
  CHECK(told.lines("begin")[1] == "begin 1@1 in 0 leaf text/plain text as-is +base64");
  CHECK(told.lines("begin")[2] == "begin 2@1 in 0 leaf text/plain 7bit text as-is");
  CHECK(told.decoded_of(2) == "");
}

TEST_CASE("an encoded message is decoded as one text, whatever of it looks like a header") {
  const MimeRecorder told = walk(
      "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
      "U3ViamVjdDogU01V\r\nR0dMRUQNCg0KYm9k\r\n\r\neQ==\r\n");
  CHECK(told.decoded_of(1) == "Subject: SMUGGLED\r\n\r\nbody");
  CHECK(told.saw("encoded-composite"));
}

TEST_CASE("what is wrong in base64 and quoted-printable is named once") {
  CHECK(anomalies(walk("Content-Transfer-Encoding: base64\r\n\r\nU0*1*\r\n")) ==
        "0 base64-illegal\n0 base64-incomplete");
  CHECK(anomalies(walk("Content-Transfer-Encoding: quoted-printable\r\n\r\n=zz =4\r\n")) ==
        "0 quoted-printable-illegal");
  CHECK(walk("Content-Transfer-Encoding: quoted-printable\r\n\r\n=4")
            .decoded_of(0, TransferCoding::quoted_printable) == "=4");
}

TEST_CASE("NUL and octets above 127 in a body pass (DAT-37, DAT-39)") {
  const MimeRecorder told = walk("A: b\r\n\r\na\0b SMUGGLED \x80\xff\r\n"sv);
  CHECK(told.body_of(0) == "a\0b SMUGGLED \x80\xff\r\n"s);
  CHECK(told.anomalies.empty());
}
