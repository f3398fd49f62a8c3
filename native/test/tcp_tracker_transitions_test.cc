#include <doctest/doctest.h>

#include <array>
#include <sstream>
#include <string>

#include "core/tcp_transitions.h"

using namespace postern;

namespace {

/// RFC 9293 figure 5, read from the middle. `-`: stray; `=`: stays. A second writing of the table,
/// by hand, so that a slip in the first one shows.
constexpr const char* kExpected =
    "CLOSED        SYN-SENT  -             =            =            =  =           =           =\n"
    "LISTEN        -         SYN-RECEIVED  -            -            -  -           -           -\n"
    "SYN-SENT      =         -             ESTABLISHED  -            -  -           -           -\n"
    "SYN-RECEIVED  -         =             -            ESTABLISHED  -  -           -           -\n"
    "ESTABLISHED   -         =             =            =            =  CLOSE-WAIT  FIN-WAIT-1  -\n"
    "FIN-WAIT-1    -         -             =            =            =  CLOSING     =  FIN-WAIT-2\n"
    "FIN-WAIT-2    -         -             =            =            =  TIME-WAIT   =           =\n"
    "CLOSE-WAIT    -         -             =            =            =  =           LAST-ACK    -\n"
    "CLOSING       -         -             =            =            =  =           =  TIME-WAIT\n"
    "LAST-ACK      -         -             =            =            =  =           =     CLOSED\n"
    "TIME-WAIT     -         -             =            =            =  =           =           "
    "=\n";

std::string print(TcpState state, Transition entry) {
  if (!entry.allowed) return "-";
  return entry.next == state ? "=" : name_of(entry.next);
}

}  // namespace

TEST_CASE("tcp transitions: every entry of the table is the one we mean") {
  std::istringstream lines(kExpected);
  for (std::size_t s = 0; s < kTcpStates; ++s) {
    const auto state = static_cast<TcpState>(s);
    std::string word;
    lines >> word;
    CHECK(word == name_of(state));
    for (std::size_t e = 0; e < kPeerEvents; ++e) {
      lines >> word;
      INFO(name_of(state), ", event ", e);
      CHECK(print(state, transition(state, static_cast<PeerEvent>(e))) == word);
    }
  }
}

TEST_CASE("tcp transitions: from every state that lives, some events lead to an end") {
  std::array<bool, kTcpStates> ends{};
  for (std::size_t s = 0; s < kTcpStates; ++s) ends[s] = is_over(static_cast<TcpState>(s));
  for (std::size_t round = 0; round < kTcpStates; ++round) {
    for (std::size_t s = 0; s < kTcpStates; ++s) {
      for (std::size_t e = 0; e < kPeerEvents; ++e) {
        const Transition entry = transition(static_cast<TcpState>(s), static_cast<PeerEvent>(e));
        if (entry.allowed && ends[static_cast<std::size_t>(entry.next)]) ends[s] = true;
      }
    }
  }
  for (std::size_t s = 0; s < kTcpStates; ++s) {
    INFO(name_of(static_cast<TcpState>(s)));
    CHECK(ends[s]);
  }
}
