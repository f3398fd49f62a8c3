#include "core/mime_header_scanner.h"

#include "core/mime_header.h"

namespace postern {
namespace {

[[nodiscard]] int hex_digit(char letter) noexcept {
  if (letter >= '0' && letter <= '9') return letter - '0';
  const char lower = ascii_lower(letter);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

bool HeaderScanner::take(char wanted) noexcept {
  if (rest_.empty() || rest_.front() != wanted) return false;
  rest_.remove_prefix(1);
  return true;
}

void HeaderScanner::skip_blanks() noexcept {
  std::size_t depth = 0;
  std::size_t at = 0;
  for (; at < rest_.size(); ++at) {
    const char letter = rest_[at];
    if (letter == '(' && comments_) {
      ++depth;
      saw_comment_ = true;
    } else if (depth > 0) {
      if (letter == ')') --depth;
      if (letter == '\\') ++at;
    } else if (letter != ' ' && letter != '\t' && letter != '\r') {
      break;
    }
  }
  rest_.remove_prefix(at < rest_.size() ? at : rest_.size());
}

std::string_view HeaderScanner::token() noexcept {
  const std::size_t end = rest_.find_first_of(" \t\r();/=,");
  const std::string_view token = rest_.substr(0, end);
  rest_.remove_prefix(token.size());
  return token;
}

QuotedText HeaderScanner::quoted() noexcept {
  rest_.remove_prefix(1);
  QuotedText text;
  std::size_t at = 0;
  while (at < rest_.size() && rest_[at] != '"') {
    if (rest_[at] == '\\') {
      text.escaped = true;
      ++at;
    }
    ++at;
  }
  text.closed = at < rest_.size();
  text.raw = rest_.substr(0, at);
  rest_.remove_prefix(text.closed ? at + 1 : rest_.size());
  return text;
}

std::string_view HeaderScanner::to_semicolon() noexcept {
  const std::string_view text = rest_.substr(0, rest_.find(';'));
  rest_.remove_prefix(text.size());
  return text;
}

std::string_view HeaderScanner::before_semicolon(std::size_t most) const noexcept {
  const std::string_view window = rest_.substr(0, most);
  return window.substr(0, window.find(';'));
}

std::string unescape(std::string_view raw) {
  std::string text;
  text.reserve(raw.size());
  for (std::size_t at = 0; at < raw.size(); ++at) {
    if (raw[at] == '\\' && at + 1 < raw.size()) ++at;
    text += raw[at];
  }
  return text;
}

std::string undo_percent(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '%' && at + 2 < text.size() && hex_digit(text[at + 1]) >= 0 &&
                        hex_digit(text[at + 2]) >= 0;
    if (escape) {
      plain += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
      at += 2;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

}  // namespace postern
