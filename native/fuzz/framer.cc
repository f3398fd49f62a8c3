// One stream in two segmentations, both from the input: the cuts must be the same ones, and the
// first must stand where a plain search finds it. The caller of the framer is played by a fixed
// rule that changes the framing at cuts.
#include "core/framer.h"

#include <algorithm>
#include <string>

#include "fuzz/fuzzing.h"

using namespace postern;
using fuzz::require;

namespace {

constexpr std::size_t kHeadBytes = 6;

struct Input {
  std::span<const std::byte> stream;
  Framing first;
  std::uint32_t switches = 0;  ///< two bits a cut: the framing set there
  std::size_t pieces = 1;      ///< how the second segmentation goes on
};

struct Found {
  Cut cut;
  std::uint64_t at = 0;
  bool operator==(const Found& that) const {
    return at == that.at && cut.kind == that.cut.kind && cut.end == that.cut.end &&
           cut.well_formed == that.cut.well_formed && cut.frame_bytes == that.cut.frame_bytes;
  }
};

Framing framing_from(unsigned octet) {
  const std::uint64_t bytes = octet >> 4U == 15U ? UINT64_MAX : octet >> 4U;
  return {.mode = static_cast<FramingMode>((octet & 7U) % 5U),
          .bytes = bytes,
          .tolerant = (octet & 8U) != 0};
}

void check_cut(const Cut& cut, std::size_t size) {
  require(cut.taken <= size);
  require(cut.frame_bytes >= cut.taken);
  if (cut.kind == CutKind::need_more) require(cut.taken == size);
  if (cut.kind == CutKind::line || cut.kind == CutKind::data_end) require(cut.taken > 0);
  if (cut.kind == CutKind::look_alike || cut.kind == CutKind::tls_start) require(cut.taken > 0);
}

std::vector<Found> play(const Input& input, std::size_t piece, std::size_t step) {
  Framer framer({.mode = FramingMode::lines, .bytes = 9});
  framer.set(input.first);
  std::vector<Found> found;
  std::size_t at = 0;
  std::size_t standing = 0;
  while (at < input.stream.size()) {
    const std::size_t border = std::min(input.stream.size(), at + piece);
    while (at < border) {
      // A piece of its own on the heap, so that a read past it is seen.
      const auto bytes = fuzz::own(input.stream.subspan(at, border - at));
      const Cut cut = framer.next(bytes);
      check_cut(cut, bytes.size());
      at += cut.taken;
      standing = cut.taken == 0 ? standing + 1 : 0;
      require(standing < 3);
      if (cut.kind == CutKind::need_more) break;
      const unsigned order = input.switches >> (found.size() % 16 * 2) & 3U;
      found.push_back({.cut = cut, .at = at});
      if (cut.frame_bytes == 0) continue;
      if (order == 1) framer.set({.mode = FramingMode::mail_data, .bytes = 12});
      if (order == 2) framer.set({.mode = FramingMode::counted, .bytes = 3});
      if (order == 3 && cut.kind == CutKind::look_alike && cut.well_formed) {
        framer.mend();
      } else if (order == 3 && cut.kind != CutKind::line) {
        framer.set(input.first);
      }
    }
    piece = 1 + (piece + step) % 13;
  }
  return found;
}

void check_line(const std::string& text, const std::vector<Found>& found) {
  const std::size_t end = text.find('\n');
  require(found.empty() == (end == std::string::npos));
  if (found.empty()) return;
  const bool crlf = end > 0 && text[end - 1] == '\r';
  require(found[0].cut.kind == CutKind::line && found[0].at == end + 1);
  require(found[0].cut.end == (crlf ? LineEnd::crlf : LineEnd::bare_lf));
}

void check_message(const std::string& text, const std::vector<Found>& found) {
  // The first line of a message may be its last (RFC 5321 4.1.1.4).
  const std::size_t end = ("\r\n" + text).find("\r\n.\r\n");
  if (found.empty()) {
    require(end == std::string::npos);
    return;
  }
  const bool ended = found[0].cut.kind == CutKind::data_end;
  require(ended || found[0].cut.kind == CutKind::look_alike);
  require(end == std::string::npos ? !ended : found[0].at <= end + 3);
  require(!ended || found[0].at == end + 3);
}

/// Where no budget is in the way.
void check_first(const Input& input, const std::vector<Found>& found) {
  const std::string text(reinterpret_cast<const char*>(input.stream.data()), input.stream.size());
  const bool unbounded = input.first.bytes == UINT64_MAX;
  switch (input.first.mode) {
    case FramingMode::lines:
      if (unbounded || input.first.tolerant) check_line(text, found);
      return;
    case FramingMode::mail_data:
      if (unbounded) check_message(text, found);
      return;
    case FramingMode::counted:
      if (input.first.bytes > text.size() || text.empty()) return;
      require(!found.empty() && found[0].cut.kind == CutKind::counted_end);
      require(found[0].at == input.first.bytes);
      return;
    default:
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kHeadBytes) return 0;
  Input input{.stream = fuzz::input(data, size).subspan(kHeadBytes),
              .first = framing_from(data[0]),
              .pieces = data[1]};
  for (std::size_t at = 2; at < kHeadBytes; ++at) {
    input.switches = input.switches << 8U | data[at];
  }
  const std::vector<Found> whole = play(input, SIZE_MAX / 2, 0);
  check_first(input, whole);
  require(play(input, 1 + input.pieces % 13, input.pieces / 13) == whole);
  require(play(input, 1, 12) == whole);
  return 0;
}
