#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/half_open_table.h"
#include "core/limits.h"
#include "core/packet.h"
#include "io/packet_source.h"

namespace postern {

/// So many a second, and as many at once after a quiet second.
class TokenBucket {
 public:
  explicit TokenBucket(std::uint32_t a_second) noexcept
      : a_second_(a_second), tokens_(std::int64_t{a_second} * kMsASecond) {}

  /// Whether one may go now. A clock that went backwards refills nothing.
  [[nodiscard]] bool take(std::int64_t now_ms) noexcept;

 private:
  static constexpr std::int64_t kMsASecond = 1'000;

  std::uint32_t a_second_;
  std::int64_t tokens_;  ///< in thousandths
  std::int64_t filled_ms_ = 0;
};

/// The RST that a half-open connection's responder expects: its SYN-RECEIVED entry goes
/// (RFC 9293 3.10.7.4), for the sequence number is exactly what it waits for.
[[nodiscard]] SegmentSpec reset_toward_responder(const HalfOpen& entry) noexcept;
/// The one its initiator accepts: in SYN-SENT by its acknowledgement, and behind an answer that
/// came through by its sequence number too (RFC 9293 3.10.7.3, RFC 5961 3).
[[nodiscard]] SegmentSpec reset_toward_initiator(const HalfOpen& entry) noexcept;

/// Sends what ends a half-open connection at both ends (cisco-ios 3.3). In a flood most initiators
/// are forged, and every RST goes to somebody who never asked (D-22): those are limited.
///
/// To look a connection's NAT up costs more than all the rest of a SYN. Beyond some a second the
/// responders' RSTs go without: the kernel itself translates what NAT changes at one end. Only
/// where connections under NAT at both ends are met every one is looked up. For one thread.
class ResetSender {
 public:
  struct Sent {
    std::uint32_t sent = 0;
    std::uint32_t failed = 0;
    std::uint32_t limited = 0;  ///< not sent toward initiators
  };

  explicit ResetSender(SegmentSender& sender) noexcept : sender_(sender) {}

  Sent send(const HalfOpen& entry, std::int64_t now_ms) noexcept;

 private:
  void send_segment(const SegmentSpec& spec, bool look_up, Sent& sent) noexcept;

  static constexpr std::size_t kResetBytesMax = 60;

  SegmentSender& sender_;
  TokenBucket toward_initiators_{kInitiatorResetsASecond};
  TokenBucket look_ups_{kResetLookupsASecond};
  std::array<std::byte, kResetBytesMax> packet_{};
};

}  // namespace postern
