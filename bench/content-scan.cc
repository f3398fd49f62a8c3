// Messages through ContentScan as packets bring them, beside a bare loop of the pattern engine over
// the same text. Both find their segments where the kernel would have put them: in a buffer of one
// turn of the queue, written just before. Only the scans are timed. Prints a line a case; ends with
// 1 when the bar is not held.
//   content-scan [MIB [ROUNDS]]
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "bare_engine.h"
#include "core/limits.h"
#include "engine/content_scan.h"

using namespace postern;

namespace {

constexpr double kRatioMax = 1.3;             ///< of CPU beside the bare loop
constexpr std::size_t kSegmentBytes = 1'448;  ///< of TCP over Ethernet, with timestamps

/// What a worker takes from the queue at a time.
constexpr std::size_t kSegmentsATurn = kPacketsPerTurnMax;

std::mt19937 chance(20'261'122);

std::size_t between(std::size_t least, std::size_t most) {
  return least + chance() % (most - least + 1);
}

std::string word(std::size_t least, std::size_t most) {
  std::string text;
  const std::size_t letters = between(least, most);
  while (text.size() < letters) text += static_cast<char>('a' + chance() % 26);
  return text;
}

/// The shapes of cisco-ios 1.5.
std::string shape(std::size_t number) {
  switch (number % 8) {
    case 0:
      return "UD-" + std::to_string(100'000 + chance() % 900'000);
    case 1:
      return "^Subject:.*" + word(5, 12);
    case 2:
      return word(4, 8) + "/+" + word(3, 5);
    case 3:
      return word(5, 12) + "\\.com$";
    case 4:
      return "(" + word(5, 12) + "|" + word(5, 12) + ")@" + word(5, 12) + "\\.com";
    case 5:
      return "[0-9]{4,}" + word(5, 8);
    case 6:
      return word(5, 12) + ".*@" + word(5, 12) + "\\.com$";
    default:
      return word(3, 4) + "o*" + word(4, 6);
  }
}

std::vector<Pattern> patterns_of(std::size_t count, bool shapes) {
  std::vector<Pattern> patterns;
  for (std::size_t i = 0; i < count; ++i) {
    patterns.push_back({static_cast<std::uint32_t>(i), shapes ? shape(i) : word(5, 12), !shapes});
  }
  return patterns;
}

/// A message, and the text in it that a bare loop scans: a stream a part.
struct Message {
  std::string octets;
  std::vector<std::string> texts;
};

std::string prose(std::size_t octets) {
  std::string text;
  std::size_t line = 0;
  while (text.size() < octets) {
    text += word(2, 9);
    line += 1;
    text += line % 12 == 0 ? "\r\n" : " ";
    if (line % 400 == 0) text += "\r\n-- \r\n";
    if (line % 900 == 0) text += "\r\nUD-" + std::to_string(100'000 + chance() % 900'000) + "\r\n";
  }
  return text;
}

std::string html(std::size_t octets) {
  std::string text = "<html><body>\r\n";
  while (text.size() < octets) {
    text += "<p style=\"font-family:" + word(4, 9) + "\"><a href=\"https://www." + word(5, 12) +
            ".com/" + word(4, 20) + "\">" + word(3, 9) + " " + word(2, 8) + "</a> " + word(2, 9) +
            "</p>\r\n";
  }
  return text + "</body></html>";
}

std::string header() {
  std::string text;
  for (int hop = 0; hop < 4; ++hop) {
    text += "Received: from " + word(5, 9) + ".example by " + word(5, 9) +
            ".example with ESMTPS;\r\n\tMon, 2 Nov 2026 10:00:00 +0000\r\n";
  }
  return text + "From: " + word(4, 9) + "@example.com\r\nTo: " + word(4, 9) +
         "@example.org\r\nSubject: " + word(3, 9) + " " + word(3, 9) + "\r\nMessage-ID: <" +
         word(20, 30) +
         "@example.com>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n"
         "MIME-Version: 1.0\r\nX-Mailer: " +
         word(6, 9) + "\r\n";
}

Message plain(std::size_t octets) {
  Message message;
  message.texts.push_back(prose(octets) + "\r\n");
  message.octets =
      header() + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + message.texts[0] + ".\r\n";
  return message;
}

Message alternative(std::size_t octets) {
  Message message;
  message.texts = {prose(octets / 4), html(octets * 3 / 4)};
  const std::string boundary = "----=_Part_" + word(12, 12);
  message.octets = header() + "Content-Type: multipart/alternative; boundary=\"" + boundary +
                   "\"\r\n\r\n--" + boundary + "\r\nContent-Type: text/plain\r\n\r\n" +
                   message.texts[0] + "\r\n--" + boundary + "\r\nContent-Type: text/html\r\n" +
                   "Content-Transfer-Encoding: 8bit\r\n\r\n" + message.texts[1] + "\r\n--" +
                   boundary + "--\r\n.\r\n";
  return message;
}

struct Corpus {
  const char* name;
  std::vector<Message> messages;
};

template <typename Make>
Corpus corpus_of(const char* name, std::size_t octets, std::size_t least, std::size_t most,
                 const Make& make) {
  Corpus corpus{name, {}};
  for (std::size_t sum = 0; sum < octets;) {
    corpus.messages.push_back(make(between(least, most)));
    sum += corpus.messages.back().octets.size();
  }
  return corpus;
}

/// A piece of a message, or of a text.
struct Segment {
  std::span<const std::byte> octets;
  bool first = false;
  bool last = false;
};

void cut(std::vector<Segment>& into, const std::string& octets) {
  const std::span<const std::byte> all = std::as_bytes(std::span(octets));
  for (std::size_t at = 0; at < all.size(); at += kSegmentBytes) {
    const std::size_t size = std::min(kSegmentBytes, all.size() - at);
    into.push_back({all.subspan(at, size), at == 0, at + size == all.size()});
  }
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

class Bare {
 public:
  explicit Bare(const std::vector<Pattern>& patterns) : engine_(patterns) {}
  void take(const Segment& segment) {
    if (segment.first) stream_ = engine_.open();
    engine_.scan(stream_, reinterpret_cast<const char*>(segment.octets.data()),
                 segment.octets.size(), found);
    if (segment.last) engine_.close(stream_, found);
  }

  std::size_t found = 0;

 private:
  BareEngine engine_;
  hs_stream_t* stream_ = nullptr;
};

class Ours {
 public:
  explicit Ours(const std::vector<Pattern>& patterns) : scanner_(plan_of(patterns)) {
    if (!scanner_.ready()) give_up("no memory");
  }
  void take(const Segment& segment) {
    if (segment.first) scan_.emplace(scanner_, true);
    scan_->feed(segment.octets);
    if (segment.last) scan_->finish();
    found += scan_->facts().size() / 12;  // of a body, a record is no longer
    scan_->take_facts();
    if (!segment.last) return;
    if (scan_->failed()) give_up("a scan failed");
    scan_.reset();
  }

  std::size_t found = 0;

 private:
  static std::shared_ptr<const ContentPlan> plan_of(const std::vector<Pattern>& patterns) {
    auto plan = std::make_shared<ContentPlan>();
    plan->body = PatternSet::compile(patterns, {.place = PatternPlace::body}).set;
    if (plan->body == nullptr) give_up("the set does not compile");
    return plan;
  }
  ContentScanner scanner_;
  std::optional<ContentScan> scan_;
};

/// CPU seconds of the scans alone, a turn at a time.
template <typename System>
double seconds_of(System& system, const std::vector<Segment>& segments) {
  static std::array<std::byte, kSegmentsATurn * kSegmentBytes> received;
  std::vector<Segment> turn;
  double seconds = 0;
  system.found = 0;
  for (std::size_t at = 0; at < segments.size(); at += kSegmentsATurn) {
    const std::size_t end = std::min(segments.size(), at + kSegmentsATurn);
    turn.assign(segments.begin() + static_cast<std::ptrdiff_t>(at),
                segments.begin() + static_cast<std::ptrdiff_t>(end));
    std::byte* to = received.data();
    for (Segment& segment : turn) {
      std::memcpy(to, segment.octets.data(), segment.octets.size());
      segment.octets = std::span(to, segment.octets.size());
      to += kSegmentBytes;
    }
    const double start = cpu_seconds();
    for (const Segment& segment : turn) system.take(segment);
    seconds += cpu_seconds() - start;
  }
  return seconds;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// In turn, so that a busy machine disturbs both alike; the ratio is the median of the rounds'.
bool compare(Ours& ours, Bare& bare, const Corpus& corpus, int rounds) {
  std::vector<double> by_ours;
  std::vector<double> by_bare;
  std::vector<double> ratios;
  std::vector<Segment> messages;
  std::vector<Segment> texts;
  std::size_t text_octets = 0;
  for (const Message& message : corpus.messages) {
    cut(messages, message.octets);
    for (const std::string& text : message.texts) cut(texts, text);
    for (const std::string& text : message.texts) text_octets += text.size();
  }
  for (int round = 0; round <= rounds; ++round) {
    const double bare_seconds = seconds_of(bare, texts);
    const double our_seconds = seconds_of(ours, messages);
    if (ours.found != bare.found) give_up("not the same matches");
    if (round == 0) continue;  // warms up
    by_bare.push_back(bare_seconds);
    by_ours.push_back(our_seconds);
    ratios.push_back(our_seconds / bare_seconds);
  }
  const double megabytes = static_cast<double>(text_octets) / 1e6;
  const double ratio = median(ratios);
  std::printf("  %-28s %6.0f MB/s %6.3f s/GB   bare %6.0f MB/s %6.3f s/GB   ratio %.2f\n",
              corpus.name, megabytes / median(by_ours), median(by_ours) / megabytes * 1'000,
              megabytes / median(by_bare), median(by_bare) / megabytes * 1'000, ratio);
  return ratio <= kRatioMax;
}

}  // namespace

int main(int count, char** arguments) {
  const std::size_t octets = (count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 16) << 20U;
  const int rounds = std::max(1, count > 2 ? std::atoi(arguments[2]) : 9);
  std::vector<Corpus> corpora;
  corpora.push_back(corpus_of("plain text, 3 to 20 KB", octets, 3'000, 20'000, plain));
  corpora.push_back(corpus_of("text and HTML, 30 to 150 KB", octets, 30'000, 150'000, alternative));
  corpora.push_back(corpus_of("plain text, 1 to 4 MB", octets, 1'000'000, 4'000'000, plain));
  bool held = true;
  for (const bool shapes : {false, true}) {
    for (const std::size_t patterns : {100U, 1'000U}) {
      std::printf("%zu %s\n", patterns, shapes ? "shapes of the dialect" : "caseless words");
      const std::vector<Pattern> list = patterns_of(patterns, shapes);
      Ours ours(list);
      Bare bare(list);
      for (const Corpus& corpus : corpora) held = compare(ours, bare, corpus, rounds) && held;
    }
  }
  return held ? 0 : 1;
}
