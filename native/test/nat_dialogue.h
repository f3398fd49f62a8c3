#pragma once

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
#include "io/wakeup.h"
#include "three_networks.h"

namespace postern::test {

inline constexpr std::uint16_t kNatQueue = 5;
inline constexpr std::uint16_t kServerPort = 2525;
inline constexpr std::uint16_t kVirtualPort = 25;

struct NatCase {
  bool v6 = false;
  bool destination_nat = false;
  bool masquerade = false;
  bool server_on_router = false;
};

/// By it our rules know what Postern itself sends.
inline constexpr std::uint32_t kInjectedMark = 0x4000'0000;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

inline SocketAddress address_of(const char* host, std::uint16_t port) {
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
    opening_ = NfqueueSocket::open({.queue = kNatQueue});
    REQUIRE_MESSAGE(opening_.socket, opening_.error);
    source_.emplace(opening_.socket->descriptor(), kNatQueue);
    const int family = nat_.v6 ? AF_INET6 : AF_INET;
    listener_ = nat_.server_on_router
                    ? FileDescriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0))
                    : networks_.server_socket(family, SOCK_STREAM);
    client = networks_.client_socket(family, SOCK_STREAM | SOCK_NONBLOCK);
    const SocketAddress server_address = address_of(server_host(), kServerPort);
    REQUIRE(::bind(listener_.get(), server_address.get(), server_address.length) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
    const SocketAddress target =
        nat_.destination_nat ? address_of(router_host(), kVirtualPort) : server_address;
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
                                              .selective = {},
                                              .payload = std::as_bytes(std::span(text))},
                                             packet);
    packet.resize(length);
    return packet;
  }

  /// Receives up to the first super-packet; it and all before it are dropped.
  [[nodiscard]] ReceivedPacket take_gso_packet() {
    std::array<ReceivedPacket, 1> packets;
    std::size_t count = 0;
    while (!packets[0].gso && wait_readable(source_->descriptor(), -1, 1'000).readable) {
      REQUIRE(source_->receive(packets, count) != ReceiveStatus::failed);
      if (count > 0) source_->verdict(packets[0].id, {});
      source_->flush();
    }
    return packets[0];
  }

  [[nodiscard]] std::uint64_t forwarded() const { return source_->counters().received; }

  FileDescriptor client;
  FileDescriptor server;
  Seen initiator;
  Seen responder;

 private:
  [[nodiscard]] const char* router_host() const { return nat_.v6 ? "fd77:1::1" : "10.77.1.1"; }
  [[nodiscard]] const char* server_host() const {
    if (nat_.server_on_router) return router_host();
    return nat_.v6 ? "fd77:2::2" : "10.77.2.2";
  }
  [[nodiscard]] bool configure() {
    const bool configured = steer() && (!nat_.destination_nat || translate_destination()) &&
                            (!nat_.masquerade || masquerade());
    if (!configured) MESSAGE("skipped: iptables cannot queue or translate here");
    return configured;
  }
  [[nodiscard]] bool append(const std::string& rule) {
    return networks_.run((nat_.v6 ? "ip6tables -t " : "iptables -t ") + rule);
  }
  [[nodiscard]] bool steer() {
    const std::string into_queue =
        " -p tcp -m mark ! --mark " + std::to_string(kInjectedMark) + " -j NFQUEUE --queue-num 5";
    if (!nat_.server_on_router) return append("mangle -A FORWARD" + into_queue);
    return append("mangle -A INPUT" + into_queue) && append("mangle -A OUTPUT" + into_queue);
  }
  [[nodiscard]] bool translate_destination() {
    const std::string host = nat_.v6 ? std::string("[") + server_host() + "]" : server_host();
    return append(std::string("nat -A PREROUTING -p tcp -d ") + router_host() +
                  " --dport 25 -j DNAT --to-destination " + host + ":2525");
  }
  [[nodiscard]] bool masquerade() {
    return append("nat -A POSTROUTING -p tcp -o s0 -j MASQUERADE --to-ports 40000-50000");
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

inline std::string read_from(const FileDescriptor& socket) {
  if (!wait_readable(socket.get(), -1, 1'000).readable) return "(nothing)";
  std::array<char, 256> text;
  const ssize_t taken = ::recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT);
  return taken < 0 ? std::strerror(errno) : std::string(text.data(), static_cast<size_t>(taken));
}

}  // namespace postern::test
