#include "core/pattern_set_expression.h"

#include "core/limits.h"

namespace postern {
namespace {

constexpr std::string_view kBodyLineEnd = R"((?:\r?$))";
constexpr std::string_view kTextEnd = R"(\z)";

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// The octets of `[:alpha:]` inside a class, 0 when there is no such thing here.
std::size_t named_class_octets(std::string_view text) noexcept {
  if (!text.starts_with("[:")) return 0;
  std::size_t at = 2;
  if (at < text.size() && text[at] == '^') ++at;
  while (at < text.size() && is_letter(text[at])) ++at;
  return text.substr(at).starts_with(":]") ? at + 2 : 0;
}

/// The octets of a class with its brackets; all there are when it is not closed. A bracket that
/// stands first is a member.
std::size_t class_octets(std::string_view text) noexcept {
  std::size_t at = 1;
  if (at < text.size() && text[at] == '^') ++at;
  if (at < text.size() && text[at] == ']') ++at;
  while (at < text.size() && text[at] != ']') {
    const std::size_t named = named_class_octets(text.substr(at));
    at += named != 0 ? named : (text[at] == '\\' ? 2U : 1U);
  }
  return at < text.size() ? at + 1 : text.size();
}

/// What is wrong with the element that begins here; empty when the engine may decide.
std::string_view fault_of(std::string_view text) noexcept {
  if (text[0] == '\0') return R"(An octet of value 0 is written as \x00)";
  if (text.starts_with(R"(\Q)") || text.starts_with(R"(\E)")) return R"(\Q and \E are no quotes)";
  if (text.starts_with("(*")) return "Nothing to repeat before '*'";
  if (!text.starts_with("(?") || text.starts_with("(?:")) return {};
  if (text.starts_with("(?=") || text.starts_with("(?!") || text.starts_with("(?<")) {
    return "Looking ahead or behind is not supported";
  }
  return "A group begins with '(' or '(?:'";
}

/// The octets of an escape, a class or a single character.
std::size_t element_octets(std::string_view text) noexcept {
  if (text[0] == '[') return class_octets(text);
  return text[0] == '\\' && text.size() > 1 ? 2 : 1;
}

void append(EngineExpression& to, std::string_view text, std::size_t origin, bool copied) {
  to.text += text;
  for (std::size_t i = 0; i < text.size(); ++i) to.origins.push_back(copied ? origin + i : origin);
}

EngineExpression refused(std::string_view message, std::size_t column) {
  EngineExpression answer;
  answer.error.message = message;
  answer.error.column = column;
  return answer;
}

}  // namespace

EngineExpression engine_expression(std::string_view expression, PatternPlace place) {
  if (expression.empty()) return refused("The pattern is empty", 0);
  if (expression.size() > kPatternExpressionBytesMax) {
    return refused(
        "The pattern is longer than " + std::to_string(kPatternExpressionBytesMax) + " octets",
        kPatternExpressionBytesMax);
  }
  EngineExpression answer;
  const std::string_view end = place == PatternPlace::body ? kBodyLineEnd : kTextEnd;
  for (std::size_t at = 0; at < expression.size();) {
    const std::string_view rest = expression.substr(at);
    if (const std::string_view fault = fault_of(rest); !fault.empty()) {
      return refused(fault, rest.starts_with("(*") ? at + 1 : at);
    }
    const std::size_t octets = element_octets(rest);
    const bool is_end = rest[0] == '$';
    append(answer, is_end ? end : rest.substr(0, octets), at, !is_end);
    at += octets;
  }
  // A class or an escape was taken as a whole, so its octets were not looked at.
  const std::size_t nul = answer.text.find('\0');
  return nul == std::string::npos ? answer : refused(fault_of({"\0", 1}), answer.origins[nul]);
}

}  // namespace postern
