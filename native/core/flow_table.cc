#include "core/flow_table.h"

#include <bit>
#include <cassert>

#include "core/connection_hash.h"

namespace postern {
namespace {

constexpr std::uint32_t kNoLink = 0;

/// Enough buckets that chains stay short when the table is full.
std::size_t buckets_for(std::size_t capacity) noexcept {
  return std::bit_ceil(capacity == 0 ? std::size_t{1} : capacity);
}

std::size_t clamp_capacity(std::size_t capacity) noexcept {
  return capacity < kNoFlow ? capacity : kNoFlow - 1;
}

bool joins(const FlowKey& key, const Endpoint& one, const Endpoint& another) noexcept {
  return (key.initiator == one && key.responder == another) ||
         (key.initiator == another && key.responder == one);
}

}  // namespace

FlowTable::FlowTable(std::size_t capacity, const HashKey& hash_key) noexcept
    : hash_key_(hash_key),
      entries_(clamp_capacity(capacity)),
      buckets_(buckets_for(clamp_capacity(capacity))),
      used_bits_((clamp_capacity(capacity) + 63) / 64) {
  if (!entries_.ok() || !buckets_.ok() || !used_bits_.ok()) return;
  capacity_ = entries_.size();
  bucket_mask_ = static_cast<std::uint32_t>(buckets_.size() - 1);
}

std::uint32_t FlowTable::find(const Endpoint& source, const Endpoint& destination) const noexcept {
  if (size_ == 0) return kNoFlow;
  const std::uint32_t hash = connection_hash(hash_key_, source, destination);
  for (std::uint32_t link = buckets_[hash & bucket_mask_]; link != kNoLink;) {
    const Entry& entry = entries_[link - 1];
    if (entry.hash == hash && joins(entry.key, source, destination)) return link - 1;
    link = entry.next;
  }
  return kNoFlow;
}

std::uint32_t FlowTable::take_index() noexcept {
  if (first_free_ != kNoLink) {
    const std::uint32_t flow = first_free_ - 1;
    first_free_ = entries_[flow].next;
    return flow;
  }
  return untouched_ < capacity_ ? untouched_++ : kNoFlow;
}

std::uint32_t FlowTable::insert(const FlowKey& key) noexcept {
  const std::uint32_t flow = take_index();
  if (flow == kNoFlow) return kNoFlow;
  Entry& entry = entries_[flow];
  entry.key = key;
  entry.hash = connection_hash(hash_key_, key.initiator, key.responder);
  std::uint32_t& head = buckets_[entry.hash & bucket_mask_];
  entry.next = head;
  head = flow + 1;
  used_bits_[flow / 64] |= std::uint64_t{1} << (flow % 64);
  ++size_;
  return flow;
}

void FlowTable::erase(std::uint32_t flow) noexcept {
  assert(used(flow));
  if (!used(flow)) return;
  Entry& entry = entries_[flow];
  std::uint32_t* link = &buckets_[entry.hash & bucket_mask_];
  while (*link != flow + 1) link = &entries_[*link - 1].next;
  *link = entry.next;
  ++entry.generation;
  entry.next = first_free_;
  first_free_ = flow + 1;
  used_bits_[flow / 64] &= ~(std::uint64_t{1} << (flow % 64));
  --size_;
}

std::uint32_t FlowTable::next_used(std::uint32_t from) const noexcept {
  if (from >= untouched_) return kNoFlow;
  std::uint64_t bits = used_bits_[from / 64] & (~std::uint64_t{0} << (from % 64));
  for (std::size_t word = from / 64;;) {
    if (bits != 0)
      return static_cast<std::uint32_t>(word * 64 +
                                        static_cast<std::size_t>(std::countr_zero(bits)));
    if (++word >= used_bits_.size()) return kNoFlow;
    bits = used_bits_[word];
  }
}

}  // namespace postern
