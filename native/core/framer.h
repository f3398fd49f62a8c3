#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/end_of_data.h"
#include "core/tls_start.h"

namespace postern {

/// `none` is never cut: the engine says with it that a line is judged before its end has come.
enum class LineEnd : std::uint8_t { crlf = 0, bare_lf = 1, none = 2 };

enum class FramingMode : std::uint8_t {
  lines = 0,
  counted = 1,
  mail_data = 2,
  tls = 3,
  opaque = 4
};

/// How a side's stream is cut, as the protocol machine set it (src/inspect/inspector.ts,
/// FrameMode).
struct Framing {
  FramingMode mode = FramingMode::lines;
  /// lines: budget of a line without its end; counted: octets; mail_data: budget of the message.
  std::uint64_t bytes = 0;
  /// lines: a line over the budget is no error but ends as usual. mail_data: a look-alike is told
  /// where it can still be overwritten (LooseDots::early). tls: an alert may come for the hello.
  bool tolerant = false;
};

enum class CutKind : std::uint8_t {
  need_more = 0,  ///< all octets taken, no frame ends in them
  line,           ///< a line ended with its LF
  over_budget,    ///< the budget is used up; `taken` octets still fitted (see Framer)
  counted_end,
  data_end,    ///< CRLF.CRLF, or .CRLF as the very first octets (RFC 5321 4.1.1.4)
  look_alike,  ///< a dot between two line ends of which not both are CRLF
  tls_start,   ///< a TLS hello is whole, or these octets begin none
};

struct Cut {
  CutKind kind = CutKind::need_more;
  /// Octets of the input that belong to this frame (or, for need_more, that were looked at: all of
  /// them).
  std::size_t taken = 0;
  LineEnd end = LineEnd::crlf;
  /// tls_start: handshake records of SSL 3.0 to TLS 1.3 with the whole of a client or server hello.
  /// look_alike of tolerant mail_data: overwriting its last octet makes it harmless.
  bool well_formed = false;
  bool tls_alert = false;  ///< tls_start: what came is an alert
  /// Octets of the frame in all, those of earlier calls included (line: with its end; mail_data:
  /// message so far).
  std::uint64_t frame_bytes = 0;
};

/// Finds where frames end in one direction of a TCP stream, keeping a few octets of state and never
/// copying stream data. Feeding a stream one octet at a time gives the same cuts as feeding it
/// whole.
///
/// Budgets leave out what ends the frame: the line end of a line, the final .CRLF of message data.
/// So an octet past the budget that may still begin that end is taken, and the next one decides; if
/// it turns out to be content, over_budget cuts behind it. A look-alike that such an octet brings
/// is reported as one, not as over_budget.
class Framer {
 public:
  Framer() noexcept = default;
  explicit Framer(const Framing& framing) noexcept { set(framing); }

  /// Starts `framing` at the next octet fed. A frame under way is forgotten.
  void set(const Framing& framing) noexcept;
  /// The last octet of the look_alike that was just cut was overwritten by one that is text: the
  /// message goes on behind it.
  void mend() noexcept { data_context_ = DataContext::text; }
  [[nodiscard]] const Framing& framing() const noexcept { return framing_; }
  /// lines: the last octet of the line under way is a CR.
  [[nodiscard]] bool after_cr() const noexcept { return after_cr_; }
  /// Whether no octet of the frame under way has come: in `lines`, set(framing()) would change
  /// nothing then.
  [[nodiscard]] bool at_start() const noexcept {
    return frame_bytes_ == 0 && !reported_ && !after_cr_;
  }

  /// mail_data: the last octet fed was the last of a look_alike. A client that ends its message so
  /// waits now.
  [[nodiscard]] bool behind_look_alike() const noexcept { return behind_look_alike_; }

  /// Whether the octets that come next are part of what tls_start will be said of.
  [[nodiscard]] bool awaits_tls() const noexcept {
    return framing_.mode == FramingMode::tls && !reported_;
  }

  /// Looks at the octets that follow those taken so far, up to the end of the first frame in them.
  /// After counted_end and data_end the framer is in `lines` again, with the budget that stood
  /// before; counted with 0 octets ends at the next call, even one with an empty input. After
  /// over_budget (not tolerant), look_alike and tls_start the caller must call set() or stop
  /// feeding (or, after a look_alike that is well_formed, mend()); feeding on goes on counting the
  /// same frame, says over_budget no more, and still finds its end.
  [[nodiscard]] Cut next(std::span<const std::byte> bytes) noexcept;

 private:
  [[nodiscard]] Cut next_of_lines(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] Cut next_of_counted(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] Cut take_look_alike(DataEvent event, std::size_t taken) noexcept;
  [[nodiscard]] Cut next_of_mail_data(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] Cut past_mail_budget(std::span<const std::byte> bytes, std::size_t at) noexcept;
  [[nodiscard]] Cut next_of_tls(std::span<const std::byte> bytes) noexcept;

  /// How many of `octets` the budget still allows.
  [[nodiscard]] std::size_t fitting(std::size_t octets) const noexcept;
  /// Counts `taken` octets and says how the frame stands now.
  [[nodiscard]] Cut take(CutKind kind, std::size_t taken) noexcept;
  [[nodiscard]] Cut end_line(std::size_t taken, bool after_cr) noexcept;

  Framing framing_{};
  std::uint64_t frame_bytes_ = 0;
  std::uint64_t line_budget_bytes_ = 0;  ///< the line framing to go back to
  bool line_tolerant_ = false;
  bool reported_ = false;  ///< over_budget or tls_start was said of this frame
  bool after_cr_ = false;  ///< lines: the last octet was CR
  bool behind_look_alike_ = false;
  DataContext data_context_ = DataContext::crlf;
  TlsStart tls_start_;
};

static_assert(sizeof(Framer) <= 64, "two of these in every flow");

}  // namespace postern
