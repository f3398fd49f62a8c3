#include "core/transfer_decoding.h"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace postern;
using namespace std::literals;

namespace {

struct Decoded {
  std::string text;
  bool illegal = false;
  bool incomplete = false;
  bool operator==(const Decoded&) const = default;
};

/// How octets come in and how much room there is for what goes out.
struct Way {
  std::size_t piece = SIZE_MAX;
  std::size_t room = 4'096;
};

template <typename Decoder>
void feed(Decoder& decoder, std::string_view encoded, const Way& way, std::string& text) {
  for (std::size_t at = 0; at < encoded.size();) {
    const std::string_view piece = encoded.substr(at, way.piece);
    const std::vector<char> own(piece.begin(), piece.end());
    auto rest = std::as_bytes(std::span(own));
    while (!rest.empty()) {
      std::vector<std::byte> out(way.room);
      const DecodeStep step = decoder.decode(rest, out);
      REQUIRE(step.taken <= rest.size());
      REQUIRE(step.produced <= out.size());
      REQUIRE(step.taken + step.produced > 0);
      text.append(reinterpret_cast<const char*>(out.data()), step.produced);
      rest = rest.subspan(step.taken);
    }
    at += piece.size();
  }
}

Decoded base64(std::string_view encoded, const Way& way = {}) {
  Base64Decoder decoder;
  Decoded decoded;
  feed(decoder, encoded, way, decoded.text);
  decoded.illegal = decoder.illegal();
  decoded.incomplete = decoder.finish();
  return decoded;
}

Decoded quoted_printable(std::string_view encoded, const Way& way = {}) {
  QuotedPrintableDecoder decoder;
  Decoded decoded;
  feed(decoder, encoded, way, decoded.text);
  std::array<std::byte, QuotedPrintableDecoder::kOutputMin> rest{};
  const std::size_t produced = decoder.finish(rest);
  decoded.text.append(reinterpret_cast<const char*>(rest.data()), produced);
  decoded.illegal = decoder.illegal();
  return decoded;
}

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string encode_base64(std::string_view text, std::size_t line) {
  std::string encoded;
  std::size_t column = 0;
  const auto put = [&](char letter) {
    encoded += letter;
    if (++column == line) {
      encoded += "\r\n";
      column = 0;
    }
  };
  for (std::size_t at = 0; at < text.size(); at += 3) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8U | (at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U);
    }
    for (unsigned i = 0; i < 4; ++i) {
      const bool digit = at + i <= text.size();
      put(digit ? kAlphabet[bits >> (18U - 6U * i) & 63U] : '=');
    }
  }
  return encoded;
}

/// The rules of the decoder, written down a second time over the whole text: digits since the last
/// padding count in groups, all else is skipped.
std::string base64_by_rule(std::string_view encoded) {
  std::string text;
  std::string bits;
  for (const char letter : encoded) {
    if (letter == '=') bits.clear();
    const std::size_t digit = kAlphabet.find(letter);
    if (digit == std::string_view::npos) continue;
    for (int i = 5; i >= 0; --i) bits += (digit >> static_cast<unsigned>(i) & 1U) != 0 ? '1' : '0';
    if (bits.size() < 8) continue;
    text += static_cast<char>(std::stoi(bits.substr(0, 8), nullptr, 2));
    bits.erase(0, 8);
  }
  return text;
}

/// The same for quoted-printable.
std::string quoted_printable_by_rule(const std::string& encoded) {
  const auto hex = [](char letter) { return std::isxdigit(static_cast<unsigned char>(letter)); };
  std::string text;
  for (std::size_t at = 0; at < encoded.size(); ++at) {
    if (encoded[at] != '=') {
      text += encoded[at];
      continue;
    }
    if (at + 2 < encoded.size() && hex(encoded[at + 1]) && hex(encoded[at + 2])) {
      text += static_cast<char>(std::stoi(encoded.substr(at + 1, 2), nullptr, 16));
      at += 2;
      continue;
    }
    std::size_t end = encoded.find_first_not_of(" \t", at + 1);
    if (end == std::string::npos) end = encoded.size();
    const bool few = end - at - 1 <= QuotedPrintableDecoder::kHeldBlanksMax;
    if (end < encoded.size() && encoded[end] == '\r') ++end;
    const bool soft = end == encoded.size() || encoded[end] == '\n';
    if (few && soft) {
      at = end;
    } else {
      text += '=';
    }
  }
  return text;
}

const std::vector<Way> kWays{{1, 64}, {2, 65},  {3, 100},   {5, 4'096},
                             {7, 71}, {64, 64}, {1'000, 64}};

}  // namespace

TEST_CASE("base64 of every length comes back, whatever its lines and pieces") {
  std::mt19937 random(4);
  for (std::size_t length = 0; length < 200; ++length) {
    std::string text(length, '\0');
    for (char& letter : text) letter = static_cast<char>(random());
    for (const std::size_t line : {1U, 3U, 4U, 75U, 76U, 100'000U}) {
      const std::string encoded = encode_base64(text, line);
      CHECK(base64(encoded) == Decoded{.text = text});
      for (const Way& way : kWays) REQUIRE(base64(encoded, way) == Decoded{.text = text});
    }
  }
}

TEST_CASE("base64 has a room of a single octet to go on in") {
  CHECK(base64("U01VR0dMRUQ=", {.piece = 5, .room = 1}).text == "SMUGGLED");
}

TEST_CASE("what is not of the alphabet is skipped and named") {
  CHECK(base64("U01V*R0dM-RUQ=") == Decoded{.text = "SMUGGLED", .illegal = true});
  CHECK(base64("U01V\x80R0dMRUQ=\0"s) == Decoded{.text = "SMUGGLED", .illegal = true});
  CHECK(base64(" U01V\t\r\n\nR0dMRUQ=\r\n") == Decoded{.text = "SMUGGLED"});
}

TEST_CASE("text behind padding is decoded as a text of its own, and named") {
  CHECK(base64("U00=VUdHTEVE") == Decoded{.text = "SMUGGLED", .illegal = true});
  CHECK(base64("Uw==TQ==") == Decoded{.text = "SM", .illegal = true});
}

TEST_CASE("too much padding is illegal, too little incomplete") {
  CHECK(base64("U00==") == Decoded{.text = "SM", .illegal = true});
  CHECK(base64("=") == Decoded{.text = "", .illegal = true});
  CHECK(base64("U0=") == Decoded{.text = "S", .incomplete = true});
  CHECK(base64("U00") == Decoded{.text = "SM", .incomplete = true});
  CHECK(base64("U") == Decoded{.text = "", .incomplete = true});
  CHECK(base64("U01V") == Decoded{.text = "SMU"});
}

TEST_CASE("any octets decode as the rule says, in any pieces") {
  std::mt19937 random(5);
  constexpr std::string_view kOften = "ABCDwxyz0189+/ABCDefgh=\r\n *";
  for (int round = 0; round < 3'000; ++round) {
    std::string encoded(random() % 60, ' ');
    for (char& letter : encoded) letter = kOften[random() % kOften.size()];
    const Decoded whole = base64(encoded);
    CAPTURE(encoded);
    REQUIRE(whole.text == base64_by_rule(encoded));
    for (const Way& way : kWays) REQUIRE(base64(encoded, way) == whole);
  }
}

TEST_CASE("quoted-printable: escapes, and soft line breaks however they are written") {
  CHECK(quoted_printable("a=3Db=c3=A4") == Decoded{.text = "a=b\xc3\xa4"});
  CHECK(quoted_printable("SMUG=\r\nGLED") == Decoded{.text = "SMUGGLED"});
  CHECK(quoted_printable("SMUG=\nGLED") == Decoded{.text = "SMUGGLED"});
  CHECK(quoted_printable("SMUG= \t \r\nGLED") == Decoded{.text = "SMUGGLED"});
  CHECK(quoted_printable("two\r\nlines \r\n") == Decoded{.text = "two\r\nlines \r\n"});
  CHECK(quoted_printable("ends=") == Decoded{.text = "ends"});
  CHECK(quoted_printable("ends=\r\n") == Decoded{.text = "ends"});
}

TEST_CASE("what is no escape stays as it is and is named") {
  CHECK(quoted_printable("a=zz") == Decoded{.text = "a=zz", .illegal = true});
  CHECK(quoted_printable("a=4") == Decoded{.text = "a=4", .illegal = true});
  CHECK(quoted_printable("a=4=41") == Decoded{.text = "a=4A", .illegal = true});
  CHECK(quoted_printable("== 41") == Decoded{.text = "== 41", .illegal = true});
  CHECK(quoted_printable("a= \tb=\rc") == Decoded{.text = "a= \tb=\rc", .illegal = true});
  const std::string blanks(70, ' ');
  CHECK(quoted_printable("a=" + blanks + "\r\nb") ==
        Decoded{.text = "a=" + blanks + "\r\nb", .illegal = true});
}

TEST_CASE("any text of quoted-printable decodes as the rule says, in any pieces") {
  std::mt19937 random(6);
  constexpr std::string_view kOften = "==== 4Af\t\r\n\r\nxyz";
  for (int round = 0; round < 5'000; ++round) {
    std::string encoded(random() % 60, ' ');
    for (char& letter : encoded) letter = kOften[random() % kOften.size()];
    const Decoded whole = quoted_printable(encoded);
    CAPTURE(encoded);
    REQUIRE(whole.text == quoted_printable_by_rule(encoded));
    for (const Way& way : kWays) REQUIRE(quoted_printable(encoded, way) == whole);
  }
}
