#include "engine/gate_resets.h"

#include <algorithm>
#include <span>

namespace postern {

bool TokenBucket::take(std::int64_t now_ms) noexcept {
  const std::int64_t full = std::int64_t{a_second_} * kMsASecond;
  if (now_ms > filled_ms_) {
    // After a second the bucket is full, however long ago that was.
    const std::int64_t elapsed_ms = std::min(now_ms - filled_ms_, kMsASecond);
    tokens_ = std::min(full, tokens_ + elapsed_ms * a_second_);
    filled_ms_ = now_ms;
  }
  if (tokens_ < kMsASecond) return false;
  tokens_ -= kMsASecond;
  return true;
}

SegmentSpec reset_toward_responder(const HalfOpen& entry) noexcept {
  SegmentSpec reset;
  reset.source = entry.key.initiator;
  reset.destination = entry.key.responder;
  reset.sequence = entry.initiator_sequence + 1;
  reset.flags = kRst;
  return reset;
}

SegmentSpec reset_toward_initiator(const HalfOpen& entry) noexcept {
  SegmentSpec reset;
  reset.source = entry.key.responder;
  reset.destination = entry.key.initiator;
  if (entry.answered) {
    reset.sequence = entry.responder_sequence + 1;
  } else if (entry.proxied) {
    // It has had an answer, of which the kernel cannot translate anything yet.
    reset.sequence = entry.proxied->sequence + 1;
  }
  reset.acknowledgement = entry.initiator_sequence + 1;
  reset.flags = kRst | kAck;
  return reset;
}

ResetSender::Sent ResetSender::send(const HalfOpen& entry, std::int64_t now_ms) noexcept {
  Sent sent;
  const bool look_up = look_ups_.take(now_ms) || sender_.meets_double_nat();
  send_segment(reset_toward_responder(entry), look_up, sent);
  if (toward_initiators_.take(now_ms)) {
    send_segment(reset_toward_initiator(entry), true, sent);
  } else {
    ++sent.limited;
  }
  return sent;
}

void ResetSender::send_segment(const SegmentSpec& spec, bool look_up, Sent& sent) noexcept {
  const std::span packet = std::span(packet_).first(build_segment(spec, packet_));
  const bool done = look_up ? sender_.send(packet) : sender_.send_as_seen(packet);
  ++(done ? sent.sent : sent.failed);
}

}  // namespace postern
