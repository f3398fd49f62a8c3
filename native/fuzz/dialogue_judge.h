#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "engine/packet_loop.h"
#include "fuzz/loop_world.h"

namespace postern::fuzz {

/// What both ends say, and how the judge takes it.
struct Dialogue {
  std::array<std::string, 2> streams;
  std::array<std::uint32_t, 2> line_budgets{};  ///< octets
  std::uint32_t mail_budget = 0;
  bool mail_tolerant = false;
  bool scans = false;           ///< messages go through a plan
  bool refuses_dots = false;    ///< what only looks like the end of a message
  bool refuses_excess = false;  ///< what is over its budget
  bool words = false;           ///< refusals are spoken
};

/// Begins with an octet that no stream has.
inline constexpr std::string_view kDialogueWords = "\x01no\r\n";

/// What was judged of one side, in terms of its stream: the same however the stream was cut.
struct Account {
  std::string told;          ///< a record for each frame and each fact, without those refused
  std::string expected;      ///< what its receiver may get: the stream under its masks
  std::uint32_t limit = 0;   ///< no octet from here on passes
  std::uint32_t judged = 0;  ///< octets of the frames told so far
  bool waits = false;        ///< for a line of the other side
  bool unread = false;       ///< opaque
};

/// A small line protocol whose judgements follow from the two streams alone. The first octet of a
/// line says what it does; a command of the initiator that waits and a reply of the responder meet,
/// whichever comes first, so that nothing depends on how the directions interleave.
///
/// Every line: `R` in it or a bare CR refuses it, `K` masks from there on, `M` at its start masks
/// all of it. The initiator: `D`, `T`, `N`, `A`, `Q`, `P` wait for a reply (message, TLS, not ours,
/// authenticated, opaque, nothing); `B`, `L` are followed by so many octets, scanned or not. The
/// responder: `*` is no reply, `l` as `L`, `d` a message. Both: `O`, `S` set another budget.
class DialogueJudge final : public Judge {
 public:
  DialogueJudge(const Dialogue& dialogue, Connection& connection);

  void attach(PacketLoop& loop);
  void scan_by(std::uint32_t plan) { plan_ = plan; }
  [[nodiscard]] std::size_t judge(std::uint32_t events) noexcept override;

  [[nodiscard]] const Account& account(Side side) const { return accounts_[index(side)]; }
  /// Refused; or a line was judged at its CR and no LF follows, which refuses it later.
  [[nodiscard]] bool doomed() const { return refused_ || broken_line_; }
  /// The session may end now.
  void let_go() { over_ = true; }

 private:
  struct Event {
    EventKind kind;
    Side side;
    std::uint32_t flags;
    std::string_view text;
    std::uint32_t octets;  ///< of the frame
  };
  struct Side_ {
    std::uint32_t at = 0;  ///< where the frame under way begins
    bool tolerant = false;
    bool tls_told = false;
    bool last_chunk = false;
    bool scanned = false;
    char wants = 0;
  };
  void one(const Event& event);
  void line(const Event& event);
  void over_budget(const Event& event);
  void look_alike(const Event& event);
  void tls_start(const Event& event);
  void content(const Event& event);
  void ended(const Event& event);
  void obey(const Event& event);
  void meet();
  void leave(Side side);
  void wait(Side side, char wants);
  void refuse(Side side, std::uint32_t limit);
  void mask(const Event& event);
  void tell(const Event& event);
  void forward(Side side) { put(OrderOp::forward, side, 0); }
  void frame(Side side, FramingMode mode, std::uint32_t bytes, bool tolerant);
  void put(OrderOp op, Side side, std::uint32_t flags,
           std::initializer_list<std::uint32_t> arguments = {});
  [[nodiscard]] const std::string& stream(Side side) const {
    return dialogue_.streams[index(side)];
  }

  const Dialogue& dialogue_;
  Connection& connection_;
  std::array<Account, 2> accounts_;
  std::array<Side_, 2> sides_;
  std::vector<std::uint32_t> events_;
  std::vector<std::byte> arena_;
  std::vector<std::uint32_t> orders_;
  std::vector<std::byte> order_arena_;
  std::size_t length_ = 0;
  std::uint32_t flow_ = 0;
  std::uint32_t plan_ = 0;
  bool refused_ = false;
  bool broken_line_ = false;
  bool over_ = false;
};

inline DialogueJudge::DialogueJudge(const Dialogue& dialogue, Connection& connection)
    : dialogue_(dialogue),
      connection_(connection),
      events_(kEventHeaderWords + kEventWords * 4),
      arena_(8'192),
      orders_(64),
      order_arena_(kDialogueWords.size()) {
  std::ranges::copy(std::as_bytes(std::span(kDialogueWords)), order_arena_.begin());
  for (const Side side : {Side::initiator, Side::responder}) {
    accounts_[index(side)].expected = stream(side);
    accounts_[index(side)].limit = UINT32_MAX;
  }
}

inline void DialogueJudge::attach(PacketLoop& loop) {
  loop.attach({events_, arena_, orders_, order_arena_}, this);
}

inline std::size_t DialogueJudge::judge(std::uint32_t events) noexcept {
  length_ = 0;
  for (std::uint32_t i = 0; i < events; ++i) {
    const std::uint32_t* word = &events_[kEventHeaderWords + kEventWords * std::size_t{i}];
    const auto kind = static_cast<EventKind>(word[0] & 0xFFU);
    const auto side = static_cast<Side>((word[0] >> 8U) & 0xFFU);
    if (kind == EventKind::closed) {
      // Nothing but a refusal ends it.
      require(over_ || refused_);
      continue;
    }
    const bool of_packet = kind == EventKind::dropped || kind == EventKind::reassembly;
    require((!refused_ || of_packet) && word[3] + word[4] <= arena_.size());
    if (!of_packet) flow_ = word[1];
    const auto* text = reinterpret_cast<const char*>(arena_.data() + word[3]);
    one({kind, side, word[0] >> 16U, {text, word[4]}, word[5]});
  }
  return length_;
}

inline void DialogueJudge::one(const Event& event) {
  switch (event.kind) {
    case EventKind::opened:
      for (const Side side : {Side::initiator, Side::responder})
        frame(side, FramingMode::lines, dialogue_.line_budgets[index(side)], false);
      return;
    case EventKind::line:
    case EventKind::partial:
      return line(event);
    case EventKind::over_budget:
      return over_budget(event);
    case EventKind::look_alike:
      return look_alike(event);
    case EventKind::tls_start:
      return tls_start(event);
    case EventKind::content:
      return content(event);
    case EventKind::counted_end:
    case EventKind::data_end:
      return ended(event);
    case EventKind::dropped:
    case EventKind::reassembly:
      // Of packets, not of the stream.
      return;
    default:
      require(false);
  }
}

/// The octet that refuses a line never passes, but for a CR: that may come at a packet's end.
inline void DialogueJudge::line(const Event& event) {
  Side_& side = sides_[index(event.side)];
  const bool partial = event.kind == EventKind::partial;
  if (side.tolerant && !partial) {
    // Its octets went ahead unasked.
    if (event.text.find('R') != std::string_view::npos)
      return refuse(event.side, side.at + event.octets - 1);
  } else {
    require(stream(event.side).compare(side.at, event.text.size(), event.text) == 0);
    const std::size_t bad = event.text.find_first_of("R\r");
    if (bad != std::string_view::npos) {
      const auto at = side.at + static_cast<std::uint32_t>(bad);
      return refuse(event.side, event.text[bad] == '\r' ? at + 1 : at);
    }
    // Only a line that was broken behind its CR.
    require(!side.tolerant);
    mask(event);
  }
  if (partial) return forward(event.side);
  Event whole = event;
  bool broken = false;
  if (event.octets == 0) {
    // Judged at its CR.
    whole.octets = static_cast<std::uint32_t>(event.text.size()) + 2;
    const std::string& said = stream(event.side);
    const std::size_t next = side.at + whole.octets - 1;
    broken = next < said.size() && said[next] != '\n';
    broken_line_ = broken_line_ || broken;
  }
  forward(event.side);
  if (!broken) tell(whole);
  // A broken line is told again from its start.
  const std::uint32_t at = side.at;
  side.at += whole.octets;
  obey(whole);
  if (broken) side.at = at;
}

inline void DialogueJudge::mask(const Event& event) {
  if (event.text.empty()) return;
  const std::size_t found = event.text.front() == 'M' ? 0 : event.text.find('K');
  if (found == std::string_view::npos) return;
  const auto start = static_cast<std::uint32_t>(found);
  const auto length = static_cast<std::uint32_t>(event.text.size()) - start;
  put(OrderOp::mask, event.side, 'x', {start, length});
  std::string& expected = accounts_[index(event.side)].expected;
  expected.replace(sides_[index(event.side)].at + start, length, length, 'x');
}

inline void DialogueJudge::obey(const Event& event) {
  const char verb = event.text.empty() ? '\0' : event.text.front();
  const std::uint32_t number =
      event.text.size() < 2 ? 0 : static_cast<unsigned char>(event.text[1]) & 63U;
  Side_& side = sides_[index(event.side)];
  if (verb == 'O' || verb == 'S') {
    side.tolerant = verb == 'O';
    return frame(event.side, FramingMode::lines, 1 + number, side.tolerant);
  }
  if (event.side == Side::responder) {
    if (verb == 'l') return frame(event.side, FramingMode::counted, number, false);
    if (verb == 'd') return frame(event.side, FramingMode::mail_data, dialogue_.mail_budget, false);
    if (verb != '*') wait(event.side, verb == '\0' ? '0' : verb);
    return;
  }
  if (verb == 'L') return frame(event.side, FramingMode::counted, number, false);
  if (verb == 'B') {
    if (dialogue_.scans && !side.scanned) {
      put(OrderOp::content, event.side, static_cast<std::uint32_t>(ContentOrder::begin_chunks),
          {plan_});
      side.scanned = true;
    }
    side.last_chunk = side.scanned && event.text.find('E') != std::string_view::npos;
    return frame(event.side, FramingMode::counted, number, false);
  }
  if (std::string_view("DTNAQP").find(verb) != std::string_view::npos) wait(event.side, verb);
}

inline void DialogueJudge::wait(Side which, char wants) {
  sides_[index(which)].wants = wants;
  accounts_[index(which)].waits = true;
  if (accounts_[index(other(which))].waits) return meet();
  put(OrderOp::pause, which, 0);
}

/// Both stand behind the lines that met.
inline void DialogueJudge::meet() {
  Side_& initiator = sides_[index(Side::initiator)];
  const char verb = initiator.wants;
  const char code = sides_[index(Side::responder)].wants;
  for (Account& account : accounts_) account.waits = false;
  const bool granted = code == (verb == 'D' ? '3' : '2');
  if (granted && verb == 'D') {
    // A message in chunks that was begun is given up.
    initiator.scanned = initiator.last_chunk = dialogue_.scans;
    if (dialogue_.scans) {
      put(OrderOp::content, Side::initiator, static_cast<std::uint32_t>(ContentOrder::begin_data),
          {plan_});
    }
    frame(Side::initiator, FramingMode::mail_data, dialogue_.mail_budget, dialogue_.mail_tolerant);
  }
  if (granted && verb == 'T') {
    for (const Side side : {Side::initiator, Side::responder})
      frame(side, FramingMode::tls, 0, false);
  }
  if (granted && verb == 'Q') {
    leave(Side::initiator);
    frame(Side::initiator, FramingMode::opaque, 0, false);
  }
  if (granted && (verb == 'N' || verb == 'A')) {
    if (verb == 'N') leave(Side::initiator);
    leave(Side::responder);
    put(OrderOp::stop, Side::initiator, verb == 'N' ? 3U : 2U);
  }
  // The reply was let go first.
  put(OrderOp::resume, Side::responder, 0);
  put(OrderOp::resume, Side::initiator, 0);
}

/// Nobody reads the side any more: a repetition of what passed unread may say anything.
inline void DialogueJudge::leave(Side side) {
  accounts_[index(side)].unread = true;
  connection_.direction(side).unchecked = true;
}

inline void DialogueJudge::over_budget(const Event& event) {
  Side_& side = sides_[index(event.side)];
  const std::size_t bad = event.text.find_first_of("R\r");
  if (bad != std::string_view::npos) {
    const auto at = side.at + static_cast<std::uint32_t>(bad);
    return refuse(event.side, event.text[bad] == '\r' ? at + 1 : at);
  }
  if (dialogue_.refuses_excess) return refuse(event.side, side.at + event.octets);
  mask(event);
  forward(event.side);
  tell(event);
  side.at += event.octets;
  if (event.text.empty())
    return frame(event.side, FramingMode::mail_data, dialogue_.mail_budget + 99, false);
  side.tolerant = true;
  frame(event.side, FramingMode::lines, 8, true);
}

inline void DialogueJudge::look_alike(const Event& event) {
  Side_& side = sides_[index(event.side)];
  if (dialogue_.refuses_dots) return refuse(event.side, side.at + event.octets - 1);
  tell(event);
  if ((event.flags & kWellFormed) != 0) {
    put(OrderOp::mask, event.side, 'x', {0, 1});
    accounts_[index(event.side)].expected[side.at + event.octets - 1] = 'x';
    return forward(event.side);
  }
  forward(event.side);
  side.at += event.octets;
  frame(event.side, FramingMode::mail_data, dialogue_.mail_budget, false);
}

/// One side may be ahead: what follows is read by nobody once both have said hello.
inline void DialogueJudge::tls_start(const Event& event) {
  Side_& side = sides_[index(event.side)];
  if ((event.flags & kWellFormed) == 0) return refuse(event.side, side.at + event.octets - 1);
  tell(event);
  forward(event.side);
  side.at += event.octets;
  side.tls_told = true;
  if (!sides_[index(other(event.side))].tls_told) {
    accounts_[index(event.side)].waits = true;
    return put(OrderOp::pause, event.side, 0);
  }
  for (Account& account : accounts_) account.waits = false;
  for (const Side any : {Side::initiator, Side::responder}) leave(any);
  put(OrderOp::stop, event.side, 1);
}

/// Facts are told one by one: how many come at a time is a matter of packets.
inline void DialogueJudge::content(const Event& event) {
  for (std::string_view facts = event.text; !facts.empty();) {
    const std::size_t length = 12 + static_cast<unsigned char>(facts[3]);
    const bool body = facts[0] == static_cast<char>(ContentFactKind::body);
    if (body && facts[11] == 2) return refuse(event.side, UINT32_MAX);
    accounts_[index(event.side)].told += facts.substr(0, length);
    facts.remove_prefix(length);
  }
  if ((event.flags & kFinished) != 0) sides_[index(event.side)].scanned = false;
  forward(event.side);
}

inline void DialogueJudge::ended(const Event& event) {
  Side_& side = sides_[index(event.side)];
  tell(event);
  side.at += event.octets;
  if (side.last_chunk && event.side == Side::initiator && side.scanned) {
    side.last_chunk = false;
    return put(OrderOp::content, event.side, static_cast<std::uint32_t>(ContentOrder::finish), {0});
  }
  forward(event.side);
}

inline void DialogueJudge::refuse(Side side, std::uint32_t limit) {
  const auto size = static_cast<std::uint32_t>(kDialogueWords.size());
  put(OrderOp::refuse, Side::initiator, dialogue_.words ? 0 : 1, {0, dialogue_.words ? size : 0});
  accounts_[index(side)].limit = limit;
  refused_ = true;
  connection_.refused = 1;
  connection_.direction(Side::responder).unchecked = true;
}

inline void DialogueJudge::tell(const Event& event) {
  Account& account = accounts_[index(event.side)];
  account.judged = sides_[index(event.side)].at + event.octets;
  account.told += static_cast<char>(event.kind);
  account.told += static_cast<char>(event.flags);
  account.told += std::to_string(account.judged) + ':';
  account.told += event.text;
}

inline void DialogueJudge::frame(Side side, FramingMode mode, std::uint32_t bytes, bool tolerant) {
  put(OrderOp::frame, side, static_cast<std::uint32_t>(mode) | (tolerant ? 16U : 0U), {bytes, 0});
}

inline void DialogueJudge::put(OrderOp op, Side side, std::uint32_t flags,
                               std::initializer_list<std::uint32_t> arguments) {
  require(length_ + 2 + arguments.size() <= orders_.size());
  orders_[length_++] =
      static_cast<std::uint32_t>(op) | (static_cast<std::uint32_t>(side) << 8U) | (flags << 16U);
  orders_[length_++] = flow_;
  for (const std::uint32_t argument : arguments) orders_[length_++] = argument;
}

}  // namespace postern::fuzz
