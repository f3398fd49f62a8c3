#pragma once

#include <type_traits>

#include "io/file_descriptor.h"

namespace postern {

/// Lets any thread wake one that waits in wait_readable(). Wakes add up to one.
class Wakeup {
 public:
  /// valid() is false when the system has no descriptor left.
  Wakeup() noexcept;

  [[nodiscard]] bool valid() const noexcept { return event_.valid(); }
  [[nodiscard]] int descriptor() const noexcept { return event_.get(); }
  /// Safe from any thread and from a signal handler.
  void wake() const noexcept;
  /// Takes the wakes that came so far; whether there were any.
  bool drain() const noexcept;

 private:
  FileDescriptor event_;
};

static_assert(!std::is_copy_constructible_v<Wakeup>);

struct Readiness {
  bool readable = false;  ///< there is something to read, or an error to fetch by reading
  bool woken = false;
};

/// Waits until `descriptor` can be read, `wake_descriptor` was woken or the time is over. A
/// descriptor of -1 is not waited for; a timeout of -1 is none. A signal ends the wait early.
[[nodiscard]] Readiness wait_readable(int descriptor, int wake_descriptor, int timeout_ms) noexcept;

}  // namespace postern
