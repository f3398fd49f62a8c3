#include "core/encoded_words.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/mime_header.h"
#include "core/transfer_decoding.h"

namespace postern {
namespace {

struct EncodedWord {
  std::string_view charset;
  bool base64 = false;
  std::string_view text;
  std::size_t length = 0;  ///< of all of it, from `=?` to `?=`
};

/// The encoded word at the beginning of `value`, if there is one.
[[nodiscard]] std::optional<EncodedWord> word_at(std::string_view value) noexcept {
  if (!value.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = value.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end == 2) return std::nullopt;
  if (charset_end + 2 >= value.size() || value[charset_end + 2] != '?') return std::nullopt;
  const char coding = value[charset_end + 1];
  const bool base64 = coding == 'B' || coding == 'b';
  if (!base64 && coding != 'Q' && coding != 'q') return std::nullopt;
  const std::size_t text_begin = charset_end + 3;
  std::size_t end = value.find('?', text_begin);
  // A question mark inside is not allowed, but some senders leave it in a Q text.
  while (end != std::string_view::npos && value.substr(end, 2) != "?=") {
    end = value.find('?', end + 1);
  }
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view charset = value.substr(2, charset_end - 2);
  charset = charset.substr(0, charset.find('*'));  // RFC 2231 5: a language behind it
  return EncodedWord{.charset = charset,
                     .base64 = base64,
                     .text = value.substr(text_begin, end - text_begin),
                     .length = end + 2};
}

[[nodiscard]] std::span<const std::byte> octets(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}

void append_base64(std::string_view text, std::string& out) {
  Base64Decoder decoder;
  std::array<char, 192> block{};
  auto rest = octets(text);
  while (!rest.empty()) {
    const DecodeStep step = decoder.decode(rest, std::as_writable_bytes(std::span(block)));
    out.append(block.data(), step.produced);
    rest = rest.subspan(step.taken);
  }
}

[[nodiscard]] int hex_digit(char letter) noexcept {
  if (letter >= '0' && letter <= '9') return letter - '0';
  const char lower = ascii_lower(letter);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void append_q(std::string_view text, std::string& out) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '=' && at + 2 < text.size() && hex_digit(text[at + 1]) >= 0 &&
        hex_digit(text[at + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
      at += 2;
    } else {
      out += text[at] == '_' ? ' ' : text[at];
    }
  }
}

void append_utf8(std::uint32_t point, std::string& out) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80U | (point >> shift & 0x3FU));
  };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0U | point >> 6U);
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0U | point >> 12U);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | point >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

[[nodiscard]] std::uint32_t octet_at(std::string_view text, std::size_t at) noexcept {
  return static_cast<unsigned char>(text[at]);
}

/// UTF-16 with a mark, or big-endian without one (RFC 2781 4.3). A lone surrogate stays as it is.
void append_utf16(std::string_view text, bool little_endian, std::string& out) {
  if (text.starts_with("\xFF\xFE")) little_endian = true;
  if (text.starts_with("\xFE\xFF")) little_endian = false;
  const auto unit = [&](std::size_t at) {
    const std::uint32_t first = octet_at(text, at);
    const std::uint32_t second = octet_at(text, at + 1);
    return little_endian ? second << 8U | first : first << 8U | second;
  };
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    std::uint32_t point = unit(at);
    if (point == 0xFEFF && at == 0) continue;
    const bool high = point >= 0xD800 && point < 0xDC00;
    if (high && at + 3 < text.size() && (unit(at + 2) & 0xFC00U) == 0xDC00U) {
      point = 0x10000 + ((point & 0x3FFU) << 10U) + (unit(at + 2) & 0x3FFU);
      at += 2;
    }
    append_utf8(point, out);
  }
}

void append_word(const EncodedWord& word, std::string& out) {
  const bool latin1 =
      equals_ascii(word.charset, "iso-8859-1") || equals_ascii(word.charset, "latin1");
  const bool utf16_le = equals_ascii(word.charset, "utf-16le");
  const bool utf16 =
      utf16_le || equals_ascii(word.charset, "utf-16") || equals_ascii(word.charset, "utf-16be");
  std::string converted;
  std::string& decoded = latin1 || utf16 ? converted : out;
  if (word.base64) {
    append_base64(word.text, decoded);
  } else {
    append_q(word.text, decoded);
  }
  if (utf16) append_utf16(converted, utf16_le, out);
  if (!latin1) return;
  for (std::size_t at = 0; at < converted.size(); ++at) append_utf8(octet_at(converted, at), out);
}

}  // namespace

bool decode_encoded_words(std::string_view value, std::string& out) {
  const std::size_t before = out.size();
  std::size_t copied = 0;  ///< octets of the value that stand in `out`, or in a word that does
  bool found = false;
  bool word_ends_here = false;
  std::size_t at = value.find("=?");
  // Where no `?=` follows any more, no word can end: the search must not be made again and again.
  const std::size_t last_end = value.rfind("?=");
  while (at != std::string_view::npos && last_end != std::string_view::npos && at < last_end) {
    const std::optional<EncodedWord> word = word_at(value.substr(at));
    if (!word) {
      at = value.find("=?", at + 1);
      continue;
    }
    const std::string_view between = value.substr(copied, at - copied);
    const bool only_blanks = between.find_first_not_of(" \t\r\n") == std::string_view::npos;
    if (!word_ends_here || !only_blanks) out += between;
    append_word(*word, out);
    found = word_ends_here = true;
    copied = at + word->length;
    at = value.find("=?", copied);
  }
  if (!found) {
    out.resize(before);
    return false;
  }
  out += value.substr(copied);
  return true;
}

}  // namespace postern
