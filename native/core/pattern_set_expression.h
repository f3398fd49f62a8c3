#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

inline constexpr std::size_t kNoPattern = ~std::size_t{0};
inline constexpr std::size_t kNoColumn = ~std::size_t{0};

/// Where the texts come from that a set of patterns is held against.
enum class PatternPlace : std::uint8_t {
  field,  ///< a value that is one thing: an address, a content type, a command
  line,   ///< a header line, as it came (folds included) or unfolded
  body,   ///< text of many lines that comes in pieces
};

/// Why a pattern or a whole set is refused. The message is a sentence without a full stop.
struct PatternError {
  std::size_t index = kNoPattern;  ///< which pattern; kNoPattern: the set as a whole
  std::string message;
  std::size_t column = kNoColumn;  ///< octets into its expression, from 0
};

/// A regular expression in the words of the engine.
///
/// Where IOS and the engine differ, IOS' meaning holds (cisco-ios 1.5): `$` in a body also stands
/// before CRLF, of which the engine knows only the LF; in a field or a line it stands at the very
/// end, and not before a last LF.
struct EngineExpression {
  std::string text;
  /// Where each octet of the text stood, for the columns of errors.
  std::vector<std::size_t> origins;
  PatternError error;  ///< with an empty message when there is none
};

/// Refuses what the engine would accept without having been meant: control verbs as `(*UTF8)`,
/// groups with options, quoting, octets that end a C string.
[[nodiscard]] EngineExpression engine_expression(std::string_view expression, PatternPlace place);

}  // namespace postern
