#include "core/tcp_options.h"

#include <algorithm>

#include "core/bytes.h"

namespace postern {
namespace {

/// The registry of TCP option kinds, as far as Postern looks at them.
enum OptionKind : std::uint8_t {
  kEndOfList = 0,
  kNoOperation = 1,
  kMaximumSegmentSize = 2,
  kWindowScale = 3,
  kSackPermitted = 4,
  kSelectiveAcknowledgement = 5,
  kTimestamps = kTimestampsOption,
  kMd5 = 19,
  kAuthentication = 29,
  kFastOpen = 34,
  kExperimentLow = 253,
  kExperimentHigh = 254,
};

/// RFC 7413 4.1.1: fast open under the experimental kinds (RFC 6994).
constexpr std::uint16_t kFastOpenExperiment = 0xF989;

[[nodiscard]] bool is_fast_open_experiment(std::span<const std::byte> option) noexcept {
  return option.size() >= 4 && read_u16(option, 2) == kFastOpenExperiment;
}

/// `option` is one whole option, kind and length included.
[[nodiscard]] bool is_known(std::span<const std::byte> option) noexcept {
  switch (read_u8(option, 0)) {
    case kMaximumSegmentSize:
    case kWindowScale:
    case kSackPermitted:
    case kSelectiveAcknowledgement:
    case kTimestamps:
    case kMd5:
    case kAuthentication:
    case kFastOpen:
      return true;
    case kExperimentLow:
    case kExperimentHigh:
      return is_fast_open_experiment(option);
    default:
      return false;
  }
}

/// `option` is one whole option, kind and length included. False when its length is not its kind's.
[[nodiscard]] bool read_option(std::span<const std::byte> option, TcpOptions& options) noexcept {
  switch (read_u8(option, 0)) {
    case kMaximumSegmentSize:
      if (option.size() != 4) return false;
      options.mss = read_u16(option, 2);
      return true;
    case kWindowScale:
      if (option.size() != 3) return false;
      options.window_scale = read_u8(option, 2);
      return true;
    case kSackPermitted:
      if (option.size() != 2) return false;
      options.sack_permitted = true;
      return true;
    case kTimestamps:
      if (option.size() != 10) return false;
      options.has_timestamps = true;
      options.timestamp_value = read_u32(option, 2);
      options.timestamp_echo = read_u32(option, 6);
      return true;
    case kMd5:
      if (option.size() != 18) return false;
      options.has_md5 = true;
      return true;
    case kAuthentication:
      if (option.size() < 4) return false;
      options.has_authentication = true;
      return true;
    case kFastOpen:
      options.has_fast_open = true;
      return true;
    case kExperimentLow:
    case kExperimentHigh:
      if (is_fast_open_experiment(option)) options.has_fast_open = true;
      return true;
    default:
      return true;
  }
}

}  // namespace

bool read_tcp_options(std::span<const std::byte> bytes, TcpOptions& options) noexcept {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::uint8_t kind = read_u8(bytes, at);
    if (kind == kEndOfList) return true;
    if (kind == kNoOperation) {
      ++at;
      continue;
    }
    if (bytes.size() - at < 2) return false;
    const std::size_t option_bytes = read_u8(bytes, at + 1);
    if (option_bytes < 2 || option_bytes > bytes.size() - at) return false;
    const auto option = bytes.subspan(at, option_bytes);
    if (!read_option(option, options)) return false;
    options.has_unknown = options.has_unknown || !is_known(option);
    at += option_bytes;
  }
  return true;
}

void clear_unknown_options(std::span<std::byte> bytes) noexcept {
  for (std::size_t at = 0; at < bytes.size() && read_u8(bytes, at) != kEndOfList;) {
    if (read_u8(bytes, at) == kNoOperation) {
      ++at;
      continue;
    }
    if (bytes.size() - at < 2) return;
    const std::size_t octets =
        std::clamp<std::size_t>(read_u8(bytes, at + 1), 2, bytes.size() - at);
    const auto option = bytes.subspan(at, octets);
    if (!is_known(option)) std::ranges::fill(option, std::byte{kNoOperation});
    at += octets;
  }
}

std::size_t find_tcp_option(std::span<const std::byte> bytes, std::uint8_t kind) noexcept {
  std::size_t found = bytes.size();
  for (std::size_t at = 0; at < bytes.size() && read_u8(bytes, at) != kEndOfList;) {
    if (read_u8(bytes, at) == kind) found = at;
    const bool alone = read_u8(bytes, at) == kNoOperation || bytes.size() - at < 2;
    at += alone ? 1U : std::max<std::size_t>(read_u8(bytes, at + 1), 2);
  }
  return found;
}

}  // namespace postern
