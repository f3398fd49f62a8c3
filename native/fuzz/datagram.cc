// Datagrams as strangers may send them, and a table of sessions under packets, times and answers in
// any order: every packet has one verdict, gauges and totals agree with the table, nothing is left.
#include <algorithm>
#include <memory>
#include <set>

#include "core/bytes.h"
#include "engine/datagram_flows.h"
#include "engine/gate.h"
#include "engine/packet_loop.h"
#include "fuzz/fuzzing.h"

using namespace postern;
using fuzz::require;

namespace {

constexpr std::uint32_t kMark = 0x10;
constexpr std::size_t kCapacity = 8;

/// The octets that decide what happens next.
class Script {
 public:
  explicit Script(std::span<const std::byte> octets) : octets_(octets) {}
  [[nodiscard]] bool over() const { return octets_.empty(); }
  unsigned next() {
    if (octets_.empty()) return 0;
    const auto value = std::to_integer<unsigned>(octets_.front());
    octets_ = octets_.subspan(1);
    return value;
  }
  std::span<const std::byte> take(std::size_t octets) {
    const auto taken = octets_.first(std::min(octets, octets_.size()));
    octets_ = octets_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const std::byte> octets_;
};

class Source final : public PacketSource {
 public:
  [[nodiscard]] ReceiveStatus receive(std::span<ReceivedPacket>, std::size_t&) noexcept override {
    return ReceiveStatus::none;
  }
  void verdict(std::uint32_t id, const Verdict& verdict) noexcept override {
    require(waiting.erase(id) == 1);
    require(!verdict.replacement);
    require(!verdict.mark || (verdict.accept && (*verdict.mark & kMark) != 0));
  }
  void flush() noexcept override {}
  [[nodiscard]] int descriptor() const noexcept override { return -1; }
  [[nodiscard]] const SourceCounters& counters() const noexcept override { return counters_; }
  [[nodiscard]] const char* error() const noexcept override { return ""; }
  std::set<std::uint32_t> waiting;

 private:
  SourceCounters counters_;
};

class Sender final : public SegmentSender {
 public:
  [[nodiscard]] bool send(std::span<const std::byte>) noexcept override {
    require(false);  // these sessions end in silence
    return false;
  }
};

/// A packet between a few hosts with a few numbers, so that they meet.
std::vector<std::byte> packet_of(Script& script) {
  const unsigned shape = script.next();
  const bool ipv4 = (shape & 1U) != 0;
  const bool udp = (shape & 2U) != 0;
  const std::size_t header = ipv4 ? 20 : 40;
  std::vector<std::byte> packet(header);
  const auto body = script.take(8 + shape / 8);
  packet.insert(packet.end(), body.begin(), body.end());
  const auto length = static_cast<std::uint16_t>(ipv4 ? packet.size() : body.size());
  packet[0] = std::byte{ipv4 ? std::uint8_t{0x45} : std::uint8_t{0x60}};
  write_u16(packet, ipv4 ? 2 : 4, length);
  const std::uint8_t icmp = ipv4 ? 1 : 58;
  packet[ipv4 ? 9 : 6] = std::byte{udp ? std::uint8_t{17} : icmp};
  const unsigned hosts = script.next();
  packet[ipv4 ? 15 : 23] = static_cast<std::byte>(hosts & 3U);
  packet[ipv4 ? 19 : 39] = static_cast<std::byte>((hosts >> 2U) & 3U);
  if (udp && body.size() >= 8) {
    packet[header] = packet[header + 2] = std::byte{0};
    write_u16(packet, header + 4, static_cast<std::uint16_t>(body.size()));
  }
  return packet;
}

void check_parser(std::span<const std::byte> octets) {
  const auto bytes = fuzz::own(octets);
  DatagramPacket packet;
  if (parse_datagram(bytes, packet) != ParseError::none) return;
  require(packet.transport_offset + packet.transport_bytes <= packet.bytes.size());
  require(packet.transport_bytes >= 8 && packet.kind <= DatagramKind::other);
  require(packet.ends.is_reply == (packet.kind == DatagramKind::reply));
  require(packet.about.protocol == 0 || packet.kind == DatagramKind::error);
  static_cast<void>(datagram_checksum_ok(packet));
  if (!is_icmp(packet.ends.protocol) || packet.kind != DatagramKind::query) return;
  const auto type = static_cast<std::uint8_t>(packet.ends.destination.port);
  require(answering_type(packet.ends.protocol, answering_type(packet.ends.protocol, type)) == type);
}

class World {
 public:
  World() : flows_({source_, sender_, counters_, writer_}, kCapacity, HashKey{1, 2}) {
    LoopOptions& options = *options_;
    options.generic_udp = options.generic_icmp = true;
    options.mark_session = kMark;
    options.report_drops = true;
    flows_.configure(options);
    flows_.share(&gate_);
    writer_ = EventWriter(words_, arena_);
  }

  void play(Script& script) {
    while (!script.over()) {
      writer_.start(now_ms_);
      step(script);
      while (flows_.has_events()) {
        flows_.write_events();
        if (writer_.count() == 0) break;
        answer(script);
      }
      flows_.give_up();
      check();
    }
    flows_.shut_down();
    require(flows_.table().size() == 0 && gate_.half_open() == 0);
    require(counters_[Counter::flows_half_open] == 0 && counters_[Counter::held] == 0);
    require(counters_[Counter::flows_established] == 0);
  }

 private:
  void step(Script& script) {
    const unsigned what = script.next();
    if (what < 32) {
      now_ms_ += std::int64_t{what} * 1'000;
      flows_.advance(now_ms_);
    } else if (what < 40) {
      flows_.abandon((what & 1U) != 0);
    } else if (what < 48) {
      static_cast<void>(flows_.carry_out(order_of(script, kDatagramFlowBase + (what & 7U))));
    } else if (what < 56) {
      GateLimits limits;
      limits.aggressive = (what & 1U) != 0;
      if ((what & 2U) != 0) limits.half_open_max = 3;
      gate_.configure(limits);
    } else {
      for (unsigned packets = 0; packets <= what % 4; ++packets) receive(script);
    }
  }

  void receive(Script& script) {
    std::vector<std::byte> bytes = packet_of(script);
    DatagramPacket packet;
    const ParseError error = parse_datagram(bytes, packet);
    ReceivedPacket received;
    received.id = ++id_;
    received.bytes = bytes;
    received.mark = (script.next() & 1U) != 0 ? kMark : 0;
    source_.waiting.insert(received.id);
    ++counters_[Counter::received];
    ++counters_[Counter::held];
    const bool answers_nobody = error == ParseError::none && packet.ends.is_reply &&
                                flows_.table().find(packet.ends) == kNoFlow;
    flows_.admit({received, packet, error, false}, now_ms_);
    require(!answers_nobody || source_.waiting.count(received.id) == 0);
  }

  static Order order_of(Script& script, std::uint32_t flow) {
    const unsigned what = script.next();
    Order order;
    order.op = static_cast<OrderOp>(1 + what % 10);
    order.flow = flow;
    order.first = order.op == OrderOp::end ? what % 14 : what;
    return order;
  }

  /// What a judge may say, or not, in an order of its own.
  void answer(Script& script) {
    std::vector<std::uint32_t> asked;
    for (std::uint32_t i = 0; i < writer_.count(); ++i) {
      const std::size_t at = kEventHeaderWords + i * kEventWords;
      if ((words_[at] & 0xFFU) != static_cast<std::uint32_t>(EventKind::opened)) continue;
      require(words_[at + 1] >= kDatagramFlowBase);
      asked.push_back(words_[at + 1]);
    }
    writer_.start(now_ms_);
    for (const std::uint32_t flow : asked) {
      if (!flows_.carry_out(order_of(script, flow))) break;
    }
    flows_.conclude();
  }

  void check() {
    require(source_.waiting.empty() && counters_[Counter::held] == 0);
    require(counters_[Counter::received] ==
            counters_[Counter::accepted] + counters_[Counter::dropped]);
    std::uint64_t half_open = 0;
    std::uint64_t open = 0;
    const DatagramTable& table = flows_.table();
    for (auto at = table.next_used(0); at != kNoFlow; at = table.next_used(at + 1)) {
      const DatagramStanding standing = table.at(at).standing;
      require(standing != DatagramStanding::asking);
      require(table.find(table.ends(at)) == at);
      require(table.side_of(at, table.ends(at)) == Side::initiator);
      half_open += standing == DatagramStanding::half_open ? 1U : 0U;
      open += standing == DatagramStanding::open ? 1U : 0U;
    }
    require(half_open == gate_.half_open() && half_open == counters_[Counter::flows_half_open]);
    require(open == counters_[Counter::flows_established]);
  }

  Source source_;
  Sender sender_;
  Counters counters_;
  std::array<std::uint32_t, kEventHeaderWords + 6 * kEventWords> words_{};
  std::array<std::byte, 512> arena_{};
  EventWriter writer_;
  Gate gate_{16, 16};
  std::unique_ptr<LoopOptions> options_ = std::make_unique<LoopOptions>();
  DatagramFlows flows_;
  std::int64_t now_ms_ = 1'000;
  std::uint32_t id_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_parser(fuzz::input(data, size));
  Script script(fuzz::input(data, size));
  auto world = std::make_unique<World>();
  world->play(script);
  return 0;
}
