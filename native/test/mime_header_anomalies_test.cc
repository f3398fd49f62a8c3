// Header lines that mail readers read differently: what is told besides the anomaly.
#include "test/mime_check.h"

using namespace postern;
using namespace postern::test;
using namespace std::literals;

namespace {

std::string anomalies(const MimeRecorder& told) {
  return joined(told.anomalies);
}

}  // namespace

TEST_CASE("a first line without a colon is text, the rest of the header both (DAT-27)") {
  const MimeRecorder told = walk("just text\r\nContent-Type: application/x-evil\r\n\r\nbody\r\n");
  CHECK(anomalies(told) == "0 header-line-malformed");
  CHECK(told.body_of(0, MimeRegion::header_lines) ==
        "just text\r\nContent-Type: application/x-evil\r\n\r\n");
  CHECK(told.lines("field").size() == 1);
  CHECK(told.lines("begin")[0] == "begin 0@0 in 0 leaf application/x-evil as-is");
  CHECK(walk("just text\r\n").body_of(0, MimeRegion::header_lines) == "just text\r\n");
  CHECK(walk("just text").body_of(0, MimeRegion::header_lines) == "just text");
  CHECK(walk("just text\r").body_of(0, MimeRegion::header_lines) == "just text\r");
}

TEST_CASE("a line without a colon among fields: fields before it are only fields") {
  const MimeRecorder told = walk("A: 1\r\nno colon\r\n goes on\r\nB: 2\r\n\r\n");
  CHECK(told.lines("field").size() == 2);
  CHECK(told.body_of(0, MimeRegion::header_lines) == "no colon\r\n goes on\r\nB: 2\r\n\r\n");
}

TEST_CASE("a name that is no token is a field and text") {
  for (const std::string_view line : {"From a@b Mon Jan 1 10:00:00"sv, "Two Words: x"sv, ": x"sv}) {
    const std::string text = std::string(line) + "\r\n";
    const MimeRecorder told = walk(text + "\r\nbody");
    CHECK(anomalies(told).starts_with("0 header-line-malformed"));
    CHECK(told.lines("field").size() == 1);
    CHECK(told.body_of(0, MimeRegion::header_lines) == text + "\r\n");
  }
}

TEST_CASE("white space before the colon: shown as readers show it (DAT-13, MIM-06)") {
  const MimeRecorder told =
      walk("Subject : SMUGGLED\r\nContent-Type\t: application/octet-stream\r\n\r\nx\r\n");
  CHECK(anomalies(told) == "0 space-before-colon");
  CHECK(joined(told.shown) == "Subject: SMUGGLED\nContent-Type: application/octet-stream");
  CHECK(told.lines("begin")[0] == "begin 0@0 in 0 leaf application/octet-stream as-is");
}

TEST_CASE("a header that begins with white space, a continuation of nothing else") {
  const MimeRecorder first = walk(" Subject: x\r\nTo: y\r\n\r\n");
  CHECK(anomalies(first).starts_with("0 folded-first-line"));
  CHECK(joined(first.shown) == "Subject: x");
  CHECK(first.body_of(0, MimeRegion::header_lines) == " Subject: x\r\nTo: y\r\n\r\n");
  const MimeRecorder blank = walk("Subject: x\r\n \t\r\nTo: y\r\n\r\nbody");
  CHECK(anomalies(blank) == "0 blank-folded-line");
  CHECK(blank.lines("field")[1] == "field 0@0 To: y");
  CHECK(blank.body_of(0, MimeRegion::header_lines) == "To: y\r\n\r\n");
  CHECK(blank.body_of(0) == "body");
}

TEST_CASE("bare CR, NUL and octets above 127 are named and kept (DAT-21)") {
  const MimeRecorder told = walk("Subject: o\0k SMUGGLED\r\nA: b\rC: d\r\nB: \xc3\xbc\r\n\r\n"sv);
  CHECK(anomalies(told) == "0 nul-in-header\n0 bare-cr-in-header\n0 eight-bit-in-header");
  CHECK(told.lines("field")[0] == "field 0@0 Subject: o\0k SMUGGLED"s);
  CHECK(told.lines("field")[1] == "field 0@0 A: b\rC: d");
  CHECK(anomalies(walk("A: b\r\r\n\r\n")) == "0 bare-cr-in-header");
}

TEST_CASE("what stands behind a NUL on a header line: Postfix drops it, others do not") {
  const MimeRecorder told = walk(
      "Content-Type: multipart/mixed;\r\n boundary=b\0c\r\n\t; x=\0y\r\n\r\n"
      "--b\r\nContent-Transfer-Encoding: base64\0\r\n\r\nU01VR0dMRUQ=\r\n--b--\r\n"sv);
  CHECK(told.lines("cut 0") ==
        std::vector{"cut 0@0 Content-Type: multipart/mixed; boundary=b\t; x="s});
  CHECK(told.decoded_of(1) == "SMUGGLED");
  CHECK(told.saw("boundary-ambiguous") == false);
  CHECK(walk("\0Content-Type: a/b\r\n\r\n"sv).lines("cut").empty());
  CHECK(walk("\0X: y\r\n Content-Type: a/b\r\n\r\n"sv).lines("cut").empty());
  const MimeRecorder whole = walk(
      "Content-Type: multipart/mixed; boundary=\"b\0c\"\r\n\r\n"
      "--b\0c\r\n\r\none\r\n--b\0c--\r\n"sv);
  CHECK(whole.body_of(1) == "one");
  const MimeRecorder subject = walk("Subject: now\0 or never\r\nX: y\r\n\r\n"sv);
  CHECK(subject.lines("cut") == std::vector{"cut 0@0 Subject: now"s});
  CHECK(subject.lines("header")[0].ends_with("fields 2"));
}

TEST_CASE("lines of LF throughout are a header, and an anomaly (DAT-19, MIM-16)") {
  const MimeRecorder told = walk("Subject: ok\n\nSubject: SMUGGLED\r\n\r\nx\r\n");
  CHECK(anomalies(told) == "0 bare-lf-in-header");
  CHECK(told.lines("field").size() == 1);
  CHECK(told.body_of(0) == "Subject: SMUGGLED\r\n\r\nx\r\n");
  const MimeRecorder part = walk(
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--b\nContent-Type: application/octet-stream\n\nMZ\n--b--\n");
  CHECK(part.lines("begin")[1] == "begin 1@1 in 0 leaf application/octet-stream as-is");
  CHECK(part.body_of(1) == "MZ");
  CHECK(anomalies(part) == "1 bare-lf-in-header\n1 bare-lf-in-body");
}

TEST_CASE("an empty line of LF among lines of CRLF: header to some, body to others") {
  const MimeRecorder told = walk("A: 1\r\n\nSubject: SMUGGLED\r\n\r\nbody");
  CHECK(told.lines("field 0@0 Subject: SMUGGLED").size() == 1);
  CHECK(told.body_of(0, MimeRegion::header_lines) == "Subject: SMUGGLED\r\n\r\n");
  CHECK(told.body_of(0) == "body");
  CHECK(anomalies(told) == "0 bare-lf-in-header");
}

TEST_CASE("a boundary line in a header ends it") {
  const MimeRecorder told = walk(
      "Content-Type: multipart/mixed; boundary=b\r\n"
      "--b\r\nContent-Type: image/png\r\n"
      "--b\r\n\r\nsecond\r\n--b--\r\n");
  CHECK(joined(told.lines("begin")) ==
        "begin 0@0 in 0 multipart multipart/mixed as-is\n"
        "begin 1@1 in 0 leaf image/png as-is\n"
        "begin 2@1 in 0 leaf text/plain text as-is");
  CHECK(anomalies(told) == "0 header-unterminated\n1 header-unterminated");
  CHECK(told.body_of(2) == "second");
}

TEST_CASE("a line that only begins with a boundary does not end a header") {
  const MimeRecorder told = walk(
      "Content-Type: multipart/mixed; boundary=b\r\n--bc: d\r\n-\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n");
  CHECK(told.lines("field 0@0 --bc: d").size() == 1);
  CHECK(told.body_of(0, MimeRegion::header_lines) == "-\r\n\r\n");
  CHECK(told.body_of(1) == "x");
}

TEST_CASE("repeated Content-Type: any that shows parts is followed, text is told as text") {
  const MimeRecorder told = walk(
      "Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--b\r\nContent-Type: application/x-evil\r\n\r\nx\r\n--b--\r\n");
  CHECK(anomalies(told) == "0 duplicate-content-type");
  CHECK(told.lines("begin")[0] == "begin 0@0 in 0 multipart text/plain text as-is");
  CHECK(told.lines("begin")[1] == "begin 1@1 in 0 leaf application/x-evil as-is");
  const MimeRecorder both = walk(
      "Content-Type: multipart/mixed; boundary=a\r\nContent-Type: multipart/mixed; boundary=b\r\n"
      "\r\n--a\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--a--\r\n");
  CHECK(both.body_of(1) == "one");
  CHECK(both.body_of(2) == "two");
}

TEST_CASE("repeated encodings: both decodings are told") {
  const MimeRecorder told = walk(
      "Content-Transfer-Encoding: quoted-printable\r\nContent-Transfer-Encoding: base64\r\n\r\n"
      "U01V=\r\nR0dMRUQ=\r\n");
  CHECK(anomalies(told).starts_with("0 duplicate-encoding"));
  CHECK(told.decoded_of(0, TransferCoding::quoted_printable) == "U01VR0dMRUQ");
  CHECK(told.lines("begin")[0] ==
        "begin 0@0 in 0 leaf text/plain quoted-printable text +base64 +quoted-printable");
}

TEST_CASE("an encoding nobody knows, and one with a comment (MIM-24, MIM-26)") {
  const MimeRecorder unknown = walk("Content-Transfer-Encoding: x-foo\r\n\r\nx");
  CHECK(unknown.lines("begin")[0] == "begin 0@0 in 0 leaf text/plain x-foo text as-is");
  CHECK(unknown.anomalies.empty());
  const MimeRecorder comment = walk("Content-Transfer-Encoding: base64 (x)\r\n\r\nU01V\r\n");
  CHECK(comment.decoded_of(0) == "SMU");
  CHECK(anomalies(comment) == "0 encoding-malformed");
}

TEST_CASE("a type folded inside (MIM-04), in other letters (MIM-02)") {
  const MimeRecorder folded = walk("Content-Type: application/\r\n octet-stream\r\n\r\nx");
  CHECK(folded.lines("begin")[0] == "begin 0@0 in 0 leaf application/octet-stream as-is");
  CHECK(anomalies(folded) == "0 content-type-malformed");
  const MimeRecorder upper = walk("CONTENT-TYPE: Application/OCTET-Stream\r\n\r\nx");
  CHECK(upper.lines("begin")[0] == "begin 0@0 in 0 leaf application/octet-stream as-is");
  CHECK(upper.anomalies.empty());
}
