#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/packet.h"
#include "io/nfqueue_socket.h"
#include "io/nfqueue_source.h"
#include "io/queue_table.h"
#include "io/wakeup.h"
#include "private_network.h"

using namespace postern;
using postern::test::PrivateNetwork;

/// These tests use the kernel's real queue, in a network namespace of their own.
namespace {

constexpr std::uint16_t kPort = 2525;
constexpr std::uint16_t kQueue = 3;

bool steer(const PrivateNetwork& network) {
  return network.run("iptables -t mangle -A OUTPUT -p tcp --dport 2525 -j NFQUEUE --queue-num 3");
}

sockaddr_in loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

FileDescriptor listen_on_loopback() {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback();
  const bool listens =
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(socket.get(), 8) == 0;
  return listens ? std::move(socket) : FileDescriptor{};
}

FileDescriptor start_connecting() {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in address = loopback();
  (void)::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return socket;
}

/// Receives packets and answers each with `judge` until `done` or two seconds of silence.
template <typename Judge, typename Done>
void serve(NfqueueSource& source, Judge judge, Done done) {
  std::array<ReceivedPacket, kPacketsPerTurnMax> packets;
  while (!done() && wait_readable(source.descriptor(), -1, 2'000).readable) {
    std::size_t count = 0;
    const ReceiveStatus status = source.receive(packets, count);
    REQUIRE(status != ReceiveStatus::failed);
    for (ReceivedPacket& packet : std::span(packets).first(count)) judge(packet);
    source.flush();
  }
}

bool has_arrived(const FileDescriptor& socket) {
  return wait_readable(socket.get(), -1, 0).readable;
}

/// A connection over loopback whose client-to-server packets all pass through the queue.
struct Connection {
  FileDescriptor client{};
  FileDescriptor server{};
};

Connection connect_through(NfqueueSource& source, const FileDescriptor& listener) {
  Connection connection{.client = start_connecting(), .server = {}};
  serve(
      source, [&](const ReceivedPacket& packet) { source.verdict(packet.id, {.accept = true}); },
      [&] { return has_arrived(listener); });
  connection.server = FileDescriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return connection;
}

std::string take_all(const FileDescriptor& socket) {
  std::string text(1U << 20U, '\0');
  const ssize_t taken = ::recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT);
  text.resize(taken > 0 ? static_cast<std::size_t>(taken) : 0);
  return text;
}

}  // namespace

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

TEST_CASE("a verdict for a packet that is not there is counted") {
  const PrivateNetwork network;
  if (!network.ready()) return;
  const NfqueueOpening opening = NfqueueSocket::open({.queue = kQueue});
  REQUIRE_MESSAGE(opening.socket, opening.error);
  NfqueueSource source(opening.socket->descriptor(), kQueue);
  source.verdict(12'345, {.accept = true});
  source.verdict(12'346, {});
  source.flush();
  std::array<ReceivedPacket, 4> packets;
  std::size_t count = 0;
  CHECK(source.receive(packets, count) == ReceiveStatus::none);
  CHECK(source.counters().verdict_errors == 2);
}

TEST_CASE("an overrun of the socket is counted and the queue goes on") {
  const PrivateNetwork network;
  if (!network.ready() || !steer(network)) return;
  const NfqueueOpening opening = NfqueueSocket::open({.queue = kQueue,
                                                      .length_max_packets = 10'000,
                                                      .fail_open = false,
                                                      .socket_buffer_bytes = 4'096});
  REQUIRE_MESSAGE(opening.socket, opening.error);
  NfqueueSource source(opening.socket->descriptor(), kQueue);
  const FileDescriptor listener = listen_on_loopback();
  std::vector<FileDescriptor> clients;
  for (int i = 0; i < 64; ++i) clients.push_back(start_connecting());

  std::array<ReceivedPacket, kPacketsPerTurnMax> packets;
  std::size_t count = 0;
  std::size_t passed = 0;
  for (int turn = 0; turn < 8; ++turn) {
    const ReceiveStatus status = source.receive(packets, count);
    CHECK(status != ReceiveStatus::failed);
    for (const ReceivedPacket& packet : std::span(packets).first(count)) {
      source.verdict(packet.id, {.accept = true});
      ++passed;
    }
    source.flush();
  }
  CHECK(source.counters().overruns >= 1);
  CHECK(passed > 0);
  const auto drops = queue_drops(kQueue);
  REQUIRE(drops);
  CHECK(drops->user_dropped > 0);
  CHECK(drops->queue_dropped == 0);

  clients.clear();
  const Connection later = connect_through(source, listener);
  CHECK(later.server.valid());
}

TEST_CASE("packets that wait without a verdict are shown, and those beyond the length are lost") {
  const PrivateNetwork network;
  if (!network.ready() || !steer(network)) return;
  for (const bool fail_open : {false, true}) {
    const NfqueueOpening opening =
        NfqueueSocket::open({.queue = kQueue, .length_max_packets = 3, .fail_open = fail_open});
    REQUIRE_MESSAGE(opening.socket, opening.error);
    std::vector<FileDescriptor> clients;
    for (int i = 0; i < 5; ++i) clients.push_back(start_connecting());
    const auto drops = queue_drops(kQueue);
    REQUIRE(drops);
    CHECK(drops->waiting == 3);
    CHECK(drops->queue_dropped == (fail_open ? 0 : 2));
  }
  CHECK_FALSE(queue_drops(kQueue));
}

TEST_CASE("a queue that is served names its owner, and can be opened once it is free") {
  const PrivateNetwork network;
  if (!network.ready()) return;
  CHECK_FALSE(queue_owner(kQueue));
  {
    const NfqueueOpening first = NfqueueSocket::open({.queue = kQueue});
    REQUIRE_MESSAGE(first.socket, first.error);
    const auto owner = queue_owner(kQueue);
    REQUIRE(owner);
    CHECK(owner->port_id == first.socket->port_id());
    CHECK(owner->pid == ::getpid());

    const NfqueueOpening second = NfqueueSocket::open({.queue = kQueue});
    CHECK_FALSE(second.socket);
    const std::string expected =
        "queue 3 is already served by pid " + std::to_string(::getpid()) + " (";
    CHECK(second.error.substr(0, expected.size()) == expected);

    const NfqueueOpening other = NfqueueSocket::open({.queue = kQueue + 1});
    CHECK_MESSAGE(other.socket, other.error);
    // Its port is not the process's id; the process is found by the socket.
    const auto other_owner = queue_owner(kQueue + 1);
    REQUIRE(other_owner);
    CHECK(other_owner->pid == ::getpid());
    CHECK(other_owner->port_id != owner->port_id);
  }
  CHECK(NfqueueSocket::open({.queue = kQueue}).socket);
}

TEST_CASE("another source serves the same socket without losing a waiting packet") {
  const PrivateNetwork network;
  if (!network.ready() || !steer(network)) return;
  const NfqueueOpening opening = NfqueueSocket::open({.queue = kQueue});
  REQUIRE_MESSAGE(opening.socket, opening.error);
  const FileDescriptor listener = listen_on_loopback();
  const FileDescriptor client = start_connecting();
  std::array<ReceivedPacket, 4> packets;
  std::size_t count = 0;
  {
    NfqueueSource first(opening.socket->descriptor(), kQueue);
    REQUIRE(wait_readable(first.descriptor(), -1, 2'000).readable);
    REQUIRE(first.receive(packets, count) == ReceiveStatus::packets);
    REQUIRE(count == 1);
  }
  NfqueueSource second(opening.socket->descriptor(), kQueue);
  second.verdict(packets[0].id, {.accept = true});
  second.flush();
  serve(
      second, [&](const ReceivedPacket& packet) { second.verdict(packet.id, {.accept = true}); },
      [&] { return has_arrived(listener); });
  CHECK(has_arrived(listener));
  CHECK(second.counters().verdict_errors == 0);
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
