// Header lines of fields that are not told (MimeOptions::details). Most lines of most headers are
// such, whole and in order: they are counted and passed over. All others take the long way, which
// comes to the same.
#include <cstring>

#include "core/limits.h"
#include "core/mime_walk_lines.h"
#include "core/mime_walk_state.h"

namespace postern {
namespace {

/// Of Content-Type and Content-Transfer-Encoding: a name as long as these is looked at.
constexpr std::size_t kTypeNameOctets = 12;
constexpr std::size_t kEncodingNameOctets = 25;

/// Whether the line begins with a token and a colon, and the token is none that is told.
[[nodiscard]] bool begins_untold_field(std::span<const std::byte> line) noexcept {
  std::size_t at = 0;
  for (; at < line.size(); ++at) {
    const auto octet = std::to_integer<unsigned>(line[at]);
    if (octet == ':') break;
    if (octet < 33 || octet > 126) return false;
  }
  return at > 0 && at < line.size() && at != kTypeNameOctets && at != kEncodingNameOctets;
}

[[nodiscard]] bool is_blank(std::byte octet) noexcept {
  return octet == std::byte{' '} || octet == std::byte{'\t'};
}

}  // namespace

/// Octets at the start of a line: passes over whole lines, and answers how many octets they have.
std::size_t MimeWalkState::pass_untold_lines(std::span<const std::byte> octets) {
  std::size_t passed = 0;
  while (!raw_ && !doubt_) {
    const auto rest = octets.subspan(passed);
    const std::size_t lf = find_lf(rest);
    if (lf == rest.size() || !pass_untold_line(rest.first(lf))) break;
    passed += lf + 1;
  }
  if (passed == 0) return 0;
  crlf_seen_ = true;
  block_octets_ += passed;
  if (nodes_.size() == 1) message_header_octets_ += passed;
  coverage_.header_octets += passed;
  return passed;
}

/// A line without its LF. False, and nothing is changed, where it may be something else.
bool MimeWalkState::pass_untold_line(std::span<const std::byte> line) {
  if (line.size() < 2 || line.back() != kCr || line.size() > kMimeFieldBytesMax) return false;
  // Something may stand behind a bare CR.
  if (std::memchr(line.data(), '\r', line.size() - 1) != nullptr) return false;
  const bool continuation = is_blank(line.front());
  if (continuation) {
    // A line of blanks only, or behind a field that is told, is looked at.
    if (!field_open_ || !untold_ || truncated_ || is_blank(line[1]) || line[1] == kCr) return false;
    if (field_octets_ + line.size() > kMimeFieldBytesMax) return false;
  } else {
    if (line.front() == std::byte{'-'} || !begins_untold_field(line)) return false;
    const std::size_t fields = all_fields_ + (field_open_ ? 1 : 0);
    if (fields >= kMimeFieldsMax || all_header_octets_ >= kMimeHeaderBytesMax) return false;
    finish_field();
    begin_field();
    untold_ = true;
    first_line_ = false;
  }
  ++header_lines_;
  field_octets_ += line.size() - 1;
  all_header_octets_ += line.size() + 1;
  return true;
}

}  // namespace postern
