#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/limits.h"
#include "core/side.h"

namespace postern {

/// Events to TypeScript and orders back, as flat words in memory that both sides own together
/// (src/native/event-batch.ts reads and writes the same layout).
///
/// An event is eight 32-bit words:
///   0 kind | side << 8 | flags << 16    1 flow    2 generation
///   3 text offset in the arena          4 text length
///   5, 6 a number, low word first       7 extra (packet id for frames, reason for `closed`)
/// The buffer opens with a header of four words: time in ms (low, high), counted from the capture's
/// or the clock's epoch; two unused.
enum class EventKind : std::uint8_t {
  opened = 1,  ///< text: two endpoints of 19 octets; number: in, out interface; extra: protocol |
               ///< packet id << 8
  line = 2,
  partial = 3,
  counted_end = 4,
  data_end = 5,
  look_alike = 6,
  tls_start = 7,  ///< text: write_tls_hello, with kWellFormed
  over_budget = 8,
  closed = 9,       ///< number: bytes of the initiator; text words: bytes of the responder; extra:
                    ///< EndReason | packet id << 8
  dropped = 10,     ///< text: two endpoints, then ident, flags, sequence, acknowledgement; extra:
                    ///< counter; packet id in place of the generation, PortProtocol of a datagram
                    ///< in place of the flow; number: 0x100 | the packet's window scale, if any
  reassembly = 11,  ///< flags: octets of the segment; number: its sequence number, and the one that
                    ///< is waited for; extra: ReassemblyAlarm | segments that wait << 8
  content = 12,     ///< text: records of facts (engine/content_scan.h); flags: kFinished
};

/// What `ip inspect tcp reassembly alarm` tells of (cisco-ios 3.6).
enum class ReassemblyAlarm : std::uint8_t {
  queue_full = 0,  ///< the arriving segment was dropped
  memory_limit,    ///< the arriving segment was dropped: none that waits is farther from the hole
  released,        ///< a segment that waited was dropped for one nearer to the hole
  expired,         ///< the time is up once: the queue is kept
  deleted,         ///< and twice: the session is deleted
  altered,         ///< octets differed from those seen first; once a session, alarm or not
};

enum EventFlag : std::uint32_t {
  kBareLf = 1,
  kWellFormed = 2,
  kMidstream = 4,
  kFinished = 8,
  kTlsAlert = 16,  ///< tls_start: an alert came in place of the hello
};

inline constexpr std::size_t kEventWords = 8;
inline constexpr std::size_t kEventHeaderWords = 4;

/// An order is a run of words: op | side << 8 | flags << 16, flow, then arguments.
enum class OrderOp : std::uint8_t {
  forward = 1,  ///< releases to the end of the flow's frame
  mask = 2,     ///< start, length; flags: the octet
  pause = 3,
  resume = 4,
  frame = 5,   ///< low, high; flags: mode | tolerant << 4
  refuse = 6,  ///< offset, length of the words in the order arena; flags: 1 reset, 0 words
  stop = 7,    ///< flags: 1 tls, 2 authenticated, 3 not ours (opaque both, tracked)
  again = 8,
  idle = 9,      ///< seconds
  end = 10,      ///< reason: RST to both, no words
  content = 11,  ///< plan; flags: ContentOrder
};

/// Order::flags of `content` (src/native/event-batch.ts, CONTENT).
enum class ContentOrder : std::uint32_t { begin_data = 1, begin_chunks, finish, drop };

/// Writes events into a buffer that JavaScript reads. Pure bookkeeping: the caller owns both
/// memories.
class EventWriter {
 public:
  EventWriter() noexcept = default;
  EventWriter(std::span<std::uint32_t> words, std::span<std::byte> arena) noexcept
      : words_(words), arena_(arena) {}

  struct Event {
    EventKind kind = EventKind::line;
    Side side = Side::initiator;
    std::uint32_t flags = 0;
    std::uint32_t flow = 0;
    std::uint32_t generation = 0;
    std::uint32_t text_offset = 0;
    std::uint32_t text_length = 0;
    std::uint64_t number = 0;
    std::uint32_t extra = 0;
  };

  void start(std::int64_t now_ms) noexcept;
  /// Room for `octets` of text: an offset into the arena, which the caller fills. False: deliver
  /// first.
  [[nodiscard]] bool reserve(std::size_t octets, std::uint32_t& offset) noexcept;
  [[nodiscard]] std::span<std::byte> text(std::uint32_t offset, std::size_t octets) noexcept {
    return arena_.subspan(offset, octets);
  }
  [[nodiscard]] bool full() const noexcept;
  void add(const Event& event) noexcept;
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }

 private:
  std::span<std::uint32_t> words_;
  std::span<std::byte> arena_;
  std::uint32_t count_ = 0;
  std::size_t arena_used_ = 0;
};

/// One order as read; `arguments` are as many as the operation has.
struct Order {
  OrderOp op = OrderOp::forward;
  Side side = Side::initiator;
  std::uint32_t flags = 0;
  std::uint32_t flow = 0;
  std::uint32_t first = 0;
  std::uint32_t second = 0;
};

/// Reads orders; stops for good at the first word that is no order, so a broken writer is seen.
class OrderReader {
 public:
  explicit OrderReader(std::span<const std::uint32_t> words) noexcept : words_(words) {}
  [[nodiscard]] bool next(Order& order) noexcept;
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  std::span<const std::uint32_t> words_;
  std::size_t at_ = 0;
  bool broken_ = false;
};

}  // namespace postern
