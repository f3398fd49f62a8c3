#include "core/framer.h"

#include <algorithm>
#include <cstring>

#include "core/bytes.h"

namespace postern {
namespace {

[[nodiscard]] std::size_t find_lf(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return 0;
  const void* lf = std::memchr(bytes.data(), std::to_integer<int>(kLf), bytes.size());
  if (lf == nullptr) return bytes.size();
  return static_cast<std::size_t>(static_cast<const std::byte*>(lf) - bytes.data());
}

}  // namespace

void Framer::set(const Framing& framing) noexcept {
  if (framing.mode == FramingMode::lines) {
    line_budget_bytes_ = framing.bytes;
    line_tolerant_ = framing.tolerant;
  }
  framing_ = framing;
  framing_.tolerant = framing.tolerant && (framing.mode == FramingMode::lines ||
                                           framing.mode == FramingMode::mail_data ||
                                           framing.mode == FramingMode::tls);
  frame_bytes_ = 0;
  reported_ = false;
  after_cr_ = false;
  behind_look_alike_ = false;
  // Message data begins behind the line end of the command before it (RFC 5321 4.1.1.4).
  data_context_ = DataContext::crlf;
  tls_start_ = TlsStart(framing_.tolerant ? TlsStart::Alerts::yes : TlsStart::Alerts::no);
}

Cut Framer::next(std::span<const std::byte> bytes) noexcept {
  if (!bytes.empty()) behind_look_alike_ = false;
  switch (framing_.mode) {
    case FramingMode::lines:
      return next_of_lines(bytes);
    case FramingMode::counted:
      return next_of_counted(bytes);
    case FramingMode::mail_data:
      return next_of_mail_data(bytes);
    case FramingMode::tls:
      return next_of_tls(bytes);
    case FramingMode::opaque:
      break;
  }
  return take(CutKind::need_more, bytes.size());
}

std::size_t Framer::fitting(std::size_t octets) const noexcept {
  if (reported_ || (framing_.tolerant && framing_.mode == FramingMode::lines)) return octets;
  const std::uint64_t room = framing_.bytes - std::min(framing_.bytes, frame_bytes_);
  return static_cast<std::size_t>(std::min<std::uint64_t>(room, octets));
}

Cut Framer::take(CutKind kind, std::size_t taken) noexcept {
  frame_bytes_ += taken;
  if (kind == CutKind::over_budget || kind == CutKind::tls_start) reported_ = true;
  Cut cut;
  cut.kind = kind;
  cut.taken = taken;
  cut.frame_bytes = frame_bytes_;
  if (kind == CutKind::counted_end || kind == CutKind::data_end) {
    set({.mode = FramingMode::lines, .bytes = line_budget_bytes_, .tolerant = line_tolerant_});
  }
  return cut;
}

Cut Framer::end_line(std::size_t taken, bool after_cr) noexcept {
  Cut cut = take(CutKind::line, taken);
  cut.end = after_cr ? LineEnd::crlf : LineEnd::bare_lf;
  frame_bytes_ = 0;
  reported_ = false;
  after_cr_ = false;
  return cut;
}

Cut Framer::next_of_lines(std::span<const std::byte> bytes) noexcept {
  const auto within = bytes.first(fitting(bytes.size()));
  const std::size_t lf = find_lf(within);
  if (!within.empty()) {
    const bool before_lf = lf > 0 ? within[lf - 1] == kCr : after_cr_;
    if (lf < within.size()) return end_line(lf + 1, before_lf);
    after_cr_ = before_lf;
  }

  // Past the budget only the line end itself fits: LF, or a CR that LF follows.
  for (std::size_t at = within.size(); at < bytes.size(); ++at) {
    if (bytes[at] == kLf) return end_line(at + 1, after_cr_);
    const bool at_budget = frame_bytes_ + at == framing_.bytes;
    if (bytes[at] != kCr || !at_budget) return take(CutKind::over_budget, at);
    after_cr_ = true;
  }
  return take(CutKind::need_more, bytes.size());
}

Cut Framer::next_of_counted(std::span<const std::byte> bytes) noexcept {
  const std::size_t within = fitting(bytes.size());
  const bool complete = frame_bytes_ + within == framing_.bytes;
  return take(complete ? CutKind::counted_end : CutKind::need_more, within);
}

Cut Framer::next_of_mail_data(std::span<const std::byte> bytes) noexcept {
  const auto within = bytes.first(fitting(bytes.size()));
  const DataScan scan =
      scan_data(data_context_, within, framing_.tolerant ? LooseDots::early : LooseDots::late);
  if (scan.event == DataEvent::end) return take(CutKind::data_end, scan.taken);
  if (scan.event != DataEvent::none) return take_look_alike(scan.event, scan.taken);
  return past_mail_budget(bytes, within.size());
}

Cut Framer::take_look_alike(DataEvent event, std::size_t taken) noexcept {
  Cut cut = take(CutKind::look_alike, taken);
  cut.well_formed = framing_.tolerant && event == DataEvent::look_alike;
  behind_look_alike_ = true;
  return cut;
}

/// Past the budget only the final .CRLF fits, and what looks like it is still reported as such.
Cut Framer::past_mail_budget(std::span<const std::byte> bytes, std::size_t at) noexcept {
  for (; at < bytes.size(); ++at) {
    DataContext context = data_context_;
    const DataEvent event = step_data(context, bytes[at]);
    const bool may_be_the_end =
        context == DataContext::dot_after_crlf || context == DataContext::dot_cr;
    if (event == DataEvent::none && !may_be_the_end) return take(CutKind::over_budget, at);
    data_context_ = context;
    if (event == DataEvent::end) return take(CutKind::data_end, at + 1);
    if (event != DataEvent::none) return take_look_alike(event, at + 1);
  }
  return take(CutKind::need_more, at);
}

Cut Framer::next_of_tls(std::span<const std::byte> bytes) noexcept {
  if (reported_) return take(CutKind::need_more, bytes.size());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const TlsStart::Answer answer = tls_start_.step(bytes[at]);
    if (answer == TlsStart::Answer::undecided) continue;
    Cut cut = take(CutKind::tls_start, at + 1);
    cut.well_formed = answer == TlsStart::Answer::yes;
    cut.tls_alert = answer == TlsStart::Answer::alert;
    return cut;
  }
  return take(CutKind::need_more, bytes.size());
}

}  // namespace postern
