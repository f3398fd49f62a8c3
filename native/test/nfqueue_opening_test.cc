#include <doctest/doctest.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "io/queue_table.h"
#include "queue_lab.h"

using namespace postern;
using namespace postern::test;

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

namespace {

/// The error text of opening the queue as an ordinary user who keeps the capabilities in `kept`.
std::string refusal_as_nobody(std::uint32_t kept) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65'534;
    (void)::prctl(PR_SET_KEEPCAPS, 1);
    const bool dropped =
        ::setgroups(0, nullptr) == 0 && ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0;
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    sets[0].effective = sets[0].permitted = kept;
    const bool kept_them = ::syscall(SYS_capset, &header, sets.data()) == 0;
    const std::string text = dropped && kept_them ? NfqueueSocket::open({.queue = kQueue}).error
                                                  : "(privileges could not be dropped)";
    (void)!::write(ends[1], text.data(), text.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  const FileDescriptor reading(ends[0]);
  std::array<char, 256> text;
  const ssize_t taken = ::read(reading.get(), text.data(), text.size());
  (void)::waitpid(child, nullptr, 0);
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(taken, 0))};
}

}  // namespace

TEST_CASE("a refusal says whether the capability or the queue is the trouble") {
  const PrivateNetwork network;
  if (!network.ready()) return;
  constexpr std::uint32_t kNetAdmin = 1U << CAP_NET_ADMIN;
  CHECK(refusal_as_nobody(0) == "queue 3 cannot be opened: CAP_NET_ADMIN is missing");
  CHECK(refusal_as_nobody(kNetAdmin).empty());
  const NfqueueOpening owner = NfqueueSocket::open({.queue = kQueue});
  REQUIRE_MESSAGE(owner.socket, owner.error);
  CHECK(refusal_as_nobody(0) == "queue 3 cannot be opened: CAP_NET_ADMIN is missing");
  CHECK(refusal_as_nobody(kNetAdmin) ==
        "queue 3 cannot be opened: another process serves it, or CAP_NET_ADMIN does not hold here");
}
