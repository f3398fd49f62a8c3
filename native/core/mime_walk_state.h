#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dot_unstuffing.h"
#include "core/limits.h"
#include "core/mime_header.h"
#include "core/mime_walk.h"
#include "core/mime_walk_boundaries.h"
#include "core/mime_walk_decoders.h"

namespace postern {

/// A part that is under way: the message, and in it the multiparts and messages down to where the
/// walk is. Its place in the list is its depth.
struct MimeNode {
  std::uint32_t number = 0;
  std::uint32_t parent = 0;
  MimeKind kind = MimeKind::leaf;
  bool closed = false;  ///< multipart: its last boundary line has come
  bool guess = false;   ///< multipart: any line that looks like a boundary line will be its first
  bool digest = false;  ///< multipart: parts are messages unless they say otherwise
  MimeCodings codings;
  MimeAnomalySet reported;
};

/// What the Content-Type and Content-Transfer-Encoding fields of a header say together.
struct MimeSummary {
  std::string content_type;  ///< of the first field
  std::string type;
  std::string subtype;
  std::string encoding;
  bool typed = false;
  bool encoded = false;
  bool multipart = false;
  bool message = false;
  bool text = false;
  bool digest = false;
  bool as_is = false;
  MimeCodings codings;
};

/// The message under way (MimeWalk). mime_walk.cc takes octets, mime_walk_header.cc reads header
/// lines, mime_walk_untold.cc those that nobody wants, mime_walk_field.cc fields, mime_walk_body.cc
/// looks for boundary lines, mime_walk_parts.cc opens and ends parts, mime_walk_lasting.cc decodes
/// over what is doubtful, mime_walk_bare_cr.cc looks behind bare CRs.
class MimeWalkState {
 public:
  explicit MimeWalkState(const MimeOptions& options);

  void feed(std::span<const std::byte> octets, MimeSink& sink);
  void finish(MimeSink& sink);
  [[nodiscard]] std::uint64_t header_octets() const noexcept { return message_header_octets_; }
  [[nodiscard]] std::uint64_t header_octets_most() const noexcept;
  [[nodiscard]] std::uint64_t data_octets() const noexcept {
    return data_octets_ - unstuffing_.end_octets();
  }

 private:
  enum class Mode : std::uint8_t { header, body };
  enum class Line : std::uint8_t { start, start_cr, inside, candidate };
  /// What was seen of a line end that belongs to the boundary line behind it, should one follow.
  enum class Pending : std::uint8_t { none, cr, lf, crlf };

  // mime_walk.cc
  void walk(std::span<const std::byte> octets);
  [[nodiscard]] std::size_t collect(std::span<const std::byte> octets);
  void reject_candidate();
  void take_boundary_line(const BoundaryHit& hit, std::string_view line);
  [[nodiscard]] BoundaryHit match(std::string_view line);

  // mime_walk_header.cc
  void begin_header(bool doubt);
  [[nodiscard]] std::size_t walk_header(std::span<const std::byte> octets);
  [[nodiscard]] std::size_t begin_header_line(std::span<const std::byte> octets);
  void begin_line(bool continuation);
  void begin_field();
  void take_header(std::span<const std::byte> octets);
  void take_header_piece(std::span<const std::byte> octets);
  void store(std::span<const std::byte> octets);
  void keep_text(std::string_view text);
  void end_line();
  void drop_cr();
  void judge_first_line(std::string_view line_end);
  void end_header_at_empty_line(bool crlf);

  // mime_walk_untold.cc
  [[nodiscard]] std::size_t pass_untold_lines(std::span<const std::byte> octets);
  [[nodiscard]] bool pass_untold_line(std::span<const std::byte> line);

  // mime_walk_field.cc
  void finish_field();
  void tell_field(std::string_view text, bool cut);
  [[nodiscard]] bool look_into(std::string_view text, const HeaderLine& line);
  void note_octets(std::string_view line);
  void take_content_type(std::string_view value);
  void take_encoding(std::string_view value);
  void take_boundaries(const ContentType& type);

  // mime_walk_body.cc
  [[nodiscard]] std::size_t walk_body(std::span<const std::byte> octets);
  [[nodiscard]] std::size_t scan_lines(std::span<const std::byte> octets);
  [[nodiscard]] bool passes(std::span<const std::byte> octets, std::size_t at);
  void emit(std::span<const std::byte> octets);
  void echo(std::span<const std::byte> octets);
  void flush_pending();

  // mime_walk_parts.cc
  void end_header();
  [[nodiscard]] MimeKind kind_of_header();
  void tell_part(const MimeNode& part);
  void open_part(bool message_by_default, bool doubt);
  void end_part();
  void start_decoding();
  void finish_decoding();
  void walk_no_more();
  void note(MimeAnomaly anomaly);
  void note_all(MimeAnomalySet anomalies);

  // mime_walk_bare_cr.cc
  void follow_cr_line(std::string_view text);
  void begin_cr_line(char first);
  void finish_cr_line();
  void end_cr_lines();
  void watch_cr_hyphens(std::string_view text);

  // mime_walk_lasting.cc
  void begin_lasting();
  void keep_lasting();
  void feed_lasting(std::span<const std::byte> octets);
  void end_lasting();
  [[nodiscard]] MimeCodings codings_so_far() const;

  [[nodiscard]] MimeNode& node() noexcept { return nodes_.back(); }
  [[nodiscard]] std::size_t level() const noexcept { return nodes_.size() - 1; }
  [[nodiscard]] bool looks_for_boundaries() const noexcept {
    return !boundaries_.empty() || nodes_.back().guess;
  }

  MimeOptions options_;
  MimeSink* sink_ = nullptr;  ///< of the call under way
  Mode mode_ = Mode::header;
  Line line_ = Line::start;
  Pending pending_ = Pending::none;
  MimeRegion region_ = MimeRegion::content;
  DotUnstuffing unstuffing_;
  MimeDecoders decoders_;
  MimeDecoders lasting_;  ///< of the reading in which a body lasts (MimeSink)
  MimeCoverage coverage_;
  std::uint64_t data_octets_ = 0;

  std::vector<MimeNode> nodes_;
  BoundarySet boundaries_;
  std::uint32_t parts_ = 0;
  std::array<char, kMimeBoundaryLineBytesMax> held_{};  ///< the line that may be a boundary line
  std::size_t held_size_ = 0;

  std::string field_;  ///< the field under way, unfolded; of one that is not told, its first line
  /// Where a line of it has a NUL: the same without what is behind it.
  std::string cut_;
  std::string cr_line_;           ///< of a header line, what stands behind its last bare CR
  std::size_t field_octets_ = 0;  ///< of all of it, up to kMimeFieldBytesMax
  std::string scratch_;
  MimeSummary summary_;
  bool field_open_ = false;
  bool untold_ = false;      ///< the field is one that is not told (MimeOptions::details)
  bool first_line_ = false;  ///< of the field
  bool truncated_ = false;   ///< the field
  bool nul_in_field_ = false;
  bool nul_in_line_ = false;
  bool in_cr_line_ = false;
  std::uint8_t cr_hyphens_ = 0;  ///< so many octets of a bare CR and two hyphens have come
  bool continuation_ = false;    ///< the line under way is one
  bool line_blank_ = false;      ///< so far
  bool last_cr_ = false;         ///< the last octet of the line was CR
  bool doubt_ = false;           ///< header lines may be text to a reader: both are told
  bool raw_ = false;             ///< a budget is used up: header lines are no fields
  bool crlf_seen_ = false;       ///< in this header
  bool message_by_default_ = false;
  std::uint64_t header_lines_ = 0;  ///< of this header
  std::uint64_t block_octets_ = 0;  ///< of this header
  std::uint32_t block_fields_ = 0;  ///< of this header
  std::uint64_t message_header_octets_ = 0;
  std::uint64_t all_header_octets_ = 0;
  std::size_t all_fields_ = 0;
};

static_assert(sizeof(MimeWalkState) <= 1'536, "one for every message under way");

}  // namespace postern
