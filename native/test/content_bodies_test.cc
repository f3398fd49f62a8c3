#include "test/content_scan_lab.h"

using namespace postern;
using namespace postern::test;

namespace {

std::string mixed(const std::vector<std::string>& parts) {
  std::string message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (const std::string& part : parts) message += "--b\r\n" + part + "\r\n";
  return message + "--b--\r\n";
}

/// "UD-421590", the marker of the tests.
const std::string kMarker = "UD-421590";
const std::string kMarkerBase64 = "VUQtNDIxNTkw";

}  // namespace

TEST_CASE("content: text as it is, in lines") {
  const Plan plan = body_plan({"UD-[0-9]{6}", "^second$", "end$", "UD-7"});
  CHECK(scan(plan, "Subject: a\r\n\r\nfirst UD-421590\r\nsecond\r\nthe end\r\n") ==
        "body 0\nbody 1\nbody 2\ndecoded 0\ndecoded 1\ndecoded 2\n");
  CHECK(scan(plan, "Subject: a\r\n\r\nsecond one\r\nendless\r\nUD-42159\r\n0\r\n") == "");
}

TEST_CASE("content: a header is no body") {
  const Plan plan = body_plan({kMarker});
  CHECK(scan(plan, "Subject: UD-421590\r\n\r\nUD-42159\r\n") == "");
  CHECK(scan(plan, mixed({"Comments: UD-421590\r\n\r\ntext"})) == "");
}

TEST_CASE("content: a pattern does not go from one part into the next") {
  const Plan plan = body_plan({"one[^x]*two"});
  CHECK(scan(plan, mixed({"\r\none", "\r\ntwo"})) == "");
  CHECK(scan(plan, mixed({"\r\none\r\ntwo"})) == "body 0\ndecoded 0\n");
}

TEST_CASE("content: a pattern is told once a part, and of each part") {
  const Plan plan = body_plan({"a", "b"});
  CHECK(scan(plan, mixed({"\r\nb a a b", "\r\na", "\r\nc"})) ==
        "body 0\nbody 1\ndecoded 0\ndecoded 1\nbody 0\ndecoded 0\n");
}

TEST_CASE("content: base64 and quoted-printable are read only behind their encoding") {
  const Plan plan = body_plan({kMarker, kMarkerBase64, "UD=2D"});
  const std::string encoding = "Content-Transfer-Encoding: ";
  CHECK(scan(plan, encoding + "base64\r\n\r\n" + kMarkerBase64 + "\r\n") == "decoded 0\n");
  CHECK(scan(plan, encoding + "7bit\r\n\r\n" + kMarkerBase64 + "\r\n") == "body 1\ndecoded 1\n");
  CHECK(scan(plan, encoding + "quoted-printable\r\n\r\nUD=2D421590\r\n") == "decoded 0\n");
  CHECK(scan(plan, "\r\nUD=2D421590\r\n") == "body 2\ndecoded 2\n");
  CHECK(scan(plan, encoding + "quoted-printable\r\n\r\nVUQtNDIxNTkw\r\n") == "decoded 1\n");
}

TEST_CASE("content: encoded text behind what ends the header, or is no boundary line, to some") {
  const Plan plan = body_plan({kMarker});
  const std::string encoding = "Content-Transfer-Encoding: base64\r\n";
  CHECK(scan(plan, encoding + kMarkerBase64 + "\r\n") == "decoded 0\n");
  CHECK(scan(plan, encoding + "\r\r\n" + kMarkerBase64 + "\r\n\r\nx\r\n") == "decoded 0\n");
  CHECK(scan(plan, mixed({encoding + "\r\n--bzzz\r\n" + kMarkerBase64})) == "decoded 0\n");
  const std::string attached = "Content-Type: application/x-y\r\n" + encoding + "\r\n--bzzz\r\n";
  CHECK(scan(plan, mixed({attached + kMarkerBase64})) == "");
  // A match goes on over a line of which nothing is decoded.
  CHECK(scan(plan, "Content-Type: multipart/mixed; boundary=\"_._\"\r\n\r\n--_._\r\n" + encoding +
                       "\r\nVUQtNDIx\r\n--_._!\r\nNTkw\r\n--_._--\r\n") == "decoded 0\n");
  CHECK(scan(plan, encoding + "\r\n" + kMarkerBase64 + "\r\n--bzzz\r\n") == "decoded 0\n");
}

TEST_CASE(
    "content: base64 over padding that is nothing to some, and the end of a group to others") {
  const Plan plan = body_plan({kMarker, "UD-4$"});
  const std::string encoding = "Content-Transfer-Encoding: base64\r\n\r\n";
  CHECK(scan(plan, encoding + "VUQ=tNDI=\r\nxNTk=w\r\n") == "decoded 0\n");
  CHECK(scan(plan, encoding + "VUQtND=I=xNTkw\r\n") == "decoded 0\n");
  CHECK(scan(plan, encoding + "VUQtNA==MjE1OTA=\r\n") == "decoded 0\n");
  const std::string attached = "Content-Type: application/x-y\r\n" + encoding;
  CHECK(scan(plan, attached + "VUQ=tNDIxNTkw\r\n") == "");
}

TEST_CASE("content: over a soft line break and over base64 lines") {
  const Plan plan = body_plan({kMarker, "21590\r\nnext"});
  const std::string encoding = "Content-Transfer-Encoding: ";
  CHECK(scan(plan, encoding + "quoted-printable\r\n\r\nUD-4=\r\n215=\r\n90\r\nnext\r\n") ==
        "decoded 0\ndecoded 1\n");
  CHECK(scan(plan, encoding + "base64\r\n\r\nVUQ\r\ntNDI\r\nxNTkw\r\n") == "decoded 0\n");
  CHECK(scan(plan, "\r\nUD-4=\r\n21590\r\nnext\r\n") == "body 1\ndecoded 1\n");
}

TEST_CASE("content: both readings of a part with two encodings count") {
  const Plan plan = body_plan({kMarker, kMarkerBase64});
  CHECK(scan(plan, "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                       kMarkerBase64 + "\r\n") == "body 1\ndecoded 0\ndecoded 1\n");
  CHECK(scan(plan,
             "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: quoted-printable"
             "\r\n\r\n" +
                 kMarkerBase64 + "=55\r\n") == "decoded 0\ndecoded 1\n");
}

TEST_CASE("content: what no reader shows as text is not scanned") {
  const Plan plan = body_plan({kMarker});
  const std::string base64 = "Content-Transfer-Encoding: base64\r\n\r\n" + kMarkerBase64;
  CHECK(scan(plan, mixed({"Content-Type: image/png\r\n\r\nUD-421590"})) == "");
  CHECK(scan(plan, mixed({"Content-Type: image/png\r\n" + base64})) == "");
  CHECK(scan(plan, mixed({"Content-Type: text/html\r\n" + base64})) == "decoded 0\n");
  CHECK(scan(plan, mixed({"Content-Type: nonsense\r\n\r\nUD-421590"})) == "body 0\ndecoded 0\n");
}

TEST_CASE("content: preamble, epilogue and doubtful header lines are text") {
  const Plan plan = body_plan({"pre", "post", "doubt"});
  const std::string type = "Content-Type: multipart/mixed; boundary=b\r\n";
  CHECK(scan(plan, type + "\r\npre\r\n--b\r\n\r\npos\r\n--b--\r\npost\r\n") ==
        "body 0\ndecoded 0\nbody 1\ndecoded 1\n");
  CHECK(scan(plan, "no header line, doubt\r\nSubject: a\r\n\r\ntext\r\n") == "body 2\ndecoded 2\n");
  CHECK(scan(plan, "Subject: doubt\r\n\r\ntext\r\n") == "");
}

TEST_CASE("content: nested multiparts and messages inside") {
  const Plan plan = body_plan({kMarker, "inner"});
  const std::string alternative =
      "Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\ninner\r\n--c\r\n"
      "Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
      kMarkerBase64 + "\r\n--c--";
  CHECK(scan(plan, mixed({alternative})) == "body 1\ndecoded 1\ndecoded 0\n");
  CHECK(
      scan(plan, mixed({"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nUD-421590"})) ==
      "body 0\ndecoded 0\n");
  CHECK(scan(plan,
             "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: inner\r\n\r\n"
             "UD-42159\r\n--b--\r\n") == "");
}

TEST_CASE("content: a line end at the end of a part belongs to the boundary line behind it") {
  const Plan plan = body_plan({"end$", "end\\r\\n"});
  CHECK(scan(plan, mixed({"\r\nthe end"})) == "body 0\ndecoded 0\n");
  CHECK(scan(plan, mixed({"\r\nthe end\r\n"})) == "body 0\nbody 1\ndecoded 0\ndecoded 1\n");
  CHECK(scan_octets(plan, "\r\nthe end", false) == "body 0\ndecoded 0\n");
}

TEST_CASE("content: lines that only look like boundary lines are text") {
  const Plan plan = body_plan({"^--c$", "^--b"});
  CHECK(scan(plan, mixed({"\r\n--c\r\n- -b"})) == "body 0\ndecoded 0\n");
}

TEST_CASE("content: dots that were stuffed are no text") {
  const Plan plan = body_plan({"^[.][.]two", "^[.]one", "^plain"});
  CHECK(scan_octets(plan, "\r\n..one\r\n..two\r\n...two\r\n.plain\r\n.\r\n", true) ==
        "body 0\nbody 1\nbody 2\ndecoded 0\ndecoded 1\ndecoded 2\n");
  CHECK(scan_octets(plan, "\r\nx\r\n.\r\nplain\r\n", true) == "");
}

TEST_CASE("content: with body patterns alone nothing is decoded") {
  ContentPlan only;
  only.body = compiled(std::vector<std::string>{kMarker, kMarkerBase64}, PatternPlace::body);
  const Plan plan = std::make_shared<const ContentPlan>(std::move(only));
  const std::string encoding = "Content-Transfer-Encoding: ";
  CHECK(scan(plan, encoding + "base64\r\n\r\n" + kMarkerBase64 + "\r\n") == "");
  CHECK(scan(plan, encoding + "binary\r\n\r\n" + kMarkerBase64 + "\r\n") == "body 1\n");
}

TEST_CASE("content: a body is told of before its end when it is long") {
  const Plan plan = body_plan({kMarker});
  ContentScanner scanner(plan);
  ContentScan scan(scanner, false);
  const std::string text = "\r\n" + kMarker + std::string(70'000, 'x');
  scan.feed(octets(std::string_view(text).substr(0, 65'535)));
  CHECK(scan.facts().empty());
  scan.feed(octets(std::string_view(text).substr(65'535, 1)));
  CHECK(text_of_facts(scan.facts()) == "body 0\ndecoded 0\n");
}

TEST_CASE("content: large pieces are scanned as small ones are") {
  const Plan plan = body_plan({kMarker, "x\\r\\ny", "z$"});
  std::string text = "Subject: a\r\n\r\n";
  while (text.size() < 150'000) text += std::string(900, 'x') + "\r\ny\r\n";
  text += "UD-4215";
  const std::string whole = text + "90 z";
  ContentScanner scanner(plan);
  const std::string expected = "body 1\ndecoded 1\nbody 0\nbody 2\ndecoded 0\ndecoded 2\n";
  for (const std::size_t piece : {7U, 1'448U, 4'095U, 4'096U, 4'097U, 65'536U, 200'000U}) {
    CAPTURE(piece);
    CHECK(scan_cut(scanner, whole, false, borders_every(whole.size(), piece)).all == expected);
  }
}

TEST_CASE("content: a scan that is dropped or ends gives its streams back") {
  const Plan plan = body_plan({kMarker});
  ContentScanner scanner(plan);
  // More than kPatternStreamsMax, were they not given back.
  for (std::size_t round = 0; round < 2 * kPatternStreamsMax; ++round) {
    ContentScan scan(scanner, false);
    scan.feed(octets("\r\ntext"));
    if (round % 2 == 0) scan.finish();
    REQUIRE_FALSE(scan.failed());
  }
  CHECK(scanner.scanned_octets() == 2 * kPatternStreamsMax * 6);
}
