#include <algorithm>

#include "core/limits.h"
#include "core/sequence.h"
#include "core/tcp_tracker.h"
#include "core/tcp_transitions.h"

/// Segments without SYN and RST. The window rules are four inequalities: a segment must end neither
/// behind what its receiver may still take as old nor beyond the highest window it ever announced,
/// and an acknowledgement must be neither of octets never passed on nor older than a window.
namespace postern {
namespace {

/// How far behind the oldest unacknowledged octet a segment or an acknowledgement may be when its
/// receiver never announced a larger window: repetitions of what was long received must pass.
constexpr std::uint32_t kReachBackMinBytes = 65'535;
/// The largest window there is (RFC 7323 2.3).
constexpr std::uint32_t kWindowMaxBytes = 65'535U << kWindowScaleMax;

std::uint32_t reach_back(const HalfStream& receiver) noexcept {
  return std::max(receiver.window_max_bytes, kReachBackMinBytes);
}

std::uint32_t end_of(const TcpPacket& packet) noexcept {
  return packet.sequence + packet.segment_length();
}

/// A keepalive without an octet: just before `next`, with nothing in flight (RFC 9293 3.8.4). One
/// with an octet is an ordinary retransmission.
bool is_bare_keepalive(const HalfStream& sender, const TcpPacket& packet) noexcept {
  return packet.segment_length() == 0 && sender.acknowledged == sender.next &&
         packet.sequence == sender.next - 1;
}

/// Starts at or before what was passed on and ends behind it.
bool continues(const HalfStream& sender, const TcpPacket& packet) noexcept {
  return seq_le(packet.sequence, sender.next) && seq_gt(end_of(packet), sender.next);
}

/// The FIN fixes the stream's end: nothing may come behind it, in its place, or move it.
TrackDrop check_fin(const HalfStream& sender, const TcpPacket& packet) noexcept {
  const std::uint32_t end = end_of(packet);
  if (!sender.sent_fin) {
    // A FIN inside of octets that have passed: only a receiver that missed some would take it.
    const bool inside = packet.has(kFin) && seq_le(end, sender.next);
    return inside ? TrackDrop::invalid_sequence : TrackDrop::none;
  }
  const auto payload_bytes = static_cast<std::uint32_t>(packet.payload().size());
  if (payload_bytes != 0 && seq_gt(packet.sequence + payload_bytes, sender.fin_sequence)) {
    return TrackDrop::data_after_fin;
  }
  const bool fin_moved = packet.has(kFin) && end != sender.fin_sequence + 1;
  const bool behind = seq_gt(packet.sequence, sender.fin_sequence + 1);
  return fin_moved || behind ? TrackDrop::invalid_sequence : TrackDrop::none;
}

}  // namespace

void Tracker::adopt(const TcpPacket& first, Side from) noexcept {
  halves_ = {};
  adopted_ = true;
  HalfStream& sender = half_of(from);
  HalfStream& receiver = half_of(other(from));
  // The scale is unknown: with the largest one no window is taken for smaller than it is.
  for (HalfStream& half : halves_) {
    half.state = TcpState::established;
    half.window_scale = kWindowScaleMax;
    half.window_max_bytes = kWindowMaxBytes;
  }
  sender.next = first.sequence + (first.has(kSyn) ? 1U : 0U);
  sender.initial_sequence = sender.next - 1;
  sender.acknowledged = sender.next;
  sender.window_end = sender.next + kWindowMaxBytes;
  receiver.next = first.acknowledgement;
  receiver.initial_sequence = receiver.next - 1;
  receiver.acknowledged = receiver.next;
  receiver.window_end = receiver.next + kWindowMaxBytes;
  if (!first.has(kSyn | kRst)) apply_segment(from, first);
}

std::uint32_t Tracker::acknowledgeable(Side side) const noexcept {
  return adopted_ && !half(side).sent_fin ? half(side).window_end : half(side).next;
}

std::optional<Tracker::States> Tracker::moves(Side from, const TcpPacket& packet) const noexcept {
  const Side to = other(from);
  const HalfStream& sender = half(from);
  const HalfStream& receiver = half(to);
  States states = {halves_[0].state, halves_[1].state};
  bool allowed = true;
  const auto move = [&](Side side, PeerEvent event) {
    const Transition entry = transition(states[index(side)], event);
    allowed = allowed && entry.allowed;
    states[index(side)] = entry.next;
  };

  // The initiator's every acknowledgement is also one of the SYN-ACK.
  if (from == Side::initiator) {
    move(from, PeerEvent::confirms);
    move(to, PeerEvent::confirmed);
  }
  move(from, PeerEvent::sends);
  if (receiver.sent_fin && seq_gt(packet.acknowledgement, receiver.fin_sequence)) {
    move(from, PeerEvent::heard_fin);
    move(to, PeerEvent::fin_acknowledged);
  }
  if (packet.has(kFin) && (sender.sent_fin || continues(sender, packet))) {
    move(from, PeerEvent::sends_fin);
  }
  if (!allowed) return std::nullopt;
  return states;
}

TrackDrop Tracker::check_sequence(Side from, const TcpPacket& packet) const noexcept {
  const HalfStream& sender = half(from);
  const std::uint32_t end = end_of(packet);
  if (seq_lt(end, sender.acknowledged - reach_back(half(other(from))))) {
    return TrackDrop::invalid_sequence;
  }
  // One octet beyond is a zero window probe, or the FIN behind a full window.
  const std::uint32_t limit =
      window_scale_loose ? sender.acknowledged + kWindowMaxBytes : sender.window_end + 1;
  if (seq_gt(end, limit)) return TrackDrop::invalid_sequence;
  return check_fin(sender, packet);
}

TrackDrop Tracker::check_acknowledgement(Side from, const TcpPacket& packet) const noexcept {
  const HalfStream& receiver = half(other(from));
  const std::uint32_t ack = packet.acknowledgement;
  if (half_open()) {
    return ack == receiver.next ? TrackDrop::none : TrackDrop::invalid_acknowledgement;
  }
  // RFC 5961 5: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT, where SND.NXT is what we passed on.
  const bool too_old = seq_lt(ack, receiver.acknowledged - reach_back(half(from)));
  const bool too_new = seq_gt(ack, acknowledgeable(other(from)));
  return too_old || too_new ? TrackDrop::invalid_acknowledgement : TrackDrop::none;
}

TrackResult Tracker::check_segment(Side from, const TcpPacket& packet) const noexcept {
  const HalfStream& sender = half(from);
  const std::optional<States> after = moves(from, packet);
  if (!after) return {.drop = TrackDrop::stray};
  if (const TrackDrop drop = check_sequence(from, packet); drop != TrackDrop::none)
    return {.drop = drop};
  if (const TrackDrop drop = check_acknowledgement(from, packet); drop != TrackDrop::none) {
    return {.drop = drop};
  }
  // RFC 7323 5.3 R1. A segment without timestamps passes, as Linux takes it.
  const TcpOptions& options = packet.options;
  if (timestamps() && options.has_timestamps && sender.timestamp_known &&
      seq_lt(options.timestamp_value, sender.timestamp_recent)) {
    return {.drop = TrackDrop::old_timestamp};
  }

  const std::uint32_t length = packet.segment_length();
  TrackResult result;
  result.established = half_open();
  result.fin = packet.has(kFin) && continues(sender, packet);
  result.closed = !over() && is_over((*after)[0]) && is_over((*after)[1]);
  result.retransmission =
      (length != 0 && seq_le(end_of(packet), sender.next)) || is_bare_keepalive(sender, packet);
  return result;
}

void Tracker::apply_segment(Side from, const TcpPacket& packet) noexcept {
  const std::optional<States> after = moves(from, packet);
  if (!after) return;
  HalfStream& sender = half_of(from);
  const TcpOptions& options = packet.options;
  // Only from segments at or before the edge (RFC 7323 4.3): a later one that overtook its
  // predecessor must not make that one look old.
  const bool newer =
      !sender.timestamp_known || seq_gt(options.timestamp_value, sender.timestamp_recent);
  if (options.has_timestamps && seq_le(packet.sequence, sender.next) && newer) {
    sender.timestamp_recent = options.timestamp_value;
    sender.timestamp_known = true;
  }
  if (continues(sender, packet) || (adopted_ && seq_gt(end_of(packet), sender.next))) {
    sender.next = end_of(packet);
    if (packet.has(kFin)) {
      sender.sent_fin = true;
      sender.fin_sequence = sender.next - 1;
    }
  }
  apply_acknowledgement(from, packet);
  halves_[0].state = (*after)[0];
  halves_[1].state = (*after)[1];
}

void Tracker::skip_to(Side from, std::uint32_t sequence) noexcept {
  HalfStream& sender = half_of(from);
  if (!sender.sent_fin) sender.next = seq_max(sender.next, sequence);
}

void Tracker::apply_acknowledgement(Side from, const TcpPacket& packet) noexcept {
  HalfStream& sender = half_of(from);
  HalfStream& receiver = half_of(other(from));
  const std::uint32_t ack = packet.acknowledgement;
  if (seq_gt(ack, acknowledgeable(other(from)))) return;
  receiver.acknowledged = seq_max(receiver.acknowledged, ack);
  if (adopted_) receiver.next = seq_max(receiver.next, ack);

  const std::uint32_t window_bytes = std::uint32_t{packet.window} << sender.window_scale;
  receiver.window_end = seq_max(receiver.window_end, ack + window_bytes);
  sender.window_max_bytes = std::max(sender.window_max_bytes, window_bytes);
  if (ack == receiver.acknowledged) sender.last_window_bytes = window_bytes;
}

}  // namespace postern
