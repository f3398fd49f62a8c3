#include <algorithm>

#include "core/limits.h"
#include "core/sequence.h"
#include "core/tcp_tracker.h"
#include "core/tcp_transitions.h"

namespace postern {
namespace {

/// What a SYN or SYN-ACK says for the whole connection. A repeated SYN may offer less than the
/// first one did (stacks retry without options), and we cannot know which one was answered: what
/// was ever offered counts, because the answer can only agree to what its own SYN offered.
void remember_options(HalfStream& sender, const TcpPacket& syn) noexcept {
  const TcpOptions& options = syn.options;
  if (options.mss) sender.mss = *options.mss;
  if (options.window_scale) {
    const std::uint8_t shift = std::min(*options.window_scale, kWindowScaleMax);
    sender.window_scale = std::max(sender.window_scale, shift);
    sender.offers_window_scale = true;
  }
  if (options.has_timestamps) {
    sender.timestamps = true;
    sender.timestamp_recent = options.timestamp_value;
    sender.timestamp_known = true;
  }
  // Never scaled in a SYN (RFC 7323 2.2).
  sender.last_window_bytes = syn.window;
  sender.window_max_bytes = std::max<std::uint32_t>(sender.window_max_bytes, syn.window);
}

TrackResult repeated() noexcept {
  TrackResult result;
  result.retransmission = true;
  return result;
}

}  // namespace

TrackDrop Tracker::open(const TcpPacket& syn) noexcept {
  if (const TrackDrop drop = check_shape(syn); drop != TrackDrop::none) return drop;
  if (!syn.has(kSyn) || syn.has(kAck)) return TrackDrop::not_syn;

  halves_ = {};
  adopted_ = false;
  HalfStream& initiator = half_of(Side::initiator);
  initiator.initial_sequence = syn.sequence;
  initiator.acknowledged = syn.sequence;
  initiator.next = syn.sequence + 1;
  initiator.window_end = initiator.next;
  initiator.state = transition(TcpState::closed, PeerEvent::sends_syn).next;
  half_of(Side::responder).state = TcpState::listen;
  remember_options(initiator, syn);
  return TrackDrop::none;
}

TrackResult Tracker::check_syn(Side from, const TcpPacket& packet) const noexcept {
  if (over()) {
    TrackResult result;
    result.handshake_reuse = true;
    return result;
  }
  // RFC 5961 4: whatever its sequence number, it must not end or restart what is established.
  if (!half_open()) return {.drop = TrackDrop::syn_in_window};
  if (!transition(half(from).state, PeerEvent::sends_syn).allowed)
    return {.drop = TrackDrop::stray};
  if (packet.sequence != half(from).initial_sequence) return {.drop = TrackDrop::invalid_sequence};
  return repeated();
}

void Tracker::apply_syn(Side from, const TcpPacket& packet) noexcept {
  HalfStream& sender = half_of(from);
  if (!half_open() || from != Side::initiator) return;
  if (half(Side::responder).state == TcpState::listen) {
    remember_options(sender, packet);
  } else if (packet.options.has_timestamps) {
    sender.timestamp_recent = packet.options.timestamp_value;
    sender.timestamp_known = true;
  }
}

TrackResult Tracker::check_syn_ack(Side from, const TcpPacket& packet) const noexcept {
  const TrackDrop out_of_place =
      half_open() || was_reset() ? TrackDrop::stray : TrackDrop::syn_in_window;
  const HalfStream& initiator = half(Side::initiator);
  const HalfStream& responder = half(Side::responder);
  if (from != Side::responder || was_reset() ||
      !transition(responder.state, PeerEvent::sends_syn_ack).allowed) {
    return {.drop = out_of_place};
  }
  if (responder.state == TcpState::listen) {
    if (packet.acknowledgement != initiator.next)
      return {.drop = TrackDrop::invalid_acknowledgement};
    const bool uninvited = packet.options.window_scale && !initiator.offers_window_scale;
    if (uninvited && !window_scale_loose) return {.drop = TrackDrop::invalid_window_scale};
    return {};
  }
  // Again, because our copy or its confirmation was lost; only as long as nothing else was sent.
  if (responder.next != responder.initial_sequence + 1) return {.drop = out_of_place};
  if (packet.sequence != responder.initial_sequence) {
    return {half_open() ? TrackDrop::invalid_sequence : TrackDrop::syn_in_window};
  }
  if (packet.acknowledgement != initiator.initial_sequence + 1) {
    return {.drop = TrackDrop::invalid_acknowledgement};
  }
  return repeated();
}

void Tracker::apply_syn_ack(Side from, const TcpPacket& packet) noexcept {
  HalfStream& initiator = half_of(Side::initiator);
  HalfStream& responder = half_of(Side::responder);
  if (from != Side::responder) return;
  if (responder.state == TcpState::listen) {
    responder.initial_sequence = packet.sequence;
    responder.acknowledged = packet.sequence;
    responder.next = packet.sequence + 1;
    responder.window_end = responder.next + initiator.last_window_bytes;
    remember_options(responder, packet);
    // RFC 7323 2.2: both or none.
    if (!initiator.offers_window_scale || !responder.offers_window_scale) {
      initiator.window_scale = 0;
      responder.window_scale = 0;
    }
    initiator.acknowledged = packet.acknowledgement;
    initiator.window_end = packet.acknowledgement + packet.window;
    responder.state = transition(TcpState::listen, PeerEvent::sends_syn_ack).next;
  } else if (packet.sequence == responder.initial_sequence && packet.options.has_timestamps &&
             (!responder.timestamp_known ||
              seq_gt(packet.options.timestamp_value, responder.timestamp_recent))) {
    responder.timestamp_recent = packet.options.timestamp_value;
    responder.timestamp_known = true;
  }
}

}  // namespace postern
