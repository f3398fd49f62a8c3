// Bodies that last longer to some readers (MimeSink::lasting_begin). Postfix and Exim begin the
// body at the first line that is no header line; a boundary line with more behind the boundary is
// text by RFC 2046 5.1.1. Encoded text there is decoded as such a reader has it, beside the other
// reading.
#include "core/mime_walk_lines.h"
#include "core/mime_walk_state.h"

namespace postern {

/// What the header says so far, the field under way included.
MimeCodings MimeWalkState::codings_so_far() const {
  MimeCodings codings = summary_.encoded ? summary_.codings : nodes_.back().codings;
  if (!field_open_ || untold_) return codings;
  const HeaderLine line = split_header_line(field_);
  if (!equals_ascii(line.name, "content-transfer-encoding")) return codings;
  const std::string token = parse_transfer_encoding(line.value).token;
  codings.base64 |= token == "base64";
  codings.quoted_printable |= token == "quoted-printable";
  return codings;
}

/// To some readers the header under way ends here. What its surroundings said is decoded anyhow.
void MimeWalkState::begin_lasting() {
  if (!options_.decode || lasting_.codings().any()) return;
  const MimeCodings codings = codings_so_far();
  if (!codings.any() || codings == decoders_.codings()) return;
  sink_->lasting_begin(node().number);
  lasting_.start_lasting(codings);
}

/// A boundary line comes that is text to some readers, with the line end before it.
void MimeWalkState::keep_lasting() {
  if (!lasting_.codings().any()) {
    if (!decoders_.codings().any()) return;
    sink_->lasting_begin(node().number);
    lasting_.last(decoders_);
  }
  if (pending_ == Pending::lf) feed_lasting(octets_of("\n"));
  if (pending_ == Pending::crlf) feed_lasting(octets_of("\r\n"));
}

void MimeWalkState::feed_lasting(std::span<const std::byte> octets) {
  if (!lasting_.codings().any()) return;
  MimeAnomalySet untold;
  static_cast<void>(lasting_.feed(octets, *sink_, untold));
}

/// No reader goes on with it.
void MimeWalkState::end_lasting() {
  if (!lasting_.codings().any()) return;
  MimeAnomalySet untold;
  static_cast<void>(lasting_.finish(*sink_, untold));
  sink_->lasting_end();
}

}  // namespace postern
