#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

#include "core/packet.h"
#include "queue_lab.h"

using namespace postern;
using namespace postern::test;

TEST_CASE("a queue passes, rewrites and drops the packets of a real connection") {
  const PrivateNetwork network;
  if (!network.ready() || !steer(network)) return;
  const NfqueueOpening opening = NfqueueSocket::open({.queue = kQueue});
  REQUIRE_MESSAGE(opening.socket, opening.error);
  NfqueueSource source(opening.socket->descriptor(), kQueue);
  const FileDescriptor listener = listen_on_loopback();
  REQUIRE(listener.valid());
  const Connection connection = connect_through(source, listener);
  REQUIRE(connection.server.valid());
  CHECK(source.counters().received >= 2);

  SUBCASE("accepted as it is") {
    REQUIRE(::send(connection.client.get(), "NOOP\r\n", 6, 0) == 6);
    serve(
        source,
        [&](const ReceivedPacket& packet) {
          CHECK(packet.hook == 3);
          CHECK(packet.in_interface == 0);
          CHECK(packet.out_interface == 1);
          CHECK_FALSE(packet.checksum_complete);
          source.verdict(packet.id, {.accept = true});
        },
        [&] { return has_arrived(connection.server); });
    CHECK(take_all(connection.server) == "NOOP\r\n");
  }
  SUBCASE("rewritten in place, with checksums written in full") {
    REQUIRE(::send(connection.client.get(), "ETRN\r\n", 6, 0) == 6);
    serve(
        source,
        [&](ReceivedPacket& packet) {
          TcpPacket tcp;
          REQUIRE(parse_tcp_packet(packet.bytes, tcp) == ParseError::none);
          if (tcp.payload().empty()) return source.verdict(packet.id, {.accept = true});
          std::fill_n(tcp.payload().begin(), 4, std::byte{'X'});
          write_checksums(tcp);
          source.verdict(packet.id, {.accept = true, .replacement = tcp.bytes, .mark = 0x55});
        },
        [&] { return has_arrived(connection.server); });
    CHECK(take_all(connection.server) == "XXXX\r\n");
  }
  SUBCASE("dropped once: what arrives is the retransmission") {
    REQUIRE(::send(connection.client.get(), "NOOP\r\n", 6, 0) == 6);
    std::size_t with_payload = 0;
    serve(
        source,
        [&](const ReceivedPacket& packet) {
          CHECK_FALSE(has_arrived(connection.server));
          if (packet.bytes.back() == std::byte{'\n'}) ++with_payload;
          source.verdict(packet.id, {.accept = with_payload > 1});
        },
        [&] { return has_arrived(connection.server); });
    CHECK(with_payload >= 2);
    CHECK(take_all(connection.server) == "NOOP\r\n");
  }
  SUBCASE("a mark set with the verdict is seen by later rules") {
    REQUIRE(
        network.run("iptables -t filter -A OUTPUT -p tcp --dport 2525 -m mark --mark 0x77 -j "
                    "DROP"));
    REQUIRE(::send(connection.client.get(), "NOOP\r\n", 6, 0) == 6);
    std::size_t seen = 0;
    serve(
        source,
        [&](const ReceivedPacket& packet) {
          source.verdict(packet.id, {.accept = true, .replacement = {}, .mark = 0x77});
          ++seen;
        },
        [&] { return seen >= 2; });
    CHECK(take_all(connection.server).empty());
  }
  CHECK(source.counters().verdict_errors == 0);
  CHECK(source.counters().malformed == 0);
}

TEST_CASE("super-packets are marked as such, whole, and can be rewritten at equal length") {
  const PrivateNetwork network;
  if (!network.ready() || !steer(network)) return;
  const NfqueueOpening opening = NfqueueSocket::open({.queue = kQueue});
  REQUIRE_MESSAGE(opening.socket, opening.error);
  NfqueueSource source(opening.socket->descriptor(), kQueue);
  const FileDescriptor listener = listen_on_loopback();
  // Segments of 1,400 octets make the kernel hand out one packet for many of them.
  REQUIRE(network.run("ip link set lo mtu 1500"));
  const Connection connection = connect_through(source, listener);
  REQUIRE(connection.server.valid());

  const std::string sent(60'000, 'a');
  REQUIRE(::send(connection.client.get(), sent.data(), sent.size(), 0) ==
          static_cast<ssize_t>(sent.size()));
  std::size_t gso = 0;
  std::string arrived;
  serve(
      source,
      [&](ReceivedPacket& packet) {
        CHECK_FALSE(packet.truncated);
        if (packet.gso) ++gso;
        CHECK(packet.gso == (packet.bytes.size() > 1'500));
        TcpPacket tcp;
        REQUIRE(parse_tcp_packet(packet.bytes, tcp) == ParseError::none);
        std::fill(tcp.payload().begin(), tcp.payload().end(), std::byte{'b'});
        write_checksums(tcp);
        source.verdict(packet.id, {.accept = true, .replacement = tcp.bytes, .mark = {}});
      },
      [&] {
        arrived += take_all(connection.server);
        return arrived.size() >= sent.size();
      });
  CHECK(gso > 0);
  CHECK(arrived == std::string(sent.size(), 'b'));
  CHECK(source.counters().verdict_errors == 0);
}

TEST_CASE("a super-packet may be replaced by one that is longer than a segment") {
  const PrivateNetwork network;
  if (!network.ready() || !steer(network)) return;
  const NfqueueOpening opening = NfqueueSocket::open({.queue = kQueue});
  REQUIRE_MESSAGE(opening.socket, opening.error);
  NfqueueSource source(opening.socket->descriptor(), kQueue);
  const FileDescriptor listener = listen_on_loopback();
  REQUIRE(network.run("ip link set lo mtu 1500"));
  const Connection connection = connect_through(source, listener);
  REQUIRE(connection.server.valid());

  // Not by a shorter one: the kernel cannot segment it and loses it (see ReceivedPacket::gso).
  constexpr std::size_t kCutBytes = 5'000;
  const std::string sent(40'000, 'a');
  REQUIRE(::send(connection.client.get(), sent.data(), sent.size(), 0) > 30'000);
  bool cut = false;
  serve(
      source,
      [&](ReceivedPacket& packet) {
        TcpPacket tcp;
        REQUIRE(parse_tcp_packet(packet.bytes, tcp) == ParseError::none);
        if (!packet.gso || cut) return source.verdict(packet.id, {});
        cut = true;
        const auto left = trim_payload(tcp, kCutBytes);
        source.verdict(packet.id, {.accept = true, .replacement = left});
      },
      [&] { return cut || has_arrived(connection.server); });
  CHECK(cut);
  REQUIRE(has_arrived(connection.server));
  CHECK(take_all(connection.server).size() == kCutBytes);
}
