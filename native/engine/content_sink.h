#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/mime_walk.h"
#include "engine/content_facts.h"
#include "engine/content_memory.h"
#include "engine/content_scan.h"

namespace postern {

/// The scan of one message (ContentScan): what the walk tells, held against the plan.
/// content_scan.cc feeds the walk, content_sink.cc hears of parts and fields, content_bodies.cc
/// scans their texts.
///
/// Facts are told, and kept ones settled, only where the walk tells of structure and at fixed
/// octets of the message: there the walk has told the same, however the octets were cut.
class ContentScan::Sink final : public MimeSink, public ContentRunOwner {
 public:
  Sink(ContentMemory& memory, const ContentPlan& plan, bool dot_stuffed);
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  ~Sink() override;

  // content_scan.cc
  void feed(std::span<const std::byte> octets);
  void finish();
  [[nodiscard]] ContentFacts& facts() noexcept { return facts_; }

  // content_sink.cc
  void field(const MimeField& field) override;
  void other_field(std::uint32_t part) override;
  void header_end(const MimeHeaderEnd& end) override;
  void part_begin(const MimePart& part) override;
  void part_end(std::uint32_t part) override;
  void message_end(const MimeCoverage& coverage) override;
  void anomaly(std::uint32_t part, MimeAnomaly anomaly) override;

  // content_bodies.cc
  void scan_runs() override;
  void body(std::uint32_t part, MimeRegion region, std::span<const std::byte> octets) override;
  void decoded(std::uint32_t part, TransferCoding coding,
               std::span<const std::byte> octets) override;
  void lasting_begin(std::uint32_t part) override;
  void lasting(TransferCoding coding, std::span<const std::byte> octets) override;
  void lasting_end() override;
  void padless_begin(std::uint32_t part) override;
  void padless(std::span<const std::byte> octets) override;
  void padless_end() override;

 private:
  /// A part under way.
  struct Part {
    std::uint32_t number = 0;
    bool text = true;  ///< until its header says what it is
    bool as_is = true;
    bool shown = true;  ///< the piece of body that came last is one that a reader may see as text
    std::array<std::uint32_t, kContentTexts> streams{kNoPatternStream, kNoPatternStream,
                                                     kNoPatternStream, kNoPatternStream};
    std::vector<std::uint32_t> decoded_ids;  ///< told of it, by any of its streams
    std::vector<std::uint32_t> type_ids;     ///< told of its Content-Type fields
  };

  // content_scan.cc
  [[nodiscard]] std::size_t step_octets(std::size_t octets) const noexcept;
  void pass_header_lengths(std::uint64_t octets);
  void pass_lengths(const std::vector<std::uint64_t>& lengths, std::size_t& passed,
                    std::uint64_t octets, ContentFactKind kind);

  // content_sink.cc
  [[nodiscard]] Part& enter(std::uint32_t part);
  [[nodiscard]] bool wants_structure() const noexcept;
  [[nodiscard]] ContentLimit limit_of(std::uint32_t part, MimeAnomaly anomaly) const noexcept;
  void hold_header_field(const MimeField& field);
  void hold_content_type(Part& part, std::string_view value);
  void hold(const PatternSet& set, std::string_view text, std::vector<std::uint32_t>& ids);
  void settle();

  // content_bodies.cc
  void add(Part& part, ContentText text, std::span<const std::byte> octets);
  void own_runs();
  void give_up_runs() noexcept;
  void scan_run(ContentText text);
  void scan(Part& part, ContentText text, std::span<const std::byte> octets);
  void keep(Part& part, ContentText text, const PatternMatches& matches, ScanEnd end);
  void close(Part& part);
  void drop_streams() noexcept;
  void drop_streams_of(Part& part) noexcept;
  [[nodiscard]] PatternStreams& streams_of(ContentText text) noexcept;

  ContentMemory& memory_;
  const ContentPlan& plan_;
  MimeWalk walk_;
  ContentFacts facts_;
  std::vector<Part> parts_;
  Part lasting_;  ///< the texts of a body that lasts (MimeSink), of the part that it began in
  Part padless_;  ///< the base64 of a part without its padding
  std::size_t header_lengths_passed_ = 0;
  std::size_t data_lengths_passed_ = 0;
  std::uint64_t fed_octets_ = 0;
  bool own_header_ = true;       ///< the message's own header goes on
  bool own_header_cut_ = false;  ///< by a boundary line, behind which a reader may go on with it
  bool runs_filled_ = false;
  bool finished_ = false;
};

}  // namespace postern
