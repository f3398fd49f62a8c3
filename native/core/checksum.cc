#include "core/checksum.h"

#include <bit>
#include <cassert>
#include <cstring>

#include "core/bytes.h"
#include "core/wire.h"

namespace postern {
namespace {

[[nodiscard]] constexpr std::uint16_t fold(std::uint64_t sum) noexcept {
  while (sum > 0xFFFFU) sum = (sum & 0xFFFFU) + (sum >> 16U);
  return static_cast<std::uint16_t>(sum);
}

[[nodiscard]] constexpr std::uint16_t to_host_order(std::uint16_t sum) noexcept {
  if constexpr (std::endian::native == std::endian::big) return sum;
  return static_cast<std::uint16_t>(sum << 8U | sum >> 8U);
}

[[nodiscard]] bool is_ipv4(std::span<const std::byte> bytes) noexcept {
  return read_u8(bytes, 0) >> 4U == 4U;
}

}  // namespace

// The ones' complement sum does not depend on byte order but for one swap at the end (RFC 1071
// 2(B)), so whole words are added as they lie in memory.
std::uint16_t internet_sum(std::span<const std::byte> bytes, std::uint16_t sum) noexcept {
  std::uint64_t words = 0;
  std::size_t at = 0;
  for (; bytes.size() - at >= sizeof(std::uint32_t); at += sizeof(std::uint32_t)) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    words += word;
  }
  std::uint64_t total = std::uint64_t{to_host_order(fold(words))} + sum;
  for (; bytes.size() - at >= 2; at += 2) total += read_u16(bytes, at);
  if (at < bytes.size()) total += std::uint64_t{read_u8(bytes, at)} << 8U;
  return fold(total);
}

std::uint16_t pseudo_header_sum(std::span<const std::byte> bytes, std::size_t transport_bytes,
                                std::uint8_t protocol) noexcept {
  const auto addresses =
      is_ipv4(bytes)
          ? bytes.subspan(wire::ipv4::kSource, wire::ipv4::kHeaderBytesMin - wire::ipv4::kSource)
          : bytes.subspan(wire::ipv6::kSource, wire::ipv6::kHeaderBytes - wire::ipv6::kSource);
  return internet_sum(addresses, fold(transport_bytes + protocol));
}

std::uint16_t tcp_sum(std::span<const std::byte> bytes, std::size_t tcp_offset) noexcept {
  assert(tcp_offset + wire::tcp::kHeaderBytesMin <= bytes.size());
  const auto segment = bytes.subspan(tcp_offset);
  return internet_sum(segment, pseudo_header_sum(bytes, segment.size(), wire::kProtocolTcp));
}

void write_packet_checksums(std::span<std::byte> bytes, std::size_t tcp_offset) noexcept {
  if (is_ipv4(bytes)) {
    const std::size_t header_bytes = std::size_t{read_u8(bytes, 0) & 0x0FU} * 4;
    write_u16(bytes, wire::ipv4::kChecksum, 0);
    const auto sum = internet_sum(bytes.first(header_bytes));
    write_u16(bytes, wire::ipv4::kChecksum, static_cast<std::uint16_t>(~sum));
  }
  write_u16(bytes, tcp_offset + wire::tcp::kChecksum, 0);
  const auto sum = tcp_sum(bytes, tcp_offset);
  write_u16(bytes, tcp_offset + wire::tcp::kChecksum, static_cast<std::uint16_t>(~sum));
}

}  // namespace postern
