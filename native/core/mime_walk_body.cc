#include "core/line_search.h"
#include "core/mime_walk_lines.h"
#include "core/mime_walk_state.h"

namespace postern {
namespace {

constexpr std::byte kHyphen{'-'};

}  // namespace

std::size_t MimeWalkState::walk_body(std::span<const std::byte> octets) {
  if (!looks_for_boundaries()) {
    flush_pending();
    emit(octets);
    return octets.size();
  }
  if (pending_ == Pending::cr) {
    if (octets.front() == kLf) {
      pending_ = Pending::crlf;
      line_ = Line::start;
      return 1;
    }
    flush_pending();
  }
  if (line_ == Line::start) {
    if (octets.front() == kHyphen) {
      line_ = Line::candidate;
      return 0;
    }
    flush_pending();
    line_ = Line::inside;
  }
  return scan_lines(octets);
}

/// Octets from inside of a line on: all of them in one piece, up to the line end before the first
/// line that may be a boundary line.
std::size_t MimeWalkState::scan_lines(std::span<const std::byte> octets) {
  std::size_t at = 0;
  while (true) {
    const std::size_t lf = options_.details ? find_lf_bare_or_before(octets, at, kHyphen)
                                            : find_lf_before(octets, at, kHyphen);
    if (lf == octets.size()) {
      const bool cr = octets.back() == kCr;
      emit(octets.first(octets.size() - (cr ? 1 : 0)));
      if (cr) pending_ = Pending::cr;
      return octets.size();
    }
    // Before the first octet there is no CR, or it would be pending.
    const bool crlf = lf > 0 && octets[lf - 1] == kCr;
    if (!crlf && options_.details) note(MimeAnomaly::bare_lf_in_body);
    at = lf + 1;
    if (at < octets.size() && passes(octets, at)) continue;
    emit(octets.first(crlf ? lf - 1 : lf));
    pending_ = crlf ? Pending::crlf : Pending::lf;
    line_ = Line::start;
    return at;
  }
}

/// Whether the line at `at` is seen here to be no boundary line, so that it need not be held.
bool MimeWalkState::passes(std::span<const std::byte> octets, std::size_t at) {
  if (octets[at] != kHyphen) return true;
  if (at + 1 < octets.size() && octets[at + 1] != kHyphen) return true;
  if (node().guess) return false;
  const auto window = octets.subspan(at, std::min(octets.size() - at, held_.size()));
  const std::size_t lf = find_lf(window);
  if (lf == window.size()) return false;
  return boundaries_.match(without_cr(text_of(window.first(lf)))).match == BoundaryMatch::none;
}

/// A piece of body in the region where the walk is.
void MimeWalkState::emit(std::span<const std::byte> octets) {
  if (octets.empty()) return;
  const bool unwalked = region_ == MimeRegion::unwalked;
  (unwalked ? coverage_.unwalked_octets : coverage_.body_octets) += octets.size();
  sink_->body(node().number, region_, octets);
  feed_lasting(octets);
  if (looks_for_boundaries()) watch_cr_hyphens(text_of(octets));
  if (!decoders_.codings().any()) return;
  MimeAnomalySet anomalies;
  coverage_.decoded_octets += decoders_.feed(octets, *sink_, anomalies);
  note_all(anomalies);
}

/// Octets of a header that are told as text too; they are counted elsewhere.
void MimeWalkState::echo(std::span<const std::byte> octets) {
  if (octets.empty()) return;
  sink_->body(node().number, MimeRegion::header_lines, octets);
  feed_lasting(octets);
  if (!decoders_.codings().any()) return;
  MimeAnomalySet anomalies;
  coverage_.decoded_octets += decoders_.feed(octets, *sink_, anomalies);
  note_all(anomalies);
}

/// The line end before a line that is no boundary line is text.
void MimeWalkState::flush_pending() {
  const Pending pending = pending_;
  pending_ = Pending::none;
  if (pending == Pending::cr) emit(octets_of("\r"));
  if (pending == Pending::lf) emit(octets_of("\n"));
  if (pending == Pending::crlf) emit(octets_of("\r\n"));
}

}  // namespace postern
