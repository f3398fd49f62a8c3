#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "io/nfqueue_socket.h"
#include "io/nfqueue_source.h"
#include "io/wakeup.h"
#include "private_network.h"

/// The kernel's real queue, in a network namespace of its own.
namespace postern::test {

inline constexpr std::uint16_t kPort = 2525;
inline constexpr std::uint16_t kQueue = 3;

inline bool steer(const PrivateNetwork& network) {
  const bool steered =
      network.run("iptables -t mangle -A OUTPUT -p tcp --dport 2525 -j NFQUEUE --queue-num 3");
  if (!steered) MESSAGE("skipped: iptables or its target NFQUEUE is missing");
  return steered;
}

inline sockaddr_in loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline FileDescriptor listen_on_loopback() {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback();
  const bool listens =
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(socket.get(), 8) == 0;
  return listens ? std::move(socket) : FileDescriptor{};
}

inline FileDescriptor start_connecting() {
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

inline bool has_arrived(const FileDescriptor& socket) {
  return wait_readable(socket.get(), -1, 0).readable;
}

/// A connection over loopback whose client-to-server packets all pass through the queue.
struct Connection {
  FileDescriptor client{};
  FileDescriptor server{};
};

inline Connection connect_through(NfqueueSource& source, const FileDescriptor& listener) {
  Connection connection{.client = start_connecting(), .server = {}};
  serve(
      source, [&](const ReceivedPacket& packet) { source.verdict(packet.id, {.accept = true}); },
      [&] { return has_arrived(listener); });
  connection.server = FileDescriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return connection;
}

inline std::string take_all(const FileDescriptor& socket) {
  std::string text(1U << 20U, '\0');
  const ssize_t taken = ::recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT);
  text.resize(taken > 0 ? static_cast<std::size_t>(taken) : 0);
  return text;
}

}  // namespace postern::test
