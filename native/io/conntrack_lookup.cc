#include "io/conntrack_lookup.h"

#include <cerrno>
#include <ctime>
#include <vector>

#include "io/outcome.h"

namespace postern {
namespace {

std::int64_t coarse_now_ms() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1'000 + now.tv_nsec / 1'000'000;
}

std::int64_t now_us() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

std::uint32_t mixed(std::uint32_t hash, const Endpoint& end) noexcept {
  constexpr std::uint32_t kFnvPrime = 16'777'619;
  for (const std::byte octet : end.address.octets) {
    hash = (hash ^ std::to_integer<std::uint32_t>(octet)) * kFnvPrime;
  }
  return (hash ^ end.port) * kFnvPrime;
}

/// Where a lookup is remembered: the same place for both directions. Whoever makes lookups collide
/// makes us ask again, no more.
std::size_t place_of(const FlowTuple& seen) noexcept {
  constexpr std::uint32_t kFnvBasis = 2'166'136'261;
  const std::uint32_t hash = mixed(kFnvBasis, seen.source) ^ mixed(kFnvBasis, seen.destination);
  return (hash ^ (hash >> 16U)) % kLookupsRememberedMax;
}

/// The kernel has no ctnetlink, or we may not use it: asking again will not help.
bool is_lasting(int error_number) noexcept {
  return error_number == EPERM || error_number == EOPNOTSUPP || error_number == EINVAL ||
         error_number == EPROTONOSUPPORT || error_number == EAFNOSUPPORT;
}

}  // namespace

std::optional<ConntrackTuples> ConntrackLookup::find(const FlowTuple& seen) noexcept {
  Remembered& place = remembered_[place_of(seen)];
  const std::int64_t now_ms = coarse_now_ms();
  if (now_ms < place.until_ms && (place.seen == seen || place.seen == reversed(seen))) {
    return place.entry;
  }
  place = {.seen = seen, .entry = ask(seen), .until_ms = now_ms + kLookupRememberedMs};
  return place.entry;
}

std::optional<ConntrackTuples> ConntrackLookup::ask(const FlowTuple& seen) noexcept {
  alignas(nlmsghdr) std::array<char, kConntrackRequestBytes> buffer;
  // Without NAT, or with one kind of it, one of the tuples is that of a direction of the entry.
  if (auto entry = ask_with(put_conntrack_get(buffer, seen), seen)) return entry;
  if (auto entry = ask_with(put_conntrack_get(buffer, reversed(seen)), seen)) return entry;
  // Only what has ports can be searched for.
  if (seen.protocol != wire::kProtocolTcp && seen.protocol != wire::kProtocolUdp) return {};
  return search(seen);
}

/// Under NAT of both kinds neither tuple is that of a direction. Who opened the connection is not
/// known here, so both are tried.
std::optional<ConntrackTuples> ConntrackLookup::search(const FlowTuple& seen) noexcept {
  const std::int64_t began_us = now_us();
  if (!searches_.may_begin(began_us)) return std::nullopt;
  alignas(nlmsghdr) std::array<char, kConntrackRequestBytes> buffer;
  auto entry = ask_with(put_conntrack_search(buffer, seen), seen);
  if (!entry) entry = ask_with(put_conntrack_search(buffer, reversed(seen)), seen);
  searches_.spend(began_us, now_us());
  return entry;
}

std::optional<ConntrackTuples> ConntrackLookup::ask_with(nlmsghdr* message,
                                                         const FlowTuple& seen) noexcept {
  std::optional<ConntrackTuples> found;
  (void)request(message, [&](const nlmsghdr& answer) {
    const std::optional<ConntrackTuples> entry = read_conntrack(answer);
    if (entry && tuple_before_nat(*entry, seen)) found = entry;
  });
  return found;
}

bool ConntrackLookup::set_mark(const FlowTuple& seen, std::uint32_t mark,
                               std::uint32_t mask) noexcept {
  const std::optional<ConntrackTuples> entry = find(seen);
  if (!entry) return false;
  alignas(nlmsghdr) std::array<char, kConntrackRequestBytes> buffer;
  return request(put_conntrack_mark(buffer, entry->original, mark, mask), [](const nlmsghdr&) {}) ==
         0;
}

std::size_t ConntrackLookup::clear_marks(std::uint32_t mark, std::uint32_t mask) noexcept {
  alignas(nlmsghdr) std::array<char, kConntrackRequestBytes> buffer;
  std::vector<FlowTuple> marked;
  (void)request(put_conntrack_marked(buffer, mark, mask), [&](const nlmsghdr& answer) {
    const std::optional<ConntrackTuples> entry = read_conntrack(answer);
    if (entry && (entry->mark & mask) == mark && marked.size() < kMarkedFlowsMax) {
      marked.push_back(entry->original);
    }
  });
  std::size_t cleared = 0;
  for (const FlowTuple& tuple : marked) {
    const int refusal = request(put_conntrack_mark(buffer, tuple, 0, mask), [](const nlmsghdr&) {});
    if (refusal == 0) ++cleared;
  }
  return cleared;
}

int ConntrackLookup::request(nlmsghdr* message,
                             const NetlinkSocket::MessageHandler& on_message) noexcept {
  if (refused_) return EOPNOTSUPP;
  int error_number = netlink_.is_open() ? 0 : netlink_.open(kConntrackAnswerMs);
  if (error_number == 0) error_number = netlink_.request(*message, on_message);
  if (error_number == 0 || error_number == ENOENT) return error_number;
  error_ = with_reason("asking conntrack", error_number);
  // A search may fail for its filter alone, which says nothing of the plain questions.
  refused_ = is_lasting(error_number) && (message->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP;
  // An answer given up halfway would come in the way of the next one.
  netlink_.close();
  return error_number;
}

}  // namespace postern
