#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/packet.h"
#include "io/nfqueue_socket.h"
#include "io/nfqueue_source.h"
#include "io/raw_sender.h"
#include "io/wakeup.h"
#include "three_networks.h"

using namespace postern;
using postern::test::ThreeNetworks;

/// A client and a server talk through a router that does each kind of NAT; the router speaks in the
/// name of one to the other, knowing only what its queue in mangle FORWARD has shown.
namespace {

constexpr std::uint16_t kQueue = 5;
constexpr std::uint16_t kServerPort = 2525;
constexpr std::uint16_t kVirtualPort = 25;

struct NatCase {
  bool v6 = false;
  bool destination_nat = false;
  bool masquerade = false;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress address_of(const char* host, std::uint16_t port) {
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length = sizeof *v4;
  } else if (::inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.length = sizeof *v6;
  }
  return address;
}

/// What the queue has shown of one direction.
struct Seen {
  Endpoint source;
  Endpoint destination;
  std::uint32_t next = 0;
};

/// The connection, with all its forwarded packets passing through the queue.
class Dialogue {
 public:
  explicit Dialogue(const NatCase& nat) : nat_(nat) {}

  bool open() {
    if (!networks_.ready() || !configure()) return false;
    opening_ = NfqueueSocket::open({.queue = kQueue});
    REQUIRE_MESSAGE(opening_.socket, opening_.error);
    source_.emplace(opening_.socket->descriptor(), kQueue);
    const int family = nat_.v6 ? AF_INET6 : AF_INET;
    listener_ = networks_.server_socket(family, SOCK_STREAM);
    client = networks_.client_socket(family, SOCK_STREAM | SOCK_NONBLOCK);
    const SocketAddress server_address =
        address_of(nat_.v6 ? "fd77:2::2" : "10.77.2.2", kServerPort);
    REQUIRE(::bind(listener_.get(), server_address.get(), server_address.length) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
    const SocketAddress target = nat_.destination_nat
                                     ? address_of(nat_.v6 ? "fd77:1::1" : "10.77.1.1", kVirtualPort)
                                     : server_address;
    (void)::connect(client.get(), target.get(), target.length);
    pass_until(listener_);
    server = FileDescriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(server.valid());
    return true;
  }

  /// Passes packets until the socket has something to read.
  void pass_until(const FileDescriptor& socket) {
    while (!wait_readable(socket.get(), -1, 0).readable) {
      if (!wait_readable(source_->descriptor(), socket.get(), 2'000).readable &&
          !wait_readable(socket.get(), -1, 0).readable) {
        return;
      }
      pass_waiting();
    }
    // Acknowledgements are under way still.
    while (wait_readable(source_->descriptor(), -1, 50).readable) pass_waiting();
  }

  [[nodiscard]] std::vector<std::byte> segment(const Seen& from, const Seen& to, std::uint8_t flags,
                                               std::string_view text) const {
    std::vector<std::byte> packet(1'500);
    const std::size_t length = build_segment({.source = from.source,
                                              .destination = from.destination,
                                              .sequence = from.next,
                                              .acknowledgement = to.next,
                                              .flags = flags,
                                              .window = 500,
                                              .timestamps = {},
                                              .payload = std::as_bytes(std::span(text))},
                                             packet);
    packet.resize(length);
    return packet;
  }

  [[nodiscard]] std::uint64_t forwarded() const { return source_->counters().received; }
  [[nodiscard]] ThreeNetworks& networks() { return networks_; }

  FileDescriptor client;
  FileDescriptor server;
  Seen initiator;
  Seen responder;

 private:
  [[nodiscard]] bool configure() {
    const std::string table = nat_.v6 ? "ip6tables -t " : "iptables -t ";
    const std::string target = nat_.v6 ? "[fd77:2::2]:2525" : "10.77.2.2:2525";
    const std::string virtual_host = nat_.v6 ? "fd77:1::1" : "10.77.1.1";
    return networks_.run(table + "mangle -A FORWARD -p tcp -j NFQUEUE --queue-num 5") &&
           (!nat_.destination_nat ||
            networks_.run(table + "nat -A PREROUTING -p tcp -d " + virtual_host +
                          " --dport 25 -j DNAT --to-destination " + target)) &&
           (!nat_.masquerade ||
            networks_.run(table +
                          "nat -A POSTROUTING -p tcp -o s0 -j MASQUERADE --to-ports 40000-50000"));
  }
  void pass_waiting() {
    std::array<ReceivedPacket, kPacketsPerTurnMax> packets;
    std::size_t count = 0;
    REQUIRE(source_->receive(packets, count) != ReceiveStatus::failed);
    for (const ReceivedPacket& packet : std::span(packets).first(count)) {
      TcpPacket tcp;
      REQUIRE(parse_tcp_packet(packet.bytes, tcp) == ParseError::none);
      Seen& direction = tcp.source.port == kServerPort ? responder : initiator;
      direction = {.source = tcp.source,
                   .destination = tcp.destination,
                   .next = tcp.sequence + tcp.segment_length()};
      source_->verdict(packet.id, {.accept = true});
    }
    source_->flush();
  }

  NatCase nat_;
  ThreeNetworks networks_;
  NfqueueOpening opening_;
  std::optional<NfqueueSource> source_;
  FileDescriptor listener_;
};

std::string read_from(const FileDescriptor& socket) {
  if (!wait_readable(socket.get(), -1, 1'000).readable) return "(nothing)";
  std::array<char, 256> text;
  const ssize_t taken = ::recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT);
  return taken < 0 ? std::strerror(errno) : std::string(text.data(), static_cast<size_t>(taken));
}

void speak_for_both(const NatCase& nat) {
  Dialogue dialogue(nat);
  if (!dialogue.open()) return;
  REQUIRE(::send(dialogue.server.get(), "220 hi\r\n", 8, 0) == 8);
  dialogue.pass_until(dialogue.client);
  CHECK(read_from(dialogue.client) == "220 hi\r\n");
  // What the queue showed: true addresses of both ends.
  CHECK(dialogue.initiator.destination.port == kServerPort);
  CHECK(dialogue.responder.destination == dialogue.initiator.source);

  const RawOpening raw = RawSender::open(0x4000'0000);
  REQUIRE_MESSAGE(raw.sender, raw.error);
  const std::uint64_t forwarded = dialogue.forwarded();

  CHECK(raw.sender->send(
      dialogue.segment(dialogue.responder, dialogue.initiator, kPsh | kAck, "554 5.7.1 no\r\n")));
  CHECK(read_from(dialogue.client) == "554 5.7.1 no\r\n");
  CHECK(raw.sender->send(
      dialogue.segment(dialogue.initiator, dialogue.responder, kPsh | kAck, "RSET\r\n")));
  CHECK(read_from(dialogue.server) == "RSET\r\n");
  CHECK(dialogue.forwarded() == forwarded);

  Seen reset = dialogue.initiator;
  reset.next += 6;
  CHECK(raw.sender->send(dialogue.segment(reset, dialogue.responder, kRst | kAck, "")));
  CHECK(read_from(dialogue.server) == std::strerror(ECONNRESET));
  CHECK_MESSAGE(raw.sender->conntrack().available(), raw.sender->conntrack().error());
}

}  // namespace

TEST_CASE("segments sent in a peer's name come out right at both ends, whatever the NAT") {
  for (const bool v6 : {false, true}) {
    for (const bool destination_nat : {false, true}) {
      for (const bool masquerade : {false, true}) {
        CAPTURE(v6);
        CAPTURE(destination_nat);
        CAPTURE(masquerade);
        speak_for_both({.v6 = v6, .destination_nat = destination_nat, .masquerade = masquerade});
      }
    }
  }
}
