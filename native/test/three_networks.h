#pragma once

#include <cstdio>
#include <string>

#include "private_network.h"

namespace postern::test {

/// A client's and a server's network, joined by a router: the calling thread's network. Nothing of
/// it has a name outside, so that it is gone with the object.
///
///   client 10.77.1.2, fd77:1::2 -- c0 [10.77.1.1, fd77:1::1 router 10.77.2.1, fd77:2::1] s0 --
///   server 10.77.2.2, fd77:2::2
class ThreeNetworks {
 public:
  ThreeNetworks() {
    if (!router_.ready()) return;
    router_network_ = current();
    client_network_ = unshared();
    server_network_ = unshared();
    ready_ = enter(router_network_) && join("c0", "1", client_network_) &&
             join("s0", "2", server_network_) &&
             router_.run("sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    if (!ready_) MESSAGE("skipped: no veth pairs here");
  }

  [[nodiscard]] bool ready() const noexcept { return ready_; }
  /// Runs a command in the router.
  [[nodiscard]] bool run(const std::string& command) const { return router_.run(command); }
  /// A socket stays in the network it was made in.
  [[nodiscard]] FileDescriptor client_socket(int family, int type, int protocol = 0) const {
    return socket_in(client_network_, family, type, protocol);
  }
  [[nodiscard]] FileDescriptor server_socket(int family, int type, int protocol = 0) const {
    return socket_in(server_network_, family, type, protocol);
  }
  /// How many connections of the server stand in this state, as ss names it.
  [[nodiscard]] int server_connections(const std::string& state) const {
    const std::string network =
        "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(server_network_.get());
    std::FILE* lines =
        ::popen(("nsenter --net=" + network + " ss -Htn state " + state + " | wc -l").c_str(), "r");
    int count = -1;
    if (lines == nullptr || std::fscanf(lines, "%d", &count) != 1) count = -1;
    if (lines != nullptr) ::pclose(lines);
    return count;
  }

 private:
  static FileDescriptor current() {
    return FileDescriptor(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  }
  static FileDescriptor unshared() {
    return ::unshare(CLONE_NEWNET) == 0 ? current() : FileDescriptor{};
  }
  static bool enter(const FileDescriptor& network) {
    return ::setns(network.get(), CLONE_NEWNET) == 0;
  }
  [[nodiscard]] FileDescriptor socket_in(const FileDescriptor& network, int family, int type,
                                         int protocol) const {
    if (!enter(network)) return {};
    FileDescriptor socket(::socket(family, type | SOCK_CLOEXEC, protocol));
    (void)enter(router_network_);
    return socket;
  }
  [[nodiscard]] bool join(const std::string& device, const std::string& net,
                          const FileDescriptor& network) const {
    const std::string path =
        "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(network.get());
    return router_.run("ip link add " + device + " type veth peer name eth0 netns " + path) &&
           set_up(device, net, "1") && enter(network) && set_up("lo", "0", "") &&
           set_up("eth0", net, "2") &&
           router_.run("ip route add default via 10.77." + net + ".1") &&
           router_.run("ip -6 route add default via fd77:" + net + "::1") && enter(router_network_);
  }
  [[nodiscard]] bool set_up(const std::string& device, const std::string& net,
                            const std::string& host) const {
    if (!router_.run("ip link set " + device + " up")) return false;
    if (host.empty()) return true;
    return router_.run("ip addr add 10.77." + net + "." + host + "/24 dev " + device) &&
           router_.run("ip addr add fd77:" + net + "::" + host + "/64 dev " + device + " nodad");
  }

  PrivateNetwork router_;
  FileDescriptor router_network_;
  FileDescriptor client_network_;
  FileDescriptor server_network_;
  bool ready_ = false;
};

}  // namespace postern::test
