#include "engine/content_scan.h"

#include <algorithm>
#include <new>

#include "engine/content_memory.h"
#include "engine/content_sink.h"

namespace postern {
namespace {

/// What was found in bodies is told at least so often.
constexpr std::uint64_t kSettleBytes = 65'536;
/// The line that ends the data: `data_octets()` is that much behind what was fed, at most.
constexpr std::uint64_t kEndLineBytes = 3;

}  // namespace

ContentScanner::ContentScanner(std::shared_ptr<const ContentPlan> plan)
    : plan_(std::move(plan)), memory_(new (std::nothrow) ContentMemory(*plan_)) {}

ContentScanner::~ContentScanner() = default;

bool ContentScanner::ready() const noexcept {
  return memory_ != nullptr && memory_->ready;
}

std::uint64_t ContentScanner::scanned_octets() const noexcept {
  return memory_ == nullptr ? 0 : memory_->scanned_octets;
}

ContentScan::ContentScan(ContentScanner& scanner, bool dot_stuffed)
    : sink_(std::make_unique<Sink>(*scanner.memory_, *scanner.plan_, dot_stuffed)) {}

ContentScan::~ContentScan() = default;

void ContentScan::feed(std::span<const std::byte> octets) noexcept {
  sink_->feed(octets);
}

void ContentScan::finish() noexcept {
  sink_->finish();
}

std::span<const std::byte> ContentScan::facts() const noexcept {
  return sink_->facts().records();
}

void ContentScan::take_facts() noexcept {
  sink_->facts().take();
}

bool ContentScan::failed() const noexcept {
  return sink_->facts().failed();
}

ContentScan::Sink::Sink(ContentMemory& memory, const ContentPlan& plan, bool dot_stuffed)
    : memory_(memory), plan_(plan) {
  walk_.begin({.dot_stuffed = dot_stuffed,
               .decode = plan.decoded != nullptr,
               .details = plan.header != nullptr});
}

ContentScan::Sink::~Sink() {
  give_up_runs();
  drop_streams();
}

void ContentScan::Sink::feed(std::span<const std::byte> octets) {
  memory_.scanned_octets += octets.size();
  own_runs();
  while (!octets.empty() && !finished_ && !facts_.failed()) {
    const std::size_t step = step_octets(octets.size());
    walk_.feed(octets.first(step), *this);
    octets = octets.subspan(step);
    fed_octets_ += step;
    pass_header_lengths(walk_.header_octets());
    pass_lengths(plan_.data_lengths, data_lengths_passed_, walk_.data_octets(),
                 ContentFactKind::data_length);
    if (fed_octets_ % kSettleBytes == 0) settle();
  }
  if (!facts_.failed()) return;
  give_up_runs();
  drop_streams();
}

/// So many octets that a length can only be passed by the last of them.
std::size_t ContentScan::Sink::step_octets(std::size_t octets) const noexcept {
  std::uint64_t step = std::min<std::uint64_t>(octets, kSettleBytes - fed_octets_ % kSettleBytes);
  const auto stop_behind = [&step](std::uint64_t length, std::uint64_t most) {
    const std::uint64_t missing = length - std::min(length, most);
    if (missing < step) step = missing + 1;
  };
  if (own_header_ && header_lengths_passed_ < plan_.header_lengths.size()) {
    stop_behind(plan_.header_lengths[header_lengths_passed_], walk_.header_octets_most());
  }
  if (data_lengths_passed_ < plan_.data_lengths.size()) {
    const std::uint64_t length = plan_.data_lengths[data_lengths_passed_];
    // Behind the line that ends the data no length is passed any more.
    const bool ended = fed_octets_ > kEndLineBytes && fed_octets_ - kEndLineBytes > length;
    if (!ended) stop_behind(length, fed_octets_);
  }
  return static_cast<std::size_t>(step);
}

void ContentScan::Sink::pass_header_lengths(std::uint64_t octets) {
  pass_lengths(plan_.header_lengths, header_lengths_passed_, octets,
               ContentFactKind::header_length);
}

void ContentScan::Sink::pass_lengths(const std::vector<std::uint64_t>& lengths, std::size_t& passed,
                                     std::uint64_t octets, ContentFactKind kind) {
  while (passed < lengths.size() && octets > lengths[passed]) {
    settle();
    facts_.tell(kind, lengths[passed], {});
    ++passed;
  }
}

void ContentScan::Sink::finish() {
  if (finished_) return;
  finished_ = true;
  own_runs();
  if (!facts_.failed()) walk_.finish(*this);
  give_up_runs();
  drop_streams();
}

}  // namespace postern
