#include "test/tcp_script.h"

using namespace postern;
using postern::test::TcpScript;

TEST_CASE("tcp close: by the initiator") {
  TcpScript tcp;
  tcp.handshake();
  CHECK_FALSE(tcp.tracker.closing());
  CHECK(tcp.pass("> F. 1 ack 1 win 500").fin);
  CHECK(tcp.tracker.closing());
  tcp.states(TcpState::fin_wait_1, TcpState::established);
  tcp.pass("< . 1 ack 2 win 500");
  tcp.states(TcpState::fin_wait_2, TcpState::close_wait);
  CHECK(tcp.pass("< F. 1 ack 2 win 500").fin);
  tcp.states(TcpState::fin_wait_2, TcpState::last_ack);
  CHECK_FALSE(tcp.tracker.over());
  CHECK(tcp.pass("> . 2 ack 2 win 500").closed);
  tcp.states(TcpState::time_wait, TcpState::closed);
  CHECK(tcp.tracker.over());
}

TEST_CASE("tcp close: by the responder, FIN and acknowledgement in one segment") {
  TcpScript tcp;
  tcp.handshake();
  CHECK(tcp.pass("< FP. 1:31 ack 1 win 500").fin);
  tcp.states(TcpState::established, TcpState::fin_wait_1);
  const TrackResult answer = tcp.pass("> F. 1 ack 32 win 500");
  CHECK(answer.fin);
  CHECK_FALSE(answer.closed);
  tcp.states(TcpState::last_ack, TcpState::fin_wait_2);
  CHECK(tcp.pass("< . 32 ack 2 win 500").closed);
  tcp.states(TcpState::closed, TcpState::time_wait);
}

TEST_CASE("tcp close: both at once") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("> F. 1 ack 1 win 500");
  tcp.pass("< F. 1 ack 1 win 500");
  tcp.states(TcpState::fin_wait_1, TcpState::fin_wait_1);
  tcp.pass("> . 2 ack 2 win 500");
  tcp.states(TcpState::closing, TcpState::fin_wait_2);
  CHECK(tcp.pass("< . 2 ack 2 win 500").closed);
  tcp.states(TcpState::time_wait, TcpState::time_wait);
}

TEST_CASE("tcp close: a half-closed connection goes on in the other direction") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("> FP. 1:7 ack 1 win 500");
  tcp.pass("< . 1 ack 8 win 500");
  tcp.pass("< P. 1:401 ack 8 win 500");
  tcp.pass("> . 8 ack 401 win 500");
  tcp.pass("< FP. 401:421 ack 8 win 500");
  CHECK(tcp.pass("> . 8 ack 422 win 500").closed);
}

TEST_CASE("tcp close: the last segments may be repeated") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("> F. 1 ack 1 win 500");
  tcp.repeat("> F. 1 ack 1 win 500");
  tcp.pass("< F. 1 ack 2 win 500");
  tcp.repeat("< F. 1 ack 2 win 500");
  CHECK(tcp.pass("> . 2 ack 2 win 500").closed);
  tcp.repeat("< F. 1 ack 2 win 500");
  CHECK_FALSE(tcp.pass("> . 2 ack 2 win 500").closed);
  tcp.states(TcpState::time_wait, TcpState::closed);
}

TEST_CASE("tcp close: nothing comes behind a FIN, or in its place, or moves it") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("> FP. 1:11 ack 1 win 500");
  tcp.drop("> P. 12:20 ack 1 win 500", TrackDrop::data_after_fin);
  tcp.drop("> P. 11:12 ack 1 win 500", TrackDrop::data_after_fin);
  tcp.drop("> P. 1:30 ack 1 win 500", TrackDrop::data_after_fin);
  tcp.drop("> F. 5 ack 1 win 500", TrackDrop::invalid_sequence);
  tcp.drop("> F. 12 ack 1 win 500", TrackDrop::invalid_sequence);
  tcp.drop("> . 40 ack 1 win 500", TrackDrop::invalid_sequence);
  tcp.repeat("> FP. 1:11 ack 1 win 500");
  tcp.repeat("> FP. 6:11 ack 1 win 500");
  tcp.repeat("> P. 1:11 ack 1 win 500");
  tcp.repeat("> F. 11 ack 1 win 500");
  tcp.pass("> . 12 ack 1 win 500");
}

TEST_CASE("tcp close: a FIN inside of octets that have passed is refused") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("> P. 1:27 ack 1 win 500");
  tcp.drop("> F. 21 ack 1 win 500", TrackDrop::invalid_sequence);
  tcp.drop("> F. 26 ack 1 win 500", TrackDrop::invalid_sequence);
  CHECK(tcp.pass("> F. 27 ack 1 win 500").fin);
}

TEST_CASE("tcp close: a FIN that came early counts when it is in order") {
  TcpScript tcp;
  tcp.handshake();
  const TrackResult early = tcp.check("> F. 11 ack 1 win 500");
  CHECK(early.drop == TrackDrop::none);
  CHECK_FALSE(early.fin);
  tcp.pass("> P. 1:11 ack 1 win 500");
  CHECK(tcp.pass("> F. 11 ack 1 win 500").fin);
}

TEST_CASE("tcp close: by RST, after which nothing passes") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("> P. 1:11 ack 1 win 500");
  CHECK(tcp.pass("< R 1").reset);
  tcp.states(TcpState::closed, TcpState::closed);
  CHECK(tcp.tracker.over());
  tcp.drop("> P. 11:12 ack 1 win 500", TrackDrop::stray);
  tcp.drop("< . 1 ack 11 win 500", TrackDrop::stray);
  tcp.drop("< R 1", TrackDrop::stray);
  tcp.drop("< S. 0 ack 1 win 500", TrackDrop::stray);
}

TEST_CASE("tcp close: by RST behind a FIN, as a server does that has unread octets") {
  TcpScript tcp;
  tcp.handshake();
  tcp.pass("< F. 1 ack 1 win 500");
  tcp.pass("> P. 1:9 ack 2 win 500");
  CHECK(tcp.pass("< R 2").reset);
}

TEST_CASE("tcp close: the same ends may open anew when all is over, and not before") {
  TcpScript tcp;
  tcp.handshake();
  tcp.drop("> S 70000 win 64240", TrackDrop::syn_in_window);
  tcp.pass("> F. 1 ack 1 win 500");
  tcp.pass("< F. 1 ack 2 win 500");
  tcp.drop("> S 70000 win 64240", TrackDrop::syn_in_window);
  CHECK_FALSE(tcp.check("> S 70000 win 64240").handshake_reuse);
  tcp.pass("> . 2 ack 2 win 500");

  const TrackResult again = tcp.check("> S 70000 win 64240");
  CHECK(again.drop == TrackDrop::none);
  CHECK(again.handshake_reuse);
  CHECK(tcp.check("< S 9 win 64240").handshake_reuse);
  CHECK_FALSE(tcp.check("< F. 1 ack 2 win 500").handshake_reuse);
  tcp.drop("< S. 9 ack 70001 win 64240", TrackDrop::syn_in_window);

  TcpScript anew(70'000, 9);
  anew.tracker = tcp.tracker;
  anew.handshake();
  CHECK_FALSE(anew.tracker.closing());
  CHECK(anew.tracker.half(Side::initiator).next == 70'001);
}
