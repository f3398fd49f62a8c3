#include "core/tcp_tracker.h"

#include "core/sequence.h"
#include "core/tcp_transitions.h"

namespace postern {
namespace {

/// Whether an RST with this sequence number is the one its receiver expects (RFC 5961 3). We do not
/// know RCV.NXT, only its bounds: what the receiver has acknowledged and what we have passed on. A
/// peer that aborts sends its SND.NXT, which is the upper bound unless we withhold something; a
/// peer that answers a segment sends that segment's ACK, which is the lower bound. Nothing in
/// between is taken: a receiver that stands there answers with a challenge, and the reply to it is
/// exact.
bool is_exact(const HalfStream& sender, std::uint32_t sequence) noexcept {
  // Before its SYN is acknowledged, no receiver can stand at the SYN itself.
  return sequence == sender.next ||
         (sequence == sender.acknowledged && sequence != sender.initial_sequence);
}

TrackResult reset() noexcept {
  TrackResult result;
  result.reset = true;
  return result;
}

}  // namespace

TrackDrop Tracker::check_shape(const TcpPacket& packet) noexcept {
  const int kinds =
      (packet.has(kSyn) ? 1 : 0) + (packet.has(kFin) ? 1 : 0) + (packet.has(kRst) ? 1 : 0);
  // SYN, FIN and RST exclude each other, and all but the SYN and the RST carry ACK (RFC 9293 3.10):
  // anything else is a scan or meant to be read differently by two receivers.
  if (kinds > 1) return TrackDrop::invalid_flags;
  if (!packet.has(kSyn | kRst | kAck)) return TrackDrop::invalid_flags;
  // Nobody here passes a handshake with MD5 or AO, so no peer can have asked for them, and
  // receivers differ: Linux drops what carries MD5 and takes what carries AO.
  if (packet.options.has_md5 || packet.options.has_authentication) {
    return TrackDrop::unexpected_option;
  }
  if (packet.has(kSyn) && (packet.has(kPsh | kUrg) || !packet.payload().empty())) {
    return TrackDrop::syn_with_data;
  }
  return TrackDrop::none;
}

bool Tracker::half_open() const noexcept {
  return half(Side::initiator).state == TcpState::syn_sent;
}

bool Tracker::closing() const noexcept {
  return halves_[0].sent_fin || halves_[1].sent_fin;
}

bool Tracker::over() const noexcept {
  return is_over(halves_[0].state) && is_over(halves_[1].state);
}

bool Tracker::was_reset() const noexcept {
  return halves_[0].state == TcpState::closed && halves_[1].state == TcpState::closed;
}

TrackResult Tracker::check(Side from, const TcpPacket& packet) const noexcept {
  if (const TrackDrop drop = check_shape(packet); drop != TrackDrop::none) return {.drop = drop};
  if (packet.has(kSyn)) {
    return packet.has(kAck) ? check_syn_ack(from, packet) : check_syn(from, packet);
  }
  if (was_reset()) return {.drop = TrackDrop::stray};
  return packet.has(kRst) ? check_reset(from, packet) : check_segment(from, packet);
}

TrackResult Tracker::check_reset(Side from, const TcpPacket& packet) const noexcept {
  const HalfStream& sender = half(from);
  const HalfStream& receiver = half(other(from));
  // In SYN-SENT there is no sequence number to expect yet: what counts is the acknowledgement of
  // the SYN (RFC 9293 3.10.7.3). The initiator may still be there after we passed a SYN-ACK.
  if (receiver.state == TcpState::syn_sent && packet.has(kAck) &&
      packet.acknowledgement == receiver.next) {
    return reset();
  }
  if (sender.state == TcpState::listen) return {.drop = TrackDrop::invalid_acknowledgement};
  if (is_exact(sender, packet.sequence)) return reset();
  const bool in_window =
      seq_ge(packet.sequence, sender.acknowledged) && seq_le(packet.sequence, sender.window_end);
  return {in_window ? TrackDrop::rst_in_window : TrackDrop::invalid_sequence};
}

void Tracker::forget_timestamps() noexcept {
  for (HalfStream& half : halves_) half.timestamp_known = false;
}

void Tracker::note_echo(Side side, std::uint32_t timestamp) noexcept {
  HalfStream& sender = half_of(side);
  if (!timestamps() || timestamp == 0) return;
  if (sender.timestamp_known && seq_le(timestamp, sender.timestamp_recent)) return;
  sender.timestamp_recent = timestamp;
  sender.timestamp_known = true;
}

void Tracker::apply(Side from, const TcpPacket& packet) noexcept {
  if (packet.has(kRst)) {
    for (HalfStream& half : halves_) half.state = TcpState::closed;
  } else if (packet.has(kSyn)) {
    packet.has(kAck) ? apply_syn_ack(from, packet) : apply_syn(from, packet);
  } else {
    apply_segment(from, packet);
  }
}

}  // namespace postern
