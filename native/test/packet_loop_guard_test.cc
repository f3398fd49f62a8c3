// What one rule alone keeps out, told by what would happen without it.
#include <doctest/doctest.h>

#include "core/limits.h"
#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

/// EVIL is masked, STOP ends the reading of both sides.
void mask_and_stop(const SeenEvent& event, Orders& orders) {
  if (event.text == "EVIL") orders.mask(event.flow, 0, 4, 'x');
  LoopLab::forward_all(event, orders);
  if (event.text == "STOP") orders.stop(event.flow, 1);
}

/// BAD is refused with these words; LOGIN has the initiator wait.
LoopLab::Answer refuse_bad(std::string words) {
  return [words = std::move(words)](const SeenEvent& event, Orders& orders) {
    if (event.text == "BAD") return orders.refuse_with_words(event.flow, words);
    LoopLab::forward_all(event, orders);
    if (event.text == "LOGIN") orders.pause(event.flow, I);
  };
}

std::size_t resets_toward(LoopLab& lab, Side side) {
  std::size_t count = 0;
  for (const std::string& what : lab.injected(side)) count += what.starts_with("rst@") ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("a packet with a false checksum is dropped, and its octets are none of the stream") {
  LoopLab lab;
  lab.connect();
  SegmentSpec made = lab.spec(I, 0, kAck | kPsh);
  const std::string_view payload = "NOOP\r\n";
  made.payload = std::as_bytes(std::span(payload.data(), payload.size()));
  std::vector<std::byte> packet(200);
  packet.resize(build_segment(made, packet));
  packet.back() ^= std::byte{1};
  lab.source.feed(std::move(packet));
  lab.turn();
  CHECK(lab.fate(lab.source.last_id()) == "drop");
  CHECK(lab.loop.counters()[Counter::drop_bad_checksum] == 1);
  CHECK(lab.fate(lab.send(I, 0, "QUIT\r\n")) == "accept");
  CHECK(lab.lines == Strings{"I: QUIT"});
}

TEST_CASE("a part of a packet is dropped, whatever it says") {
  LoopLab lab;
  lab.connect();
  lab.source.truncated = true;
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "drop");
  lab.source.truncated = false;
  CHECK(lab.loop.counters()[Counter::drop_truncated] == 1);
  CHECK(lab.lines.empty());
}

TEST_CASE("octets that were judged go again as they went, also when their side is read no more") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.offload = false;
  LoopLab lab(options);
  lab.answer = mask_and_stop;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "EVIL\r\n")) == "rewrite xxxx\r\n");
  CHECK(lab.fate(lab.send(I, 6, "STOP\r\n")) == "accept");
  CHECK(lab.fate(lab.send(I, 12, "anything")) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "EVIL\r\n")) == "rewrite xxxx\r\n");
  CHECK(lab.fate(lab.send(I, 6, "QUIT\r\n")) == "rewrite STOP\r\n");
}

TEST_CASE("an order for a framing that there is not ends the flow") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.text == "NEXT") orders.frame(event.flow, I, static_cast<FramingMode>(9), 512);
  };
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.fate(lab.send(I, 6, "NEXT\r\n")).starts_with("rst@"));
  CHECK(lab.fate(lab.send(I, 12, "anything")) != "accept");
}

TEST_CASE("words of a refusal that are too long are not said: both peers are reset") {
  for (const std::size_t octets : {kRefusalBytesMax, kRefusalBytesMax + 1}) {
    LoopLab lab;
    lab.answer = refuse_bad(std::string(octets, 'w'));
    lab.connect();
    CHECK(lab.fate(lab.send(I, 0, "BAD\r\n")).starts_with("rst@"));
    CHECK((resets_toward(lab, I) == 1) == (octets > kRefusalBytesMax));
  }
}

TEST_CASE("what waits when a session is refused is dropped at once, not kept until its end") {
  LoopLab lab;
  lab.answer = refuse_bad("554 no\r\n");
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "LOGIN\r\n")) == "accept");
  const std::uint32_t first = lab.send(I, 7, "one\r\n");
  const std::uint32_t second = lab.send(I, 12, "two\r\n");
  CHECK(lab.fate(first) == "held");
  CHECK(lab.fate(second) == "held");
  lab.send(R, 0, "BAD\r\n");
  CHECK(lab.fate(first).starts_with("rst@"));
  CHECK(lab.fate(second) == "drop");
}

TEST_CASE("a responder that speaks on after a refusal is reset a bounded number of times") {
  LoopLab lab;
  lab.answer = refuse_bad("554 no\r\n");
  lab.connect();
  lab.send(I, 0, "BAD\r\n");
  static_cast<void>(lab.injected(R));
  for (std::uint32_t i = 0; i < 3U * kLateResetsMax; ++i) {
    CHECK(lab.fate(lab.send(R, 4 * i, "say\n")) == "drop");
  }
  CHECK(resets_toward(lab, R) == kLateResetsMax);
}

TEST_CASE("what cannot be kept for a retransmission is dropped, and the rest goes on") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.window_scale_loose = true;
  const std::string line = std::string(1'022, 'n') + "\r\n";
  struct Room {
    std::size_t chunks;
    std::size_t octets;
  };
  for (const Room room :
       {Room{8, 8 * kChunkBytes}, Room{kChunksMaxDefault, kUnacknowledgedBytesMax}}) {
    CAPTURE(room.chunks);
    LoopLab lab(options, nullptr, {.flows_max = 4, .chunks_max = room.chunks});
    lab.answer = [](const SeenEvent& event, Orders& orders) {
      if (event.kind != EventKind::opened) return LoopLab::forward_all(event, orders);
      orders.frame(event.flow, I, FramingMode::lines, 2'000);
      orders.frame(event.flow, R, FramingMode::lines, 2'000);
    };
    lab.connect();
    std::uint32_t offset = 0;
    while (offset < room.octets && lab.fate(lab.send(I, offset, line)) == "accept") {
      offset += static_cast<std::uint32_t>(line.size());
    }
    CHECK(offset + 2 * kChunkBytes >= room.octets);
    CHECK(lab.fate(lab.send(I, offset, line)) == "drop");
    CHECK(lab.loop.counters()[Counter::drop_memory] > 0);
    // Its sender brings it again, and what was acknowledged has made room.
    lab.acknowledged[1] = offset;
    lab.send(R, 0, "", kAck);
    CHECK(lab.fate(lab.send(I, offset, line)) == "accept");
  }
}

}  // namespace postern::test
