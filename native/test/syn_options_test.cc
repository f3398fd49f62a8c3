// Options that make another stream of the octets of a connection are agreed to by nobody.
#include <doctest/doctest.h>

#include "core/checksum.h"
#include "loop_lab.h"
#include "packet_samples.h"

namespace postern::test {

constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

/// MP_CAPABLE and MP_JOIN (RFC 8684 3.1, 3.2): as long as they are in a SYN.
const Octets kCapable = octets_of({30, 4, 0x01, 0x01});
const Octets kJoin = octets_of({30, 12, 0x10, 0, 1, 2, 3, 4, 5, 6, 7, 8});
const Octets kMss = octets_of({2, 4, 5, 0xB4});

/// A SYN or SYN-ACK with these options: written as payload, then the header is made longer.
std::vector<std::byte> with_options(const LoopLab& lab, Side from, const Octets& options) {
  SegmentSpec syn = lab.spec(from, 0, from == I ? kSyn : kSyn | kAck);
  --syn.sequence;
  if (from == I) syn.acknowledgement = 0;
  syn.payload = options;
  std::vector<std::byte> packet(200);
  packet.resize(build_segment(syn, packet));
  packet[32] = static_cast<std::byte>((5 + options.size() / 4) << 4U);
  write_packet_checksums(packet, 20);
  return packet;
}

std::uint32_t send(LoopLab& lab, std::vector<std::byte> packet) {
  lab.source.feed(std::move(packet));
  lab.turn();
  return lab.source.last_id();
}

/// The options of what went on.
Octets went(const LoopLab& lab, std::uint32_t id) {
  const Given* given = lab.source.verdict_of(id);
  REQUIRE(given != nullptr);
  REQUIRE(given->accept);
  CHECK(checksums_right(given->bytes, 20));
  return {given->bytes.begin() + 40, given->bytes.end()};
}

Octets joined(const Octets& first, const Octets& second) {
  Octets both = first;
  put(both, second);
  return both;
}

Octets cleared(const Octets& option) {
  return Octets(option.size(), std::byte{1});
}

}  // namespace

TEST_CASE("SYN options: neither end learns of MPTCP") {
  for (const Octets& option : {kCapable, kJoin}) {
    LoopLab lab;
    const std::uint32_t syn = send(lab, with_options(lab, I, joined(option, kMss)));
    CHECK(went(lab, syn) == joined(cleared(option), kMss));
    const std::uint32_t again = send(lab, with_options(lab, I, joined(option, kMss)));
    CHECK(went(lab, again) == joined(cleared(option), kMss));
    const std::uint32_t answer = send(lab, with_options(lab, R, joined(kMss, option)));
    CHECK(went(lab, answer) == joined(kMss, cleared(option)));
    CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "accept");
    const std::uint32_t late = send(lab, with_options(lab, R, joined(kMss, option)));
    CHECK(went(lab, late) == joined(kMss, cleared(option)));
    CHECK(lab.fate(lab.send(I, 0, "NOOP\r\n")) == "accept");
    CHECK(lab.loop.counters()[Counter::options_cleared] == 4);
    // What the kernel notes with the session goes on with it.
    CHECK(lab.loop.flow(0).tracker.half(I).mss > 536);
  }
}

TEST_CASE("SYN options: nor of what else is not followed here") {
  // Encryption (RFC 8547) and shared memory (RFC 7609), which take the octets out of our sight.
  for (const Octets& option :
       {octets_of({69, 4, 0, 0}), octets_of({254, 6, 0xE2, 0xD4, 0xC3, 0xD9, 1, 1})}) {
    LoopLab lab;
    const Octets went_on = went(lab, send(lab, with_options(lab, I, option)));
    CHECK(went_on == cleared(option));
  }
}

TEST_CASE("SYN options: the mark of a session goes with what was cleared") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.mark_session = 0x10;
  LoopLab lab(options);
  const std::uint32_t syn = send(lab, with_options(lab, I, kCapable));
  CHECK(lab.source.verdict_of(syn)->mark == 0x10);
}

TEST_CASE("SYN options: those that are followed stay, and so does all of other segments") {
  LoopLab lab;
  const Octets common = octets_of({2, 4, 5, 0xB4, 4, 2, 8,  10, 1, 2, 3,    4, 0,    0,
                                   0, 0, 1, 3,    3, 7, 34, 2,  1, 1, 0xFE, 4, 0xF9, 0x89});
  CHECK(lab.fate(send(lab, with_options(lab, I, common))) == "accept");
  CHECK(lab.fate(lab.send_syn_ack()) == "accept");
  CHECK(lab.fate(lab.send(I, 0, "", kAck)) == "accept");
  SegmentSpec data = lab.spec(I, 0, kAck);
  data.payload = kCapable;
  std::vector<std::byte> packet(100);
  packet.resize(build_segment(data, packet));
  packet[32] = std::byte{0x60};
  write_packet_checksums(packet, 20);
  CHECK(lab.fate(send(lab, packet)) == "accept");
  CHECK(lab.loop.counters()[Counter::options_cleared] == 0);
}

}  // namespace postern::test
