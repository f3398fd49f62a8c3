#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/datagram_packet.h"
#include "core/timer_wheel.h"
#include "engine/counters.h"
#include "engine/datagram_table.h"
#include "engine/event_batch.h"
#include "engine/flow.h"
#include "io/packet_source.h"

namespace postern {

class Gate;
struct LoopOptions;

/// The number of the first session of UDP and ICMP among all flows of a loop: those of TCP stand
/// before it.
inline constexpr std::uint32_t kDatagramFlowBase = 1U << 17U;
static_assert(kFlowsMaxDefault <= kDatagramFlowBase);

/// What the sessions need of the packet loop that they belong to.
struct DatagramSurroundings {
  PacketSource& source;
  SegmentSender& sender;
  Counters& counters;
  EventWriter& writer;
};

/// A received packet that carries no TCP, as far as it could be read.
struct DatagramArrival {
  const ReceivedPacket& received;
  const DatagramPacket& packet;
  ParseError error = ParseError::none;
  bool about_connection = false;  ///< an error about a TCP connection that the loop knows
};

/// Generic inspection of UDP and ICMP (cisco-ios 3.1, 3.5): the first packet between two ends waits
/// until the judge has said, in the same turn, whether they make a session. A session is half-open
/// until the other side is heard, and ends when it has been silent for its idle time.
///
/// Every packet that is handed in gets its verdict, and is counted, at the latest by conclude() or
/// give_up(). For the loop's own thread.
class DatagramFlows {
 public:
  /// Memory is touched only as sessions come. `capacity` is at most kDatagramFlowsMax.
  DatagramFlows(const DatagramSurroundings& surroundings, std::size_t capacity,
                const HashKey& hash_key);

  void configure(const LoopOptions& options) noexcept;
  /// Where half-open sessions are counted in a total with others; null: nowhere.
  void share(Gate* gate) noexcept { gate_ = gate; }

  [[nodiscard]] static bool owns(std::uint32_t flow) noexcept { return flow >= kDatagramFlowBase; }

  void admit(const DatagramArrival& arrival, std::int64_t now_ms) noexcept;
  /// Whether there is something to tell the judge.
  [[nodiscard]] bool has_events() const noexcept { return !questions_.empty() || !ended_.empty(); }
  /// Writes as many events as there is room for.
  void write_events() noexcept;
  /// False for an order that no session of this kind can be given.
  bool carry_out(const Order& order) noexcept;
  /// The judge has answered: packets of sessions that it was asked about get their verdicts.
  void conclude() noexcept;
  /// Nobody will answer: what waits is dropped.
  void give_up() noexcept;

  void advance(std::int64_t now_ms) noexcept;
  [[nodiscard]] std::int64_t next_timer_ms(std::int64_t now_ms) const noexcept {
    return wheel_.next_deadline_hint_ms(now_ms);
  }
  /// Another judge took over that knows none of the sessions: they end, or with `keep` they stay.
  void abandon(bool keep) noexcept;
  void shut_down() noexcept;

  [[nodiscard]] const DatagramTable& table() const noexcept { return table_; }

 private:
  /// A packet whose session the judge is asked about.
  struct Waiting {
    std::uint32_t session;
    std::uint32_t generation;
    std::uint32_t id;
    std::uint32_t mark;
    DatagramEnds ends;
    std::uint16_t ip_ident;
    std::uint32_t payload_bytes;
  };
  struct Question {
    std::uint32_t session;
    std::uint32_t generation;
    std::uint32_t packet_id;
  };
  struct Ended {
    std::uint32_t session;
    std::uint32_t generation;
    std::array<std::uint64_t, 2> bytes;
    EndReason reason;
  };

  // datagram_flows.cc: packets
  [[nodiscard]] bool inspects(std::uint8_t protocol) const noexcept;
  void admit_by_ends(const Waiting& packet, const ReceivedPacket& received) noexcept;
  void admit_error(const DatagramArrival& arrival, const Waiting& packet) noexcept;
  [[nodiscard]] std::uint32_t open(const Waiting& packet, const ReceivedPacket& received) noexcept;
  void pass_decided(std::uint32_t index, const Waiting& packet) noexcept;
  void pass(std::uint32_t index, const Waiting& packet) noexcept;
  void pass_foreign(std::uint32_t index, const Waiting& packet) noexcept;
  void conclude(const Waiting& packet) noexcept;
  void accept(const Waiting& packet, std::uint32_t mark) noexcept;
  void drop(const Waiting& packet, Counter reason) noexcept;

  // datagram_sessions.cc: beginning and end
  void become_session(std::uint32_t index) noexcept;
  void note_answered(std::uint32_t index) noexcept;
  void make_room_among_half_open() noexcept;
  void end_owed() noexcept;
  void make_room_in_table() noexcept;
  [[nodiscard]] std::size_t settled() const noexcept;
  bool evict_oldest(DatagramStanding standing) noexcept;
  void end(std::uint32_t index, EndReason reason) noexcept;
  void refuse(std::uint32_t index, EndReason reason) noexcept;
  void on_timer(std::uint32_t index) noexcept;
  void note_heard(std::uint32_t index) noexcept;
  [[nodiscard]] std::int64_t timeout_ms(std::uint32_t index) const noexcept;

  // datagram_events.cc: what the judge is told
  [[nodiscard]] bool write_opened(const Question& question) noexcept;
  void write_closed(const Ended& ended) noexcept;
  void write_drop(const Waiting& packet, Counter reason) noexcept;

  PacketSource& source_;
  SegmentSender& sender_;
  Counters& counters_;
  EventWriter& writer_;
  Gate* gate_ = nullptr;
  std::size_t sessions_max_;
  DatagramTable table_;  ///< with room for a turn's packets that the judge is asked about
  TimerWheel wheel_;
  std::vector<Waiting> waiting_;
  std::vector<Waiting> deciding_;
  std::vector<Question> questions_;
  std::vector<Ended> ended_;
  std::int64_t now_ms_ = 0;
  std::int64_t udp_idle_ms_ = 0;
  std::int64_t icmp_idle_ms_ = 0;
  std::int64_t dns_timeout_ms_ = 0;
  std::uint32_t mark_session_ = 0;
  bool generic_udp_ = false;
  bool generic_icmp_ = false;
  bool report_drops_ = false;
};

}  // namespace postern
