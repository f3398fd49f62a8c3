#include "core/mime_walk.h"

#include <algorithm>

#include "core/mime_walk_lines.h"
#include "core/mime_walk_state.h"

namespace postern {

MimeWalk::MimeWalk() noexcept = default;
MimeWalk::~MimeWalk() = default;
MimeWalk::MimeWalk(MimeWalk&&) noexcept = default;
MimeWalk& MimeWalk::operator=(MimeWalk&&) noexcept = default;

void MimeWalk::begin(const MimeOptions& options) {
  state_ = std::make_unique<MimeWalkState>(options);
}

void MimeWalk::feed(std::span<const std::byte> octets, MimeSink& sink) {
  if (state_) state_->feed(octets, sink);
}

void MimeWalk::finish(MimeSink& sink) {
  if (!state_) return;
  state_->finish(sink);
  state_.reset();
}

std::uint64_t MimeWalk::header_octets() const noexcept {
  return state_ ? state_->header_octets() : 0;
}

std::uint64_t MimeWalk::header_octets_most() const noexcept {
  return state_ ? state_->header_octets_most() : 0;
}

std::uint64_t MimeWalk::data_octets() const noexcept {
  return state_ ? state_->data_octets() : 0;
}

std::uint64_t MimeWalkState::header_octets_most() const noexcept {
  if (nodes_.size() != 1 || mode_ != Mode::header) return message_header_octets_;
  const bool cr_held = line_ == Line::start_cr;
  const bool cr_held_behind_dot = unstuffing_.end_octets() == 2;
  return message_header_octets_ + held_size_ + (cr_held ? 1 : 0) + (cr_held_behind_dot ? 1 : 0);
}

MimeWalkState::MimeWalkState(const MimeOptions& options) : options_(options) {
  nodes_.push_back({});
  parts_ = 1;
}

void MimeWalkState::feed(std::span<const std::byte> octets, MimeSink& sink) {
  sink_ = &sink;
  coverage_.octets += octets.size();
  if (!options_.dot_stuffed) {
    data_octets_ += octets.size();
    walk(octets);
  }
  while (options_.dot_stuffed && !octets.empty()) {
    const bool ended = unstuffing_.ended();
    const DotUnstuffing::Step step = unstuffing_.next(octets);
    if (!ended) data_octets_ += step.taken;
    // A CR that was held back was counted as structure when it was taken.
    coverage_.structure_octets += step.taken;
    coverage_.structure_octets -= step.content.size();
    octets = octets.subspan(step.taken);
    walk(step.content);
  }
  sink_ = nullptr;
}

void MimeWalkState::walk(std::span<const std::byte> octets) {
  while (!octets.empty()) {
    std::size_t taken = 0;
    if (line_ == Line::candidate) {
      taken = collect(octets);
    } else {
      taken = mode_ == Mode::header ? walk_header(octets) : walk_body(octets);
    }
    octets = octets.subspan(taken);
  }
}

/// Holds a line that begins with a hyphen until it is known whether it is a boundary line.
std::size_t MimeWalkState::collect(std::span<const std::byte> octets) {
  const auto window = octets.first(std::min(octets.size(), held_.size() - held_size_));
  const std::size_t taken = find_lf(window);
  std::copy_n(text_of(window).begin(), taken, held_.begin() + held_size_);
  held_size_ += taken;
  const bool complete = taken < window.size();
  const std::string_view held(held_.data(), held_size_);
  if (!held.starts_with(std::string_view("--").substr(0, held_size_))) {
    reject_candidate();
    return taken;
  }
  if (!complete && held_size_ < held_.size()) return taken;
  const std::string_view line = complete ? without_cr(held) : held;
  BoundaryHit hit = match(line);
  // Of a line that was too long to hold, the end is not known.
  if (!complete && hit.match != BoundaryMatch::none) hit.match = BoundaryMatch::odd;
  if (hit.match == BoundaryMatch::none) {
    reject_candidate();
    return taken;
  }
  take_boundary_line(hit, line);
  coverage_.structure_octets += complete ? 1 : 0;
  return taken + (complete ? 1 : 0);
}

BoundaryHit MimeWalkState::match(std::string_view line) {
  BoundaryHit hit = boundaries_.match(line);
  // In a header such a line is more likely a field of an odd name; it is told as text there too.
  if (mode_ == Mode::header && hit.match == BoundaryMatch::odd) return {};
  if (mode_ == Mode::header || hit.match != BoundaryMatch::none || !node().guess) return hit;
  const std::string_view boundary = line.size() < 2 ? line : trim_blanks(line.substr(2));
  if (!line.starts_with("--") || boundary.empty()) return hit;
  note(MimeAnomaly::boundary_guessed);
  if (!boundaries_.add(level(), boundary)) note(MimeAnomaly::boundary_over_budget);
  node().guess = false;
  return {.match = BoundaryMatch::odd, .level = level()};
}

/// The line held is none: it is text, or a header line like others.
void MimeWalkState::reject_candidate() {
  const auto held = octets_of(std::string_view(held_.data(), held_size_));
  held_size_ = 0;
  line_ = Line::inside;
  if (mode_ == Mode::header) {
    begin_line(false);
    take_header(held);
    return;
  }
  flush_pending();
  const bool cr = !held.empty() && held.back() == kCr;
  emit(held.first(held.size() - (cr ? 1 : 0)));
  if (cr) pending_ = Pending::cr;
}

void MimeWalkState::take_boundary_line(const BoundaryHit& hit, std::string_view line) {
  if (mode_ == Mode::header) {
    note(MimeAnomaly::header_unterminated);
    while (mode_ == Mode::header) end_header();
  }
  const bool doubt = hit.match == BoundaryMatch::odd ||
                     (hit.match == BoundaryMatch::open && nodes_[hit.level].closed);
  if (doubt) {
    keep_lasting();
  } else {
    end_lasting();
  }
  const std::size_t line_end = pending_ == Pending::crlf ? 2 : pending_ == Pending::none ? 0 : 1;
  coverage_.structure_octets += line_end + held_size_;
  held_size_ = 0;
  pending_ = Pending::none;
  line_ = Line::start;
  cr_hyphens_ = 0;
  while (level() > hit.level) end_part();
  finish_decoding();
  node().guess = false;
  if (hit.match == BoundaryMatch::close) {
    node().closed = true;
    region_ = MimeRegion::epilogue;
    start_decoding();
    return;
  }
  if (hit.match == BoundaryMatch::odd) note(MimeAnomaly::boundary_line_odd);
  if (node().closed) note(MimeAnomaly::part_after_close);
  if (parts_ == kMimePartsMax) {
    note(MimeAnomaly::parts_over_budget);
    walk_no_more();
    return;
  }
  open_part(node().digest, doubt);
  if (doubt) echo(octets_of(line));
  if (doubt) echo(octets_of("\n"));
}

void MimeWalkState::finish(MimeSink& sink) {
  sink_ = &sink;
  if (line_ == Line::candidate) {
    const std::string_view line = without_cr(std::string_view(held_.data(), held_size_));
    const BoundaryHit hit = match(line);
    if (hit.match == BoundaryMatch::none) {
      reject_candidate();
    } else {
      take_boundary_line(hit, line);
    }
  }
  while (mode_ == Mode::header) end_header();
  flush_pending();
  end_lasting();
  while (!nodes_.empty()) end_part();
  sink.message_end(coverage_);
}

}  // namespace postern
