#include "core/pattern_set.h"

#include <hs.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace postern {
namespace {

unsigned flags_of(const Pattern& pattern, const PatternSetOptions& options) noexcept {
  unsigned flags = HS_FLAG_ALLOWEMPTY;
  flags |= options.place == PatternPlace::body ? HS_FLAG_MULTILINE : HS_FLAG_DOTALL;
  if (pattern.caseless) flags |= HS_FLAG_CASELESS;
  if (!options.every_match) flags |= HS_FLAG_SINGLEMATCH;
  return flags;
}

/// The engine says "… at index 7." or "…, index 7.": its words without the place, and the place.
void read_engine_words(std::string_view words, PatternError& error) {
  while (words.ends_with('.')) words.remove_suffix(1);
  constexpr std::string_view kPlace = "index ";
  const std::size_t place = words.rfind(kPlace);
  if (place != std::string_view::npos) {
    const std::string_view digits = words.substr(place + kPlace.size());
    const auto [end, fault] =
        std::from_chars(digits.data(), digits.data() + digits.size(), error.column);
    if (fault != std::errc{}) error.column = kNoColumn;
    if (fault == std::errc{} && end == digits.data() + digits.size()) {
      words = words.substr(0, place);
      if (words.ends_with("at ")) words.remove_suffix(3);
      while (words.ends_with(' ') || words.ends_with(',')) words.remove_suffix(1);
    }
  }
  error.message = words;
}

PatternError refusal_of(hs_compile_error_t* said, std::span<const EngineExpression> expressions) {
  PatternError error;
  if (said == nullptr) {
    error.message = "The pattern engine gave no reason";
    return error;
  }
  read_engine_words(said->message == nullptr ? "" : said->message, error);
  const auto index = static_cast<std::size_t>(said->expression);
  if (said->expression >= 0 && index < expressions.size()) {
    error.index = index;
    const std::vector<std::size_t>& origins = expressions[index].origins;
    if (error.column != kNoColumn && !origins.empty()) {
      error.column = origins[std::min(error.column, origins.size() - 1)];
    }
  } else {
    error.column = kNoColumn;
  }
  hs_free_compile_error(said);
  return error;
}

/// Patterns by their ids, so that those of one id come into one database, which tells it once.
std::vector<const Pattern*> by_id(std::span<const Pattern> patterns) {
  std::vector<const Pattern*> order;
  order.reserve(patterns.size());
  for (const Pattern& pattern : patterns) order.push_back(&pattern);
  std::ranges::stable_sort(order, {}, [](const Pattern* pattern) { return pattern->id; });
  return order;
}

/// Where the next part ends: at its even share, or behind it where an id goes on.
std::size_t part_end(std::span<const Pattern* const> order, std::size_t from) {
  const std::size_t parts = (order.size() + kPatternsPerDatabaseMax - 1) / kPatternsPerDatabaseMax;
  std::size_t end = std::min(order.size(), from + (order.size() + parts - 1) / parts);
  while (end < order.size() && order[end]->id == order[end - 1]->id) ++end;
  return end;
}

std::string over(std::string_view what, std::size_t is, std::size_t most) {
  return std::string(what) + " of " + std::to_string(is) + " octets, more than " +
         std::to_string(most);
}

PatternSet::Result refused(PatternError&& error) {
  return {nullptr, std::move(error)};
}

}  // namespace

void PatternSet::FreeDatabase::operator()(hs_database* database) const noexcept {
  hs_free_database(database);
}

PatternSet::Result PatternSet::compile(std::span<const Pattern> patterns,
                                       const PatternSetOptions& options) {
  if (hs_valid_platform() != HS_SUCCESS) {
    return refused({kNoPattern, "The pattern engine does not know this processor", kNoColumn});
  }
  if (patterns.empty()) return refused({kNoPattern, "There are no patterns", kNoColumn});
  if (patterns.size() > options.patterns_max) {
    const std::string most = std::to_string(options.patterns_max);
    return refused({options.patterns_max, "More than " + most + " patterns", kNoColumn});
  }
  std::unique_ptr<PatternSet> set(new PatternSet());
  set->place_ = options.place;
  set->every_match_ = options.every_match;
  set->patterns_ = patterns.size();
  const std::vector<const Pattern*> order = by_id(patterns);
  for (std::size_t from = 0; from < order.size();) {
    const std::size_t end = part_end(order, from);
    Database database;
    PatternError error =
        compile_part(std::span(order).subspan(from, end - from), options, database);
    if (error.index != kNoPattern) {
      error.index = static_cast<std::size_t>(order[from + error.index] - patterns.data());
    }
    if (error.message.empty()) error.message = set->take(std::move(database), options);
    if (!error.message.empty()) return refused(std::move(error));
    from = end;
  }
  return {std::move(set), {}};
}

PatternError PatternSet::compile_part(std::span<const Pattern* const> part,
                                      const PatternSetOptions& options, Database& to) {
  std::vector<EngineExpression> expressions;
  std::vector<const char*> texts;
  std::vector<unsigned> flags;
  std::vector<unsigned> ids;
  for (const Pattern* pattern : part) {
    expressions.push_back(engine_expression(pattern->expression, options.place));
    if (PatternError& error = expressions.back().error; !error.message.empty()) {
      error.index = expressions.size() - 1;
      return std::move(error);
    }
    flags.push_back(flags_of(*pattern, options));
    ids.push_back(pattern->id);
  }
  for (const EngineExpression& expression : expressions) texts.push_back(expression.text.c_str());
  const unsigned mode = options.place == PatternPlace::body ? HS_MODE_STREAM : HS_MODE_BLOCK;
  hs_database_t* database = nullptr;
  hs_compile_error_t* said = nullptr;
  const hs_error_t end =
      hs_compile_multi(texts.data(), flags.data(), ids.data(), static_cast<unsigned>(texts.size()),
                       mode, nullptr, &database, &said);
  if (end != HS_SUCCESS) return refusal_of(said, expressions);
  to.reset(database);
  return {};
}

std::string PatternSet::take(Database&& database, const PatternSetOptions& options) {
  std::size_t octets = 0;
  std::size_t stream_octets = 0;
  if (hs_database_size(database.get(), &octets) != HS_SUCCESS ||
      (place_ == PatternPlace::body &&
       hs_stream_size(database.get(), &stream_octets) != HS_SUCCESS)) {
    return "The compiled patterns are not usable";
  }
  database_bytes_ += octets;
  stream_bytes_ += stream_octets;
  databases_.push_back(std::move(database));
  if (database_bytes_ > options.database_bytes_max) {
    return over("The patterns take a database", database_bytes_, options.database_bytes_max);
  }
  if (stream_bytes_ > options.stream_bytes_max) {
    return over("The patterns take a state a stream", stream_bytes_, options.stream_bytes_max);
  }
  return {};
}

}  // namespace postern
