#include "engine/content_facts.h"

#include <algorithm>
#include <array>

#include "core/limits.h"

namespace postern {
namespace {

constexpr std::size_t kRecordHeadBytes = 12;
/// Of names that a stranger chose.
constexpr std::size_t kTextBytesMax = 64;
/// Room that is left for the last record.
constexpr std::size_t kLimitRecordBytes = kRecordHeadBytes + 16;

constexpr std::array<std::string_view, 10> kLimitNames = {
    "", "engine", "streams", "facts", "field", "fields", "header", "parts", "depth", "boundary"};

void append_number(std::vector<std::byte>& to, std::uint64_t number, int octets) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
    to.push_back(static_cast<std::byte>(number >> static_cast<unsigned>(shift)));
  }
}

}  // namespace

std::string_view content_limit_name(ContentLimit limit) noexcept {
  return kLimitNames[static_cast<std::size_t>(limit)];
}

bool ContentFacts::fits(std::size_t octets) const noexcept {
  return octets_ + octets + kLimitRecordBytes <= kContentFactBytesMax;
}

void ContentFacts::tell(ContentFactKind kind, std::uint64_t number, std::string_view text) {
  if (failed_) return;
  const std::string_view clipped = text.substr(0, kTextBytesMax);
  if (!fits(kRecordHeadBytes + clipped.size())) {
    end_with(ContentLimit::facts);
    return;
  }
  write(kind, number, clipped);
}

void ContentFacts::write(ContentFactKind kind, std::uint64_t number, std::string_view text) {
  append_number(records_, static_cast<std::uint64_t>(kind), 1);
  append_number(records_, 0, 1);
  append_number(records_, text.size(), 2);
  append_number(records_, number, 8);
  const auto octets = std::as_bytes(std::span(text.data(), text.size()));
  records_.insert(records_.end(), octets.begin(), octets.end());
  octets_ += kRecordHeadBytes + text.size();
}

void ContentFacts::keep(std::uint32_t part, ContentFactKind kind, std::uint32_t pattern) {
  if (limit_ == ContentLimit::facts || failed_) return;
  if (!fits((kept_.size() + 1) * kRecordHeadBytes)) {
    keep(ContentLimit::facts);
    return;
  }
  kept_.push_back({.part = part, .kind = kind, .pattern = pattern});
}

void ContentFacts::keep(ContentLimit limit) noexcept {
  if (limit_ == ContentLimit::none || limit < limit_) limit_ = limit;
}

void ContentFacts::settle() {
  if (failed_ || (kept_.empty() && limit_ == ContentLimit::none)) return;
  // Which ones found room is chance: then none is told.
  if (limit_ != ContentLimit::facts) {
    std::ranges::sort(kept_);
    for (const Found& found : kept_) write(found.kind, found.pattern, {});
  }
  kept_.clear();
  if (limit_ != ContentLimit::none) end_with(limit_);
}

void ContentFacts::end_with(ContentLimit limit) {
  write(ContentFactKind::limit, 0, content_limit_name(limit));
  failed_ = true;
}

}  // namespace postern
