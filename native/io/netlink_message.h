#pragma once

#include <linux/netlink.h>

#include <algorithm>
#include <cstddef>
#include <span>

namespace postern {

/// Takes the next message off the front of what was received, which is aligned as a nlmsghdr; null
/// when what is left holds no whole one. (mnl_nlmsg_ok takes lengths of 2 GiB and more for negative
/// ones, which fit everywhere.)
[[nodiscard]] inline const nlmsghdr* take_message(std::span<const std::byte>& received) noexcept {
  if (received.size() < sizeof(nlmsghdr)) return nullptr;
  const auto* message = reinterpret_cast<const nlmsghdr*>(received.data());
  const std::size_t length = message->nlmsg_len;
  if (length < sizeof(nlmsghdr) || length > received.size()) return nullptr;
  // The padding behind the last message may be missing.
  const std::size_t aligned = (length + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1};
  received = received.subspan(std::min(aligned, received.size()));
  return message;
}

}  // namespace postern
