#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "io/raw_sender.h"
#include "nat_dialogue.h"

using namespace postern;
using namespace postern::test;

/// A client and a server talk through a router that does each kind of NAT; the router speaks in the
/// name of one to the other, knowing only what its queue in mangle has shown.
namespace {

void speak_for_both(const NatCase& nat) {
  Dialogue dialogue(nat);
  if (!dialogue.open()) return;
  REQUIRE(::send(dialogue.server.get(), "220 hi\r\n", 8, 0) == 8);
  dialogue.pass_until(dialogue.client);
  CHECK(read_from(dialogue.client) == "220 hi\r\n");
  // What the queue showed: true addresses of both ends.
  CHECK(dialogue.initiator.destination.port == kServerPort);
  CHECK(dialogue.responder.destination == dialogue.initiator.source);

  const RawOpening raw = RawSender::open(kInjectedMark);
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
  const bool double_nat = nat.destination_nat && nat.masquerade;
  CHECK(raw.sender->meets_double_nat() == double_nat);
  const std::vector<std::byte> last = dialogue.segment(reset, dialogue.responder, kRst | kAck, "");
  // Without a look at conntrack: the kernel itself translates what NAT changes at one end.
  CHECK((double_nat ? raw.sender->send(last) : raw.sender->send_as_seen(last)));
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

TEST_CASE("segments come out right where the server is the router itself") {
  for (const bool v6 : {false, true}) {
    for (const bool destination_nat : {false, true}) {
      CAPTURE(v6);
      CAPTURE(destination_nat);
      speak_for_both({.v6 = v6,
                      .destination_nat = destination_nat,
                      .masquerade = false,
                      .server_on_router = true});
    }
  }
}

TEST_CASE("where a super-packet may not be replaced by a short one, a segment of our own arrives") {
  Dialogue dialogue(NatCase{});
  if (!dialogue.open()) return;
  const RawOpening raw = RawSender::open(kInjectedMark);
  REQUIRE_MESSAGE(raw.sender, raw.error);
  const std::string sent(30'000, 'a');
  REQUIRE(::send(dialogue.client.get(), sent.data(), sent.size(), 0) > 10'000);
  const ReceivedPacket packet = dialogue.take_gso_packet();
  REQUIRE(packet.gso);
  TcpPacket tcp;
  REQUIRE(parse_tcp_packet(packet.bytes, tcp) == ParseError::none);
  SUBCASE("a reset") {
    CHECK(raw.sender->send(make_reset(tcp, tcp.sequence, tcp.acknowledgement)));
    CHECK(read_from(dialogue.server) == std::strerror(ECONNRESET));
  }
  SUBCASE("a trimmed segment") {
    CHECK(raw.sender->send(trim_payload(tcp, 10)));
    CHECK(read_from(dialogue.server) == std::string(10, 'a'));
  }
}
