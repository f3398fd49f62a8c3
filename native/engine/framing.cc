// Frames to events: the judge sees one frame of a flow at a time.
#include <algorithm>
#include <cstring>

#include "core/bytes.h"
#include "engine/event_text.h"
#include "engine/packet_loop.h"

namespace postern {

namespace {

std::size_t octets_of(LineEnd end) noexcept {
  switch (end) {
    case LineEnd::crlf:
      return 2;
    case LineEnd::bare_lf:
      return 1;
    case LineEnd::none:
      break;
  }
  return 0;
}

std::size_t find_octet(std::span<const std::byte> bytes, std::byte wanted) noexcept {
  if (bytes.empty()) return 0;
  const void* found = std::memchr(bytes.data(), std::to_integer<int>(wanted), bytes.size());
  if (found == nullptr) return bytes.size();
  return static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes.data());
}

/// How much of `run` may be framed before a line has to be judged: up to and with a CR that
/// something else than LF follows. `after_cr`: the octet before the run was a CR of this line.
std::size_t through_bare_cr(std::span<const std::byte> run, bool after_cr) noexcept {
  if (after_cr && !run.empty() && run.front() != kLf) return 0;
  const auto line = run.first(find_octet(run, kLf));
  const std::size_t cr = find_octet(line, kCr);
  return cr + 1 < line.size() ? cr + 1 : run.size();
}

void put_word(std::span<std::byte> out, std::uint32_t word) noexcept {
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::byte>(word >> (24U - 8U * i));
}

}  // namespace

void PacketLoop::write_drop_record(const TcpPacket& packet, std::span<std::byte> out) noexcept {
  put_endpoint(out, packet.source);
  put_endpoint(out.subspan(kEndpointOctets), packet.destination);
  out = out.subspan(2 * kEndpointOctets);
  put_word(out, packet.ip_ident);
  put_word(out.subspan(4), packet.flags);
  put_word(out.subspan(8), packet.sequence);
  put_word(out.subspan(12), packet.acknowledgement);
}

void PacketLoop::judge_all() noexcept {
  while (!active_.empty() || !closed_.empty() || writer_.count() > 0 || datagrams_.has_events()) {
    write_closed();
    datagrams_.write_events();
    round_.swap(active_);
    active_.clear();
    for (const std::uint32_t index : round_) {
      if (!table_.used(index)) continue;
      // A flow that wrote a frame, or found no room for one, has another turn after the orders.
      if (advance(index) != Advance::done) active_.push_back(index);
    }
    round_.clear();
    if (writer_.count() == 0) break;
    deliver();
  }
  // Nothing could be written although there was something to judge: without a judge nothing passes.
  round_.swap(active_);
  for (const std::uint32_t index : round_) {
    if (table_.used(index)) refuse_with_reset(index, EndReason::engine_error);
  }
  round_.clear();
  datagrams_.give_up();
}

PacketLoop::Advance PacketLoop::advance(std::uint32_t index) noexcept {
  const std::uint32_t generation = table_.generation(index);
  for (;;) {
    const Advance step = next_event(index);
    if (step != Advance::done) return step;
    settle(index);
    Flow& flow = *flows_[index];
    flow.busy = false;
    InHand* next = nullptr;
    for (std::size_t i = 0; i < hands_count_ && next == nullptr; ++i) {
      if (hands_[i].waiting && hands_[i].flow == index) next = &hands_[i];
    }
    if (next == nullptr) return Advance::done;
    next->waiting = false;
    // Whatever it makes ready, this loop works on: no second entry among the active flows.
    flow.busy = true;
    admit(*next);
    // It may have made room for its successor, which is active by itself.
    if (!table_.used(index) || table_.generation(index) != generation) return Advance::done;
    flows_[index]->busy = true;
  }
}

PacketLoop::Advance PacketLoop::next_event(std::uint32_t index) noexcept {
  Flow& flow = *flows_[index];
  if (flow.stage == FlowStage::dead || flow.stage == FlowStage::refusing) return Advance::done;
  if (flow.needs_announcement) return write_opened(index);
  if (!flow.announced) return Advance::done;
  if (content_waits(flow)) return write_content(index);
  const Side first = flow.next_side;
  const Advance step = next_frame(index, first);
  return step == Advance::done ? next_frame(index, other(first)) : step;
}

PacketLoop::Advance PacketLoop::next_frame(std::uint32_t index, Side from) noexcept {
  Flow& flow = *flows_[index];
  FlowSide& side = flow.side(from);
  if (side.opaque) return Advance::done;
  if (side.judged_at_cr && side.framed < side.store.end()) {
    const Advance step = finish_line(index, from);
    if (step != Advance::done) return step;
  }
  if (side.paused || side.judged_at_cr) return Advance::done;
  // A counted run of no octets ends before anything comes.
  bool at_bare_cr = false;
  while (!at_bare_cr &&
         (side.framed < side.store.end() || side.framer.framing().mode == FramingMode::counted)) {
    std::span<std::byte> run = side.store.run_at(pool_, side.framed);
    const Framer before = side.framer;
    if (before.framing().mode == FramingMode::lines && !before.framing().tolerant) {
      const std::size_t octets = through_bare_cr(run, before.after_cr());
      at_bare_cr = octets < run.size();
      run = run.first(octets);
    }
    Cut cut = side.framer.next(run);
    const bool hello_kept = before.awaits_tls() && keep_hello(side, run.first(cut.taken));
    if (before.awaits_tls() && !hello_kept) cut = {.kind = CutKind::tls_start, .taken = cut.taken};
    const bool found = from == Side::initiator && flow.content &&
                       scan_content(flow, before.framing().mode, run.first(cut.taken));
    if (found && cut.kind != CutKind::need_more) {
      // What stands before a frame's end is judged before its end is: it will be cut again.
      side.framer = before;
      return write_content(index);
    }
    side.framed += cut.taken;
    if (found) return write_content(index);
    if (cut.kind == CutKind::need_more) {
      if (run.empty()) break;
      continue;
    }
    const Advance step = write_frame(index, from, cut);
    if (step == Advance::blocked) {
      side.framer = before;
      side.framed -= cut.taken;
      if (hello_kept) forget_hello(side, cut.taken);
    }
    return step;
  }
  const Framing& framing = side.framer.framing();
  if (framing.mode == FramingMode::lines && !framing.tolerant) {
    if (side.framed == side.frame_begin || side.partial_asked == side.framed) return Advance::done;
    if (side.store.run_at(pool_, side.framed - 1).front() == std::byte{'\r'})
      return judge_at_cr(index, from);
    const Advance step = write_text(index, from, EventKind::partial, {});
    if (step == Advance::wrote) side.partial_asked = side.framed;
    return step;
  }
  if (framing.mode == FramingMode::lines) {
    shorten_tolerant(side);
  } else {
    side.frame_begin = side.framed;
  }
  side.released = std::max(side.released, side.framed);
  return Advance::done;
}

/// The packet ends between CR and LF. To hold the CR would stall a client that waits for its
/// acknowledgement (Nagle), and to let it pass unjudged would let a server that acts on CR run the
/// line: so the line is judged now. So it is where something else than LF stands behind the CR: the
/// same octets get the same verdict, however they are cut.
PacketLoop::Advance PacketLoop::judge_at_cr(std::uint32_t index, Side from) noexcept {
  FlowSide& side = flows_[index]->side(from);
  --side.framed;
  const Advance step = write_text(index, from, EventKind::line, {.end = LineEnd::none});
  ++side.framed;
  if (step != Advance::wrote) return step;
  side.judged_at_cr = true;
  side.framer.set(side.framer.framing());
  return step;
}

/// The octet behind a CR at which a line was judged. LF ends the line, whatever framing its
/// judgement set. Anything else makes it another line than the one judged: the machine sees it
/// whole, paused or not, and unless it refuses, the session ends.
PacketLoop::Advance PacketLoop::finish_line(std::uint32_t index, Side from) noexcept {
  Flow& flow = *flows_[index];
  FlowSide& side = flow.side(from);
  if (side.store.run_at(pool_, side.framed).front() != std::byte{'\n'}) {
    ++side.framed;
    const Advance step = write_text(index, from, EventKind::partial, {});
    if (step == Advance::blocked) --side.framed;
    if (step == Advance::wrote) flow.reframe_wanted = true;
    return step;
  }
  ++side.framed;
  side.begin_frame(side.framed);
  side.released = std::max(side.released, side.framed);
  side.judged_at_cr = false;
  return Advance::done;
}

/// A tolerant line may be as long as it likes: its head is put aside and only its tail stays in the
/// store, with room for the line end, which is no part of the text.
void PacketLoop::shorten_tolerant(FlowSide& side) noexcept {
  const auto head_max = static_cast<std::size_t>(side.framer.framing().bytes);
  const std::uint64_t length = side.framed - side.frame_begin;
  const std::size_t kept = kTolerantTailBytes + octets_of(LineEnd::crlf);
  if (length <= head_max + kept) return;
  if (side.head.empty()) {
    side.head.resize(head_max);
    side.store.copy_out(pool_, side.frame_begin, side.head);
  }
  side.frame_begin = side.framed - kept;
}

PacketLoop::Advance PacketLoop::write_frame(std::uint32_t index, Side from,
                                            const Cut& cut) noexcept {
  FlowSide& side = flows_[index]->side(from);
  switch (cut.kind) {
    case CutKind::line:
      return write_text(index, from, EventKind::line, cut);
    case CutKind::over_budget:
      return write_text(index, from, EventKind::over_budget, cut);
    case CutKind::counted_end:
      return write_text(index, from, EventKind::counted_end, cut);
    case CutKind::data_end:
      return write_text(index, from, EventKind::data_end, cut);
    case CutKind::look_alike:
      return write_text(index, from, EventKind::look_alike, cut);
    case CutKind::tls_start:
      return write_tls_start(index, from, cut);
    case CutKind::need_more:
      break;
  }
  side.released = std::max(side.released, side.framed);
  return Advance::done;
}

PacketLoop::Advance PacketLoop::write_text(std::uint32_t index, Side from, EventKind kind,
                                           const Cut& cut) noexcept {
  Flow& flow = *flows_[index];
  FlowSide& side = flow.side(from);
  const Framing& framing = side.framer.framing();
  const bool with_text = kind == EventKind::line || kind == EventKind::partial ||
                         (kind == EventKind::over_budget && framing.mode == FramingMode::lines);
  std::uint64_t end = side.framed;
  if (kind == EventKind::line) end -= octets_of(cut.end);
  std::uint64_t begin = with_text ? std::min(side.frame_begin, end) : end;
  if (kind == EventKind::line && framing.mode == FramingMode::lines && framing.tolerant) {
    // Whole in one packet or not, the machine sees a long line's head and tail.
    if (side.head.empty() && end - begin > framing.bytes + kTolerantTailBytes) {
      side.head.resize(static_cast<std::size_t>(framing.bytes));
      side.store.copy_out(pool_, begin, side.head);
    }
    if (!side.head.empty() && end - begin > kTolerantTailBytes) begin = end - kTolerantTailBytes;
  }
  const auto stored = static_cast<std::size_t>(end - begin);
  const std::size_t length = side.head.size() + stored;
  std::uint32_t at = 0;
  if (writer_.full() || !writer_.reserve(length, at)) return Advance::blocked;
  std::copy(side.head.begin(), side.head.end(), writer_.text(at, side.head.size()).begin());
  copy_as_sent(side, begin,
               writer_.text(at + static_cast<std::uint32_t>(side.head.size()), stored));
  writer_.add(
      {.kind = kind,
       .side = from,
       .flags = (cut.end == LineEnd::bare_lf ? kBareLf : 0U) | (cut.well_formed ? kWellFormed : 0U),
       .flow = index,
       .generation = table_.generation(index),
       .text_offset = at,
       .text_length = static_cast<std::uint32_t>(length),
       .number = cut.frame_bytes,
       .extra = packet_id_});
  flow.event_side = from;
  flow.event_is_partial = kind == EventKind::partial;
  flow.reframe_wanted = kind == EventKind::over_budget || kind == EventKind::look_alike;
  flow.mend_wanted = kind == EventKind::look_alike && cut.well_formed;
  // The octet that told is the whole frame: it can be overwritten, the rest is on its way.
  if (flow.mend_wanted) side.frame_begin = side.framed - 1;
  flow.ordered = false;
  return Advance::wrote;
}

void PacketLoop::copy_as_sent(FlowSide& side, std::uint64_t begin,
                              std::span<std::byte> out) noexcept {
  side.store.copy_out(pool_, begin, out);
  for (const MaskedRun& run : side.masked) {
    const std::uint64_t from = std::max(begin, run.offset);
    const std::uint64_t to = std::min(begin + out.size(), run.offset + run.octets.size());
    if (from >= to) continue;
    const auto octets = std::span(run.octets)
                            .subspan(static_cast<std::size_t>(from - run.offset),
                                     static_cast<std::size_t>(to - from));
    std::ranges::copy(octets, out.begin() + static_cast<std::ptrdiff_t>(from - begin));
  }
}

PacketLoop::Advance PacketLoop::write_opened(std::uint32_t index) noexcept {
  Flow& flow = *flows_[index];
  std::uint32_t at = 0;
  if (writer_.full() || !writer_.reserve(2 * kEndpointOctets, at)) return Advance::blocked;
  put_endpoint(writer_.text(at, kEndpointOctets), table_.key(index).initiator);
  put_endpoint(writer_.text(at + kEndpointOctets, kEndpointOctets), table_.key(index).responder);
  writer_.add(
      {.kind = EventKind::opened,
       .flags = flow.midstream ? kMidstream : 0U,
       .flow = index,
       .generation = table_.generation(index),
       .text_offset = at,
       .text_length = 2 * kEndpointOctets,
       .number = (static_cast<std::uint64_t>(flow.out_interface) << 32U) | flow.in_interface,
       .extra = static_cast<std::uint32_t>(flow.protocol) | (packet_id_ << 8U)});
  flow.needs_announcement = false;
  flow.announced = true;
  flow.ordered = true;
  return Advance::wrote;
}

void PacketLoop::write_closed() noexcept {
  std::size_t written = 0;
  for (const Closed& closed : closed_) {
    if (writer_.full()) break;
    writer_.add({.kind = EventKind::closed,
                 .flow = closed.flow,
                 .generation = closed.generation,
                 .text_offset = static_cast<std::uint32_t>(closed.bytes[1]),
                 .text_length = static_cast<std::uint32_t>(closed.bytes[1] >> 32U),
                 .number = closed.bytes[0],
                 .extra = static_cast<std::uint32_t>(closed.reason) | (packet_id_ << 8U)});
    ++written;
  }
  closed_.erase(closed_.begin(), closed_.begin() + static_cast<std::ptrdiff_t>(written));
}

/// Has the batch judged and carries out the orders. A judge that fails, or answers what is no
/// order, loses the flows that waited for it: nothing passes unjudged.
void PacketLoop::deliver() noexcept {
  const std::uint32_t events = writer_.count();
  const std::size_t words = judge_ == nullptr ? Judge::kFailed : judge_->judge(events);
  writer_.start(now_ms_);
  if (words != Judge::kFailed && words <= buffers_.orders.size()) {
    OrderReader reader(buffers_.orders.first(words));
    Order order;
    while (reader.next(order)) {
      if (!carry_out(order)) break;
    }
  }
  datagrams_.conclude();
  // By index: ending a flow may activate nothing, but must not move what we walk over.
  for (std::size_t i = 0; i < active_.size(); ++i) {
    const std::uint32_t index = active_[i];
    if (!table_.used(index)) continue;
    const Flow& flow = *flows_[index];
    const bool over = flow.stage == FlowStage::dead || flow.stage == FlowStage::refusing;
    if (!over && (!flow.ordered || flow.reframe_wanted || flow.forward_wanted))
      refuse_with_reset(index, EndReason::engine_error);
  }
}

}  // namespace postern
