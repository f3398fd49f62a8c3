#include "test/mime_check.h"

using namespace postern;
using namespace postern::test;
using namespace std::literals;

TEST_CASE("a plain message is a leaf of text") {
  const MimeRecorder told =
      walk("From: a@example.com\r\nSubject: hello\r\n\r\nLine one\r\nLine two\r\n");
  CHECK(joined(told.told) ==
        "field 0@0 From: a@example.com\n"
        "field 0@0 Subject: hello\n"
        "header 0@0 octets 37 fields 2\n"
        "begin 0@0 in 0 leaf text/plain text as-is\n"
        "end 0\n"
        "covered 37 20 0 2 0");
  CHECK(told.body_of(0) == "Line one\r\nLine two\r\n");
  CHECK(told.anomalies.empty());
}

TEST_CASE("an empty message, and one of nothing but a header, have a part and no piece") {
  CHECK(joined(walk("").told) ==
        "header 0@0 octets 0 fields 0\n"
        "begin 0@0 in 0 leaf text/plain text as-is\n"
        "end 0\n"
        "covered 0 0 0 0 0");
  const MimeRecorder told = walk("Subject: x\r\n");
  CHECK(told.lines("field").size() == 1);
  CHECK(told.bodies.empty());
  CHECK(told.anomalies.empty());
  CHECK(walk("Subject: x").lines("field 0@0 Subject: x").size() == 1);
  CHECK(walk("\r\nbody").body_of(0) == "body");
}

TEST_CASE("a field is unfolded, its white space kept (DAT-11)") {
  const MimeRecorder told = walk("Subject: SMUG\r\n GLED\r\n\tx\r\nTo: b\r\n\r\n");
  CHECK(told.lines("field")[0] == "field 0@0 Subject: SMUG GLED\tx");
  CHECK(told.lines("field")[1] == "field 0@0 To: b");
  CHECK(told.shown.empty());
}

TEST_CASE("encoded words are told beside the raw line (DAT-15)") {
  const MimeRecorder told = walk("Subject: =?utf-8?B?U01VR0dMRUQ=?=\r\n\r\nx\r\n");
  CHECK(told.lines("field")[0] == "field 0@0 Subject: =?utf-8?B?U01VR0dMRUQ=?=");
  CHECK(joined(told.shown) == "Subject: SMUGGLED");
}

TEST_CASE("behind the empty line nothing is a field (DAT-17)") {
  const MimeRecorder told = walk("Subject: ok\r\n\r\nSubject: SMUGGLED\r\n");
  CHECK(told.lines("field").size() == 1);
  CHECK(told.body_of(0) == "Subject: SMUGGLED\r\n");
}

namespace {

constexpr std::string_view kNested =
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=\"outer\"\r\n"
    "\r\n"
    "This is a preamble.\r\n"
    "--outer\r\n"
    "Content-Type: multipart/alternative;\r\n"
    "\tboundary=outer-inner\r\n"
    "\r\n"
    "--outer-inner\r\n"
    "Content-Type: text/plain; charset=utf-8; format=flowed\r\n"
    "Content-Transfer-Encoding: 8bit\r\n"
    "\r\n"
    "Gr\xc3\xbc\xc3\x9f \r\nGott\r\n"
    "-- \r\n"
    "signature\r\n"
    "\r\n"
    "--outer-inner\r\n"
    "Content-Type: text/html\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "<p>Gr=C3=BC=C3=9F <b>SMUG=\r\n"
    "GLED</b></p>\r\n"
    "--outer-inner--\r\n"
    "\r\n"
    "--outer\r\n"
    "Content-Type: image/png; name=dot.png\r\n"
    "Content-Disposition: inline\r\n"
    "Content-ID: <a@b>\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "iVBORw0KGgo=\r\n"
    "--outer--\r\n"
    "epilogue\r\n";

}  // namespace

TEST_CASE("alternatives in a mixed message with an inline image") {
  const MimeRecorder told = walk(kNested);
  CHECK(joined(told.lines("begin")) ==
        "begin 0@0 in 0 multipart multipart/mixed as-is\n"
        "begin 1@1 in 0 multipart multipart/alternative as-is\n"
        "begin 2@2 in 1 leaf text/plain 8bit text as-is\n"
        "begin 3@2 in 1 leaf text/html quoted-printable text +quoted-printable\n"
        "begin 4@1 in 0 leaf image/png base64 +base64");
  CHECK(joined(told.lines("end")) == "end 2\nend 3\nend 1\nend 4\nend 0");
  CHECK(told.body_of(0, MimeRegion::preamble) == "This is a preamble.");
  CHECK(told.body_of(0, MimeRegion::epilogue) == "epilogue\r\n");
  CHECK(told.body_of(2) == "Gr\xc3\xbc\xc3\x9f \r\nGott\r\n-- \r\nsignature\r\n");
  CHECK(told.decoded_of(3, TransferCoding::quoted_printable) ==
        "<p>Gr\xc3\xbc\xc3\x9f <b>SMUGGLED</b></p>");
  CHECK(told.body_of(4) == "iVBORw0KGgo=");
  CHECK(told.decoded_of(4) == "\x89PNG\r\n\x1a\n");
  CHECK(told.anomalies.empty());
}

TEST_CASE("what is not asked for is not decoded") {
  const MimeRecorder told = walk_cut(kNested, {}, {});
  CHECK(told.decodings.empty());
  CHECK(told.coverage.decoded_octets == 0);
  CHECK(told.body_of(4) == "iVBORw0KGgo=");
}

TEST_CASE("a forwarded message's header and parts are told at their depth (MIM-18)") {
  const MimeRecorder told = walk(
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n"
      "Subject: inner\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n"
      "--bb\r\nContent-Type: application/octet-stream\r\n\r\nMZ\r\n--bb--\r\n"
      "--b--\r\n");
  CHECK(joined(told.lines("begin")) ==
        "begin 0@0 in 0 multipart multipart/mixed as-is\n"
        "begin 1@1 in 0 message message/rfc822 as-is\n"
        "begin 2@2 in 1 multipart multipart/mixed as-is\n"
        "begin 3@3 in 2 leaf application/octet-stream as-is");
  CHECK(told.lines("field 2@2 Subject: inner").size() == 1);
  CHECK(told.body_of(3) == "MZ");
  CHECK(told.anomalies.empty());
}

TEST_CASE("a signed message, a sealed one (MIM-38)") {
  const MimeRecorder told = walk(
      "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
      " micalg=sha-256; boundary=\"----=_NextPart_000_0001\"\r\n\r\n"
      "------=_NextPart_000_0001\r\nContent-Type: text/plain\r\n\r\nsigned\r\n"
      "------=_NextPart_000_0001\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\nAwQ=\r\n"
      "------=_NextPart_000_0001--\r\n");
  CHECK(told.body_of(1) == "signed");
  CHECK(told.decoded_of(2) == "\0\1\2\3\4"s);
  CHECK(told.anomalies.empty());
  const MimeRecorder sealed = walk(
      "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n");
  CHECK(sealed.decoded_of(0) == "\0\1\2"s);
  CHECK(sealed.anomalies.empty());
}

TEST_CASE("a delivery report: text, fields of its own, the header that came back") {
  const MimeRecorder told = walk(
      "Content-Type: multipart/report; report-type=delivery-status; boundary=\"r/1:2=3\"\r\n\r\n"
      "--r/1:2=3\r\n\r\nIt did not arrive.\r\n"
      "--r/1:2=3\r\nContent-Type: message/delivery-status\r\n\r\n"
      "Reporting-MTA: dns; mx.example.com\r\n\r\nAction: failed\r\n"
      "--r/1:2=3\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n"
      "--r/1:2=3--\r\n");
  CHECK(joined(told.lines("begin")) ==
        "begin 0@0 in 0 multipart multipart/report as-is\n"
        "begin 1@1 in 0 leaf text/plain text as-is\n"
        "begin 2@1 in 0 leaf message/delivery-status as-is\n"
        "begin 3@1 in 0 leaf text/rfc822-headers text as-is");
  CHECK(told.body_of(2) == "Reporting-MTA: dns; mx.example.com\r\n\r\nAction: failed");
  CHECK(told.anomalies.empty());
}

TEST_CASE("a digest's parts are messages by default (RFC 2046 5.1.5)") {
  const MimeRecorder told = walk(
      "Content-Type: multipart/digest; boundary=d\r\n\r\n"
      "--d\r\n\r\nSubject: one\r\n\r\nfirst\r\n"
      "--d\r\nContent-Type: text/plain\r\n\r\nsecond\r\n--d--\r\n");
  CHECK(joined(told.lines("begin")) ==
        "begin 0@0 in 0 multipart multipart/digest as-is\n"
        "begin 1@1 in 0 message message/rfc822 as-is\n"
        "begin 2@2 in 1 leaf text/plain text as-is\n"
        "begin 3@1 in 0 leaf text/plain text as-is");
  CHECK(told.body_of(2) == "first");
}

TEST_CASE("an invitation, and content without MIME-Version (MIM-22)") {
  const MimeRecorder told = walk(
      "Content-type: Text/Calendar; METHOD=REQUEST; charset=UTF-8\r\n"
      "Content-transfer-encoding: QUOTED-PRINTABLE\r\n\r\n"
      "BEGIN:VCALENDAR\r\nSUMMARY:=C3=84nderung =\r\n der Zeit\r\nEND:VCALENDAR\r\n");
  CHECK(told.lines("begin")[0] ==
        "begin 0@0 in 0 leaf text/calendar quoted-printable text +quoted-printable");
  CHECK(told.decoded_of(0, TransferCoding::quoted_printable) ==
        "BEGIN:VCALENDAR\r\nSUMMARY:\xc3\x84nderung  der Zeit\r\nEND:VCALENDAR\r\n");
}

TEST_CASE("base64 in lines of odd lengths is one text") {
  const MimeRecorder told = walk(
      "Content-Transfer-Encoding: base64\r\n\r\nU\r\n01VR\r\n0dMR\r\nUQgaXMgaGV\r\n\r\nyZQ==\r\n");
  CHECK(told.decoded_of(0) == "SMUGGLED is here");
  CHECK(told.anomalies.empty());
}

TEST_CASE("dot-stuffing is undone, and the line that ends the data is no content") {
  constexpr MimeOptions kData{.dot_stuffed = true, .decode = true};
  const std::string_view data =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n..pre\r\n--b\r\n\r\n"
      "..one\r\n.two\r\n...\r\n--b--\r\n..\r\n.\r\n";
  const MimeRecorder whole = walk_cut(data, kData, {});
  CHECK(whole.body_of(0, MimeRegion::preamble) == ".pre");
  CHECK(whole.body_of(1) == ".one\r\ntwo\r\n..");
  CHECK(whole.body_of(0, MimeRegion::epilogue) == ".\r\n");
  CHECK(whole.broken == "");
  CHECK(whole.anomalies.empty());
  for (std::size_t first = 1; first < data.size(); ++first) {
    for (std::size_t second = first; second < data.size(); ++second) {
      REQUIRE(walk_cut(data, kData, {first, second}) == whole);
    }
  }
}

TEST_CASE(
    "a dot behind a bare LF is left out: Postfix and Exim do, and find a boundary line there") {
  constexpr MimeOptions kData{.dot_stuffed = true, .decode = true};
  const std::string_view data =
      "A: b\n.Content-Type: multipart/mixed; boundary=b\r\n\r\n"
      "pre\n.--b\r\n\r\none\n..two\n.\nthree\n.\r\nfour\r\n--b--\r\n.\r\n";
  const MimeRecorder whole = walk_cut(data, kData, {});
  CHECK(whole.lines("begin").size() == 2);
  // Only CRLF.CRLF ends the data.
  CHECK(whole.body_of(1) == "one\n.two\n\nthree\n\r\nfour");
  for (std::size_t first = 1; first < data.size(); ++first) {
    for (std::size_t second = first; second < data.size(); ++second) {
      REQUIRE(walk_cut(data, kData, {first, second}) == whole);
    }
  }
}

TEST_CASE("an empty message of DATA, and one that ends without its end") {
  constexpr MimeOptions kData{.dot_stuffed = true, .decode = false};
  CHECK(walk_cut(".\r\n", kData, {}).bodies.empty());
  CHECK(walk_cut("\r\nx\r\n.", kData, {}).body_of(0) == "x\r\n");
  CHECK(walk_cut("\r\nx\r\n.\r", kData, {2, 3}).body_of(0) == "x\r\n");
  CHECK(walk_cut("\r\nx\r\n.\ry", kData, {4, 6, 7}).body_of(0) == "x\r\n\ry");
}

TEST_CASE("lengths are counted while the octets come") {
  MimeRecorder told;
  MimeWalk walk;
  CHECK(walk.header_octets() == 0);
  walk.begin({.dot_stuffed = true, .decode = false});
  const auto feed = [&](std::string_view text) {
    walk.feed(std::as_bytes(std::span(text.data(), text.size())), told);
  };
  feed("Subject: x\r\nX");
  CHECK(walk.header_octets() == 13);
  feed(": y\r\n\r");
  CHECK(walk.header_octets() == 18);
  feed("\nbody\r\n.");
  CHECK(walk.header_octets() == 18);
  CHECK(walk.data_octets() == 26);
  feed("\r");
  CHECK(walk.data_octets() == 26);
  feed("\n");
  CHECK(walk.data_octets() == 26);
  CHECK(walk.active());
  walk.finish(told);
  CHECK_FALSE(walk.active());
  CHECK(told.lines("header")[0] == "header 0@0 octets 18 fields 2");
  feed("ignored");
  CHECK(told.coverage.octets == 29);
}

TEST_CASE("a walk takes one message after the other, and forgets one that is not finished") {
  MimeRecorder first;
  MimeRecorder second;
  MimeWalk walk;
  const auto feed = [&](std::string_view text, MimeRecorder& told) {
    walk.feed(std::as_bytes(std::span(text.data(), text.size())), told);
  };
  walk.begin({});
  feed("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX: ", first);
  walk.begin({});
  feed("Subject: next\r\n\r\n--b\r\ntext", second);
  walk.finish(second);
  CHECK_FALSE(first.ended);
  CHECK(second.body_of(0) == "--b\r\ntext");
  CHECK(second.lines("field").size() == 1);
}
