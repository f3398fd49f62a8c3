#include "core/mime_walk_decoders.h"

#include <array>

#include "core/limits.h"

namespace postern {
namespace {

using Block = std::array<std::byte, kMimeDecodedBlockBytes>;

/// Decodes all of the octets, a block at a time.
template <typename Decoder, typename Give>
std::uint64_t decode_all(Decoder& decoder, std::span<const std::byte> octets, const Give& give) {
  Block block;  // not cleared: only what was written is read
  std::uint64_t produced = 0;
  while (!octets.empty()) {
    const DecodeStep step = decoder.decode(octets, block);
    octets = octets.subspan(step.taken);
    produced += step.produced;
    if (step.produced > 0) give(std::span<const std::byte>(block).first(step.produced));
  }
  return produced;
}

}  // namespace

void MimeDecoders::start(std::uint32_t part, const MimeCodings& codings) noexcept {
  *this = MimeDecoders{};
  part_ = part;
  codings_ = codings;
  base64_ = Base64Decoder(Base64Decoder::Forks::yes);
}

void MimeDecoders::start_lasting(const MimeCodings& codings) noexcept {
  start(0, codings);
  base64_ = Base64Decoder();
  lasting_ = true;
}

void MimeDecoders::last(const MimeDecoders& that) noexcept {
  *this = that;
  base64_.fork_no_more();
  is_padless_ = false;
  lasting_ = true;
}

void MimeDecoders::give(MimeSink& sink, TransferCoding coding,
                        std::span<const std::byte> octets) const {
  if (lasting_) {
    sink.lasting(coding, octets);
  } else {
    sink.decoded(part_, coding, octets);
  }
}

/// One that forks stops at most once.
std::uint64_t MimeDecoders::feed_base64(std::span<const std::byte> octets, MimeSink& sink) {
  const auto padless = [&](std::span<const std::byte> block) { sink.padless(block); };
  if (is_padless_) decode_all(padless_, octets, padless);
  Block block;  // not cleared: only what was written is read
  std::uint64_t produced = 0;
  while (!octets.empty()) {
    const DecodeStep step = base64_.decode(octets, block);
    octets = octets.subspan(step.taken);
    produced += step.produced;
    if (step.produced > 0) {
      give(sink, TransferCoding::base64, std::span<const std::byte>(block).first(step.produced));
    }
    if (!base64_.forked()) continue;
    padless_ = base64_.fork();
    is_padless_ = true;
    sink.padless_begin(part_);
    decode_all(padless_, octets, padless);
  }
  return produced;
}

std::uint64_t MimeDecoders::feed(std::span<const std::byte> octets, MimeSink& sink,
                                 MimeAnomalySet& anomalies) {
  std::uint64_t produced = 0;
  if (codings_.base64) {
    produced += feed_base64(octets, sink);
    if (base64_.illegal()) anomalies.add(MimeAnomaly::base64_illegal);
  }
  if (codings_.quoted_printable) {
    produced += decode_all(quoted_printable_, octets, [&](std::span<const std::byte> block) {
      give(sink, TransferCoding::quoted_printable, block);
    });
    if (quoted_printable_.illegal()) anomalies.add(MimeAnomaly::quoted_printable_illegal);
  }
  return produced;
}

std::uint64_t MimeDecoders::finish(MimeSink& sink, MimeAnomalySet& anomalies) {
  std::uint64_t produced = 0;
  if (is_padless_) sink.padless_end();
  if (codings_.base64 && base64_.finish()) anomalies.add(MimeAnomaly::base64_incomplete);
  if (codings_.quoted_printable) {
    std::array<std::byte, QuotedPrintableDecoder::kOutputMin> rest{};
    produced = quoted_printable_.finish(rest);
    if (produced > 0) {
      give(sink, TransferCoding::quoted_printable,
           std::span<const std::byte>(rest).first(produced));
    }
    if (quoted_printable_.illegal()) anomalies.add(MimeAnomaly::quoted_printable_illegal);
  }
  *this = MimeDecoders{};
  return produced;
}

}  // namespace postern
