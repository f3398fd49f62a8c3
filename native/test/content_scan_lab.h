#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/content_scan.h"
#include "test/pattern_lab.h"

/// What scans of messages tell, as text, and the same however the messages are cut.
namespace postern::test {

using Plan = std::shared_ptr<const ContentPlan>;

inline std::string_view name_of(ContentFactKind kind) {
  constexpr std::string_view names[] = {"?",    "header",   "body",          "decoded",
                                        "type", "encoding", "header-length", "data-length",
                                        "limit"};
  return names[static_cast<std::size_t>(kind)];
}

/// "header 3 Subject", "body 0", "encoding base64", "data-length 100", "limit parts": a line each.
inline std::string text_of_facts(std::span<const std::byte> records) {
  std::string text;
  const auto octet = [&](std::size_t at) { return std::to_integer<std::uint64_t>(records[at]); };
  while (!records.empty()) {
    REQUIRE(records.size() >= 12);
    const auto kind = static_cast<ContentFactKind>(octet(0));
    REQUIRE((kind >= ContentFactKind::header && kind <= ContentFactKind::limit));
    REQUIRE(octet(1) == 0);
    const std::size_t length = octet(2) << 8U | octet(3);
    std::uint64_t number = 0;
    for (std::size_t at = 4; at < 12; ++at) number = number << 8U | octet(at);
    REQUIRE(records.size() >= 12 + length);
    const auto words = records.subspan(12, length);
    text += name_of(kind);
    const bool numbered = kind != ContentFactKind::encoding && kind != ContentFactKind::limit;
    if (numbered) text += ' ' + std::to_string(number);
    if (length > 0) text += ' ';
    text.append(reinterpret_cast<const char*>(words.data()), words.size());
    text += '\n';
    records = records.subspan(12 + length);
  }
  return text;
}

/// What was told by each octet where a piece ended, and at the end.
struct Told {
  std::vector<std::pair<std::size_t, std::string>> by;
  std::string all;
  bool failed = false;
};

/// Each piece is a copy of its own, so that the sanitizer sees who reads beyond it or keeps it.
inline Told scan_cut(ContentScanner& scanner, std::string_view message, bool dot_stuffed,
                     std::vector<std::size_t> borders) {
  Told told;
  ContentScan scan(scanner, dot_stuffed);
  const auto take = [&] {
    told.all += text_of_facts(scan.facts());
    scan.take_facts();
    CHECK(scan.facts().empty());
  };
  borders.push_back(message.size());
  std::size_t at = 0;
  for (const std::size_t border : borders) {
    const std::vector<char> piece(message.begin() + static_cast<std::ptrdiff_t>(at),
                                  message.begin() + static_cast<std::ptrdiff_t>(border));
    scan.feed(std::as_bytes(std::span(piece)));
    at = border;
    // Some are taken later than others; that changes nothing.
    if (border % 3 != 0) take();
    told.by.emplace_back(border, told.all + text_of_facts(scan.facts()));
  }
  scan.finish();
  take();
  scan.feed(octets("more"));
  scan.finish();
  CHECK(scan.facts().empty());
  told.failed = scan.failed();
  return told;
}

inline std::vector<std::size_t> borders_every(std::size_t size, std::size_t piece) {
  std::vector<std::size_t> borders;
  for (std::size_t at = piece; at < size; at += piece) borders.push_back(at);
  return borders;
}

/// The same is told by every octet as by pieces of one octet.
inline void check_same(const Told& told, const Told& by_octet) {
  REQUIRE(told.all == by_octet.all);
  for (const auto& [border, text] : told.by) {
    if (border == 0) continue;
    const std::size_t octet = border;
    INFO("at octet " << octet);
    REQUIRE(text == by_octet.by[border - 1].second);
  }
}

inline std::string dot_stuffed(std::string_view message) {
  std::string stuffed;
  bool start = true;
  for (std::size_t at = 0; at < message.size(); ++at) {
    if (start && message[at] == '.') stuffed += '.';
    stuffed += message[at];
    start = message[at] == '\n';
  }
  if (!message.ends_with("\r\n") && !message.empty()) stuffed += "\r\n";
  return stuffed + ".\r\n";
}

/// What is told of octets as they stand, having checked that each way of cutting them tells it, and
/// that no stream is left.
inline std::string scan_octets(const Plan& plan, std::string_view message, bool dots) {
  ContentScanner scanner(plan);
  REQUIRE(scanner.ready());
  const Told by_octet = scan_cut(scanner, message, dots, borders_every(message.size(), 1));
  check_same(scan_cut(scanner, message, dots, {}), by_octet);
  for (std::size_t piece = 2; piece < message.size(); piece += 1 + piece / 8) {
    check_same(scan_cut(scanner, message, dots, borders_every(message.size(), piece)), by_octet);
  }
  for (std::size_t border = 1; border < message.size() && message.size() <= 2'000; ++border) {
    check_same(scan_cut(scanner, message, dots, {border}), by_octet);
  }
  return by_octet.all;
}

/// What is told of a message, the same as chunks and as DATA.
inline std::string scan(const Plan& plan, std::string_view message) {
  const std::string chunks = scan_octets(plan, message, false);
  if (message.ends_with("\r\n")) CHECK(scan_octets(plan, dot_stuffed(message), true) == chunks);
  return chunks;
}

inline Plan header_plan(const std::vector<std::string>& expressions) {
  ContentPlan plan;
  plan.header = compiled(expressions, PatternPlace::field);
  return std::make_shared<const ContentPlan>(std::move(plan));
}
inline Plan type_plan(const std::vector<std::string>& expressions) {
  ContentPlan plan;
  plan.content_type = compiled(expressions, PatternPlace::field);
  return std::make_shared<const ContentPlan>(std::move(plan));
}
inline Plan encoding_plan() {
  ContentPlan plan;
  plan.encodings = true;
  return std::make_shared<const ContentPlan>(std::move(plan));
}
/// The same patterns for both ways of reading bodies.
inline Plan body_plan(const std::vector<std::string>& expressions) {
  ContentPlan plan;
  plan.body = compiled(expressions, PatternPlace::body);
  plan.decoded = plan.body;
  return std::make_shared<const ContentPlan>(std::move(plan));
}

}  // namespace postern::test
