#include "engine/gate_host.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <span>
#include <utility>

#include "engine/packet_host.h"
#include "io/nfqueue_source.h"
#include "io/outcome.h"
#include "io/raw_sender.h"

namespace postern {

namespace {

/// Longest wait in poll: a worker's entries expire while no SYN comes here.
constexpr std::int64_t kPollMsMax = 100;
/// Calls of the gate for time and for commands between two batches of packets, so that SYNs do not
/// wait for a table to be emptied.
constexpr int kRoundsPerTurn = 8;
/// A thread that did not end by then hangs.
constexpr std::time_t kStopSeconds = 2;

bool is_initial_syn(const TcpPacket& packet) noexcept {
  return (packet.flags & (kSyn | kAck)) == kSyn;
}

}  // namespace

GateHost::Opening GateHost::open(const GateHostOptions& options) {
  NfqueueOpening opening = NfqueueSocket::open(options.queue);
  if (opening.socket == nullptr) return {nullptr, std::move(opening.error)};
  RawOpening sender = RawSender::open(options.inject_mark);
  if (sender.sender == nullptr) return {nullptr, std::move(sender.error)};
  auto source =
      std::make_unique<NfqueueSource>(opening.socket->descriptor(), opening.socket->queue());
  std::unique_ptr<GateHost> host(new GateHost(options, std::move(opening.socket), std::move(source),
                                              std::move(sender.sender)));
  if (!host->wakeup_.valid() || !host->start()) {
    return {nullptr, "the gate's thread cannot be started"};
  }
  return {std::move(host), {}};
}

GateHost::GateHost(const GateHostOptions& options, std::unique_ptr<NfqueueSocket> socket,
                   std::unique_ptr<PacketSource> source, std::unique_ptr<SegmentSender> sender)
    : gate_(std::make_shared<Gate>(options.entries_max, options.hosts_max)),
      socket_(std::move(socket)),
      source_(std::move(source)),
      sender_(std::move(sender)),
      resets_(*sender_),
      zone_marks_(options.zone_marks),
      received_(kPacketsPerTurnMax) {
  victims_.reserve(kPacketsPerTurnMax * Gate::Resets::kMax);
}

GateHost::~GateHost() {
  stopping_ = true;
  wakeup_.wake();
  if (!started_) return;
  timespec until{};
  ::clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += kStopSeconds;
  if (::pthread_clockjoin_np(thread_, nullptr, CLOCK_MONOTONIC, &until) != 0) std::abort();
}

bool GateHost::start() noexcept {
  const auto entry = [](void* host) noexcept -> void* {
    static_cast<GateHost*>(host)->serve();
    return nullptr;
  };
  started_ = pthread_create(&thread_, nullptr, entry, this) == 0;
  return started_;
}

void GateHost::serve() noexcept {
  pthread_setname_np(pthread_self(), "postern-gate");
  rank_ = rank_this_thread(kGateRank);
  while (!stopping_ && !failed_) {
    pulse_.beat();
    const std::int64_t now_ms = monotonic_ms();
    const bool more = turn(now_ms);
    expire(now_ms);
    carry_out_commands(now_ms);
    if (more) continue;
    const std::int64_t wait =
        std::clamp<std::int64_t>(gate_->next_expiry_ms() - now_ms, 0, kPollMsMax);
    if (wait_readable(source_->descriptor(), wakeup_.descriptor(), static_cast<int>(wait)).woken) {
      wakeup_.drain();
    }
  }
}

bool GateHost::turn(std::int64_t now_ms) noexcept {
  std::size_t count = 0;
  const ReceiveStatus status = source_->receive(received_, count);
  if (status == ReceiveStatus::failed) fail(source_->error());
  if (status == ReceiveStatus::overrun) gate_->count(Counter::overruns);
  if (count > 0) {
    const GateLimits limits = gate_->limits();
    gate_->count(Counter::received, count);
    for (const ReceivedPacket& packet : std::span(received_).first(count)) {
      judge(packet, limits, now_ms);
    }
  }
  // Also when nothing came: verdicts that met a full socket buffer wait there.
  source_->flush();
  const std::uint64_t errors = source_->counters().verdict_errors;
  gate_->count(Counter::verdict_errors, errors - std::exchange(verdict_errors_, errors));
  send_resets(now_ms);
  return status == ReceiveStatus::overrun || count == received_.size();
}

void GateHost::judge(const ReceivedPacket& received, const GateLimits& limits,
                     std::int64_t now_ms) noexcept {
  const ZoneMarks::Meaning zone = zone_marks_.meaning_of(received.mark);
  if (zone != ZoneMarks::Meaning::none) return tell(received, zone);
  if (received.truncated) return drop(received.id, Counter::drop_truncated);
  TcpPacket packet;
  if (parse_tcp_packet(received.bytes, packet) != ParseError::none) {
    return drop(received.id, Counter::drop_bad_packet);
  }
  Gate::SynVerdict verdict;
  // Partial checksums are the rule on veth and with offloads: there is nothing to verify then.
  if (received.checksum_complete && !tcp_checksum_ok(packet)) {
    verdict.reason = Counter::drop_bad_checksum;
  } else if (is_initial_syn(packet)) {
    verdict = gate_->on_syn(packet, now_ms, proxied_by(received, packet));
    keep(verdict.resets);
  }
  if (!verdict.accept) {
    if (limits.report_drops) gate_->note_drop(packet, verdict.reason);
    return drop(received.id, verdict.reason);
  }
  Verdict accept{.accept = true};
  if (packet.options.has_unknown) {
    // As for a SYN that a worker lets go (handshake.cc).
    clear_unknown_options(packet);
    write_checksums(packet);
    accept.replacement = packet.bytes;
    gate_->count(Counter::options_cleared);
  }
  if ((received.mark | limits.mark_session) != received.mark) {
    accept.mark = received.mark | limits.mark_session;
  }
  source_->verdict(received.id, accept);
  gate_->count(accept.replacement ? Counter::rewritten : Counter::accepted);
}

void GateHost::drop(std::uint32_t id, Counter reason) noexcept {
  source_->verdict(id, {});
  gate_->count(Counter::dropped);
  gate_->count(reason);
}

/// The rules have decided, and send some such packets here only for the log.
void GateHost::tell(const ReceivedPacket& received, ZoneMarks::Meaning meaning) noexcept {
  GateDrop told = describe_packet(received);
  told.passed = meaning == ZoneMarks::Meaning::pass;
  told.reason = told.passed ? Counter::accepted : Counter::drop_zone;
  gate_->note_told(told);
  if (!told.passed) return drop(received.id, told.reason);
  source_->verdict(received.id, {.accept = true, .mark = received.mark & ~zone_marks_.mask});
  gate_->count(Counter::accepted);
}

void GateHost::expire(std::int64_t now_ms) noexcept {
  for (int round = 0; round < kRoundsPerTurn && gate_->next_expiry_ms() <= now_ms; ++round) {
    Gate::Resets resets;
    gate_->expire(now_ms, resets);
    keep(resets);
    send_resets(now_ms);
  }
}

void GateHost::carry_out_commands(std::int64_t now_ms) noexcept {
  for (int round = 0; round < kRoundsPerTurn; ++round) {
    Gate::Resets resets;
    {
      const std::lock_guard lock(mutex_);
      if (commands_.empty()) return;
      carry_out(commands_.front(), resets);
      // A host or a table is done when it no longer fills what is handed out.
      if (resets.count < Gate::Resets::kMax || commands_.front().left == 0) commands_.pop_front();
      if (!commands_.empty()) wakeup_.wake();
    }
    keep(resets);
    send_resets(now_ms);
  }
}

void GateHost::carry_out(Command& command, Gate::Resets& resets) noexcept {
  switch (command.kind) {
    case Command::Kind::blocked_host:
      gate_->give_up_blocked(command.host, resets);
      return;
    case Command::Kind::one:
      gate_->clear(command.index, command.generation, resets);
      return;
    case Command::Kind::oldest:
      gate_->clear(kNoEntry, 0, resets);
      command.left -= std::min(command.left, resets.count);
      return;
  }
}

void GateHost::want(const Command& command) {
  {
    const std::lock_guard lock(mutex_);
    // Beyond it what was to be given up expires by itself.
    if (commands_.size() < kGateCommandsMax) commands_.push_back(command);
  }
  wakeup_.wake();
}

void GateHost::configure(const GateLimits& limits) noexcept {
  gate_->configure(limits);
  // A shorter synwait may be due at once.
  wakeup_.wake();
}

void GateHost::block(const Address& host) {
  if (!gate_->block(host)) return;
  want({.kind = Command::Kind::blocked_host, .host = host, .left = gate_->size()});
}

std::size_t GateHost::clear(std::uint32_t index, std::uint32_t generation) {
  if (index == kNoEntry) {
    const std::size_t all = gate_->size();
    if (all > 0) want({.kind = Command::Kind::oldest, .left = all});
    return all;
  }
  const std::vector<HalfOpen> found = gate_->entries(index, 1);
  if (found.empty() || found[0].index != index || found[0].generation != generation) return 0;
  want({.kind = Command::Kind::one, .index = index, .generation = generation});
  return 1;
}

void GateHost::keep(const Gate::Resets& resets) noexcept {
  const std::span victims = std::span(resets.victims).first(resets.count);
  victims_.insert(victims_.end(), victims.begin(), victims.end());
}

void GateHost::send_resets(std::int64_t now_ms) noexcept {
  ResetSender::Sent all;
  for (const HalfOpen& victim : victims_) {
    const ResetSender::Sent sent = resets_.send(victim, now_ms);
    all.sent += sent.sent;
    all.failed += sent.failed;
    all.limited += sent.limited;
  }
  if (victims_.empty()) return;
  victims_.clear();
  gate_->count(Counter::injected, all.sent);
  gate_->count(Counter::inject_failed, all.failed);
  gate_->count(Counter::resets_limited, all.limited);
}

void GateHost::fail(const char* why) noexcept {
  const std::lock_guard lock(mutex_);
  error_ = why;
  failed_ = true;
}

std::string GateHost::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

}  // namespace postern
