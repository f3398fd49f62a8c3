// What one rule alone keeps out, told by what would happen without it.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;

namespace {

/// EVIL is masked, STOP ends the reading of both sides.
void mask_and_stop(const SeenEvent& event, Orders& orders) {
  if (event.text == "EVIL") orders.mask(event.flow, 0, 4, 'x');
  LoopLab::forward_all(event, orders);
  if (event.text == "STOP") orders.stop(event.flow, 1);
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

}  // namespace postern::test
