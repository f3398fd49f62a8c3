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

/// Calls keep(attribute) for every attribute behind the first `header_bytes` of the message's
/// payload, up to the first that reaches beyond the message. (mnl_attr_parse goes on to the
/// message's aligned end, up to three octets behind what was received, for the kernel does not pad
/// the last attribute.)
template <typename Keep>
void each_attribute(const nlmsghdr& message, std::size_t header_bytes, Keep&& keep) noexcept {
  const std::size_t header = sizeof(nlmsghdr) + NLMSG_ALIGN(header_bytes);
  if (message.nlmsg_len < header) return;
  std::span<const std::byte> rest(reinterpret_cast<const std::byte*>(&message), message.nlmsg_len);
  rest = rest.subspan(header);
  while (rest.size() >= sizeof(nlattr)) {
    const auto* attribute = reinterpret_cast<const nlattr*>(rest.data());
    const std::size_t length = attribute->nla_len;
    if (length < sizeof(nlattr) || length > rest.size()) return;
    keep(attribute);
    rest = rest.subspan(std::min<std::size_t>(NLA_ALIGN(length), rest.size()));
  }
}

}  // namespace postern
