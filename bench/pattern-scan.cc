// Body scanning by PatternSet in pieces, beside a bare loop of the engine over the same patterns
// and the same text. Prints a line a case; ends with 1 when the bar is not held.
//   pattern-scan [MIB [ROUNDS]]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "bare_engine.h"
#include "core/pattern_set_scan.h"

using namespace postern;

namespace {

constexpr double kRatioMax = 1.3;  ///< of CPU beside the bare loop
constexpr std::size_t kPieceSizes[] = {1'460, 65'536};

std::mt19937 chance(20'250'101);

std::string word(std::size_t least, std::size_t most) {
  std::string text;
  const std::size_t letters = least + chance() % (most - least + 1);
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

/// Words of many lengths in lines of a dozen.
std::string prose(std::size_t octets) {
  std::string text;
  std::size_t line = 0;
  while (text.size() < octets) {
    text += word(2, 9);
    line += 1;
    text += line % 12 == 0 ? "\r\n" : " ";
  }
  text.resize(octets);
  return text;
}

std::string base64(std::size_t octets) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve(octets);
  while (text.size() < octets) {
    if (text.size() % 78 == 76) text += "\r\n";
    text += kDigits[chance() % 64];
  }
  text.resize(octets);
  return text;
}

double seconds_of(std::clock_t from) {
  return static_cast<double>(std::clock() - from) / CLOCKS_PER_SEC;
}

class Bare {
 public:
  explicit Bare(const std::vector<Pattern>& patterns) : engine_(patterns) {}
  std::size_t scan(const std::string& text, std::size_t piece) {
    std::size_t found = 0;
    hs_stream_t* stream = engine_.open();
    for (std::size_t at = 0; at < text.size(); at += piece) {
      engine_.scan(stream, text.data() + at, std::min(piece, text.size() - at), found);
    }
    engine_.close(stream, found);
    return found;
  }

 private:
  BareEngine engine_;
};

class Ours {
 public:
  explicit Ours(const std::vector<Pattern>& patterns)
      : set_(PatternSet::compile(patterns, {.place = PatternPlace::body}).set),
        room_(patterns.size()),
        streams_(set_ != nullptr ? set_ : (give_up("the set does not compile"), set_), 1) {
    if (!scratch_.prepare(*set_)) give_up("no memory");
  }
  std::size_t scan(const std::string& text, std::size_t piece) {
    PatternMatches matches(room_);
    const std::uint32_t stream = streams_.open();
    const std::span<const std::byte> octets = std::as_bytes(std::span(text));
    bool good = true;
    for (std::size_t at = 0; at < octets.size(); at += piece) {
      const auto part = octets.subspan(at, std::min(piece, octets.size() - at));
      good = good && streams_.scan(stream, part, scratch_, matches) == ScanEnd::done;
    }
    good = good && streams_.close(stream, scratch_, matches) == ScanEnd::done;
    if (!good) give_up("a scan failed");
    return matches.found().size();
  }

 private:
  std::shared_ptr<const PatternSet> set_;
  std::vector<PatternMatch> room_;
  PatternStreams streams_;
  PatternScratch scratch_;
};

struct Text {
  const char* name;
  std::string octets;
};

/// The best of some rounds each, in turn, so that a busy machine disturbs both alike.
bool compare(Ours& ours, Bare& bare, const Text& text, std::size_t piece, int rounds) {
  double best_ours = 1e9;
  double best_bare = 1e9;
  for (int round = 0; round < rounds; ++round) {
    std::clock_t from = std::clock();
    const std::size_t by_bare = bare.scan(text.octets, piece);
    best_bare = std::min(best_bare, seconds_of(from));
    from = std::clock();
    const std::size_t by_ours = ours.scan(text.octets, piece);
    best_ours = std::min(best_ours, seconds_of(from));
    if (by_ours != by_bare) give_up("not the same matches");
  }
  const double megabytes = static_cast<double>(text.octets.size()) / 1e6;
  const double ratio = best_ours / best_bare;
  std::printf("  %-7s %6zu  %7.0f MB/s %6.3f s/GB   bare %7.0f MB/s %6.3f s/GB   ratio %.2f\n",
              text.name, piece, megabytes / best_ours, best_ours / megabytes * 1'000,
              megabytes / best_bare, best_bare / megabytes * 1'000, ratio);
  return ratio <= kRatioMax;
}

void report_load(bool shapes) {
  const std::vector<Pattern> patterns = patterns_of(10'000, shapes);
  const std::clock_t from = std::clock();
  const auto set = PatternSet::compile(patterns, {.place = PatternPlace::body}).set;
  if (set == nullptr) give_up("10,000 patterns do not compile");
  std::printf("10000 %-6s compile %.2f s of CPU, %zu octets, %zu a stream\n",
              shapes ? "shapes" : "words", seconds_of(from), set->database_bytes(),
              set->stream_bytes());
}

}  // namespace

int main(int count, char** arguments) {
  const std::size_t octets = (count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 32) << 20U;
  const int rounds = count > 2 ? std::atoi(arguments[2]) : 7;
  const Text texts[] = {{"prose", prose(octets)}, {"base64", base64(octets)}};
  std::printf("pattern engine %s\n", hs_version());
  bool held = true;
  for (const bool shapes : {false, true}) {
    for (const std::size_t patterns : {100U, 1'000U}) {
      std::printf("%zu %s\n", patterns, shapes ? "shapes of the dialect" : "caseless words");
      const std::vector<Pattern> list = patterns_of(patterns, shapes);
      Ours ours(list);
      Bare bare(list);
      for (const Text& text : texts) {
        for (const std::size_t piece : kPieceSizes) {
          held = compare(ours, bare, text, piece, rounds) && held;
        }
      }
    }
  }
  report_load(false);
  report_load(true);
  return held ? 0 : 1;
}
