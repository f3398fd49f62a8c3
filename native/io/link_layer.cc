#include "io/link_layer.h"

#include <pcap/dlt.h>

#include <cstdint>

namespace postern {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint16_t kTypeIpv4 = 0x0800;
constexpr std::uint16_t kTypeIpv6 = 0x86DD;
constexpr std::uint16_t kTypeVlan = 0x8100;         // IEEE 802.1Q
constexpr std::uint16_t kTypeServiceVlan = 0x88A8;  // IEEE 802.1ad

// DLT_RAW has different numbers on different systems; files carry LINKTYPE_RAW.
constexpr int kLinkTypeRaw = 101;
constexpr int kOldLinkTypeRaw = 14;

/// Where a link-layer header keeps its protocol number, and how long it is.
struct HeaderShape {
  std::size_t protocol_offset;
  std::size_t bytes;
};
constexpr HeaderShape kEthernet{.protocol_offset = 12, .bytes = 14};
constexpr HeaderShape kCooked{.protocol_offset = 14, .bytes = 16};
constexpr HeaderShape kCookedV2{.protocol_offset = 0, .bytes = 20};
constexpr std::size_t kLoopbackHeaderBytes = 4;
constexpr std::size_t kVlanTagBytes = 4;

std::uint16_t u16_at(Bytes bytes, std::size_t offset) noexcept {
  return static_cast<std::uint16_t>((std::to_integer<unsigned>(bytes[offset]) << 8U) |
                                    std::to_integer<unsigned>(bytes[offset + 1]));
}

/// Octets whose own version field says that they are IP.
std::optional<Bytes> by_version(Bytes bytes) noexcept {
  if (bytes.empty()) return std::nullopt;
  const auto version = std::to_integer<unsigned>(bytes[0]) >> 4U;
  return version == 4 || version == 6 ? std::optional(bytes) : std::nullopt;
}

std::optional<Bytes> behind_header(Bytes frame, const HeaderShape& shape) noexcept {
  if (frame.size() < shape.bytes) return std::nullopt;
  std::uint16_t protocol = u16_at(frame, shape.protocol_offset);
  Bytes rest = frame.subspan(shape.bytes);
  for (std::size_t tags = 0; protocol == kTypeVlan || protocol == kTypeServiceVlan; ++tags) {
    if (tags == kVlanTagsMax || rest.size() < kVlanTagBytes) return std::nullopt;
    protocol = u16_at(rest, 2);
    rest = rest.subspan(kVlanTagBytes);
  }
  if (protocol != kTypeIpv4 && protocol != kTypeIpv6) return std::nullopt;
  return by_version(rest);
}

}  // namespace

bool is_known_link_type(int link_type) noexcept {
  switch (link_type) {
    case DLT_EN10MB:
    case DLT_LINUX_SLL:
    case DLT_LINUX_SLL2:
    case DLT_RAW:
    case kLinkTypeRaw:
    case kOldLinkTypeRaw:
    case DLT_IPV4:
    case DLT_IPV6:
    case DLT_NULL:
    case DLT_LOOP:
      return true;
    default:
      return false;
  }
}

std::optional<Bytes> ip_bytes_of_frame(int link_type, Bytes frame) noexcept {
  switch (link_type) {
    case DLT_EN10MB:
      return behind_header(frame, kEthernet);
    case DLT_LINUX_SLL:
      return behind_header(frame, kCooked);
    case DLT_LINUX_SLL2:
      return behind_header(frame, kCookedV2);
    case DLT_NULL:
    case DLT_LOOP:
      // The family's number differs from system to system, the version in IP itself does not.
      if (frame.size() < kLoopbackHeaderBytes) return std::nullopt;
      return by_version(frame.subspan(kLoopbackHeaderBytes));
    default:
      return is_known_link_type(link_type) ? by_version(frame) : std::nullopt;
  }
}

}  // namespace postern
