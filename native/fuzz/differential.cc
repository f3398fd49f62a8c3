// One conversation in two segmentations through the whole packet path: pieces, order, repetitions,
// forged repetitions and the interleaving of the directions come from the input. What is judged,
// what is refused and what arrives must be the same.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "fuzz/dialogue_judge.h"
#include "fuzz/loop_world.h"

namespace {

using namespace postern;
using namespace postern::fuzz;

constexpr std::size_t kHeadOctets = 6;
constexpr std::size_t kStreamOctetsMax = 1'500;
constexpr int kStepsMax = 200;
/// Ends one part of the input: what the initiator says, what the responder says, how the first is
/// fed; the rest is how the second is.
constexpr std::uint8_t kPartEnd = 0xFF;
constexpr std::array kSides{Side::initiator, Side::responder};

/// Decisions from the input, then some made up from a seed; none for seed 0.
class Schedule {
 public:
  Schedule(std::span<const std::uint8_t> octets, std::uint8_t seed)
      : decisions_(octets), state_(seed * 0x9E37'79B9U), left_(seed == 0 ? 0 : seed) {}
  [[nodiscard]] bool empty() const { return decisions_.empty() && left_ == 0; }
  std::uint8_t octet() {
    if (!decisions_.empty()) return decisions_.octet();
    if (left_ == 0) return 0;
    --left_;
    state_ = state_ * 1'664'525U + 1'013'904'223U;
    return static_cast<std::uint8_t>(state_ >> 24U);
  }

 private:
  Decisions decisions_;
  std::uint32_t state_;
  unsigned left_;
};

struct Settings {
  bool ipv6 = false;
  std::size_t early_max = 16;
};

/// Both senders: they bring every octet to its receiver in the end, unless the session is over.
class Feeder {
 public:
  Feeder(const Dialogue& dialogue, World& world, Connection& connection, PacketLoop& loop)
      : dialogue_(dialogue), world_(world), connection_(connection), loop_(loop) {}

  void shake_hands() {
    put(Side::initiator, 0xFFFF'FFFF, {}, kSyn);
    turn();
    put(Side::responder, 0xFFFF'FFFF, {}, kSyn | kAck);
    turn();
    put(Side::initiator, 0, {}, kAck);
    turn();
  }

  void play(Schedule& schedule) {
    for (int i = 0; i < kStepsMax && !schedule.empty(); ++i) step(schedule);
    for (const Side side : kSides) piece(side, sent_[index(side)], SIZE_MAX);
    turn();
  }

  /// Whatever was dropped on the way comes again until nothing changes.
  void finish() {
    for (bool moved = true; moved;) {
      const std::array before{received(Side::initiator), received(Side::responder)};
      for (const Side side : kSides) piece(side, received(side), SIZE_MAX);
      turn();
      moved = before != std::array{received(Side::initiator), received(Side::responder)};
    }
  }

  [[nodiscard]] std::uint32_t received(Side side) const {
    return connection_.direction(side).received_end;
  }

 private:
  void step(Schedule& schedule) {
    const std::uint8_t what = schedule.octet();
    const Side side = (what & 1U) != 0 ? Side::responder : Side::initiator;
    std::size_t& sent = sent_[index(side)];
    switch ((what >> 1U) & 7U) {
      case 0:
      case 1:
      case 2:
        sent = piece(side, sent, 1U + (what >> 5U));
        break;
      case 3:
        sent = piece(side, sent, 1U + schedule.octet());
        break;
      case 4: {
        // Ahead: the gap is filled later.
        const std::uint8_t where = schedule.octet();
        piece(side, sent + 1U + (where & 15U), 1U + (where >> 4U));
        break;
      }
      case 5: {
        const std::size_t back = std::min<std::size_t>(schedule.octet(), sent);
        piece(side, sent - back, 1U + schedule.octet());
        break;
      }
      case 6:
        forge(side, schedule);
        break;
      default:
        put(side, static_cast<std::uint32_t>(sent), {}, kAck);
    }
    if ((what & 16U) != 0) turn();
  }

  /// Where the piece ends, or where it began if there is nothing to send.
  std::size_t piece(Side side, std::size_t offset, std::size_t size) {
    const std::string& stream = dialogue_.streams[index(side)];
    if (offset >= stream.size()) return std::min(offset, stream.size());
    const std::string text = stream.substr(offset, size);
    put(side, static_cast<std::uint32_t>(offset), text, kAck | kPsh);
    return offset + text.size();
  }

  /// Other octets where octets were received: the first ones stand.
  void forge(Side side, Schedule& schedule) {
    const std::uint32_t end = received(side);
    const std::uint32_t back = std::min<std::uint32_t>(schedule.octet(), end);
    const std::uint32_t length = std::min<std::uint32_t>(schedule.octet() & 31U, back);
    put(side, end - back, std::string(length, 'F'), kAck);
  }

  void put(Side from, std::uint32_t offset, const std::string& text, std::uint8_t flags) {
    Direction& direction = connection_.direction(from);
    Direction& peer = connection_.direction(other(from));
    peer.acknowledged = peer.received_end;
    SegmentSpec spec;
    spec.source = from == Side::initiator ? connection_.initiator : connection_.responder;
    spec.destination = from == Side::initiator ? connection_.responder : connection_.initiator;
    spec.sequence = direction.initial_sequence + 1 + offset;
    spec.acknowledgement = peer.initial_sequence + 1 + peer.received_end;
    spec.flags = flags;
    spec.window = 65'000;
    spec.payload = std::as_bytes(std::span(text));
    std::vector<std::byte> packet(text.size() + 100);
    packet.resize(build_segment(spec, packet));
    world_.feed(std::move(packet), false, 0);
    if (world_.waiting() == kPacketsPerTurnMax) turn();
  }

  void turn() { static_cast<void>(loop_.turn(1'000)); }

  const Dialogue& dialogue_;
  World& world_;
  Connection& connection_;
  PacketLoop& loop_;
  std::array<std::size_t, 2> sent_{};
};

struct Outcome {
  std::array<Account, 2> accounts;
  std::array<std::string, 2> received;
  bool doomed = false;
};

/// What the receiver got, without what a refusal says.
std::string received_text(const Direction& direction) {
  std::string text;
  for (std::uint32_t at = 0; at < direction.received_end; ++at) {
    const auto octet = static_cast<char>(direction.received.at(at));
    if (octet == kDialogueWords.front()) break;
    text += octet;
  }
  return text;
}

/// Two patterns; the second refuses (DialogueJudge).
std::shared_ptr<const ContentPlan> plan() {
  static const auto kPlan = [] {
    const std::array patterns{Pattern{1, "A|x-", false}, Pattern{2, "Z", false}};
    const auto set_of = [&](PatternPlace place) {
      return std::shared_ptr(PatternSet::compile(patterns, {.place = place}).set);
    };
    auto made = std::make_shared<ContentPlan>();
    made->header = set_of(PatternPlace::field);
    made->body = made->decoded = set_of(PatternPlace::body);
    made->encodings = true;
    made->header_lengths = {3};
    made->data_lengths = {2, 5, 11};
    return made;
  }();
  return kPlan;
}

Outcome converse(const Dialogue& dialogue, const Settings& settings, Schedule schedule) {
  World world;
  world.strict = false;
  Connection& connection = world.connections[settings.ipv6 ? 1 : 0];
  DialogueJudge judge(dialogue, connection);
  PacketLoop loop(world, world, {.flows_max = 4, .chunks_max = 64});
  LoopOptions options;
  options.ports[25] = PortProtocol::smtp;
  options.ports[110] = PortProtocol::pop3;
  options.out_of_order_max = settings.early_max;
  loop.configure(options);
  judge.attach(loop);
  if (dialogue.scans) judge.scan_by(loop.define_plan(plan()));
  Feeder feeder(dialogue, world, connection, loop);
  feeder.shake_hands();
  feeder.play(schedule);
  feeder.finish();
  Outcome outcome{.doomed = judge.doomed()};
  for (const Side side : kSides) {
    outcome.accounts[index(side)] = judge.account(side);
    outcome.received[index(side)] = received_text(connection.direction(side));
  }
  judge.let_go();
  loop.shut_down();
  require(world.all_judged() && loop.used_chunks() == 0);
  return outcome;
}

/// What holds of one run: nothing arrives but what was sent, under its masks; all that may, does.
void check(const Outcome& outcome, const Dialogue& dialogue) {
  for (const Side side : kSides) {
    const Account& account = outcome.accounts[index(side)];
    const std::string& received = outcome.received[index(side)];
    require(account.expected.starts_with(received));
    require(received.size() <= account.limit);
    if (outcome.doomed) continue;
    const std::size_t all = dialogue.streams[index(side)].size();
    require(received.size() == (account.waits ? std::min<std::size_t>(account.judged, all) : all));
  }
}

bool one_begins_other(const std::string& first, const std::string& second) {
  return first.starts_with(second) || second.starts_with(first);
}

/// The side that was not refused got further in one of them than in the other.
void compare(const Outcome& first, const Outcome& second) {
  require(first.doomed == second.doomed);
  for (const Side side : kSides) {
    const Account& one = first.accounts[index(side)];
    const Account& two = second.accounts[index(side)];
    if (first.doomed) {
      require(one_begins_other(one.told, two.told));
      require(one_begins_other(first.received[index(side)], second.received[index(side)]));
    } else {
      require(one.told == two.told && one.expected == two.expected);
      require(one.waits == two.waits && one.unread == two.unread);
      require(first.received[index(side)] == second.received[index(side)]);
    }
  }
}

std::span<const std::uint8_t> take_part(std::span<const std::uint8_t>& rest) {
  const auto end = std::ranges::find(rest, kPartEnd) - rest.begin();
  const auto part = rest.first(static_cast<std::size_t>(end));
  rest = rest.subspan(std::min(part.size() + 1, rest.size()));
  return part;
}

std::string stream_of(std::span<const std::uint8_t> part) {
  const auto octets = part.first(std::min(part.size(), kStreamOctetsMax));
  std::string stream(octets.begin(), octets.end());
  // The refusal's words begin with it.
  std::ranges::replace(stream, kDialogueWords.front(), 'y');
  return stream;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kHeadOctets) return 0;
  const Settings settings{.ipv6 = (data[0] & 1U) != 0, .early_max = (data[0] & 2U) != 0 ? 3U : 16U};
  Dialogue dialogue;
  dialogue.scans = (data[0] & 4U) != 0;
  dialogue.mail_tolerant = (data[0] & 8U) != 0;
  dialogue.refuses_dots = (data[0] & 16U) != 0;
  dialogue.refuses_excess = (data[0] & 32U) != 0;
  dialogue.words = (data[0] & 64U) != 0;
  dialogue.line_budgets = {1U + (data[1] & 63U), 1U + (data[2] & 63U)};
  dialogue.mail_budget = 1U + data[3];
  std::span<const std::uint8_t> rest(data + kHeadOctets, size - kHeadOctets);
  for (const Side side : kSides) dialogue.streams[index(side)] = stream_of(take_part(rest));
  const auto first = take_part(rest);
  const Outcome one = converse(dialogue, settings, Schedule(first, data[4]));
  const Outcome two = converse(dialogue, settings, Schedule(rest, data[5]));
  check(one, dialogue);
  check(two, dialogue);
  compare(one, two);
  return 0;
}
