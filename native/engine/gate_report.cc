// What the gate counts, and what it tells the main thread.
#include <algorithm>
#include <mutex>

#include "core/limits.h"
#include "engine/gate.h"

namespace postern {

void Gate::note_host(std::uint32_t host) noexcept {
  const Address& address = table_.host_address(host);
  const std::uint32_t half_open = table_.host_entries(host);
  const auto known = std::ranges::find(reports_, address, &HostReport::address);
  if (known != reports_.end()) {
    known->half_open = std::max(known->half_open, half_open);
  } else if (reports_.size() < kHostReportsMax) {
    reports_.push_back({.address = address, .half_open = half_open});
  }
}

void Gate::note_attempt() noexcept {
  attempts_.fetch_add(1, std::memory_order_relaxed);
  count(Counter::flows_created);
}

std::uint64_t Gate::half_open() const noexcept {
  const std::uint64_t entries = entries_.load(std::memory_order_relaxed);
  const std::uint64_t owed = entries_owed_.load(std::memory_order_relaxed);
  return entries - std::min(entries, owed) + datagrams();
}

std::uint64_t Gate::datagrams() const noexcept {
  const std::int64_t left =
      datagrams_.load(std::memory_order_relaxed) - datagrams_owed_.load(std::memory_order_relaxed);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(left, 0));
}

bool Gate::owe_connection() noexcept {
  const std::uint64_t entries = entries_.load(std::memory_order_relaxed);
  const std::uint64_t owed = entries_owed_.load(std::memory_order_relaxed);
  if (entries - std::min(entries, owed) <= datagrams()) return false;
  entries_owed_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool Gate::take_datagram_owed() noexcept {
  std::int64_t owed = datagrams_owed_.load(std::memory_order_relaxed);
  while (owed > 0) {
    if (datagrams_owed_.compare_exchange_weak(owed, owed - 1, std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

void Gate::raise_peak() noexcept {
  const std::uint64_t now = half_open();
  std::uint64_t peak = peak_.load(std::memory_order_relaxed);
  while (peak < now && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

void Gate::note_size() noexcept {
  entries_.store(table_.size(), std::memory_order_relaxed);
  // Later ones do not go for those that were owed and ended by themselves.
  if (table_.size() == 0) entries_owed_.store(0, std::memory_order_relaxed);
}

/// Written under the lock only, hence without a loop.
void Gate::note_max() noexcept {
  std::atomic<std::uint64_t>& max = counters_[static_cast<std::size_t>(Counter::max_half_open)];
  if (max.load(std::memory_order_relaxed) < table_.size()) {
    max.store(table_.size(), std::memory_order_relaxed);
  }
}

std::vector<HalfOpen> Gate::entries(std::uint32_t from, std::size_t most) const {
  std::vector<HalfOpen> list;
  list.reserve(std::min<std::size_t>(most, entries_.load(std::memory_order_relaxed)));
  const std::lock_guard lock(mutex_);
  for (std::uint32_t index = table_.next_used(from);
       index != kNoEntry && list.size() < list.capacity() && list.size() < most;
       index = table_.next_used(index + 1)) {
    list.push_back(table_.get(index));
  }
  return list;
}

void Gate::note_datagram(std::int32_t change) noexcept {
  const std::int64_t left = datagrams_.fetch_add(change, std::memory_order_relaxed) + change;
  if (change <= 0) {
    // Those that were owed and ended by themselves: later ones do not go in their place.
    if (datagrams_owed_.load(std::memory_order_relaxed) > left) {
      datagrams_owed_.store(std::max<std::int64_t>(left, 0), std::memory_order_relaxed);
    }
    return;
  }
  attempts_.fetch_add(static_cast<std::uint64_t>(change), std::memory_order_relaxed);
  raise_peak();
}

GateSample Gate::sample() {
  GateSample taken;
  taken.hosts.reserve(kHostReportsMax);
  taken.drops.reserve(kGateDropsMax);
  const std::lock_guard lock(mutex_);
  taken.half_open = half_open();
  taken.half_open_peak =
      std::max(peak_.exchange(taken.half_open, std::memory_order_relaxed), taken.half_open);
  taken.attempts = attempts_.exchange(0, std::memory_order_relaxed);
  taken.hosts.swap(reports_);
  taken.drops.swap(drops_);
  return taken;
}

Counters Gate::counters() const noexcept {
  Counters counted;
  for (std::size_t i = 0; i < kCounters; ++i) {
    counted[static_cast<Counter>(i)] = counters_[i].load(std::memory_order_relaxed);
  }
  counted[Counter::flows_half_open] = entries_.load(std::memory_order_relaxed);
  return counted;
}

void Gate::count(Counter counter, std::uint64_t by) noexcept {
  counters_[static_cast<std::size_t>(counter)].fetch_add(by, std::memory_order_relaxed);
}

void Gate::note_drop(const TcpPacket& packet, Counter reason) noexcept {
  const std::lock_guard lock(mutex_);
  if (!limits_.report_drops || drops_.size() >= kGateDropsMax) return;
  drops_.push_back({.source = packet.source,
                    .destination = packet.destination,
                    .ip_ident = packet.ip_ident,
                    .flags = packet.flags,
                    .sequence = packet.sequence,
                    .acknowledgement = packet.acknowledgement,
                    .reason = reason});
}

void Gate::note_told(const GateDrop& told) noexcept {
  const std::lock_guard lock(mutex_);
  if (drops_.size() < kGateDropsMax) drops_.push_back(told);
}

}  // namespace postern
