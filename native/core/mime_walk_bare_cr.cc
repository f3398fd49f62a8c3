// Bare CRs. They end no line here, but to readers they do, and Exim writes LF for those in a body.
// So a field that begins behind one is told as a field, too; an empty line or two hyphens behind
// one may be structure that cannot be followed, and is an anomaly.
#include <algorithm>

#include "core/mime_walk_lines.h"
#include "core/mime_walk_state.h"

namespace postern {
namespace {

/// What may begin a boundary line.
constexpr std::string_view kWanted = "\r--";
constexpr std::size_t kBlockOctets = 64;

/// Where the first block begins that has a CR and a hyphen behind it, or what is left behind the
/// last. No branch within a block, so that compilers look at many octets at once.
[[nodiscard]] std::size_t skip_blocks(std::string_view text) noexcept {
  std::size_t at = 0;
  for (; text.size() - at > kBlockOctets; at += kBlockOctets) {
    const char* const block = text.data() + at;
    std::uint8_t found = 0;
    for (std::size_t i = 0; i < kBlockOctets; ++i) {
      const auto cr = static_cast<std::uint8_t>(block[i] == kWanted[0]);
      found = static_cast<std::uint8_t>(found | (cr & (block[i + 1] == kWanted[1])));
    }
    if (found != 0) break;
  }
  return at;
}

}  // namespace

/// The next octets of a header line, of which the last may be a CR; `last_cr_` is of those before
/// them.
void MimeWalkState::follow_cr_line(std::string_view text) {
  if (last_cr_) begin_cr_line(text.front());
  if (!in_cr_line_) return;
  if (text.back() == '\r') text.remove_suffix(1);
  const std::size_t room = kMimeFieldBytesMax - std::min(cr_line_.size(), kMimeFieldBytesMax);
  cr_line_ += text.substr(0, room);
}

/// `first` stands behind a CR: it ended a line to some.
void MimeWalkState::begin_cr_line(char first) {
  if (in_cr_line_ && cr_line_.empty() && first != '\r') note(MimeAnomaly::bare_cr_structure);
  finish_cr_line();
  in_cr_line_ = true;
}

void MimeWalkState::finish_cr_line() {
  const std::string_view name = split_header_line(cr_line_).name;
  if (equals_ascii(name, "content-type") || equals_ascii(name, "content-transfer-encoding")) {
    tell_field(cr_line_, true);
  }
  in_cr_line_ = false;
  cr_line_.clear();
}

/// The LF of a header line. CR CR LF is an empty line to Exim, but not in the message's own header.
void MimeWalkState::end_cr_lines() {
  if (!in_cr_line_) return;
  const bool empty = cr_line_.empty();
  finish_cr_line();
  if (!empty || level() == 0) return;
  begin_lasting();
  doubt_ = true;
}

/// Octets of a body in which boundary lines are looked for.
void MimeWalkState::watch_cr_hyphens(std::string_view text) {
  while (!text.empty() && cr_hyphens_ > 0) {
    if (text.front() != kWanted[cr_hyphens_]) {
      cr_hyphens_ = 0;
      break;
    }
    text.remove_prefix(1);
    if (++cr_hyphens_ < kWanted.size()) continue;
    note(MimeAnomaly::bare_cr_structure);
    cr_hyphens_ = 0;
  }
  if (text.empty()) return;
  if (text.substr(skip_blocks(text)).find(kWanted) != std::string_view::npos) {
    note(MimeAnomaly::bare_cr_structure);
  }
  for (std::size_t most = kWanted.size() - 1; most > 0; --most) {
    if (!text.ends_with(kWanted.substr(0, most))) continue;
    cr_hyphens_ = static_cast<std::uint8_t>(most);
    break;
  }
}

}  // namespace postern
