// Messages put together at random, cut at random: the same is told.
#include <algorithm>
#include <array>
#include <memory>
#include <random>

#include "test/content_scan_lab.h"

using namespace postern;
using namespace postern::test;

namespace {

Plan everything() {
  ContentPlan plan;
  plan.header =
      compiled(std::vector<std::string>{"^Subject: .*a", "b$", ".*"}, PatternPlace::field);
  plan.body = compiled(std::vector<std::string>{"ab", "b$", "^a", "\\r\\n-", ".*", "^$", "a[^b]*c"},
                       PatternPlace::body);
  plan.decoded = compiled(std::vector<std::string>{"ab", "b$", "^.a", "c"}, PatternPlace::body);
  plan.content_type =
      compiled(std::vector<std::string>{"text", "^multipart/"}, PatternPlace::field);
  plan.encodings = true;
  plan.header_lengths = {0, 7, 30, 60, 61, 62, 90};
  plan.data_lengths = {1, 20, 80, 81, 200, 400};
  return std::make_shared<const ContentPlan>(std::move(plan));
}

/// Fields are read only where a plan has patterns for them: these match none.
Plan bodies(bool fields) {
  ContentPlan plan = *everything();
  plan.header = nullptr;
  if (fields) plan.header = compiled(std::vector<std::string>{"never"}, PatternPlace::field);
  return std::make_shared<const ContentPlan>(std::move(plan));
}

constexpr std::string_view kWords[] = {"\r\n",
                                       "\r\n",
                                       "\n",
                                       "\r",
                                       "--b",
                                       "--b--",
                                       "--b",
                                       "--c",
                                       "--c--",
                                       "-",
                                       "a",
                                       "b",
                                       "ab",
                                       "YWI=",
                                       "YWJj",
                                       "=\r\n",
                                       "=61",
                                       ".",
                                       "\r\n.",
                                       " ",
                                       "\t",
                                       ":",
                                       "x y",
                                       "\r\n\r\n",
                                       "Subject: ",
                                       "=?utf-8?q?a?=",
                                       "\r\n--b\r\n",
                                       "\r\nContent-Type: text/plain\r\n",
                                       "\r\nContent-Type: multipart/mixed; boundary=b\r\n",
                                       "\r\nContent-Type: multipart/mixed; boundary=c\r\n",
                                       "\r\nContent-Type: message/rfc822\r\n",
                                       "\r\nContent-Type: image/png\r\n",
                                       "\rContent-Type: text/a\r",
                                       "\rContent-Transfer-Encoding: base64\r",
                                       "\r\nContent-Transfer-Encoding: base64\r\n",
                                       "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
                                       "\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"};

std::string message_of(std::mt19937& chance, std::string begin) {
  const std::size_t words = chance() % 60;
  for (std::size_t word = 0; word < words; ++word) begin += kWords[chance() % std::size(kWords)];
  return begin;
}

}  // namespace

TEST_CASE("content: any cuts of any message tell the same by the same octet") {
  std::mt19937 chance(20'261'122);
  ContentScanner scanner(everything());
  REQUIRE(scanner.ready());
  std::size_t told = 0;
  for (int round = 0; round < 1'500; ++round) {
    const std::string message = message_of(chance, round % 2 == 0 ? "Subject: a" : "");
    const bool dots = chance() % 2 == 0;
    const Told by_octet = scan_cut(scanner, message, dots, borders_every(message.size(), 1));
    told += by_octet.all.empty() ? 0 : 1;
    CAPTURE(message);
    for (int way = 0; way < 12; ++way) {
      std::vector<std::size_t> borders;
      const std::size_t stride = 1 + chance() % (1 + message.size());
      for (std::size_t at = chance() % stride; at < message.size(); at += 1 + chance() % stride) {
        borders.push_back(at);
      }
      check_same(scan_cut(scanner, message, dots, std::move(borders)), by_octet);
    }
  }
  CHECK(told > 1'000);
}

TEST_CASE("content: a field behind a bare CR is told behind what stands before it") {
  // Lengths would cut the line themselves.
  ContentPlan plan = *everything();
  plan.header_lengths.clear();
  plan.data_lengths.clear();
  // The first line is a field to some and text to others: "ab" is found in a body.
  const std::string told = scan_octets(std::make_shared<const ContentPlan>(std::move(plan)),
                                       " ab\rContent-Type: text/a\r-X: y\r\n", false);
  CHECK(told.find("body 0\n") < told.find("type 0 text/a\n"));
  CHECK(told.find("type 0 text/a\n") != std::string::npos);
}

TEST_CASE("content: messages that come in turns tell what each would alone") {
  std::mt19937 chance(20'261'124);
  ContentScanner scanner(everything());
  REQUIRE(scanner.ready());
  std::size_t told = 0;
  for (int round = 0; round < 600; ++round) {
    std::array<std::string, 3> messages;
    std::array<std::string, 3> alone;
    std::array<std::string, 3> seen;
    std::array<std::size_t, 3> at{};
    std::vector<std::unique_ptr<ContentScan>> scans;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      messages[i] = message_of(chance, "Subject: a");
      alone[i] = scan_cut(scanner, messages[i], false, {}).all;
      told += alone[i].empty() ? 0 : 1;
      scans.push_back(std::make_unique<ContentScan>(scanner, false));
    }
    const auto take = [&](std::size_t i) {
      seen[i] += text_of_facts(scans[i]->facts());
      scans[i]->take_facts();
    };
    const std::size_t given_up = chance() % 4;  // 3: none
    while (std::ranges::any_of(scans, [](const auto& scan) { return scan != nullptr; })) {
      const std::size_t i = chance() % 3;
      if (scans[i] == nullptr) continue;
      const std::size_t left = messages[i].size() - at[i];
      const std::size_t octets = std::min<std::size_t>(1 + chance() % 40, left);
      scans[i]->feed(std::as_bytes(std::span(messages[i]).subspan(at[i], octets)));
      at[i] += octets;
      take(i);
      const bool over = at[i] == messages[i].size();
      if (over) scans[i]->finish();
      if (over) take(i);
      if (over || (i == given_up && chance() % 5 == 0)) scans[i].reset();
    }
    for (std::size_t i = 0; i < messages.size(); ++i) {
      CAPTURE(messages[i]);
      if (i == given_up && at[i] < messages[i].size()) {
        CHECK(alone[i].starts_with(seen[i]));
      } else {
        CHECK(seen[i] == alone[i]);
      }
    }
  }
  CHECK(told > 1'000);
}

TEST_CASE("content: fields that nobody asks for change nothing of what is told of the rest") {
  std::mt19937 chance(20'261'123);
  ContentScanner with(bodies(true));
  ContentScanner without(bodies(false));
  REQUIRE(with.ready());
  REQUIRE(without.ready());
  std::size_t told = 0;
  for (int round = 0; round < 1'500; ++round) {
    const std::string message = message_of(chance, "Subject: a\r\nTo: b\r\n c\r\n");
    const bool dots = chance() % 2 == 0;
    const Told by_octet = scan_cut(with, message, dots, borders_every(message.size(), 1));
    told += by_octet.all.empty() ? 0 : 1;
    CAPTURE(message);
    check_same(scan_cut(without, message, dots, borders_every(message.size(), 1)), by_octet);
    check_same(scan_cut(without, message, dots, {}), by_octet);
    const std::size_t stride = 1 + chance() % (1 + message.size());
    check_same(scan_cut(without, message, dots, borders_every(message.size(), stride)), by_octet);
  }
  CHECK(told > 1'000);
}
