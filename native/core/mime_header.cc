#include "core/mime_header.h"

#include "core/mime_header_scanner.h"

namespace postern {
namespace {

[[nodiscard]] bool is_blank(char letter) noexcept {
  return letter == ' ' || letter == '\t';
}

[[nodiscard]] std::string_view trim_blanks_before(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size() && is_blank(text[at])) ++at;
  return text.substr(at);
}

}  // namespace

bool equals_ascii(std::string_view text, std::string_view lower) noexcept {
  if (text.size() != lower.size()) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (ascii_lower(text[at]) != lower[at]) return false;
  }
  return true;
}

std::string_view trim_blanks_behind(std::string_view text) noexcept {
  std::size_t size = text.size();
  while (size > 0 && is_blank(text[size - 1])) --size;
  return text.substr(0, size);
}

std::string_view trim_blanks(std::string_view text) noexcept {
  return trim_blanks_behind(trim_blanks_before(text));
}

HeaderLine split_header_line(std::string_view line) noexcept {
  HeaderLine split;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return split;
  split.has_colon = true;
  const std::string_view before = line.substr(0, colon);
  split.name = trim_blanks(before);
  split.name_legal = !split.name.empty() && before.starts_with(split.name);
  for (const char letter : split.name) {
    if (letter < 33 || letter > 126) split.name_legal = false;
  }
  split.value = trim_blanks_before(line.substr(colon + 1));
  return split;
}

TransferEncoding parse_transfer_encoding(std::string_view value) {
  TransferEncoding encoding;
  HeaderScanner scanner(value);
  scanner.skip_blanks();
  const bool quoted = scanner.peek() == '"';
  const std::string_view token = quoted ? trim_blanks(scanner.quoted().raw) : scanner.token();
  for (const char letter : token) encoding.token += ascii_lower(letter);
  scanner.skip_blanks();
  if (quoted || token.empty() || scanner.saw_comment() || !scanner.at_end()) {
    encoding.anomalies.add(MimeAnomaly::encoding_malformed);
  }
  return encoding;
}

}  // namespace postern
