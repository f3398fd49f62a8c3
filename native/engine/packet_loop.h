#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/flow_table.h"
#include "core/stream_store.h"
#include "core/timer_wheel.h"
#include "engine/counters.h"
#include "engine/datagram_flows.h"
#include "engine/event_batch.h"
#include "engine/flow.h"
#include "engine/flow_shelf.h"
#include "engine/gate.h"
#include "engine/gate_resets.h"
#include "io/packet_source.h"

namespace postern {

/// What the configuration sets. Times in milliseconds.
struct LoopOptions {
  std::size_t out_of_order_max = 16;               ///< packets a side (cisco-ios 3.6)
  std::size_t out_of_order_bytes_max = 1U << 20U;  ///< all flows of the worker together
  std::int64_t reassembly_timeout_ms = 5'000;
  std::int64_t synwait_ms = 30'000;
  std::int64_t finwait_ms = 5'000;
  std::int64_t idle_ms = 3'600'000;
  std::int64_t held_ms = 120'000;  ///< longest a reply that decides about held octets may take
  bool fail_open = false;          ///< flows under way pass instead of being reset
  bool offload = true;
  bool window_scale_loose = false;
  bool report_drops = false;  ///< `ip inspect log drop-pkt`
  bool generic_tcp = false;   ///< connections to ports without a protocol are sessions of `tcp`
  bool idle_reset = true;     ///< RST to both ends when the idle time ends a session
  bool half_close_reset = true;
  bool block_non_session = false;  ///< `tcp block-non-session`: no RST for what has no session
  bool reassembly_alarm = false;
  /// UDP, ICMP: sessions. Where false, a packet of it (only a replay has one) passes unjudged.
  bool generic_udp = false;
  bool generic_icmp = false;
  std::int64_t udp_idle_ms = 30'000;
  std::int64_t icmp_idle_ms = 10'000;
  std::int64_t dns_timeout_ms = 5'000;
  /// Set on the packet that opens a session, and on packets that came in by an opening; 0: no
  /// interface filters.
  std::uint32_t mark_session = 0;
  std::uint32_t mark_offload_both = 0;
  std::uint32_t mark_offload_responder = 0;
  std::uint32_t mark_clear = 0;
  std::array<PortProtocol, 65'536> ports{};
};

/// Judges a batch of events: JavaScript, or a test. Events stand in the words and arena given to
/// attach(); orders are written to the order words. Returns how many order words were written, or
/// `kFailed`.
class Judge {
 public:
  static constexpr std::size_t kFailed = static_cast<std::size_t>(-1);
  virtual ~Judge() = default;
  [[nodiscard]] virtual std::size_t judge(std::uint32_t events) noexcept = 0;
};

/// The memory that a judge shares with the loop.
struct SharedBuffers {
  std::span<std::uint32_t> events;
  std::span<std::byte> arena;
  std::span<std::uint32_t> orders;
  std::span<std::byte> order_arena;
};

/// How much a loop may hold, and whose half-open connections it shares.
struct LoopRoom {
  std::size_t flows_max = kFlowsMaxDefault;
  std::size_t chunks_max = kChunksMaxDefault;
  std::size_t held_max = kHeldPacketsMaxDefault;  ///< packets without a verdict
  std::shared_ptr<Gate> gate{};  ///< none: the loop has one of its own (replay, tests)
};

/// One worker's packet path, run to completion: receive a batch, track, reassemble, frame, have the
/// frames judged, carry out the orders, give verdicts. Not thread-safe: one thread at a time owns
/// it.
///
/// A flow is judged one frame at a time, so that an order can change how the next octets are cut;
/// frames of different flows share a call of the judge. A connection becomes a flow when its
/// handshake is complete; until then the gate knows it.
class PacketLoop {
 public:
  PacketLoop(PacketSource& source, SegmentSender& sender, const LoopRoom& room);
  PacketLoop(const PacketLoop&) = delete;
  PacketLoop& operator=(const PacketLoop&) = delete;
  ~PacketLoop();

  void configure(const LoopOptions& options);
  void attach(const SharedBuffers& buffers, Judge* judge) noexcept;
  /// At most so many packets a turn, up to kPacketsPerTurnMax. A replay takes one, so that each is
  /// judged at its own time and under its own number.
  void take_per_turn(std::size_t packets) noexcept {
    packets_per_turn_ = std::clamp<std::size_t>(packets, 1, kPacketsPerTurnMax);
  }

  /// One turn: whatever waits in the source (at most kPacketsPerTurnMax packets), judged, with
  /// verdicts sent.
  ReceiveStatus turn(std::int64_t now_ms) noexcept;
  /// Whether the last turn took as many packets as it may: more are likely to wait.
  [[nodiscard]] bool turn_was_full() const noexcept { return turn_was_full_; }
  /// Fires timers. In replay the packets' own times drive this.
  void advance_time(std::int64_t now_ms) noexcept;
  /// Makes a plan known to orders of `content` by its number, and takes the memory that its scans
  /// share: not for the packet path. 0 when there are kContentPlansMax, or memory was refused.
  [[nodiscard]] std::uint32_t define_plan(std::shared_ptr<const ContentPlan> plan);
  /// Nothing begins with it any more; messages under way keep it.
  void release_plan(std::uint32_t plan) noexcept;
  /// Orders from outside a batch (a session cleared). False when they were not well formed.
  bool apply_orders(std::span<const std::uint32_t> words) noexcept;
  /// Gives every held packet its verdict and forgets all flows.
  void shut_down() noexcept;
  /// A new judge took over and knows none of the sessions: reset them (fail closed) or let them
  /// pass (fail open).
  void abandon_sessions() noexcept;

  /// With those of a gate of its own; a shared one counts for itself.
  [[nodiscard]] Counters counters() const noexcept;
  [[nodiscard]] const SourceCounters& source_counters() const noexcept {
    return source_.counters();
  }
  [[nodiscard]] const FlowTable& table() const noexcept { return table_; }
  /// Stays where it is until the next call of turn(), advance_time() or apply_orders().
  [[nodiscard]] const Flow& flow(std::uint32_t index) noexcept { return *flows_[index]; }
  /// Flows with something under way; the others are records.
  [[nodiscard]] std::size_t flows_awake() const noexcept { return flows_.awake(); }
  [[nodiscard]] const DatagramTable& datagrams() const noexcept { return datagrams_.table(); }
  [[nodiscard]] std::int64_t now_ms() const noexcept { return now_ms_; }
  /// Those that were released and that messages under way still use, too.
  [[nodiscard]] std::size_t plans() const noexcept { return plans_.size(); }
  [[nodiscard]] std::size_t used_chunks() const noexcept { return pool_.used_chunks(); }
  /// When advance_time() is wanted next.
  [[nodiscard]] std::int64_t next_timer_ms() const noexcept;
  [[nodiscard]] const char* source_error() const noexcept { return source_.error(); }

 private:
  enum class Advance : std::uint8_t { wrote, done, blocked };
  struct InHand {
    ReceivedPacket received;
    TcpPacket packet;
    bool waiting = false;  ///< its flow is being judged: admit it later
    bool cleared = false;  ///< a SYN or SYN-ACK that lost options
    std::uint32_t flow = kNoFlow;
  };
  struct Closed {
    std::uint32_t flow;
    std::uint32_t generation;
    std::array<std::uint64_t, 2> bytes;
    EndReason reason;
  };

  // admission.cc: from a received packet to a place in its flow
  void begin(InHand& hand) noexcept;
  void begin_datagram(const InHand& hand) noexcept;
  void admit(InHand& hand) noexcept;
  void admit_unknown(InHand& hand) noexcept;
  [[nodiscard]] PortProtocol protocol_of(std::uint16_t port) const noexcept;
  void admit_to_flow(std::uint32_t index, InHand& hand) noexcept;
  [[nodiscard]] TrackResult check(Flow& flow, Side from, const TcpPacket& packet) const noexcept;
  void admit_handshake(Flow& flow, Side from, const InHand& hand) noexcept;
  void admit_ordinary(std::uint32_t index, Side from, InHand& hand) noexcept;
  void admit_reset(std::uint32_t index, Side from, InHand& hand) noexcept;
  void note_headers(Flow& flow, Side from, const TcpPacket& packet) noexcept;
  [[nodiscard]] std::uint32_t open_flow(const FlowKey& key, const InHand& hand) noexcept;
  void announce(std::uint32_t index) noexcept;
  void activate(std::uint32_t index) noexcept;

  // handshake.cc: until a connection is a flow
  void admit_syn(InHand& hand) noexcept;
  void admit_half_open(const HalfOpen& entry, InHand& hand) noexcept;
  void promote(const HalfOpen& entry, const Tracker& tracker, InHand& hand) noexcept;
  void promote_proxied(HalfOpen entry, InHand& hand) noexcept;
  void clear_options(InHand& hand) noexcept;
  void accept_syn(const InHand& hand, Flow* flow, std::optional<std::uint32_t> mark) noexcept;
  [[nodiscard]] std::uint32_t open_half_open(const HalfOpen& entry, const InHand& hand) noexcept;
  [[nodiscard]] std::optional<HalfOpen> successor_of(const Flow& flow, const InHand& hand) noexcept;
  static void read_shifted(TcpPacket& packet, const ReceivedPacket& received, Side from,
                           std::uint32_t shift) noexcept;
  void send_resets(const Gate::Resets& resets) noexcept;
  void expire_half_open() noexcept;
  void clear_half_open() noexcept;

  // midstream.cc: segments of no session
  void admit_midstream(InHand& hand) noexcept;
  void reset_midstream(InHand& hand) noexcept;
  [[nodiscard]] std::uint32_t adopt_flow(const InHand& hand, Side from) noexcept;
  [[nodiscard]] bool came_by_opening(const InHand& hand) const noexcept;
  void drop_without_session(const InHand& hand) noexcept;

  // stream.cc: octets in order and out of order
  void admit_segment(std::uint32_t index, Side from, PendingPacket&& pending) noexcept;
  void admit_opaque(std::uint32_t index, Side from, PendingPacket& pending) noexcept;
  void admit_before_start(std::uint32_t index, Side from, PendingPacket& pending,
                          std::int64_t offset) noexcept;
  void accept_as_it_is(Flow& flow, PendingPacket& pending) noexcept;
  void admit_retransmission(std::uint32_t index, Side from, PendingPacket& pending) noexcept;
  static void hide_forgotten(const FlowSide& side, PendingPacket& pending) noexcept;
  [[nodiscard]] bool append(std::uint32_t index, Side from, PendingPacket& pending) noexcept;
  [[nodiscard]] std::size_t unacknowledged_max() const noexcept;
  void agree_with_early(std::uint32_t index, Side from, PendingPacket& pending,
                        std::int64_t offset) noexcept;
  void note_altered(std::uint32_t index, Side from, PendingPacket& pending) noexcept;
  void drop_behind_fin(Flow& flow, Side from) noexcept;
  void keep_early(std::uint32_t index, Side from, PendingPacket&& pending) noexcept;
  [[nodiscard]] bool make_room(std::uint32_t index, Side from,
                               const PendingPacket& pending) noexcept;
  void refuse_early(std::uint32_t index, Side from, const PendingPacket& pending,
                    ReassemblyAlarm why) noexcept;
  void alarm(std::uint32_t index, Side from, ReassemblyAlarm what,
             const PendingPacket* segment = nullptr) noexcept;
  bool tell_reassembly(std::uint32_t index, Side from, ReassemblyAlarm what,
                       const PendingPacket* segment) noexcept;
  static void keep_timestamps_rising(FlowSide& side, PendingPacket& pending) noexcept;
  void drain_early(std::uint32_t index, Side from) noexcept;
  void answer_early(std::uint32_t index, Side from) noexcept;
  void pass_early(std::uint32_t index, Side from) noexcept;
  void note_gaps(Flow& flow) noexcept;
  void drop_early(Flow& flow, Side from, std::size_t at, Counter reason) noexcept;
  void note_acknowledgement(Flow& flow, Side from, const TcpPacket& packet) noexcept;

  // framing.cc: frames to events
  void judge_all() noexcept;
  [[nodiscard]] Advance advance(std::uint32_t index) noexcept;
  [[nodiscard]] Advance next_event(std::uint32_t index) noexcept;
  [[nodiscard]] Advance next_frame(std::uint32_t index, Side from) noexcept;
  [[nodiscard]] Advance write_frame(std::uint32_t index, Side from, const Cut& cut) noexcept;
  [[nodiscard]] Advance write_text(std::uint32_t index, Side from, EventKind kind,
                                   const Cut& cut) noexcept;
  [[nodiscard]] bool keep_hello(FlowSide& side, std::span<const std::byte> octets) noexcept;
  void forget_hello(FlowSide& side, std::size_t octets) noexcept;
  void drop_hello(FlowSide& side) noexcept;
  [[nodiscard]] Advance write_tls_start(std::uint32_t index, Side from, const Cut& cut) noexcept;
  void copy_as_sent(FlowSide& side, std::uint64_t begin, std::span<std::byte> out) noexcept;
  [[nodiscard]] Advance write_opened(std::uint32_t index) noexcept;
  [[nodiscard]] Advance judge_at_cr(std::uint32_t index, Side from) noexcept;
  [[nodiscard]] Advance finish_line(std::uint32_t index, Side from) noexcept;
  void shorten_tolerant(FlowSide& side) noexcept;
  void write_closed() noexcept;
  static void write_drop_record(const TcpPacket& packet, std::span<std::byte> out) noexcept;
  void deliver() noexcept;

  // orders.cc
  bool carry_out(const Order& order) noexcept;
  void note_masked(FlowSide& side, std::uint64_t begin, std::uint64_t end) noexcept;
  void order_mask(Flow& flow, const Order& order) noexcept;
  void order_frame(Flow& flow, const Order& order) noexcept;
  void order_refuse(std::uint32_t index, const Order& order) noexcept;
  void order_idle(Flow& flow, std::uint32_t seconds) noexcept;
  void order_stop(Flow& flow, std::uint32_t what) noexcept;
  void order_again(Flow& flow) noexcept;

  // content_flow.cc: the walk over a message
  void order_content(std::uint32_t index, const Order& order) noexcept;
  void drop_content(Flow& flow) noexcept;
  [[nodiscard]] bool scan_content(Flow& flow, FramingMode mode,
                                  std::span<const std::byte> taken) noexcept;
  [[nodiscard]] static bool content_waits(const Flow& flow) noexcept;
  [[nodiscard]] Advance write_content(std::uint32_t index) noexcept;
  void count_facts(std::span<const std::byte> records) noexcept;

  // settle.cc: verdicts
  void settle(std::uint32_t index) noexcept;
  void settle_side(std::uint32_t index, Side from) noexcept;
  void accept(Flow& flow, Side from, PendingPacket& pending, std::uint32_t length) noexcept;
  void replace(Flow& flow, Side from, const PendingPacket& pending,
               std::span<const std::byte> packet) noexcept;
  void send_anew(std::uint32_t id, std::span<const std::byte> packet) noexcept;
  void accept_plain(Flow& flow, std::uint32_t id, std::uint32_t mark) noexcept;
  void accept_marked(std::uint32_t id, std::optional<std::uint32_t> mark) noexcept;
  void accept_rewritten(Flow* flow, std::uint32_t id, std::span<const std::byte> packet,
                        std::uint32_t mark) noexcept;
  void drop(std::uint32_t id, Counter reason) noexcept;
  void drop_received(const InHand& hand, Counter reason) noexcept;
  void report_drop(std::uint32_t id, const TcpPacket& packet, Counter reason) noexcept;
  void keep_in_hand() noexcept;
  void inject_range(std::uint32_t index, Side from, std::uint64_t end) noexcept;
  void inject(const SegmentSpec& spec) noexcept;
  [[nodiscard]] SegmentSpec segment_from(std::uint32_t index, Side from) noexcept;

  // refusal.cc
  void note_look_alike(Flow& flow) noexcept;
  void pass_released(std::uint32_t index) noexcept;
  void refuse_with_reset(std::uint32_t index, EndReason reason) noexcept;
  void refuse_with_words(std::uint32_t index, std::span<const std::byte> words) noexcept;
  void reset_in_place(const InHand& hand, Flow* flow, std::uint32_t sequence) noexcept;
  void reset_toward(std::uint32_t index, Side to) noexcept;
  void drop_waiting(Flow& flow) noexcept;
  void discard_framed(Flow& flow, std::span<const std::byte> bytes, bool& ended) noexcept;
  void speak(std::uint32_t index) noexcept;
  void acknowledge_refused(std::uint32_t index) noexcept;
  void on_refusing(std::uint32_t index, Side from, InHand& hand) noexcept;
  void reset_late(std::uint32_t index, Side from, const TcpPacket& packet) noexcept;
  void on_dead(std::uint32_t index, Side from, InHand& hand) noexcept;

  // timers.cc: time, ends, gauges
  void arm(std::uint32_t index) noexcept;
  [[nodiscard]] std::int64_t deadline_of(const Flow& flow) const noexcept;
  void on_timer(std::uint32_t index) noexcept;
  void refresh(Flow& flow) const noexcept;
  void on_idle(std::uint32_t index) noexcept;
  void on_finwait(std::uint32_t index) noexcept;
  void on_gap(std::uint32_t index) noexcept;
  void expire(std::uint32_t index, EndReason reason, bool with_reset) noexcept;
  void on_refusal_timer(std::uint32_t index) noexcept;
  void set_stage(Flow& flow, FlowStage stage) noexcept;
  void note_fin(Flow& flow, Side from) noexcept;
  [[nodiscard]] std::uint64_t* gauge_of(FlowStage stage) noexcept;
  void tell_closed(std::uint32_t index, EndReason reason) noexcept;
  void end_flow(std::uint32_t index, EndReason reason) noexcept;
  void forget_flow(std::uint32_t index) noexcept;

  PacketSource& source_;
  SegmentSender& sender_;
  std::shared_ptr<Gate> gate_;
  bool gate_is_shared_ = false;
  ResetSender resets_;
  std::size_t held_max_;
  TokenBucket midstream_resets_{kMidstreamResetsASecond};
  LoopOptions options_{};
  FlowTable table_;
  TimerWheel wheel_;
  ChunkPool pool_;
  ContentPlans plans_;
  FlowShelf flows_;
  Counters counters_;
  SharedBuffers buffers_{};
  EventWriter writer_;
  DatagramFlows datagrams_;
  Judge* judge_ = nullptr;
  std::int64_t now_ms_ = 0;
  std::vector<ReceivedPacket> received_;
  std::vector<InHand> hands_;
  std::size_t hands_count_ = 0;
  std::vector<std::uint32_t> active_;  ///< flows whose frames are to be judged
  std::vector<std::uint32_t> round_;
  std::vector<std::uint32_t> touched_;  ///< flows with packets in hand
  std::vector<Closed> closed_;
  std::vector<std::byte> scratch_;
  std::size_t hello_bytes_ = 0;  ///< of all heads that are hellos under way
  std::uint32_t packet_id_ = 0;
  bool turn_was_full_ = false;
  std::size_t packets_per_turn_ = kPacketsPerTurnMax;
};

}  // namespace postern
