#pragma once

#include <cstdint>

namespace postern {

/// What a thread asks for: a worker stands above the gate, the gate above everything else.
struct ThreadRank {
  int round_robin_priority = 1;  ///< 1 to 99, higher goes first
  int nice = -5;                 ///< used where real time is not granted
};

inline constexpr ThreadRank kWorkerRank{.round_robin_priority = 2, .nice = -10};
inline constexpr ThreadRank kGateRank{.round_robin_priority = 1, .nice = -5};

enum class RankGranted : std::uint8_t { none = 0, nice = 1, real_time = 2 };

/// As the log and `show` say it.
[[nodiscard]] const char* name_of(RankGranted granted) noexcept;

/// Ranks the calling thread: round robin where RLIMIT_RTPRIO or CAP_SYS_NICE grants it, else nice.
/// Threads it starts later begin with the ordinary rank, so that helpers it has never outrun it.
[[nodiscard]] RankGranted rank_this_thread(const ThreadRank& rank) noexcept;

}  // namespace postern
