#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/gate.h"
#include "test/datagram_samples.h"
#include "test/loop_lab.h"

/// Datagrams through a packet loop: interface 1 is inside, where a rule inspects what comes in;
/// interface 2 is outside, where none does.
namespace postern::test {

inline constexpr std::uint32_t kMarkSession = 0x10;
inline constexpr std::array<std::uint32_t, 2> kFromInside{1, 2};
inline constexpr std::array<std::uint32_t, 2> kFromOutside{2, 1};

inline LoopOptions datagram_options() {
  LoopOptions options = LoopLab::with_mail_ports();
  options.generic_udp = true;
  options.generic_icmp = true;
  options.mark_session = kMarkSession;
  return options;
}

/// A datagram from the client, 192.0.2.1, to the server, 198.51.100.7; `answered` the other way.
inline Octets asked_udp(unsigned port = 123, unsigned client = 4'000,
                        std::string_view payload = "question") {
  return ipv4_sample(udp_sample(client, port, payload), {.protocol = kUdp});
}
inline Octets answered_udp(unsigned port = 123, unsigned client = 4'000,
                           std::string_view payload = "the answer") {
  return turned(ipv4_sample(udp_sample(port, client, payload), {.protocol = kUdp}));
}
inline Octets icmp_packet(unsigned type, unsigned identifier, const Octets& body = {}) {
  Octets packet = ipv4_sample(icmp_sample(type, identifier, body), {.protocol = kIcmp});
  put_checksum(packet, 20, 2, kIcmp);
  return packet;
}
inline Octets asked_ping(unsigned identifier = 700) {
  return icmp_packet(8, identifier);
}
inline Octets answered_ping(unsigned identifier = 700) {
  return turned(icmp_packet(0, identifier));
}
/// "Unreachable" from the server's side to the client, about a packet of the client's.
inline Octets error_about(const Octets& packet) {
  const Octets head(packet.begin(), packet.begin() + 28);
  return turned(icmp_packet(3, 0, head));
}

class DatagramLab {
 public:
  explicit DatagramLab(const LoopOptions& options = datagram_options(),
                       std::shared_ptr<Gate> shared = std::make_shared<Gate>(64, 64))
      : gate(std::move(shared)), lab(options, gate) {
    lab.answer = inspect_inside;
  }

  /// What TypeScript does: a session when it begins inside, foreign else.
  static void inspect_inside(const SeenEvent& event, Orders& orders) {
    if (event.kind != EventKind::opened) return;
    if ((event.number & 0xFFFF'FFFFU) == 1) {
      orders.forward(event.flow, Side::initiator);
    } else {
      orders.stop(event.flow, 3);
    }
  }

  std::uint32_t feed(Octets packet, const std::array<std::uint32_t, 2>& interfaces,
                     std::uint32_t mark = 0) {
    lab.source.interfaces = interfaces;
    lab.source.mark = mark;
    lab.source.feed(std::move(packet));
    return lab.source.last_id();
  }
  /// What became of a packet: "accept", "accept marked" or "drop".
  std::string send(Octets packet, const std::array<std::uint32_t, 2>& interfaces,
                   std::uint32_t mark = 0) {
    const std::uint32_t id = feed(std::move(packet), interfaces, mark);
    lab.turn();
    return fate(id);
  }
  std::string from_inside(Octets packet, std::uint32_t mark = 0) {
    return send(std::move(packet), kFromInside, mark);
  }
  std::string from_outside(Octets packet, std::uint32_t mark = 0) {
    return send(std::move(packet), kFromOutside, mark);
  }
  [[nodiscard]] std::string fate(std::uint32_t id) const {
    std::string text = lab.fate(id);
    const Given* given = lab.source.verdict_of(id);
    if (given != nullptr && (given->mark & kMarkSession) != 0) text += " marked";
    return text;
  }
  [[nodiscard]] std::uint64_t count(Counter counter) const { return lab.loop.counters()[counter]; }
  [[nodiscard]] std::size_t told(EventKind kind) const {
    std::size_t found = 0;
    for (const SeenEvent& event : lab.seen) found += event.kind == kind ? 1U : 0U;
    return found;
  }
  [[nodiscard]] const DatagramTable& table() const { return lab.loop.datagrams(); }
  /// Sessions, without what only passes.
  [[nodiscard]] std::size_t sessions() const {
    std::size_t found = 0;
    for (auto at = table().next_session(0); at != kNoFlow; at = table().next_session(at + 1)) {
      ++found;
    }
    return found;
  }

  std::shared_ptr<Gate> gate;
  LoopLab lab;
};

}  // namespace postern::test
