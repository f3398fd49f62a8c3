#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "io/file_descriptor.h"

namespace postern::test {

/// Puts the calling thread into a network namespace of its own, loopback up, until it is destroyed.
/// ready() is false where that is not allowed; the reason is printed, and the test is to be left.
class PrivateNetwork {
 public:
  PrivateNetwork() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    if (const char* reason = enter()) {
      MESSAGE("skipped: ", reason);
    } else {
      ready_ = true;
    }
  }
  PrivateNetwork(const PrivateNetwork&) = delete;
  PrivateNetwork& operator=(const PrivateNetwork&) = delete;
  ~PrivateNetwork() {
    if (entered_) (void)::setns(before_.get(), CLONE_NEWNET);
  }

  [[nodiscard]] bool ready() const noexcept { return ready_; }
  /// Runs a command in this namespace; whether it ended well.
  [[nodiscard]] bool run(const std::string& command) const {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
  }

 private:
  /// What prevents it, or null.
  const char* enter() {
    if (::geteuid() != 0) return "it needs root";
    if (!before_.valid() || ::unshare(CLONE_NEWNET) != 0) return "unshare is refused";
    entered_ = true;
    return raise_loopback() ? nullptr : "loopback cannot be set up";
  }
  static bool raise_loopback() {
    const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
  }

  FileDescriptor before_;
  bool entered_ = false;
  bool ready_ = false;
};

}  // namespace postern::test
