#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "io/outcome.h"

namespace postern {

/// Sends one datagram to a UNIX socket: systemd's NOTIFY_SOCKET, or the journal. A path that begins
/// with '@' names an abstract socket. Never blocks: a receiver that is full is an error.
Outcome send_datagram(std::string_view path, std::span<const std::byte> bytes);

}  // namespace postern
