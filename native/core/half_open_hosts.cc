// The responder hosts of the half-open table.
#include "core/connection_hash.h"
#include "core/half_open_table.h"

namespace postern {
namespace {

constexpr std::uint32_t kNoLink = 0;
constexpr std::uint32_t kHostMask = HalfOpenTable::kHostsLimit - 1;

}  // namespace

std::uint32_t HalfOpenTable::host_of(std::uint32_t index) const noexcept {
  return records_[index].host_and_generation & kHostMask;
}

std::uint32_t HalfOpenTable::find_host(const Address& address) const noexcept {
  if (hosts_size_ == 0) return kNoHost;
  const std::size_t bucket = address_hash(hash_key_, address) & (host_buckets_.size() - 1);
  for (std::uint32_t link = host_buckets_[bucket]; link != kNoLink;) {
    const Host& host = hosts_[link - 1];
    if (host.address == address) return link - 1;
    link = host.next_in_bucket;
  }
  return kNoHost;
}

bool HalfOpenTable::has_host_room(const Address& address) const noexcept {
  return hosts_size_ < hosts_.size() || find_host(address) != kNoHost;
}

std::uint32_t HalfOpenTable::take_host(const Address& address) noexcept {
  const std::uint32_t known = find_host(address);
  if (known != kNoHost) return known;
  std::uint32_t host = 0;
  if (first_free_host_ != kNoLink) {
    host = first_free_host_ - 1;
    first_free_host_ = hosts_[host].next_in_bucket;
  } else if (untouched_hosts_ < hosts_.size()) {
    host = untouched_hosts_++;
  } else {
    return kNoHost;
  }
  std::uint32_t& head =
      host_buckets_[address_hash(hash_key_, address) & (host_buckets_.size() - 1)];
  hosts_[host] = {
      .address = address, .blocked = false, .entries = 0, .age = {}, .next_in_bucket = head};
  head = host + 1;
  ++hosts_size_;
  return host;
}

/// Forgets a host that has neither an entry nor a block.
void HalfOpenTable::release_host(std::uint32_t index) noexcept {
  Host& host = hosts_[index];
  if (host.entries != 0 || host.blocked) return;
  std::uint32_t* link =
      &host_buckets_[address_hash(hash_key_, host.address) & (host_buckets_.size() - 1)];
  while (*link != index + 1) link = &hosts_[*link - 1].next_in_bucket;
  *link = host.next_in_bucket;
  host.next_in_bucket = first_free_host_;
  first_free_host_ = index + 1;
  --hosts_size_;
}

bool HalfOpenTable::block(const Address& address) noexcept {
  if (capacity_ == 0) return false;
  const std::uint32_t host = take_host(address);
  if (host == kNoHost) return false;
  if (!hosts_[host].blocked) ++blocked_hosts_;
  hosts_[host].blocked = true;
  return true;
}

void HalfOpenTable::unblock(const Address& address) noexcept {
  const std::uint32_t host = find_host(address);
  if (host == kNoHost || !hosts_[host].blocked) return;
  hosts_[host].blocked = false;
  --blocked_hosts_;
  release_host(host);
}

}  // namespace postern
