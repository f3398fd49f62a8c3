#include "core/end_of_data.h"

#include <cstring>

#include "core/bytes.h"

namespace postern {
namespace {

/// Where two dots stand closer than this, a search for the next costs more than it saves.
constexpr std::size_t kCloseDotsOctets = 8;
constexpr std::size_t kBlockOctets = 64;

[[nodiscard]] constexpr bool is_line_end(DataContext context) noexcept {
  return context == DataContext::cr || context == DataContext::crlf ||
         context == DataContext::loose_end;
}

[[nodiscard]] constexpr bool is_behind_dot(DataContext context) noexcept {
  return context == DataContext::dot_after_crlf || context == DataContext::dot_after_loose_end ||
         context == DataContext::dot_cr;
}

/// The context behind `octet` where no dot is waiting to be decided.
[[nodiscard]] constexpr DataContext context_after(DataContext before, std::byte octet) noexcept {
  if (octet == kCr) return DataContext::cr;
  if (octet == kLf) return before == DataContext::cr ? DataContext::crlf : DataContext::loose_end;
  if (octet == kNul) return is_line_end(before) ? DataContext::loose_end : DataContext::text;
  if (octet != kDot || !is_line_end(before)) return DataContext::text;
  return before == DataContext::crlf ? DataContext::dot_after_crlf
                                     : DataContext::dot_after_loose_end;
}

/// The context behind the last of `bytes`, whose dots are all text, given the one before them.
/// Looks only as far back as it must.
[[nodiscard]] DataContext context_behind(DataContext before,
                                         std::span<const std::byte> bytes) noexcept {
  std::size_t nuls = 0;
  while (nuls < bytes.size() && bytes[bytes.size() - 1 - nuls] == kNul) ++nuls;
  const auto rest = bytes.first(bytes.size() - nuls);
  DataContext context = before;
  if (rest.size() >= 2) context = context_after(DataContext::text, rest[rest.size() - 2]);
  if (!rest.empty()) context = context_after(context, rest.back());
  return nuls == 0 ? context : context_after(context, kNul);
}

[[nodiscard]] std::size_t find_dot(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return 0;
  const void* dot = std::memchr(bytes.data(), std::to_integer<int>(kDot), bytes.size());
  if (dot == nullptr) return bytes.size();
  return static_cast<std::size_t>(static_cast<const std::byte*>(dot) - bytes.data());
}

/// Whether a dot of the block stands between two octets that could make it an event; `window` has
/// one octet more at each end. One narrow sum and no branch, so that compilers look at many octets
/// at once.
[[nodiscard]] bool block_matters(std::span<const std::byte, kBlockOctets + 2> window) noexcept {
  const auto ends_line = [](std::byte octet) {
    return static_cast<std::uint8_t>(octet == kCr) | static_cast<std::uint8_t>(octet == kLf) |
           static_cast<std::uint8_t>(octet == kNul);
  };
  std::uint8_t found = 0;
  for (std::size_t i = 0; i < kBlockOctets; ++i) {
    const auto dot = static_cast<std::uint8_t>(window[i + 1] == kDot);
    const auto between = ends_line(window[i]) & ends_line(window[i + 2]);
    found = static_cast<std::uint8_t>(found | (dot & between));
  }
  return found != 0;
}

/// Steps over blocks of close dots that are all text, so that a body made of dots is no lever.
/// `at` is not 0 and `context` is text; both move.
void skip_close_dots(DataContext& context, std::span<const std::byte> bytes,
                     std::size_t& at) noexcept {
  const std::size_t begin = at;
  while (bytes.size() - at > kBlockOctets &&
         !block_matters(bytes.subspan(at - 1).first<kBlockOctets + 2>())) {
    at += kBlockOctets;
  }
  if (at == begin) return;
  // If the last of them is a dot, the octet behind it is known to make text of it.
  context = context_behind(DataContext::text, bytes.subspan(begin, at - begin));
}

}  // namespace

DataEvent step_data(DataContext& context, std::byte octet) noexcept {
  const DataContext before = context;
  switch (before) {
    case DataContext::text:
    case DataContext::cr:
    case DataContext::crlf:
    case DataContext::loose_end:
      context = context_after(before, octet);
      return DataEvent::none;
    case DataContext::dot_after_crlf:
      if (octet == kCr) {
        context = DataContext::dot_cr;
        return DataEvent::none;
      }
      [[fallthrough]];
    case DataContext::dot_after_loose_end:
      context = context_after(DataContext::text, octet);
      return octet == kCr || octet == kLf || octet == kNul ? DataEvent::look_alike
                                                           : DataEvent::none;
    case DataContext::dot_cr:
      context = context_after(DataContext::cr, octet);
      return octet == kLf ? DataEvent::end : DataEvent::late_look_alike;
  }
  return DataEvent::none;
}

DataScan scan_data(DataContext& context, std::span<const std::byte> bytes,
                   LooseDots loose_dots) noexcept {
  const bool early = loose_dots == LooseDots::early;
  std::size_t at = 0;
  bool close_dots = false;
  while (at < bytes.size()) {
    if (is_behind_dot(context)) {
      const DataEvent event = step_data(context, bytes[at++]);
      if (event != DataEvent::none) return {.event = event, .taken = at};
    } else {
      const auto rest = bytes.subspan(at);
      const std::size_t dot = find_dot(rest);
      context = context_behind(context, rest.first(dot));
      if (dot == rest.size()) break;
      context = context_after(context, kDot);
      at += dot + 1;
      if (early && context == DataContext::dot_after_loose_end)
        return {.event = DataEvent::look_alike, .taken = at};
      close_dots = !early && dot < kCloseDotsOctets;
    }
    if (close_dots && context == DataContext::text) skip_close_dots(context, bytes, at);
  }
  return {.event = DataEvent::none, .taken = bytes.size()};
}

}  // namespace postern
