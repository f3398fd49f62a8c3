#pragma once

#include <string>
#include <string_view>

namespace postern {

/// Appends `value` to `out` with its encoded words (RFC 2047) decoded, white space between two of
/// them left out. Answers whether there was one; if not, nothing was appended.
///
/// As tolerant as readers are: also inside of quotes and words, over 75 characters, with blanks in
/// a Q text, without padding. ISO-8859-1 and UTF-16 become UTF-8; of other character sets the
/// octets stay as they are, which is right for UTF-8 and for everything that is ASCII in them.
[[nodiscard]] bool decode_encoded_words(std::string_view value, std::string& out);

}  // namespace postern
