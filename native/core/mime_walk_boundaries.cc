#include "core/mime_walk_boundaries.h"

#include <algorithm>

#include "core/limits.h"
#include "core/mime_header.h"

namespace postern {
namespace {

/// What follows a boundary on its line decides which line it is (RFC 2046 5.1.1).
[[nodiscard]] BoundaryMatch match_of(std::string_view behind, bool cut) noexcept {
  if (cut) return BoundaryMatch::odd;
  const std::string_view text = trim_blanks_behind(behind);
  if (text.empty()) return BoundaryMatch::open;
  return text == "--" ? BoundaryMatch::close : BoundaryMatch::odd;
}

}  // namespace

bool BoundarySet::add(std::size_t level, std::string_view boundary) {
  const bool cut = boundary.size() > kMimeBoundaryBytesMax;
  const std::string_view kept = boundary.substr(0, kMimeBoundaryBytesMax);
  const auto same = [&](const Entry& entry) {
    return entry.level == level && entry.cut == cut && text(entry) == kept;
  };
  if (std::any_of(entries_.begin(), entries_.end(), same)) return !cut;
  if (entries_.size() == kMimeBoundariesMax) return false;
  entries_.push_back({.begin = static_cast<std::uint32_t>(text_.size()),
                      .length = static_cast<std::uint16_t>(kept.size()),
                      .level = static_cast<std::uint16_t>(level),
                      .cut = cut});
  text_ += kept;
  return !cut;
}

void BoundarySet::drop_from(std::size_t level) noexcept {
  while (!entries_.empty() && entries_.back().level >= level) {
    text_.resize(entries_.back().begin);
    entries_.pop_back();
  }
}

BoundaryHit BoundarySet::match(std::string_view line) const noexcept {
  BoundaryHit hit;
  if (!line.starts_with("--")) return hit;
  const std::string_view content = line.substr(2);
  std::size_t length = 0;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (content.size() < entry->length) continue;
    const std::string_view boundary = text(*entry);
    if (!content.starts_with(boundary)) continue;
    const BoundaryMatch match = match_of(content.substr(boundary.size()), entry->cut);
    const bool whole = match != BoundaryMatch::odd;
    const bool held_whole = hit.match == BoundaryMatch::open || hit.match == BoundaryMatch::close;
    const bool better = hit.match == BoundaryMatch::none || (whole && !held_whole) ||
                        (whole == held_whole && boundary.size() > length);
    if (!better) continue;
    hit = {.match = match, .level = entry->level};
    length = boundary.size();
  }
  return hit;
}

}  // namespace postern
