#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/datagram_packet.h"
#include "core/packet.h"

namespace postern {

/// A packet that waits for its verdict. `bytes` start at the IP header and stay valid until the
/// next receive(); they may be changed in place. Hold a packet by copying what is needed and
/// keeping `id`.
struct ReceivedPacket {
  std::uint32_t id = 0;
  std::span<std::byte> bytes;
  std::uint32_t in_interface = 0;   ///< interface index, 0 where there is none (OUTPUT)
  std::uint32_t out_interface = 0;  ///< 0 in INPUT
  std::uint32_t mark = 0;
  std::uint8_t hook = 0;  ///< NF_INET_LOCAL_IN 1, FORWARD 2, LOCAL_OUT 3
  bool checksum_complete =
      false;  ///< false: the kernel has not filled it in yet; never verify, always write in full
  /// A super-packet that the kernel will cut into segments. A replacement whose payload fits into
  /// one segment cannot be cut and is silently lost by the kernel: drop the packet and hand the
  /// short one (an RST, a trimmed segment) to the SegmentSender instead.
  bool gso = false;
  bool truncated = false;    ///< the copy is shorter than the packet: it cannot be judged
  std::int64_t time_ms = 0;  ///< replay: from the capture; live: 0, the engine uses its clock

  /// Whether this machine itself sends it.
  [[nodiscard]] bool sent_here() const noexcept { return hook == 3; }
  /// Whether it leaves by the interface that it came in by.
  [[nodiscard]] bool turned() const noexcept {
    return in_interface != 0 && in_interface == out_interface;
  }
};

enum class ReceiveStatus : std::uint8_t {
  packets,  ///< some were received
  none,     ///< nothing there now
  overrun,  ///< ENOBUFS: the socket lost packets; counted, go on
  ended,    ///< replay: end of the capture
  failed,   ///< see error()
};

struct Verdict {
  bool accept = false;
  /// The packet to send on instead, if it was rewritten (any length).
  std::optional<std::span<const std::byte>> replacement{};
  /// Sets the packet's mark (all 32 bits).
  std::optional<std::uint32_t> mark{};
};

struct SourceCounters {
  std::uint64_t received = 0;
  std::uint64_t overruns = 0;        ///< ENOBUFS seen
  std::uint64_t verdict_errors = 0;  ///< netlink refused a verdict (packet gone, out of memory)
  std::uint64_t malformed = 0;       ///< netlink messages that could not be read
  std::uint64_t skipped = 0;         ///< replay: frames that carry no IP
};

/// Where packets come from and verdicts go: a netfilter queue, or a capture file.
class PacketSource {
 public:
  virtual ~PacketSource() = default;

  /// Fills `packets` with what is waiting, without blocking; `count` says how many.
  [[nodiscard]] virtual ReceiveStatus receive(std::span<ReceivedPacket> packets,
                                              std::size_t& count) noexcept = 0;
  /// Queues a verdict; it leaves with flush() at the latest.
  virtual void verdict(std::uint32_t id, const Verdict& verdict) noexcept = 0;
  virtual void flush() noexcept = 0;
  /// The descriptor to poll for reading, or -1 (replay: always ready).
  [[nodiscard]] virtual int descriptor() const noexcept = 0;
  [[nodiscard]] virtual const SourceCounters& counters() const noexcept = 0;
  /// The last failure in words, for the log.
  [[nodiscard]] virtual const char* error() const noexcept = 0;
};

/// Sends segments that Postern built itself.
class SegmentSender {
 public:
  virtual ~SegmentSender() = default;
  /// `packet` is a whole IP packet with the addresses as seen in our hook (after DNAT, before
  /// SNAT). The sender finds the addresses that come out right at both ends. False if it could not
  /// be sent (counted by the caller).
  [[nodiscard]] virtual bool send(std::span<const std::byte> packet) noexcept = 0;
  /// The same without looking for NAT first: right where NAT changes one end of the connection at
  /// most, because the kernel then does it itself to what has the connection's addresses.
  [[nodiscard]] virtual bool send_as_seen(std::span<const std::byte> packet) noexcept {
    return send(packet);
  }
  /// Whether send() lately met a connection that NAT changes at both ends.
  [[nodiscard]] virtual bool meets_double_nat() const noexcept { return false; }
  /// Whether the kernel still tracks the connection, of which we see nothing while it is offloaded.
  /// True where the kernel cannot be asked.
  [[nodiscard]] virtual bool tracked(const Endpoint& initiator,
                                     const Endpoint& responder) noexcept {
    static_cast<void>(initiator);
    static_cast<void>(responder);
    return true;
  }
  /// Brings an offloaded connection back to the queue: clears the bits in `mask` of its mark.
  virtual void recall(const Endpoint& initiator, const Endpoint& responder,
                      std::uint32_t mask) noexcept {
    static_cast<void>(initiator);
    static_cast<void>(responder);
    static_cast<void>(mask);
  }
  /// The same for a session of UDP or ICMP, named by a packet of its initiator.
  virtual void recall_datagram(const DatagramEnds& ends, std::uint32_t mask) noexcept {
    static_cast<void>(ends);
    static_cast<void>(mask);
  }
};

}  // namespace postern
