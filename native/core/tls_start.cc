#include "core/tls_start.h"

namespace postern {
namespace {

constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kVersionMajor = 3;
/// Minor version 0 is SSL 3.0, which some clients still write into the record of a newer hello.
constexpr std::uint8_t kVersionMinorMax = 4;
constexpr std::uint8_t kClientHello = 1;
constexpr std::uint8_t kServerHello = 2;
/// RFC 8446 5.2: 2^14 and the expansion allowed to ciphertext. Below 4 no message header fits.
constexpr unsigned kRecordBytesMax = 16'384 + 256;
constexpr unsigned kRecordBytesMin = 4;

[[nodiscard]] constexpr bool length_possible(unsigned high, unsigned low) noexcept {
  const unsigned length = high << 8U | low;
  return length >= kRecordBytesMin && length <= kRecordBytesMax;
}

}  // namespace

TlsStart::Answer TlsStart::step(std::byte octet) noexcept {
  const auto value = std::to_integer<std::uint8_t>(octet);
  bool possible = false;
  switch (seen_++) {
    case 0:
      possible = value == kHandshakeRecord;
      break;
    case 1:
      possible = value == kVersionMajor;
      break;
    case 2:
      possible = value <= kVersionMinorMax;
      break;
    case 3:
      length_high_ = value;
      possible = value <= kRecordBytesMax >> 8U;
      break;
    case 4:
      possible = length_possible(length_high_, value);
      break;
    default:
      return value == kClientHello || value == kServerHello ? Answer::yes : Answer::no;
  }
  return possible ? Answer::undecided : Answer::no;
}

}  // namespace postern
