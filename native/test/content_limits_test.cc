#include "core/limits.h"
#include "test/content_scan_lab.h"

using namespace postern;
using namespace postern::test;

namespace {

Plan lengths_plan(std::vector<std::uint64_t> header, std::vector<std::uint64_t> data) {
  ContentPlan plan;
  plan.header_lengths = std::move(header);
  plan.data_lengths = std::move(data);
  return std::make_shared<const ContentPlan>(std::move(plan));
}

std::string all(const Plan& plan, std::string_view message) {
  ContentScanner scanner(plan);
  REQUIRE(scanner.ready());
  const Told whole = scan_cut(scanner, message, false, {});
  CHECK(scan_cut(scanner, message, false, borders_every(message.size(), 1'000)).all == whole.all);
  CHECK(whole.failed == whole.all.ends_with("limit " + whole.all.substr(whole.all.rfind(' ') + 1)));
  return whole.all;
}

const std::string kMixed = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";

}  // namespace

TEST_CASE("content: a header length is told when it is passed, and not when it is reached") {
  const std::string header = "Subject: a\r\nTo: b\r\n";  // 19 octets
  CHECK(scan(lengths_plan({18}, {}), header + "\r\ntext\r\n") == "header-length 18\n");
  CHECK(scan(lengths_plan({19}, {}), header + "\r\ntext\r\n") == "");
  CHECK(scan(lengths_plan({0, 5, 18, 30}, {}), header + "\r\ntext\r\n") ==
        "header-length 0\nheader-length 5\nheader-length 18\n");
}

TEST_CASE("content: a data length counts what DATA brings without its end line") {
  const Plan plan = lengths_plan({}, {10, 12, 14});
  CHECK(scan_octets(plan, "\r\n12345678\r\n", false) == "data-length 10\n");
  CHECK(scan_octets(plan, "\r\n12345678\r\n.\r\n", true) == "data-length 10\n");
  CHECK(scan_octets(plan, "\r\n.12345678\r\n.\r\n", true) == "data-length 10\ndata-length 12\n");
  CHECK(scan_octets(plan, "\r\n12345678\r\n.\r\nbehind it all", true) == "data-length 10\n");
  CHECK(scan_octets(plan, "", false) == "");
  CHECK(scan_octets(lengths_plan({~std::uint64_t{0}}, {~std::uint64_t{0}}), "a: b\r\n", false) ==
        "");
}

TEST_CASE("content: lengths come in their order among the other facts") {
  ContentPlan plan;
  plan.header = compiled(std::vector<std::string>{"^A", "^B"}, PatternPlace::field);
  plan.body = compiled(std::vector<std::string>{"x"}, PatternPlace::body);
  plan.header_lengths = {3, 9};
  plan.data_lengths = {4, 16};
  const Plan all_of = std::make_shared<const ContentPlan>(std::move(plan));
  CHECK(scan(all_of, "A: 1\r\nB: 2\r\n\r\nx \r\nno\r\n") ==
        "header-length 3\ndata-length 4\nheader 0 A\nheader-length 9\nheader 1 B\nbody 0\n"
        "data-length 16\n");
}

TEST_CASE("content: lengths are passed at the same octet behind octets that were held") {
  // Hyphens in a header that knows a boundary, a CR that may begin the empty line, stuffed dots.
  const std::string type = "Content-Type: multipart/x; boundary=bound\r\n";
  std::vector<std::uint64_t> lengths;
  for (std::uint64_t length = 40; length < 90; ++length) lengths.push_back(length);
  ContentPlan plan;
  plan.header = compiled(std::vector<std::string>{"."}, PatternPlace::field);
  plan.header_lengths = lengths;
  plan.data_lengths = lengths;
  const Plan each = std::make_shared<const ContentPlan>(std::move(plan));
  CHECK(scan_octets(each, type + "--boat: 1\r\n\rA: 2\r\n-b: 3\r\n..c: 4\r\n\r\ntext\r\n", false) !=
        "");
  CHECK(scan_octets(each, type + ".\rA: 2\r\n..\r: 1\r\n.\r.: 3\r\n\r\n.\rx\r\n.\r\n", true) != "");
}

TEST_CASE("content: a field over its budget is a limit to who asked for it") {
  const std::string longer(kMimeFieldBytesMax + 10, 'x');
  CHECK(all(header_plan({"^Subject"}), "Subject: " + longer + "\r\n\r\n") == "limit field\n");
  CHECK(all(header_plan({"^Subject"}), "Subject: " + longer.substr(100) + "\r\n\r\n") ==
        "header 0 Subject\n");
  CHECK(all(header_plan({"x"}), kMixed + "--b\r\nA: " + longer + "\r\n\r\n--b--\r\n") ==
        "header 0 Content-Type\n");
  CHECK(all(type_plan({"^text"}), "Content-Type: text/" + longer + "\r\n\r\n")
            .ends_with("limit field\n"));
  CHECK(all(type_plan({"^text"}), "Subject: " + longer + "\r\n\r\n") == "");
  CHECK(all(body_plan({"text"}), "Subject: " + longer + "\r\n\r\ntext\r\n") ==
        "body 0\ndecoded 0\n");
}

TEST_CASE("content: more fields or header octets than are read are a limit") {
  std::string fields;
  for (std::size_t count = 0; count <= kMimeFieldsMax; ++count) fields += "a:\r\n";
  CHECK(all(header_plan({"b"}), fields + "\r\n") == "limit fields\n");
  CHECK(all(encoding_plan(), fields + "\r\n") == "limit fields\n");
  CHECK(all(header_plan({"b"}), fields.substr(4) + "\r\n") == "");
  std::string octets_over;
  const std::string line = "a: " + std::string(50'000, 'x') + "\r\n";
  while (octets_over.size() <= kMimeHeaderBytesMax) octets_over += line;
  CHECK(all(header_plan({"b"}), octets_over + "b:\r\n\r\n") == "limit header\n");
  // As text all of it is seen.
  ContentPlan body;
  body.body = compiled(std::vector<std::string>{"text$"}, PatternPlace::body);
  const Plan plan = std::make_shared<const ContentPlan>(std::move(body));
  CHECK(all(plan, octets_over + "b:\r\n\r\ntext\r\n") == "body 0\n");
}

TEST_CASE("content: parts, depth and boundaries over their budgets") {
  std::string parts = kMixed;
  for (std::size_t count = 0; count < kMimePartsMax; ++count) parts += "--b\r\n\r\n";
  CHECK(all(encoding_plan(), parts) == "limit parts\n");
  CHECK(all(type_plan({"none"}), parts) == "limit parts\n");
  CHECK(all(header_plan({"none"}), parts + "--b--\r\n") == "");
  CHECK(all(encoding_plan(), parts.substr(0, parts.size() - 7) + "--b--\r\n") == "");
  std::string deep;
  for (std::size_t count = 0; count <= kMimeDepthMax; ++count) {
    deep += "Content-Type: message/rfc822\r\n\r\n";
  }
  CHECK(all(encoding_plan(), deep) == "limit depth\n");
  CHECK(all(encoding_plan(), deep.substr(32)) == "");
  const std::string boundary(kMimeBoundaryBytesMax + 1, 'b');
  const std::string type = "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n";
  CHECK(all(encoding_plan(), type) == "limit boundary\n");
  // Behind a bare CR may stand a boundary line, or an empty one, that cannot be followed.
  CHECK(all(encoding_plan(), kMixed + "x\r--b\r\n\r\n") == "limit boundary\n");
  CHECK(all(encoding_plan(), "X: y\r\rz\r\n\r\n") == "limit boundary\n");
  CHECK(all(body_plan({"w"}), kMixed + "x\r-b\r\n\r\n") == "");
  CHECK(all(lengths_plan({}, {10'000}), type) == "");
}

TEST_CASE("content: more facts than a message may have end with a limit, however they are taken") {
  const std::string type = "Content-Transfer-Encoding: 7bit\r\n";
  std::string message;
  while (message.size() < type.size() * 3'000) message += type;
  ContentScanner scanner(encoding_plan());
  const Told whole = scan_cut(scanner, message, false, {});
  const Told pieces = scan_cut(scanner, message, false, borders_every(message.size(), 100));
  CHECK(whole.failed);
  CHECK(whole.all == pieces.all);
  CHECK(whole.all.ends_with("encoding 7bit\nlimit facts\n"));
  CHECK(whole.all.size() / 14 * 16 < kContentFactBytesMax);
}

TEST_CASE("content: more patterns found at once than facts have room for are a limit") {
  std::vector<Pattern> patterns;
  for (std::uint32_t id = 0; id < 1'400; ++id) patterns.push_back({id, "x", false});
  ContentPlan many;
  many.body = compiled(patterns, {.place = PatternPlace::body});
  CHECK(all(std::make_shared<const ContentPlan>(many), "\r\nx\r\n").ends_with("body 1399\n"));
  many.decoded = many.body;
  CHECK(all(std::make_shared<const ContentPlan>(many), "\r\nx\r\n") == "limit facts\n");
}

TEST_CASE("content: matches that the engine finds no room for are a limit") {
  const std::vector<Pattern> one = {{0, "x", false}};
  ContentPlan body;
  body.body = compiled(one, {.place = PatternPlace::body, .every_match = true});
  CHECK(all(std::make_shared<const ContentPlan>(body), "\r\nxx\r\n") == "limit facts\n");
  ContentPlan header;
  header.header = compiled(one, {.place = PatternPlace::field, .every_match = true});
  CHECK(all(std::make_shared<const ContentPlan>(header), "To: x\r\nSubject: xx\r\n\r\n") ==
        "header 0 To\nlimit facts\n");
}

TEST_CASE("content: when all streams are in use, the next message is a limit") {
  ContentPlan body;
  body.body = compiled(std::vector<std::string>{"x"}, PatternPlace::body);
  ContentScanner scanner(std::make_shared<const ContentPlan>(std::move(body)));
  const auto begun = [&scanner] {
    auto scan = std::make_unique<ContentScan>(scanner, false);
    scan->feed(octets("\r\nx"));
    return scan;
  };
  const auto told_of = [](ContentScan& scan) {
    scan.finish();
    return text_of_facts(scan.facts());
  };
  std::vector<std::unique_ptr<ContentScan>> scans;
  while (scans.size() < kPatternStreamsMax) scans.push_back(begun());
  CHECK(told_of(*begun()) == "limit streams\n");
  CHECK(told_of(*scans.back()) == "body 0\n");
  CHECK(told_of(*begun()) == "body 0\n");
  scans.front().reset();  // in the middle of its message
  scans.back() = begun();
  CHECK(told_of(*begun()) == "body 0\n");
  scans.front() = begun();
  const auto next = begun();
  CHECK(told_of(*next) == "limit streams\n");
  CHECK(next->failed());
}
