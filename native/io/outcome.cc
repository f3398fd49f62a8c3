#include "io/outcome.h"

#include <array>
#include <cstring>

namespace postern {

std::string with_reason(std::string_view what, int error_number) {
  std::array<char, 128> buffer{};
  // The GNU strerror_r: its answer need not lie in the buffer.
  const char* reason = strerror_r(error_number, buffer.data(), buffer.size());
  return std::string(what) + ": " + reason;
}

}  // namespace postern
