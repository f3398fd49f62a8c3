#include "core/mime_header.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace postern;
using namespace std::literals;

namespace {

std::string anomalies(const MimeAnomalySet& set) {
  std::string names;
  for (unsigned index = 0; index < kMimeAnomalies; ++index) {
    const auto anomaly = static_cast<MimeAnomaly>(index);
    if (!set.has(anomaly)) continue;
    names += (names.empty() ? "" : " ") + std::string(mime_anomaly_name(anomaly));
  }
  return names;
}

/// `type/subtype [boundary] [boundary] anomaly anomaly`.
std::string read(std::string_view value) {
  const ContentType type = parse_content_type(value);
  std::string text = type.type + '/' + type.subtype;
  for (std::size_t at = 0; at < type.boundary_count; ++at) text += " [" + type.boundaries[at] + ']';
  const std::string odd = anomalies(type.anomalies);
  return odd.empty() ? text : text + ' ' + odd;
}

std::string encoding(std::string_view value) {
  const TransferEncoding read = parse_transfer_encoding(value);
  return read.anomalies.empty() ? read.token : read.token + " odd";
}

}  // namespace

TEST_CASE("ordinary content types") {
  CHECK(read("text/plain") == "text/plain");
  CHECK(read("Application/OCTET-Stream; name=\"a;b.exe\"") == "application/octet-stream");
  CHECK(read("text/plain; charset=utf-8; format=flowed; delsp=yes") == "text/plain");
  CHECK(read("multipart/mixed; boundary=\"a b:c\"; charset=x") == "multipart/mixed [a b:c]");
  CHECK(read("multipart/mixed;boundary=----=_Part_1.2") == "multipart/mixed [----=_Part_1.2]");
  CHECK(read("multipart/mixed; boundary=a/b=c?d") == "multipart/mixed [a/b=c?d]");
  CHECK(read("text/plain;") == "text/plain");
  CHECK(read("multipart/mixed; BOUNDARY = x ; a=b") == "multipart/mixed [x]");
}

TEST_CASE("types that do not read as one are named") {
  CHECK(read("") == "/ content-type-malformed");
  CHECK(read("text") == "text/ content-type-malformed");
  CHECK(read("/plain") == "/plain content-type-malformed");
  CHECK(read("application/ octet-stream") == "application/octet-stream content-type-malformed");
  CHECK(read("\"multipart/mixed\"; boundary=b") == "multipart/mixed [b] content-type-malformed");
  CHECK(read("(a(b)c) text(x)/(y)plain (z\\)").substr(0, 10) == "text/plain");
  CHECK(parse_content_type("text/plain (c)").anomalies.has(MimeAnomaly::content_type_comment));
}

TEST_CASE("every reading of a boundary that differs counts") {
  CHECK(read("multipart/mixed; boundary=a b") == "multipart/mixed [a] [a b] boundary-ambiguous");
  CHECK(read("multipart/mixed; boundary=foo(c)") ==
        "multipart/mixed [foo] [foo(c)] boundary-ambiguous");
  CHECK(read("multipart/mixed; boundary=\"a\\\"b\"") ==
        "multipart/mixed [a\"b] [a\\\"b] boundary-ambiguous");
  CHECK(read("multipart/mixed; boundary=a; boundary=b") ==
        "multipart/mixed [a] [b] parameter-duplicate boundary-ambiguous");
  CHECK(read("multipart/mixed; boundary=a; boundary=a") ==
        "multipart/mixed [a] parameter-duplicate");
  CHECK(read("multipart/mixed; boundary=a; boundary=b; boundary=c; boundary=d; boundary=e") ==
        "multipart/mixed [a] [b] [c] [d] parameter-duplicate boundary-over-budget "
        "boundary-ambiguous");
}

TEST_CASE("white space at the end is no part of a boundary") {
  CHECK(read("multipart/mixed; boundary=\"foo  \"") == "multipart/mixed [foo]");
}

TEST_CASE("a boundary that is empty or not there is none (MIM-08, MIM-14)") {
  CHECK(read("multipart/mixed") == "multipart/mixed");
  CHECK(read("multipart/mixed; boundary=\"\"") == "multipart/mixed");
  CHECK(read("multipart/mixed; boundary=") == "multipart/mixed");
  CHECK(read("multipart/mixed; boundary") == "multipart/mixed parameter-malformed");
}

TEST_CASE("RFC 2231: a boundary in pieces, or percent-encoded (MIM-10)") {
  CHECK(read("multipart/mixed; boundary*0=fo; boundary*1=o") ==
        "multipart/mixed [foo] parameter-extended");
  CHECK(read("multipart/mixed; boundary*1=\"o\"; boundary*0*=us-ascii'en'f%6F") ==
        "multipart/mixed [foo] parameter-extended");
  CHECK(read("multipart/mixed; boundary*=''f%6fo") == "multipart/mixed [foo] parameter-extended");
  CHECK(read("multipart/mixed; boundary=a; boundary*0=b") ==
        "multipart/mixed [a] [b] parameter-extended boundary-ambiguous");
  CHECK(read("multipart/mixed; boundary*0=\"\"; boundary*1=fo; boundary*2=; boundary*3=o") ==
        "multipart/mixed [foo] parameter-extended");
  CHECK(read("multipart/mixed; boundary*x=b") ==
        "multipart/mixed parameter-malformed parameter-extended");
  CHECK(read("text/plain; name*0*=UTF-8''a%2e; name*1=exe") == "text/plain");
}

TEST_CASE("a semicolon forgotten, a quote that does not end, junk between parameters") {
  CHECK(read("multipart/mixed boundary=b") == "multipart/mixed [b] parameter-malformed");
  CHECK(read("multipart/mixed; boundary=\"b") ==
        "multipart/mixed [b] [\"b] parameter-malformed boundary-ambiguous");
  CHECK(read("multipart/mixed; boundary=\"b; x=y") ==
        "multipart/mixed [b; x=y] [\"b; x=y] [b] parameter-malformed boundary-ambiguous");
  CHECK(read("multipart/mixed; boundary=\"a\"junk; x=y") ==
        "multipart/mixed [a] [\"a\"junk] [ajunk] parameter-malformed boundary-ambiguous");
  CHECK(read("multipart/mixed; ),/=; boundary=b") == "multipart/mixed [b] parameter-malformed");
  CHECK(read("multipart/mixed; (boundary=x) boundary=b") ==
        "multipart/mixed [b] content-type-comment");
  CHECK(read("multipart/mixed;;; boundary=b;;") == "multipart/mixed [b]");
}

TEST_CASE("a comment beside a boundary, or around one: all readings (MIM-121)") {
  const auto boundaries = [](std::string_view value) {
    const ContentType type = parse_content_type(value);
    std::string all;
    for (std::size_t at = 0; at < type.boundary_count; ++at) all += "[" + type.boundaries[at] + "]";
    return all;
  };
  CHECK(boundaries("multipart/mixed; (x)boundary(y)=(z)b") == "[b][(z)b]");
  CHECK(boundaries("multipart/mixed; boundary=(z)\"b\"") == "[b][(z)\"b\"]");
  CHECK(boundaries("multipart/mixed; boundary=(z;\"a)b") == "[b][(z]");
  CHECK(boundaries("multipart/mixed (; boundary=\"b\"; ); boundary=c") == "[c][b]");
  CHECK(boundaries("multipart/mixed (; boundary=b") == "[b]");
  CHECK(boundaries("multipart/mixed (x); charset=y;") == "");
  CHECK(boundaries("multipart/mixed; boundary=b (x)") == "[b][b (x)]");
}

TEST_CASE("transfer encodings as they occur (MIM-26, MIM-28)") {
  CHECK(encoding("base64") == "base64");
  CHECK(encoding(" Quoted-Printable ") == "quoted-printable");
  CHECK(encoding("base64 (x)") == "base64 odd");
  CHECK(encoding("(x)base64") == "base64 odd");
  CHECK(encoding("base64;") == "base64 odd");
  CHECK(encoding("\"base64\"") == "base64 odd");
  CHECK(encoding("\"8 bit\"") == "8 bit odd");
  CHECK(encoding("8 bit") == "8 odd");
  CHECK(encoding("x-foo") == "x-foo");
  CHECK(encoding("8-bit") == "8-bit");
  CHECK(encoding("") == " odd");
}

TEST_CASE("a header line is split at its first colon") {
  const HeaderLine line = split_header_line("Subject: a: b");
  CHECK(line.name == "Subject");
  CHECK(line.value == "a: b");
  CHECK(line.name_legal);
  CHECK(split_header_line("Subject \t:x").name_legal);
  CHECK(split_header_line("Subject \t:x").name == "Subject");
  CHECK_FALSE(split_header_line("no colon").has_colon);
  for (const std::string_view odd : {": x"sv, " X: y"sv, "A B: c"sv, "\xc3\xbc: x"sv, "A\0: b"sv}) {
    CHECK(split_header_line(odd).has_colon);
    CHECK_FALSE(split_header_line(odd).name_legal);
  }
}

TEST_CASE("every anomaly has a name of its own") {
  MimeAnomalySet all;
  for (unsigned index = 0; index < kMimeAnomalies; ++index) {
    const auto anomaly = static_cast<MimeAnomaly>(index);
    CHECK_FALSE(all.has(anomaly));
    all.add(anomaly);
    for (unsigned other = 0; other < index; ++other) {
      CHECK(mime_anomaly_name(anomaly) != mime_anomaly_name(static_cast<MimeAnomaly>(other)));
    }
  }
  CHECK(mime_anomaly_name(MimeAnomaly::base64_illegal) == "base64-illegal");
  CHECK(mime_anomaly_name(MimeAnomaly::boundary_ambiguous) == "boundary-ambiguous");
}

TEST_CASE("hostile values take time linear in their length") {
  for (const std::string_view unit :
       {"boundary=a;"sv, "(("sv, "a b "sv, ";"sv, "\"\\"sv, "boundary*1=x;"sv, "="sv, "/"sv}) {
    std::string value = "multipart/mixed; ";
    while (value.size() < 300'000) value += unit;
    CHECK(parse_content_type(value).type == "multipart");
  }
}
