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
  send_segment(reset_toward_responder(entry), sent);
  if (toward_initiators_.take(now_ms)) {
    send_segment(reset_toward_initiator(entry), sent);
  } else {
    ++sent.limited;
  }
  return sent;
}

void ResetSender::send_segment(const SegmentSpec& spec, Sent& sent) noexcept {
  const std::size_t octets = build_segment(spec, packet_);
  ++(sender_.send(std::span(packet_).first(octets)) ? sent.sent : sent.failed);
}

}  // namespace postern
