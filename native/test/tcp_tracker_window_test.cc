#include "test/tcp_script.h"

using namespace postern;
using postern::test::TcpScript;

TEST_CASE("tcp window: data up to the announced window pass, data beyond do not") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("< . 1 ack 1 win 1000");
  tcp.pass("> P. 1:65536 ack 1 win 1000");
  TcpScript small;
  small.open("> S 0 win 500");
  small.pass("< S. 0 ack 1 win 1000");
  small.pass("> . 1 ack 1 win 500");
  small.pass("> P. 1:1001 ack 1 win 500");
  small.drop("> P. 1001:1003 ack 1 win 500", TrackDrop::invalid_sequence);
  small.pass("< . 1 ack 1001 win 2");
  small.pass("> P. 1001:1003 ack 1 win 500");
  small.drop("< P. 1:600 ack 1001 win 1000", TrackDrop::invalid_sequence);
  small.pass("< P. 1:501 ack 1001 win 1000");
}

TEST_CASE("tcp window: a window that shrinks does not refuse what was sent for the larger one") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("< . 1 ack 1 win 10");
  tcp.pass("> P. 1:3001 ack 1 win 1000");
}

TEST_CASE("tcp window: blind data far outside of it are refused on both sides") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("> P. 1:101 ack 1 win 1000");
  tcp.pass("< . 1 ack 101 win 1000");
  tcp.drop("> P. 200000:200010 ack 1 win 1000", TrackDrop::invalid_sequence);
  tcp.drop("> P. 2000000000:2000000010 ack 1 win 1000", TrackDrop::invalid_sequence);
  tcp.drop("> P. -70000:-69990 ack 1 win 1000", TrackDrop::invalid_sequence);
  tcp.drop("< P. 900000:900010 ack 101 win 1000", TrackDrop::invalid_sequence);
}

TEST_CASE("tcp window: a retransmission of what was acknowledged long ago passes") {
  TcpScript tcp;
  tcp.handshake();
  for (int i = 0; i < 20; ++i) {
    const std::string from = std::to_string(1 + i * 1000);
    const std::string to = std::to_string(1 + (i + 1) * 1000);
    CHECK_FALSE(tcp.pass("> . " + from + ":" + to + " ack 1 win 1000").retransmission);
    tcp.pass("< . 1 ack " + to + " win 65535");
  }
  tcp.repeat("> . 1:1001 ack 1 win 1000");
  CHECK_FALSE(tcp.pass("> . 19001:21001 ack 1 win 1000").retransmission);
}

TEST_CASE("tcp window: data that overtook others are judged, and move nothing") {
  TcpScript tcp;
  tcp.handshake();
  CHECK_FALSE(tcp.pass("> P. 101:201 ack 1 win 1000").retransmission);
  CHECK(tcp.tracker.half(Side::initiator).next == tcp.absolute(Side::initiator, 1));
  tcp.drop("< . 1 ack 201 win 1000", TrackDrop::invalid_acknowledgement);
  tcp.pass("> P. 1:101 ack 1 win 1000");
  CHECK(tcp.tracker.half(Side::initiator).next == tcp.absolute(Side::initiator, 101));
}

TEST_CASE("tcp window: keepalives pass with and without an octet") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("> P. 1:11 ack 1 win 1000");
  tcp.pass("< . 1 ack 11 win 1000");
  tcp.repeat("> . 10 ack 1 win 1000");
  tcp.repeat("> . 10:11 ack 1 win 1000");
  tcp.repeat("< . 0 ack 11 win 1000");
  tcp.repeat("< . 0:1 ack 11 win 1000");
  CHECK_FALSE(tcp.pass("> . 11 ack 1 win 1000").retransmission);
  CHECK(tcp.tracker.half(Side::initiator).next == tcp.absolute(Side::initiator, 11));
}

TEST_CASE("tcp window: a zero window is probed with one octet, and opens again") {
  TcpScript tcp;
  tcp.open("> S 0 win 1000");
  tcp.pass("< S. 0 ack 1 win 100");
  tcp.pass("> . 1 ack 1 win 1000");
  tcp.pass("> P. 1:101 ack 1 win 1000");
  tcp.pass("< . 1 ack 101 win 0");
  CHECK(tcp.tracker.half(Side::responder).last_window_bytes == 0);
  tcp.pass("> . 101:102 ack 1 win 1000");
  tcp.pass("< . 1 ack 101 win 0");
  tcp.repeat("> . 101:102 ack 1 win 1000");
  tcp.drop("> . 101:103 ack 1 win 1000", TrackDrop::invalid_sequence);
  tcp.drop("> . 102:103 ack 1 win 1000", TrackDrop::invalid_sequence);
  tcp.pass("< . 1 ack 102 win 500");
  tcp.pass("> . 102:602 ack 1 win 1000");
}

TEST_CASE("tcp window: a FIN passes behind a full window") {
  TcpScript tcp;
  tcp.open("> S 0 win 1000");
  tcp.pass("< S. 0 ack 1 win 100");
  tcp.pass("> . 1 ack 1 win 1000");
  tcp.pass("> P. 1:101 ack 1 win 1000");
  tcp.pass("> F. 101 ack 1 win 1000");
  tcp.pass("> . 102 ack 1 win 1000");
}

TEST_CASE("tcp window: a scale of 14 gives a window of a gibibyte, 15 counts as 14") {
  for (const char* options : {"wscale 14", "wscale 15", "wscale 255"}) {
    TcpScript tcp;
    tcp.handshake(options);
    CHECK(tcp.tracker.half(Side::responder).window_scale == 14);
    tcp.pass("< . 1 ack 1 win 65535");
    tcp.pass("> . 1073725000:1073725001 ack 1 win 65535");
    tcp.drop("> . 1073725500:1073726000 ack 1 win 1", TrackDrop::invalid_sequence);
  }
}

TEST_CASE("tcp window: the windows of SYN and SYN-ACK are never scaled") {
  TcpScript tcp;
  tcp.open("> S 0 win 1000 wscale 7");
  tcp.pass("< S. 0 ack 1 win 1000 wscale 7");
  tcp.drop("> P. 1:5001 ack 1 win 10", TrackDrop::invalid_sequence);
  tcp.pass("> . 1 ack 1 win 10");
  tcp.pass("< P. 1:1281 ack 1 win 1000");
  tcp.drop("< P. 1281:1300 ack 1 win 1000", TrackDrop::invalid_sequence);
  tcp.pass("> P. 1:128001 ack 1 win 10");
}

TEST_CASE("tcp window: scaling that only the initiator offers is not used") {
  TcpScript tcp;
  tcp.open("> S 0 win 1000 wscale 7");
  tcp.pass("< S. 0 ack 1 win 1000");
  tcp.pass("> . 1 ack 1 win 1000");
  tcp.pass("< . 1 ack 1 win 2000");
  CHECK(tcp.tracker.half(Side::initiator).window_scale == 0);
  tcp.drop("> P. 1:3001 ack 1 win 1000", TrackDrop::invalid_sequence);
}

TEST_CASE("tcp window: scaling that only the responder offers is refused unless loose") {
  TcpScript tcp;
  tcp.open("> S 0 win 1000");
  tcp.drop("< S. 0 ack 1 win 1000 wscale 7", TrackDrop::invalid_window_scale);
  tcp.tracker.window_scale_loose = true;
  tcp.pass("< S. 0 ack 1 win 1000 wscale 7");
  tcp.pass("> . 1 ack 1 win 1000");
  CHECK(tcp.tracker.half(Side::responder).window_scale == 0);
  tcp.pass("> P. 1:3001 ack 1 win 1000");
  tcp.drop("> P. -2000000000:-1999999999 ack 1 win 1000", TrackDrop::invalid_sequence);
  tcp.drop("> P. 1200000000:1200000001 ack 1 win 1000", TrackDrop::invalid_sequence);
}

TEST_CASE("tcp acknowledgement: of octets that were not passed on is refused") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("> P. 1:101 ack 1 win 1000");
  tcp.drop("< . 1 ack 102 win 1000", TrackDrop::invalid_acknowledgement);
  tcp.drop("< P. 1:9 ack 268435456 win 1000", TrackDrop::invalid_acknowledgement);
  tcp.pass("< . 1 ack 101 win 1000");
  tcp.drop("> . 101 ack 2 win 1000", TrackDrop::invalid_acknowledgement);
}

TEST_CASE("tcp acknowledgement: an old one passes as far back as a window and moves nothing back") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("> P. 1:101 ack 1 win 1000");
  tcp.pass("< . 1 ack 101 win 1000");
  tcp.pass("< . 1 ack 51 win 900");
  CHECK(tcp.tracker.half(Side::initiator).acknowledged == tcp.absolute(Side::initiator, 101));
  CHECK(tcp.tracker.half(Side::responder).last_window_bytes == 1000);
  tcp.drop("< P. 1:9 ack -70000 win 1000", TrackDrop::invalid_acknowledgement);
  tcp.drop("< P. 1:9 ack -1500000000 win 1000", TrackDrop::invalid_acknowledgement);
}

TEST_CASE("tcp sequence numbers: wrap through zero in both directions") {
  TcpScript tcp(0xFFFF'FFF0U, 0xFFFF'FFFFU);
  tcp.handshake();
  tcp.pass("> P. 1:101 ack 1 win 1000");
  tcp.pass("< P. 1:51 ack 101 win 1000");
  tcp.repeat("> P. 1:101 ack 1 win 1000");
  tcp.drop("> P. 900001:900002 ack 1 win 1000", TrackDrop::invalid_sequence);
  tcp.pass("> F. 101 ack 51 win 1000");
  tcp.pass("< F. 51 ack 102 win 1000");
  CHECK(tcp.pass("> . 102 ack 52 win 1000").closed);
}

TEST_CASE("tcp sequence numbers: four gibibytes and more go through") {
  TcpScript tcp;
  tcp.handshake("wscale 10");
  std::uint32_t next = 1;
  for (int i = 0; i < 200; ++i) {
    const std::string at = std::to_string(next);
    next += 32U << 20U;
    TcpPacket big = tcp.packet("> . " + at + " ack 1 win 1000");
    // The payload is only counted, never read: a span of this length would need the memory.
    tcp.pass("< . 1 ack " + at + " win 65535");
    std::vector<std::byte> chunk(1U << 20U);
    for (std::uint32_t part = 0; part < 32; ++part) {
      big.bytes = chunk;
      REQUIRE(tcp.tracker.check(Side::initiator, big).drop == TrackDrop::none);
      tcp.tracker.apply(Side::initiator, big);
      big.sequence += 1U << 20U;
    }
  }
  CHECK(tcp.tracker.half(Side::initiator).next == tcp.absolute(Side::initiator, next));
}

TEST_CASE("tcp window: each side's windows count with its own scale") {
  TcpScript tcp;
  tcp.open("> S 0 win 1000 wscale 2");
  tcp.pass("< S. 0 ack 1 win 1000 wscale 5");
  tcp.pass("> . 1 ack 1 win 1000");
  tcp.pass("< . 1 ack 1 win 1000");
  CHECK(tcp.tracker.half(Side::initiator).last_window_bytes == 4'000);
  CHECK(tcp.tracker.half(Side::responder).last_window_bytes == 32'000);
  tcp.drop("< P. 1:4003 ack 1 win 1000", TrackDrop::invalid_sequence);
  tcp.drop("> P. 1:32003 ack 1 win 1000", TrackDrop::invalid_sequence);
}

TEST_CASE("tcp window: how far back a segment may be is a window, 64 KiB at least") {
  const auto send = [](TcpScript& tcp, int bytes) {
    for (int at = 1; at <= bytes; at += 500) {
      const std::string to = std::to_string(at + 500);
      tcp.pass("> . " + std::to_string(at) + ":" + to + " ack 1 win 500");
      tcp.pass("< . 1 ack " + to + " win 500");
    }
  };
  TcpScript small;
  small.open("> S 0 win 500");
  small.pass("< S. 0 ack 1 win 500");
  small.pass("> . 1 ack 1 win 500");
  send(small, 60'000);
  small.repeat("> . 1:501 ack 1 win 500");
  TcpScript large;
  large.handshake("wscale 12");
  send(large, 100'000);
  large.repeat("> . 1:501 ack 1 win 500");
}

TEST_CASE("tcp window: an old empty segment is no keepalive while octets are in flight") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("> P. 1:2 ack 1 win 1000");
  CHECK_FALSE(tcp.pass("> . 1 ack 1 win 1000").retransmission);
}
