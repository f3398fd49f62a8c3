#include "io/thread_rank.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace postern {

const char* name_of(RankGranted granted) noexcept {
  switch (granted) {
    case RankGranted::real_time:
      return "real-time";
    case RankGranted::nice:
      return "nice";
    case RankGranted::none:
      break;
  }
  return "none";
}

RankGranted rank_this_thread(const ThreadRank& rank) noexcept {
  sched_param real_time{};
  real_time.sched_priority = rank.round_robin_priority;
  // The kernel reads 0 as the calling thread.
  if (::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &real_time) == 0) {
    return RankGranted::real_time;
  }
  const sched_param ordinary{};
  (void)::sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &ordinary);
  const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  if (::setpriority(PRIO_PROCESS, thread, rank.nice) == 0) return RankGranted::nice;
  return RankGranted::none;
}

}  // namespace postern
