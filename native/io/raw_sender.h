#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

#include "core/limits.h"
#include "io/conntrack_lookup.h"
#include "io/file_descriptor.h"
#include "io/packet_source.h"

namespace postern {

class RawSender;

struct RawOpening {
  std::unique_ptr<RawSender> sender;  ///< null on failure
  std::string error;                  ///< then: what to tell the administrator
};

/// Sends TCP segments in a peer's name through raw sockets. They enter the machine at OUTPUT, never
/// meet FORWARD, and carry a mark by which our own rules there let them pass; the administrator's
/// rules of OUTPUT apply to them.
///
/// NAT treats them like the connection's own packets, because they are sent with the addresses that
/// those had before NAT. Where conntrack knows no such connection they leave as they are. For one
/// thread.
class RawSender final : public SegmentSender {
 public:
  [[nodiscard]] static RawOpening open(std::uint32_t mark);

  /// TCP only, and no longer than the path allows: it is not cut.
  [[nodiscard]] bool send(std::span<const std::byte> packet) noexcept override;
  [[nodiscard]] bool send_as_seen(std::span<const std::byte> packet) noexcept override;
  [[nodiscard]] bool meets_double_nat() const noexcept override {
    return since_double_nat_ < kDoubleNatRemembered;
  }
  [[nodiscard]] bool tracked(const Endpoint& initiator,
                             const Endpoint& responder) noexcept override;
  void recall(const Endpoint& initiator, const Endpoint& responder,
              std::uint32_t mask) noexcept override;
  void recall_datagram(const DatagramEnds& ends, std::uint32_t mask) noexcept override;
  [[nodiscard]] ConntrackLookup& conntrack() noexcept { return conntrack_; }

 private:
  RawSender(FileDescriptor v4, FileDescriptor v6) noexcept
      : v4_(std::move(v4)), v6_(std::move(v6)) {}

  /// So many connections looked up in a row without NAT at both ends: there is none here now.
  static constexpr std::uint32_t kDoubleNatRemembered = 256;

  FileDescriptor v4_;
  FileDescriptor v6_;  ///< invalid where the kernel has no IPv6
  ConntrackLookup conntrack_;
  std::array<std::byte, kPacketBytesMax> packet_;
  std::uint32_t since_double_nat_ = kDoubleNatRemembered;
};

static_assert(!std::is_copy_constructible_v<RawSender>);

}  // namespace postern
