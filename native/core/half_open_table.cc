#include "core/half_open_table.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "core/connection_hash.h"

namespace postern {
namespace {

constexpr std::uint32_t kNoLink = 0;
constexpr std::int64_t kAgeUnitMs = 10;
constexpr unsigned kMssUnitBytes = 64;
constexpr unsigned kHostBits = 20;
constexpr std::uint32_t kHostMask = (1U << kHostBits) - 1;
/// RFC 7323 2.3: shift counts end at 14.
constexpr std::uint8_t kNoScale = 15;

constexpr std::uint8_t kInitiatorTimestamps = 0x01;
constexpr std::uint8_t kResponderTimestamps = 0x02;
constexpr std::uint8_t kAnswered = 0x04;
constexpr std::uint8_t kInitiatorSack = 0x08;
constexpr std::uint8_t kResponderSack = 0x10;
constexpr std::uint8_t kTurned = 0x20;

std::uint8_t pack_mss(std::uint16_t mss) noexcept {
  return static_cast<std::uint8_t>(std::min(mss / kMssUnitBytes, 255U));
}

std::uint16_t unpack_mss(std::uint8_t units) noexcept {
  return static_cast<std::uint16_t>(units * kMssUnitBytes);
}

unsigned pack_scale(const std::optional<std::uint8_t>& scale) noexcept {
  return scale ? std::min<unsigned>(*scale, 14U) : kNoScale;
}

std::optional<std::uint8_t> unpack_scale(unsigned bits) noexcept {
  if (bits == kNoScale) return std::nullopt;
  return static_cast<std::uint8_t>(bits);
}

}  // namespace

HalfOpenTable::HalfOpenTable(std::size_t entries_max, std::size_t hosts_max,
                             const HashKey& hash_key) noexcept
    : hash_key_(hash_key),
      records_(std::min(entries_max, kEntriesLimit)),
      buckets_(std::bit_ceil(std::max<std::size_t>(records_.size(), 1))),
      used_bits_((records_.size() + 63) / 64),
      hosts_(std::min(hosts_max, kHostsLimit)),
      host_buckets_(std::bit_ceil(std::max<std::size_t>(hosts_.size(), 1))) {
  const bool ok = records_.ok() && buckets_.ok() && used_bits_.ok() && hosts_.ok() &&
                  host_buckets_.ok() && hosts_.size() > 0;
  if (ok) capacity_ = records_.size();
}

bool HalfOpenTable::joins(const Record& record, const Endpoint& one,
                          const Endpoint& another) const noexcept {
  const Address& host = hosts_[record.host_and_generation & kHostMask].address;
  const auto is = [&](const Endpoint& initiator, const Endpoint& responder) {
    return record.initiator_port == initiator.port && record.responder_port == responder.port &&
           record.initiator_address == initiator.address.octets && host == responder.address;
  };
  return is(one, another) || is(another, one);
}

std::uint32_t HalfOpenTable::find(const Endpoint& source,
                                  const Endpoint& destination) const noexcept {
  if (size_ == 0) return kNoEntry;
  const std::size_t bucket =
      connection_hash(hash_key_, source, destination) & (buckets_.size() - 1);
  for (std::uint32_t link = buckets_[bucket]; link != kNoLink;) {
    const Record& record = records_[link - 1];
    if (joins(record, source, destination)) return link - 1;
    link = record.next_in_bucket;
  }
  return kNoEntry;
}

FlowKey HalfOpenTable::key_of(const Record& record) const noexcept {
  const Address& host = hosts_[record.host_and_generation & kHostMask].address;
  return {.initiator = {.address = {.octets = record.initiator_address, .version = host.version},
                        .port = record.initiator_port},
          .responder = {.address = host, .port = record.responder_port}};
}

std::uint32_t& HalfOpenTable::bucket_of(const FlowKey& key) noexcept {
  return buckets_[connection_hash(hash_key_, key.initiator, key.responder) & (buckets_.size() - 1)];
}

void HalfOpenTable::write_facts(Record& record, const HalfOpen& entry) noexcept {
  record.initiator_sequence = entry.initiator_sequence;
  record.responder_sequence = entry.responder_sequence;
  record.initiator_window = entry.initiator_window;
  record.responder_window = entry.responder_window;
  record.mss = {pack_mss(entry.initiator_mss), pack_mss(entry.responder_mss)};
  record.window_scales = static_cast<std::uint8_t>(
      pack_scale(entry.initiator_window_scale) | (pack_scale(entry.responder_window_scale) << 4U));
  record.flags = static_cast<std::uint8_t>((entry.initiator_timestamps ? kInitiatorTimestamps : 0) |
                                           (entry.responder_timestamps ? kResponderTimestamps : 0) |
                                           (entry.initiator_sack ? kInitiatorSack : 0) |
                                           (entry.responder_sack ? kResponderSack : 0) |
                                           (entry.turned ? kTurned : 0) |
                                           (entry.answered ? kAnswered : 0));
}

std::uint32_t HalfOpenTable::unit_of(std::int64_t now_ms) noexcept {
  // The list is in the order of age only if no entry is older than the one before it.
  newest_unit_ = std::max(newest_unit_, now_ms / kAgeUnitMs);
  return static_cast<std::uint32_t>(newest_unit_);
}

std::uint32_t HalfOpenTable::insert(const HalfOpen& entry) noexcept {
  if (size_ >= capacity_) return kNoEntry;
  const std::uint32_t host = take_host(entry.key.responder.address);
  if (host == kNoHost) return kNoEntry;
  const std::uint32_t index = take_index();
  Record& record = records_[index];
  const std::uint32_t generation = record.host_and_generation & ~kHostMask;
  record.host_and_generation = generation | host;
  record.initiator_address = entry.key.initiator.address.octets;
  record.initiator_port = entry.key.initiator.port;
  record.responder_port = entry.key.responder.port;
  record.created = unit_of(entry.created_ms);
  write_facts(record, entry);

  std::uint32_t& head = bucket_of(entry.key);
  record.next_in_bucket = head;
  head = index + 1;
  append(age_, &Record::age, index + 1);
  append(hosts_[host].age, &Record::host_age, index + 1);
  ++hosts_[host].entries;
  used_bits_[index / 64] |= std::uint64_t{1} << (index % 64);
  ++size_;
  return index;
}

void HalfOpenTable::update(std::uint32_t index, const HalfOpen& entry) noexcept {
  assert(used(index));
  if (used(index)) write_facts(records_[index], entry);
}

void HalfOpenTable::renew(std::uint32_t index, const HalfOpen& entry) noexcept {
  assert(used(index));
  if (!used(index)) return;
  Record& record = records_[index];
  write_facts(record, entry);
  record.created = unit_of(entry.created_ms);
  record.host_and_generation += 1U << kHostBits;
  Host& host = hosts_[host_of(index)];
  remove(age_, &Record::age, index + 1);
  append(age_, &Record::age, index + 1);
  remove(host.age, &Record::host_age, index + 1);
  append(host.age, &Record::host_age, index + 1);
}

void HalfOpenTable::erase(std::uint32_t index) noexcept {
  assert(used(index));
  if (!used(index)) return;
  Record& record = records_[index];
  std::uint32_t* link = &bucket_of(key_of(record));
  while (*link != index + 1) link = &records_[*link - 1].next_in_bucket;
  *link = record.next_in_bucket;
  const std::uint32_t host = host_of(index);
  remove(age_, &Record::age, index + 1);
  remove(hosts_[host].age, &Record::host_age, index + 1);
  --hosts_[host].entries;
  release_host(host);

  record.host_and_generation += 1U << kHostBits;
  record.next_in_bucket = first_free_;
  first_free_ = index + 1;
  used_bits_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
  --size_;
}

HalfOpen HalfOpenTable::get(std::uint32_t index) const noexcept {
  HalfOpen entry;
  if (!used(index)) return entry;
  const Record& record = records_[index];
  entry.index = index;
  entry.generation = record.host_and_generation >> kHostBits;
  entry.key = key_of(record);
  entry.initiator_sequence = record.initiator_sequence;
  entry.responder_sequence = record.responder_sequence;
  entry.initiator_window = record.initiator_window;
  entry.responder_window = record.responder_window;
  entry.initiator_mss = unpack_mss(record.mss[0]);
  entry.responder_mss = unpack_mss(record.mss[1]);
  entry.initiator_window_scale = unpack_scale(record.window_scales & 0x0FU);
  entry.responder_window_scale = unpack_scale(record.window_scales >> 4U);
  entry.initiator_timestamps = (record.flags & kInitiatorTimestamps) != 0;
  entry.responder_timestamps = (record.flags & kResponderTimestamps) != 0;
  entry.initiator_sack = (record.flags & kInitiatorSack) != 0;
  entry.responder_sack = (record.flags & kResponderSack) != 0;
  entry.answered = (record.flags & kAnswered) != 0;
  entry.turned = (record.flags & kTurned) != 0;
  entry.created_ms = created_ms(index);
  return entry;
}

bool HalfOpenTable::holds(const HalfOpen& entry) const noexcept {
  if (!used(entry.index)) return false;
  const Record& record = records_[entry.index];
  return (record.host_and_generation >> kHostBits) == entry.generation &&
         record.initiator_sequence == entry.initiator_sequence && key_of(record) == entry.key;
}

std::int64_t HalfOpenTable::created_ms(std::uint32_t index) const noexcept {
  const std::uint32_t age = static_cast<std::uint32_t>(newest_unit_) - records_[index].created;
  return (newest_unit_ - age) * kAgeUnitMs;
}

std::uint32_t HalfOpenTable::next_used(std::uint32_t from) const noexcept {
  if (from >= untouched_) return kNoEntry;
  std::uint64_t bits = used_bits_[from / 64] & (~std::uint64_t{0} << (from % 64));
  for (std::size_t word = from / 64;;) {
    if (bits != 0)
      return static_cast<std::uint32_t>(word * 64 +
                                        static_cast<std::size_t>(std::countr_zero(bits)));
    if (++word >= used_bits_.size()) return kNoEntry;
    bits = used_bits_[word];
  }
}

std::uint32_t HalfOpenTable::take_index() noexcept {
  if (first_free_ == kNoLink) return untouched_++;
  const std::uint32_t index = first_free_ - 1;
  first_free_ = records_[index].next_in_bucket;
  return index;
}

void HalfOpenTable::append(AgeList& list, Links Record::*links, std::uint32_t link) noexcept {
  Links& own = records_[link - 1].*links;
  own = {.previous = list.newest, .next = kNoLink};
  if (list.newest == kNoLink) {
    list.oldest = link;
  } else {
    (records_[list.newest - 1].*links).next = link;
  }
  list.newest = link;
}

void HalfOpenTable::remove(AgeList& list, Links Record::*links, std::uint32_t link) noexcept {
  const Links own = records_[link - 1].*links;
  if (own.previous == kNoLink) {
    list.oldest = own.next;
  } else {
    (records_[own.previous - 1].*links).next = own.next;
  }
  if (own.next == kNoLink) {
    list.newest = own.previous;
  } else {
    (records_[own.next - 1].*links).previous = own.previous;
  }
}

}  // namespace postern
