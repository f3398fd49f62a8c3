#include "test/tcp_script.h"

using namespace postern;
using postern::test::TcpScript;

TEST_CASE("tcp reset: exact, in the window, outside of it") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("> P. 1:101 ack 1 win 1000");
  tcp.pass("< . 1 ack 51 win 1000");
  tcp.drop("> R 60", TrackDrop::rst_in_window);
  tcp.drop("> R 102", TrackDrop::rst_in_window);
  tcp.drop("> R. 30000 ack 1", TrackDrop::rst_in_window);
  tcp.drop("> R 50", TrackDrop::invalid_sequence);
  tcp.drop("> R 1", TrackDrop::invalid_sequence);
  tcp.drop("> R 0", TrackDrop::invalid_sequence);
  tcp.drop("> R 200000", TrackDrop::invalid_sequence);
  tcp.drop("< R 2", TrackDrop::rst_in_window);
  tcp.drop("< R 0", TrackDrop::invalid_sequence);
  tcp.states(TcpState::established, TcpState::established);
  SUBCASE("what the sender would send next") {
    CHECK(tcp.pass("> R 101").reset);
  }
  SUBCASE("what the receiver has acknowledged") {
    CHECK(tcp.pass("> R 51").reset);
  }
  SUBCASE("with an acknowledgement") {
    CHECK(tcp.pass("> R. 101 ack 1").reset);
  }
  SUBCASE("with octets, which are no data") {
    CHECK(tcp.pass("< R 1:7").reset);
  }
}

TEST_CASE("tcp reset: an old timestamp does not save the connection, MD5 does") {
  TcpScript tcp;
  tcp.handshake("ts 1000");
  tcp.drop("> R 1 md5", TrackDrop::unexpected_option);
  CHECK(tcp.pass("> R 1 ts 5").reset);
}

TEST_CASE("tcp syn: within a connection it is dropped whatever its number") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("< P. 1:9 ack 1 win 1000");
  for (const char* text : {"> S 1 win 9", "> S 0 win 9", "> S 500 win 9", "> S 2000000000 win 9",
                           "< S 9 win 9", "< S. 9 ack 1 win 9", "> S. 1 ack 9 win 9"}) {
    tcp.drop(text, TrackDrop::syn_in_window);
  }
  tcp.pass("> . 1 ack 9 win 1000");
}

TEST_CASE("tcp flags: combinations that no TCP sends are dropped in every state") {
  const auto scans = [](TcpScript& tcp) {
    for (const char* text :
         {"> - 1", "> - 1:9", "> FPU 1", "> F 1", "> PU 1:9", "> P 1:9", "> SF 1", "> SF. 1 ack 1",
          "> SR 1", "> FR. 1 ack 1", "> SFRPU.EW 1 ack 1", "< EW 1", "< F 1"}) {
      tcp.drop(text, TrackDrop::invalid_flags);
    }
  };
  TcpScript tcp;
  tcp.open("> S 0 win 65535");
  scans(tcp);
  tcp.pass("< S. 0 ack 1 win 65535");
  scans(tcp);
  tcp.pass("> . 1 ack 1 win 1000");
  scans(tcp);
  tcp.pass("> PU. 1:9 ack 1 win 1000");
  tcp.pass("> FPU. 9 ack 1 win 1000");
  scans(tcp);
}

TEST_CASE("tcp options: MD5 and AO are dropped, others are nobody's business") {
  TcpScript tcp;
  tcp.handshake();
  tcp.drop("> P. 1:9 ack 1 win 1000 md5", TrackDrop::unexpected_option);
  tcp.drop("< P. 1:9 ack 1 win 1000 ao", TrackDrop::unexpected_option);
  tcp.pass("> P. 1:9 ack 1 win 1000 mss 500 wscale 3 tfo");
  CHECK(tcp.tracker.half(Side::initiator).window_scale == 0);
  CHECK(tcp.tracker.half(Side::initiator).mss == 1460);
}

TEST_CASE("tcp timestamps: older ones than the last are refused") {
  TcpScript tcp;
  tcp.handshake("ts 1000");
  CHECK(tcp.tracker.timestamps());
  tcp.pass("> P. 1:9 ack 1 win 1000 ts 2000");
  tcp.drop("> P. 9:19 ack 1 win 1000 ts 1999", TrackDrop::old_timestamp);
  tcp.drop("> P. 9:19 ack 1 win 1000 ts -50000", TrackDrop::old_timestamp);
  tcp.pass("> P. 9:19 ack 1 win 1000 ts 2000");
  tcp.pass("< . 1 ack 19 win 1000 ts 1000");
}

TEST_CASE("tcp timestamps: a segment without them passes, as servers take it") {
  TcpScript tcp;
  tcp.handshake("ts 1000");
  tcp.pass("> P. 1:9 ack 1 win 1000");
  tcp.drop("> P. 9:19 ack 1 win 1000 ts 999", TrackDrop::old_timestamp);
}

TEST_CASE("tcp timestamps: wrap through zero") {
  TcpScript tcp;
  tcp.open("> S 0 win 65535 ts 4294967290");
  tcp.pass("< S. 0 ack 1 win 65535 ts 4294967295");
  tcp.pass("> . 1 ack 1 win 1000 ts 4294967295");
  tcp.pass("> P. 1:9 ack 1 win 1000 ts 3");
  tcp.drop("> P. 9:19 ack 1 win 1000 ts 4294967295", TrackDrop::old_timestamp);
  tcp.pass("< . 1 ack 9 win 1000 ts 0");
  CHECK(tcp.tracker.half(Side::initiator).timestamp_recent == 3);
}

TEST_CASE("tcp timestamps: count only when both sides offered them") {
  TcpScript tcp;
  tcp.open("> S 0 win 65535 ts 5000");
  tcp.pass("< S. 0 ack 1 win 65535");
  CHECK_FALSE(tcp.tracker.timestamps());
  tcp.pass("> . 1 ack 1 win 1000");
  tcp.pass("> P. 1:9 ack 1 win 1000 ts 1");
}

TEST_CASE("tcp timestamps: what a receiver echoes is held against older ones") {
  TcpScript tcp;
  tcp.handshake("ts 1000");
  tcp.tracker.forget_timestamps();
  tcp.tracker.note_echo(Side::responder, 900);
  tcp.drop("< P. 1:9 ack 1 win 1000 ts 899", TrackDrop::old_timestamp);
  tcp.tracker.note_echo(Side::responder, 950);
  tcp.tracker.note_echo(Side::responder, 940);
  tcp.drop("< P. 1:9 ack 1 win 1000 ts 949", TrackDrop::old_timestamp);
  tcp.pass("< P. 1:9 ack 1 win 1000 ts 950");
}

TEST_CASE("tcp timestamps: an echo of 0, or where none were agreed to, says nothing") {
  TcpScript tcp;
  tcp.handshake("ts 1000");
  tcp.tracker.forget_timestamps();
  tcp.tracker.note_echo(Side::responder, 0);
  tcp.pass("< P. 1:9 ack 1 win 1000 ts -5");
  TcpScript plain;
  plain.handshake();
  plain.tracker.note_echo(Side::responder, 900);
  CHECK_FALSE(plain.tracker.half(Side::responder).timestamp_known);
}

TEST_CASE("tcp timestamps: a segment that overtook another does not make it old") {
  TcpScript tcp;
  tcp.handshake("ts 1000");
  tcp.pass("> . 11 ack 1 win 1000 ts 1002");
  tcp.pass("> P. 1:11 ack 1 win 1000 ts 1001");
  CHECK(tcp.tracker.half(Side::initiator).timestamp_recent == 1001);
}

TEST_CASE("tcp midstream: a flow taken up under way goes on in both directions") {
  TcpScript tcp;
  tcp.tracker.adopt(tcp.packet("> P. 5000:5100 ack 9000 win 10"));
  tcp.states(TcpState::established, TcpState::established);
  CHECK_FALSE(tcp.tracker.half_open());
  tcp.pass("< . 9000:10400 ack 5100 win 10");
  tcp.pass("> . 5100 ack 12000 win 10");
  tcp.pass("< . 12000:13000 ack 5100 win 10");
  tcp.drop("< . 2000012000:2000012010 ack 5100 win 10", TrackDrop::invalid_sequence);
  tcp.drop("> S 0 win 10", TrackDrop::syn_in_window);
  tcp.drop("< R 12500", TrackDrop::rst_in_window);
  tcp.pass("> F. 5100 ack 13000 win 10");
  tcp.pass("< F. 13000 ack 5101 win 10");
  CHECK(tcp.pass("> . 5101 ack 13001 win 10").closed);
}

TEST_CASE("tcp midstream: a flow whose first segment came from the responder") {
  TcpScript tcp;
  tcp.tracker.adopt(tcp.packet("< FP. 5000:5100 ack 9000 win 10"), Side::responder);
  tcp.states(TcpState::established, TcpState::fin_wait_1);
  CHECK(tcp.tracker.closing());
  tcp.pass("> P. 9000:9010 ack 5101 win 10");
  CHECK(tcp.pass("> R 9010").reset);
}

TEST_CASE("tcp midstream: the numbers follow what is seen, in order or not") {
  TcpScript tcp;
  tcp.tracker.adopt(tcp.packet("> P. 5000:5100 ack 9000 win 10"));
  tcp.pass("> P. 6000:6100 ack 9000 win 10");
  CHECK(tcp.tracker.half(Side::initiator).next == tcp.absolute(Side::initiator, 6100));
  tcp.pass("> . 6100 ack 20000 win 10");
  CHECK(tcp.tracker.half(Side::responder).next == tcp.absolute(Side::responder, 20000));
  CHECK(tcp.tracker.half(Side::initiator).last_window_bytes == 10U << 14U);
  CHECK(tcp.pass("< R 20000").reset);
}
