#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>

#include "io/file_descriptor.h"

namespace postern {

/// A socket to the kernel's netfilter subsystems whose requests are always acknowledged.
class NetlinkSocket {
 public:
  /// Called for every message that is not the acknowledgement; its attributes lie behind it.
  using MessageHandler = std::function<void(const nlmsghdr& message)>;
  /// Longest request, and longest answer that is read whole.
  static constexpr std::size_t kMessageBytesMax = 16'384;

  NetlinkSocket() noexcept = default;

  /// 0, or the errno of what failed. `answer_ms` bounds each request.
  [[nodiscard]] int open(std::int64_t answer_ms) noexcept;
  void close() noexcept { socket_.reset(); }
  [[nodiscard]] bool is_open() const noexcept { return socket_.valid(); }
  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  [[nodiscard]] std::uint32_t port_id() const noexcept { return port_id_; }

  /// Sends a request and reads until the kernel has acknowledged it or ended its dump. Answers 0 or
  /// the errno of the kernel's refusal; ETIMEDOUT when no answer came in time.
  [[nodiscard]] int request(nlmsghdr& message, const MessageHandler& on_message) noexcept;

 private:
  [[nodiscard]] int await_answer(const MessageHandler& on_message) noexcept;

  FileDescriptor socket_;
  std::uint32_t port_id_ = 0;
  std::uint32_t sequence_ = 0;
  std::int64_t answer_ms_ = 0;
};

static_assert(!std::is_copy_constructible_v<NetlinkSocket>);

}  // namespace postern
