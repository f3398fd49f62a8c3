#include <algorithm>
#include <optional>

#include "core/limits.h"
#include "core/mime_header.h"
#include "core/mime_header_scanner.h"

namespace postern {
namespace {

/// Pieces of a boundary in the manner of RFC 2231 that are put together.
constexpr std::size_t kPiecesMax = 10;
/// More of a reading is not compared.
constexpr std::size_t kReadingBytesMax = kMimeBoundaryBytesMax + 1;

/// Gathers the readings of the boundary while the parameters go by.
class BoundaryReadings {
 public:
  explicit BoundaryReadings(ContentType& type) noexcept : type_(type) {}

  void add(std::string_view reading) {
    // White space at the end is no part of a boundary (RFC 2046 5.1.1), and of its line neither.
    const std::string_view boundary = trim_blanks_behind(reading);
    if (boundary.empty()) return;
    const auto end = type_.boundaries.begin() + static_cast<std::ptrdiff_t>(type_.boundary_count);
    if (std::find(type_.boundaries.begin(), end, boundary) != end) return;
    if (type_.boundary_count > 0) type_.anomalies.add(MimeAnomaly::boundary_ambiguous);
    if (type_.boundary_count == kBoundaryReadingsMax) {
      type_.anomalies.add(MimeAnomaly::boundary_over_budget);
      return;
    }
    type_.boundaries[type_.boundary_count++] = boundary;
  }

  /// `*0`, `*1*` ...: what stands behind the name in `boundary*0`.
  void add_piece(std::string_view ordinal, const std::string& text) {
    type_.anomalies.add(MimeAnomaly::parameter_extended);
    const bool percent = ordinal.ends_with('*');
    const std::string_view digits = ordinal.substr(0, ordinal.find('*'));
    if (digits.empty() || (digits.size() == 1 && digits == "0")) {
      add_first(digits.empty(), percent || digits.empty(), text);
    } else if (digits.size() == 1 && digits[0] >= '1' && digits[0] <= '9') {
      pieces_[static_cast<std::size_t>(digits[0] - '0')] = percent ? undo_percent(text) : text;
    } else {
      type_.anomalies.add(MimeAnomaly::parameter_malformed);
    }
  }

  /// The pieces in order, up to the first that is missing.
  void join_pieces() {
    std::string joined;
    for (const std::optional<std::string>& piece : pieces_) {
      if (!piece) break;
      joined += *piece;
    }
    add(joined);
  }

 private:
  void add_first(bool whole, bool percent, const std::string& text) {
    std::string_view plain = text;
    if (percent) {
      // Character set and language stand before the text, each with a quote behind it.
      const std::size_t charset_end = plain.find('\'');
      const std::size_t language_end =
          charset_end == std::string_view::npos ? charset_end : plain.find('\'', charset_end + 1);
      if (language_end != std::string_view::npos) plain.remove_prefix(language_end + 1);
    }
    const std::string first = percent ? undo_percent(plain) : std::string(plain);
    if (whole) {
      add(first);
    } else {
      pieces_[0] = first;
    }
  }

  ContentType& type_;
  std::array<std::optional<std::string>, kPiecesMax> pieces_;  // one may be empty
};

struct Parameter {
  std::string name;                     ///< lower-case
  std::array<std::string, 5> readings;  ///< of its value; all but the first may be empty
};

/// The value behind `=`: quoted with its pairs undone and as it came; bare as a token and up to
/// the semicolon, as readers that know no comments have it. A comment may stand before it.
void read_value(HeaderScanner& scanner, Parameter& parameter, MimeAnomalySet& anomalies) {
  while (scanner.take(' ') || scanner.take('\t')) continue;
  if (scanner.peek() == '(') {
    parameter.readings[2] = trim_blanks_behind(scanner.before_semicolon(kReadingBytesMax));
    scanner.skip_blanks();
  }
  if (scanner.peek() == '"') {
    const std::string_view plain = scanner.before_semicolon(kReadingBytesMax);
    const QuotedText text = scanner.quoted();
    const bool ends = std::string_view(" \t\r(;\0", 6).find(scanner.peek()) < 6;
    parameter.readings[0] = unescape(text.raw);
    if (text.escaped) parameter.readings[1] = text.raw;
    if (!text.closed) {
      // With the quote, or up to what would end the value if there were none.
      parameter.readings[3] = '"' + std::string(text.raw);
      parameter.readings[4] = trim_blanks_behind(plain.substr(1));
      anomalies.add(MimeAnomaly::parameter_malformed);
    } else if (!ends) {
      // What goes on behind the quotes is of the value, with them or without.
      parameter.readings[3] = trim_blanks_behind(plain);
      HeaderScanner behind = scanner;
      parameter.readings[4] = parameter.readings[0] + std::string(behind.token());
    }
    return;
  }
  const std::string_view whole = scanner.to_semicolon();
  const std::size_t end = whole.find_first_of(" \t\r(");
  parameter.readings[0] = whole.substr(0, end);
  const std::string_view trimmed = trim_blanks_behind(whole);
  if (trimmed != parameter.readings[0]) parameter.readings[1] = trimmed;
}

[[nodiscard]] Parameter read_parameter(HeaderScanner& scanner, MimeAnomalySet& anomalies) {
  Parameter parameter;
  for (const char letter : scanner.token()) parameter.name += ascii_lower(letter);
  scanner.skip_blanks();
  if (!scanner.take('=')) {
    anomalies.add(MimeAnomaly::parameter_malformed);
    return parameter;
  }
  read_value(scanner, parameter, anomalies);
  return parameter;
}

void take_parameter(const Parameter& parameter, BoundaryReadings& readings, bool& seen,
                    ContentType& type) {
  constexpr std::string_view kName = "boundary";
  if (!std::string_view(parameter.name).starts_with(kName)) return;
  const std::string_view behind = std::string_view(parameter.name).substr(kName.size());
  if (behind.starts_with('*')) {
    readings.add_piece(behind.substr(1), parameter.readings[0]);
  } else if (behind.empty()) {
    if (seen) type.anomalies.add(MimeAnomaly::parameter_duplicate);
    seen = true;
    for (const std::string& reading : parameter.readings) readings.add(reading);
  }
}

void read_parameters(HeaderScanner& scanner, ContentType& type) {
  BoundaryReadings readings(type);
  bool seen = false;
  while (true) {
    scanner.skip_blanks();
    if (scanner.at_end()) break;
    if (!scanner.take(';')) {
      type.anomalies.add(MimeAnomaly::parameter_malformed);
      // What stands there may be a parameter whose semicolon was forgotten.
      HeaderScanner ahead = scanner;
      if (ahead.token().empty()) {
        scanner.take(scanner.peek());
        continue;
      }
      take_parameter(read_parameter(scanner, type.anomalies), readings, seen, type);
      continue;
    }
    scanner.skip_blanks();
    if (scanner.at_end() || scanner.peek() == ';') continue;
    take_parameter(read_parameter(scanner, type.anomalies), readings, seen, type);
  }
  readings.join_pieces();
}

/// What readers that know no comments take for boundaries: a comment may hide one, or hold one.
void add_boundaries_in_comments(std::string_view value, ContentType& type) {
  BoundaryReadings readings(type);
  ContentType untold;
  bool seen = false;
  HeaderScanner scanner(value, false);
  while (!scanner.to_semicolon().empty() || !scanner.at_end()) {
    if (!scanner.take(';')) continue;
    scanner.skip_blanks();
    take_parameter(read_parameter(scanner, untold.anomalies), readings, seen, untold);
  }
  readings.join_pieces();
}

}  // namespace

ContentType parse_content_type(std::string_view value) {
  ContentType type;
  HeaderScanner scanner(value);
  scanner.skip_blanks();
  const bool quoted = scanner.take('"');
  if (quoted) type.anomalies.add(MimeAnomaly::content_type_malformed);
  for (const char letter : scanner.token()) type.type += ascii_lower(letter);
  const std::size_t before_slash = scanner.remaining();
  scanner.skip_blanks();
  const bool slash = scanner.take('/');
  const std::size_t behind_slash = scanner.remaining();
  if (slash) {
    scanner.skip_blanks();
    const bool blanks = before_slash != behind_slash + 1 || behind_slash != scanner.remaining();
    if (blanks) type.anomalies.add(MimeAnomaly::content_type_malformed);
    for (const char letter : scanner.token()) type.subtype += ascii_lower(letter);
    if (quoted && type.subtype.ends_with('"')) type.subtype.pop_back();
  }
  if (type.type.empty() || type.subtype.empty()) {
    type.anomalies.add(MimeAnomaly::content_type_malformed);
  }
  read_parameters(scanner, type);
  if (scanner.saw_comment()) {
    type.anomalies.add(MimeAnomaly::content_type_comment);
    add_boundaries_in_comments(value, type);
  }
  return type;
}

}  // namespace postern
