#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "engine/packet_loop.h"
#include "io/nfqueue_socket.h"
#include "io/pcap_source.h"
#include "io/wakeup.h"

namespace postern {

struct HostOptions {
  NfqueueOptions queue;
  std::uint32_t inject_mark = 0;  ///< on what we send ourselves, so that our rules let it pass
  std::size_t flows_max = kFlowsMaxDefault;
  std::size_t chunks_max = kChunksMaxDefault;
  std::shared_ptr<Gate> gate{};  ///< whose half-open connections it shares; none: its own
};

enum class RunEnd : std::uint8_t {
  woken = 0,   ///< somebody wants the thread's JavaScript
  ended = 1,   ///< the capture is over
  failed = 2,  ///< the source failed for good, or the judge did: see error()
};

/// A packet loop with its source, alive apart from the worker that serves it: when a worker dies,
/// the next one takes the same host over, with its open queue and its held packets.
class PacketHost {
 public:
  struct Opening {
    std::shared_ptr<PacketHost> host;
    std::string error;
  };
  [[nodiscard]] static Opening open_queue(const HostOptions& options);
  /// Replays a capture; what would have been forwarded is written to `out_path` unless that is
  /// empty.
  [[nodiscard]] static Opening open_capture(const std::string& path, const std::string& out_path);

  PacketHost(const PacketHost&) = delete;
  PacketHost& operator=(const PacketHost&) = delete;

  /// Serves until woken, ended or failed. One thread at a time.
  [[nodiscard]] RunEnd run() noexcept;
  /// From any thread: makes run() return `woken` soon.
  void wake() const noexcept { wakeup_.wake(); }
  /// From any thread: milliseconds since run() last came round.
  [[nodiscard]] std::int64_t heartbeat_age_ms() const noexcept;
  /// The judge met an error: run() is to return `failed` after this batch.
  void fail(std::string why);

  [[nodiscard]] PacketLoop& loop() noexcept { return *loop_; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  /// Whether a worker served it before: the sessions' JavaScript is gone then.
  [[nodiscard]] bool take_over() noexcept {
    failed_ = false;
    return served_.exchange(true);
  }
  /// Gives held packets their verdicts and closes the source. What went wrong in writing a replay's
  /// output, or nothing.
  [[nodiscard]] std::string close();

 private:
  PacketHost() = default;
  void beat() noexcept;

  std::unique_ptr<NfqueueSocket> socket_;
  std::unique_ptr<PacketSource> source_;
  std::unique_ptr<SegmentSender> sender_;
  std::unique_ptr<PacketLoop> loop_;
  Wakeup wakeup_;
  std::atomic<std::int64_t> heartbeat_ms_{0};
  std::atomic<bool> served_{false};
  PcapSource* replayed_ = nullptr;  ///< the source of a replay, in `source_`
  bool failed_ = false;
  std::string error_;
};

/// Milliseconds of the monotonic clock.
[[nodiscard]] std::int64_t monotonic_ms() noexcept;

}  // namespace postern
