// Budgets: reaching one is told, and what is beyond it goes on. And how long hostile input takes.
#include <chrono>

#include "core/limits.h"
#include "test/mime_check.h"

using namespace postern;
using namespace postern::test;
using namespace std::literals;

namespace {

std::string repeat(std::string_view unit, std::size_t times) {
  std::string text;
  text.reserve(unit.size() * times);
  for (std::size_t i = 0; i < times; ++i) text += unit;
  return text;
}

/// The walk in one piece, having checked that two ways of cutting it tell the same.
MimeRecorder walk_long(const std::string& message) {
  const MimeRecorder whole = walk_cut(message, kDecode, {});
  CHECK(whole.broken == "");
  CHECK((walk_in_pieces(message, kDecode, 1'460) == whole));
  CHECK((walk_in_pieces(message, kDecode, 97) == whole));
  return whole;
}

}  // namespace

TEST_CASE("a field longer than its budget is told cut, its rest as text") {
  const std::string kept = "X-Long: " + std::string(kMimeFieldBytesMax - 8, 'a');
  // The CR of a line end is held with its line.
  const MimeRecorder fits = walk_long(kept.substr(1) + "\r\nB: c\r\n\r\nbody");
  CHECK(fits.anomalies.empty());
  const MimeRecorder told = walk_long(kept + "bcd\r\n e\r\nB: c\r\n\r\nbody");
  CHECK(joined(told.anomalies) == "0 field-over-budget");
  CHECK(told.lines("field")[0] == "field 0@0 " + kept + " (truncated)");
  CHECK(told.lines("field")[1] == "field 0@0 B: c");
  CHECK(told.body_of(0, MimeRegion::header_lines) == "bcd\r\n e\r\n");
  CHECK(told.coverage.unwalked_octets == 9);
}

TEST_CASE("an endless line without a colon is text, and no buffer grows (MIM-40)") {
  const std::string line(5U << 20U, 'A');
  const MimeRecorder told = walk_cut(line, kDecode, {100, 20'000, 1U << 20U});
  CHECK(told.body_of(0, MimeRegion::header_lines) == line);
  CHECK(told.saw("header-line-malformed"));
  CHECK((walk_cut(line, kDecode, {}) == told));
}

TEST_CASE("more fields than the budget pass as text; parts are told all the same") {
  const std::string fields = repeat("X: y\r\n", kMimeFieldsMax);
  const MimeRecorder told =
      walk_long("Content-Type: multipart/mixed; boundary=b\r\n" + fields + "Y: z\r\n\r\n" +
                "--b\r\nSubject: part\r\n\r\nbody\r\n--b--\r\n");
  CHECK(joined(told.anomalies) == "0 fields-over-budget\n1 fields-over-budget");
  CHECK(told.lines("field").size() == kMimeFieldsMax);
  CHECK(told.body_of(0, MimeRegion::header_lines) == "X: y\r\nY: z\r\n\r\n");
  CHECK(told.body_of(1, MimeRegion::header_lines) == "Subject: part\r\n\r\n");
  CHECK(told.body_of(1) == "body");
  CHECK(told.lines("header")[0] == "header 0@0 octets " + std::to_string(43 + fields.size() + 6) +
                                       " fields " + std::to_string(kMimeFieldsMax));
}

TEST_CASE("more octets of header than the budget pass as text") {
  const std::string field = "X: " + std::string(997, 'y') + "\r\n";
  const std::size_t fitting = kMimeHeaderBytesMax / field.size() + 1;
  const MimeRecorder told = walk_long(repeat(field, fitting + 1) + "\r\nbody");
  CHECK(joined(told.anomalies) == "0 header-over-budget");
  CHECK(told.lines("field").size() == fitting);
  CHECK(told.body_of(0) == "body");
  CHECK(told.coverage.unwalked_octets == field.size());
}

TEST_CASE("more parts than the budget: the rest is one body") {
  const std::string parts = repeat("--b\r\n\r\nx\r\n", kMimePartsMax - 1);
  const MimeRecorder told = walk_long("Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts +
                                      "--b\r\nSubject: last\r\n\r\ny\r\n--b--\r\n");
  CHECK(joined(told.anomalies) == "0 parts-over-budget");
  CHECK(told.lines("begin").size() == kMimePartsMax);
  CHECK(told.body_of(0, MimeRegion::unwalked) == "Subject: last\r\n\r\ny\r\n--b--\r\n");
  const MimeRecorder fits =
      walk_long("Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + "--b--\r\n");
  CHECK(fits.anomalies.empty());
}

TEST_CASE("a multipart too deep is one body, and the boundaries around it hold") {
  std::string message;
  for (std::size_t level = 0; level <= kMimeDepthMax; ++level) {
    const std::string boundary(1, static_cast<char>('a' + level));
    message +=
        "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\n";
  }
  message += "\r\ndeep\r\n--a\r\n\r\nnext\r\n--a--\r\n";
  const MimeRecorder told = walk_long(message);
  CHECK(told.saw(std::to_string(kMimeDepthMax) + " depth-over-budget"));
  CHECK(told.body_of(kMimeDepthMax, MimeRegion::unwalked) == "--y\r\n\r\ndeep");
  CHECK(told.body_of(kMimeDepthMax + 1) == "next");
}

TEST_CASE("messages in messages without an end are one body at the budget") {
  const std::string message = repeat("Content-Type: message/rfc822\r\n\r\n", 1'000);
  const MimeRecorder told = walk_long(message);
  CHECK(told.lines("begin").size() == kMimeDepthMax + 1);
  CHECK(told.saw("depth-over-budget"));
}

TEST_CASE("a boundary longer than allowed works; one over the budget by its beginning") {
  for (const std::size_t length : {70U, 71U, 256U}) {
    const std::string boundary(length, 'b');
    const MimeRecorder told =
        walk_long("Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary +
                  "\r\n\r\nx\r\n--" + boundary + "--\r\n");
    CHECK(told.body_of(1) == "x");
    CHECK(joined(told.anomalies) == (length == 70 ? "" : "0 boundary-long"));
  }
  const std::string boundary(1'000, 'b');
  const MimeRecorder told =
      walk_long("Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary +
                "\r\n\r\nx\r\n--" + boundary + "--\r\n");
  CHECK(told.saw("boundary-over-budget"));
  CHECK(told.saw("boundary-line-odd"));
  CHECK(told.body_of(1, MimeRegion::header_lines).size() == 1'004 + 3);
  CHECK(told.body_of(1) == "x");
}

TEST_CASE("a boundary line too long to hold is judged by what was held") {
  const MimeRecorder told = walk_long("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b" +
                                      std::string(500, ' ') + "\r\nA: 1\r\n\r\nx\r\n--b--\r\n");
  CHECK(told.saw("boundary-line-odd"));
  CHECK(told.lines("field 1@1 A: 1").size() == 1);
  const std::string text = "--" + std::string(500, 'x') + "\r\n--" + std::string(381, 'y') +
                           "\r\n--" + std::string(382, 'z');
  const MimeRecorder none = walk_long(
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + text + "\r\n--b--\r\n");
  CHECK(none.body_of(1) == text);
}

TEST_CASE("many readings of boundaries are bounded") {
  std::string message;
  for (int at = 0; at < 100; ++at) {
    message += "Content-Type: multipart/mixed; boundary=b" + std::to_string(100 + at) + "\r\n";
  }
  const MimeRecorder told = walk_long(message + "\r\n--b163\r\n\r\nx\r\n--b164\r\n");
  CHECK(told.saw("boundary-over-budget"));
  CHECK(told.body_of(1) == "x\r\n--b164\r\n");
}

namespace {

/// Counts, and remembers nothing.
class CountingSink : public MimeSink {
 public:
  std::uint64_t calls = 0;
  void field(const MimeField&) override { ++calls; }
  void header_end(const MimeHeaderEnd&) override { ++calls; }
  void part_begin(const MimePart&) override { ++calls; }
  void body(std::uint32_t, MimeRegion, std::span<const std::byte>) override { ++calls; }
  void decoded(std::uint32_t, TransferCoding, std::span<const std::byte>) override { ++calls; }
  void part_end(std::uint32_t) override { ++calls; }
  void message_end(const MimeCoverage&) override { ++calls; }
  void anomaly(std::uint32_t, MimeAnomaly) override { ++calls; }
};

double seconds_for(const std::string& message) {
  CountingSink sink;
  const auto begin = std::chrono::steady_clock::now();
  MimeWalk walk;
  walk.begin({.dot_stuffed = true, .decode = true});
  for (std::size_t at = 0; at < message.size(); at += 1'460) {
    const std::size_t size = std::min<std::size_t>(1'460, message.size() - at);
    walk.feed(std::as_bytes(std::span(message.data() + at, size)), sink);
  }
  walk.finish(sink);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Deep levels whose boundaries differ at their last letter only.
std::string deep_header() {
  std::string text;
  for (char level = 'a'; level < 'x'; ++level) {
    const std::string boundary = std::string(255, 'b') + level;
    text +=
        "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\n";
  }
  return text + "\r\n";
}

std::string hostile(std::size_t kind, std::size_t size) {
  const std::string mixed = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n";
  const std::string long_b(255, 'b');
  const std::vector<std::pair<std::string, std::string>> kinds{
      {mixed, "--\r\n"},
      {mixed, "--"},
      {mixed, "--b\r\n"},
      {mixed, "-\n"},
      {mixed, "\r"},
      {deep_header(), "--" + long_b + "\n"},
      {deep_header(), "--\n"},
      {"", "X: y\r\n"},
      {"", "Content-Type: a/b; boundary=c\r\n"},
      {"X: ", "=?a?Q?"},
      {"X: y\r\n", " z\r\n"},
      {"", "\n \n"},
      {"Content-Transfer-Encoding: base64\r\n\r\n", "="},
      {"Content-Transfer-Encoding: quoted-printable\r\n\r\n", "= "},
      {"", "Content-Type: message/rfc822\r\n\r\n"},
      {"\r\n", "\r\n."},
  };
  if (kind >= kinds.size()) return "";
  std::string text = kinds[kind].first;
  while (text.size() < size) text += kinds[kind].second;
  return text;
}

}  // namespace

TEST_CASE("hostile messages take time linear in their length") {
  for (std::size_t kind = 0; !hostile(kind, 1).empty(); ++kind) {
    const double once = seconds_for(hostile(kind, 250'000));
    const double four_times = seconds_for(hostile(kind, 1'000'000));
    CAPTURE(kind);
    CAPTURE(once);
    CAPTURE(four_times);
    // Quadratic would be sixteen times; a busy machine may well triple a time.
    CHECK(four_times < 12 * once + 0.25);
    MESSAGE("kind ", kind, ": ", four_times * 1'000, " ms a MB");
  }
}
