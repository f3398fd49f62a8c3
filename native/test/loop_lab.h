#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/packet_loop.h"

namespace postern::test {

/// What became of one packet.
struct Given {
  std::uint32_t id = 0;
  bool accept = false;
  bool rewritten = false;
  std::uint32_t mark = 0;
  std::vector<std::byte> bytes;  ///< as it went on: the replacement or the original
};

/// A source that is fed by hand and remembers every verdict. A packet's octets
/// stand until the next receive(): then they are freed, so that the sanitizer sees who still looks.
class FakeSource final : public PacketSource {
 public:
  void feed(std::vector<std::byte> packet, bool gso = false);
  [[nodiscard]] const Given* verdict_of(std::uint32_t id) const;
  [[nodiscard]] std::uint32_t last_id() const { return next_id_ - 1; }
  [[nodiscard]] const std::vector<Given>& given() const { return given_; }

  [[nodiscard]] ReceiveStatus receive(std::span<ReceivedPacket> packets,
                                      std::size_t& count) noexcept override;
  void verdict(std::uint32_t id, const Verdict& verdict) noexcept override;
  void flush() noexcept override {}
  [[nodiscard]] int descriptor() const noexcept override { return -1; }
  [[nodiscard]] const SourceCounters& counters() const noexcept override { return counters_; }
  [[nodiscard]] const char* error() const noexcept override { return ""; }

  std::uint32_t mark = 0;  ///< of what is fed from now on
  std::uint8_t hook = 2;
  std::array<std::uint32_t, 2> interfaces{0, 0};  ///< in and out
  bool truncated = false;                         ///< what is fed is a part of its packet
  bool checksum_complete = true;                  ///< false: the sender's card was to write it

 private:
  struct Waiting {
    std::uint32_t id;
    bool gso;
    std::uint32_t mark;
    std::uint8_t hook;
    std::array<std::uint32_t, 2> interfaces;
    bool truncated;
    std::vector<std::byte> bytes;
  };
  std::deque<Waiting> waiting_;
  std::deque<Waiting> taken_;
  std::vector<std::vector<std::byte>> lent_;
  std::vector<Given> given_;
  std::uint32_t next_id_ = 1;
  SourceCounters counters_;
};

class FakeSender final : public SegmentSender {
 public:
  [[nodiscard]] bool send(std::span<const std::byte> packet) noexcept override {
    sent.emplace_back(packet.begin(), packet.end());
    return true;
  }
  void recall(const Endpoint& initiator, const Endpoint& responder,
              std::uint32_t mask) noexcept override {
    recalled.push_back({initiator, responder, mask});
  }
  struct Recall {
    Endpoint initiator;
    Endpoint responder;
    std::uint32_t mask;
  };
  void recall_datagram(const DatagramEnds& ends, std::uint32_t mask) noexcept override {
    recalled_datagrams.push_back(ends);
    recalled.push_back({ends.source, ends.destination, mask});
  }
  std::vector<std::vector<std::byte>> sent;
  std::vector<Recall> recalled;
  std::vector<DatagramEnds> recalled_datagrams;
};

/// One event as a judge in a test sees it.
struct SeenEvent {
  EventKind kind = EventKind::line;
  Side side = Side::initiator;
  std::uint32_t flags = 0;
  std::uint32_t flow = 0;
  std::string text;
  std::uint64_t number = 0;
  std::uint32_t extra = 0;
};

/// Writes orders the way event-batch.ts does.
class Orders {
 public:
  Orders(std::span<std::uint32_t> words, std::span<std::byte> arena)
      : words_(words), arena_(arena) {}
  void forward(std::uint32_t flow, Side side) { put(1, side, 0, flow, {}); }
  void mask(std::uint32_t flow, std::uint32_t start, std::uint32_t length, char fill) {
    put(2, Side::initiator, static_cast<std::uint32_t>(fill), flow, {start, length});
  }
  void pause(std::uint32_t flow, Side side) { put(3, side, 0, flow, {}); }
  void resume(std::uint32_t flow, Side side) { put(4, side, 0, flow, {}); }
  void frame(std::uint32_t flow, Side side, FramingMode mode, std::uint32_t bytes,
             bool tolerant = false) {
    put(5, side, static_cast<std::uint32_t>(mode) | (tolerant ? 0x10U : 0U), flow, {bytes, 0});
  }
  void refuse_with_reset(std::uint32_t flow) { put(6, Side::initiator, 1, flow, {0, 0}); }
  void refuse_with_words(std::uint32_t flow, std::string_view words);
  void stop(std::uint32_t flow, std::uint32_t what) { put(7, Side::initiator, what, flow, {}); }
  void again(std::uint32_t flow) { put(8, Side::initiator, 0, flow, {}); }
  void idle(std::uint32_t flow, std::uint32_t seconds) {
    put(9, Side::initiator, 0, flow, {seconds});
  }
  void end(std::uint32_t flow, EndReason reason) {
    put(10, Side::initiator, 0, flow, {static_cast<std::uint32_t>(reason)});
  }
  void content(std::uint32_t flow, ContentOrder what, std::uint32_t plan = 0) {
    put(11, Side::initiator, static_cast<std::uint32_t>(what), flow, {plan});
  }
  [[nodiscard]] std::size_t length() const { return length_; }

 private:
  void put(std::uint32_t op, Side side, std::uint32_t flags, std::uint32_t flow,
           std::vector<std::uint32_t> arguments);
  std::span<std::uint32_t> words_;
  std::span<std::byte> arena_;
  std::size_t length_ = 0;
  std::size_t arena_used_ = 0;
};

/// A client, a server and a packet loop between them. Sequence numbers are stream offsets here: the
/// lab adds the ISNs.
class LoopLab final : public Judge {
 public:
  using Answer = std::function<void(const SeenEvent&, Orders&)>;

  explicit LoopLab(LoopOptions options = with_mail_ports(), std::shared_ptr<Gate> gate = nullptr,
                   LoopRoom room = {.flows_max = 64, .chunks_max = 256});
  ~LoopLab() override;

  static LoopOptions with_mail_ports();
  /// Lines on both sides, everything forwarded.
  static void forward_all(const SeenEvent& event, Orders& orders);

  /// The three-way handshake; each packet is expected to pass. `mss` is what both SYNs announce.
  void connect(std::uint16_t mss = 1'460);
  std::uint32_t send_syn(std::uint16_t mss = 1'460);
  std::uint32_t send_syn_ack(std::uint16_t mss = 1'460);
  /// From now on the same two ends speak of another connection.
  void begin_anew();
  /// Sends a segment of payload from a side at a stream offset; answers the packet's id.
  std::uint32_t send(Side from, std::uint32_t offset, std::string_view payload,
                     std::uint8_t flags = kAck | kPsh);
  /// Feeds without a turn, so that several packets share one.
  std::uint32_t feed(Side from, std::uint32_t offset, std::string_view payload,
                     std::uint8_t flags = kAck | kPsh);
  /// The same, as a super-packet that the kernel would cut.
  std::uint32_t send_gso(Side from, std::uint32_t offset, std::string_view payload);
  void turn() { loop.turn(now_ms); }
  void wait_ms(std::int64_t ms);
  /// A segment not tied to the connection's own bookkeeping.
  std::uint32_t send_spec(const SegmentSpec& spec);
  [[nodiscard]] SegmentSpec spec(Side from, std::uint32_t offset, std::uint8_t flags) const;

  [[nodiscard]] std::size_t judge(std::uint32_t events) noexcept override;

  /// "accept", "rewrite PAYLOAD", "drop", or "held"; for resets "rst@OFFSET".
  [[nodiscard]] std::string fate(std::uint32_t id) const;
  /// What was injected toward a side since the last call, one description a segment.
  [[nodiscard]] std::vector<std::string> injected(Side toward);
  /// The judged lines, "I: text" or "R: text", partial ones with "…".
  std::vector<std::string> lines;
  std::vector<SeenEvent> seen;

  Answer answer = forward_all;
  bool judge_fails = false;
  std::int64_t now_ms = 1'000;
  FakeSource source;
  FakeSender sender;
  PacketLoop loop;
  std::array<std::uint32_t, 2> acknowledged{
      0, 0};  ///< offsets that each side acknowledges of the other
  std::array<std::uint32_t, 2> initial_sequences{1'000'000, 0xFFFF'FF00};
  std::uint16_t responder_port = 25;
  /// How much more than the responder's own numbers the initiator acknowledges, and is expected to.
  std::uint32_t initiator_shift = 0;

 private:
  [[nodiscard]] std::uint32_t offset_in(Side from, std::uint32_t sequence) const;
  [[nodiscard]] std::string describe(std::vector<std::byte> bytes) const;

  std::vector<std::uint32_t> events_;
  std::vector<std::byte> arena_;
  std::vector<std::uint32_t> orders_;
  std::vector<std::byte> order_arena_;
};

}  // namespace postern::test
