// A stream read as the start of TLS in two segmentations, both from the input: the answer and what
// the hello says must be the same, and what is written of it must fit.
#include "core/tls_hello.h"

#include <algorithm>

#include "core/framer.h"
#include "core/limits.h"
#include "fuzz/fuzzing.h"

using namespace postern;
using fuzz::require;

namespace {

struct Answer {
  std::size_t at = 0;
  bool told = false;
  bool well_formed = false;
  std::vector<std::byte> facts;
  bool operator==(const Answer&) const = default;
};

std::vector<std::byte> facts_of(std::span<const std::byte> octets) {
  std::vector<std::byte> records = fuzz::own(octets);
  const auto message = fuzz::own(join_tls_records(records));
  const auto hello = read_tls_hello(message);
  if (!hello) return {};
  require(hello->type == kTlsClientHello || hello->type == kTlsServerHello);
  require(hello->server_name.size() <= kTlsServerNameBytesMax);
  std::vector<std::byte> out(message.size());
  out.resize(write_tls_hello(*hello, out));
  require(out.size() >= 13);
  return out;
}

Answer play(std::span<const std::byte> stream, std::size_t piece) {
  Framer framer({.mode = FramingMode::tls});
  Answer answer;
  while (answer.at < stream.size() && !answer.told) {
    const std::size_t length = std::min(piece, stream.size() - answer.at);
    const auto bytes = fuzz::own(stream.subspan(answer.at, length));
    const Cut cut = framer.next(bytes);
    require(cut.taken <= bytes.size());
    answer.at += cut.taken;
    answer.told = cut.kind == CutKind::tls_start;
    answer.well_formed = cut.well_formed;
    require(framer.awaits_tls() != answer.told);
  }
  require(answer.at <= kTlsHelloBytesMax + 1);
  if (answer.well_formed) answer.facts = facts_of(stream.first(answer.at));
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto stream = fuzz::input(data, size).subspan(1);
  const Answer whole = play(stream, SIZE_MAX);
  require(play(stream, 1 + data[0] % 13U) == whole);
  require(play(stream, 1) == whole);
  return 0;
}
