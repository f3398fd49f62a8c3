#include <algorithm>

#include "core/bytes.h"
#include "core/ip_header.h"
#include "core/wire.h"

namespace postern {
namespace {

[[nodiscard]] Address address_at(std::span<const std::byte> bytes, std::size_t at) noexcept {
  Address address;
  address.version = 4;
  std::ranges::copy(bytes.subspan(at, 4), address.octets.begin());
  return address;
}

}  // namespace

// The header checksum is the kernel's business: it was checked before any hook saw the packet, and
// captures made at a sender may not have one yet.
ParseError read_ipv4(std::span<const std::byte> bytes, IpHeader& header) noexcept {
  if (bytes.size() < wire::ipv4::kHeaderBytesMin) return ParseError::truncated;
  header.source = address_at(bytes, wire::ipv4::kSource);
  header.destination = address_at(bytes, wire::ipv4::kDestination);
  header.ident = read_u16(bytes, wire::ipv4::kIdentification);
  header.hops = read_u8(bytes, wire::ipv4::kTimeToLive);

  const std::size_t header_bytes = std::size_t{read_u8(bytes, 0) & 0x0FU} * 4;
  const std::size_t total_bytes = read_u16(bytes, wire::ipv4::kTotalLength);
  if (header_bytes < wire::ipv4::kHeaderBytesMin) return ParseError::bad_ip_header;
  if (total_bytes < header_bytes) return ParseError::bad_ip_header;

  const std::uint16_t fragment = read_u16(bytes, wire::ipv4::kFlagsAndOffset);
  if ((fragment & (wire::ipv4::kMoreFragments | wire::ipv4::kOffsetMask)) != 0) {
    return ParseError::fragment;
  }
  header.protocol = read_u8(bytes, wire::ipv4::kProtocol);
  header.transport_offset = header_bytes;
  header.end = total_bytes;
  return ParseError::none;
}

}  // namespace postern
