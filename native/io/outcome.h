#pragma once

#include <string>
#include <string_view>

namespace postern {

/// How a request ended: an empty text means well, else the text is for the log.
struct [[nodiscard]] Outcome {
  std::string error;

  [[nodiscard]] bool ok() const noexcept { return error.empty(); }
};

/// "what: the system's words for error_number".
[[nodiscard]] std::string with_reason(std::string_view what, int error_number);

}  // namespace postern
