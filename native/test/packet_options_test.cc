#include <doctest/doctest.h>

#include "test/packet_samples.h"

using namespace postern;
using namespace postern::test;

namespace {

/// Parses a SYN with these options, which must fill whole words.
ParseError parse(std::initializer_list<unsigned> options, TcpOptions& out) {
  Octets bytes = ipv4_sample(tcp_sample({.flags = kSyn, .options = octets_of(options)}));
  TcpPacket packet;
  const ParseError error = parse_tcp_packet(bytes, packet);
  out = packet.options;
  return error;
}

ParseError error_with(std::initializer_list<unsigned> options) {
  TcpOptions out;
  return parse(options, out);
}

}  // namespace

TEST_CASE("the options of a common SYN are read") {
  TcpOptions options;
  REQUIRE(parse({2, 4, 5, 0xB4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 14}, options) ==
          ParseError::none);
  CHECK(options.mss == 1460);
  CHECK(options.sack_permitted);
  CHECK(options.has_timestamps);
  CHECK(options.timestamp_value == 0x0102'0304);
  CHECK(options.timestamp_echo == 0x0506'0708);
  CHECK(options.window_scale == 14);
  CHECK_FALSE(options.has_md5);
  CHECK_FALSE(options.has_authentication);
  CHECK_FALSE(options.has_fast_open);
}

TEST_CASE("a window scale over 14 is given as sent (TCP-82)") {
  TcpOptions options;
  REQUIRE(parse({3, 3, 15, 1}, options) == ParseError::none);
  CHECK(options.window_scale == 15);
}

TEST_CASE("no options are no options") {
  TcpOptions options;
  REQUIRE(parse({}, options) == ParseError::none);
  CHECK_FALSE(options.mss.has_value());
  CHECK_FALSE(options.window_scale.has_value());
  CHECK_FALSE(options.has_timestamps);
}

TEST_CASE("MD5 and authentication options are seen (TCP-28, TCP-46)") {
  TcpOptions options;
  REQUIRE(parse({19, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}, options) ==
          ParseError::none);
  CHECK(options.has_md5);
  REQUIRE(parse({29, 4, 0, 0}, options) == ParseError::none);
  CHECK(options.has_authentication);
}

TEST_CASE("fast open is seen under its own kind and the experimental one (TCP-54)") {
  TcpOptions options;
  REQUIRE(parse({34, 2, 1, 1}, options) == ParseError::none);
  CHECK(options.has_fast_open);
  REQUIRE(parse({254, 4, 0xF9, 0x89}, options) == ParseError::none);
  CHECK(options.has_fast_open);
  REQUIRE(parse({254, 4, 0x12, 0x34}, options) == ParseError::none);
  CHECK_FALSE(options.has_fast_open);
}

TEST_CASE("an unknown option is stepped over by its length (TCP-30)") {
  TcpOptions options;
  REQUIRE(parse({77, 6, 2, 4, 0, 1, 2, 4, 2, 0x18, 1, 1}, options) == ParseError::none);
  CHECK(options.mss == 0x0218);
}

TEST_CASE("behind the end of the list nothing is read") {
  TcpOptions options;
  REQUIRE(parse({1, 0, 2, 4, 5, 0xB4, 8, 1}, options) == ParseError::none);
  CHECK_FALSE(options.mss.has_value());
}

TEST_CASE("an option's length below two or past the header is impossible") {
  CHECK(error_with({77, 0, 1, 1}) == ParseError::bad_tcp_header);
  CHECK(error_with({77, 1, 1, 1}) == ParseError::bad_tcp_header);
  CHECK(error_with({77, 5, 1, 1}) == ParseError::bad_tcp_header);
  CHECK(error_with({1, 1, 1, 77}) == ParseError::bad_tcp_header);
}

TEST_CASE("a known option whose length is not its own is refused") {
  CHECK(error_with({2, 3, 5, 1}) == ParseError::bad_tcp_header);
  CHECK(error_with({3, 4, 7, 0}) == ParseError::bad_tcp_header);
  CHECK(error_with({4, 3, 0, 1}) == ParseError::bad_tcp_header);
  CHECK(error_with({8, 8, 0, 0, 0, 0, 0, 0}) == ParseError::bad_tcp_header);
  CHECK(error_with({19, 4, 0, 0}) == ParseError::bad_tcp_header);
  CHECK(error_with({29, 3, 0, 1}) == ParseError::bad_tcp_header);
}
