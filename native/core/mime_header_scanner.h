#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern {

struct QuotedText {
  std::string_view raw;  ///< between the quotes, as it came
  bool escaped = false;  ///< there is a backslash in it
  bool closed = true;
};

/// Goes through a structured header value token by token (RFC 2045 5.1, RFC 5322 3.2). Each call
/// goes forward or stays at the end, so a value is read in time linear in its length.
class HeaderScanner {
 public:
  /// `comments`: whether parentheses make comments, as some readers have it and others do not.
  explicit HeaderScanner(std::string_view value, bool comments = true) noexcept
      : rest_(value), comments_(comments) {}

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  /// The next character, NUL at the end.
  [[nodiscard]] char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }
  /// The next character, if it is this one.
  bool take(char wanted) noexcept;
  /// Blanks and comments, nested ones too. A comment that does not end takes the rest.
  void skip_blanks() noexcept;
  [[nodiscard]] bool saw_comment() const noexcept { return saw_comment_; }
  /// Up to a blank or any of `( ) ; / = ,`; may be empty.
  [[nodiscard]] std::string_view token() noexcept;
  /// A quoted string, its opening quote being the next character.
  [[nodiscard]] QuotedText quoted() noexcept;
  /// Up to the next `;`, which stays, or the end.
  [[nodiscard]] std::string_view to_semicolon() noexcept;
  /// What to_semicolon() would give, or its first `most` octets; nothing is taken. A value may ask
  /// this at each of its parameters.
  [[nodiscard]] std::string_view before_semicolon(std::size_t most) const noexcept;
  [[nodiscard]] std::size_t remaining() const noexcept { return rest_.size(); }

 private:
  std::string_view rest_;
  bool comments_;
  bool saw_comment_ = false;
};

/// A quoted string's content with its quoted pairs undone.
[[nodiscard]] std::string unescape(std::string_view raw);
/// RFC 2231 4: `%41` and the like undone.
[[nodiscard]] std::string undo_percent(std::string_view text);

}  // namespace postern
