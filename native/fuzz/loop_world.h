#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/packet.h"
#include "core/side.h"
#include "engine/packet_loop.h"
#include "fuzz/fuzzing.h"

namespace postern::fuzz {

/// The input as a supply of decisions: zeros for ever once it is used up.
class Decisions {
 public:
  explicit Decisions(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  std::uint8_t octet() {
    if (bytes_.empty()) return 0;
    const std::uint8_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

/// Octets by their stream offset: those near the start in a row, for there are many; those of
/// probes and of numbers that wrapped by themselves.
class Octets {
 public:
  static constexpr int kUnknown = -1;

  [[nodiscard]] int at(std::uint32_t offset) const {
    if (offset < near_.size()) return near_[offset];
    if (offset < kNear || far_.empty()) return kUnknown;
    const auto found = far_.find(offset);
    return found == far_.end() ? kUnknown : found->second;
  }
  void set(std::uint32_t offset, char octet) {
    if (offset >= kNear) {
      far_[offset] = static_cast<unsigned char>(octet);
      return;
    }
    if (offset >= near_.size()) near_.resize(offset + 1, kUnknown);
    near_[offset] = static_cast<unsigned char>(octet);
  }
  /// The one that was there first.
  int set_first(std::uint32_t offset, char octet) {
    if (at(offset) == kUnknown) set(offset, octet);
    return at(offset);
  }

 private:
  static constexpr std::uint32_t kNear = 1U << 20U;
  std::vector<std::int16_t> near_;
  std::map<std::uint32_t, std::int16_t> far_;
};

/// What is known of one direction of a connection: what its sender sent last, what its receiver got
/// first, and what the judge has let go.
struct Direction {
  std::uint32_t initial_sequence = 0;
  std::string sent;
  Octets received;                 ///< first copies
  Octets imposed;                  ///< masks, and the LF behind a line judged at its CR
  std::uint32_t received_end = 0;  ///< without a gap: what the receiver can acknowledge
  std::uint32_t acknowledged = 0;  ///< what it has acknowledged
  std::uint32_t frame_begin = 0;
  std::uint32_t framed = 0;
  std::uint32_t released = 0;
  std::string at_cr;               ///< the line that was judged at its CR, last, with the CR
  bool scanned = false;            ///< a scan of its message is under way
  std::uint32_t message_seen = 0;  ///< octets of it, before the chunk under way
  std::uint32_t lengths_told = 0;  ///< of kLengths
  std::uint32_t chunk_begin = 0;
  std::uint32_t chunk_octets = 0;
  bool finishing = false;  ///< the chunk's end is put aside
  bool paused = false;
  bool unchecked = false;  ///< opaque at some time, or spoken in by the refusal
  bool fresh = true;       ///< no SYN of it went through yet
};

struct Connection {
  std::array<Direction, 2> directions;
  Endpoint initiator;
  Endpoint responder;
  int refused = 0;      ///< receives since: what had been let go may still leave in that turn
  bool unread = false;  ///< of a port that is none of ours
  /// ISN of a SYN that another thread let pass: with its answer the connection begins anew.
  std::optional<std::uint32_t> begun_elsewhere;

  Direction& direction(Side side) { return directions[index(side)]; }
};

inline constexpr std::size_t kConnections = 3;
/// The plan's lengths: told with the very octet that passes them.
inline constexpr std::array<std::uint32_t, 3> kLengths{2, 5, 11};

/// Both ends of every connection and the wires between them: checks each packet that leaves the
/// loop.
class World final : public PacketSource, public SegmentSender {
 public:
  World();

  void feed(std::vector<std::byte> packet, bool gso, std::uint32_t mark);
  [[nodiscard]] bool all_judged() const { return open_.empty(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  ReceiveStatus receive(std::span<ReceivedPacket> packets, std::size_t& count) noexcept override;
  void verdict(std::uint32_t id, const Verdict& verdict) noexcept override;
  void flush() noexcept override {}
  [[nodiscard]] int descriptor() const noexcept override { return -1; }
  [[nodiscard]] const SourceCounters& counters() const noexcept override { return counters_; }
  [[nodiscard]] const char* error() const noexcept override { return ""; }
  [[nodiscard]] bool send(std::span<const std::byte> packet) noexcept override;

  std::array<Connection, kConnections> connections;
  /// Only lines are judged, by orders that are well formed: what may pass is known exactly.
  bool strict = true;
  /// What was forgotten passes unread.
  bool fail_open = false;

 private:
  struct Fed {
    std::uint32_t id;
    bool gso;
    std::uint32_t mark;
    std::vector<std::byte> bytes;
  };
  void observe(std::span<const std::byte> bytes);
  void observe_payload(Connection& connection, Side from, const TcpPacket& packet);

  std::vector<Fed> waiting_;
  std::vector<std::vector<std::byte>> lent_;
  std::map<std::uint32_t, std::vector<std::byte>> open_;
  std::uint32_t next_id_ = 1;
  SourceCounters counters_;
};

inline World::World() {
  constexpr std::array<std::uint16_t, kConnections> kPorts{25, 110, 9'999};
  for (std::size_t i = 0; i < kConnections; ++i) {
    Connection& connection = connections[i];
    connection.initiator.address.octets = {std::byte{10}, std::byte{0}, std::byte{0}, std::byte{1}};
    connection.responder.address.octets = {std::byte{10}, std::byte{0}, std::byte{0}, std::byte{2}};
    if (i == 1) {
      connection.initiator.address.version = 6;
      connection.responder.address.version = 6;
    }
    connection.initiator.port = static_cast<std::uint16_t>(40'000 + i);
    connection.responder.port = kPorts[i];
    connection.unread = i == 2;
    // The second wraps around within a few octets.
    connection.directions[0].initial_sequence = i == 1 ? 0xFFFE'7950 : 1'000'000;
    connection.directions[1].initial_sequence = 0x7FFF'FF00;
  }
}

inline void World::feed(std::vector<std::byte> packet, bool gso, std::uint32_t mark) {
  waiting_.push_back({next_id_++, gso, mark, std::move(packet)});
}

inline ReceiveStatus World::receive(std::span<ReceivedPacket> packets,
                                    std::size_t& count) noexcept {
  count = 0;
  lent_.clear();
  for (Connection& connection : connections) {
    if (connection.refused == 1) connection.refused = 2;
  }
  for (Fed& fed : waiting_) {
    require(count < packets.size());
    ReceivedPacket& packet = packets[count++];
    packet = {};
    packet.id = fed.id;
    packet.gso = fed.gso;
    packet.mark = fed.mark;
    packet.checksum_complete = true;
    packet.bytes = lent_.emplace_back(fed.bytes);
    open_.emplace(fed.id, std::move(fed.bytes));
  }
  waiting_.clear();
  counters_.received += count;
  return count > 0 ? ReceiveStatus::packets : ReceiveStatus::none;
}

inline void World::verdict(std::uint32_t id, const Verdict& verdict) noexcept {
  const auto found = open_.find(id);
  require(found != open_.end());
  const std::vector<std::byte> bytes = std::move(found->second);
  open_.erase(found);
  if (verdict.accept) observe(verdict.replacement.value_or(std::span(bytes)));
}

inline bool World::send(std::span<const std::byte> packet) noexcept {
  observe(packet);
  return true;
}

/// A packet on its way to its receiver.
inline void World::observe(std::span<const std::byte> bytes) {
  std::vector<std::byte> copy = own(bytes);
  TcpPacket packet;
  require(parse_tcp_packet(copy, packet) == ParseError::none);
  require(tcp_checksum_ok(packet));
  for (Connection& connection : connections) {
    const bool forth = packet.source == connection.initiator;
    if (!forth && packet.source != connection.responder) continue;
    if (!forth && packet.destination != connection.initiator) continue;
    const Side from = forth ? Side::initiator : Side::responder;
    if (packet.has(kRst)) return;
    if (packet.has(kSyn)) {
      const bool answers = !forth && connection.begun_elsewhere &&
                           packet.acknowledgement == *connection.begun_elsewhere + 1;
      if (answers) {
        connection.direction(Side::initiator) =
            Direction{.initial_sequence = *connection.begun_elsewhere, .fresh = false};
        connection.begun_elsewhere.reset();
        connection.refused = 0;
      }
      const bool repeated = packet.sequence == connection.direction(from).initial_sequence &&
                            !connection.direction(from).fresh;
      if (repeated) return;
      connection.direction(from) = Direction{.initial_sequence = packet.sequence, .fresh = false};
      if (forth) {
        const std::uint32_t answer = connection.direction(Side::responder).initial_sequence;
        connection.direction(Side::responder) = Direction{.initial_sequence = answer};
        connection.refused = 0;
        connection.begun_elsewhere.reset();
      }
      return;
    }
    observe_payload(connection, from, packet);
    return;
  }
  require(false);
}

inline void World::observe_payload(Connection& connection, Side from, const TcpPacket& packet) {
  const std::span<std::byte> payload = packet.payload();
  if (payload.empty()) return;
  require(connection.refused < 2 || fail_open || from == Side::responder);
  Direction& direction = connection.direction(from);
  const bool checked = !direction.unchecked && !connection.unread && !fail_open;
  std::uint32_t offset = packet.sequence - (direction.initial_sequence + 1);
  for (const std::byte octet : payload) {
    const auto seen = static_cast<char>(octet);
    const int known = direction.received.set_first(offset, seen);
    const int value = static_cast<unsigned char>(seen);
    // What was acknowledged, its receiver throws away, whatever it is.
    if (checked && offset >= direction.acknowledged) require(known == value);
    if (strict && checked) {
      require(offset < direction.released);
      const int mask = direction.imposed.at(offset);
      if (offset >= direction.acknowledged && mask != Octets::kUnknown) require(value == mask);
    }
    ++offset;
  }
  while (direction.received.at(direction.received_end) != Octets::kUnknown)
    ++direction.received_end;
}

}  // namespace postern::fuzz
