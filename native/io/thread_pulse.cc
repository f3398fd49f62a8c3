#include "io/thread_pulse.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "io/file_descriptor.h"

namespace postern {
namespace {

/// Until then nobody asks why it is late.
constexpr std::int64_t kLateMs = 500;

std::int64_t read_ms(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000 + now.tv_nsec / 1'000'000;
}

}  // namespace

void ThreadPulse::beat() noexcept {
  if (id_.load(std::memory_order_relaxed) == 0) {
    thread_.store(pthread_self(), std::memory_order_relaxed);
    id_.store(static_cast<pid_t>(::syscall(SYS_gettid)), std::memory_order_release);
  }
  beat_processor_ms_.store(read_ms(CLOCK_THREAD_CPUTIME_ID), std::memory_order_relaxed);
  beat_ms_.store(read_ms(CLOCK_MONOTONIC), std::memory_order_relaxed);
}

std::int64_t ThreadPulse::age_ms() const noexcept {
  if (id_.load(std::memory_order_acquire) == 0) return 0;
  const std::int64_t age = read_ms(CLOCK_MONOTONIC) - beat_ms_.load(std::memory_order_relaxed);
  clockid_t processor{};
  if (age < kLateMs || !ready_to_run()) return age;
  if (::pthread_getcpuclockid(thread_.load(std::memory_order_relaxed), &processor) != 0) return age;
  return read_ms(processor) - beat_processor_ms_.load(std::memory_order_relaxed);
}

/// proc(5): the state stands behind the name, which is in parentheses and may hold anything.
bool ThreadPulse::ready_to_run() const noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/self/task/%d/stat",
                static_cast<int>(id_.load(std::memory_order_relaxed)));
  const FileDescriptor file(::open(path.data(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> text{};
  const ssize_t octets = file.valid() ? ::read(file.get(), text.data(), text.size()) : -1;
  if (octets <= 0) return false;
  const std::string_view said(text.data(), static_cast<std::size_t>(octets));
  const std::size_t name_end = said.rfind(") ");
  return name_end != std::string_view::npos && name_end + 2 < said.size() &&
         said[name_end + 2] == 'R';
}

}  // namespace postern
