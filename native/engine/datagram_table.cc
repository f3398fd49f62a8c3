#include "engine/datagram_table.h"

#include "core/wire.h"

namespace postern {

namespace {

/// Bits that no address version has. They keep ICMP apart from UDP, and the one who asks apart from
/// the one who answers: two hosts may ask each other with the same numbers.
constexpr std::uint8_t kAsks = 0x40;
constexpr std::uint8_t kAnswers = 0x80;

[[nodiscard]] Endpoint marked(Endpoint end, std::uint8_t bit) noexcept {
  end.address.version |= bit;
  return end;
}

/// The two ends as the table of keys knows them, the packet's source first.
[[nodiscard]] FlowKey key_of(const DatagramEnds& ends) noexcept {
  if (!is_icmp(ends.protocol)) return {.initiator = ends.source, .responder = ends.destination};
  return {.initiator = marked(ends.source, ends.is_reply ? kAnswers : kAsks),
          .responder = marked(ends.destination, ends.is_reply ? kAsks : kAnswers)};
}

}  // namespace

DatagramTable::DatagramTable(std::size_t capacity, const HashKey& hash_key) noexcept
    : keys_(capacity, hash_key), sessions_(keys_.capacity()) {}

std::uint32_t DatagramTable::find(const DatagramEnds& ends) const noexcept {
  const FlowKey key = key_of(ends);
  return keys_.find(key.initiator, key.responder);
}

Side DatagramTable::side_of(std::uint32_t index, const DatagramEnds& ends) const noexcept {
  return keys_.side_of(index, key_of(ends).initiator);
}

std::uint32_t DatagramTable::insert(const DatagramEnds& ends) noexcept {
  if (!sessions_.ok()) return kNoFlow;
  const std::uint32_t index = keys_.insert(key_of(ends));
  if (index == kNoFlow) return kNoFlow;
  sessions_[index] = DatagramSession{};
  link(index);
  return index;
}

void DatagramTable::erase(std::uint32_t index) noexcept {
  unlink(index);
  keys_.erase(index);
}

void DatagramTable::set_standing(std::uint32_t index, DatagramStanding standing) noexcept {
  unlink(index);
  sessions_[index].standing = standing;
  link(index);
}

std::uint32_t DatagramTable::oldest(DatagramStanding standing) const noexcept {
  const std::uint32_t first = orders_[static_cast<std::size_t>(standing)].oldest;
  return first == 0 ? kNoFlow : first - 1;
}

DatagramEnds DatagramTable::ends(std::uint32_t index) const noexcept {
  const FlowKey& key = keys_.key(index);
  DatagramEnds ends{
      .protocol = wire::kProtocolUdp, .source = key.initiator, .destination = key.responder};
  if ((key.initiator.address.version & kAsks) == 0) return ends;
  ends.source.address.version ^= kAsks;
  ends.destination.address.version ^= kAnswers;
  ends.protocol = ends.source.address.version == 4 ? wire::kProtocolIcmp : wire::kProtocolIcmpv6;
  return ends;
}

std::uint32_t DatagramTable::next_session(std::uint32_t from) const noexcept {
  std::uint32_t index = keys_.next_used(from);
  while (index != kNoFlow && sessions_[index].standing < DatagramStanding::half_open) {
    index = keys_.next_used(index + 1);
  }
  return index;
}

void DatagramTable::link(std::uint32_t index) noexcept {
  DatagramSession& session = sessions_[index];
  Order& order = order_of(session.standing);
  session.older = order.newest;
  session.newer = 0;
  if (order.newest != 0) sessions_[order.newest - 1].newer = index + 1;
  order.newest = index + 1;
  if (order.oldest == 0) order.oldest = index + 1;
  ++order.size;
}

void DatagramTable::unlink(std::uint32_t index) noexcept {
  const DatagramSession& session = sessions_[index];
  Order& order = order_of(session.standing);
  (session.older != 0 ? sessions_[session.older - 1].newer : order.oldest) = session.newer;
  (session.newer != 0 ? sessions_[session.newer - 1].older : order.newest) = session.older;
  --order.size;
}

}  // namespace postern
