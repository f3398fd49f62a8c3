// The handshake of a half-open connection, as the workers tell of it.
#include <mutex>

#include "engine/gate.h"

namespace postern {

std::optional<Proxied> proxied_by(const ReceivedPacket& received,
                                  const TcpPacket& packet) noexcept {
  const bool says_cookie = packet.has(kSyn) && !packet.has(kAck) && packet.acknowledgement != 0;
  if (!received.sent_here() || !says_cookie) return std::nullopt;
  return Proxied{.sequence = packet.acknowledgement};
}

HalfOpen Gate::get(std::uint32_t index) const noexcept {
  HalfOpen entry = table_.get(index);
  entry.proxied = proxied_.find(index);
  return entry;
}

std::optional<HalfOpen> Gate::find(const Endpoint& source, const Endpoint& destination) noexcept {
  // A SYN is counted before it passes, so its answer finds it counted.
  if (entries_.load(std::memory_order_acquire) == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const std::uint32_t index = table_.find(source, destination);
  if (index == kNoEntry) return std::nullopt;
  return get(index);
}

bool Gate::note_answer(const HalfOpen& entry, const TcpPacket& syn_ack, bool turned) noexcept {
  const std::lock_guard lock(mutex_);
  if (!table_.holds(entry)) return false;
  HalfOpen answered = table_.get(entry.index);
  if (answered.answered) return true;
  answered.answered = true;
  answered.turned = turned;
  answered.responder_sequence = syn_ack.sequence;
  answered.responder_window = syn_ack.window;
  answered.responder_mss = syn_ack.options.mss.value_or(answered.responder_mss);
  answered.responder_window_scale = syn_ack.options.window_scale;
  answered.responder_timestamps = syn_ack.options.has_timestamps;
  answered.responder_sack = syn_ack.options.sack_permitted;
  table_.update(entry.index, answered);
  count(Counter::half_open_answered);
  return true;
}

bool Gate::take(const HalfOpen& entry) noexcept {
  const std::lock_guard lock(mutex_);
  if (!table_.holds(entry)) return false;
  table_.erase(entry.index);
  note_size();
  return true;
}

void Gate::forget(const HalfOpen& entry) noexcept {
  const std::lock_guard lock(mutex_);
  if (table_.holds(entry)) remove(entry.index, Counter::half_open_reset);
}

Tracker tracker_of(const HalfOpen& entry, bool window_scale_loose) noexcept {
  TcpPacket syn;
  syn.sequence = entry.initiator_sequence;
  syn.flags = kSyn;
  syn.window = entry.initiator_window;
  syn.options.mss = entry.initiator_mss;
  syn.options.window_scale = entry.initiator_window_scale;
  syn.options.has_timestamps = entry.initiator_timestamps;
  Tracker tracker;
  tracker.window_scale_loose = window_scale_loose;
  // Only its shape could be refused, and this one is plain.
  static_cast<void>(tracker.open(syn));
  if (entry.answered) {
    TcpPacket answer;
    answer.sequence = entry.responder_sequence;
    answer.acknowledgement = entry.initiator_sequence + 1;
    answer.flags = kSyn | kAck;
    answer.window = entry.responder_window;
    answer.options.mss = entry.responder_mss;
    answer.options.window_scale = entry.responder_window_scale;
    answer.options.has_timestamps = entry.responder_timestamps;
    tracker.apply(Side::responder, answer);
  }
  // The record has no room for them.
  tracker.forget_timestamps();
  return tracker;
}

}  // namespace postern
