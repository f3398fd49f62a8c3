#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/packet_loop.h"
#include "fuzz/loop_world.h"

namespace postern::fuzz {

/// Answers events as the input says, and keeps in the world what its answers let pass.
class ScriptedJudge final : public Judge {
 public:
  ScriptedJudge(Decisions& decisions, World& world);

  void attach(PacketLoop& loop, std::size_t arena_bytes);
  /// Messages may be scanned by this plan; 0: none is.
  void scan_by(std::uint32_t plan) { plan_ = plan; }
  /// Its sessions were given up.
  void forget() { connections_.clear(); }
  [[nodiscard]] std::size_t judge(std::uint32_t events) noexcept override;

 private:
  struct Event {
    EventKind kind;
    Side side;
    std::uint32_t flow;
    std::string_view text;
    std::uint64_t number;
    std::uint32_t flags;
  };
  void one(const Event& event);
  void open(const Event& event);
  void strict(const Event& event, Connection& connection);
  void begin_chunk(const Event& event, Direction& direction);
  void end_chunk(const Event& event, Connection& connection);
  void content(const Event& event, Connection& connection);
  static void let_chunk(Direction& direction);
  void loose(const Event& event, Connection& connection);
  void refuse(std::uint32_t flow, Connection& connection, bool words);
  void forward(const Event& event, Direction& direction);
  void mask(const Event& event, Direction& direction, std::uint8_t how);
  void frame(std::uint32_t flow, Side side, FramingMode mode, std::uint32_t bytes, bool tolerant);
  void put(OrderOp op, Side side, std::uint32_t flags, std::uint32_t flow,
           std::initializer_list<std::uint32_t> arguments = {});

  Decisions& decisions_;
  World& world_;
  std::map<std::uint32_t, Connection*> connections_;  ///< by flow index
  std::vector<std::uint32_t> events_;
  std::vector<std::byte> own_arena_;
  std::span<std::byte> arena_;
  std::vector<std::uint32_t> orders_;
  std::vector<std::byte> order_arena_;
  std::size_t length_ = 0;
  int judged_ = 0;
  std::uint32_t plan_ = 0;
};

inline constexpr int kJudgedMax = 3'000;
inline constexpr std::string_view kWords = "554 5.7.1 no\r\n";

inline ScriptedJudge::ScriptedJudge(Decisions& decisions, World& world)
    : decisions_(decisions),
      world_(world),
      events_(kEventHeaderWords + kEventWords * 8),
      orders_(256),
      order_arena_(kWords.size()) {
  std::ranges::copy(std::as_bytes(std::span(kWords)), order_arena_.begin());
}

inline void ScriptedJudge::attach(PacketLoop& loop, std::size_t arena_bytes) {
  // The large one is the same for all runs: to map it anew costs more than a run.
  static std::vector<std::byte> large(kArenaBytes);
  if (arena_bytes < kArenaBytes) own_arena_.resize(arena_bytes);
  arena_ = arena_bytes < kArenaBytes ? std::span(own_arena_) : std::span(large);
  loop.attach({events_, arena_, orders_, order_arena_}, this);
}

inline std::size_t ScriptedJudge::judge(std::uint32_t events) noexcept {
  length_ = 0;
  judged_ += static_cast<int>(events);
  if (judged_ > kJudgedMax) return kFailed;
  for (std::uint32_t i = 0; i < events; ++i) {
    const std::uint32_t* word = &events_[kEventHeaderWords + kEventWords * std::size_t{i}];
    const auto kind = static_cast<EventKind>(word[0] & 0xFFU);
    if (kind == EventKind::closed) {
      connections_.erase(word[1]);
      continue;
    }
    require(word[3] + word[4] <= arena_.size());
    const auto* text = reinterpret_cast<const char*>(arena_.data() + word[3]);
    one({kind,
         static_cast<Side>((word[0] >> 8U) & 0xFFU),
         word[1],
         {text, word[4]},
         word[5] | (std::uint64_t{word[6]} << 32U),
         word[0] >> 16U});
  }
  if (!world_.strict && decisions_.octet() == 0xFF) return decisions_.octet() % 2 ? kFailed : 9'999;
  return length_;
}

inline void ScriptedJudge::one(const Event& event) {
  if (event.kind == EventKind::dropped || event.kind == EventKind::reassembly) return;
  if (event.kind == EventKind::opened) {
    open(event);
    return;
  }
  const auto found = connections_.find(event.flow);
  if (found == connections_.end()) return;
  if (world_.strict) {
    strict(event, *found->second);
  } else {
    loose(event, *found->second);
  }
}

inline void ScriptedJudge::open(const Event& event) {
  const auto port = static_cast<unsigned char>(event.text[18]);
  Connection* connection = &world_.connections[(port - 40'000U % 256U) % kConnections];
  connections_[event.flow] = connection;
  for (const Side side : {Side::initiator, Side::responder}) {
    frame(event.flow, side, FramingMode::lines, 1 + decisions_.octet() % 40, false);
  }
}

/// Lines only, and exact account of what they let pass.
inline void ScriptedJudge::strict(const Event& event, Connection& connection) {
  Direction& direction = connection.direction(event.side);
  const bool partial = event.kind == EventKind::partial;
  // Behind a judged CR something else than LF: or a new line that begins as that one did.
  const bool continued =
      partial && !direction.at_cr.empty() && event.text.starts_with(direction.at_cr);
  if (!partial || !continued) require(!direction.paused);
  if (continued) {
    refuse(event.flow, connection, true);
    return;
  }
  if (event.kind == EventKind::counted_end) return end_chunk(event, connection);
  if (event.kind == EventKind::content) return content(event, connection);
  const auto length = static_cast<std::uint32_t>(event.text.size());
  std::uint32_t octets = partial ? length : static_cast<std::uint32_t>(event.number);
  direction.at_cr.clear();
  if (event.kind == EventKind::line && event.number == 0) {
    direction.at_cr = std::string(event.text) + '\r';
    octets = length + 2;
    direction.imposed.set(direction.frame_begin + length + 1, '\n');
  }
  direction.framed = direction.frame_begin + octets;
  const std::uint8_t how = decisions_.octet();
  if (event.kind == EventKind::over_budget) {
    forward(event, direction);
    frame(event.flow, event.side, FramingMode::lines, 1 + how % 40, false);
    direction.frame_begin = direction.framed;
    return;
  }
  if ((how & 0x3FU) == 0x3FU) return refuse(event.flow, connection, (how & 0x40U) != 0);
  if ((how & 7U) == 4U) mask(event, direction, how);
  forward(event, direction);
  if (partial) return;
  const bool chunk = (how & 7U) == 1U && plan_ != 0 && event.side == Side::initiator;
  if (chunk && direction.at_cr.empty()) begin_chunk(event, direction);
  const Side peer = other(event.side);
  if ((how & 7U) == 5U) {
    put(OrderOp::pause, event.side, 0, event.flow);
    direction.paused = true;
  }
  if ((how & 3U) == 2U || connection.direction(peer).paused) {
    put(OrderOp::resume, peer, 0, event.flow);
    connection.direction(peer).paused = false;
  }
}

/// A chunk follows the line. The model's bound of what may leave is the octet that passes the next
/// length, and the chunk's last.
inline void ScriptedJudge::begin_chunk(const Event& event, Direction& direction) {
  const std::uint8_t more = decisions_.octet();
  direction.chunk_begin = direction.framed;
  direction.chunk_octets = more % 16U;
  frame(event.flow, event.side, FramingMode::counted, direction.chunk_octets, false);
  if (!direction.scanned || (more & 0x80U) != 0) {
    const auto begin = static_cast<std::uint32_t>(ContentOrder::begin_chunks);
    put(OrderOp::content, event.side, begin, event.flow, {plan_});
    direction.scanned = true;
    direction.message_seen = direction.lengths_told = 0;
  }
  let_chunk(direction);
}

inline void ScriptedJudge::let_chunk(Direction& direction) {
  std::uint32_t free = direction.chunk_octets - std::min(direction.chunk_octets, 1U);
  if (direction.scanned && direction.lengths_told < kLengths.size())
    free = std::min(free, kLengths[direction.lengths_told] - direction.message_seen);
  direction.released = std::max(direction.released, direction.chunk_begin + free);
}

inline void ScriptedJudge::end_chunk(const Event& event, Connection& connection) {
  Direction& direction = connection.direction(event.side);
  require(event.number == direction.chunk_octets && !direction.finishing);
  direction.framed = direction.chunk_begin + direction.chunk_octets;
  direction.message_seen += direction.chunk_octets;
  // All lengths that were passed have been told.
  const auto passed = std::ranges::count_if(
      kLengths, [&](std::uint32_t length) { return direction.message_seen > length; });
  require(!direction.scanned || static_cast<std::uint32_t>(passed) == direction.lengths_told);
  const std::uint8_t how = decisions_.octet();
  if (how % 8U == 7U) return refuse(event.flow, connection, (how & 64U) != 0);
  if (direction.scanned && how % 4U == 1U) {
    const auto finish = static_cast<std::uint32_t>(ContentOrder::finish);
    put(OrderOp::content, event.side, finish, event.flow, {0});
    direction.finishing = true;
    return;
  }
  forward(event, direction);
  if (how % 4U != 2U) return;
  const auto drop = static_cast<std::uint32_t>(ContentOrder::drop);
  put(OrderOp::content, event.side, drop, event.flow, {0});
  direction.scanned = false;
}

inline void ScriptedJudge::content(const Event& event, Connection& connection) {
  Direction& direction = connection.direction(event.side);
  const bool finished = (event.flags & kFinished) != 0;
  require(direction.scanned && finished == direction.finishing);
  const auto facts = static_cast<std::uint32_t>(event.text.size() / 12);
  require(event.text.size() == std::size_t{facts} * 12 && (facts > 0) != finished);
  direction.lengths_told += facts;
  if (decisions_.octet() % 8U == 7U) return refuse(event.flow, connection, true);
  if (finished) {
    forward(event, direction);
    direction.scanned = direction.finishing = false;
    return;
  }
  put(OrderOp::forward, event.side, 0, event.flow);
  let_chunk(direction);
}

inline void ScriptedJudge::forward(const Event& event, Direction& direction) {
  put(OrderOp::forward, event.side, 0, event.flow);
  direction.released = std::max(direction.released, direction.framed);
  if (event.kind != EventKind::partial) direction.frame_begin = direction.framed;
}

inline void ScriptedJudge::mask(const Event& event, Direction& direction, std::uint8_t how) {
  const auto length = static_cast<std::uint32_t>(event.text.size());
  const std::uint32_t start = how >> 5U;
  put(OrderOp::mask, event.side, 'x', event.flow, {start, length});
  const std::uint32_t stop = std::min(direction.frame_begin + length, direction.framed);
  for (std::uint32_t at = direction.frame_begin + start; at < stop; ++at) {
    if (at >= direction.released) direction.imposed.set(at, 'x');
  }
}

inline void ScriptedJudge::refuse(std::uint32_t flow, Connection& connection, bool words) {
  const auto size = static_cast<std::uint32_t>(kWords.size());
  put(OrderOp::refuse, Side::initiator, words ? 0 : 1, flow, {0, words ? size : 0});
  connection.refused = 1;
  connection.direction(Side::responder).unchecked = true;
}

/// Anything, well formed or not.
inline void ScriptedJudge::loose(const Event& event, Connection& connection) {
  const std::uint8_t how = decisions_.octet();
  const std::uint8_t more = decisions_.octet();
  const Side side = (how & 16U) != 0 ? event.side : other(event.side);
  switch (how & 15U) {
    case 0:
      return refuse(event.flow, connection, (how & 32U) != 0);
    case 1:
      put(OrderOp::forward, event.side, 0, event.flow);
      return put(OrderOp::pause, side, 0, event.flow);
    case 2:
      put(OrderOp::forward, event.side, 0, event.flow);
      return put(OrderOp::resume, side, 0, event.flow);
    case 3:
      put(OrderOp::forward, event.side, 0, event.flow);
      return frame(event.flow, side, static_cast<FramingMode>(more & 3U), 1U + (more >> 2U),
                   (how & 64U) != 0);
    case 4:
      for (Direction& direction : connection.directions) direction.unchecked = true;
      put(OrderOp::forward, event.side, 0, event.flow);
      return put(OrderOp::stop, side, 1U + more % 3U, event.flow);
    case 5:
      put(OrderOp::forward, event.side, 0, event.flow);
      return put(OrderOp::again, side, 0, event.flow);
    case 6:
      connection.direction(side).unchecked = true;
      put(OrderOp::forward, event.side, 0, event.flow);
      return frame(event.flow, side, FramingMode::opaque, 0, false);
    case 7:
      put(OrderOp::mask, event.side, more, event.flow, {more & 7U, how});
      return put(OrderOp::forward, event.side, 0, event.flow);
    case 8:
      // Garbage: an operation that is none, a flow that is none, words out of bounds.
      put(static_cast<OrderOp>(more), side, how, (how & 32U) != 0 ? event.flow : more, {how, more});
      for (Connection& any : world_.connections) {
        for (Direction& direction : any.directions) direction.unchecked = true;
      }
      return;
    case 9:
      return;
    case 10:
      put(OrderOp::forward, event.side, 0, event.flow);
      return put(OrderOp::idle, side, 0, event.flow, {std::uint32_t{more} * 16'843'009U});
    case 11:
      if ((how & 32U) != 0) put(OrderOp::forward, event.side, 0, event.flow);
      return put(OrderOp::content, side, more >> 5U, event.flow, {more & 1U});
    case 12:
      put(OrderOp::forward, event.side, 0, event.flow);
      put(OrderOp::content, side, 1U + (more & 1U), event.flow, {plan_});
      return frame(event.flow, Side::initiator,
                   (more & 1U) != 0 ? FramingMode::counted : FramingMode::mail_data, more >> 1U,
                   false);
    default:
      put(OrderOp::forward, event.side, 0, event.flow);
      if (event.kind == EventKind::over_budget || event.kind == EventKind::look_alike)
        frame(event.flow, event.side, FramingMode::lines, 1U + more, (how & 64U) != 0);
  }
}

inline void ScriptedJudge::frame(std::uint32_t flow, Side side, FramingMode mode,
                                 std::uint32_t bytes, bool tolerant) {
  put(OrderOp::frame, side, static_cast<std::uint32_t>(mode) | (tolerant ? 16U : 0U), flow,
      {bytes, 0});
}

inline void ScriptedJudge::put(OrderOp op, Side side, std::uint32_t flags, std::uint32_t flow,
                               std::initializer_list<std::uint32_t> arguments) {
  if (length_ + 2 + arguments.size() > orders_.size()) return;
  orders_[length_++] =
      static_cast<std::uint32_t>(op) | (static_cast<std::uint32_t>(side) << 8U) | (flags << 16U);
  orders_[length_++] = flow;
  for (const std::uint32_t argument : arguments) orders_[length_++] = argument;
}

}  // namespace postern::fuzz
