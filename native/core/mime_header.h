#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/mime_walk_anomalies.h"

namespace postern {

[[nodiscard]] constexpr char ascii_lower(char letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

/// Whether `text` is `lower`, case aside; `lower` is lower-case ASCII.
[[nodiscard]] bool equals_ascii(std::string_view text, std::string_view lower) noexcept;

/// Without the blanks (space, tab) at both ends, or the last only.
[[nodiscard]] std::string_view trim_blanks(std::string_view text) noexcept;
[[nodiscard]] std::string_view trim_blanks_behind(std::string_view text) noexcept;

/// Where the name of a field ends and its value begins.
struct HeaderLine {
  bool has_colon = false;
  /// The name is a token of RFC 5322 3.6.8 (blanks before the colon aside).
  bool name_legal = false;
  std::string_view name;   ///< as it came, without blanks around it
  std::string_view value;  ///< behind the colon, without the blanks before it
};

[[nodiscard]] HeaderLine split_header_line(std::string_view line) noexcept;

/// Readings of one boundary parameter that differ (kMimeBoundariesMax of them at most).
inline constexpr std::size_t kBoundaryReadingsMax = 4;

/// What a Content-Type field says, read as inclusively as its readers do.
struct ContentType {
  std::string type;     ///< lower-case token; empty where there is none
  std::string subtype;  ///< likewise; blanks around the slash are looked through
  std::array<std::string, kBoundaryReadingsMax> boundaries;
  std::size_t boundary_count = 0;
  MimeAnomalySet anomalies;

  [[nodiscard]] bool is(std::string_view wanted_type, std::string_view wanted_subtype) const {
    return type == wanted_type && subtype == wanted_subtype;
  }
};

/// Reads an unfolded value. Comments (RFC 5322 3.2.2) are skipped and reported.
[[nodiscard]] ContentType parse_content_type(std::string_view value);

struct TransferEncoding {
  std::string token;  ///< lower-case; empty where there is none
  MimeAnomalySet anomalies;
};

/// The first token of an unfolded Content-Transfer-Encoding value, out of comments and quotes.
[[nodiscard]] TransferEncoding parse_transfer_encoding(std::string_view value);

}  // namespace postern
