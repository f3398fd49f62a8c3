#include "engine/gate.h"

#include <algorithm>
#include <mutex>

#include "core/limits.h"
#include "core/timer_wheel.h"
#include "engine/drop_counter.h"
#include "engine/random_key.h"

namespace postern {

namespace {

HalfOpen entry_of(const TcpPacket& syn, std::int64_t now_ms) noexcept {
  HalfOpen entry;
  entry.key = {.initiator = syn.source, .responder = syn.destination};
  entry.initiator_sequence = syn.sequence;
  entry.initiator_window = syn.window;
  entry.initiator_mss = syn.options.mss.value_or(entry.initiator_mss);
  entry.initiator_window_scale = syn.options.window_scale;
  entry.initiator_timestamps = syn.options.has_timestamps;
  entry.initiator_sack = syn.options.sack_permitted;
  entry.created_ms = now_ms;
  return entry;
}

/// A SYN sent again may offer less than the first, and we cannot know which one is answered: what
/// was ever offered counts, as in the tracker.
void add_offers(HalfOpen& entry, const TcpPacket& syn) noexcept {
  entry.initiator_window = std::max(entry.initiator_window, syn.window);
  entry.initiator_timestamps |= syn.options.has_timestamps;
  entry.initiator_sack |= syn.options.sack_permitted;
  if (syn.options.mss) entry.initiator_mss = *syn.options.mss;
  if (!syn.options.window_scale) return;
  entry.initiator_window_scale =
      std::max(entry.initiator_window_scale.value_or(0), *syn.options.window_scale);
}

Gate::SynVerdict refusal(Counter reason) noexcept {
  Gate::SynVerdict verdict;
  verdict.reason = reason;
  return verdict;
}

}  // namespace

Gate::Gate(std::size_t entries_max, std::size_t hosts_max)
    : table_(entries_max, hosts_max, random_key()) {
  // Nothing is allocated later: a flood must not meet a failing allocation.
  reports_.reserve(kHostReportsMax);
  drops_.reserve(kGateDropsMax);
}

void Gate::configure(const GateLimits& limits) noexcept {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

GateLimits Gate::limits() const noexcept {
  const std::lock_guard lock(mutex_);
  return limits_;
}

Gate::SynVerdict Gate::on_syn(const TcpPacket& syn, std::int64_t now_ms,
                              const std::optional<Proxied>& proxied) noexcept {
  Tracker probe;
  if (const TrackDrop drop = probe.open(syn); drop != TrackDrop::none) {
    return refusal(drop_counter_of(drop));
  }
  const std::lock_guard lock(mutex_);
  const std::uint32_t host = table_.find_host(syn.destination.address);
  if (host != kNoHost && table_.blocked(host)) return refusal(Counter::drop_host_blocked);
  const std::uint32_t index = table_.find(syn.source, syn.destination);
  HalfOpen fresh = entry_of(syn, now_ms);
  fresh.proxied = proxied;
  return index == kNoEntry ? admit(fresh) : admit_again(index, syn, fresh);
}

Gate::SynVerdict Gate::admit(const HalfOpen& fresh) noexcept {
  SynVerdict verdict;
  if (!make_room(fresh.key.responder.address, verdict.resets)) {
    verdict.reason = Counter::drop_host_table_full;
    return verdict;
  }
  const std::uint32_t index = table_.insert(fresh);
  if (index == kNoEntry) {
    verdict.reason = Counter::drop_flow_table_full;
    return verdict;
  }
  proxied_.set(index, fresh.proxied);
  note_size();
  note_attempt();
  raise_peak();
  note_max();
  enforce_limits(index, verdict.resets);
  verdict.accept = true;
  return verdict;
}

/// A SYN between ends that have an entry already.
Gate::SynVerdict Gate::admit_again(std::uint32_t index, const TcpPacket& syn,
                                   const HalfOpen& fresh) noexcept {
  HalfOpen entry = table_.get(index);
  // From the responder it would be a simultaneous open or a split handshake (RFC 9293 3.5).
  if (entry.key.initiator != syn.source) return refusal(Counter::drop_stray);
  const bool same = entry.initiator_sequence == syn.sequence;
  // RFC 5961 4: once the responder has answered, a forged SYN must not undo the handshake.
  if (!same && entry.answered) return refusal(Counter::drop_syn_in_window);
  if (!same) {
    table_.renew(index, fresh);
    proxied_.set(index, fresh.proxied);
    note_attempt();
  } else if (!entry.answered) {
    add_offers(entry, syn);
    table_.update(index, entry);
  }
  // An initiator that came before the flood may come again through the proxy.
  if (fresh.proxied && !proxied_.find(index)) proxied_.set(index, fresh.proxied);
  SynVerdict verdict;
  verdict.accept = true;
  return verdict;
}

/// The table full: the oldest goes. The hosts' records all in use: some of the oldest go, in the
/// hope that one of them was the last of its host.
bool Gate::make_room(const Address& responder, Resets& resets) noexcept {
  if (table_.size() > 0 && table_.size() >= table_.capacity()) {
    hand_out(table_.oldest(), Counter::half_open_evicted, resets);
  }
  for (std::size_t i = 0; i < kHostRoomEvictionsMax; ++i) {
    if (table_.size() == 0 || table_.has_host_room(responder)) break;
    hand_out(table_.oldest(), Counter::half_open_evicted, resets);
  }
  return table_.has_host_room(responder);
}

/// cisco-ios 3.3 and 3.4. The connection that was just admitted is never the victim.
void Gate::enforce_limits(std::uint32_t newest, Resets& resets) noexcept {
  const std::uint32_t host = table_.host_of(newest);
  if (table_.host_entries(host) > limits_.host_half_open_max) note_host(host);
  if (limits_.aggressive) static_cast<void>(give_up_oldest(newest, resets));
  for (std::size_t i = 0; i < Resets::kMax && limits_.half_open_max != GateLimits::kUnlimited;
       ++i) {
    if (half_open() <= limits_.half_open_max || !give_up_oldest(newest, resets)) break;
  }
  while (table_.host_entries(host) > limits_.host_half_open_max &&
         table_.oldest_of_host(host) != newest && resets.count < Resets::kMax) {
    hand_out(table_.oldest_of_host(host), Counter::half_open_evicted, resets);
  }
}

/// Sessions of UDP and ICMP are the workers', so which is the oldest of all is not known here: it
/// is looked for among those of which there are more. Without that, a flood of the one kind would
/// take all places of the other.
bool Gate::give_up_oldest(std::uint32_t newest, Resets& resets) noexcept {
  if (datagrams() > table_.size()) {
    datagrams_owed_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  if (table_.oldest() == newest || resets.count >= Resets::kMax) return false;
  hand_out(table_.oldest(), Counter::half_open_evicted, resets);
  return true;
}

void Gate::remove(std::uint32_t index, Counter counter) noexcept {
  table_.erase(index);
  note_size();
  count(counter);
}

void Gate::hand_out(std::uint32_t index, Counter counter, Resets& resets) noexcept {
  if (resets.count < Resets::kMax) resets.victims[resets.count++] = get(index);
  remove(index, counter);
}

void Gate::expire(std::int64_t now_ms, Resets& resets) noexcept {
  if (entries_.load(std::memory_order_relaxed) == 0) return;
  const std::lock_guard lock(mutex_);
  while (entries_owed_.load(std::memory_order_relaxed) > 0 && resets.count < Resets::kMax) {
    entries_owed_.fetch_sub(1, std::memory_order_relaxed);
    if (table_.size() > 0) hand_out(table_.oldest(), Counter::half_open_evicted, resets);
  }
  for (std::size_t i = 0; i < kExpiriesPerCallMax && table_.size() > 0; ++i) {
    const std::uint32_t oldest = table_.oldest();
    if (table_.created_ms(oldest) + limits_.synwait_ms > now_ms) return;
    if (!limits_.reset_on_expiry) {
      remove(oldest, Counter::half_open_expired);
    } else if (resets.count < Resets::kMax) {
      hand_out(oldest, Counter::half_open_expired, resets);
    } else {
      return;
    }
  }
}

std::int64_t Gate::next_expiry_ms() const noexcept {
  if (entries_.load(std::memory_order_relaxed) == 0) return TimerWheel::kNever;
  if (entries_owed_.load(std::memory_order_relaxed) > 0) return 0;
  const std::lock_guard lock(mutex_);
  if (table_.size() == 0) return TimerWheel::kNever;
  return table_.created_ms(table_.oldest()) + limits_.synwait_ms;
}

bool Gate::block(const Address& host) noexcept {
  const std::lock_guard lock(mutex_);
  const std::uint32_t known = table_.find_host(host);
  if (known != kNoHost && table_.blocked(known)) return true;
  return table_.blocked_hosts() < kBlockedHostsMax && table_.block(host);
}

void Gate::give_up_blocked(const Address& host, Resets& resets) noexcept {
  const std::lock_guard lock(mutex_);
  const std::uint32_t index = table_.find_host(host);
  if (index == kNoHost || !table_.blocked(index)) return;
  while (table_.host_entries(index) > 0 && resets.count < Resets::kMax) {
    hand_out(table_.oldest_of_host(index), Counter::half_open_evicted, resets);
  }
}

void Gate::unblock(const Address& host) noexcept {
  const std::lock_guard lock(mutex_);
  table_.unblock(host);
}

void Gate::clear(std::uint32_t index, std::uint32_t generation, Resets& resets) noexcept {
  const std::lock_guard lock(mutex_);
  if (index != kNoEntry) {
    const bool same = table_.used(index) && table_.get(index).generation == generation;
    if (same && resets.count < Resets::kMax) hand_out(index, Counter::half_open_reset, resets);
    return;
  }
  while (table_.size() > 0 && resets.count < Resets::kMax) {
    hand_out(table_.oldest(), Counter::half_open_reset, resets);
  }
}

}  // namespace postern
