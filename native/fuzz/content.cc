// One message under a small plan, both from a stranger: the same facts by the same octet however it
// is cut, taken in any portions; well-formed records; nothing told without being asked for; all
// streams come back.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "core/limits.h"
#include "engine/content_scan.h"
#include "fuzz/fuzzing.h"

using namespace postern;
using fuzz::require;

namespace {

constexpr std::size_t kHeadOctets = 6;

using Set = std::shared_ptr<const PatternSet>;

/// Compiled once: to compile is slow, and what it refuses is the target pattern_set's business.
Set set_of(const std::vector<std::string>& expressions, PatternPlace place) {
  std::vector<Pattern> patterns;
  for (const std::string& expression : expressions) {
    patterns.push_back({static_cast<std::uint32_t>(patterns.size()), expression, false});
  }
  Set set = PatternSet::compile(patterns, {.place = place}).set;
  require(set != nullptr);
  return set;
}

const std::array<Set, 4>& field_sets() {
  static const std::array<Set, 4> kSets = {
      nullptr, set_of({"a", "^Subject: .*b$"}, PatternPlace::field),
      set_of({".*", "text", "[^ -~]", "b"}, PatternPlace::field),
      set_of({"^multipart", "/", "c$"}, PatternPlace::field)};
  return kSets;
}

const std::array<Set, 8>& body_sets() {
  static const std::array<Set, 8> kSets = {nullptr,
                                           set_of({"a"}, PatternPlace::body),
                                           set_of({"ab", "b$", "^a"}, PatternPlace::body),
                                           set_of({"a[^b]*c", "[^ -~]+x"}, PatternPlace::body),
                                           set_of({".*", "^$", "$"}, PatternPlace::body),
                                           set_of({"\\r\\n-", "\\n"}, PatternPlace::body),
                                           set_of({"a.*b$", "(ab)+c?$"}, PatternPlace::body),
                                           set_of({"\\bx", "[0-9]{4,}", "=$"}, PatternPlace::body)};
  return kSets;
}

ContentPlan plan_of(const std::uint8_t* head) {
  ContentPlan plan;
  plan.header = field_sets()[head[0] & 3U];
  plan.content_type = field_sets()[(head[0] >> 2U) & 3U];
  plan.encodings = (head[0] & 16U) != 0;
  plan.body = body_sets()[head[1] & 7U];
  plan.decoded = body_sets()[(head[1] >> 3U) & 7U];
  for (std::uint64_t length = head[2]; length < 400 && (head[1] & 64U) != 0;
       length += 1 + head[3]) {
    plan.header_lengths.push_back(length);
  }
  for (std::uint64_t length = head[3]; length < 400 && (head[1] & 128U) != 0;
       length += 1 + head[2]) {
    plan.data_lengths.push_back(length);
  }
  return plan;
}

bool asked(const ContentPlan& plan, std::uint8_t kind) {
  switch (static_cast<ContentFactKind>(kind)) {
    case ContentFactKind::header:
      return plan.header != nullptr;
    case ContentFactKind::body:
      return plan.body != nullptr;
    case ContentFactKind::decoded:
      return plan.decoded != nullptr;
    case ContentFactKind::content_type:
      return plan.content_type != nullptr;
    case ContentFactKind::encoding:
      return plan.encodings;
    case ContentFactKind::header_length:
      return !plan.header_lengths.empty();
    case ContentFactKind::data_length:
      return !plan.data_lengths.empty();
    case ContentFactKind::limit:
      return true;
  }
  return false;
}

/// Records end where the facts end, and a limit is the last.
void check_records(const ContentPlan& plan, std::span<const std::byte> facts, bool failed) {
  require(facts.size() <= kContentFactBytesMax);
  bool limit = false;
  while (!facts.empty()) {
    require(facts.size() >= 12 && !limit);
    const auto kind = std::to_integer<std::uint8_t>(facts[0]);
    require(asked(plan, kind));
    limit = kind == static_cast<std::uint8_t>(ContentFactKind::limit);
    const std::size_t text = std::to_integer<std::size_t>(facts[3]);
    require(facts[1] == std::byte{0} && facts[2] == std::byte{0} && text <= 64);
    require(facts.size() >= 12 + text);
    facts = facts.subspan(12 + text);
  }
  require(limit == failed);
}

using Facts = std::vector<std::byte>;

void append(Facts& to, std::span<const std::byte> facts) {
  to.insert(to.end(), facts.begin(), facts.end());
}

struct Cut {
  std::size_t piece;  ///< so many octets, then one more a piece
  bool rising;
  bool taken;  ///< facts are, behind each piece
};

/// What was told by each octet where a piece ended, then all of it.
std::vector<std::pair<std::size_t, Facts>> told(ContentScanner& scanner, bool dots,
                                                std::span<const std::byte> message,
                                                const Cut& cut) {
  std::vector<std::pair<std::size_t, Facts>> by;
  Facts all;
  ContentScan scan(scanner, dots);
  std::size_t piece = cut.piece;
  for (std::size_t at = 0; at < message.size();) {
    const std::size_t size = std::min(piece, message.size() - at);
    scan.feed(fuzz::own(message.subspan(at, size)));
    at += size;
    if (cut.rising) ++piece;
    by.emplace_back(at, all);
    append(by.back().second, scan.facts());
    if (!cut.taken) continue;
    append(all, scan.facts());
    scan.take_facts();
  }
  scan.finish();
  append(all, scan.facts());
  check_records(scanner.plan(), all, scan.failed());
  by.emplace_back(message.size() + 1, std::move(all));
  return by;
}

}  // namespace

/// The plan, how it is cut, then the message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kHeadOctets || size > 4'096) return 0;
  const auto plan = std::make_shared<const ContentPlan>(plan_of(data));
  const bool dots = (data[0] & 32U) != 0;
  const auto message = fuzz::input(data, size).subspan(kHeadOctets);
  ContentScanner scanner(plan);
  require(scanner.ready());
  const auto by_octet = told(scanner, dots, message, {.piece = 1, .rising = false, .taken = true});
  const std::size_t piece = 1 + data[4];
  for (const Cut& cut : {Cut{message.size() + 1, false, false}, Cut{piece, false, true},
                         Cut{piece, true, (data[5] & 1U) != 0}, Cut{1 + piece / 16, true, false}}) {
    const auto by = told(scanner, dots, message, cut);
    for (const auto& [border, facts] : by) require(facts == by_octet[border - 1].second);
  }
  // One is dropped in the middle; what others need is there again.
  {
    ContentScan dropped(scanner, dots);
    dropped.feed(message.first(message.size() / 2));
  }
  require(told(scanner, dots, message, {piece, false, false}).back() == by_octet.back());
  return 0;
}
