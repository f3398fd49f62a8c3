#include "io/netlink_socket.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <optional>
#include <span>

#include "io/netlink_message.h"
#include "io/wakeup.h"

namespace postern {
namespace {

std::int64_t now_ms() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000 + now.tv_nsec / 1'000'000;
}

/// The errno that ends a request, or nothing when this message does not end it.
std::optional<int> ending_of(const nlmsghdr& message, std::uint32_t sequence) noexcept {
  if (message.nlmsg_seq != sequence) return std::nullopt;
  if (message.nlmsg_type != NLMSG_ERROR && message.nlmsg_type != NLMSG_DONE) return std::nullopt;
  if (mnl_nlmsg_get_payload_len(&message) < sizeof(int)) return EBADMSG;
  // Both nlmsgerr and the end of a dump begin with the negated errno.
  return -*static_cast<const int*>(mnl_nlmsg_get_payload(&message));
}

}  // namespace

int NetlinkSocket::open(std::int64_t answer_ms) noexcept {
  socket_ = FileDescriptor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!socket_.valid()) return errno;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return errno;
  }
  socklen_t length = sizeof address;
  if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length) < 0) {
    return errno;
  }
  port_id_ = address.nl_pid;
  answer_ms_ = answer_ms;
  // A refused message need not be sent back to us with its payload.
  const int on = 1;
  (void)::setsockopt(socket_.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  return 0;
}

int NetlinkSocket::request(nlmsghdr& message, const MessageHandler& on_message) noexcept {
  message.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
  message.nlmsg_seq = ++sequence_;
  while (::send(socket_.get(), &message, message.nlmsg_len, 0) < 0) {
    if (errno != EINTR) return errno;
  }
  return await_answer(on_message);
}

int NetlinkSocket::await_answer(const MessageHandler& on_message) noexcept {
  alignas(nlmsghdr) std::array<char, kMessageBytesMax> buffer;
  const std::int64_t deadline_ms = now_ms() + answer_ms_;
  for (;;) {
    const std::int64_t left_ms = deadline_ms - now_ms();
    if (left_ms < 0) return ETIMEDOUT;
    const ssize_t taken = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (taken < 0) {
      if (errno != EAGAIN && errno != EINTR) return errno;
      (void)wait_readable(socket_.get(), -1, static_cast<int>(left_ms));
      continue;
    }
    auto received = std::as_bytes(std::span(buffer).first(static_cast<std::size_t>(taken)));
    while (const nlmsghdr* message = take_message(received)) {
      if (const std::optional<int> ending = ending_of(*message, sequence_)) return *ending;
      if (message->nlmsg_type >= NLMSG_MIN_TYPE) on_message(*message);
    }
  }
}

}  // namespace postern
