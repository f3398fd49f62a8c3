// Sessions of UDP and ICMP: how they begin, are answered, and end.
#include <algorithm>

#include "core/wire.h"
#include "engine/datagram_flows.h"
#include "engine/gate.h"
#include "engine/packet_loop.h"

namespace postern {

namespace {

constexpr std::uint16_t kDnsPort = 53;

}  // namespace

bool DatagramFlows::carry_out(const Order& order) noexcept {
  const std::uint32_t index = order.flow - kDatagramFlowBase;
  if (index >= table_.capacity()) return false;
  // It ended by an order before this one, or while the order was on its way.
  if (!table_.used(index)) return true;
  DatagramSession& session = table_.at(index);
  switch (order.op) {
    case OrderOp::forward:
    case OrderOp::idle:
      if (session.standing == DatagramStanding::asking) become_session(index);
      if (order.op == OrderOp::idle) {
        session.idle_ms = std::min(order.first, 0xFFFF'FFFFU / 1'000U) * 1'000U;
        wheel_.set(index, session.last_heard_ms + timeout_ms(index));
      }
      return true;
    case OrderOp::stop:
      if (session.standing == DatagramStanding::asking) {
        table_.set_standing(index, DatagramStanding::foreign);
      }
      return true;
    case OrderOp::end:
      refuse(index, static_cast<EndReason>(order.first));
      return true;
    case OrderOp::refuse:
      refuse(index, EndReason::refused);
      return true;
    case OrderOp::mask:
    case OrderOp::pause:
    case OrderOp::resume:
    case OrderOp::frame:
    case OrderOp::again:
    case OrderOp::content:
      return false;
  }
  return false;
}

void DatagramFlows::become_session(std::uint32_t index) noexcept {
  make_room_among_half_open();
  make_room_in_table();
  DatagramSession& session = table_.at(index);
  table_.set_standing(index, DatagramStanding::half_open);
  session.announced = true;
  session.last_heard_ms = now_ms_;
  ++counters_[Counter::flows_created];
  ++counters_[Counter::flows_half_open];
  counters_.note_peak(Counter::flows_half_open, Counter::max_half_open);
  if (gate_ != nullptr) gate_->note_datagram(1);
}

/// Without those that the judge is asked about now.
std::size_t DatagramFlows::settled() const noexcept {
  return table_.size() - table_.size(DatagramStanding::asking);
}

/// What is no session loses nothing but the judge's answer. Then who has not been answered, then
/// who has been silent for longest.
void DatagramFlows::make_room_in_table() noexcept {
  if (settled() < sessions_max_) return;
  static_cast<void>(evict_oldest(DatagramStanding::foreign) ||
                    evict_oldest(DatagramStanding::half_open) ||
                    evict_oldest(DatagramStanding::open));
}

/// cisco-ios 3.3: while the firewall is aggressive, or has as many as it may, each new session
/// takes the place of the oldest half-open one.
void DatagramFlows::make_room_among_half_open() noexcept {
  if (gate_ == nullptr) return;
  const GateLimits limits = gate_->limits();
  const bool full =
      limits.half_open_max != GateLimits::kUnlimited && gate_->half_open() >= limits.half_open_max;
  if ((limits.aggressive || full) && !gate_->owe_connection()) {
    static_cast<void>(evict_oldest(DatagramStanding::half_open));
  }
}

/// What the gate wants given up for connections.
void DatagramFlows::end_owed() noexcept {
  if (gate_ == nullptr) return;
  while (table_.size(DatagramStanding::half_open) > 0 && gate_->take_datagram_owed()) {
    static_cast<void>(evict_oldest(DatagramStanding::half_open));
  }
}

bool DatagramFlows::evict_oldest(DatagramStanding standing) noexcept {
  const std::uint32_t index = table_.oldest(standing);
  if (index == kNoFlow) return false;
  if (standing == DatagramStanding::half_open) ++counters_[Counter::half_open_evicted];
  end(index, EndReason::closed);
  return true;
}

/// The other side was heard.
void DatagramFlows::note_answered(std::uint32_t index) noexcept {
  table_.set_standing(index, DatagramStanding::open);
  --counters_[Counter::flows_half_open];
  ++counters_[Counter::flows_established];
  counters_.note_peak(Counter::flows_established, Counter::max_established);
  if (gate_ != nullptr) gate_->note_datagram(-1);
}

/// Half-open sessions keep their place: their order is that of their beginning.
void DatagramFlows::note_heard(std::uint32_t index) noexcept {
  DatagramSession& session = table_.at(index);
  session.last_heard_ms = now_ms_;
  if (session.standing != DatagramStanding::half_open) {
    table_.set_standing(index, session.standing);
  }
  wheel_.set(index, now_ms_ + timeout_ms(index));
}

/// cisco-ios 3.5: `dns-timeout` holds for a name server's sessions, whatever a rule's own timeout.
std::int64_t DatagramFlows::timeout_ms(std::uint32_t index) const noexcept {
  const DatagramEnds ends = table_.ends(index);
  const bool dns = ends.protocol == wire::kProtocolUdp && ends.destination.port == kDnsPort;
  return dns ? dns_timeout_ms_ : table_.at(index).idle_ms;
}

void DatagramFlows::advance(std::int64_t now_ms) noexcept {
  now_ms_ = now_ms;
  end_owed();
  wheel_.advance(now_ms, [this](std::uint32_t index) {
    if (table_.used(index)) on_timer(index);
  });
}

/// Silence is how these sessions end: nobody is told but the judge.
void DatagramFlows::on_timer(std::uint32_t index) noexcept {
  const std::int64_t deadline_ms = table_.at(index).last_heard_ms + timeout_ms(index);
  if (now_ms_ < deadline_ms) {
    wheel_.set(index, deadline_ms);
    return;
  }
  if (table_.at(index).standing == DatagramStanding::half_open) {
    ++counters_[Counter::half_open_expired];
  }
  end(index, EndReason::closed);
}

/// Ends a session by order; what came of it in this turn does not pass.
void DatagramFlows::refuse(std::uint32_t index, EndReason reason) noexcept {
  std::erase_if(waiting_, [&](const Waiting& packet) {
    if (packet.session != index || packet.generation != table_.generation(index)) return false;
    drop(packet, Counter::drop_refused);
    return true;
  });
  end(index, reason);
}

void DatagramFlows::end(std::uint32_t index, EndReason reason) noexcept {
  const DatagramSession& session = table_.at(index);
  if (session.announced) {
    ended_.push_back({index, table_.generation(index), session.bytes, reason});
  }
  if (session.standing == DatagramStanding::half_open) {
    --counters_[Counter::flows_half_open];
    if (gate_ != nullptr) gate_->note_datagram(-1);
  }
  if (session.standing == DatagramStanding::open) --counters_[Counter::flows_established];
  wheel_.cancel(index);
  table_.erase(index);
}

void DatagramFlows::abandon(bool keep) noexcept {
  give_up();
  ended_.clear();
  for (std::uint32_t index = table_.next_used(0); index != kNoFlow;
       index = table_.next_used(index + 1)) {
    table_.at(index).announced = false;
    if (!keep) end(index, EndReason::worker_restarted);
  }
}

void DatagramFlows::shut_down() noexcept {
  abandon(false);
}

}  // namespace postern
