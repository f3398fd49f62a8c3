#include <algorithm>
#include <cassert>

#include "core/bytes.h"
#include "core/checksum.h"
#include "core/packet.h"
#include "core/tcp_options.h"
#include "core/wire.h"

namespace postern {
namespace {

/// Cuts the packet to `length` octets and writes the IP length that goes with it.
void cut_to(TcpPacket& packet, std::size_t length) noexcept {
  assert(length <= packet.bytes.size());
  packet.bytes = packet.bytes.first(length);
  if (packet.source.address.version == 4) {
    write_u16(packet.bytes, wire::ipv4::kTotalLength, static_cast<std::uint16_t>(length));
  } else {
    write_u16(packet.bytes, wire::ipv6::kPayloadLength,
              static_cast<std::uint16_t>(length - wire::ipv6::kHeaderBytes));
  }
}

[[nodiscard]] std::span<std::byte> tcp_of(TcpPacket& packet) noexcept {
  return packet.bytes.subspan(packet.tcp_offset);
}

void set_flags(TcpPacket& packet, unsigned flags) noexcept {
  packet.flags = static_cast<std::uint8_t>(flags);
  write_u8(tcp_of(packet), wire::tcp::kFlags, packet.flags);
}

void set_urgent_pointer(TcpPacket& packet, std::uint16_t pointer) noexcept {
  packet.urgent_pointer = pointer;
  write_u16(tcp_of(packet), wire::tcp::kUrgentPointer, pointer);
}

}  // namespace

bool tcp_checksum_ok(const TcpPacket& packet) noexcept {
  return tcp_sum(packet.bytes, packet.tcp_offset) == 0xFFFFU;
}

void write_checksums(const TcpPacket& packet) noexcept {
  write_packet_checksums(packet.bytes, packet.tcp_offset);
}

std::span<std::byte> trim_payload(TcpPacket& packet, std::size_t payload_bytes) noexcept {
  if (payload_bytes < packet.payload().size()) {
    cut_to(packet, packet.payload_offset + payload_bytes);
    set_flags(packet, packet.flags & ~unsigned{kFin | kPsh});
  }
  write_checksums(packet);
  return packet.bytes;
}

bool has_bare_ip_header(const TcpPacket& packet) noexcept {
  const bool v4 = packet.source.address.version == 4;
  return packet.tcp_offset == (v4 ? wire::ipv4::kHeaderBytesMin : wire::ipv6::kHeaderBytes);
}

std::span<std::byte> make_reset(TcpPacket& packet, std::uint32_t sequence,
                                std::uint32_t acknowledgement) noexcept {
  packet.payload_offset =
      static_cast<std::uint16_t>(packet.tcp_offset + wire::tcp::kHeaderBytesMin);
  cut_to(packet, packet.payload_offset);
  const bool v4 = packet.source.address.version == 4;
  write_u8(packet.bytes, v4 ? wire::ipv4::kTimeToLive : wire::ipv6::kHopLimit,
           wire::kOwnTimeToLive);
  packet.options = TcpOptions{};
  packet.sequence = sequence;
  packet.acknowledgement = packet.has(kAck) ? acknowledgement : 0;
  packet.window = 0;

  const auto tcp = tcp_of(packet);
  write_u32(tcp, wire::tcp::kSequence, packet.sequence);
  write_u32(tcp, wire::tcp::kAcknowledgement,
            packet.has(kAck) ? packet.acknowledgement + packet.acknowledgement_shift : 0);
  write_u8(tcp, wire::tcp::kDataOffset, wire::tcp::kHeaderBytesMin / 4 << 4U);
  write_u16(tcp, wire::tcp::kWindow, 0);
  set_flags(packet, kRst | (packet.flags & kAck));
  set_urgent_pointer(packet, 0);
  write_checksums(packet);
  return packet.bytes;
}

void clear_urgent(TcpPacket& packet) noexcept {
  set_flags(packet, packet.flags & ~unsigned{kUrg});
  set_urgent_pointer(packet, 0);
}

void clear_unknown_options(TcpPacket& packet) noexcept {
  clear_unknown_options(packet.bytes.first(packet.payload_offset)
                            .subspan(packet.tcp_offset + wire::tcp::kHeaderBytesMin));
  packet.options.has_unknown = false;
}

void set_timestamp_value(TcpPacket& packet, std::uint32_t value) noexcept {
  assert(packet.options.has_timestamps);
  const auto options = packet.bytes.first(packet.payload_offset)
                           .subspan(packet.tcp_offset + wire::tcp::kHeaderBytesMin);
  const std::size_t at = find_tcp_option(options, kTimestampsOption);
  if (at == options.size()) return;
  packet.options.timestamp_value = value;
  write_u32(options, at + 2, value);
}

}  // namespace postern
