#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <vector>

#include "io/conntrack_lookup.h"
#include "io/raw_sender.h"
#include "private_network.h"

using namespace postern;
using postern::test::PrivateNetwork;

namespace {

Endpoint endpoint(const char* host, std::uint16_t port) {
  Endpoint end;
  end.port = port;
  end.address.version = std::strchr(host, ':') != nullptr ? 6 : 4;
  REQUIRE(::inet_pton(end.address.version == 6 ? AF_INET6 : AF_INET, host,
                      end.address.octets.data()) == 1);
  return end;
}

FlowTuple tuple(const Endpoint& source, const Endpoint& destination) {
  return {.source = source, .destination = destination};
}

/// A connection over loopback: `seen` names it from its opener's side.
struct LoopbackConnection {
  FileDescriptor listener{};
  FileDescriptor client{};
  FlowTuple seen{};
};

LoopbackConnection connect_on_loopback() {
  LoopbackConnection connection;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  connection.listener = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(connection.listener.get(), generic, length) == 0);
  REQUIRE(::listen(connection.listener.get(), 1) == 0);
  REQUIRE(::getsockname(connection.listener.get(), generic, &length) == 0);
  const std::uint16_t server_port = ntohs(address.sin_port);
  connection.client = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(connection.client.get(), generic, length) == 0);
  REQUIRE(::getsockname(connection.client.get(), generic, &length) == 0);
  connection.seen =
      tuple(endpoint("127.0.0.1", ntohs(address.sin_port)), endpoint("127.0.0.1", server_port));
  return connection;
}

/// Conntrack works in a network only once a rule asks for it.
bool track(const PrivateNetwork& network) {
  const bool tracked = network.run("iptables -A INPUT -m conntrack --ctstate INVALID -j DROP");
  if (!tracked) MESSAGE("skipped: iptables or its match conntrack is missing");
  return tracked;
}

}  // namespace

TEST_CASE("a packet is sent with the addresses it had before NAT, in each direction") {
  const Endpoint client = endpoint("192.0.2.1", 40'000);
  const Endpoint server = endpoint("10.0.0.25", 2'525);
  const Endpoint virtual_server = endpoint("198.51.100.1", 25);
  const Endpoint masquerade = endpoint("10.0.0.1", 50'000);
  const FlowTuple to_server = tuple(client, server);
  const FlowTuple to_client = tuple(server, client);

  SUBCASE("no NAT") {
    const ConntrackTuples entry{.original = to_server, .reply = to_client};
    CHECK(tuple_before_nat(entry, to_server) == to_server);
    CHECK(tuple_before_nat(entry, to_client) == to_client);
  }
  SUBCASE("DNAT") {
    const ConntrackTuples entry{.original = tuple(client, virtual_server), .reply = to_client};
    CHECK(tuple_before_nat(entry, to_server) == tuple(client, virtual_server));
    CHECK(tuple_before_nat(entry, to_client) == to_client);
  }
  SUBCASE("masquerading") {
    const ConntrackTuples entry{.original = to_server, .reply = tuple(server, masquerade)};
    CHECK(tuple_before_nat(entry, to_server) == to_server);
    CHECK(tuple_before_nat(entry, to_client) == tuple(server, masquerade));
  }
  SUBCASE("both, and a stranger's entry") {
    const ConntrackTuples entry{.original = tuple(client, virtual_server),
                                .reply = tuple(server, masquerade)};
    CHECK(tuple_before_nat(entry, to_server) == tuple(client, virtual_server));
    CHECK(tuple_before_nat(entry, to_client) == tuple(server, masquerade));
    CHECK_FALSE(tuple_before_nat(entry, tuple(client, virtual_server)));
    CHECK_FALSE(tuple_before_nat(entry, tuple(endpoint("192.0.2.1", 40'001), server)));
  }
}

TEST_CASE("an entry is read from the kernel's message; one without TCP or cut short is none") {
  for (const char* host : {"192.0.2.1", "2001:db8::1"}) {
    const bool v6 = std::strchr(host, ':') != nullptr;
    const Endpoint client = endpoint(host, 40'000);
    const Endpoint server = endpoint(v6 ? "2001:db8::25" : "10.0.0.25", 25);
    // A search holds both tuples in the form in which the kernel tells an entry.
    alignas(nlmsghdr) std::array<char, kConntrackRequestBytes> buffer{};
    nlmsghdr* message = put_conntrack_search(buffer, tuple(client, server));
    CHECK_FALSE(read_conntrack(*message));
    message->nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8U) | IPCTNL_MSG_CT_NEW;
    mnl_attr_put_u32(message, CTA_MARK, htonl(0x1234));
    const auto entry = read_conntrack(*message);
    REQUIRE(entry);
    CHECK(entry->original == tuple(client, server));
    CHECK(entry->reply == tuple(server, client));
    CHECK(entry->mark == 0x1234);

    const std::uint32_t whole = message->nlmsg_len;
    std::size_t read = 0;
    for (std::uint32_t length = sizeof(nlmsghdr); length < whole; length += 4) {
      std::vector<std::uint32_t> cut(length / 4);
      std::memcpy(cut.data(), buffer.data(), length);
      auto* shorter = reinterpret_cast<nlmsghdr*>(cut.data());
      shorter->nlmsg_len = length;
      if (read_conntrack(*shorter)) ++read;
    }
    CHECK(read < 8);

    // The protocol lies in the first tuple, behind two addresses and the nests' headers.
    auto* protocol = static_cast<char*>(std::memchr(buffer.data() + 40, IPPROTO_TCP, 80));
    REQUIRE(protocol != nullptr);
    // A protocol without ports or an id tells no two connections apart.
    *protocol = IPPROTO_GRE;
    CHECK_FALSE(read_conntrack(*message));
  }
}

TEST_CASE("a connection's mark is set by its mask alone, and taken back") {
  const PrivateNetwork network;
  if (!network.ready() || !track(network)) return;
  const LoopbackConnection connection = connect_on_loopback();
  ConntrackLookup lookup;
  REQUIRE_MESSAGE(lookup.find(connection.seen), lookup.error());
  CHECK(lookup.set_mark(connection.seen, 0x0F0, 0x0F0));
  CHECK(lookup.set_mark(reversed(connection.seen), 0x002, 0x00F));

  const auto marked = ConntrackLookup().find(connection.seen);
  REQUIRE(marked);
  CHECK(marked->mark == 0x0F2);

  const LoopbackConnection other = connect_on_loopback();
  CHECK(lookup.set_mark(other.seen, 0x100, 0xF00));
  CHECK(lookup.clear_marks(0x050, 0x0F0) == 0);
  CHECK(lookup.clear_marks(0x0F0, 0x0F0) == 1);
  CHECK(ConntrackLookup().find(connection.seen)->mark == 0x002);
  CHECK(ConntrackLookup().find(other.seen)->mark == 0x100);
}

TEST_CASE("a connection that conntrack does not know has no entry and no mark") {
  const PrivateNetwork network;
  if (!network.ready() || !track(network)) return;
  ConntrackLookup lookup;
  const FlowTuple unknown = tuple(endpoint("192.0.2.1", 1), endpoint("192.0.2.2", 25));
  CHECK_FALSE(lookup.find(unknown));
  CHECK_FALSE(lookup.set_mark(unknown, 1, 1));
  const FlowTuple unknown_v6 = tuple(endpoint("2001:db8::1", 1), endpoint("2001:db8::2", 25));
  CHECK_FALSE(lookup.find(unknown_v6));
  CHECK_MESSAGE(lookup.available(), lookup.error());
}

TEST_CASE("what is no TCP packet is not sent") {
  const PrivateNetwork network;
  if (!network.ready()) return;
  const RawOpening raw = RawSender::open(1);
  REQUIRE_MESSAGE(raw.sender, raw.error);
  CHECK_FALSE(raw.sender->send({}));
  CHECK_FALSE(raw.sender->send(std::vector<std::byte>(40)));
  CHECK_FALSE(raw.sender->send(std::vector<std::byte>(70'000, std::byte{0x45})));
}
