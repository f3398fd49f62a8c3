#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "io/packet_source.h"

namespace postern {

/// What one datagram from a queue's socket held.
struct QueueDatagram {
  std::size_t packets = 0;         ///< written to the front of the packets given
  std::size_t verdict_errors = 0;  ///< verdicts that the kernel refused
  std::size_t malformed = 0;       ///< messages that are none of a queue, or contradict themselves
};

/// Reads the netlink messages of one datagram, aligned as a nlmsghdr. The packets' bytes lie in it.
/// A packet whose id can be read is always handed out, so that it gets a verdict: without payload
/// it is empty and marked truncated.
[[nodiscard]] QueueDatagram read_queue_datagram(std::span<std::byte> datagram,
                                                std::span<ReceivedPacket> packets) noexcept;

/// The id in a packet message; nothing if the message is something else or malformed.
[[nodiscard]] std::optional<std::uint32_t> packet_id_of(const nlmsghdr& message) noexcept;

}  // namespace postern
