// What the walk costs, printed and not asserted. Of a build without sanitizers:
// `postern_native_test -ns -tc='the walk: *'`.
#include <chrono>
#include <string>

#include "test/mime_check.h"

using namespace postern;

namespace {

/// Reads one octet of each piece, as a scanner would touch it, and keeps nothing.
class TouchingSink : public MimeSink {
 public:
  std::uint64_t octets = 0;
  void field(const MimeField&) override {}
  void header_end(const MimeHeaderEnd&) override {}
  void part_begin(const MimePart&) override {}
  void body(std::uint32_t, MimeRegion, std::span<const std::byte> piece) override {
    octets += piece.size();
  }
  void decoded(std::uint32_t, TransferCoding, std::span<const std::byte> piece) override {
    octets += piece.size();
  }
  void part_end(std::uint32_t) override {}
  void message_end(const MimeCoverage&) override {}
  void anomaly(std::uint32_t, MimeAnomaly) override {}
};

std::string mixed_with(std::string_view encoding, std::string_view line) {
  std::string message =
      "Subject: speed\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\n"
      "Content-Transfer-Encoding: " +
      std::string(encoding) + "\r\n\r\n";
  while (message.size() < 5'000'000) message += line;
  return message + "--=_b--\r\n.\r\n";
}

void measure(std::string_view what, const std::string& message, const MimeOptions& options) {
  constexpr int kRounds = 20;
  constexpr std::size_t kSegment = 1'460;
  TouchingSink sink;
  double best = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    MimeWalk walk;
    walk.begin(options);
    const auto octets = std::as_bytes(std::span(message));
    for (std::size_t at = 0; at < octets.size(); at += kSegment) {
      walk.feed(octets.subspan(at, std::min(kSegment, octets.size() - at)), sink);
    }
    walk.finish(sink);
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
    best = std::min(best, time.count() / static_cast<double>(message.size()));
  }
  CHECK(sink.octets > message.size());
  MESSAGE(what, ": ", best, " ns an octet");
}

}  // namespace

TEST_CASE("the walk: its speed" * doctest::skip()) {
  const std::string base64 = mixed_with(
      "base64", "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZy4gQW5kIGFnYWluIGFu\r\n");
  const std::string text =
      mixed_with("8bit", "The quick brown fox jumps over the lazy dog. And again, and again.\r\n");
  const std::string quoted =
      mixed_with("quoted-printable", "The quick br=C3=BCwn fox jumps over the lazy dog. And =\r\n");
  const std::string dashes = mixed_with("8bit", "--\r\n");
  measure("base64 attachment, DATA", base64, {.dot_stuffed = true, .decode = false});
  measure("base64 attachment, DATA, decoded", base64, {.dot_stuffed = true, .decode = true});
  measure("base64 attachment, BDAT", base64, {.dot_stuffed = false, .decode = false});
  measure("text, DATA", text, {.dot_stuffed = true, .decode = false});
  measure("text, BDAT", text, {.dot_stuffed = false, .decode = false});
  measure("quoted-printable, DATA, decoded", quoted, {.dot_stuffed = true, .decode = true});
  measure("lines of two hyphens, DATA", dashes, {.dot_stuffed = true, .decode = false});
}
