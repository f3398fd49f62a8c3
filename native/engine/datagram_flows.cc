// Packets of UDP and ICMP: to which session, and whether they may go.
#include "engine/datagram_flows.h"

#include <algorithm>

#include "core/wire.h"
#include "engine/packet_loop.h"

namespace postern {

namespace {

constexpr std::int64_t kTimerGranularityMs = 50;

}  // namespace

DatagramFlows::DatagramFlows(const DatagramSurroundings& surroundings, std::size_t capacity,
                             const HashKey& hash_key)
    : source_(surroundings.source),
      sender_(surroundings.sender),
      counters_(surroundings.counters),
      writer_(surroundings.writer),
      sessions_max_(std::min(capacity, kDatagramFlowsMax)),
      table_(sessions_max_ + kPacketsPerTurnMax, hash_key),
      wheel_(table_.capacity(), kTimerGranularityMs) {
  // A turn's packets wait at most.
  waiting_.reserve(kPacketsPerTurnMax);
  deciding_.reserve(kPacketsPerTurnMax);
  questions_.reserve(kPacketsPerTurnMax);
}

void DatagramFlows::configure(const LoopOptions& options) noexcept {
  udp_idle_ms_ = options.udp_idle_ms;
  icmp_idle_ms_ = options.icmp_idle_ms;
  dns_timeout_ms_ = options.dns_timeout_ms;
  mark_session_ = options.mark_session;
  generic_udp_ = options.generic_udp;
  generic_icmp_ = options.generic_icmp;
  report_drops_ = options.report_drops;
}

bool DatagramFlows::inspects(std::uint8_t protocol) const noexcept {
  return is_icmp(protocol) ? generic_icmp_ : generic_udp_;
}

void DatagramFlows::admit(const DatagramArrival& arrival, std::int64_t now_ms) noexcept {
  now_ms_ = now_ms;
  const ReceivedPacket& received = arrival.received;
  const DatagramPacket& packet = arrival.packet;
  constexpr std::size_t kHeaderBytes = wire::udp::kHeaderBytes;  // and ICMP's
  const std::size_t payload =
      packet.transport_bytes - std::min(packet.transport_bytes, kHeaderBytes);
  const Waiting seen{.session = kNoFlow,
                     .generation = 0,
                     .id = received.id,
                     .mark = received.mark,
                     .ends = packet.ends,
                     .ip_ident = packet.ip_ident,
                     .payload_bytes = static_cast<std::uint32_t>(payload)};
  if (arrival.error == ParseError::not_datagram) {
    drop(seen, Counter::drop_bad_packet);
    return;
  }
  // Only a replay brings what no rule inspects: the router would not have asked us.
  if (!inspects(packet.ends.protocol)) {
    accept(seen, 0);
    return;
  }
  ++counters_[is_icmp(packet.ends.protocol) ? Counter::icmp_packets : Counter::udp_packets];
  if (arrival.error != ParseError::none) {
    drop(seen, Counter::drop_bad_packet);
  } else if (received.checksum_complete && !datagram_checksum_ok(packet)) {
    drop(seen, Counter::drop_bad_checksum);
  } else if (packet.kind == DatagramKind::error) {
    admit_error(arrival, seen);
  } else if (packet.kind == DatagramKind::neighbour) {
    accept(seen, 0);
  } else if (packet.kind == DatagramKind::other) {
    drop(seen, Counter::drop_no_session);
  } else {
    admit_by_ends(seen, received);
  }
}

void DatagramFlows::admit_by_ends(const Waiting& packet, const ReceivedPacket& received) noexcept {
  std::uint32_t index = table_.find(packet.ends);
  if (index == kNoFlow && packet.ends.is_reply) {
    drop(packet, Counter::drop_no_session);
    return;
  }
  if (index == kNoFlow) index = open(packet, received);
  if (index == kNoFlow) {
    drop(packet, Counter::drop_flow_table_full);
    return;
  }
  if (table_.at(index).standing != DatagramStanding::asking) {
    pass_decided(index, packet);
    return;
  }
  waiting_.push_back(packet);
  waiting_.back().session = index;
  waiting_.back().generation = table_.generation(index);
}

/// A packet about whose ends the judge has been asked and has answered.
void DatagramFlows::pass_decided(std::uint32_t index, const Waiting& packet) noexcept {
  if (table_.at(index).standing == DatagramStanding::foreign) {
    pass_foreign(index, packet);
  } else {
    pass(index, packet);
  }
}

/// An error about a packet of ours goes to who sent that packet, and to nobody else. Which worker
/// knows the session cannot be told from an error's own addresses; conntrack finds the connection,
/// and its mark says that it has one.
void DatagramFlows::admit_error(const DatagramArrival& arrival, const Waiting& packet) noexcept {
  const DatagramEnds& about = arrival.packet.about;
  const bool addressed =
      about.protocol != 0 && about.source.address == arrival.packet.ends.destination.address;
  const bool known = about.protocol == wire::kProtocolTcp ? arrival.about_connection
                                                          : table_.find(about) != kNoFlow;
  if (addressed && (known || (packet.mark & mark_session_) != 0)) {
    accept(packet, 0);
  } else {
    drop(packet, Counter::drop_no_session);
  }
}

std::uint32_t DatagramFlows::open(const Waiting& packet, const ReceivedPacket& received) noexcept {
  const std::uint32_t index = table_.insert(packet.ends);
  if (index == kNoFlow) return kNoFlow;
  DatagramSession& session = table_.at(index);
  session.created_ms = now_ms_;
  session.in_interface = received.in_interface;
  session.out_interface = received.out_interface;
  session.idle_ms =
      static_cast<std::uint32_t>(is_icmp(packet.ends.protocol) ? icmp_idle_ms_ : udp_idle_ms_);
  questions_.push_back({index, table_.generation(index), packet.id});
  return index;
}

/// A packet of a session. One that came without the mark of its opening gets it: the connection may
/// be one that the kernel has forgotten in between.
void DatagramFlows::pass(std::uint32_t index, const Waiting& packet) noexcept {
  DatagramSession& session = table_.at(index);
  const Side from = table_.side_of(index, packet.ends);
  if (from == Side::responder && session.standing == DatagramStanding::half_open) {
    note_answered(index);
  }
  session.bytes[postern::index(from)] += packet.payload_bytes;
  ++session.packets[postern::index(from)];
  note_heard(index);
  accept(packet, mark_session_);
}

/// A packet that no rule inspects in its direction. If it came by an opening, that is of a session
/// that is over: it is closed, so that the access lists meet what follows.
void DatagramFlows::pass_foreign(std::uint32_t index, const Waiting& packet) noexcept {
  if ((packet.mark & mark_session_) == 0) {
    note_heard(index);
    accept(packet, 0);
    // It takes no session's place: without room the judge is asked again.
    if (settled() > sessions_max_) static_cast<void>(evict_oldest(DatagramStanding::foreign));
    return;
  }
  sender_.recall_datagram(table_.ends(index), mark_session_);
  drop(packet, Counter::drop_no_session);
  end(index, EndReason::closed);
}

void DatagramFlows::conclude() noexcept {
  deciding_.swap(waiting_);
  for (const Waiting& packet : deciding_) conclude(packet);
  deciding_.clear();
}

void DatagramFlows::conclude(const Waiting& packet) noexcept {
  const std::uint32_t index = packet.session;
  if (!table_.used(index) || table_.generation(index) != packet.generation) {
    drop(packet, Counter::drop_no_session);
    return;
  }
  const DatagramSession& session = table_.at(index);
  if (session.standing != DatagramStanding::asking) {
    pass_decided(index, packet);
  } else if (!session.asked) {
    waiting_.push_back(packet);
  } else {
    // The judge failed. Nothing passes because nobody answered.
    end(index, EndReason::engine_error);
    drop(packet, Counter::drop_no_session);
  }
}

void DatagramFlows::give_up() noexcept {
  questions_.clear();
  for (const Waiting& packet : waiting_) {
    const bool there =
        table_.used(packet.session) && table_.generation(packet.session) == packet.generation;
    if (there) end(packet.session, EndReason::engine_error);
    drop(packet, Counter::drop_no_session);
  }
  waiting_.clear();
}

/// Accepts it as it came, with the bits of `mark` set.
void DatagramFlows::accept(const Waiting& packet, std::uint32_t mark) noexcept {
  Verdict verdict;
  verdict.accept = true;
  if ((packet.mark & mark) != mark) verdict.mark = packet.mark | mark;
  source_.verdict(packet.id, verdict);
  ++counters_[Counter::accepted];
  --counters_[Counter::held];
}

void DatagramFlows::drop(const Waiting& packet, Counter reason) noexcept {
  source_.verdict(packet.id, Verdict{});
  ++counters_[Counter::dropped];
  ++counters_[reason];
  --counters_[Counter::held];
  if (report_drops_) write_drop(packet, reason);
}

}  // namespace postern
