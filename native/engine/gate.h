#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/flow_table.h"
#include "core/half_open_table.h"
#include "core/packet.h"
#include "core/tcp_tracker.h"
#include "engine/counters.h"
#include "engine/priority_mutex.h"
#include "io/packet_source.h"

namespace postern {

/// What TypeScript has set (src/firewall/thresholds.ts decides, the gate carries out). Times in
/// milliseconds.
struct GateLimits {
  static constexpr std::uint32_t kUnlimited = 0xFFFF'FFFFU;
  /// `max-incomplete high`: a new half-open session beyond it takes the place of the oldest one.
  std::uint32_t half_open_max = kUnlimited;
  /// `tcp max-incomplete host`: the same for one responder address.
  std::uint32_t host_half_open_max = kUnlimited;
  /// Aggressive mode (cisco-ios 3.3): every new one takes the place of the oldest.
  bool aggressive = false;
  std::int64_t synwait_ms = 30'000;
  /// `tcp half-open reset off`: an expired entry is forgotten without RST.
  bool reset_on_expiry = true;
  bool window_scale_loose = false;
  /// `ip inspect log drop-pkt`: keep records of what was dropped for the next sample.
  bool report_drops = false;
  /// Set on every SYN that is accepted; 0: none. Becomes the connection's opening (connmark).
  std::uint32_t mark_session = 0;
};

/// A responder whose half-open sessions passed `host_half_open_max`.
struct HostReport {
  Address address;
  std::uint32_t half_open = 0;  ///< with the one that was too many
};

/// A packet for the log: who, and the counter that names why it was dropped.
struct GateDrop {
  std::uint8_t protocol = 6;  ///< IP's number; 0: none that could be read
  /// Accepted: its zone policy passes it with `log`.
  bool passed = false;
  std::uint32_t in_interface = 0;
  std::uint32_t out_interface = 0;
  Endpoint source;
  Endpoint destination;
  std::uint16_t ip_ident = 0;
  std::uint8_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  Counter reason = Counter::drop_stray;
};

/// What happened since the last sample.
struct GateSample {
  std::uint64_t half_open = 0;       ///< now, datagram sessions of all workers included
  std::uint64_t half_open_peak = 0;  ///< the most since the last sample
  std::uint64_t attempts = 0;        ///< new sessions of any kind since the last sample
  std::vector<HostReport> hosts;     ///< each host once, at most kHostReportsMax
  std::vector<GateDrop> drops;       ///< at most kGateDropsMax
};

/// The half-open table with its limits, shared by the gate's thread and the workers. One lock
/// guards all of it: it is held for some hundred nanoseconds, never across a system call, and a
/// worker takes it only until a handshake is complete. (The oldest entry of all and the oldest of a
/// host are what the limits need, so the table cannot be cut into independent stripes.)
class Gate {
 public:
  /// RSTs that a decision asks for. The caller sends them after the lock is gone.
  struct Resets {
    static constexpr std::size_t kMax = 20;
    std::array<HalfOpen, kMax> victims{};
    std::size_t count = 0;
  };
  struct SynVerdict {
    bool accept = false;
    Counter reason = Counter::drop_stray;  ///< why not
    Resets resets;                         ///< victims of this request
  };

  Gate(std::size_t entries_max, std::size_t hosts_max);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  void configure(const GateLimits& limits) noexcept;
  [[nodiscard]] GateLimits limits() const noexcept;

  /// An initial SYN (RFC 9293 3.5): checked as Tracker::open does, counted against the limits, kept
  /// as an entry. The same SYN again is accepted and changes nothing; another ISN for the same ends
  /// begins anew while the responder has not answered.
  /// With `proxied` it is the kernel's SYNPROXY that sends it, for an initiator that proved itself.
  [[nodiscard]] SynVerdict on_syn(const TcpPacket& syn, std::int64_t now_ms,
                                  const std::optional<Proxied>& proxied = {}) noexcept;

  /// The half-open connection between two ends, whichever sends. Cheap when the table is empty.
  [[nodiscard]] std::optional<HalfOpen> find(const Endpoint& source,
                                             const Endpoint& destination) noexcept;
  /// The responder's SYN-ACK was passed on. False when the entry is gone by now.
  bool note_answer(const HalfOpen& entry, const TcpPacket& syn_ack, bool turned = false) noexcept;
  /// The handshake is complete: the entry leaves the table and becomes a flow.
  bool take(const HalfOpen& entry) noexcept;
  /// An RST that fits was passed on, or the entry is given up otherwise: it leaves the table.
  void forget(const HalfOpen& entry) noexcept;

  /// Entries older than synwait leave the table, kMax at most a call: call again while it fills.
  /// With `reset_on_expiry` off they leave without being handed out.
  void expire(std::int64_t now_ms, Resets& resets) noexcept;
  /// When expire() is wanted next; TimerWheel::kNever when the table is empty.
  [[nodiscard]] std::int64_t next_expiry_ms() const noexcept;

  /// From now on every SYN toward the host is dropped (`drop-host-blocked`), until unblock(). False
  /// when there are kBlockedHostsMax of them, or the records of hosts are all in use: then only the
  /// limit for one host goes on to hold.
  bool block(const Address& host) noexcept;
  /// Its half-open entries, as long as it is blocked, are handed out, kMax at most a call: call
  /// again while it fills.
  void give_up_blocked(const Address& host, Resets& resets) noexcept;
  void unblock(const Address& host) noexcept;

  /// Removes one entry (index and generation as entries() showed them), or with kNoEntry all; kMax
  /// at most a call.
  void clear(std::uint32_t index, std::uint32_t generation, Resets& resets) noexcept;
  /// At most `most` entries from index `from` on, for show.
  [[nodiscard]] std::vector<HalfOpen> entries(std::uint32_t from, std::size_t most) const;

  /// A UDP or ICMP session was opened (+1) or got its answer or ended (-1): any thread, no lock.
  void note_datagram(std::int32_t change) noexcept;

  /// For a new session of UDP or ICMP the oldest half-open one must go. True when most of them are
  /// connections: the oldest of these goes, with the next call of expire(). Any thread, no lock.
  [[nodiscard]] bool owe_connection() noexcept;
  /// Whether a half-open session of UDP or ICMP must go for a new connection: whoever is told so
  /// ends one. Any thread, no lock.
  [[nodiscard]] bool take_datagram_owed() noexcept;

  /// Half-open sessions now, datagram sessions of all workers included, without those that are
  /// owed: any thread, no lock.
  [[nodiscard]] std::uint64_t half_open() const noexcept;

  /// Entries there are now.
  [[nodiscard]] std::size_t size() const noexcept {
    return entries_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] GateSample sample();
  [[nodiscard]] Counters counters() const noexcept;
  /// Counts a packet of the gate's own queue: `received` and what became of it. No lock.
  void count(Counter counter, std::uint64_t by = 1) noexcept;
  /// Keeps a record of a packet that the gate's own thread dropped, where `report_drops` asks.
  void note_drop(const TcpPacket& packet, Counter reason) noexcept;
  /// Keeps the record of a packet that came only to be told of.
  void note_told(const GateDrop& told) noexcept;

 private:
  [[nodiscard]] SynVerdict admit(const HalfOpen& fresh) noexcept;
  [[nodiscard]] SynVerdict admit_again(std::uint32_t index, const TcpPacket& syn,
                                       const HalfOpen& fresh) noexcept;
  [[nodiscard]] HalfOpen get(std::uint32_t index) const noexcept;
  [[nodiscard]] bool make_room(const Address& responder, Resets& resets) noexcept;
  void enforce_limits(std::uint32_t newest, Resets& resets) noexcept;
  [[nodiscard]] bool give_up_oldest(std::uint32_t newest, Resets& resets) noexcept;
  [[nodiscard]] std::uint64_t datagrams() const noexcept;
  void note_host(std::uint32_t host) noexcept;
  void note_attempt() noexcept;
  void raise_peak() noexcept;
  void note_max() noexcept;
  void note_size() noexcept;
  void remove(std::uint32_t index, Counter counter) noexcept;
  void hand_out(std::uint32_t index, Counter counter, Resets& resets) noexcept;

  mutable PriorityMutex mutex_;
  GateLimits limits_;
  HalfOpenTable table_;
  ProxiedTable proxied_;
  std::array<std::atomic<std::uint64_t>, kCounters> counters_{};
  std::atomic<std::uint64_t> entries_{0};  ///< the table's size, to be read without the lock
  std::atomic<std::uint64_t> peak_{0};
  std::atomic<std::uint64_t> attempts_{0};
  std::atomic<std::int64_t> datagrams_{0};
  std::atomic<std::int64_t> datagrams_owed_{0};  ///< that a worker is to end
  std::atomic<std::uint64_t> entries_owed_{0};   ///< that expire() is to hand out
  std::vector<HostReport> reports_;
  std::vector<GateDrop> drops_;
};

/// Whether a packet is a SYN of the kernel's SYNPROXY for an initiator that proved itself: it
/// leaves this machine, and says the cookie where an acknowledgement would stand.
[[nodiscard]] std::optional<Proxied> proxied_by(const ReceivedPacket& received,
                                                const TcpPacket& packet) noexcept;

/// The connection as the tracker sees it after the entry's SYN and, if it was answered, its
/// SYN-ACK.
[[nodiscard]] Tracker tracker_of(const HalfOpen& entry, bool window_scale_loose) noexcept;

}  // namespace postern
