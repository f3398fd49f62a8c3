#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/datagram_packet.h"
#include "core/flow_table.h"
#include "core/side.h"
#include "core/zeroed_array.h"

namespace postern {

/// What the judge has said of the packets between two ends, and what they have said themselves.
enum class DatagramStanding : std::uint8_t {
  asking,     ///< the judge has not answered yet: its packets wait
  foreign,    ///< no rule inspects it: its packets pass without becoming a session
  half_open,  ///< a session of which only the initiator was heard (cisco-ios 3.2)
  open,
};
inline constexpr std::size_t kDatagramStandings = 4;

struct DatagramSession {
  std::int64_t created_ms = 0;
  std::int64_t last_heard_ms = 0;
  std::array<std::uint64_t, 2> bytes{};  ///< payload that went on, by side
  std::array<std::uint64_t, 2> packets{};
  std::uint32_t idle_ms = 0;
  std::uint32_t in_interface = 0;
  std::uint32_t out_interface = 0;
  std::uint32_t older = 0;  ///< index plus one, among those of its standing
  std::uint32_t newer = 0;
  DatagramStanding standing = DatagramStanding::asking;
  bool asked = false;      ///< the judge has the question
  bool announced = false;  ///< the judge knows it as a session
};

/// Sessions of UDP and ICMP by their ends, each standing in the order of its age. Fixed in size;
/// memory is touched only as sessions come.
class DatagramTable {
 public:
  DatagramTable(std::size_t capacity, const HashKey& hash_key) noexcept;
  DatagramTable(const DatagramTable&) = delete;
  DatagramTable& operator=(const DatagramTable&) = delete;

  /// The session that a packet with these ends belongs to; kNoFlow if there is none.
  [[nodiscard]] std::uint32_t find(const DatagramEnds& ends) const noexcept;
  /// Which of the session's ends sent it.
  [[nodiscard]] Side side_of(std::uint32_t index, const DatagramEnds& ends) const noexcept;
  /// A session that these ends' source opens and that must not be there yet, `asking`. kNoFlow when
  /// the table is full.
  [[nodiscard]] std::uint32_t insert(const DatagramEnds& ends) noexcept;
  void erase(std::uint32_t index) noexcept;

  /// Moves it behind all others of that standing: the newest.
  void set_standing(std::uint32_t index, DatagramStanding standing) noexcept;
  /// The first of its order; kNoFlow when there is none.
  [[nodiscard]] std::uint32_t oldest(DatagramStanding standing) const noexcept;

  [[nodiscard]] DatagramSession& at(std::uint32_t index) noexcept { return sessions_[index]; }
  [[nodiscard]] const DatagramSession& at(std::uint32_t index) const noexcept {
    return sessions_[index];
  }
  /// The ends of a packet from the initiator.
  [[nodiscard]] DatagramEnds ends(std::uint32_t index) const noexcept;
  [[nodiscard]] std::uint32_t generation(std::uint32_t index) const noexcept {
    return keys_.generation(index);
  }
  [[nodiscard]] bool used(std::uint32_t index) const noexcept { return keys_.used(index); }
  [[nodiscard]] std::uint32_t next_used(std::uint32_t from) const noexcept {
    return keys_.next_used(from);
  }
  /// The same, of those that are sessions: half-open or open.
  [[nodiscard]] std::uint32_t next_session(std::uint32_t from) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
  [[nodiscard]] std::size_t size(DatagramStanding standing) const noexcept {
    return orders_[static_cast<std::size_t>(standing)].size;
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return keys_.capacity(); }

 private:
  struct Order {
    std::uint32_t oldest = 0;  ///< index plus one
    std::uint32_t newest = 0;
    std::size_t size = 0;
  };
  [[nodiscard]] Order& order_of(DatagramStanding standing) noexcept {
    return orders_[static_cast<std::size_t>(standing)];
  }
  void link(std::uint32_t index) noexcept;
  void unlink(std::uint32_t index) noexcept;

  FlowTable keys_;
  ZeroedArray<DatagramSession> sessions_;
  std::array<Order, kDatagramStandings> orders_{};
};

}  // namespace postern
