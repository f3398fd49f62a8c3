#include "core/mime_header.h"

#include "core/mime_header_scanner.h"

namespace postern {

bool equals_ascii(std::string_view text, std::string_view lower) noexcept {
  if (text.size() != lower.size()) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (ascii_lower(text[at]) != lower[at]) return false;
  }
  return true;
}

std::string_view trim_blanks_behind(std::string_view text) noexcept {
  const std::size_t last = text.find_last_not_of(" \t");
  return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

std::string_view trim_blanks(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{}
                                         : trim_blanks_behind(text.substr(first));
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
  split.value = line.substr(colon + 1);
  const std::size_t first = split.value.find_first_not_of(" \t");
  split.value.remove_prefix(first == std::string_view::npos ? split.value.size() : first);
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
