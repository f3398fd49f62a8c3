#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

/// The inode of the NETLINK_NETFILTER socket with this port, from the text of /proc/net/netlink.
[[nodiscard]] std::optional<std::uint64_t> find_netfilter_inode(std::string_view table,
                                                                std::uint32_t port_id);

/// The process that holds the NETLINK_NETFILTER socket with this port. The first netlink socket of
/// a process has the process's id as its port, later ones a number that means nothing; so the
/// socket itself is looked for, and the number is believed only where descriptors are hidden.
[[nodiscard]] std::optional<pid_t> process_of_port(std::uint32_t port_id);

/// The command name of a process; empty when it is gone.
[[nodiscard]] std::string process_name(pid_t pid);

}  // namespace postern
