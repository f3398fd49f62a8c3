#include "engine/event_batch.h"

namespace postern {

namespace {

/// Argument words of each operation; 0xFF where there is no such operation.
constexpr std::size_t arguments_of(std::uint32_t op) noexcept {
  switch (static_cast<OrderOp>(op)) {
    case OrderOp::forward:
    case OrderOp::pause:
    case OrderOp::resume:
    case OrderOp::stop:
    case OrderOp::again:
      return 0;
    case OrderOp::idle:
    case OrderOp::end:
    case OrderOp::content:
      return 1;
    case OrderOp::mask:
    case OrderOp::frame:
    case OrderOp::refuse:
      return 2;
  }
  return 0xFF;
}

}  // namespace

void EventWriter::start(std::int64_t now_ms) noexcept {
  count_ = 0;
  arena_used_ = 0;
  if (words_.size() < kEventHeaderWords) return;
  words_[0] = static_cast<std::uint32_t>(now_ms);
  words_[1] = static_cast<std::uint32_t>(static_cast<std::uint64_t>(now_ms) >> 32U);
}

bool EventWriter::reserve(std::size_t octets, std::uint32_t& offset) noexcept {
  if (arena_used_ + octets > arena_.size()) return false;
  offset = static_cast<std::uint32_t>(arena_used_);
  arena_used_ += octets;
  return true;
}

bool EventWriter::full() const noexcept {
  return kEventHeaderWords + (static_cast<std::size_t>(count_) + 1) * kEventWords > words_.size();
}

void EventWriter::add(const Event& event) noexcept {
  const std::span<std::uint32_t> record = words_.subspan(
      kEventHeaderWords + static_cast<std::size_t>(count_) * kEventWords, kEventWords);
  record[0] = static_cast<std::uint32_t>(event.kind) |
              (static_cast<std::uint32_t>(event.side) << 8U) | (event.flags << 16U);
  record[1] = event.flow;
  record[2] = event.generation;
  record[3] = event.text_offset;
  record[4] = event.text_length;
  record[5] = static_cast<std::uint32_t>(event.number);
  record[6] = static_cast<std::uint32_t>(event.number >> 32U);
  record[7] = event.extra;
  ++count_;
}

bool OrderReader::next(Order& order) noexcept {
  if (broken_ || at_ >= words_.size()) return false;
  const std::uint32_t head = words_[at_];
  const std::size_t arguments = arguments_of(head & 0xFFU);
  if (arguments == 0xFF || ((head >> 8U) & 0xFFU) > 1 || at_ + 2 + arguments > words_.size()) {
    broken_ = true;
    return false;
  }
  order.op = static_cast<OrderOp>(head & 0xFFU);
  order.side = static_cast<Side>((head >> 8U) & 0xFFU);
  order.flags = head >> 16U;
  order.flow = words_[at_ + 1];
  order.first = arguments > 0 ? words_[at_ + 2] : 0;
  order.second = arguments > 1 ? words_[at_ + 3] : 0;
  at_ += 2 + arguments;
  return true;
}

}  // namespace postern
