// Scripts of segments, near the numbers where a tracker decides: whatever is sent, its limits hold.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "core/sequence.h"
#include "core/tcp_tracker.h"
#include "fuzz/fuzzing.h"

namespace {

using namespace postern;
using postern::fuzz::require;

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  std::uint8_t octet() {
    if (bytes_.empty()) return 0;
    const std::uint8_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::uint32_t word() {
    const auto high = static_cast<std::uint32_t>(octet());
    return (high << 8U) | octet();
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

/// A number at or near one that means something to the stream, or anywhere.
std::uint32_t near_number(Input& input, const HalfStream& half) {
  const std::uint8_t how = input.octet();
  const std::array<std::uint32_t, 8> anchors = {
      half.next,         half.next,     half.acknowledged,     half.window_end,
      half.fin_sequence, half.next + 1, half.initial_sequence, input.word() << 16U};
  const auto delta = static_cast<std::int8_t>((how & 8U) != 0 ? input.octet() : 0);
  const std::uint32_t scale = (how & 16U) != 0 ? 1'000U : 1U;
  return anchors[how & 7U] + static_cast<std::uint32_t>(delta) * scale;
}

TcpPacket segment(Input& input, const Tracker& tracker, Side from) {
  static std::array<std::byte, 70'000> payload{};
  constexpr std::array<std::uint8_t, 8> kUsual = {kAck,        kAck | kPsh, kAck | kFin, kSyn,
                                                  kSyn | kAck, kRst,        kRst | kAck, kAck};
  TcpPacket packet;
  const std::uint8_t kind = input.octet();
  packet.flags = (kind & 8U) != 0 ? input.octet() : kUsual[kind & 7U];
  packet.sequence = near_number(input, tracker.half(from));
  packet.acknowledgement = near_number(input, tracker.half(other(from)));
  if ((kind & 16U) != 0) packet.window = static_cast<std::uint16_t>(input.word());
  const std::size_t length = (kind & 32U) != 0 ? input.octet() : 0;
  packet.bytes = std::span(payload).first((kind & 64U) != 0 ? length * 256 : length);
  if ((kind & 128U) != 0) {
    const std::uint8_t options = input.octet();
    packet.options.has_timestamps = (options & 1U) != 0;
    packet.options.timestamp_value =
        tracker.half(from).timestamp_recent + static_cast<std::uint32_t>(options >> 4U) - 4U;
    if ((options & 2U) != 0) packet.options.window_scale = input.octet();
    if ((options & 4U) != 0) packet.options.mss = static_cast<std::uint16_t>(input.word());
    packet.options.has_md5 = (options & 15U) == 8U;
  }
  return packet;
}

/// What was reported at most once, or once a side, for a connection.
struct Seen {
  bool established = false;
  bool closed = false;
  bool reset = false;
  std::array<bool, 2> fin{};

  void note(const TrackResult& result, Side from) {
    require(!(result.established && established) && !(result.closed && closed));
    require(!(result.fin && fin[index(from)]));
    require(!reset && !(result.reset && (result.established || result.closed || result.fin)));
    established = established || result.established;
    closed = closed || result.closed;
    reset = reset || result.reset;
    fin[index(from)] = fin[index(from)] || result.fin;
  }
};

void require_order(const Tracker& before, const Tracker& after) {
  for (const Side side : {Side::initiator, Side::responder}) {
    const HalfStream& was = before.half(side);
    const HalfStream& is = after.half(side);
    require(seq_le(is.acknowledged, is.next));
    // Before the SYN-ACK the responder has no numbers.
    if (was.state == TcpState::listen) continue;
    require(seq_ge(is.next, was.next));
    require(seq_ge(is.acknowledged, was.acknowledged));
    require(seq_ge(is.window_end, was.window_end));
    require(is.window_max_bytes >= was.window_max_bytes);
    require(is.window_scale <= 14);
    require(!was.sent_fin || (is.sent_fin && is.next == is.fin_sequence + 1));
  }
  require(!before.over() || after.over());
  require(before.half_open() || !after.half_open());
}

/// Before a number compares wrongly, a script would have to send more than these.
constexpr int kSegmentsMax = 400;

void play(Input& input, Tracker& tracker) {
  Seen seen;
  for (int i = 0; i < kSegmentsMax && !input.empty(); ++i) {
    const Side from = (input.octet() & 1U) != 0 ? Side::responder : Side::initiator;
    const TcpPacket packet = segment(input, tracker, from);
    static_assert(std::is_trivially_copyable_v<Tracker>);
    const Tracker before = tracker;
    const TrackResult result = tracker.check(from, packet);
    require(result.drop == TrackDrop::none || !result.handshake_reuse);
    if (result.drop != TrackDrop::none) continue;
    if (result.handshake_reuse) {
      require(before.over() && packet.has(kSyn));
      if (!packet.payload().empty() || from != Side::initiator) continue;
      require(tracker.open(packet) == TrackDrop::none);
      require(tracker.half_open() && !tracker.closing());
      seen = {};
      continue;
    }
    tracker.apply(from, packet);
    seen.note(result, from);
    require_order(before, tracker);
    require(!result.reset || tracker.over());
    require(!result.established || !tracker.half_open());
    require(result.retransmission == false || tracker.half(from).next == before.half(from).next);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  Tracker tracker;
  const std::uint8_t start = input.octet();
  tracker.window_scale_loose = (start & 1U) != 0;
  const TcpPacket first = segment(input, tracker, Side::initiator);
  if ((start & 2U) != 0) {
    tracker.adopt(first, (start & 4U) != 0 ? Side::responder : Side::initiator);
  } else if (tracker.open(first) != TrackDrop::none) {
    TcpPacket syn;
    syn.flags = kSyn;
    syn.sequence = input.word() << 16U;
    syn.window = 65'535;
    require(tracker.open(syn) == TrackDrop::none);
  }
  play(input, tracker);
  return 0;
}
