#include <algorithm>

#include "core/mime_walk_lines.h"
#include "core/mime_walk_state.h"

namespace postern {

void MimeWalkState::begin_header(bool doubt) {
  mode_ = Mode::header;
  line_ = Line::start;
  pending_ = Pending::none;
  field_open_ = false;
  doubt_ = doubt;
  raw_ = false;
  crlf_seen_ = false;
  header_lines_ = 0;
  block_octets_ = 0;
  block_fields_ = 0;
  summary_ = MimeSummary{};
}

std::size_t MimeWalkState::walk_header(std::span<const std::byte> octets) {
  if (line_ == Line::start) {
    const std::size_t passed = options_.details ? 0 : pass_untold_lines(octets);
    return passed > 0 ? passed : begin_header_line(octets);
  }
  if (line_ == Line::start_cr) {
    if (octets.front() == kLf) {
      end_header_at_empty_line(true);
      return 1;
    }
    begin_line(false);
    take_header(std::span(&kCr, 1));
  }
  const std::size_t lf = find_lf(octets);
  take_header(octets.first(lf));
  if (lf == octets.size()) return lf;
  end_line();
  return lf + 1;
}

/// The first octet of a line says what it may be.
std::size_t MimeWalkState::begin_header_line(std::span<const std::byte> octets) {
  const std::byte first = octets.front();
  if (first == kLf) {
    end_header_at_empty_line(false);
    return 1;
  }
  if (first == kCr) {
    line_ = Line::start_cr;
    return 1;
  }
  if (first == std::byte{'-'}) {
    // The field before may be the one that says the boundary.
    finish_field();
    if (!boundaries_.empty()) line_ = Line::candidate;
    if (line_ == Line::candidate) return 0;
  }
  begin_line(first == std::byte{' '} || first == std::byte{'\t'});
  return 0;
}

void MimeWalkState::begin_line(bool continuation) {
  line_ = Line::inside;
  continuation_ = continuation && field_open_;
  line_blank_ = true;
  last_cr_ = false;
  nul_in_line_ = false;
  in_cr_line_ = false;
  cr_line_.clear();
  if (continuation && header_lines_ == 0) {
    note(MimeAnomaly::folded_first_line);
    doubt_ = true;
  }
  ++header_lines_;
  if (continuation_) return;
  finish_field();
  if (!raw_ && all_fields_ >= kMimeFieldsMax) {
    note(MimeAnomaly::fields_over_budget);
    raw_ = true;
  }
  if (!raw_ && all_header_octets_ >= kMimeHeaderBytesMax) {
    note(MimeAnomaly::header_over_budget);
    raw_ = true;
  }
  if (!raw_) begin_field();
}

void MimeWalkState::begin_field() {
  field_.clear();
  field_octets_ = 0;
  field_open_ = true;
  untold_ = false;
  first_line_ = true;
  truncated_ = false;
  nul_in_field_ = false;
  cut_.clear();
}

/// Octets of a header line without its LF. What stands behind a bare CR in it is told by itself,
/// and before that all that stands before.
void MimeWalkState::take_header(std::span<const std::byte> octets) {
  while (!octets.empty()) {
    const std::size_t cr = text_of(octets).find('\r');
    const std::size_t piece = std::min(cr, octets.size() - 1) + 1;
    take_header_piece(octets.first(piece));
    octets = octets.subspan(piece);
  }
}

/// One in which a CR can only be the last octet.
void MimeWalkState::take_header_piece(std::span<const std::byte> octets) {
  block_octets_ += octets.size();
  all_header_octets_ += octets.size();
  if (nodes_.size() == 1) message_header_octets_ += octets.size();
  if (!raw_) follow_cr_line(text_of(octets));
  last_cr_ = octets.back() == kCr;
  const auto is_blank = [](std::byte octet) {
    return octet == std::byte{' '} || octet == std::byte{'\t'} || octet == kCr;
  };
  line_blank_ = line_blank_ && std::all_of(octets.begin(), octets.end(), is_blank);
  if (raw_ || doubt_) echo(octets);
  if (raw_) {
    coverage_.unwalked_octets += octets.size();
  } else if (field_open_) {
    store(octets);
  } else {
    coverage_.header_octets += octets.size();
  }
}

/// Keeps what the budget of a field allows; what is beyond goes on as text.
void MimeWalkState::store(std::span<const std::byte> octets) {
  const std::size_t kept = std::min(octets.size(), kMimeFieldBytesMax - field_octets_);
  if (!untold_) keep_text(text_of(octets.first(kept)));
  field_octets_ += kept;
  coverage_.header_octets += kept;
  const auto rest = octets.subspan(kept);
  if (rest.empty()) return;
  const bool told = doubt_;
  if (!truncated_) {
    truncated_ = true;
    note(MimeAnomaly::field_over_budget);
    if (first_line_) judge_first_line("");
  }
  // What was taken for the beginning of a field may have turned out to be none.
  (field_open_ ? coverage_.unwalked_octets : coverage_.header_octets) += rest.size();
  if (!told) echo(rest);
}

/// Postfix drops what stands behind a NUL on a header line, so that its readers have less of a
/// field: `boundary=b` and a NUL is `b`. Others have all of it.
void MimeWalkState::keep_text(std::string_view text) {
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos && !nul_in_field_) {
    nul_in_field_ = true;
    cut_ = field_;
  }
  if (nul_in_field_ && !nul_in_line_) cut_ += text.substr(0, nul);
  if (nul != std::string_view::npos) nul_in_line_ = true;
  field_ += text;
}

/// The LF of a header line.
void MimeWalkState::end_line() {
  ++block_octets_;
  ++all_header_octets_;
  if (nodes_.size() == 1) ++message_header_octets_;
  const bool beyond = raw_ || (field_open_ && truncated_);
  (beyond ? coverage_.unwalked_octets : coverage_.header_octets) += 1;
  if (beyond || doubt_) echo(octets_of("\n"));
  if (last_cr_) crlf_seen_ = true;
  if (!last_cr_) note(MimeAnomaly::bare_lf_in_header);
  line_ = Line::start;
  end_cr_lines();
  if (raw_ || !field_open_) return;
  if (last_cr_ && !truncated_) drop_cr();
  if (first_line_ && !truncated_) judge_first_line(last_cr_ ? "\r\n" : "\n");
  first_line_ = false;
  if (continuation_ && line_blank_) {
    note(MimeAnomaly::blank_folded_line);
    begin_lasting();
    doubt_ = true;
  }
}

/// The CR of a line end is not of the field.
void MimeWalkState::drop_cr() {
  --field_octets_;
  if (untold_) return;
  field_.pop_back();
  if (nul_in_field_ && !nul_in_line_) cut_.pop_back();
}

/// The first line of a field has come, or as much of it as is kept. If it is none, some readers
/// begin the body here and others go on with the header: from here on both are told.
void MimeWalkState::judge_first_line(std::string_view line_end) {
  const HeaderLine line = split_header_line(field_);
  untold_ = !options_.details && !equals_ascii(line.name, "content-type") &&
            !equals_ascii(line.name, "content-transfer-encoding");
  if (line.name_legal) return;
  note(MimeAnomaly::header_line_malformed);
  const bool lasted = lasting_.codings().any();
  begin_lasting();
  if (!doubt_) {
    echo(octets_of(field_));
    echo(octets_of(line_end));
  } else if (!lasted) {
    // Of all who could decode it only this one has not had it.
    feed_lasting(octets_of(field_));
    feed_lasting(octets_of(line_end));
  }
  doubt_ = true;
  if (!line.has_colon) field_open_ = false;
}

void MimeWalkState::end_header_at_empty_line(bool crlf) {
  coverage_.structure_octets += crlf ? 2 : 1;
  if (raw_ || doubt_) echo(octets_of(crlf ? "\r\n" : "\n"));
  line_ = Line::start;
  if (!crlf) {
    note(MimeAnomaly::bare_lf_in_header);
    // To a reader that wants CRLF the header goes on; one of LF lines throughout ends.
    if (crlf_seen_) {
      finish_field();
      begin_lasting();
      doubt_ = true;
      return;
    }
  }
  end_header();
}

}  // namespace postern
