#include "core/limits.h"
#include "test/framer_cuts.h"
#include "test/tls_samples.h"

using namespace postern;
using namespace postern::test;
using namespace std::string_literals;

namespace {

std::string tls(std::string_view stream) {
  return cuts_of({.framing = {.mode = FramingMode::tls}, .stream = stream});
}

std::string cut_of(const std::string& word, std::size_t at) {
  return word + ':' + std::to_string(at) + ':' + std::to_string(at);
}

}  // namespace

TEST_CASE("a client hello is known at its last octet") {
  const std::string whole = record(client_hello({.extensions = server_name("mx.example.org")}));
  CHECK(tls(whole) == cut_of("tls", whole.size()));
  CHECK(tls(whole + "more") == cut_of("tls", whole.size()));
  CHECK(tls(whole.substr(0, whole.size() - 1)) == "");
}

TEST_CASE("a hello may be parted over records and so may its header") {
  const std::string message = client_hello({});
  for (std::size_t first = 4; first < message.size(); ++first) {
    const std::string parted = record(message.substr(0, first)) + record(message.substr(first));
    CHECK(tls(parted) == cut_of("tls", parted.size()));
  }
  CHECK(tls(record(message.substr(0, 9)) + "\x17\x03\x03\x00\x10"s) == "no_tls:15:15");
  CHECK(tls(record(message.substr(0, 9)) + record("")) == "no_tls:19:19");
}

TEST_CASE("nothing shares a record with a client hello, a server's may go on") {
  const std::string client = client_hello({});
  CHECK(tls(record(client + "x")) == cut_of("no_tls", 5 + client.size()));
  const std::string server = server_hello("");
  CHECK(tls(record(server + handshake(11, "certificate"))) == cut_of("tls", 5 + server.size()));
}

TEST_CASE("every record version from SSL 3.0 to TLS 1.3 may carry the hello") {
  std::string whole = record(client_hello({}));
  for (char minor = 0; minor <= 4; ++minor) {
    whole[2] = minor;
    CHECK(tls(whole) == cut_of("tls", whole.size()));
  }
  whole[2] = 5;
  CHECK(tls(whole) == "no_tls:3:3");
  whole[1] = 2;
  CHECK(tls(whole) == "no_tls:2:2");
}

TEST_CASE("clear text after the go-ahead is told at its first octet") {
  CHECK(tls("MAIL FROM:<x@evil.test>\r\n") == "no_tls:1:1");
}

TEST_CASE("a heartbeat, an alert or application data is no start of a handshake") {
  CHECK(tls("\x18\x03\x02\x00\x03\x01\x40\x00"s) == "no_tls:1:1");
  CHECK(tls("\x15\x03\x01\x00\x02\x02\x28"s) == "no_tls:1:1");
  CHECK(tls("\x17\x03\x03\x00\x10\x01"s) == "no_tls:1:1");
}

TEST_CASE("an alert may come in place of a hello, as the first record of its stream") {
  const auto cut = [](std::string_view stream) {
    return cuts_of({.framing = {.mode = FramingMode::tls, .tolerant = true}, .stream = stream});
  };
  CHECK(cut("\x15\x03\x01\x00\x02\x02\x46"s) == "alert:7:7");
  CHECK(cut("\x15\x03\x03\x00\x02\x01\x70more"s) == "alert:7:7");
  CHECK(cut("\x15\x03\x03\x00\x02\x02"s) == "");
  CHECK(cut("\x15\x03\x03\x00\x02\x03\x46"s) == "no_tls:6:6");
  CHECK(cut("\x15\x03\x03\x00\x03\x02\x46"s) == "no_tls:5:5");
  CHECK(cut("\x15\x03\x03\x00\x04\x02\x46\x02\x46"s) == "no_tls:5:5");
  CHECK(cut("\x15\x02\x03\x00\x02\x02\x46"s) == "no_tls:2:2");
  CHECK(cut("\x17\x03\x03\x00\x02\x02\x46"s) == "no_tls:1:1");
  const std::string server = server_hello("");
  CHECK(cut(record(server)) == cut_of("tls", 5 + server.size()));
  CHECK(cut(record(server.substr(0, 9)) + "\x15\x03\x03\x00\x02\x02\x46"s) == "no_tls:15:15");
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
  CHECK(tls("\x16\x03\x01\x00\x04\x01"s) == "");
  CHECK(tls("\x16\x03\x01\x40\x00\x01"s) == "");
  CHECK(tls("\x16\x03\x01\x40\x01\x01"s) == "no_tls:5:5");
  CHECK(tls("\x16\x03\x01\x41\x00\x01"s) == "no_tls:4:4");
}

TEST_CASE("a message too short or too long for a hello is refused at its length") {
  CHECK(tls("\x16\x03\x01\x02\x00\x01\x01"s) == "no_tls:7:7");
  CHECK(tls("\x16\x03\x01\x02\x00\x01\x00\x40"s) == "no_tls:8:8");
  CHECK(tls("\x16\x03\x01\x02\x00\x01\x00\x00\x25"s) == "no_tls:9:9");
  CHECK(tls("\x16\x03\x01\x02\x00\x01\x00\x00\x26"s) == "");
}

TEST_CASE("records of one octet each do not make a hello longer than its limit") {
  std::string stream = record(std::string("\x01\x00\x3f\xff", 4));
  while (stream.size() < 2 * kTlsHelloBytesMax) stream += record("x");
  Framer framer({.mode = FramingMode::tls});
  const Cut cut = framer.next(octets(stream));
  CHECK(cut.kind == CutKind::tls_start);
  CHECK_FALSE(cut.well_formed);
  CHECK(cut.taken == kTlsHelloBytesMax + 1);
}

TEST_CASE("the question is answered once") {
  const std::string whole = record(client_hello({}));
  CHECK(tls(whole + whole) == cut_of("tls", whole.size()));
}

TEST_CASE("a question asked anew begins at the first octet") {
  const std::string whole = record(client_hello({}));
  Framer framer({.mode = FramingMode::tls});
  CHECK(framer.next(octets("\x16\x03"s)).kind == CutKind::need_more);
  framer.set({.mode = FramingMode::tls});
  const Cut cut = framer.next(octets(whole));
  CHECK(cut.taken == whole.size());
  CHECK(cut.well_formed);
}
