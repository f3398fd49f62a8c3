#include "io/wakeup.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <cstdint>

namespace postern {

Wakeup::Wakeup() noexcept : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Wakeup::wake() const noexcept {
  const std::uint64_t one = 1;
  // Fails only when the counter is at its end: then a wake is pending anyway.
  if (::write(event_.get(), &one, sizeof one) < 0) return;
}

bool Wakeup::drain() const noexcept {
  std::uint64_t wakes = 0;
  return ::read(event_.get(), &wakes, sizeof wakes) == sizeof wakes;
}

Readiness wait_readable(int descriptor, int wake_descriptor, int timeout_ms) noexcept {
  std::array<pollfd, 2> waited{{{.fd = descriptor, .events = POLLIN, .revents = 0},
                                {.fd = wake_descriptor, .events = POLLIN, .revents = 0}}};
  if (::poll(waited.data(), waited.size(), timeout_ms) <= 0) return {};
  return {.readable = waited[0].revents != 0, .woken = waited[1].revents != 0};
}

}  // namespace postern
