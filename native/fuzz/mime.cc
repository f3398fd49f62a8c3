// One message in three ways of cutting it: the walk tells the same, counts every octet, keeps the
// promises of its sink, tells the same without details but for them, and what it decodes is what
// the decoders make of the whole.
#include "core/encoded_words.h"
#include "fuzz/fuzzing.h"
#include "test/mime_recorder.h"

using namespace postern;
using fuzz::require;
using test::MimeRecorder;

namespace {

std::string decoded_whole(std::string_view encoded, TransferCoding coding) {
  std::string text(encoded.size() + 2 * QuotedPrintableDecoder::kOutputMin, '\0');
  const auto in = std::as_bytes(std::span(encoded));
  const auto out = std::as_writable_bytes(std::span(text));
  if (coding == TransferCoding::base64) {
    Base64Decoder decoder;
    text.resize(decoder.decode(in, out).produced);
    return text;
  }
  QuotedPrintableDecoder decoder;
  const std::size_t produced = decoder.decode(in, out).produced;
  text.resize(produced + decoder.finish(out.subspan(produced)));
  return text;
}

/// A part whose body is one text from beginning to end decodes like that text.
void check_decoding(const MimeRecorder& told) {
  for (const auto& [key, text] : told.decodings) {
    const auto& [part, coding] = key;
    const auto owns = [number = part](const auto& body) { return body.first.first == number; };
    const auto first = std::find_if(told.bodies.begin(), told.bodies.end(), owns);
    require(first != told.bodies.end());
    const bool alone = std::count_if(told.bodies.begin(), told.bodies.end(), owns) == 1;
    if (!alone || first->first.second != MimeRegion::content) continue;
    require(text == decoded_whole(first->second, coding));
  }
}

void check_coverage(const MimeRecorder& told, std::size_t size) {
  require(told.ended && told.broken.empty());
  require(told.coverage.octets == size);
  std::uint64_t body = 0;
  std::uint64_t beyond = 0;
  std::uint64_t decoded = 0;
  for (const auto& [key, text] : told.bodies) {
    if (key.second == MimeRegion::header_lines) continue;
    (key.second == MimeRegion::unwalked ? beyond : body) += text.size();
  }
  for (const auto& [key, text] : told.decodings) decoded += text.size();
  require(body == told.coverage.body_octets);
  require(beyond <= told.coverage.unwalked_octets);
  require(decoded == told.coverage.decoded_octets);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const MimeOptions options{.dot_stuffed = (data[0] & 1U) != 0, .decode = (data[0] & 2U) != 0};
  const std::size_t piece = 2 + data[1];
  const std::string message(reinterpret_cast<const char*>(data + 2), size - 2);
  const MimeRecorder whole = test::walk_cut(message, options, {});
  check_coverage(whole, message.size());
  check_decoding(whole);
  require(options.decode || whole.decodings.empty());
  require(test::walk_in_pieces(message, options, piece) == whole);
  require(test::walk_in_pieces(message, options, 1) == whole);
  MimeOptions fewer = options;
  fewer.details = false;
  const MimeRecorder less = whole.without_details();
  require(test::walk_cut(message, fewer, {}) == less);
  require(test::walk_in_pieces(message, fewer, piece) == less);
  require(test::walk_in_pieces(message, fewer, 1) == less);
  std::string shown;
  const bool found = decode_encoded_words(message, shown);
  require(found || shown.empty());
  require(shown.size() <= 2 * message.size());
  return 0;
}
