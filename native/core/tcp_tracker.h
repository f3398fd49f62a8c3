#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/packet.h"
#include "core/side.h"

namespace postern {

/// RFC 9293 3.3.2, one a side. LISTEN is a responder that has not answered yet.
enum class TcpState : std::uint8_t {
  closed = 0,
  listen,
  syn_sent,
  syn_received,
  established,
  fin_wait_1,
  fin_wait_2,
  close_wait,
  closing,
  last_ack,
  time_wait,
};

/// Why a segment is not passed (cisco-ios 4.3 names them for the log).
enum class TrackDrop : std::uint8_t {
  none = 0,
  not_syn,           ///< first segment of a flow is no SYN: midstream, the engine decides
  invalid_flags,     ///< a combination that no TCP sends, or no flags at all
  syn_with_data,     ///< see Tracker: cannot be judged, the peer sends it again
  invalid_sequence,  ///< outside the receiver's window
  invalid_acknowledgement,
  invalid_window_scale,
  syn_in_window,      ///< RFC 5961 4
  rst_in_window,      ///< RFC 5961 3: RST that is not exact
  old_timestamp,      ///< RFC 7323 5 (PAWS)
  unexpected_option,  ///< MD5 or AO where the peer did not ask for it
  data_after_fin,
  stray,  ///< state does not allow it
};

/// What a segment that passes meant for the connection.
struct TrackResult {
  TrackDrop drop = TrackDrop::none;
  bool established = false;      ///< the three-way handshake was completed by this segment
  bool fin = false;              ///< the first FIN of this side, in sequence
  bool reset = false;            ///< an RST that ends the connection
  bool closed = false;           ///< both FINs sent and acknowledged
  bool retransmission = false;   ///< no octet of it is new (keepalives too)
  bool handshake_reuse = false;  ///< a SYN on a connection that is over: start a new flow with it
};

/// One direction: what its sender has sent and what the other peer lets it send.
struct HalfStream {
  std::uint32_t initial_sequence = 0;  ///< ISS
  std::uint32_t next = 0;  ///< SND.NXT as seen: one past the highest octet passed on in order
  std::uint32_t acknowledged = 0;       ///< SND.UNA: what the other peer has acknowledged
  std::uint32_t window_end = 0;         ///< highest ACK + window the other peer ever announced
  std::uint32_t last_window_bytes = 0;  ///< the window this sender announces, scaled
  std::uint32_t timestamp_recent = 0;   ///< last TSval of this sender, where one is known
  std::uint32_t fin_sequence = 0;       ///< sequence number of its FIN
  std::uint16_t mss = 536;
  std::uint8_t window_scale = 0;
  TcpState state = TcpState::closed;
  bool offers_window_scale = false;
  bool timestamps = false;
  bool timestamp_known = false;
  bool sent_fin = false;
  std::uint32_t window_max_bytes = 0;  ///< the largest window this sender ever announced, scaled
};

/// TCP seen from the middle (RFC 9293, RFC 5961, RFC 7323): we may see segments that never arrive,
/// and we may withhold segments that were sent, so the limits are what either peer could accept,
/// never what one of them has.
///
/// Pure: no clock, no memory, no packet bytes. `check` judges a segment as if it were passed on
/// now; it changes nothing; `apply` moves the state and is called only for segments that are passed
/// on. In-order is the engine's business: `next` moves by `apply` to the end of any segment that
/// starts at or before it.
class Tracker {
 public:
  /// The connection's first segment. Drop reason `not_syn` unless it is a plain SYN (ECN bits
  /// allowed); payload in it is reported with `syn_with_data` (fast open: the octets cannot be told
  /// from a replay; without them TCP goes on).
  /// Refused segments leave the tracker as it was.
  [[nodiscard]] TrackDrop open(const TcpPacket& syn) noexcept;
  /// Takes a flow up under way (`postern fail open`): windows start wide, state established.
  /// `from` is who sent `first`. Octets that were under way before may still arrive and be
  /// acknowledged, so `next` follows whatever is seen.
  void adopt(const TcpPacket& first, Side from = Side::initiator) noexcept;

  [[nodiscard]] TrackResult check(Side from, const TcpPacket& packet) const noexcept;
  void apply(Side from, const TcpPacket& packet) noexcept;
  /// Counts what `from` sent before `sequence` as passed on, although some of it may still come:
  /// for streams whose segments go in any order.
  void skip_to(Side from, std::uint32_t sequence) noexcept;

  /// Both agreed to timestamps, but which were the last is not known: the next ones are.
  void forget_timestamps() noexcept;
  /// The receiver of `side` says by its echo that it has had this TSval: older ones are refused
  /// from now on (RFC 7323 5.3). Changes nothing where timestamps were not agreed to, and with 0,
  /// which receivers take for none.
  void note_echo(Side side, std::uint32_t timestamp) noexcept;

  [[nodiscard]] const HalfStream& half(Side side) const noexcept { return halves_[index(side)]; }
  [[nodiscard]] bool timestamps() const noexcept {
    return halves_[0].timestamps && halves_[1].timestamps;
  }
  [[nodiscard]] bool half_open() const noexcept;  ///< handshake not completed
  [[nodiscard]] bool closing() const noexcept;    ///< a FIN was passed on
  /// Reset, or both FINs acknowledged: what still passes repeats something, or opens anew.
  [[nodiscard]] bool over() const noexcept;

  /// Also: a SYN-ACK may offer scaling that the SYN did not, and a segment may exceed the announced
  /// window (by less than the largest window TCP knows).
  bool window_scale_loose = false;  ///< `ip inspect tcp window-scale-enforcement loose`

 private:
  using States = std::array<TcpState, 2>;
  /// What a segment without SYN and RST does to both states; nullopt: it is stray.
  [[nodiscard]] std::optional<States> moves(Side from, const TcpPacket& packet) const noexcept;

  /// What is wrong with a segment whatever the state: its flags and options.
  [[nodiscard]] static TrackDrop check_shape(const TcpPacket& packet) noexcept;
  [[nodiscard]] TrackResult check_syn(Side from, const TcpPacket& packet) const noexcept;
  [[nodiscard]] TrackResult check_syn_ack(Side from, const TcpPacket& packet) const noexcept;
  [[nodiscard]] TrackResult check_reset(Side from, const TcpPacket& packet) const noexcept;
  [[nodiscard]] TrackResult check_segment(Side from, const TcpPacket& packet) const noexcept;
  [[nodiscard]] TrackDrop check_sequence(Side from, const TcpPacket& packet) const noexcept;
  [[nodiscard]] TrackDrop check_acknowledgement(Side from, const TcpPacket& packet) const noexcept;

  void apply_syn(Side from, const TcpPacket& packet) noexcept;
  void apply_syn_ack(Side from, const TcpPacket& packet) noexcept;
  void apply_segment(Side from, const TcpPacket& packet) noexcept;
  void apply_acknowledgement(Side from, const TcpPacket& packet) noexcept;

  [[nodiscard]] HalfStream& half_of(Side side) noexcept { return halves_[index(side)]; }
  /// CLOSED on both sides: never opened, or reset. After FINs one peer is in TIME-WAIT.
  [[nodiscard]] bool was_reset() const noexcept;
  /// The highest acknowledgement that `side`'s stream can get.
  [[nodiscard]] std::uint32_t acknowledgeable(Side side) const noexcept;

  std::array<HalfStream, 2> halves_{};
  bool adopted_ = false;
};

/// RFC 9293's name in capitals, for `show`.
[[nodiscard]] const char* name_of(TcpState state) noexcept;
/// IOS's words for the reason (cisco-ios 4.3), for the log; where IOS has none, ours in its manner.
[[nodiscard]] const char* name_of(TrackDrop drop) noexcept;

}  // namespace postern
