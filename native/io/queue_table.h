#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What the kernel tells about its packet queues in /proc/net/netfilter/nfnetlink_queue. The file
/// belongs to root: a process that has CAP_NET_ADMIN only cannot read it.
namespace postern {

/// A line of the table. Its counters are of 32 bits and wrap.
struct QueueEntry {
  std::uint16_t queue = 0;
  std::uint32_t port_id = 0;  ///< netlink port of the socket that bound the queue
  std::uint32_t waiting = 0;  ///< packets without a verdict
  std::uint32_t copy_mode = 0;
  std::uint32_t copy_range_bytes = 0;
  std::uint32_t queue_dropped = 0;  ///< lost because the queue was full
  std::uint32_t user_dropped = 0;   ///< lost because the socket's buffer was full
  std::uint32_t last_id = 0;        ///< of the newest packet
};

struct QueueDrops {
  std::uint32_t queue_dropped = 0;
  std::uint32_t user_dropped = 0;
  std::uint32_t waiting = 0;
};

struct QueueOwner {
  std::uint32_t port_id = 0;
  std::optional<pid_t> pid;  ///< unknown when it lives in another pid namespace or hides from us
  std::string name;          ///< of the process; empty when unknown
};

/// Finds a queue in the table's text; lines that cannot be read are passed over.
[[nodiscard]] std::optional<QueueEntry> find_queue_entry(std::string_view table,
                                                         std::uint16_t queue);

/// Who bound the queue in this thread's network namespace; nothing when nobody did or when the
/// table cannot be read.
[[nodiscard]] std::optional<QueueOwner> queue_owner(std::uint16_t queue);

/// What the kernel lost; nothing when the queue is not bound or the table cannot be read.
[[nodiscard]] std::optional<QueueDrops> queue_drops(std::uint16_t queue);

/// "pid 1234 (name)", or "port id 4294963199" when no process is known.
[[nodiscard]] std::string describe(const QueueOwner& owner);

}  // namespace postern
