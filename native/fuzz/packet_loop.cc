// Scripts of packets for a handful of connections, and a judge driven by the same input: whatever
// comes, packets add up, each gets one verdict, what a peer got once it never gets otherwise,
// nothing goes beyond what the judge let go, and at the end nothing is left behind.
#include <algorithm>
#include <memory>
#include <utility>

#include "fuzz/loop_judge.h"
#include "fuzz/loop_world.h"

namespace {

using namespace postern;
using namespace postern::fuzz;

constexpr std::array<char, 16> kAlphabet{'A', 'B',  'C', ' ', '\r', '\n', '.', '\0',
                                         'x', '\r', '-', '1', '\n', '\n', '+', '\x16'};
constexpr std::array<std::uint8_t, 8> kOddFlags{
    kAck | kUrg, kFin, 0, kSyn | kFin, kSyn | kAck, kAck | kPsh | kFin, kAck | kUrg | kPsh, kSyn};
constexpr std::array<std::int64_t, 8> kJumpsMs{1,     60,     600,     5'100,
                                               6'000, 31'000, 121'000, 3'700'000};
constexpr int kStepsMax = 300;
constexpr std::uint32_t kMarkSession = 0x10;

class Script {
 public:
  Script(Decisions& decisions, World& world, ScriptedJudge& judge, PacketLoop& loop)
      : decisions_(decisions), world_(world), judge_(judge), loop_(loop) {}

  /// Some SYNs come by the gate's own queue.
  void share(Gate* gate) { gate_ = gate; }

  void play() {
    for (int i = 0; i < kStepsMax && !decisions_.empty(); ++i) step(decisions_.octet());
    turn();
  }

 private:
  void step(std::uint8_t what) {
    Connection& connection = world_.connections[(what >> 4U) % kConnections];
    const Side from = (what & 0x80U) != 0 ? Side::responder : Side::initiator;
    switch (what & 0x0FU) {
      case 0:
        return open(connection);
      case 1:
      case 2:
      case 3:
        return fresh(connection, from, kAck | kPsh);
      case 4:
      case 5:
        return again(connection, from);
      case 6:
        return fresh(connection, from, kAck | kFin);
      case 7:
        return reset(connection, from);
      case 8:
        return put(connection, from, end_of(connection, from), {}, kAck);
      case 9:
        turn();
        now_ms_ += kJumpsMs[decisions_.octet() & 7U];
        loop_.advance_time(now_ms_);
        return;
      case 10:
      case 11:
        return turn();
      case 12:
        mark_ = decisions_.octet() % 4 == 0 ? kMarkSession : 0;
        gso_ = mark_ == 0;
        return;
      case 13:
        return bulk(connection, from);
      case 14:
        return from_outside();
      default:
        return put(connection, from, end_of(connection, from), "Q",
                   kOddFlags[decisions_.octet() & 7U]);
    }
  }

  static std::uint32_t end_of(Connection& connection, Side from) {
    return static_cast<std::uint32_t>(connection.direction(from).sent.size());
  }

  void open(Connection& connection) {
    turn();
    if (gate_ != nullptr && decisions_.octet() % 2 == 0) {
      open_elsewhere(connection);
      return;
    }
    Direction& first = connection.direction(Side::initiator);
    const std::uint32_t was =
        std::exchange(first.initial_sequence, first.initial_sequence + 100'000);
    put(connection, Side::initiator, 0xFFFF'FFFF, {}, kSyn);
    first.initial_sequence = was;
    turn();
    if (first.initial_sequence == was) return;
    Direction& second = connection.direction(Side::responder);
    const std::uint32_t before = second.initial_sequence;
    second.initial_sequence += 100'000;
    put(connection, Side::responder, 0xFFFF'FFFF, {}, kSyn | kAck);
    second.initial_sequence = before;
    turn();
    put(connection, Side::initiator, 0, {}, kAck);
    turn();
  }

  /// The loop sees no SYN, but what follows it.
  void open_elsewhere(Connection& connection) {
    Direction& first = connection.direction(Side::initiator);
    Direction& second = connection.direction(Side::responder);
    SegmentSpec spec;
    spec.source = connection.initiator;
    spec.destination = connection.responder;
    spec.sequence = first.initial_sequence + 100'000;
    spec.flags = kSyn;
    spec.window = 65'000;
    std::vector<std::byte> bytes(100);
    bytes.resize(build_segment(spec, bytes));
    TcpPacket syn;
    require(parse_tcp_packet(bytes, syn) == ParseError::none);
    if (!gate_->on_syn(syn, now_ms_).accept) return;
    connection.begun_elsewhere = spec.sequence;
    if (decisions_.octet() % 8 == 0) return;
    Direction before = std::exchange(first, Direction{.initial_sequence = spec.sequence});
    second.initial_sequence += 100'000;
    put(connection, Side::responder, 0xFFFF'FFFF, {}, kSyn | kAck);
    second.initial_sequence -= 100'000;
    first = std::move(before);
    turn();
    if (connection.begun_elsewhere) return;
    put(connection, Side::initiator, 0, {}, kAck);
    turn();
  }

  /// New octets at the end, or around it: an overlap behind, a gap before.
  void fresh(Connection& connection, Side from, std::uint8_t flags) {
    const std::uint8_t shape = decisions_.octet();
    std::string text;
    for (unsigned i = 0; i < (shape & 15U); ++i) text += kAlphabet[decisions_.octet() & 15U];
    std::uint32_t offset = end_of(connection, from);
    const unsigned shift = shape >> 4U;
    if (shift >= 12) offset += shift - 11;
    if (shift >= 8 && shift < 12) offset -= std::min(offset, shift - 7);
    put(connection, from, offset, text, flags);
  }

  void bulk(Connection& connection, Side from) {
    const std::uint8_t shape = decisions_.octet();
    put(connection, from, end_of(connection, from),
        std::string((shape & 31U) * 90U, kAlphabet[shape >> 4U]), kAck);
  }

  /// Octets that were sent before, as they were or changed.
  void again(Connection& connection, Side from) {
    const std::string& sent = connection.direction(from).sent;
    const std::uint32_t back =
        std::min<std::uint32_t>(decisions_.octet(), end_of(connection, from));
    const std::uint8_t shape = decisions_.octet();
    const std::uint32_t offset = end_of(connection, from) - back;
    std::string text = sent.substr(offset, shape & 63U);
    if ((shape & 64U) != 0) {
      for (char& octet : text) octet = kAlphabet[decisions_.octet() & 15U];
    }
    put(connection, from, offset, text, (shape & 128U) != 0 ? kAck | kFin : kAck);
  }

  void reset(Connection& connection, Side from) {
    const std::uint8_t where = decisions_.octet();
    Direction& direction = connection.direction(from);
    const std::uint32_t offset = (where & 1U) != 0   ? end_of(connection, from)
                                 : (where & 2U) != 0 ? direction.received_end
                                                     : where;
    put(connection, from, offset, {}, kRst | kAck);
  }

  void put(Connection& connection, Side from, std::uint32_t offset, const std::string& text,
           std::uint8_t flags) {
    Direction& direction = connection.direction(from);
    Direction& peer = connection.direction(other(from));
    peer.acknowledged = peer.received_end;
    if ((flags & kSyn) == 0 && offset <= direction.sent.size()) {
      direction.sent.resize(std::max(direction.sent.size(), offset + text.size()));
      direction.sent.replace(offset, text.size(), text);
    } else if ((flags & kSyn) == 0) {
      // The gap is filled when somebody sends it "again".
      direction.sent.resize(offset, 'g');
      direction.sent += text;
    }
    SegmentSpec spec;
    spec.source = from == Side::initiator ? connection.initiator : connection.responder;
    spec.destination = from == Side::initiator ? connection.responder : connection.initiator;
    spec.sequence = direction.initial_sequence + 1 + offset;
    spec.acknowledgement = peer.initial_sequence + 1 + peer.received_end;
    spec.flags = flags;
    spec.window = 65'000;
    spec.payload = std::as_bytes(std::span(text));
    std::vector<std::byte> packet(text.size() + 100);
    packet.resize(build_segment(spec, packet));
    world_.feed(std::move(packet), std::exchange(gso_, false), std::exchange(mark_, 0U));
    if (world_.waiting() == kPacketsPerTurnMax) turn();
  }

  void from_outside() {
    turn();
    const std::uint8_t what = decisions_.octet();
    if ((what & 1U) != 0) {
      const std::array<std::uint32_t, 3> end{10, std::uint32_t{what} >> 4U, 9};
      static_cast<void>(loop_.apply_orders(end));
    } else if (!world_.strict) {
      loop_.abandon_sessions();
      judge_.forget();
    }
  }

  void turn() {
    static_cast<void>(loop_.turn(now_ms_));
    const Counters counted = loop_.counters();
    require(counted[Counter::received] == counted[Counter::accepted] + counted[Counter::rewritten] +
                                              counted[Counter::dropped] + counted[Counter::held]);
  }

  Decisions& decisions_;
  World& world_;
  ScriptedJudge& judge_;
  PacketLoop& loop_;
  std::int64_t now_ms_ = 1'000;
  bool gso_ = false;
  std::uint32_t mark_ = 0;
  Gate* gate_ = nullptr;
};

LoopOptions options_of(std::uint8_t how, std::uint8_t room, bool strict) {
  LoopOptions options;
  options.generic_tcp = (room & 8U) != 0;
  options.block_non_session = (room & 16U) != 0;
  options.mark_session = (room & 32U) != 0 ? kMarkSession : 0;
  options.ports[25] = PortProtocol::smtp;
  options.ports[110] = PortProtocol::pop3;
  options.out_of_order_max = (how & 1U) != 0 ? 3 : 16;
  options.out_of_order_bytes_max = (how & 2U) != 0 ? 300 : 1U << 20U;
  options.report_drops = (how & 4U) != 0;
  options.reassembly_alarm = options.report_drops;
  options.window_scale_loose = (how & 8U) != 0;
  options.fail_open = !strict && (how & 16U) != 0;
  if (!strict && (how & 32U) != 0) {
    options.mark_offload_both = 2;
    options.mark_offload_responder = 4;
    options.mark_clear = 8;
  }
  return options;
}

/// Lengths; in a loose run also what the walk finds in fields and bodies.
std::shared_ptr<const ContentPlan> plan_of(bool strict) {
  auto plan = std::make_shared<ContentPlan>();
  plan->data_lengths.assign(kLengths.begin(), kLengths.end());
  if (strict) return plan;
  static const auto set_of = [](PatternPlace place) {
    const std::array patterns{Pattern{1, "A|x-", false}, Pattern{2, "B", false}};
    return std::shared_ptr(PatternSet::compile(patterns, {.place = place}).set);
  };
  static const std::shared_ptr<const PatternSet> kFields = set_of(PatternPlace::field);
  static const std::shared_ptr<const PatternSet> kBodies = set_of(PatternPlace::body);
  plan->header = kFields;
  plan->body = kBodies;
  plan->decoded = kBodies;
  plan->content_type = kFields;
  plan->encodings = true;
  plan->header_lengths = {3};
  return plan;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Decisions decisions({data, size});
  const std::uint8_t how = decisions.octet();
  const std::uint8_t room = decisions.octet();
  World world;
  world.strict = (how & 128U) == 0;
  world.fail_open = !world.strict && (how & 16U) != 0;
  ScriptedJudge judge(decisions, world);
  const std::shared_ptr<Gate> gate = (room & 4U) != 0 ? std::make_shared<Gate>(2, 2) : nullptr;
  PacketLoop loop(world, world,
                  {.flows_max = 4, .chunks_max = (room & 1U) != 0 ? 4U : 64U, .gate = gate});
  loop.configure(options_of(how, room, world.strict));
  judge.attach(loop, (room & 2U) != 0 ? 2'048 : kArenaBytes);
  // In half of all runs: the memory of the pattern engine is made anew for each.
  if ((room & 64U) != 0) judge.scan_by(loop.define_plan(plan_of(world.strict)));
  Script script(decisions, world, judge, loop);
  script.share(gate.get());
  script.play();
  loop.shut_down();
  require(world.all_judged());
  require(loop.counters()[Counter::held] == 0);
  require(loop.counters()[Counter::out_of_order_bytes] == 0);
  require(loop.counters()[Counter::flows_half_open] == 0);
  require(loop.counters()[Counter::flows_established] == 0);
  require(loop.counters()[Counter::flows_terminating] == 0);
  require(loop.used_chunks() == 0 && loop.table().size() == 0);
  require(!world.strict || loop.counters()[Counter::content_scanned_octets] ==
                               loop.counters()[Counter::content_octets]);
  loop.release_plan(1);
  require(loop.plans() == 0);
  return 0;
}
