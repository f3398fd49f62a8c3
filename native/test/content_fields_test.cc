#include "test/content_scan_lab.h"

using namespace postern;
using namespace postern::test;

TEST_CASE("content: header patterns see each field of the message's own header") {
  const Plan plan = header_plan({"^Subject:.*lottery", "^X-Mailer: Bad$", "^Body"});
  CHECK(scan(plan, "Subject: a lottery\r\nTo: b\r\nX-Mailer: Bad\r\n\r\nBody: x\r\n") ==
        "header 0 Subject\nheader 1 X-Mailer\n");
  CHECK(scan(plan, "Subject: a letter\r\nX-Mailer: Badly\r\n\r\nSubject: lottery\r\n") == "");
}

TEST_CASE("content: a header pattern is found over a fold, and told once a field") {
  const Plan plan = header_plan({"won the lottery", "lottery"});
  CHECK(scan(plan, "Subject: you won\r\n the\r\n\tlottery\r\n\r\n") == "header 1 Subject\n");
  CHECK(scan(plan, "Subject: you won\r\n the\r\n lottery, lottery\r\n\r\n") ==
        "header 0 Subject\nheader 1 Subject\n");
  CHECK(scan(plan, "Subject: lottery\r\nComments: lottery\r\n\r\n") ==
        "header 1 Subject\nheader 1 Comments\n");
}

TEST_CASE("content: encoded words are decoded beside the line as it came") {
  const Plan plan = header_plan({"^Subject: .*lottery$", "=[?]", "lottery"});
  CHECK(scan(plan, "Subject: =?utf-8?B?bG90dGVyeQ==?=\r\n\r\n") ==
        "header 0 Subject\nheader 1 Subject\nheader 2 Subject\n");
  CHECK(scan(plan, "Subject: =?utf-8?Q?lott?=\r\n =?utf-8?Q?ery?=\r\n\r\n") ==
        "header 0 Subject\nheader 1 Subject\nheader 2 Subject\n");
  CHECK(scan(plan, "Subject: bG90dGVyeQ==\r\n\r\n") == "");
}

TEST_CASE("content: headers of parts and of messages inside are not the message's own") {
  const Plan plan = header_plan({"^X-Inner"});
  CHECK(scan(plan,
             "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-Inner: 1\r\n\r\n--b\r\n"
             "Content-Type: message/rfc822\r\n\r\nX-Inner: 2\r\n\r\ntext\r\n--b--\r\n") == "");
}

TEST_CASE("content: a boundary line in the header does not hide the fields behind it") {
  const Plan plan = header_plan({"^Subject: bad"});
  const std::string begin = "Content-Type: multipart/mixed; boundary=b\r\n--b\r\n";
  CHECK(scan(plan, begin + "Subject: bad\r\n\r\ntext\r\n--b--\r\n") == "header 0 Subject\n");
  CHECK(scan(plan, begin + "To: a\r\n\r\ntext\r\n--b\r\nSubject: bad\r\n\r\n--b--\r\n") == "");
}

TEST_CASE("content: a malformed header line is no name") {
  const Plan plan = header_plan({"secret"});
  CHECK(scan(plan, "To: a\r\nDear Sir: secret\r\n\r\n") == "header 0\n");
  CHECK(scan(plan, "To: a\r\nSubject : secret\r\n\r\n") == "header 0 Subject\n");
}

TEST_CASE("content: a long name is clipped") {
  const Plan plan = header_plan({"x"});
  CHECK(scan(plan, std::string(200, 'n') + ": x\r\n\r\n") ==
        "header 0 " + std::string(64, 'n') + "\n");
}

TEST_CASE("content: each part's Content-Type is held as it stands and as its tokens") {
  const Plan plan = type_plan({"^image/png$", "name=.*[.]exe", "^text/html"});
  CHECK(scan(plan, "Content-Type: IMAGE / PNG\r\n\r\n") == "type 0 image/png\n");
  CHECK(scan(plan,
             "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
             "--b\r\nContent-Type: application/x;\r\n name=\"a.exe\"\r\n\r\n"
             "--b\r\nContent-Type: image/png\r\n\r\n"
             "--b\r\n\r\nContent-Type: text/html\r\n"
             "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n--b--\r\n") ==
        "type 1 application/x\ntype 0 image/png\ntype 2 text/html\n");
  CHECK(scan(plan, "Subject: image/png\r\n\r\nContent-Type: image/png\r\n") == "");
  CHECK(scan(plan, "Content-Type: image/pngx\r\n\r\n") == "");
}

TEST_CASE("content: of repeated Content-Type fields each counts, and a pattern once a part") {
  const Plan plan = type_plan({"^image/", "^image/png$", "^text/"});
  CHECK(scan(plan,
             "Content-Type: text/plain\r\nContent-Type: image/gif\r\n"
             "Content-Type: image/png\r\nContent-Type: image/png\r\n\r\n") ==
        "type 2 text/plain\ntype 0 image/gif\ntype 1 image/png\n");
}

TEST_CASE("content: a message without a Content-Type has none to match") {
  CHECK(scan(type_plan({"text/plain", ".*"}), "Subject: a\r\n\r\ntext/plain\r\n") == "");
}

TEST_CASE("content: each encoding is told, in lower case, where there is a field") {
  const Plan plan = encoding_plan();
  CHECK(scan(plan, "Subject: base64\r\n\r\nbase64\r\n") == "");
  CHECK(scan(plan, "Content-Transfer-Encoding: BASE64\r\n\r\nAAAA\r\n") == "encoding base64\n");
  CHECK(scan(plan,
             "Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: X-uu (c)\r\n\r\n") ==
        "encoding 8bit\nencoding x-uu\n");
  CHECK(scan(plan, "Content-Transfer-Encoding:\r\n\r\n") == "encoding\n");
  CHECK(scan(plan,
             "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
             "Content-Transfer-Encoding: 7bit\r\n\r\n--b\r\n\r\n--b\r\n"
             "Content-Transfer-Encoding: quoted-printable\r\n\r\n--b--\r\n") ==
        "encoding 7bit\nencoding quoted-printable\n");
}

TEST_CASE("content: encodings and types are not told when nobody asks") {
  const std::string message =
      "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n";
  CHECK(scan(header_plan({"nothing"}), message) == "");
  CHECK(scan(std::make_shared<const ContentPlan>(), message) == "");
}
