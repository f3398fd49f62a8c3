// Message content: octets of the initiator go through the scan as they are framed, and what it
// finds is judged before they leave.
#include "engine/content_flow.h"

#include <algorithm>
#include <utility>

#include "engine/packet_loop.h"

namespace postern {

namespace {

/// A record before its text (engine/content_scan.h).
constexpr std::size_t kFactHeadOctets = 12;

}  // namespace

std::uint32_t ContentPlans::define(std::shared_ptr<const ContentPlan> plan) {
  prune();
  if (plans_.size() >= kContentPlansMax) return 0;
  auto scanner = std::make_shared<ContentScanner>(std::move(plan));
  if (!scanner->ready()) return 0;
  plans_.emplace(++last_, Plan{std::move(scanner)});
  return last_;
}

void ContentPlans::release(std::uint32_t plan) noexcept {
  const auto found = plans_.find(plan);
  if (found == plans_.end() || std::exchange(found->second.released, true)) return;
  ++released_;
  prune();
}

std::shared_ptr<ContentScanner> ContentPlans::find(std::uint32_t plan) const noexcept {
  const auto found = plans_.find(plan);
  return found == plans_.end() || found->second.released ? nullptr : found->second.scanner;
}

void ContentPlans::prune() noexcept {
  if (released_ == 0) return;
  released_ -= std::erase_if(plans_, [](const auto& entry) {
    return entry.second.released && entry.second.scanner.use_count() == 1;
  });
}

std::uint32_t PacketLoop::define_plan(std::shared_ptr<const ContentPlan> plan) {
  return plans_.define(std::move(plan));
}

void PacketLoop::release_plan(std::uint32_t plan) noexcept {
  plans_.release(plan);
}

/// What cannot be carried out ends the flow: a message that its policy wants read is not let go
/// unread.
void PacketLoop::order_content(std::uint32_t index, const Order& order) noexcept {
  Flow& flow = *flows_[index];
  const bool finishing = flow.content && flow.content->finishing;
  const auto what = static_cast<ContentOrder>(order.flags);
  switch (finishing ? ContentOrder{} : what) {
    case ContentOrder::begin_data:
    case ContentOrder::begin_chunks: {
      auto scanner = plans_.find(order.first);
      if (scanner == nullptr) break;
      drop_content(flow);
      const bool data = what == ContentOrder::begin_data;
      flow.content = std::make_unique<FlowContent>(
          std::move(scanner), data ? FramingMode::mail_data : FramingMode::counted);
      ++counters_[Counter::content_messages];
      return;
    }
    case ContentOrder::finish:
      if (!flow.content || flow.event_side != Side::initiator) break;
      flow.content->scan.finish();
      flow.content->finishing = true;
      return;
    case ContentOrder::drop:
      drop_content(flow);
      return;
  }
  refuse_with_reset(index, EndReason::engine_error);
}

void PacketLoop::drop_content(Flow& flow) noexcept {
  flow.forward_wanted = false;
  if (!flow.content) return;
  flow.content.reset();
  plans_.prune();
}

/// The next octets that the initiator's framer took in `mode`, from `framed` on: each goes through
/// the scan once, however often it is framed. True when the scan has something to tell.
bool PacketLoop::scan_content(Flow& flow, FramingMode mode,
                              std::span<const std::byte> taken) noexcept {
  if (mode != FramingMode::mail_data && mode != FramingMode::counted) return false;
  FlowContent& content = *flow.content;
  const std::uint64_t framed = flow.side(Side::initiator).framed;
  const std::uint64_t end = framed + taken.size();
  const std::uint64_t begin = std::max(framed, content.seen);
  if (begin < end) {
    const std::span<const std::byte> fresh = taken.last(static_cast<std::size_t>(end - begin));
    content.seen = end;
    // Counted apart: what is framed under a plan and not scanned shows as a difference.
    counters_[Counter::content_octets] += fresh.size();
    if (mode == content.framing) {
      content.scan.feed(fresh);
      counters_[Counter::content_scanned_octets] += fresh.size();
    }
  }
  return !content.scan.facts().empty();
}

/// Whether something of the scan is to be told before anything else of the flow is judged.
bool PacketLoop::content_waits(const Flow& flow) noexcept {
  return flow.content && (flow.content->finishing || !flow.content->scan.facts().empty());
}

/// Tells what the scan found. Behind `finish` the frame that the judge has put aside is still the
/// one that is judged: `forward` releases it as it would have without a scan.
PacketLoop::Advance PacketLoop::write_content(std::uint32_t index) noexcept {
  Flow& flow = *flows_[index];
  FlowContent& content = *flow.content;
  const std::span<const std::byte> facts = content.scan.facts();
  std::uint32_t at = 0;
  if (writer_.full() || !writer_.reserve(facts.size(), at)) return Advance::blocked;
  std::ranges::copy(facts, writer_.text(at, facts.size()).begin());
  writer_.add({.kind = EventKind::content,
               .side = Side::initiator,
               .flags = content.finishing ? kFinished : 0U,
               .flow = index,
               .generation = table_.generation(index),
               .text_offset = at,
               .text_length = static_cast<std::uint32_t>(facts.size()),
               .extra = packet_id_});
  count_facts(facts);
  content.scan.take_facts();
  flow.ordered = false;
  if (content.finishing) {
    drop_content(flow);
    return Advance::wrote;
  }
  flow.event_side = Side::initiator;
  flow.event_is_partial = false;
  flow.forward_wanted = true;
  return Advance::wrote;
}

void PacketLoop::count_facts(std::span<const std::byte> records) noexcept {
  while (records.size() >= kFactHeadOctets) {
    ++counters_[Counter::content_facts];
    if (static_cast<ContentFactKind>(records[0]) == ContentFactKind::limit)
      ++counters_[Counter::content_limits];
    const std::size_t text =
        (std::to_integer<std::size_t>(records[2]) << 8U) | std::to_integer<std::size_t>(records[3]);
    records = records.subspan(std::min(records.size(), kFactHeadOctets + text));
  }
}

}  // namespace postern
