// What all sessions of a worker share, a few of them cannot use up.
#include <doctest/doctest.h>

#include "core/limits.h"
#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

constexpr std::uint16_t kOtherPort = 26;

LoopOptions two_ports() {
  LoopOptions options = LoopLab::with_mail_ports();
  options.ports[kOtherPort] = PortProtocol::smtp;
  options.out_of_order_max = 64;
  options.window_scale_loose = true;
  return options;
}

/// DATA has the initiator wait for a reply.
void pause_at_data(const SeenEvent& event, Orders& orders) {
  LoopLab::forward_all(event, orders);
  if (event.kind != EventKind::line) return;
  if (event.text == "DATA") orders.pause(event.flow, I);
  if (event.side == R) orders.resume(event.flow, I);
}

std::uint64_t held(const LoopLab& lab) {
  return lab.loop.counters()[Counter::held];
}

}  // namespace

TEST_CASE("room: packets that wait for a reply leave places in the kernel's queue") {
  LoopLab lab(two_ports(), nullptr, {.flows_max = 4, .chunks_max = 64, .held_max = 5});
  lab.answer = pause_at_data;
  lab.connect();
  lab.send(I, 0, "DATA\r\n");
  std::string text;
  for (std::uint32_t i = 0; i < 20; ++i) {
    const std::string line = "line" + std::to_string(i) + "\r\n";
    const auto offset = static_cast<std::uint32_t>(6 + text.size());
    const std::string fate = lab.fate(lab.send(I, offset, line));
    CHECK(fate == (i < 5 ? "held" : "drop"));
    text += line;
  }
  CHECK(held(lab) == 5);
  CHECK(lab.loop.counters()[Counter::drop_held_limit] == 15);
  // Their octets are kept all the same, and go on when they may.
  lab.acknowledged[1] = 6;
  lab.send(R, 0, "354 go\r\n");
  CHECK(held(lab) == 0);
  std::string rest;
  for (const std::string& segment : lab.injected(R))
    rest += segment.substr(0, segment.find(" ack"));
  CHECK(text.ends_with(rest));
  CHECK(rest.starts_with("line5\r\n"));
}

TEST_CASE("room: one side holds a few of them at most") {
  LoopLab lab(two_ports());
  lab.answer = pause_at_data;
  lab.connect();
  lab.send(I, 0, "DATA\r\n");
  for (std::uint32_t i = 0; i < 2 * kHeldPacketsPerSideMax; ++i) lab.send(I, 6 + i, "x");
  CHECK(held(lab) == kHeldPacketsPerSideMax);
}

TEST_CASE("room: and so do those that came early") {
  LoopLab lab(two_ports(), nullptr, {.flows_max = 4, .chunks_max = 64, .held_max = 5});
  lab.connect();
  for (std::uint32_t i = 0; i < 20; ++i) lab.send(I, 10 + 2 * i, "x");
  CHECK(held(lab) == 5);
  // The one that closes the gap is not early; what found no place comes again.
  CHECK(lab.fate(lab.send(I, 0, "NOOP 6789x")) != "held");
  CHECK(lab.fate(lab.send(I, 30, "x")) == "held");
}

TEST_CASE("room: octets that nobody acknowledges leave memory to other sessions") {
  LoopLab lab(two_ports(), nullptr, {.flows_max = 4, .chunks_max = 64});
  lab.connect();
  const std::string line = std::string(498, 'b') + "\r\n";
  std::uint32_t offset = 0;
  while (offset < 64 * kChunkBytes && lab.fate(lab.send(I, offset, line)) == "accept")
    offset += 500;
  CHECK(lab.loop.counters()[Counter::drop_memory] == 1);
  CHECK(offset + 500 > kUnacknowledgedBytesAssured);
  CHECK(lab.loop.used_chunks() <= 64 / 2);
  lab.responder_port = kOtherPort;
  lab.begin_anew();
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.lines.back() == "I: NOOP");
}

}  // namespace postern::test
