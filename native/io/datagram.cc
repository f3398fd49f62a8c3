#include "io/datagram.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "io/file_descriptor.h"

namespace postern {

Outcome send_datagram(std::string_view path, std::span<const std::byte> bytes) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // A path in the file system needs room for its closing zero.
  const std::size_t room = sizeof address.sun_path - 1;
  if (path.empty() || path.size() > room) return {"a socket path has 1 to 107 octets"};
  std::memcpy(address.sun_path, path.data(), path.size());
  std::size_t length = offsetof(sockaddr_un, sun_path) + path.size();
  if (path.front() == '@') {
    address.sun_path[0] = '\0';
  } else {
    ++length;
  }

  const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return {with_reason("socket", errno)};
  const ssize_t sent =
      ::sendto(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length));
  if (sent < 0) return {with_reason(path, errno)};
  return {};
}

}  // namespace postern
