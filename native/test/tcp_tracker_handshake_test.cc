#include "test/tcp_script.h"

using namespace postern;
using postern::test::TcpScript;

TEST_CASE("tcp handshake: three segments establish a connection") {
  TcpScript tcp;
  tcp.open("> S 0 win 64240 mss 1460");
  tcp.states(TcpState::syn_sent, TcpState::listen);
  CHECK(tcp.tracker.half_open());
  const TrackResult answer = tcp.pass("< S. 0 ack 1 win 65160 mss 1400");
  CHECK_FALSE(answer.established);
  tcp.states(TcpState::syn_sent, TcpState::syn_received);
  CHECK(tcp.pass("> . 1 ack 1 win 502").established);
  tcp.states(TcpState::established, TcpState::established);
  CHECK_FALSE(tcp.tracker.half_open());
  CHECK(tcp.tracker.half(Side::initiator).mss == 1460);
  CHECK(tcp.tracker.half(Side::responder).mss == 1400);
  CHECK_FALSE(tcp.pass("> . 1 ack 1 win 502").established);
}

TEST_CASE("tcp handshake: data may come with the third segment") {
  TcpScript tcp;
  tcp.open("> S 0 win 64240");
  tcp.pass("< S. 0 ack 1 win 65160");
  const TrackResult result = tcp.pass("> P. 1:15 ack 1 win 502");
  CHECK(result.established);
  CHECK_FALSE(result.retransmission);
  CHECK(tcp.tracker.half(Side::initiator).next == tcp.absolute(Side::initiator, 15));
}

TEST_CASE("tcp handshake: a refused connection ends with the responder's RST") {
  TcpScript tcp;
  tcp.open("> S 0 win 64240");
  SUBCASE("which must acknowledge the SYN") {
    CHECK(tcp.pass("< R. -3000000000 ack 1").reset);
    tcp.states(TcpState::closed, TcpState::closed);
    CHECK_FALSE(tcp.tracker.half_open());
  }
  SUBCASE("and nothing else will do") {
    tcp.drop("< R. 0 ack 2", TrackDrop::invalid_acknowledgement);
    tcp.drop("< R. 0 ack 0", TrackDrop::invalid_acknowledgement);
    tcp.drop("< R 0", TrackDrop::invalid_acknowledgement);
  }
}

TEST_CASE("tcp handshake: a scan that answers the SYN-ACK with RST frees the flow") {
  TcpScript tcp;
  tcp.open("> S 0 win 1024");
  tcp.drop("> R 0", TrackDrop::rst_in_window);
  tcp.drop("> R 2", TrackDrop::invalid_sequence);
  tcp.pass("< S. 0 ack 1 win 65160");
  tcp.drop("> R 500", TrackDrop::rst_in_window);
  CHECK(tcp.pass("> R 1").reset);
}

TEST_CASE("tcp handshake: SYN and SYN-ACK may be repeated with the same numbers") {
  TcpScript tcp;
  tcp.open("> S 0 win 64240 wscale 7 ts 10");
  tcp.repeat("> S 0 win 64240 ts 20");
  tcp.pass("< S. 0 ack 1 win 65160 wscale 6 ts 5");
  tcp.repeat("> S 0 win 64240 ts 30");
  tcp.repeat("< S. 0 ack 1 win 65160 wscale 6 ts 6");
  tcp.pass("> . 1 ack 1 win 502 ts 40");
  SUBCASE("the SYN-ACK even behind the third segment, which may have been lost") {
    tcp.repeat("< S. 0 ack 1 win 65160 wscale 6 ts 7");
    tcp.repeat("> . 0 ack 1 win 502 ts 41");
  }
  SUBCASE("but not once the responder has spoken") {
    tcp.pass("< P. 1:21 ack 1 win 502 ts 8");
    tcp.drop("< S. 0 ack 1 win 65160 wscale 6 ts 9", TrackDrop::syn_in_window);
  }
  CHECK(tcp.tracker.half(Side::initiator).window_scale == 7);
  CHECK(tcp.tracker.half(Side::responder).window_scale == 6);
}

TEST_CASE("tcp handshake: other numbers in a repeated SYN or SYN-ACK are refused") {
  TcpScript tcp;
  tcp.open("> S 0 win 64240");
  tcp.drop("> S 1 win 64240", TrackDrop::invalid_sequence);
  tcp.drop("< S. 0 ack 2 win 100", TrackDrop::invalid_acknowledgement);
  tcp.drop("< S. 0 ack 0 win 100", TrackDrop::invalid_acknowledgement);
  tcp.pass("< S. 0 ack 1 win 100");
  tcp.drop("< S. 7 ack 1 win 100", TrackDrop::invalid_sequence);
  tcp.drop("< S. 0 ack 2 win 100", TrackDrop::invalid_acknowledgement);
  tcp.drop("> S 9 win 64240", TrackDrop::invalid_sequence);
}

TEST_CASE("tcp handshake: the third segment must acknowledge the SYN-ACK exactly") {
  TcpScript tcp;
  tcp.open("> S 0 win 64240");
  tcp.pass("< S. 0 ack 1 win 65160");
  tcp.drop("> . 1 ack 0 win 502", TrackDrop::invalid_acknowledgement);
  tcp.drop("> . 1 ack 2 win 502", TrackDrop::invalid_acknowledgement);
  tcp.drop("> P. 1:5 ack 77 win 502", TrackDrop::invalid_acknowledgement);
  CHECK(tcp.tracker.half_open());
}

TEST_CASE("tcp handshake: nothing passes that a state does not allow") {
  TcpScript tcp;
  tcp.open("> S 0 win 64240");
  tcp.drop("> . 1 ack 1 win 100", TrackDrop::stray);
  tcp.drop("> P. 1:5 ack 1 win 100", TrackDrop::stray);
  tcp.drop("< . 1 ack 1 win 100", TrackDrop::stray);
  tcp.drop("> S. 0 ack 1 win 100", TrackDrop::stray);
  tcp.pass("< S. 0 ack 1 win 65160");
  tcp.drop("< P. 1:9 ack 1 win 100", TrackDrop::stray);
  tcp.drop("< F. 1 ack 1 win 100", TrackDrop::stray);
}

TEST_CASE("tcp handshake: a SYN from the other side would turn the direction around") {
  TcpScript tcp;
  tcp.open("> S 0 win 64240");
  tcp.drop("< S 0 win 64240", TrackDrop::stray);
  tcp.pass("< S. 0 ack 1 win 65160");
  tcp.drop("< S 0 win 64240", TrackDrop::stray);
}

TEST_CASE("tcp handshake: a SYN with data passes without them only") {
  TcpScript tcp;
  CHECK(tcp.tracker.open(tcp.packet("> S 0:14 win 64240 tfo")) == TrackDrop::syn_with_data);
  CHECK(tcp.tracker.open(tcp.packet("> SP 0 win 64240")) == TrackDrop::syn_with_data);
  CHECK(tcp.tracker.open(tcp.packet("> SU 0 win 64240")) == TrackDrop::syn_with_data);
  CHECK_FALSE(tcp.tracker.half_open());
  tcp.open("> S 0 win 64240 tfo");
  tcp.drop("> S 0:14 win 64240 tfo", TrackDrop::syn_with_data);
  tcp.drop("< S. 0:8 ack 1 win 64240", TrackDrop::syn_with_data);
  tcp.pass("< S. 0 ack 1 win 64240");
}

TEST_CASE("tcp handshake: ECN bits belong to a plain SYN") {
  TcpScript tcp;
  tcp.open("> SEW 0 win 64240");
  tcp.pass("< S.E 0 ack 1 win 65160");
  CHECK(tcp.pass("> . 1 ack 1 win 502").established);
  tcp.pass("> .W 1:9 ack 1 win 502");
  tcp.pass("< .E 1 ack 9 win 502");
}

TEST_CASE("tcp handshake: only a plain SYN opens") {
  TcpScript tcp;
  for (const char* text : {"> . 1 ack 1 win 9", "> S. 0 ack 1 win 9", "> F. 1 ack 1 win 9", "> R 1",
                           "> P. 1:40 ack 1 win 9"}) {
    CHECK(tcp.tracker.open(tcp.packet(text)) == TrackDrop::not_syn);
  }
  for (const char* text :
       {"> SF 0 win 9", "> SR 0 win 9", "> - 0 win 9", "> F 0 win 9", "> FPU 0 win 9"}) {
    CHECK(tcp.tracker.open(tcp.packet(text)) == TrackDrop::invalid_flags);
  }
  CHECK(tcp.tracker.open(tcp.packet("> S 0 win 9 md5")) == TrackDrop::unexpected_option);
  CHECK(tcp.tracker.open(tcp.packet("> S 0 win 9 ao")) == TrackDrop::unexpected_option);
}

TEST_CASE("tcp handshake: a repeated SYN may offer less, and the answer still counts") {
  TcpScript tcp;
  tcp.open("> S 0 win 1000 wscale 9");
  tcp.repeat("> S 0 win 1000 wscale 2");
  tcp.repeat("> S 0 win 1000");
  tcp.pass("< S. 0 ack 1 win 1000 wscale 3");
  CHECK(tcp.tracker.half(Side::initiator).window_scale == 9);
}

TEST_CASE("tcp handshake: a tracker that opens anew forgets all that was") {
  TcpScript tcp;
  tcp.tracker.adopt(tcp.packet("> P. 5000:5100 ack 9000 win 10"));
  tcp.handshake();
  tcp.drop("< . 1 ack 2 win 1000", TrackDrop::invalid_acknowledgement);
}
