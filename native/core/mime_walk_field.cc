#include <cstring>

#include "core/encoded_words.h"
#include "core/mime_walk_lines.h"
#include "core/mime_walk_state.h"

namespace postern {
namespace {

/// RFC 2046 5.1.1.
constexpr std::size_t kLegalBoundaryBytes = 70;

[[nodiscard]] bool has_eight_bit(std::string_view line) noexcept {
  std::uint64_t any = 0;
  std::size_t at = 0;
  for (std::uint64_t octets = 0; line.size() - at >= sizeof octets; at += sizeof octets) {
    std::memcpy(&octets, line.data() + at, sizeof octets);
    any |= octets;
  }
  for (; at < line.size(); ++at) any |= static_cast<unsigned char>(line[at]);
  return (any & 0x8080'8080'8080'8080U) != 0;
}

}  // namespace

/// The field under way is complete: tells it, and takes from it what says how the body is read.
void MimeWalkState::finish_field() {
  if (!field_open_) return;
  field_open_ = false;
  ++block_fields_;
  ++all_fields_;
  if (untold_) {
    sink_->other_field(node().number);
    return;
  }
  tell_field(field_, false);
  // A NUL in the name makes no field of it.
  const bool named = split_header_line(cut_).name == split_header_line(field_).name;
  if (nul_in_field_ && named) tell_field(cut_, true);
}

void MimeWalkState::tell_field(std::string_view text, bool cut) {
  const HeaderLine line = split_header_line(text);
  const bool differs = options_.details && look_into(text, line);
  sink_->field({.part = node().number,
                .depth = static_cast<std::uint32_t>(level()),
                .line = text,
                .name = line.name,
                .value = line.value,
                .shown = differs ? std::string_view(scratch_) : std::string_view{},
                .truncated = truncated_,
                .cut = cut});
  if (equals_ascii(line.name, "content-type")) take_content_type(line.value);
  if (equals_ascii(line.name, "content-transfer-encoding")) take_encoding(line.value);
}

/// Notes what is wrong with the octets of the field, and makes what a reader shows of it
/// (`scratch_`); false if that is the field itself.
bool MimeWalkState::look_into(std::string_view text, const HeaderLine& line) {
  note_octets(text);
  const bool blanks_before_colon =
      line.name.empty() || line.name.data() + line.name.size() != text.data() + text.find(':');
  if (blanks_before_colon) note(MimeAnomaly::space_before_colon);
  const bool named_first = text.starts_with(line.name);
  const bool may_decode = line.value.find("=?") != std::string_view::npos;
  if (!may_decode && !blanks_before_colon && named_first) return false;
  scratch_.assign(line.name);
  scratch_ += ": ";
  const bool decoded = decode_encoded_words(line.value, scratch_);
  if (!decoded) scratch_ += line.value;
  return decoded || blanks_before_colon || !named_first;
}

void MimeWalkState::note_octets(std::string_view line) {
  if (has_eight_bit(line)) note(MimeAnomaly::eight_bit_in_header);
  if (line.find('\0') != std::string_view::npos) note(MimeAnomaly::nul_in_header);
  if (line.find('\r') != std::string_view::npos) note(MimeAnomaly::bare_cr_in_header);
}

void MimeWalkState::take_content_type(std::string_view value) {
  const ContentType type = parse_content_type(value);
  note_all(type.anomalies);
  if (summary_.typed) note(MimeAnomaly::duplicate_content_type);
  if (!summary_.typed) {
    summary_.content_type = value;
    summary_.type = type.type;
    summary_.subtype = type.subtype;
  }
  summary_.typed = true;
  const bool unreadable = type.type.empty() || type.subtype.empty();
  summary_.text |= unreadable || type.type == "text";
  summary_.message |= type.is("message", "rfc822") || type.is("message", "global");
  summary_.digest |= type.is("multipart", "digest");
  if (type.type == "multipart") take_boundaries(type);
}

/// They count at once: a boundary line may cut this very header.
void MimeWalkState::take_boundaries(const ContentType& type) {
  summary_.multipart = true;
  if (level() >= kMimeDepthMax) return;
  for (std::size_t at = 0; at < type.boundary_count; ++at) {
    const std::string& boundary = type.boundaries[at];
    if (boundary.size() > kLegalBoundaryBytes) note(MimeAnomaly::boundary_long);
    if (!boundaries_.add(level(), boundary)) note(MimeAnomaly::boundary_over_budget);
  }
}

void MimeWalkState::take_encoding(std::string_view value) {
  const TransferEncoding encoding = parse_transfer_encoding(value);
  note_all(encoding.anomalies);
  if (summary_.encoded) note(MimeAnomaly::duplicate_encoding);
  if (!summary_.encoded) summary_.encoding = encoding.token;
  summary_.encoded = true;
  if (encoding.token == "base64") {
    summary_.codings.base64 = true;
  } else if (encoding.token == "quoted-printable") {
    summary_.codings.quoted_printable = true;
  } else {
    summary_.as_is = true;
  }
}

}  // namespace postern
