#include <algorithm>

#include "core/bytes.h"
#include "core/ip_header.h"
#include "core/limits.h"
#include "core/wire.h"

namespace postern {
namespace {

/// Header types that may stand between IPv6 and the transport (RFC 8200 4).
enum ExtensionHeader : std::uint8_t {
  kHopByHop = 0,
  kRouting = 43,
  kFragment = 44,
  kDestinationOptions = 60,
};

enum Option : std::uint8_t {
  kPad1 = 0,
  /// RFC 2675: the length field would not say where the packet ends.
  kJumboPayload = 0xC2,
  /// RFC 6275 6.3: the source in the pseudo-header would be another.
  kHomeAddress = 0xC9,
};

[[nodiscard]] Address address_at(std::span<const std::byte> bytes, std::size_t at) noexcept {
  Address address;
  address.version = 6;
  std::ranges::copy(bytes.subspan(at, 16), address.octets.begin());
  return address;
}

/// RFC 8200 4.2: options fill their header exactly.
[[nodiscard]] bool options_acceptable(std::span<const std::byte> options) noexcept {
  std::size_t at = 0;
  while (at < options.size()) {
    const std::uint8_t type = read_u8(options, at);
    if (type == kPad1) {
      ++at;
      continue;
    }
    if (type == kJumboPayload || type == kHomeAddress) return false;
    if (options.size() - at < 2) return false;
    const std::size_t option_bytes = 2U + read_u8(options, at + 1);
    if (option_bytes > options.size() - at) return false;
    at += option_bytes;
  }
  return true;
}

/// A routing header that still has a way to go names a destination that is not the receiver, so
/// neither flow nor checksum could be right; type 0 is refused in any case (RFC 5095).
[[nodiscard]] ParseError check_routing(std::span<const std::byte> header) noexcept {
  const std::uint8_t type = read_u8(header, 2);
  const std::uint8_t segments_left = read_u8(header, 3);
  return type == 0 || segments_left != 0 ? ParseError::bad_extension : ParseError::none;
}

/// Only the atomic fragment of RFC 6946, offset and M both 0, is a whole packet.
[[nodiscard]] ParseError check_fragment(std::span<const std::byte> header) noexcept {
  constexpr std::uint16_t kOffsetAndMore = 0xFFF9;
  return (read_u16(header, 2) & kOffsetAndMore) != 0 ? ParseError::fragment : ParseError::none;
}

[[nodiscard]] ParseError check_extension(std::uint8_t type,
                                         std::span<const std::byte> header) noexcept {
  if (type == kRouting) return check_routing(header);
  if (type == kFragment) return check_fragment(header);
  return options_acceptable(header.subspan(2)) ? ParseError::none : ParseError::bad_extension;
}

[[nodiscard]] constexpr bool is_extension(std::uint8_t type) noexcept {
  return type == kHopByHop || type == kRouting || type == kFragment || type == kDestinationOptions;
}

/// Walks from `at` to the transport header, whose protocol `type` then is. `bytes` is the packet as
/// far as it is at hand.
[[nodiscard]] ParseError walk_extensions(std::span<const std::byte> bytes, std::uint8_t& type,
                                         std::size_t& at) noexcept {
  for (std::size_t walked = 0; is_extension(type); ++walked) {
    if (walked == kIpv6ExtensionHeadersMax) return ParseError::bad_extension;
    // RFC 8200 4.1: hop-by-hop options stand first or not at all.
    if (type == kHopByHop && walked != 0) return ParseError::bad_extension;
    if (bytes.size() - at < 8) return ParseError::bad_extension;
    const std::size_t header_bytes =
        type == kFragment ? 8U : (std::size_t{read_u8(bytes, at + 1)} + 1) * 8;
    if (bytes.size() - at < header_bytes) return ParseError::bad_extension;
    const ParseError error = check_extension(type, bytes.subspan(at, header_bytes));
    if (error != ParseError::none) return error;
    type = read_u8(bytes, at);
    at += header_bytes;
  }
  return ParseError::none;
}

}  // namespace

ParseError read_ipv6(std::span<const std::byte> bytes, IpHeader& header) noexcept {
  if (bytes.size() < wire::ipv6::kHeaderBytes) return ParseError::truncated;
  header.source = address_at(bytes, wire::ipv6::kSource);
  header.destination = address_at(bytes, wire::ipv6::kDestination);

  // Length 0 is a jumbogram, or a super-packet over 65,535 octets whose end nothing in it proves.
  const std::size_t payload_bytes = read_u16(bytes, wire::ipv6::kPayloadLength);
  if (payload_bytes == 0) return ParseError::bad_ip_header;

  const std::size_t end = wire::ipv6::kHeaderBytes + payload_bytes;
  std::size_t at = wire::ipv6::kHeaderBytes;
  const auto at_hand = bytes.first(std::min(end, bytes.size()));
  header.hops = read_u8(bytes, wire::ipv6::kHopLimit);
  header.protocol = read_u8(bytes, wire::ipv6::kNextHeader);
  const ParseError error = walk_extensions(at_hand, header.protocol, at);
  if (error == ParseError::bad_extension && end > bytes.size()) return ParseError::truncated;
  if (error != ParseError::none) return error;
  header.transport_offset = at;
  header.end = end;
  return ParseError::none;
}

}  // namespace postern
