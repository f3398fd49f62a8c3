#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

#include "io/netlink_socket.h"

namespace postern {

struct NfqueueOptions {
  std::uint16_t queue = 0;
  std::uint32_t length_max_packets = 8'192;  ///< packets without a verdict, held ones included
  bool fail_open = false;                    ///< a full queue lets packets pass (`postern fail`)
  std::uint32_t socket_buffer_bytes = 32U << 20U;  ///< asked for; the kernel counts it double
};

class NfqueueSocket;

struct NfqueueOpening {
  std::unique_ptr<NfqueueSocket> socket;  ///< null on failure
  std::string error;                      ///< then: what to tell the administrator
};

/// Owns the netlink socket that has bound a queue in the opening thread's network namespace.
/// Closing it makes the kernel drop the packets that still wait in the queue. Serving is
/// NfqueueSource's.
class NfqueueSocket {
 public:
  [[nodiscard]] static NfqueueOpening open(const NfqueueOptions& options);

  [[nodiscard]] int descriptor() const noexcept { return netlink_.descriptor(); }
  [[nodiscard]] std::uint16_t queue() const noexcept { return queue_; }
  /// How queue_owner() names this socket.
  [[nodiscard]] std::uint32_t port_id() const noexcept { return netlink_.port_id(); }

 private:
  NfqueueSocket(NetlinkSocket netlink, std::uint16_t queue) noexcept
      : netlink_(std::move(netlink)), queue_(queue) {}

  NetlinkSocket netlink_;
  std::uint16_t queue_;
};

static_assert(!std::is_copy_constructible_v<NfqueueSocket>);

}  // namespace postern
