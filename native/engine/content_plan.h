#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/pattern_set.h"

namespace postern {

/// What the application policies of a configuration want to know of message content. Immutable and
/// shared by all flows that run under it. An absent set is a match that nobody makes.
struct ContentPlan {
  std::shared_ptr<const PatternSet> header;  ///< fields of the message's own header (place field)
  std::shared_ptr<const PatternSet> body;    ///< text that is as it is (place body)
  /// Text behind base64 and quoted-printable too (place body).
  std::shared_ptr<const PatternSet> decoded;
  std::shared_ptr<const PatternSet> content_type;  ///< Content-Type values (place field)
  bool encodings = false;                          ///< tell each part's Content-Transfer-Encoding
  std::vector<std::uint64_t> header_lengths;       ///< told when passed; rising
  std::vector<std::uint64_t> data_lengths;         ///< told when passed; rising
};

}  // namespace postern
