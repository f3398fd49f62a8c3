#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "engine/gate_host.h"
#include "half_open_script.h"
#include "nat_dialogue.h"

using namespace postern;
using namespace postern::test;

/// A client behind a router sends SYNs to a real listener; the gate's thread serves the router's
/// queue. What counts is what the listener's kernel still holds.
namespace {

constexpr std::uint16_t kSynQueue = 8;
constexpr std::uint16_t kAnswerQueue = 9;
constexpr std::uint32_t kSessionMark = 0x0100'0000;
/// As the rules set them where a zone policy has decided.
constexpr ZoneMarks kZoneMarks{.drop = 0x0200'0000, .pass = 0x0400'0000, .mask = 0x0600'0000};

bool eventually(auto&& holds) {
  for (int tries = 0; tries < 150; ++tries) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

class FloodedServer {
 public:
  explicit FloodedServer(int protocol = 0) {
    const std::string ours = " -m mark ! --mark " + std::to_string(kInjectedMark);
    ready_ = networks.ready() &&
             networks.run("iptables -t mangle -A FORWARD -p tcp --syn --dport 2525" + ours +
                          " -j NFQUEUE --queue-num 8") &&
             networks.run(
                 "iptables -t mangle -A POSTROUTING -p tcp --syn --dport 2525 -m mark "
                 "! --mark 0x01000000/0x01000000 -j DROP") &&
             networks.run("iptables -t filter -A FORWARD -m conntrack --ctstate ESTABLISHED");
    if (networks.ready() && !ready_) MESSAGE("skipped: iptables cannot queue here");
    if (!ready_) return;
    listener_ = networks.server_socket(AF_INET, SOCK_STREAM, protocol);
    ready_ = listener_.valid();
    if (!ready_) MESSAGE("skipped: no sockets of this protocol here");
    if (!ready_) return;
    const SocketAddress address = address_of("10.77.2.2", kServerPort);
    REQUIRE(::bind(listener_.get(), address.get(), address.length) == 0);
    REQUIRE(::listen(listener_.get(), 128) == 0);
    raw_ = networks.client_socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    REQUIRE(raw_.valid());
    GateHost::Opening opening = GateHost::open(
        {.queue = {.queue = kSynQueue}, .inject_mark = kInjectedMark, .zone_marks = kZoneMarks});
    REQUIRE_MESSAGE(opening.host, opening.error);
    host = std::move(opening.host);
  }

  [[nodiscard]] bool ready() const noexcept { return ready_; }
  /// From addresses of the client's network that nobody has: their answers are lost.
  /// `spoilt`: with a false checksum.
  void send(std::uint32_t first, std::uint32_t count, std::uint8_t flags = kSyn,
            bool spoilt = false) const {
    for (std::uint32_t i = first; i < first + count; ++i) {
      SegmentSpec spec;
      spec.source = {.address = host_address(0x0A4D'0164U + i / 100),
                     .port = static_cast<std::uint16_t>(2'000 + i % 100)};
      spec.destination = {.address = host_address(0x0A4D'0202U), .port = kServerPort};
      spec.sequence = i * 1'000;
      spec.flags = flags;
      spec.window = 1'000;
      std::array<std::byte, 60> packet;
      const std::size_t octets = build_segment(spec, packet);
      if (spoilt) packet[octets - 1] ^= std::byte{1};
      const SocketAddress to = address_of("10.77.2.2", 0);
      REQUIRE(::sendto(raw_.get(), packet.data(), octets, 0, to.get(), to.length) > 0);
    }
  }
  /// A connection from the client's network; the protocol that the server then speaks, -1 for none.
  [[nodiscard]] int protocol_spoken(int protocol) const {
    const FileDescriptor client = networks.client_socket(AF_INET, SOCK_STREAM, protocol);
    const SocketAddress to = address_of("10.77.2.2", kServerPort);
    if (::connect(client.get(), to.get(), to.length) != 0) return -1;
    const FileDescriptor accepted(::accept(listener_.get(), nullptr, nullptr));
    int spoken = -1;
    socklen_t length = sizeof spoken;
    if (::getsockopt(accepted.get(), SOL_SOCKET, SO_PROTOCOL, &spoken, &length) != 0) return -1;
    return spoken;
  }
  [[nodiscard]] bool server_holds(int connections) const {
    return eventually([&] { return networks.server_connections("syn-recv") == connections; });
  }
  [[nodiscard]] std::uint64_t counted(Counter counter) const {
    return host->gate()->counters()[counter];
  }
  [[nodiscard]] bool counts(Counter counter, std::uint64_t value) const {
    return eventually([&] { return counted(counter) == value; });
  }
  [[nodiscard]] bool adds_up() const {
    return counted(Counter::received) == counted(Counter::accepted) + counted(Counter::dropped);
  }

  ThreeNetworks networks;
  std::unique_ptr<GateHost> host;

 private:
  bool ready_ = false;
  FileDescriptor listener_;
  FileDescriptor raw_;
};

}  // namespace

TEST_CASE("the gate's limits hold at a live listener: what is given up is gone there too") {
  const FloodedServer flood;
  if (!flood.ready()) return;
  GateLimits limits{.mark_session = kSessionMark};

  limits.half_open_max = 10;
  flood.host->configure(limits);
  flood.send(0, 40);
  CHECK(flood.counts(Counter::accepted, 40));
  CHECK(flood.counts(Counter::half_open_evicted, 30));
  CHECK(flood.server_holds(10));
  CHECK(flood.host->gate()->size() == 10);
  CHECK(flood.host->gate()->sample().half_open_peak == 11);

  SUBCASE("expiry") {
    limits.synwait_ms = 100;
    flood.host->configure(limits);
    CHECK(flood.server_holds(0));
    CHECK(flood.counted(Counter::half_open_expired) == 10);
  }
  SUBCASE("expiry in silence leaves the server's own to it") {
    limits.synwait_ms = 100;
    limits.reset_on_expiry = false;
    flood.host->configure(limits);
    CHECK(flood.counts(Counter::half_open_expired, 10));
    CHECK(flood.networks.server_connections("syn-recv") == 10);
  }
  SUBCASE("a block, until it is taken back") {
    const Address server = host_address(0x0A4D'0202U);
    flood.host->block(server);
    CHECK(flood.server_holds(0));
    flood.send(100, 5);
    CHECK(flood.counts(Counter::drop_host_blocked, 5));
    CHECK(flood.networks.server_connections("syn-recv") == 0);
    flood.host->gate()->unblock(server);
    flood.send(200, 3);
    CHECK(flood.server_holds(3));
  }
  SUBCASE("clearing one, and all") {
    const std::vector<HalfOpen> entries = flood.host->gate()->entries(0, 100);
    REQUIRE(entries.size() == 10);
    CHECK(flood.host->clear(entries[3].index, entries[3].generation + 1) == 0);
    CHECK(flood.host->clear(entries[3].index, entries[3].generation) == 1);
    CHECK(flood.server_holds(9));
    CHECK(flood.host->clear(kNoEntry, 0) == 9);
    CHECK(flood.server_holds(0));
  }
  SUBCASE("RSTs toward initiators are rationed, those toward the server are not") {
    flood.send(100, 100);
    CHECK(flood.counts(Counter::half_open_evicted, 130));
    CHECK(flood.server_holds(10));
    CHECK(flood.counted(Counter::resets_limited) >= 20);
    CHECK(flood.counted(Counter::injected) >= 230);
  }
  CHECK(flood.counted(Counter::inject_failed) == 0);
  CHECK(flood.counted(Counter::verdict_errors) == 0);
  CHECK(flood.adds_up());
}

TEST_CASE("only marked SYNs open, and what is no initial SYN is dropped and described") {
  const FloodedServer flood;
  if (!flood.ready()) return;
  flood.host->configure({.report_drops = true, .mark_session = 0});
  flood.send(0, 3);
  CHECK(flood.counts(Counter::accepted, 3));
  CHECK(flood.networks.server_connections("syn-recv") == 0);
  REQUIRE(
      flood.networks.run("iptables -t mangle -I FORWARD -p tcp --tcp-flags ALL ACK --dport "
                         "2525 -j NFQUEUE --queue-num 8"));
  flood.send(10, 2, kAck);
  CHECK(flood.counts(Counter::drop_stray, 2));
  CHECK(flood.adds_up());
  const GateSample sample = flood.host->gate()->sample();
  REQUIRE(sample.drops.size() == 2);
  CHECK(sample.drops[0].flags == kAck);
  CHECK(sample.drops[0].reason == Counter::drop_stray);
  CHECK_FALSE(flood.host->failed());
}

TEST_CASE("a SYN with a false checksum opens nothing, whatever its receiver would say") {
  const FloodedServer flood;
  if (!flood.ready()) return;
  flood.host->configure({.mark_session = kSessionMark});
  flood.send(0, 3, kSyn, true);
  flood.send(10, 1);
  CHECK(flood.counts(Counter::accepted, 1));
  CHECK(flood.counts(Counter::drop_bad_checksum, 3));
  CHECK(flood.host->gate()->size() == 1);
  CHECK(flood.adds_up());
}

TEST_CASE("what a zone policy has dropped comes here to be told of, and goes no further") {
  const FloodedServer flood;
  if (!flood.ready()) return;
  flood.host->configure({.mark_session = kSessionMark});
  const auto marked = [&](const std::string& mark) {
    return flood.networks.run(
        "iptables -t mangle -I FORWARD -p tcp --syn --dport 2525 -j MARK --set-mark " + mark);
  };
  // Without the rule that lets marked packets out alone.
  REQUIRE(flood.networks.run("iptables -t mangle -F POSTROUTING"));
  REQUIRE(marked("0x02000000"));
  flood.send(0, 3);
  CHECK(flood.counts(Counter::drop_zone, 3));
  CHECK(flood.networks.server_connections("syn-recv") == 0);
  REQUIRE(flood.networks.run("iptables -t mangle -D FORWARD 1"));
  REQUIRE(marked("0x04000000"));
  flood.send(10, 2);
  CHECK(flood.server_holds(2));
  CHECK(flood.host->gate()->size() == 0);
  CHECK(flood.adds_up());
}

TEST_CASE(
    "a client that was answered gets an RST it accepts, and so does the server, with any NAT") {
  for (const bool nat : {false, true}) {
    CAPTURE(nat);
    const FloodedServer flood;
    if (!flood.ready()) return;
    const bool ruled =
        flood.networks.run(
            "iptables -t mangle -A FORWARD -p tcp --sport 2525 --tcp-flags ALL "
            "SYN,ACK -j NFQUEUE --queue-num 9") &&
        // The confirmation never arrives.
        flood.networks.run(
            "iptables -t mangle -A FORWARD -p tcp --dport 2525 --tcp-flags ALL ACK "
            "-j DROP") &&
        (!nat || (flood.networks.run("iptables -t nat -A PREROUTING -p tcp -d 10.77.1.1 --dport 25 "
                                     "-j DNAT --to-destination 10.77.2.2:2525") &&
                  flood.networks.run("iptables -t nat -A POSTROUTING -p tcp -o s0 -j MASQUERADE "
                                     "--to-ports 40000-50000")));
    REQUIRE(ruled);
    flood.host->configure({.mark_session = kSessionMark});
    NfqueueOpening answers = NfqueueSocket::open({.queue = kAnswerQueue});
    REQUIRE_MESSAGE(answers.socket, answers.error);
    NfqueueSource source(answers.socket->descriptor(), kAnswerQueue);

    const FileDescriptor client =
        flood.networks.client_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    const SocketAddress target =
        nat ? address_of("10.77.1.1", kVirtualPort) : address_of("10.77.2.2", kServerPort);
    (void)::connect(client.get(), target.get(), target.length);
    REQUIRE(wait_readable(source.descriptor(), -1, 2'000).readable);
    std::array<ReceivedPacket, 8> packets;
    std::size_t count = 0;
    REQUIRE(source.receive(packets, count) == ReceiveStatus::packets);
    TcpPacket answer;
    REQUIRE(parse_tcp_packet(packets[0].bytes, answer) == ParseError::none);
    const auto entry = flood.host->gate()->find(answer.source, answer.destination);
    REQUIRE(entry.has_value());
    CHECK(flood.host->gate()->note_answer(*entry, answer));
    source.verdict(packets[0].id, {.accept = true});
    source.flush();
    CHECK(flood.server_holds(1));
    CHECK(flood.host->clear(kNoEntry, 0) == 1);
    CHECK(read_from(client) == std::strerror(ECONNRESET));
    CHECK(flood.server_holds(0));
    CHECK(flood.host->gate()->size() == 0);
  }
}

TEST_CASE("two gates cannot serve one queue, and a gate that ends frees it") {
  const PrivateNetwork network;
  if (!network.ready()) return;
  GateHost::Opening first = GateHost::open({.queue = {.queue = kSynQueue}});
  REQUIRE_MESSAGE(first.host, first.error);
  const GateHost::Opening second = GateHost::open({.queue = {.queue = kSynQueue}});
  CHECK(second.host == nullptr);
  CHECK(second.error.find("queue 8 is already served by") == 0);
  first.host.reset();
  CHECK(GateHost::open({.queue = {.queue = kSynQueue}}).host != nullptr);
}

TEST_CASE("a SYN passes the gate's queue without MPTCP, and both ends speak plain TCP") {
  constexpr int kMultipath = 262;
  const FloodedServer server(kMultipath);
  if (!server.ready()) return;
  GateLimits limits{.mark_session = kSessionMark};
  server.host->configure(limits);
  CHECK(server.protocol_spoken(kMultipath) == IPPROTO_TCP);
  CHECK(server.counts(Counter::rewritten, 1));
  CHECK(server.counted(Counter::options_cleared) == 1);
  CHECK(server.counted(Counter::accepted) == 0);
}
