// First-seen octets win, wherever they were seen: in order, early, held, and whatever comes later.
#include <doctest/doctest.h>

#include "loop_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

std::uint64_t altered(const LoopLab& lab) {
  return lab.loop.counters()[Counter::retransmissions_altered];
}

/// How often the judge was told of octets that differed.
std::size_t told(const LoopLab& lab) {
  const auto tells = [](const SeenEvent& event) {
    return event.kind == EventKind::reassembly &&
           (event.extra & 0xFFU) == static_cast<std::uint32_t>(ReassemblyAlarm::altered);
  };
  return static_cast<std::size_t>(std::ranges::count_if(lab.seen, tells));
}

}  // namespace

TEST_CASE("first seen: octets in order agree with an early chunk that they reach into") {
  LoopLab lab;
  lab.connect();
  const std::uint32_t early = lab.send(I, 6, "RSET\r\n");
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\nQUIT\r\n")) == "rewrite NOOP\r\nRSET\r\n");
  // All of it went with the other packet.
  CHECK(lab.fate(early) == "drop");
  CHECK(lab.lines == Strings{"I: NOOP", "I: RSET"});
  CHECK(altered(lab) == 1);
}

TEST_CASE("first seen: octets in order agree with the middle of what they cover") {
  LoopLab lab;
  lab.connect();
  const std::uint32_t early = lab.send(I, 5, "abc");
  CHECK(lab.fate(lab.send(I, 0, "NOOP xxxyy\r\n")) == "rewrite NOOP abcyy\r\n");
  CHECK(lab.fate(early) == "drop");
  CHECK(lab.lines.back() == "I: NOOP abcyy");
}

TEST_CASE(
    "first seen: an early chunk agrees with the early ones before it, in any order of places") {
  LoopLab lab;
  lab.connect();
  lab.send(I, 8, "aa");
  lab.send(I, 6, "bbbbb");
  lab.send(I, 5, "ccccccc");
  lab.send(I, 0, "NOOP ");
  lab.send(I, 12, "\r\n");
  CHECK(lab.lines.back() == "I: NOOP cbbaabc");
  CHECK(altered(lab) == 2);
}

TEST_CASE("first seen: every order and overlap of chunks reads as one written octet by octet") {
  // Three chunks over five places, each in a letter of its own; what no chunk has is d.
  struct Chunk {
    std::uint32_t from;
    std::uint32_t to;
  };
  std::vector<Chunk> chunks;
  for (std::uint32_t from = 0; from < 4; ++from) {
    for (std::uint32_t to = from + 1; to <= 4; ++to) chunks.push_back({from, to});
  }
  for (const Chunk& a : chunks) {
    for (const Chunk& b : chunks) {
      for (const Chunk& c : chunks) {
        LoopLab lab;
        lab.connect();
        std::string wanted = "dddd";
        const std::array<Chunk, 3> coming{a, b, c};
        lab.send(I, 0, "NOOP ");
        for (std::size_t i = 0; i < coming.size(); ++i) {
          const auto letter = static_cast<char>('a' + i);
          const Chunk& chunk = coming[i];
          for (std::uint32_t at = chunk.from; at < chunk.to; ++at) {
            if (wanted[at] == 'd') wanted[at] = letter;
          }
          lab.send(I, 5 + chunk.from, std::string(chunk.to - chunk.from, letter));
        }
        lab.send(I, 5, "dddd\r\n");
        CHECK(lab.lines.back() == "I: NOOP " + wanted);
      }
    }
  }
}

TEST_CASE("first seen: a chunk that was given up for another was not seen") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.out_of_order_max = 1;
  LoopLab lab(options);
  lab.connect();
  lab.send(I, 6, "RSET\r\n");
  CHECK(lab.fate(lab.send(I, 12, "QUIT\r\n")) == "drop");
  lab.send(I, 0, "NOOP\r\n");
  CHECK(lab.fate(lab.send(I, 12, "HELP\r\n")) == "accept");
  CHECK(altered(lab) == 0);
}

TEST_CASE("first seen: the same octets again are no contradiction") {
  LoopLab lab;
  lab.connect();
  lab.send(I, 6, "RSET\r\n");
  lab.send(I, 3, "P\r\nRSE");
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\nRSET\r\nQUIT\r\n")) == "accept");
  CHECK(lab.lines == Strings{"I: NOOP", "I: RSET", "I: QUIT"});
  CHECK(altered(lab) == 0);
  CHECK(told(lab) == 0);
}

TEST_CASE("first seen: octets that are held are not replaced, and the contradiction counts") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.text == "DATA") orders.pause(event.flow, I);
    if (event.side == R && event.kind == EventKind::line) orders.resume(event.flow, I);
  };
  lab.connect();
  lab.send(I, 0, "DATA\r\n");
  const std::uint32_t held = lab.send(I, 6, "NOOP\r\n");
  CHECK(lab.fate(lab.send(I, 6, "VRFY\r\n")) == "drop");
  CHECK(altered(lab) == 1);
  lab.acknowledged[1] = 6;
  lab.send(R, 0, "503 no\r\n");
  CHECK(lab.fate(held) == "accept");
  CHECK(lab.lines.back() == "I: NOOP");
}

TEST_CASE("first seen: a contradiction is told once a session, and counted every time") {
  LoopLab lab;
  lab.connect();
  lab.send(I, 0, "NOOP\r\n");
  CHECK(told(lab) == 0);
  lab.send(I, 0, "QUIT\r\n");
  CHECK(told(lab) == 1);
  const SeenEvent& event = lab.seen.back();
  CHECK(event.side == I);
  CHECK(event.flags == 6);
  CHECK(static_cast<std::uint32_t>(event.number) == lab.spec(I, 0, kAck).sequence);
  lab.send(I, 0, "VRFY\r\n");
  lab.send(I, 3, "X\r\nHELP\r\n");
  CHECK(told(lab) == 1);
  CHECK(altered(lab) == 3);
  CHECK(lab.loop.flow(0).altered == 3);
}

TEST_CASE("first seen: a session that began in the same turn is told of, too") {
  LoopLab lab;
  lab.send_syn();
  lab.send_syn_ack();
  lab.feed(I, 0, "NOOP\r\n");
  lab.feed(I, 0, "QUIT\r\n");
  lab.turn();
  CHECK(altered(lab) == 1);
  CHECK(told(lab) == 1);
}

TEST_CASE("first seen: what comes early from behind an early FIN is no octet of the stream") {
  LoopLab lab;
  lab.connect();
  const std::uint32_t last = lab.send(I, 6, "RSET\r\n", kAck | kFin);
  const std::uint32_t across = lab.send(I, 9, "T\r\nQUIT\r\n");
  const std::uint32_t beyond = lab.send(I, 30, "VRFY x\r\n");
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
  CHECK(lab.fate(last) == "accept");
  CHECK(lab.fate(across) == "drop");
  CHECK(lab.fate(beyond) == "drop");
  CHECK(lab.lines == Strings{"I: NOOP", "I: RSET"});
  CHECK(lab.loop.counters()[Counter::drop_data_after_fin] == 2);
  lab.wait_ms(20'000);
  CHECK(lab.loop.flow(0).stage == FlowStage::closing);
}

TEST_CASE("first seen: an early FIN that octets in order have overtaken ends nothing") {
  LoopLab lab;
  lab.connect();
  const std::uint32_t fin = lab.send(I, 6, "", kAck | kFin);
  CHECK(lab.fate(lab.send(I, 0, "NOOP\r\nRSET\r\n")) == "accept");
  CHECK(lab.fate(fin) == "drop");
  CHECK_FALSE(lab.loop.flow(0).side(I).fin_received);
  CHECK(lab.fate(lab.send(I, 12, "QUIT\r\n", kAck | kFin)) == "accept");
  CHECK(lab.lines == Strings{"I: NOOP", "I: RSET", "I: QUIT"});
}

TEST_CASE("first seen: an early FIN at its place ends the stream, sent twice or not") {
  LoopLab lab;
  lab.connect();
  const std::uint32_t fin = lab.send(I, 6, "", kAck | kFin);
  const std::uint32_t again = lab.send(I, 6, "", kAck | kFin);
  CHECK(lab.fate(lab.send(I, 0, "QUIT\r\n")) == "accept");
  CHECK(lab.fate(fin) == "accept");
  CHECK(lab.fate(again) == "drop");
  CHECK(lab.loop.flow(0).side(I).fin_forwarded);
}

}  // namespace postern::test
