#include "engine/packet_host.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "io/nfqueue_source.h"
#include "io/pcap_source.h"
#include "io/raw_sender.h"

namespace postern {

namespace {

/// Longest wait in poll, so that timers run and the heartbeat shows life.
constexpr std::int64_t kPollMsMax = 100;
/// Turns in a row before control messages get their chance under full load.
constexpr int kTurnsPerWakeCheck = 64;

}  // namespace

std::int64_t monotonic_ms() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

PacketHost::Opening PacketHost::open_queue(const HostOptions& options) {
  NfqueueOpening opening = NfqueueSocket::open(options.queue);
  if (opening.socket == nullptr) return {nullptr, std::move(opening.error)};
  std::shared_ptr<PacketHost> host(new PacketHost());
  RawOpening sender = RawSender::open(options.inject_mark);
  if (sender.sender == nullptr) return {nullptr, std::move(sender.error)};
  host->socket_ = std::move(opening.socket);
  host->source_ =
      std::make_unique<NfqueueSource>(host->socket_->descriptor(), host->socket_->queue());
  host->sender_ = std::move(sender.sender);
  host->loop_ =
      std::make_unique<PacketLoop>(*host->source_, *host->sender_,
                                   LoopRoom{.flows_max = options.flows_max,
                                            .chunks_max = options.chunks_max,
                                            .held_max = options.queue.length_max_packets / 2,
                                            .gate = options.gate});
  host->beat();
  return {std::move(host), {}};
}

PacketHost::Opening PacketHost::open_capture(const std::string& path, const std::string& out_path) {
  PcapOpening opening = PcapSource::open(path);
  if (opening.source == nullptr) return {nullptr, std::move(opening.error)};
  if (!out_path.empty()) {
    Outcome writing = opening.source->write_to(out_path);
    if (!writing.ok()) return {nullptr, std::move(writing.error)};
  }
  std::shared_ptr<PacketHost> host(new PacketHost());
  host->sender_ = std::make_unique<ReplaySender>(*opening.source);
  host->replayed_ = opening.source.get();
  host->source_ = std::move(opening.source);
  host->loop_ = std::make_unique<PacketLoop>(*host->source_, *host->sender_, LoopRoom{});
  host->loop_->take_per_turn(1);
  host->beat();
  return {std::move(host), {}};
}

RunEnd PacketHost::run() noexcept {
  for (int turns = 0;; ++turns) {
    beat();
    if (failed_) return RunEnd::failed;
    const std::int64_t now = replayed_ != nullptr ? loop_->now_ms() : monotonic_ms();
    const ReceiveStatus status = loop_->turn(now);
    if (status == ReceiveStatus::ended) return RunEnd::ended;
    if (status == ReceiveStatus::failed) {
      error_ = loop_->source_error();
      return RunEnd::failed;
    }
    if (replayed_ != nullptr) continue;
    loop_->advance_time(now);
    if (failed_) return RunEnd::failed;
    // Only a full turn promises more at once: to ask the socket in vain costs more than to wait on
    // it.
    if (status == ReceiveStatus::overrun || loop_->turn_was_full()) {
      if (turns % kTurnsPerWakeCheck == 0 && wakeup_.drain()) return RunEnd::woken;
      continue;
    }
    const std::int64_t wait = std::clamp<std::int64_t>(loop_->next_timer_ms() - now, 1, kPollMsMax);
    if (wait_readable(source_->descriptor(), wakeup_.descriptor(), static_cast<int>(wait)).woken) {
      wakeup_.drain();
      return RunEnd::woken;
    }
  }
}

std::int64_t PacketHost::heartbeat_age_ms() const noexcept {
  return monotonic_ms() - heartbeat_ms_.load(std::memory_order_relaxed);
}

void PacketHost::beat() noexcept {
  heartbeat_ms_.store(monotonic_ms(), std::memory_order_relaxed);
}

void PacketHost::fail(std::string why) {
  failed_ = true;
  error_ = std::move(why);
}

std::string PacketHost::close() {
  loop_->shut_down();
  std::string error;
  if (replayed_ != nullptr) error = std::move(replayed_->finish().error);
  socket_.reset();
  return error;
}

}  // namespace postern
