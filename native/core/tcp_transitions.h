#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/tcp_tracker.h"

/// The connection states of RFC 9293 3.3.2, as a firewall sees them.
///
/// Who we are: neither peer, but the one in the middle. We see what a peer sends, never what it
/// receives: a segment that we pass may still be lost behind us, and one that we withhold was sent
/// all the same. So a state moves only by what its own peer's segments prove, or by what the other
/// peer's segments prove about it; and whatever a peer repeats because it was lost must pass again.
///
/// The table is written once and serves both peers. A segment is at most a few events for each of
/// them; an event that a state does not allow makes the segment stray.
namespace postern {

/// What a segment that passes says about one of the peers.
enum class PeerEvent : std::uint8_t {
  sends_syn = 0,
  sends_syn_ack,
  confirms,         ///< it acknowledged the other peer's SYN-ACK
  confirmed,        ///< the other peer acknowledged its SYN-ACK
  sends,            ///< it sent a segment without SYN and RST
  heard_fin,        ///< it acknowledged the other peer's FIN
  sends_fin,        ///< it sent its FIN, in sequence
  fin_acknowledged  ///< the other peer acknowledged its FIN
};

inline constexpr std::size_t kPeerEvents = 8;
inline constexpr std::size_t kTcpStates = 11;

/// An entry of the table: the state that follows, or "not in this state".
struct Transition {
  bool allowed = false;
  TcpState next = TcpState::closed;
};

namespace transitions {

inline constexpr Transition kStray{};
inline constexpr Transition kClosed{true, TcpState::closed};
inline constexpr Transition kSynSent{true, TcpState::syn_sent};
inline constexpr Transition kSynReceived{true, TcpState::syn_received};
inline constexpr Transition kEstablished{true, TcpState::established};
inline constexpr Transition kFinWait1{true, TcpState::fin_wait_1};
inline constexpr Transition kFinWait2{true, TcpState::fin_wait_2};
inline constexpr Transition kCloseWait{true, TcpState::close_wait};
inline constexpr Transition kClosing{true, TcpState::closing};
inline constexpr Transition kLastAck{true, TcpState::last_ack};
inline constexpr Transition kTimeWait{true, TcpState::time_wait};

using Row = std::array<Transition, kPeerEvents>;

/// Columns: SYN, SYN-ACK, confirms, confirmed, sends, heard FIN, sends FIN, FIN acknowledged.
inline constexpr std::array<Row, kTcpStates> kTable = {{
    // CLOSED: before the SYN, or after LAST-ACK. After LAST-ACK the final acknowledgement may have
    // been lost behind us, then the FIN is repeated. (A connection that was reset has no events.)
    {kSynSent, kStray, kClosed, kClosed, kClosed, kClosed, kClosed, kClosed},
    // LISTEN: a SYN of its own would be a simultaneous open or a split handshake (RFC 9293 3.5),
    // which no mail server makes and which turns the direction around: stray.
    {kStray, kSynReceived, kStray, kStray, kStray, kStray, kStray, kStray},
    // SYN-SENT: may repeat its SYN; the first segment that is no SYN must confirm.
    {kSynSent, kStray, kEstablished, kStray, kStray, kStray, kStray, kStray},
    // SYN-RECEIVED: may repeat its SYN-ACK, and sends nothing else before it is confirmed: the
    // confirmation passes through us, so we know before it does.
    {kStray, kSynReceived, kStray, kEstablished, kStray, kStray, kStray, kStray},
    // ESTABLISHED: a SYN-ACK again when the confirmation was lost behind us.
    {kStray, kEstablished, kEstablished, kEstablished, kEstablished, kCloseWait, kFinWait1, kStray},
    // FIN-WAIT-1: CLOSING when both have closed at once.
    {kStray, kStray, kFinWait1, kFinWait1, kFinWait1, kClosing, kFinWait1, kFinWait2},
    // FIN-WAIT-2: half closed; the other peer may go on sending for as long as it likes.
    {kStray, kStray, kFinWait2, kFinWait2, kFinWait2, kTimeWait, kFinWait2, kFinWait2},
    // CLOSE-WAIT: still sends; the other peer waits for its FIN.
    {kStray, kStray, kCloseWait, kCloseWait, kCloseWait, kCloseWait, kLastAck, kStray},
    // CLOSING
    {kStray, kStray, kClosing, kClosing, kClosing, kClosing, kClosing, kTimeWait},
    // LAST-ACK
    {kStray, kStray, kLastAck, kLastAck, kLastAck, kLastAck, kLastAck, kClosed},
    // TIME-WAIT: acknowledges a repeated FIN again.
    {kStray, kStray, kTimeWait, kTimeWait, kTimeWait, kTimeWait, kTimeWait, kTimeWait},
}};

}  // namespace transitions

[[nodiscard]] constexpr Transition transition(TcpState state, PeerEvent event) noexcept {
  return transitions::kTable[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

/// Nothing new can come from a peer in this state.
[[nodiscard]] constexpr bool is_over(TcpState state) noexcept {
  return state == TcpState::closed || state == TcpState::time_wait;
}

}  // namespace postern
