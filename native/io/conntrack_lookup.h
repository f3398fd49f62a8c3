#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "io/conntrack_message.h"
#include "io/netlink_socket.h"
#include "io/time_share.h"

namespace postern {

/// Lookups remembered, and for how long. A segment of a refusal seldom comes alone.
inline constexpr std::size_t kLookupsRememberedMax = 256;
inline constexpr std::int64_t kLookupRememberedMs = 5'000;
/// What one question to conntrack may cost the worker. Only a search on kernels without filters,
/// for a connection under NAT in both directions, comes near it.
inline constexpr std::int64_t kConntrackAnswerMs = 50;
/// A search walks the kernel's whole table, many milliseconds where that is large. It may take one
/// part in so many of a thread's time: else packets of no connection, each of which asks for one,
/// would take all of it. What a rest of so long has earned may be spent at once, so that a few
/// refusals in a row find their connections.
inline constexpr std::int64_t kSearchTimeShare = 10;
inline constexpr std::int64_t kSearchBurstUs = 5'000'000;
/// Marks taken back in one call.
inline constexpr std::size_t kMarkedFlowsMax = 262'144;

/// Asks conntrack through ctnetlink. For one thread. Where conntrack cannot be asked at all
/// (no module, no permission) it answers that nothing was found, and error() says why.
class ConntrackLookup {
 public:
  ConntrackLookup() noexcept = default;

  /// The entry of the connection whose packets our hooks see as `seen` or reversed. One of ICMP
  /// under NAT in both directions is not found.
  [[nodiscard]] std::optional<ConntrackTuples> find(const FlowTuple& seen) noexcept;
  /// Sets the bits in `mask` of that connection's mark. False if there is none, or it was refused.
  [[nodiscard]] bool set_mark(const FlowTuple& seen, std::uint32_t mark,
                              std::uint32_t mask) noexcept;
  /// Clears the bits in `mask` of every connection whose mark shows `mark` under it; how many.
  [[nodiscard]] std::size_t clear_marks(std::uint32_t mark, std::uint32_t mask) noexcept;

  [[nodiscard]] bool available() const noexcept { return !refused_; }
  [[nodiscard]] const char* error() const noexcept { return error_.c_str(); }

 private:
  struct Remembered {
    FlowTuple seen;
    std::optional<ConntrackTuples> entry;
    std::int64_t until_ms = 0;
  };

  [[nodiscard]] std::optional<ConntrackTuples> ask(const FlowTuple& seen) noexcept;
  [[nodiscard]] std::optional<ConntrackTuples> search(const FlowTuple& seen) noexcept;
  [[nodiscard]] std::optional<ConntrackTuples> ask_with(nlmsghdr* request,
                                                        const FlowTuple& seen) noexcept;
  /// 0, or the errno; keeps account of what cannot work.
  [[nodiscard]] int request(nlmsghdr* message,
                            const NetlinkSocket::MessageHandler& on_message) noexcept;

  NetlinkSocket netlink_;
  std::array<Remembered, kLookupsRememberedMax> remembered_{};
  TimeShare searches_{kSearchTimeShare, kSearchBurstUs};
  bool refused_ = false;
  std::string error_;
};

static_assert(!std::is_copy_constructible_v<ConntrackLookup>);

}  // namespace postern
