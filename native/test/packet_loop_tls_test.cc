// Stories of TLS hellos: told when they are whole, with what they say.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/limits.h"
#include "loop_lab.h"
#include "tls_samples.h"

namespace postern::test {

using namespace std::string_literals;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

/// Both sides begin with TLS.
void await_tls(const SeenEvent& event, Orders& orders) {
  if (event.kind == EventKind::opened) {
    orders.frame(event.flow, I, FramingMode::tls, 0);
    orders.frame(event.flow, R, FramingMode::tls, 0);
    return;
  }
  if (event.kind == EventKind::closed) return;
  if ((event.flags & kWellFormed) == 0) return orders.refuse_with_reset(event.flow);
  orders.forward(event.flow, event.side);
  orders.frame(event.flow, event.side, FramingMode::opaque, 0);
}

std::vector<SeenEvent> starts_of(const LoopLab& lab) {
  std::vector<SeenEvent> starts;
  for (const SeenEvent& event : lab.seen) {
    if (event.kind == EventKind::tls_start) starts.push_back(event);
  }
  return starts;
}

std::string told(const std::string& version, const std::string& name) {
  return version + vector16(name) + vector16("") + vector16("\x13\x01\xc0\x2f") +
         vector16(name.empty() ? "" : "\0\0"s) + vector16("");
}

const std::string kHello = record(client_hello({.extensions = server_name("mx.example.org")}));

}  // namespace

TEST_CASE("a hello in one packet is told with what it says, and goes as it came") {
  LoopLab lab;
  lab.answer = await_tls;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, kHello)) == "accept");
  REQUIRE(starts_of(lab).size() == 1);
  CHECK(starts_of(lab)[0].text == told("\x01\x03\x03", "mx.example.org"));
  CHECK(lab.fate(lab.send(R, 0, record(server_hello("")))) == "accept");
  CHECK(starts_of(lab)[1].text.substr(0, 3) == "\x02\x03\x03");
}

TEST_CASE("however a hello is cut, its packets go at once and it is told once, alike") {
  for (std::size_t piece = 1; piece < kHello.size(); ++piece) {
    CAPTURE(piece);
    LoopLab lab;
    lab.answer = await_tls;
    lab.connect();
    for (std::size_t at = 0; at < kHello.size(); at += piece) {
      CHECK(lab.fate(lab.send(I, static_cast<std::uint32_t>(at), kHello.substr(at, piece))) ==
            "accept");
    }
    REQUIRE(starts_of(lab).size() == 1);
    CHECK(starts_of(lab)[0].text == told("\x01\x03\x03", "mx.example.org"));
    CHECK((starts_of(lab)[0].flags & kWellFormed) != 0);
  }
}

TEST_CASE("the octet that makes a hello none, or completes a broken one, does not pass") {
  std::string broken = kHello;
  // The server name's length points past its list.
  broken[5 + 4 + 2 + 32 + 1 + 6 + 2 + 2 + 4 + 2 + 1] = '\x7f';
  for (const std::string& stream : {broken, "NOOP\r\n"s, record(server_hello(""))}) {
    LoopLab lab;
    lab.answer = await_tls;
    lab.connect();
    CHECK(lab.fate(lab.send(I, 0, stream)) != "accept");
    REQUIRE(starts_of(lab).size() == 1);
    CHECK((starts_of(lab)[0].flags & kWellFormed) == 0);
    CHECK(starts_of(lab)[0].text.empty());
  }
}

TEST_CASE(
    "a server's alert is told as one, however it is cut, and what follows it is judged anew") {
  const std::string alert = "\x15\x03\x01\x00\x02\x02\x46"s;
  for (std::size_t piece = 1; piece <= alert.size(); ++piece) {
    CAPTURE(piece);
    LoopLab lab;
    lab.answer = [](const SeenEvent& event, Orders& orders) {
      if (event.kind == EventKind::opened) {
        orders.frame(event.flow, R, FramingMode::tls, 0, true);
        return;
      }
      if ((event.flags & kTlsAlert) == 0) return orders.refuse_with_reset(event.flow);
      orders.forward(event.flow, event.side);
      orders.frame(event.flow, event.side, FramingMode::tls, 0, true);
    };
    lab.connect();
    for (std::size_t at = 0; at < alert.size(); at += piece) {
      const auto offset = static_cast<std::uint32_t>(at);
      CHECK(lab.fate(lab.send(R, offset, alert.substr(at, piece))) == "accept");
    }
    REQUIRE(starts_of(lab).size() == 1);
    CHECK(starts_of(lab)[0].flags == kTlsAlert);
    CHECK(starts_of(lab)[0].text.empty());
    CHECK(lab.fate(lab.send(R, static_cast<std::uint32_t>(alert.size()), "+OK\r\n")) != "accept");
    CHECK(starts_of(lab).size() == 2);
  }
}

TEST_CASE("what follows a hello in its packet is none of it") {
  LoopLab lab;
  lab.answer = await_tls;
  lab.connect();
  CHECK(lab.fate(lab.send(I, 0, kHello + "\x14\x03\x03\x00\x01\x01"s)) == "accept");
  REQUIRE(starts_of(lab).size() == 1);
  CHECK(starts_of(lab)[0].text == told("\x01\x03\x03", "mx.example.org"));
}

namespace {

/// What client number `client` of many sends, or is sent.
void say(LoopLab& lab, std::uint32_t client, SegmentSpec spec, const std::string& payload = "") {
  const bool to_server = spec.destination.port == lab.responder_port;
  Endpoint& end = to_server ? spec.source : spec.destination;
  end.port = static_cast<std::uint16_t>(1'024 + client);
  spec.payload = std::as_bytes(std::span(payload));
  std::vector<std::byte> packet(payload.size() + 100);
  packet.resize(build_segment(spec, packet));
  lab.source.feed(std::move(packet), payload.size() > 1'400);
  lab.turn();
}

}  // namespace

TEST_CASE("hellos under way take so much memory together, and the next one is refused") {
  const std::string whole = record(
      client_hello({.extensions = extension(21, std::string(kTlsHelloBytesMax - 100, 'p'))}));
  const std::string most = whole.substr(0, whole.size() - 1);
  const auto clients = static_cast<std::uint32_t>(kTlsHelloTotalBytesMax / most.size());
  LoopLab lab(LoopLab::with_mail_ports(), nullptr,
              {.flows_max = clients + 10, .chunks_max = 9 * (clients + 10)});
  lab.answer = await_tls;
  for (std::uint32_t client = 0; client <= clients; ++client) {
    CHECK(starts_of(lab).empty());
    SegmentSpec syn = lab.spec(I, 0, kSyn);
    --syn.sequence;
    syn.acknowledgement = 0;
    say(lab, client, syn);
    SegmentSpec answer = lab.spec(R, 0, kSyn | kAck);
    --answer.sequence;
    say(lab, client, answer);
    say(lab, client, lab.spec(I, 0, kAck));
    say(lab, client, lab.spec(I, 0, kAck | kPsh), most);
  }
  REQUIRE(starts_of(lab).size() == 1);
  CHECK((starts_of(lab)[0].flags & kWellFormed) == 0);
  // It has given back what it had.
  say(lab, 0, lab.spec(I, static_cast<std::uint32_t>(most.size()), kAck | kPsh),
      whole.substr(most.size()));
  REQUIRE(starts_of(lab).size() == 2);
  CHECK((starts_of(lab)[1].flags & kWellFormed) != 0);
}

}  // namespace postern::test
