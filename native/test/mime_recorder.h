#pragma once

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/mime_header.h"
#include "core/mime_walk.h"

/// What a walk told, in a form in which two walks over differently cut octets can be compared.
namespace postern::test {

inline std::string_view name_of(MimeKind kind) {
  constexpr std::string_view names[] = {"leaf", "multipart", "message"};
  return names[static_cast<std::size_t>(kind)];
}

class MimeRecorder : public MimeSink {
 public:
  using Bodies = std::map<std::pair<std::uint32_t, MimeRegion>, std::string>;
  using Decoded = std::map<std::pair<std::uint32_t, TransferCoding>, std::string>;

  std::vector<std::string> told;  ///< all but the pieces, a line each
  std::vector<std::string> anomalies;
  std::vector<std::string> shown;  ///< of the fields where it differs
  Bodies bodies;
  Decoded decodings;
  std::map<TransferCoding, std::string> lasted;  ///< of bodies that last, one behind the other
  std::vector<std::uint32_t> padless_parts;
  std::string unpadded;  ///< of base64 without its padding
  MimeCoverage coverage;
  bool ended = false;
  std::string broken;  ///< the first promise of MimeSink that was not kept

  void field(const MimeField& field) override {
    enter(field.part);
    expect(!open_.empty() && open_.back() == field.part, "field outside of its part");
    expect(field.depth + 1 == open_.size(), "depth of a field");
    told.push_back((field.cut ? "cut " : "field ") + at(field.part, field.depth) + ' ' +
                   std::string(field.line) + (field.truncated ? " (truncated)" : ""));
    expect(field.line.find(field.name) != std::string_view::npos, "name in line");
    expect(field.line.ends_with(field.value), "value in line");
    if (field.shown.empty()) return;
    shown.emplace_back(field.shown);
    told.push_back("shown " + std::string(field.shown));
  }
  void other_field(std::uint32_t part) override {
    enter(part);
    expect(!open_.empty() && open_.back() == part, "a field outside of its part");
    told.push_back("other " + std::to_string(part));
  }
  void header_end(const MimeHeaderEnd& end) override {
    told.push_back("header " + at(end.part, end.depth) + " octets " + std::to_string(end.octets) +
                   " fields " + std::to_string(end.fields));
  }
  void part_begin(const MimePart& part) override {
    std::string line = "begin " + at(part.part, part.depth) + " in " + std::to_string(part.parent);
    line += ' ' + std::string(name_of(part.kind)) + ' ' + std::string(part.type) + '/' +
            std::string(part.subtype);
    if (!part.encoding.empty()) line += ' ' + std::string(part.encoding);
    if (part.text) line += " text";
    if (part.as_is) line += " as-is";
    if (part.base64) line += " +base64";
    if (part.quoted_printable) line += " +quoted-printable";
    told.push_back(line);
    if (part.kind != MimeKind::leaf) leave_room_ = true;
  }
  void body(std::uint32_t part, MimeRegion region, std::span<const std::byte> octets) override {
    enter(part);
    expect(!octets.empty(), "an empty piece");
    expect(open_.back() == part, "a piece outside of its part");
    bodies[{part, region}].append(reinterpret_cast<const char*>(octets.data()), octets.size());
    ++pieces;
  }
  void decoded(std::uint32_t part, TransferCoding coding,
               std::span<const std::byte> octets) override {
    expect(!octets.empty(), "an empty decoded piece");
    decodings[{part, coding}].append(reinterpret_cast<const char*>(octets.data()), octets.size());
  }
  void lasting_begin(std::uint32_t part) override {
    expect(!lasting_, "a second body that lasts");
    lasting_ = true;
    told.push_back("lasts " + std::to_string(part));
  }
  void lasting(TransferCoding coding, std::span<const std::byte> octets) override {
    expect(lasting_ && !octets.empty(), "a piece of no body that lasts");
    lasted[coding].append(reinterpret_cast<const char*>(octets.data()), octets.size());
  }
  void lasting_end() override {
    expect(lasting_, "the end of no body that lasts");
    lasting_ = false;
    told.push_back("lasted");
  }
  void padless_begin(std::uint32_t part) override {
    expect(!padless_, "a second decoding without padding");
    padless_ = true;
    padless_parts.push_back(part);
  }
  void padless(std::span<const std::byte> octets) override {
    expect(padless_ && !octets.empty(), "a piece of no decoding without padding");
    unpadded.append(reinterpret_cast<const char*>(octets.data()), octets.size());
  }
  void padless_end() override {
    expect(padless_, "the end of no decoding without padding");
    padless_ = false;
  }
  void part_end(std::uint32_t part) override {
    expect(!open_.empty() && open_.back() == part, "parts end inside out");
    open_.pop_back();
    told.push_back("end " + std::to_string(part));
  }
  void message_end(const MimeCoverage& all) override {
    expect(open_.empty(), "a part without an end");
    expect(!lasting_, "a body that lasts beyond its message");
    expect(!padless_, "a decoding without padding beyond its message");
    coverage = all;
    ended = true;
    const std::uint64_t sum =
        all.header_octets + all.body_octets + all.unwalked_octets + all.structure_octets;
    expect(sum == all.octets, "octets that were not counted");
    told.push_back("covered " + std::to_string(all.header_octets) + ' ' +
                   std::to_string(all.body_octets) + ' ' + std::to_string(all.unwalked_octets) +
                   ' ' + std::to_string(all.structure_octets) + ' ' +
                   std::to_string(all.decoded_octets));
  }
  void anomaly(std::uint32_t part, MimeAnomaly anomaly) override {
    const std::string line = std::to_string(part) + ' ' + std::string(mime_anomaly_name(anomaly));
    expect(std::find(anomalies.begin(), anomalies.end(), line) == anomalies.end(),
           "an anomaly told twice");
    anomalies.push_back(line);
    // Two of one body may come in either order: a run of them is kept sorted.
    told.push_back("anomaly " + line);
    for (auto last = told.end() - 1; last != told.begin(); --last) {
      if (!(last - 1)->starts_with("anomaly ") || *(last - 1) < *last) break;
      std::iter_swap(last - 1, last);
    }
  }

  [[nodiscard]] std::string body_of(std::uint32_t part,
                                    MimeRegion region = MimeRegion::content) const {
    const auto found = bodies.find({part, region});
    return found == bodies.end() ? "" : found->second;
  }
  [[nodiscard]] std::string decoded_of(std::uint32_t part,
                                       TransferCoding coding = TransferCoding::base64) const {
    const auto found = decodings.find({part, coding});
    return found == decodings.end() ? "" : found->second;
  }
  /// The lines told that begin so.
  [[nodiscard]] std::vector<std::string> lines(std::string_view begin) const {
    std::vector<std::string> found;
    for (const std::string& line : told) {
      if (line.starts_with(begin)) found.push_back(line);
    }
    return found;
  }
  [[nodiscard]] bool saw(std::string_view anomaly) const {
    return std::any_of(anomalies.begin(), anomalies.end(), [&](const std::string& line) {
      return std::string_view(line).ends_with(anomaly);
    });
  }
  /// What the same walk has to tell without MimeOptions::details.
  [[nodiscard]] MimeRecorder without_details() const {
    MimeRecorder less = *this;
    less.told.clear();
    for (const std::string& line : told) {
      if (line.starts_with("shown ") || is_detail(line) || is_other(line, "cut ")) continue;
      less.told.push_back(is_other(line, "field ") ? "other " + line.substr(6, line.find('@') - 6)
                                                   : line);
    }
    return less;
  }
  [[nodiscard]] bool operator==(const MimeRecorder& that) const {
    return told == that.told && bodies == that.bodies && decodings == that.decodings &&
           lasted == that.lasted && unpadded == that.unpadded &&
           padless_parts == that.padless_parts && broken == that.broken;
  }

  std::size_t pieces = 0;

 private:
  [[nodiscard]] static bool is_detail(std::string_view line) {
    constexpr std::string_view names[] = {" space-before-colon", " bare-cr-in-header",
                                          " nul-in-header", " eight-bit-in-header",
                                          " bare-lf-in-body"};
    return line.starts_with("anomaly ") &&
           std::ranges::any_of(names, [&](std::string_view name) { return line.ends_with(name); });
  }
  [[nodiscard]] static bool is_other(std::string_view line, std::string_view told_as) {
    if (!line.starts_with(told_as)) return false;
    const std::size_t place_end = line.find(' ', told_as.size());
    const std::string_view name = split_header_line(line.substr(place_end + 1)).name;
    return !equals_ascii(name, "content-type") && !equals_ascii(name, "content-transfer-encoding");
  }
  [[nodiscard]] std::string at(std::uint32_t part, std::uint32_t depth) {
    enter(part);
    return std::to_string(part) + '@' + std::to_string(depth);
  }
  /// Parts are numbered as they come; the first word about one opens it.
  void enter(std::uint32_t part) {
    if (part != next_) return;
    expect(open_.empty() || leave_room_, "a part inside of a leaf");
    open_.push_back(next_++);
  }
  void expect(bool holds, std::string_view promise) {
    if (!holds && broken.empty()) broken = promise;
  }

  std::vector<std::uint32_t> open_;
  std::uint32_t next_ = 0;
  bool leave_room_ = false;
  bool lasting_ = false;
  bool padless_ = false;
};

/// Walks over a message cut at `borders`. Each piece is a copy of its own, so that the sanitizer
/// sees who reads beyond it or keeps it.
inline MimeRecorder walk_cut(std::string_view message, const MimeOptions& options,
                             std::vector<std::size_t> borders) {
  borders.push_back(message.size());
  MimeRecorder recorder;
  MimeWalk walk;
  walk.begin(options);
  std::size_t at = 0;
  for (const std::size_t border : borders) {
    const std::vector<char> piece(message.begin() + static_cast<std::ptrdiff_t>(at),
                                  message.begin() + static_cast<std::ptrdiff_t>(border));
    walk.feed(std::as_bytes(std::span(piece)), recorder);
    at = border;
  }
  walk.finish(recorder);
  return recorder;
}

inline MimeRecorder walk_in_pieces(std::string_view message, const MimeOptions& options,
                                   std::size_t piece) {
  std::vector<std::size_t> borders;
  for (std::size_t at = piece; at < message.size(); at += piece) borders.push_back(at);
  return walk_cut(message, options, std::move(borders));
}

}  // namespace postern::test
