#include "io/datagram.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "io/file_descriptor.h"
#include "io/thread_rank.h"
#include "io/wakeup.h"

using namespace postern;

namespace {

FileDescriptor receiver_at(const std::string& path) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const auto length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (path[0] != '@'));
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0);
  return socket;
}

std::string take(const FileDescriptor& socket) {
  std::array<char, 256> text;
  const ssize_t taken = ::recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT);
  return taken < 0 ? "(nothing)" : std::string(text.data(), static_cast<std::size_t>(taken));
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

TEST_CASE("a datagram reaches a socket by path and by abstract name, in one piece") {
  std::string directory = "/tmp/postern-test-XXXXXX";
  REQUIRE(::mkdtemp(directory.data()) != nullptr);
  const std::string path = directory + "/notify";
  const std::string abstract = "@postern-test-" + std::to_string(::getpid());
  for (const std::string& name : {path, abstract}) {
    const FileDescriptor receiver = receiver_at(name);
    const Outcome sent = send_datagram(name, bytes_of("READY=1\nSTATUS=judging"));
    CHECK_MESSAGE(sent.ok(), sent.error);
    CHECK(take(receiver) == "READY=1\nSTATUS=judging");
    CHECK(take(receiver) == "(nothing)");
  }
  ::unlink(path.c_str());
  ::rmdir(directory.c_str());
}

TEST_CASE("a datagram that cannot be delivered is an error in words and never blocks") {
  CHECK(send_datagram("/nonexistent/notify", bytes_of("x")).error ==
        "/nonexistent/notify: No such file or directory");
  CHECK_FALSE(send_datagram("", bytes_of("x")).ok());
  CHECK_FALSE(send_datagram(std::string(108, 'a'), bytes_of("x")).ok());

  const std::string name = "@postern-full-" + std::to_string(::getpid());
  const FileDescriptor receiver = receiver_at(name);
  bool refused = false;
  for (int i = 0; i < 100'000 && !refused; ++i) refused = !send_datagram(name, bytes_of("x")).ok();
  CHECK(refused);
}

TEST_CASE("a wake ends a wait, adds up to one and is gone once drained") {
  const Wakeup wakeup;
  REQUIRE(wakeup.valid());
  CHECK_FALSE(wait_readable(-1, wakeup.descriptor(), 0).woken);
  CHECK_FALSE(wakeup.drain());
  wakeup.wake();
  wakeup.wake();
  const Readiness readiness = wait_readable(-1, wakeup.descriptor(), 1'000);
  CHECK(readiness.woken);
  CHECK_FALSE(readiness.readable);
  CHECK(wakeup.drain());
  CHECK_FALSE(wakeup.drain());

  std::thread waker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    wakeup.wake();
  });
  CHECK(wait_readable(-1, wakeup.descriptor(), 10'000).woken);
  waker.join();
}

TEST_CASE("readable and woken are told apart") {
  const Wakeup data;
  const Wakeup wakeup;
  data.wake();
  const Readiness readiness = wait_readable(data.descriptor(), wakeup.descriptor(), 0);
  CHECK(readiness.readable);
  CHECK_FALSE(readiness.woken);
}

TEST_CASE("a thread gets the rank it is granted, and does not hand it on") {
  std::thread ranked([] {
    const RankGranted granted = rank_this_thread(kWorkerRank);
    const int policy = ::sched_getscheduler(0);
    CHECK((policy & SCHED_RESET_ON_FORK) != 0);
    CHECK(((policy & ~SCHED_RESET_ON_FORK) == SCHED_RR) == (granted == RankGranted::real_time));
    std::thread child([] { CHECK(::sched_getscheduler(0) == SCHED_OTHER); });
    child.join();
  });
  ranked.join();
}
