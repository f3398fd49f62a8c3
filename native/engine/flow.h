#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/framer.h"
#include "core/limits.h"
#include "core/packet.h"
#include "core/side.h"
#include "core/stream_store.h"
#include "core/tcp_tracker.h"
#include "engine/content_flow.h"

namespace postern {

/// What a destination port stands for; the numbers are those of src/native/event-batch.ts.
/// The last three are for sessions of generic inspection: no mail protocol, layer 4 only.
enum class PortProtocol : std::uint8_t {
  none = 0,
  smtp,
  pop3,
  imap,
  smtps,
  pop3s,
  imaps,
  tcp,
  udp,
  icmp,
};

/// Why a flow ended, or a packet outside of the tracker's reasons was refused. TypeScript maps
/// these to reasons and texts (src/native/event-batch.ts keeps the same order).
enum class EndReason : std::uint8_t {
  closed = 0,
  reset_by_initiator,
  reset_by_responder,
  refused,
  synwait_timeout,
  finwait_timeout,
  idle_timeout,
  reassembly_timeout,
  held_too_long,
  cleared,
  engine_error,
  worker_restarted,
  port_reused,
  shutdown,
};

/// A packet of one side, in order, that waits for its verdict. In hand (this turn) it points into
/// the receive buffer; held longer, it keeps its headers only: the payload stands in the stream
/// store.
struct PendingPacket {
  std::uint32_t id = 0;
  TcpPacket packet;              ///< `bytes` point to the buffer, or to `owned`
  std::vector<std::byte> owned;  ///< headers of a held packet, or all of one that came early
  std::uint64_t offset = 0;      ///< stream offset of the payload's first octet
  std::uint32_t length = 0;      ///< payload octets
  std::uint32_t mark = 0;
  bool dirty = false;           ///< differs from what was received: to be written anew
  bool gso = false;             ///< a super-packet that the kernel will cut
  bool payload_present = true;  ///< false once only the headers are kept
};

/// Octets of the frame under way that were masked, as they were sent.
struct MaskedRun {
  std::uint64_t offset = 0;
  std::vector<std::byte> octets;
};

/// What of one direction is remembered while nothing of it is under way.
struct SideFacts {
  std::uint32_t base_sequence = 0;  ///< sequence number of stream offset 0
  std::uint32_t last_timestamp = 0;
  /// The highest TSval that went on to its receiver: what comes later must not look older.
  std::optional<std::uint32_t> timestamp_passed;
  std::uint32_t last_acknowledgement = 0;  ///< of the other side's octets: the highest it has sent
  std::uint16_t last_window = 0;           ///< as its sender announced it, unscaled
  bool acknowledges = false;               ///< it has sent one
  bool paused = false;
  bool opaque = false;        ///< nothing is stored or framed
  bool resync = false;        ///< the next segment says where the stream stands
  bool began_unseen = false;  ///< offset 0 is no start: octets came before it
  bool fin_received = false;  ///< in order
  bool fin_forwarded = false;
  std::uint64_t hides_to = 0;  ///< where its last masked octets ended
};

/// One direction of a flow: the octets its sender sent, in order, and how far each step has come.
/// begin <= frame_begin <= framed <= store.end(), and frame_begin, released <= store.end().
struct FlowSide : SideFacts {
  StreamStore store;
  Framer framer;
  std::uint64_t frame_begin = 0;    ///< where the frame under way begins
  std::uint64_t framed = 0;         ///< how far the framer has looked
  std::uint64_t released = 0;       ///< octets before this may be forwarded
  std::uint64_t forwarded = 0;      ///< octets before this were forwarded
  std::uint64_t partial_asked = 0;  ///< `framed` when the machine was last asked about a prefix
  /// A line was judged at its CR, because the packet ended there and some servers (Dovecot) act on
  /// it: only its LF may follow. `frame_begin` still stands at the line's start.
  bool judged_at_cr = false;
  std::vector<PendingPacket> pending;
  std::vector<PendingPacket> early;  ///< out of order, whole packets
  /// Of a tolerant line that outgrew its budget; of a TLS hello, all that has come.
  std::vector<std::byte> head;
  /// A prefix may be masked before its line is whole, and the judge is to see the line that was
  /// sent.
  std::vector<MaskedRun> masked;

  /// The next frame begins at `offset`.
  void begin_frame(std::uint64_t offset) noexcept {
    frame_begin = offset;
    head.clear();
    masked.clear();
  }
};

/// The small TCP receiver that Postern is toward a client it refuses (design.md, refusing well).
struct Refusal {
  std::vector<std::byte> words;
  std::uint32_t send_sequence = 0;  ///< of the first octet of the words
  std::uint32_t receive_next = 0;   ///< what we acknowledge
  std::int64_t next_send_ms = 0;    ///< retransmission, when spoken
  std::uint32_t retransmit_ms = 0;
  std::int64_t give_up_ms = 0;
  /// When the words are said although the message has not ended; 0: not before it does.
  std::int64_t interrupt_ms = 0;
  bool heard_out = false;  ///< what the initiator was in the middle of has ended
  bool spoken = false;
  bool acknowledged = false;  ///< words and our FIN
  bool peer_fin = false;
};

/// 0 is for half-open connections, which are no flows: the gate knows them.
enum class FlowStage : std::uint8_t {
  open = 1,
  closing,   ///< a FIN went through
  refusing,  ///< we speak to the initiator
  dead,      ///< over; what still comes is answered with RST or dropped
};

/// What of a flow is remembered while nothing of it is under way.
struct FlowFacts {
  Tracker tracker;
  std::int64_t created_ms = 0;
  std::int64_t last_heard_ms = 0;
  std::int64_t closing_since_ms = 0;
  std::array<std::uint64_t, 2> bytes{};    ///< payload forwarded
  std::array<std::uint32_t, 2> packets{};  ///< let in, by their sender
  std::uint32_t idle_ms = 3'600'000;
  std::uint32_t idle_ordered_ms = 0;  ///< its own from its next packet on; 0: the configured one
  std::uint32_t finwait_ms = 5'000;   ///< as configured when it began
  /// Where the kernel's SYNPROXY answered the initiator: how much more it acknowledges than it
  /// would of the responder's own sequence numbers, which our hooks see (cookie less ISS); else 0.
  std::uint32_t acknowledgement_shift = 0;
  std::uint32_t in_interface = 0;
  std::uint32_t out_interface = 0;
  std::uint32_t offload_mark = 0;  ///< set on every packet that is accepted from now on
  std::uint32_t mark_once = 0;     ///< set on the next one only
  std::uint32_t offloaded = 0;  ///< why inspection stopped (Order::flags of `stop`); 0: it goes on
  std::uint32_t altered = 0;    ///< segments whose octets differed from those seen first
  PortProtocol protocol = PortProtocol::none;
  FlowStage stage = FlowStage::open;
  std::uint8_t late_resets = 0;  ///< RSTs sent for what came after the end
  bool altered_told = false;
  bool announced = false;  ///< JavaScript knows it
  bool midstream = false;
  bool loose = false;      ///< a direction has left the queue: its half cannot be tracked
  bool may_turn = false;   ///< its packets may leave by the interface they came in by
  bool selective = false;  ///< both agreed to selective acknowledgements (RFC 2018 2)
};

/// A connection whose handshake is complete, with all that its packets need.
struct Flow : FlowFacts {
  std::array<FlowSide, 2> sides;
  std::unique_ptr<Refusal> refusal;
  std::unique_ptr<FlowContent> content;  ///< while a message of the initiator is scanned
  std::int64_t early_since_ms = 0;       ///< when the oldest gap opened; 0: none
  std::int64_t held_since_ms = 0;  ///< since when a side is paused with octets waiting; 0: none
  bool needs_announcement = false;
  bool early_retried = false;         ///< the reassembly timer went off once (cisco-ios 3.6)
  bool busy = false;                  ///< a frame of it is being judged in this turn
  Side event_side = Side::initiator;  ///< whose frame is being judged
  Side next_side = Side::initiator;   ///< whose frames are looked for first
  bool event_is_partial = false;
  bool ordered = true;          ///< the last frame got an order
  bool reframe_wanted = false;  ///< the framer stands still until it is set anew
  bool mend_wanted = false;     ///< or until the octet that it stopped at is overwritten
  bool forward_wanted = false;  ///< of what the scan found nothing goes by itself
  bool may_rest = false;        ///< the shelf is to look at it when the turn ends

  [[nodiscard]] FlowSide& side(Side which) noexcept { return sides[index(which)]; }
  [[nodiscard]] const FlowSide& side(Side which) const noexcept { return sides[index(which)]; }
};

/// Sequence number of a stream offset.
[[nodiscard]] inline std::uint32_t sequence_at(const FlowSide& side,
                                               std::uint64_t offset) noexcept {
  return side.base_sequence + static_cast<std::uint32_t>(offset);
}

/// Stream offset of a sequence number, taken as the nearest to `near`. Negative before the stream's
/// start.
[[nodiscard]] inline std::int64_t offset_of(const FlowSide& side, std::uint32_t sequence,
                                            std::uint64_t near) noexcept {
  const auto distance = static_cast<std::int32_t>(sequence - sequence_at(side, near));
  return static_cast<std::int64_t>(near) + distance;
}

/// Payload of the segments that we send to a peer ourselves, by what it announced.
[[nodiscard]] inline std::size_t injected_payload_max(const Flow& flow, Side receiver) noexcept {
  return std::clamp<std::size_t>(flow.tracker.half(receiver).mss, kInjectedPayloadBytesMin,
                                 kInjectedPayloadBytesMax);
}

}  // namespace postern
