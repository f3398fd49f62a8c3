#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/mime_walk_anomalies.h"
#include "core/transfer_decoding.h"

/// What the walk over a message tells. Views live as long as the call that brings them.
namespace postern {

/// A header field, unfolded: its line ends are gone, the white space behind them stays (RFC 5322
/// 2.2.3).
struct MimeField {
  std::uint32_t part = 0;
  std::uint32_t depth = 0;
  /// All of it, as it came but for the line ends; name and value are parts of it.
  std::string_view line;
  std::string_view name;
  std::string_view value;
  /// `Name: value` as a reader shows it: encoded words decoded, no blank before the colon. Empty
  /// where that is the line itself.
  std::string_view shown;
  /// Only the first kMimeFieldBytesMax octets are here; the rest comes as a piece of header_lines.
  bool truncated = false;
  /// The field that was told last, without what stands behind a NUL on any of its lines.
  bool cut = false;
};

struct MimeHeaderEnd {
  std::uint32_t part = 0;
  std::uint32_t depth = 0;
  std::uint64_t octets = 0;  ///< of its lines with their ends, the empty line left out
  std::uint32_t fields = 0;
};

enum class MimeKind : std::uint8_t { leaf, multipart, message };

/// Where a piece of body stands.
enum class MimeRegion : std::uint8_t {
  content,       ///< of a leaf
  preamble,      ///< of a multipart, before its first boundary line
  epilogue,      ///< behind its last
  header_lines,  ///< header octets that a reader may take for text, or that no field holds
  unwalked,      ///< a budget was reached: structure in there is not told
};

/// What its header says that a part is. Where fields are repeated, the tokens are of the first, and
/// the flags of all of them together.
struct MimePart {
  std::uint32_t part = 0;
  std::uint32_t parent = 0;  ///< itself for the message
  std::uint32_t depth = 0;
  MimeKind kind = MimeKind::leaf;
  std::string_view content_type;  ///< the field's value; empty without one
  std::string_view type;          ///< lower-case tokens; the default of the place without a field
  std::string_view subtype;
  std::string_view encoding;  ///< lower-case token; empty without a field
  bool text = false;          ///< a reader may show it as text: text/*, no type, or none that reads
  bool as_is = false;         ///< a reader may take its octets as they are: neither coding, or both
  bool base64 = false;        ///< a reader may decode it so
  bool quoted_printable = false;
};

/// Octets fed = header + body + unwalked + structure.
struct MimeCoverage {
  std::uint64_t octets = 0;
  std::uint64_t header_octets = 0;     ///< read as fields
  std::uint64_t body_octets = 0;       ///< content, preamble, epilogue
  std::uint64_t unwalked_octets = 0;   ///< beyond a budget
  std::uint64_t structure_octets = 0;  ///< boundary lines, empty lines, dots of dot-stuffing
  std::uint64_t decoded_octets = 0;
};

class MimeSink {
 public:
  MimeSink() = default;
  MimeSink(const MimeSink&) = default;
  MimeSink& operator=(const MimeSink&) = default;
  virtual ~MimeSink() = default;

  virtual void field(const MimeField& field) = 0;
  /// A field that is not told, without MimeOptions::details.
  virtual void other_field(std::uint32_t /*part*/) {}
  virtual void header_end(const MimeHeaderEnd& end) = 0;
  /// Follows header_end. Pieces of header_lines of a part may come before it; until then a part is
  /// what the default of its place is.
  virtual void part_begin(const MimePart& part) = 0;
  virtual void body(std::uint32_t part, MimeRegion region, std::span<const std::byte> octets) = 0;
  /// Decoded octets of the pieces of body of this part, with MimeOptions::decode. Where readers
  /// may decode in two ways, both streams come.
  virtual void decoded(std::uint32_t part, TransferCoding coding,
                       std::span<const std::byte> octets) = 0;
  /// With MimeOptions::decode: the body of this part lasts longer to some readers. A header line
  /// that is none ended the header there, or a line that is a boundary line here is text. What they
  /// go on to decode, or begin to, comes by `lasting` until `lasting_end`; one such reading at a
  /// time.
  virtual void lasting_begin(std::uint32_t /*part*/) {}
  virtual void lasting(TransferCoding /*coding*/, std::span<const std::byte> /*octets*/) {}
  virtual void lasting_end() {}
  /// With MimeOptions::decode: to some readers padding of base64 is nothing. Where more stands
  /// behind it, what those go on to decode of this part, from what `decoded` brought so far, comes
  /// by `padless` until `padless_end`; once a part. As pieces come, so does the beginning.
  virtual void padless_begin(std::uint32_t /*part*/) {}
  virtual void padless(std::span<const std::byte> /*octets*/) {}
  virtual void padless_end() {}
  virtual void part_end(std::uint32_t part) = 0;
  virtual void message_end(const MimeCoverage& coverage) = 0;
  /// At most once a part and anomaly. Where it comes among the pieces and anomalies of a body
  /// depends on how the octets were cut; before or behind which of the other calls does not.
  virtual void anomaly(std::uint32_t part, MimeAnomaly anomaly) = 0;
};

}  // namespace postern
