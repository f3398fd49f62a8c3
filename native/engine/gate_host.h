#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/limits.h"
#include "engine/gate.h"
#include "engine/gate_resets.h"
#include "engine/gate_zone.h"
#include "io/nfqueue_socket.h"
#include "io/packet_source.h"
#include "io/thread_pulse.h"
#include "io/thread_rank.h"
#include "io/wakeup.h"

namespace postern {

struct GateHostOptions {
  NfqueueOptions queue;
  std::uint32_t inject_mark = 0;  ///< on what we send ourselves, so that our rules let it pass
  ZoneMarks zone_marks{};
  std::size_t entries_max = kHalfOpenMax;
  std::size_t hosts_max = kHostsMax;
};

/// The gate's own thread: it serves the queue of the initial SYNs, ends what expires, and sends
/// every RST that a limit, a block or a command asks for. Calls below are for the main thread.
class GateHost {
 public:
  struct Opening {
    std::unique_ptr<GateHost> host;  ///< null on failure
    std::string error;               ///< then: what to tell the administrator
  };
  /// Binds the queue and starts the thread.
  [[nodiscard]] static Opening open(const GateHostOptions& options);
  /// Stops the thread; the kernel drops what still waits in the queue. Aborts the process when the
  /// thread does not end: it would go on with what is freed next.
  ~GateHost();
  GateHost(const GateHost&) = delete;
  GateHost& operator=(const GateHost&) = delete;

  /// Shared with the packet loops, which may outlive the thread.
  [[nodiscard]] const std::shared_ptr<Gate>& gate() const noexcept { return gate_; }
  void configure(const GateLimits& limits) noexcept;
  /// Holds from the return on; the thread then ends the host's half-open connections.
  void block(const Address& host);
  /// Gives up one half-open connection, or all there are now with kNoEntry: how many that is.
  std::size_t clear(std::uint32_t index, std::uint32_t generation);
  [[nodiscard]] RankGranted rank() const noexcept { return rank_; }
  /// Whether the queue cannot be served any more, and then why.
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] std::string error() const;
  /// How long the thread has not come round: it does ten times a second, packets or not.
  [[nodiscard]] std::int64_t heartbeat_age_ms() const noexcept { return pulse_.age_ms(); }

 private:
  /// What the main thread wants given up: a blocked host's, one, or the oldest so many.
  struct Command {
    enum class Kind : std::uint8_t { blocked_host, one, oldest } kind = Kind::one;
    Address host{};
    std::uint32_t index = kNoEntry;
    std::uint32_t generation = 0;
    std::size_t left = 0;
  };

  GateHost(const GateHostOptions& options, std::unique_ptr<NfqueueSocket> socket,
           std::unique_ptr<PacketSource> source, std::unique_ptr<SegmentSender> sender);
  [[nodiscard]] bool start() noexcept;
  void serve() noexcept;
  /// Receives and judges; whether more is likely to wait.
  [[nodiscard]] bool turn(std::int64_t now_ms) noexcept;
  void judge(const ReceivedPacket& received, const GateLimits& limits,
             std::int64_t now_ms) noexcept;
  void drop(std::uint32_t id, Counter reason) noexcept;
  void tell(const ReceivedPacket& received, ZoneMarks::Meaning meaning) noexcept;
  void expire(std::int64_t now_ms) noexcept;
  void carry_out_commands(std::int64_t now_ms) noexcept;
  void carry_out(Command& command, Gate::Resets& resets) noexcept;
  void want(const Command& command);
  void keep(const Gate::Resets& resets) noexcept;
  void send_resets(std::int64_t now_ms) noexcept;
  void fail(const char* why) noexcept;

  std::shared_ptr<Gate> gate_;
  std::unique_ptr<NfqueueSocket> socket_;
  std::unique_ptr<PacketSource> source_;
  std::unique_ptr<SegmentSender> sender_;
  ResetSender resets_;
  ZoneMarks zone_marks_;
  Wakeup wakeup_;
  std::vector<ReceivedPacket> received_;
  std::vector<HalfOpen> victims_;     ///< whose RSTs are sent after the verdicts
  std::uint64_t verdict_errors_ = 0;  ///< of the source, as far as the gate has counted them
  pthread_t thread_{};
  bool started_ = false;
  ThreadPulse pulse_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};
  std::atomic<RankGranted> rank_{RankGranted::none};
  mutable std::mutex mutex_;  ///< of what follows
  std::deque<Command> commands_;
  std::string error_;
};

}  // namespace postern
