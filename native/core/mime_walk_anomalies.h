#pragma once

#include <cstdint>
#include <string_view>

namespace postern {

/// What a message has that standards forbid or mail readers read differently, and each budget of
/// the walk that it reached. The walk reports and goes on; what it means is for policy to say.
enum class MimeAnomaly : std::uint8_t {
  header_line_malformed = 0,  ///< a line of a header without a colon, or with no token before it
  folded_first_line,          ///< a header that begins with white space
  blank_folded_line,          ///< a continuation of white space only: some end the header there
  space_before_colon,
  bare_cr_in_header,
  bare_lf_in_header,
  nul_in_header,
  eight_bit_in_header,
  header_unterminated,  ///< a boundary line stands where the header should go on or end
  field_over_budget,    ///< kMimeFieldBytesMax
  fields_over_budget,   ///< kMimeFieldsMax
  header_over_budget,   ///< kMimeHeaderBytesMax
  duplicate_content_type,
  duplicate_encoding,
  content_type_malformed,
  content_type_comment,
  parameter_malformed,
  parameter_duplicate,
  parameter_extended,  ///< RFC 2231: a boundary in pieces or percent-encoded
  encoding_malformed,  ///< more than the one token that RFC 2045 6.1 has
  encoded_composite,   ///< base64 or quoted-printable on a multipart or message (RFC 2045 6.4)
  boundary_missing,
  boundary_long,         ///< more than the 70 octets of RFC 2046 5.1.1
  boundary_over_budget,  ///< kMimeBoundaryBytesMax, or more readings than kMimeBoundariesMax
  boundary_ambiguous,    ///< more than one reading of the parameter; each counts as a boundary
  boundary_guessed,      ///< no usable parameter: the first line that looks like one was taken
  boundary_line_odd,     ///< a line that begins with a boundary and goes on
  part_after_close,      ///< a boundary line behind the one that closed its multipart
  multipart_unterminated,
  parts_over_budget,  ///< kMimePartsMax
  depth_over_budget,  ///< kMimeDepthMax
  bare_lf_in_body,    ///< seen only where boundaries are looked for
  base64_illegal,
  base64_incomplete,
  quoted_printable_illegal,
  bare_cr_structure,  ///< behind a bare CR stands what may be an empty line, or a boundary line
};

inline constexpr unsigned kMimeAnomalies = 36;

/// The name as logs and counters have it: the enumerator with hyphens.
[[nodiscard]] std::string_view mime_anomaly_name(MimeAnomaly anomaly) noexcept;

class MimeAnomalySet {
 public:
  void add(MimeAnomaly anomaly) noexcept { bits_ |= bit(anomaly); }
  [[nodiscard]] bool has(MimeAnomaly anomaly) const noexcept { return (bits_ & bit(anomaly)) != 0; }
  [[nodiscard]] bool empty() const noexcept { return bits_ == 0; }
  [[nodiscard]] bool operator==(const MimeAnomalySet&) const noexcept = default;

 private:
  [[nodiscard]] static constexpr std::uint64_t bit(MimeAnomaly anomaly) noexcept {
    return std::uint64_t{1} << static_cast<unsigned>(anomaly);
  }

  std::uint64_t bits_ = 0;
};

}  // namespace postern
