#pragma once

#include <cstdint>
#include <span>

#include "core/mime_walk_anomalies.h"
#include "core/mime_walk_sink.h"
#include "core/transfer_decoding.h"

namespace postern {

/// In which ways the octets of a part may be decoded.
struct MimeCodings {
  bool base64 = false;
  bool quoted_printable = false;

  [[nodiscard]] bool any() const noexcept { return base64 || quoted_printable; }
  [[nodiscard]] bool operator==(const MimeCodings&) const noexcept = default;
};

/// The decoders of the part under way, in front of a sink.
class MimeDecoders {
 public:
  [[nodiscard]] const MimeCodings& codings() const noexcept { return codings_; }

  /// The part's octets are decoded in these ways from here on; finish() came before.
  void start(std::uint32_t part, const MimeCodings& codings) noexcept;
  /// Those of a body that lasts (MimeSink::lasting_begin).
  void start_lasting(const MimeCodings& codings) noexcept;
  /// Goes on as a body that lasts, from where `that` is.
  void last(const MimeDecoders& that) noexcept;
  /// Answers how many octets it gave to the sink; adds what is wrong with them.
  std::uint64_t feed(std::span<const std::byte> octets, MimeSink& sink, MimeAnomalySet& anomalies);
  std::uint64_t finish(MimeSink& sink, MimeAnomalySet& anomalies);

 private:
  void give(MimeSink& sink, TransferCoding coding, std::span<const std::byte> octets) const;
  [[nodiscard]] std::uint64_t feed_base64(std::span<const std::byte> octets, MimeSink& sink);

  std::uint32_t part_ = 0;
  bool lasting_ = false;
  MimeCodings codings_;
  Base64Decoder base64_;
  Base64Decoder padless_;
  bool is_padless_ = false;  ///< it decodes
  QuotedPrintableDecoder quoted_printable_;
};

}  // namespace postern
