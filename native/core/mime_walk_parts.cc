#include "core/bytes.h"
#include "core/mime_walk_state.h"

namespace postern {
namespace {

/// Buffers that a header made larger than this are given back where the body begins.
constexpr std::size_t kKeptBufferBytes = 1'024;

void give_back(std::string& buffer) {
  if (buffer.capacity() > kKeptBufferBytes) std::string().swap(buffer);
}

}  // namespace

/// The header of the part under way is over: tells what it is, and goes on with its body, or with
/// the header of the message in it.
void MimeWalkState::end_header() {
  if (line_ == Line::start_cr) {
    // The octets end behind it.
    begin_line(false);
    take_header(std::span(&kCr, 1));
  }
  if (line_ == Line::inside && field_open_ && first_line_ && !truncated_) {
    // So does a line without its end.
    if (last_cr_) drop_cr();
    judge_first_line(last_cr_ ? "\r" : "");
  }
  if (in_cr_line_) finish_cr_line();
  finish_field();
  const auto depth = static_cast<std::uint32_t>(level());
  sink_->header_end(
      {.part = node().number, .depth = depth, .octets = block_octets_, .fields = block_fields_});
  mode_ = Mode::body;
  line_ = Line::start;
  pending_ = Pending::none;
  region_ = MimeRegion::content;
  MimeNode& part = node();
  part.kind = kind_of_header();
  part.digest = summary_.digest;
  part.guess = part.kind == MimeKind::multipart && !boundaries_.has(level());
  if (part.guess) note(MimeAnomaly::boundary_missing);
  if (part.kind == MimeKind::multipart) region_ = MimeRegion::preamble;
  const MimeCodings inherited = part.codings;
  if (summary_.encoded) part.codings = summary_.codings;
  if (part.kind != MimeKind::leaf && summary_.codings.any()) note(MimeAnomaly::encoded_composite);
  tell_part(part);
  if (!(part.codings == inherited)) {
    finish_decoding();
    start_decoding();
  }
  summary_ = MimeSummary{};
  give_back(field_);
  give_back(cut_);
  give_back(cr_line_);
  give_back(scratch_);
  if (part.kind == MimeKind::message) open_part(false, false);
}

/// Any reading that shows parts goes before one that does not; a budget that is used up makes a
/// leaf of it that is not walked.
MimeKind MimeWalkState::kind_of_header() {
  const bool message = summary_.message || (!summary_.typed && message_by_default_);
  const MimeKind kind = summary_.multipart ? MimeKind::multipart
                        : message          ? MimeKind::message
                                           : MimeKind::leaf;
  if (kind == MimeKind::leaf) return kind;
  const bool too_deep = level() >= kMimeDepthMax;
  const bool too_many = kind == MimeKind::message && parts_ >= kMimePartsMax;
  if (!too_deep && !too_many) return kind;
  note(too_deep ? MimeAnomaly::depth_over_budget : MimeAnomaly::parts_over_budget);
  region_ = MimeRegion::unwalked;
  return MimeKind::leaf;
}

void MimeWalkState::tell_part(const MimeNode& part) {
  const bool message = !summary_.typed && message_by_default_;
  const bool leaf = part.kind == MimeKind::leaf;
  sink_->part_begin({
      .part = part.number,
      .parent = part.parent,
      .depth = static_cast<std::uint32_t>(level()),
      .kind = part.kind,
      .content_type = summary_.content_type,
      .type = summary_.typed ? std::string_view(summary_.type)
              : message      ? "message"
                             : "text",
      .subtype = summary_.typed ? std::string_view(summary_.subtype)
                 : message      ? "rfc822"
                                : "plain",
      .encoding = summary_.encoding,
      .text = summary_.text || (!summary_.typed && !message),
      .as_is = summary_.as_is || !summary_.codings.any() || !leaf,
      .base64 = part.codings.base64,
      .quoted_printable = part.codings.quoted_printable,
  });
}

/// A part inside of the one under way begins with its header. What its surroundings wrongly say
/// about their encoding holds for it until it says otherwise.
void MimeWalkState::open_part(bool message_by_default, bool doubt) {
  finish_decoding();
  MimeNode part;
  part.number = parts_++;
  part.parent = node().number;
  part.codings = node().codings;
  nodes_.push_back(part);
  message_by_default_ = message_by_default;
  start_decoding();
  begin_header(doubt);
}

void MimeWalkState::end_part() {
  finish_decoding();
  if (node().kind == MimeKind::multipart && !node().closed) {
    note(MimeAnomaly::multipart_unterminated);
  }
  sink_->part_end(node().number);
  boundaries_.drop_from(level());
  nodes_.pop_back();
}

void MimeWalkState::start_decoding() {
  decoders_.start(node().number, options_.decode ? node().codings : MimeCodings{});
}

void MimeWalkState::finish_decoding() {
  if (!decoders_.codings().any()) return;
  MimeAnomalySet anomalies;
  coverage_.decoded_octets += decoders_.finish(*sink_, anomalies);
  note_all(anomalies);
}

/// All that follows is a piece of the part under way.
void MimeWalkState::walk_no_more() {
  region_ = MimeRegion::unwalked;
  boundaries_.clear();
  for (MimeNode& part : nodes_) {
    part.guess = false;
    part.closed = true;
  }
  start_decoding();
}

void MimeWalkState::note(MimeAnomaly anomaly) {
  if (node().reported.has(anomaly)) return;
  node().reported.add(anomaly);
  sink_->anomaly(node().number, anomaly);
}

void MimeWalkState::note_all(MimeAnomalySet anomalies) {
  if (anomalies.empty()) return;
  for (unsigned index = 0; index < kMimeAnomalies; ++index) {
    const auto anomaly = static_cast<MimeAnomaly>(index);
    if (anomalies.has(anomaly)) note(anomaly);
  }
}

}  // namespace postern
