#include "engine/content_sink.h"

#include <algorithm>
#include <string>

#include "core/mime_header.h"
#include "core/mime_walk_lines.h"

namespace postern {

ContentScan::Sink::Part& ContentScan::Sink::enter(std::uint32_t part) {
  if (parts_.empty() || parts_.back().number != part) {
    scan_runs();
    parts_.push_back({});
    parts_.back().number = part;
  }
  return parts_.back();
}

/// What was found up to here is told before what comes now.
void ContentScan::Sink::settle() {
  scan_runs();
  facts_.settle();
}

/// Something of the plan needs each part and what its header says.
bool ContentScan::Sink::wants_structure() const noexcept {
  return plan_.decoded != nullptr || plan_.content_type != nullptr || plan_.encodings;
}

void ContentScan::Sink::field(const MimeField& field) {
  settle();
  Part& part = enter(field.part);
  if (plan_.header != nullptr && (field.part == 0 || own_header_cut_)) hold_header_field(field);
  const bool type = equals_ascii(field.name, "content-type");
  const bool encoding = equals_ascii(field.name, "content-transfer-encoding");
  if (type && plan_.content_type != nullptr) hold_content_type(part, field.value);
  if (encoding && plan_.encodings) {
    facts_.tell(ContentFactKind::encoding, 0, parse_transfer_encoding(field.value).token);
  }
  if (field.truncated && (type || encoding) && wants_structure()) facts_.keep(ContentLimit::field);
}

/// What came before is told where it would be before a field that is told.
void ContentScan::Sink::other_field(std::uint32_t part) {
  settle();
  static_cast<void>(enter(part));
}

void ContentScan::Sink::hold_header_field(const MimeField& field) {
  std::vector<std::uint32_t> ids;
  hold(*plan_.header, field.line, ids);
  if (!field.shown.empty()) hold(*plan_.header, field.shown, ids);
  // A line that is no field may have text in the place of its name.
  const bool named = split_header_line(field.line).name_legal;
  for (const std::uint32_t id : ids) {
    facts_.tell(ContentFactKind::header, id, named ? field.name : std::string_view{});
  }
}

/// Readers differ in which of several fields they take, and some look through its blanks.
void ContentScan::Sink::hold_content_type(Part& part, std::string_view value) {
  const ContentType type = parse_content_type(value);
  std::string tokens;
  if (!type.type.empty() && !type.subtype.empty()) tokens = type.type + '/' + type.subtype;
  std::vector<std::uint32_t> ids = part.type_ids;
  hold(*plan_.content_type, value, ids);
  if (!tokens.empty() && tokens != value) hold(*plan_.content_type, tokens, ids);
  for (const std::uint32_t id : ids) {
    if (std::ranges::binary_search(part.type_ids, id)) continue;
    facts_.tell(ContentFactKind::content_type, id, tokens);
  }
  part.type_ids = std::move(ids);
}

/// Adds the patterns that a text has, each once, in their order.
void ContentScan::Sink::hold(const PatternSet& set, std::string_view text,
                             std::vector<std::uint32_t>& ids) {
  PatternMatches matches(memory_.room);
  const ScanEnd end = memory_.scratch.scan(set, octets_of(text), matches);
  if (end != ScanEnd::done) {
    facts_.keep(end == ScanEnd::full ? ContentLimit::facts : ContentLimit::engine);
    return;
  }
  for (const PatternMatch& match : matches.found()) ids.push_back(match.id);
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

void ContentScan::Sink::header_end(const MimeHeaderEnd& end) {
  settle();
  if (end.part == 0) {
    own_header_ = false;
    pass_header_lengths(end.octets);
  } else if (end.fields > 0) {
    own_header_cut_ = false;
  }
}

void ContentScan::Sink::part_begin(const MimePart& part) {
  settle();
  Part& begun = enter(part.part);
  begun.text = part.text;
  begun.as_is = part.as_is;
  begun.shown = part.text || part.kind != MimeKind::leaf;
}

void ContentScan::Sink::part_end(std::uint32_t part) {
  scan_runs();
  close(enter(part));
  facts_.settle();
  parts_.pop_back();
}

void ContentScan::Sink::message_end(const MimeCoverage&) {
  settle();
}

void ContentScan::Sink::anomaly(std::uint32_t part, MimeAnomaly anomaly) {
  if (part == 0 && anomaly == MimeAnomaly::header_unterminated) own_header_cut_ = true;
  const ContentLimit limit = limit_of(part, anomaly);
  if (limit != ContentLimit::none) facts_.keep(limit);
}

/// Budgets that hide something of the plan. A body's text as it is goes on behind all of them.
ContentLimit ContentScan::Sink::limit_of(std::uint32_t part, MimeAnomaly anomaly) const noexcept {
  const bool own = part == 0 && plan_.header != nullptr;
  const auto when = [](bool hides, ContentLimit limit) {
    return hides ? limit : ContentLimit::none;
  };
  switch (anomaly) {
    case MimeAnomaly::field_over_budget:
      return when(own, ContentLimit::field);
    case MimeAnomaly::fields_over_budget:
      return when(own || wants_structure(), ContentLimit::fields);
    case MimeAnomaly::header_over_budget:
      return when(own || wants_structure(), ContentLimit::header);
    case MimeAnomaly::parts_over_budget:
      return when(wants_structure(), ContentLimit::parts);
    case MimeAnomaly::depth_over_budget:
      return when(wants_structure(), ContentLimit::depth);
    case MimeAnomaly::bare_cr_structure:
    case MimeAnomaly::boundary_over_budget:
      return when(wants_structure(), ContentLimit::boundary);
    default:
      return ContentLimit::none;
  }
}

}  // namespace postern
