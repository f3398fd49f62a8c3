#include "core/tls_hello.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/limits.h"
#include "test/framer_cuts.h"
#include "test/tls_samples.h"

using namespace postern;
using namespace postern::test;
using namespace std::string_literals;

namespace {

std::string text(std::span<const std::byte> bytes) {
  std::string out;
  for (const std::byte octet : bytes) out += static_cast<char>(octet);
  return out;
}

bool reads(const std::string& message) {
  return read_tls_hello(octets(message)).has_value();
}

std::string with(const std::string& extensions) {
  return client_hello({.extensions = extensions});
}

std::string written(const std::string& message) {
  const auto hello = read_tls_hello(octets(message));
  if (!hello) return "none";
  std::vector<std::byte> out(message.size());
  const std::size_t length = write_tls_hello(*hello, out);
  REQUIRE(length <= message.size());
  return text(std::span(out).first(length));
}

}  // namespace

TEST_CASE("a client hello says its name, its protocols and its highest version") {
  const std::string message = with(server_name("mx.example.org") + alpn({"smtp", "h2"}) +
                                   extension(43, vector8("\x7a\x7a\x03\x03\x03\x04\x03\x01"s)) +
                                   extension(13, vector16("\x04\x03\x08\x04"s)));
  const auto hello = read_tls_hello(octets(message));
  REQUIRE(hello);
  CHECK(hello->type == kTlsClientHello);
  CHECK(hello->version == 0x0304);
  CHECK(text(hello->server_name) == "mx.example.org");
  CHECK(text(hello->alpn) == "\x04smtp\x02h2"s);
  CHECK(text(hello->ciphers) == "\x13\x01\xc0\x2f"s);
  CHECK(text(hello->signatures) == "\x04\x03\x08\x04"s);
}

TEST_CASE("without supported_versions the version of the hello is the highest") {
  CHECK(read_tls_hello(octets(client_hello({})))->version == 0x0303);
  CHECK(read_tls_hello(octets(client_hello({.version = "\x03\x01"})))->version == 0x0301);
  CHECK_FALSE(reads(client_hello({.version = "\x02\x00"s})));
}

TEST_CASE("an offer of nothing but values that are no versions has none") {
  CHECK(read_tls_hello(octets(with(extension(43, vector8("\x0a\x0a\x7f\x1c"s)))))->version == 0);
}

TEST_CASE("a server hello says what it chose") {
  CHECK(read_tls_hello(octets(server_hello("")))->version == 0x0303);
  const std::string newer = server_hello(extension(43, "\x03\x04"), "\x13\x02");
  CHECK(read_tls_hello(octets(newer))->version == 0x0304);
  CHECK(text(read_tls_hello(octets(newer))->ciphers) == "\x13\x02");
  CHECK(reads(server_hello(extension(0, ""))));
  CHECK_FALSE(reads(server_hello(server_name("mx"))));
  CHECK_FALSE(reads(server_hello(extension(43, vector8("\x03\x04")))));
}

TEST_CASE("the same extension twice is no hello") {
  CHECK(reads(with(server_name("a") + extension(23, ""))));
  CHECK_FALSE(reads(with(server_name("a") + server_name("b"))));
  CHECK_FALSE(reads(with(extension(23, "") + extension(10, "xx") + extension(23, ""))));
}

TEST_CASE("lengths that do not add up are no hello") {
  const std::string good =
      with(server_name("mx.example.org") + alpn({"smtp"}) + extension(43, vector8("\x03\x04")));
  REQUIRE(reads(good));
  for (std::size_t length = 0; length < good.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(reads(good.substr(0, length)));
    // The message's own length adds up; what stands inside does not. The hello without extensions
    // is one.
    const std::string body = good.substr(4, length);
    const bool without_extensions = length == 2 + 32 + 1 + 6 + 2;
    if (length < good.size() - 4) CHECK(reads(handshake(1, body)) == without_extensions);
  }
  CHECK_FALSE(reads(good + "x"));
  CHECK_FALSE(reads(handshake(1, good.substr(4) + "x")));
  CHECK_FALSE(reads(with(extension(0, ""))));
  CHECK_FALSE(reads(with(extension(0, vector16("")))));
  CHECK_FALSE(reads(with(extension(0, vector16("\0\0\0"s)))));
  CHECK_FALSE(reads(with(extension(0, vector16('\0' + vector16("a")) + "x"))));
  CHECK_FALSE(reads(with(extension(16, vector16("\x05smtp")))));
  CHECK_FALSE(reads(with(extension(16, vector16("\x00"s)))));
  CHECK_FALSE(reads(with(extension(43, vector8("\x03")))));
  CHECK_FALSE(reads(with(extension(43, vector8("")))));
  CHECK_FALSE(reads(with(extension(13, vector16("\x04")))));
}

TEST_CASE("cipher suites come in twos, compression methods at all") {
  CHECK_FALSE(reads(client_hello({.ciphers = ""})));
  CHECK_FALSE(reads(client_hello({.ciphers = "\x13\x01\x13"})));
  CHECK_FALSE(reads(client_hello({.compression = ""})));
  CHECK(reads(client_hello({.session_id = std::string(32, 's')})));
  CHECK_FALSE(reads(client_hello({.session_id = std::string(33, 's')})));
}

TEST_CASE("a name longer than a host name, or two of them, are no hello") {
  CHECK(reads(with(server_name(std::string(255, 'a')))));
  CHECK_FALSE(reads(with(server_name(std::string(256, 'a')))));
  const std::string one = '\0' + vector16("a");
  CHECK_FALSE(reads(with(extension(0, vector16(one + one)))));
  CHECK(reads(with(extension(0, vector16(one + "\x07" + vector16("other"))))));
}

TEST_CASE("what is written has five vectors behind type and version") {
  CHECK(written(with(server_name("mx") + alpn({"smtp"}) + extension(21, "padding"))) ==
        "\x01\x03\x03"s + vector16("mx") + vector16(vector8("smtp")) +
            vector16("\x13\x01\xc0\x2f") + vector16("\x00\x00\x00\x10\x00\x15"s) + vector16(""));
  CHECK(written(client_hello({})).size() <= client_hello({}).size());
  CHECK(written(server_hello("")) == "\x02\x03\x03"s + vector16("") + vector16("") +
                                         vector16("\x13\x01") + vector16("") + vector16(""));
}

TEST_CASE("a hello parted over records is joined") {
  const std::string message = with(server_name("mx.example.org"));
  for (std::size_t first = 4; first < message.size(); ++first) {
    const std::string parted = record(message.substr(0, first)) + record(message.substr(first));
    std::vector<std::byte> own(octets(parted).begin(), octets(parted).end());
    CHECK(text(join_tls_records(own)) == message);
  }
}

TEST_CASE("a server's certificate in the record of its hello is none of the hello's") {
  const std::string hello = server_hello("");
  const std::string whole = record(hello + handshake(11, "certificate"));
  const std::size_t end = 5 + hello.size();
  std::vector<std::byte> own(octets(whole).begin(),
                             octets(whole).begin() + static_cast<std::ptrdiff_t>(end));
  CHECK(text(join_tls_records(own)) == hello);
}
