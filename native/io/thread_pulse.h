#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace postern {

/// Signs of life of a thread that others watch. A thread that hangs must be told from one that is
/// ready to run and does not get the processor: in a flood the gate waits behind the workers, and
/// who took that for the end of it would end the firewall for the attacker.
class ThreadPulse {
 public:
  /// Called by the thread itself, each time it comes round.
  void beat() noexcept;
  /// How long it has not come round: by the clock while it sleeps, by the time it had on the
  /// processor while it is ready to run. 0 before the first beat. Any thread.
  [[nodiscard]] std::int64_t age_ms() const noexcept;

 private:
  [[nodiscard]] bool ready_to_run() const noexcept;

  std::atomic<std::int64_t> beat_ms_{0};
  std::atomic<std::int64_t> beat_processor_ms_{0};
  std::atomic<pthread_t> thread_{};
  std::atomic<pid_t> id_{0};
};

}  // namespace postern
