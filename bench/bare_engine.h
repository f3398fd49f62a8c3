#pragma once

#include <hs.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/pattern_set.h"

/// The pattern engine alone, as short as its manual has it: what our scans are measured beside.

[[noreturn]] inline void give_up(const char* why) {
  std::fprintf(stderr, "%s\n", why);
  std::exit(2);
}

inline int count_match(unsigned, unsigned long long, unsigned long long, unsigned, void* count) {
  ++*static_cast<std::size_t*>(count);
  return 0;
}

/// The patterns in one streaming database.
class BareEngine {
 public:
  explicit BareEngine(const std::vector<postern::Pattern>& patterns) {
    std::vector<std::string> texts;
    std::vector<const char*> expressions;
    std::vector<unsigned> flags;
    std::vector<unsigned> ids;
    for (const postern::Pattern& pattern : patterns) {
      texts.push_back(postern::engine_expression(pattern.expression, postern::PatternPlace::body).text);
      flags.push_back(HS_FLAG_MULTILINE | HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY |
                      (pattern.caseless ? HS_FLAG_CASELESS : 0U));
      ids.push_back(pattern.id);
    }
    for (const std::string& text : texts) expressions.push_back(text.c_str());
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(expressions.data(), flags.data(), ids.data(),
                         static_cast<unsigned>(ids.size()), HS_MODE_STREAM, nullptr, &database_,
                         &error) != HS_SUCCESS ||
        hs_alloc_scratch(database_, &scratch_) != HS_SUCCESS) {
      give_up("the bare loop's patterns do not compile");
    }
  }
  BareEngine(const BareEngine&) = delete;
  BareEngine& operator=(const BareEngine&) = delete;
  ~BareEngine() {
    hs_free_scratch(scratch_);
    hs_free_database(database_);
  }

  [[nodiscard]] hs_stream_t* open() const {
    hs_stream_t* stream = nullptr;
    hs_open_stream(database_, 0, &stream);
    return stream;
  }
  void scan(hs_stream_t* stream, const char* octets, std::size_t size, std::size_t& found) const {
    hs_scan_stream(stream, octets, static_cast<unsigned>(size), 0, scratch_, count_match, &found);
  }
  void close(hs_stream_t* stream, std::size_t& found) const {
    hs_close_stream(stream, scratch_, count_match, &found);
  }

 private:
  hs_database_t* database_ = nullptr;
  hs_scratch_t* scratch_ = nullptr;
};
