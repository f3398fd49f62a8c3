#include <algorithm>

#include "core/bytes.h"
#include "core/checksum.h"
#include "core/packet.h"
#include "core/wire.h"

namespace postern {
namespace {

constexpr std::size_t kIpLengthMax = 0xFFFF;
/// NOP NOP before the option, so that its values lie on 4-octet borders (RFC 7323 appendix A).
constexpr std::size_t kTimestampsBytes = 12;

/// NOP NOP before the option, for the same reason; 8 octets a range.
[[nodiscard]] std::size_t selective_bytes(const SackRanges& selective) noexcept {
  return selective.count == 0 ? 0 : 4 + 8 * selective.count;
}

[[nodiscard]] std::size_t ip_header_bytes(const SegmentSpec& spec) noexcept {
  return spec.source.address.version == 4 ? wire::ipv4::kHeaderBytesMin : wire::ipv6::kHeaderBytes;
}

[[nodiscard]] bool versions_agree(const SegmentSpec& spec) noexcept {
  const std::uint8_t version = spec.source.address.version;
  return version == spec.destination.address.version && (version == 4 || version == 6);
}

void write_ipv4(const SegmentSpec& spec, std::span<std::byte> packet) noexcept {
  write_u8(packet, 0, 4U << 4U | wire::ipv4::kHeaderBytesMin / 4);
  write_u16(packet, wire::ipv4::kTotalLength, static_cast<std::uint16_t>(packet.size()));
  write_u16(packet, wire::ipv4::kFlagsAndOffset, wire::ipv4::kDoNotFragment);
  write_u8(packet, wire::ipv4::kTimeToLive, wire::kOwnTimeToLive);
  write_u8(packet, wire::ipv4::kProtocol, wire::kProtocolTcp);
  std::copy_n(spec.source.address.octets.begin(), 4, packet.begin() + wire::ipv4::kSource);
  std::copy_n(spec.destination.address.octets.begin(), 4,
              packet.begin() + wire::ipv4::kDestination);
}

void write_ipv6(const SegmentSpec& spec, std::span<std::byte> packet) noexcept {
  write_u8(packet, 0, 6U << 4U);
  write_u16(packet, wire::ipv6::kPayloadLength,
            static_cast<std::uint16_t>(packet.size() - wire::ipv6::kHeaderBytes));
  write_u8(packet, wire::ipv6::kNextHeader, wire::kProtocolTcp);
  write_u8(packet, wire::ipv6::kHopLimit, wire::kOwnTimeToLive);
  std::ranges::copy(spec.source.address.octets, packet.begin() + wire::ipv6::kSource);
  std::ranges::copy(spec.destination.address.octets, packet.begin() + wire::ipv6::kDestination);
}

void write_timestamps(const std::array<std::uint32_t, 2>& timestamps,
                      std::span<std::byte> option) noexcept {
  write_u32(option, 0, 0x0101'080AU);  // NOP, NOP, kind 8, length 10
  write_u32(option, 4, timestamps[0]);
  write_u32(option, 8, timestamps[1]);
}

/// RFC 2018 3. What it acknowledges is shifted as all acknowledgements of the segment are.
void write_selective(const SackRanges& selective, std::uint32_t shift,
                     std::span<std::byte> option) noexcept {
  write_u16(option, 0, 0x0101U);
  write_u8(option, 2, 5);
  write_u8(option, 3, static_cast<std::uint8_t>(2 + 8 * selective.count));
  for (std::size_t at = 0; at < selective.count; ++at) {
    write_u32(option, 4 + 8 * at, selective.ranges.at(at)[0] + shift);
    write_u32(option, 8 + 8 * at, selective.ranges.at(at)[1] + shift);
  }
}

void write_tcp(const SegmentSpec& spec, std::span<std::byte> tcp) noexcept {
  const std::size_t header_bytes = tcp.size() - spec.payload.size();
  write_u16(tcp, wire::tcp::kSourcePort, spec.source.port);
  write_u16(tcp, wire::tcp::kDestinationPort, spec.destination.port);
  write_u32(tcp, wire::tcp::kSequence, spec.sequence);
  write_u32(tcp, wire::tcp::kAcknowledgement, spec.acknowledgement + spec.acknowledgement_shift);
  write_u8(tcp, wire::tcp::kDataOffset, static_cast<std::uint8_t>(header_bytes / 4 << 4U));
  write_u8(tcp, wire::tcp::kFlags, spec.flags);
  write_u16(tcp, wire::tcp::kWindow, spec.window);
  if (spec.timestamps) {
    write_timestamps(*spec.timestamps, tcp.subspan(wire::tcp::kHeaderBytesMin));
  }
  if (spec.selective.count > 0) {
    const std::size_t at = header_bytes - selective_bytes(spec.selective);
    write_selective(spec.selective, spec.acknowledgement_shift, tcp.subspan(at));
  }
}

}  // namespace

std::size_t build_segment(const SegmentSpec& spec, std::span<std::byte> out) noexcept {
  if (!versions_agree(spec)) return 0;
  const std::size_t tcp_offset = ip_header_bytes(spec);
  const std::size_t headers_bytes = tcp_offset + wire::tcp::kHeaderBytesMin +
                                    (spec.timestamps ? kTimestampsBytes : std::size_t{0}) +
                                    selective_bytes(spec.selective);
  // Every length field holds 16 bits; IPv6 does not count its own header, IPv4 does.
  if (spec.payload.size() > kIpLengthMax - headers_bytes) return 0;
  const std::size_t total_bytes = headers_bytes + spec.payload.size();
  if (total_bytes > out.size()) return 0;

  const auto packet = out.first(total_bytes);
  std::ranges::copy(spec.payload, packet.subspan(headers_bytes).begin());
  std::ranges::fill(packet.first(headers_bytes), std::byte{0});
  if (tcp_offset == wire::ipv4::kHeaderBytesMin) {
    write_ipv4(spec, packet);
  } else {
    write_ipv6(spec, packet);
  }
  write_tcp(spec, packet.subspan(tcp_offset));
  write_packet_checksums(packet, tcp_offset);
  return total_bytes;
}

}  // namespace postern
