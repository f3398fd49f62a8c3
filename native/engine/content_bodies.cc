#include <algorithm>
#include <utility>

#include "engine/content_sink.h"

namespace postern {
namespace {

/// To copy so much costs more than a call of the engine for what may follow.
constexpr std::size_t kLargePieceBytes = 4'096;

constexpr ContentText text_of(TransferCoding coding) noexcept {
  return coding == TransferCoding::base64 ? ContentText::base64 : ContentText::quoted_printable;
}

}  // namespace

PatternStreams& ContentScan::Sink::streams_of(ContentText text) noexcept {
  return text == ContentText::as_is ? *memory_.body : *memory_.decoded;
}

void ContentScan::Sink::body(std::uint32_t number, MimeRegion region,
                             std::span<const std::byte> octets) {
  if (!memory_.body && !memory_.decoded) return;
  Part& part = enter(number);
  part.shown = region != MimeRegion::content || part.text;
  if (!part.shown || (region == MimeRegion::content && !part.as_is)) return;
  add(part, ContentText::as_is, octets);
}

void ContentScan::Sink::decoded(std::uint32_t number, TransferCoding coding,
                                std::span<const std::byte> octets) {
  Part& part = enter(number);
  if (!memory_.decoded || !part.shown) return;
  add(part, text_of(coding), octets);
}

/// What the part has of them goes on in its streams.
void ContentScan::Sink::lasting_begin(std::uint32_t number) {
  scan_runs();
  Part& part = enter(number);
  lasting_.number = number;
  lasting_.shown = part.shown;
  lasting_.decoded_ids = part.decoded_ids;
  for (const ContentText text : {ContentText::base64, ContentText::quoted_printable}) {
    const auto at = static_cast<std::size_t>(text);
    lasting_.streams[at] = std::exchange(part.streams[at], kNoPatternStream);
  }
}

void ContentScan::Sink::lasting(TransferCoding coding, std::span<const std::byte> octets) {
  if (!memory_.decoded || !lasting_.shown) return;
  scan(lasting_, text_of(coding), octets);
}

void ContentScan::Sink::lasting_end() {
  close(lasting_);
}

/// What was decoded so far is the same.
void ContentScan::Sink::padless_begin(std::uint32_t number) {
  scan_runs();
  Part& part = enter(number);
  padless_.number = number;
  padless_.shown = part.shown;
  const auto at = static_cast<std::size_t>(ContentText::base64);
  if (part.streams[at] == kNoPatternStream) return;
  padless_.streams[at] = streams_of(ContentText::base64).copy(part.streams[at]);
  if (padless_.streams[at] == kNoPatternStream) facts_.keep(ContentLimit::streams);
}

void ContentScan::Sink::padless(std::span<const std::byte> octets) {
  if (!memory_.decoded || !padless_.shown) return;
  scan(padless_, ContentText::base64, octets);
}

void ContentScan::Sink::padless_end() {
  close(padless_);
}

/// Gathers small pieces; a large one goes to the engine as it is.
void ContentScan::Sink::add(Part& part, ContentText text, std::span<const std::byte> octets) {
  ContentRun& run = memory_.runs[static_cast<std::size_t>(text)];
  if (!run.takes(octets)) scan_run(text);
  if (!run.takes(octets) || (run.octets().empty() && octets.size() >= kLargePieceBytes)) {
    scan(part, text, octets);
    return;
  }
  run.add(octets);
  runs_filled_ = true;
}

/// The runs are this scan's from here on.
void ContentScan::Sink::own_runs() {
  if (memory_.runs_owner == this) return;
  if (memory_.runs_owner != nullptr) memory_.runs_owner->scan_runs();
  memory_.runs_owner = this;
}

/// Nobody asks any more what stands in them.
void ContentScan::Sink::give_up_runs() noexcept {
  if (memory_.runs_owner != this) return;
  for (ContentRun& run : memory_.runs) run.clear();
  runs_filled_ = false;
  memory_.runs_owner = nullptr;
}

/// What was gathered is of the part that is innermost.
void ContentScan::Sink::scan_runs() {
  if (!runs_filled_) return;
  scan_run(ContentText::as_is);
  scan_run(ContentText::base64);
  scan_run(ContentText::quoted_printable);
  runs_filled_ = false;
}

void ContentScan::Sink::scan_run(ContentText text) {
  ContentRun& run = memory_.runs[static_cast<std::size_t>(text)];
  if (run.octets().empty()) return;
  if (!parts_.empty()) scan(parts_.back(), text, run.octets());
  run.clear();
}

void ContentScan::Sink::scan(Part& part, ContentText text, std::span<const std::byte> octets) {
  if (text == ContentText::as_is && memory_.decoded) scan(part, ContentText::as_is_decoded, octets);
  if (text == ContentText::as_is && !memory_.body) return;
  PatternStreams& streams = streams_of(text);
  std::uint32_t& stream = part.streams[static_cast<std::size_t>(text)];
  if (stream == kNoPatternStream) stream = streams.open();
  if (stream == kNoPatternStream) {
    facts_.keep(ContentLimit::streams);
    return;
  }
  PatternMatches matches(memory_.room);
  const ScanEnd end = streams.scan(stream, octets, memory_.scratch, matches);
  keep(part, text, matches, end);
}

void ContentScan::Sink::keep(Part& part, ContentText text, const PatternMatches& matches,
                             ScanEnd end) {
  if (end == ScanEnd::full) facts_.keep(ContentLimit::facts);
  if (end == ScanEnd::failed) facts_.keep(ContentLimit::engine);
  for (const PatternMatch& match : matches.found()) {
    if (text == ContentText::as_is) {
      facts_.keep(part.number, ContentFactKind::body, match.id);
      continue;
    }
    // It is a text of the part that is innermost, which ends no sooner.
    std::vector<std::uint32_t>& told =
        &part == &padless_ ? parts_.back().decoded_ids : part.decoded_ids;
    const auto place = std::ranges::lower_bound(told, match.id);
    if (place != told.end() && *place == match.id) continue;
    told.insert(place, match.id);
    facts_.keep(part.number, ContentFactKind::decoded, match.id);
  }
}

/// The texts of a part end here: finds what stands at their ends.
void ContentScan::Sink::close(Part& part) {
  for (std::size_t at = 0; at < kContentTexts; ++at) {
    if (part.streams[at] == kNoPatternStream) continue;
    const auto text = static_cast<ContentText>(at);
    PatternMatches matches(memory_.room);
    const ScanEnd end = streams_of(text).close(part.streams[at], memory_.scratch, matches);
    part.streams[at] = kNoPatternStream;
    keep(part, text, matches, end);
  }
}

void ContentScan::Sink::drop_streams() noexcept {
  for (Part& part : parts_) drop_streams_of(part);
  drop_streams_of(lasting_);
  drop_streams_of(padless_);
}

void ContentScan::Sink::drop_streams_of(Part& part) noexcept {
  for (std::size_t at = 0; at < kContentTexts; ++at) {
    if (part.streams[at] == kNoPatternStream) continue;
    streams_of(static_cast<ContentText>(at)).drop(part.streams[at]);
    part.streams[at] = kNoPatternStream;
  }
}

}  // namespace postern
