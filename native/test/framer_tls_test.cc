#include "test/framer_cuts.h"

using namespace postern;
using namespace postern::test;
using namespace std::string_literals;

namespace {

std::string tls(std::string_view stream) {
  return cuts_of({.framing = {.mode = FramingMode::tls}, .stream = stream});
}

}  // namespace

TEST_CASE("a client hello is known by its first six octets") {
  CHECK(tls("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s) == "tls:6:6");
}

TEST_CASE("a server hello is a start as well") {
  CHECK(tls("\x16\x03\x03\x00\x7a\x02\x00\x00\x76"s) == "tls:6:6");
}

TEST_CASE("every record version from SSL 3.0 to TLS 1.3 may carry the hello") {
  for (char minor = 0; minor <= 4; ++minor) {
    CHECK(tls("\x16\x03"s + minor + "\x00\xc8\x01"s) == "tls:6:6");
  }
  CHECK(tls("\x16\x03\x05\x00\xc8\x01"s) == "no_tls:3:3");
}

TEST_CASE("five octets of a hello are not enough to tell") {
  CHECK(tls("\x16\x03\x01\x02\x00"s) == "");
}

TEST_CASE("clear text after the go-ahead is told at its first octet") {
  CHECK(tls("MAIL FROM:<x@evil.test>\r\n") == "no_tls:1:1");
}

TEST_CASE("a heartbeat, an alert or application data is no start of a handshake") {
  CHECK(tls("\x18\x03\x02\x00\x03\x01\x40\x00"s) == "no_tls:1:1");
  CHECK(tls("\x15\x03\x01\x00\x02\x02\x28"s) == "no_tls:1:1");
  CHECK(tls("\x17\x03\x03\x00\x10\x01"s) == "no_tls:1:1");
}

TEST_CASE("an SSL 2.0 hello is refused") {
  CHECK(tls("\x80\x2e\x01\x03\x01"s) == "no_tls:1:1");
}

TEST_CASE("a handshake message that is no hello is refused at its type") {
  CHECK(tls("\x16\x03\x03\x00\x10\x00\x00\x00\x00"s) == "no_tls:6:6");
  CHECK(tls("\x16\x03\x03\x00\x10\x0b\x00\x00\x00"s) == "no_tls:6:6");
}

TEST_CASE("a record length that no record has is refused as soon as it is known") {
  CHECK(tls("\x16\x03\x01\x00\x00\x01"s) == "no_tls:5:5");
  CHECK(tls("\x16\x03\x01\x00\x03\x01"s) == "no_tls:5:5");
  CHECK(tls("\x16\x03\x01\x00\x04\x01"s) == "tls:6:6");
  CHECK(tls("\x16\x03\x01\x41\x00\x01"s) == "tls:6:6");
  CHECK(tls("\x16\x03\x01\x41\x01\x01"s) == "no_tls:5:5");
  CHECK(tls("\x16\x03\x01\x42\x00\x01"s) == "no_tls:4:4");
}

TEST_CASE("the question is answered once") {
  CHECK(tls("\x16\x03\x01\x02\x00\x01\x16\x03\x01\x02\x00\x01"s) == "tls:6:6");
}

TEST_CASE("a question asked anew begins at the first octet") {
  Framer framer({.mode = FramingMode::tls});
  CHECK(framer.next(octets("\x16\x03"s)).kind == CutKind::need_more);
  framer.set({.mode = FramingMode::tls});
  const Cut cut = framer.next(octets("\x16\x03\x01\x02\x00\x01"s));
  CHECK(cut.taken == 6);
  CHECK(cut.well_formed);
}
