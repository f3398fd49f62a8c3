// A TCP header and its options from the input behind a sound IP header, and every rewrite of it:
// each result reads again as what the rewrite promised.
#include <algorithm>

#include "core/packet.h"
#include "fuzz/fuzzing.h"

using namespace postern;
using fuzz::require;

namespace {

constexpr std::size_t kIpBytes[] = {20, 40};

/// The first octet of the input picks the IP version, the second how much a trim leaves.
struct Input {
  bool ipv6 = false;
  std::size_t keep = 0;
  std::span<const std::byte> tcp;
};

std::vector<std::byte> packet_around(const Input& input) {
  const std::size_t length = std::min<std::size_t>(input.tcp.size(), 60'000);
  std::vector<std::byte> bytes(kIpBytes[input.ipv6 ? 1 : 0]);
  const std::size_t announced = input.ipv6 ? length : length + bytes.size();
  const std::size_t length_at = input.ipv6 ? 4 : 2;
  bytes[0] = std::byte{input.ipv6 ? std::uint8_t{0x60} : std::uint8_t{0x45}};
  bytes[length_at] = static_cast<std::byte>(announced >> 8U);
  bytes[length_at + 1] = static_cast<std::byte>(announced & 0xFFU);
  bytes[input.ipv6 ? 6 : 9] = std::byte{6};
  const auto tcp = input.tcp.first(length);
  bytes.insert(bytes.end(), tcp.begin(), tcp.end());
  return bytes;
}

TcpPacket read_again(std::span<std::byte> left, const TcpPacket& packet) {
  require(left.size() == packet.bytes.size());
  TcpPacket again;
  require(parse_tcp_packet(left, again) == ParseError::none);
  require(again.bytes.size() == left.size());
  require(again.flags == packet.flags && again.window == packet.window);
  require(again.sequence == packet.sequence && again.acknowledgement == packet.acknowledgement);
  require(again.urgent_pointer == packet.urgent_pointer);
  require(again.payload_offset == packet.payload_offset);
  require(again.source == packet.source && again.destination == packet.destination);
  require(tcp_checksum_ok(again));
  return again;
}

void check_trim(std::vector<std::byte> bytes, std::size_t keep) {
  TcpPacket packet;
  require(parse_tcp_packet(bytes, packet) == ParseError::none);
  const auto before = fuzz::own(packet.payload());
  const auto left = trim_payload(packet, keep);
  TcpPacket again = read_again(left, packet);
  const auto kept = again.payload();
  require(kept.size() == std::min(keep, before.size()));
  require(std::equal(kept.begin(), kept.end(), before.begin()));
  require(kept.size() == before.size() || !again.has(kFin | kPsh));
}

void check_reset(std::vector<std::byte> bytes) {
  TcpPacket packet;
  require(parse_tcp_packet(bytes, packet) == ParseError::none);
  const bool acknowledged = packet.has(kAck);
  const auto left = make_reset(packet, 0x8000'0000, 7);
  const TcpPacket again = read_again(left, packet);
  require(again.flags == (acknowledged ? kRst | kAck : kRst));
  require(again.sequence == 0x8000'0000 && again.acknowledgement == (acknowledged ? 7 : 0));
  require(again.segment_length() == 0 && again.payload_offset == again.tcp_offset + 20);
}

void check_clear_urgent(std::vector<std::byte> bytes) {
  TcpPacket packet;
  require(parse_tcp_packet(bytes, packet) == ParseError::none);
  clear_urgent(packet);
  write_checksums(packet);
  const TcpPacket again = read_again(packet.bytes, packet);
  require(!again.has(kUrg) && again.urgent_pointer == 0);
}

void check_rebuild(TcpPacket& packet) {
  SegmentSpec spec;
  spec.source = packet.source;
  spec.destination = packet.destination;
  spec.sequence = packet.sequence;
  spec.acknowledgement = packet.acknowledgement;
  spec.flags = packet.flags;
  spec.window = packet.window;
  if (packet.options.has_timestamps) {
    spec.timestamps = {packet.options.timestamp_value, packet.options.timestamp_echo};
  }
  spec.payload = packet.payload();
  std::vector<std::byte> out(72 + spec.payload.size());
  out.resize(build_segment(spec, out));
  TcpPacket again;
  require(parse_tcp_packet(out, again) == ParseError::none);
  require(tcp_checksum_ok(again));
  require(again.source == packet.source && again.destination == packet.destination);
  require(again.flags == packet.flags && again.sequence == packet.sequence);
  require(again.options.timestamp_value == packet.options.timestamp_value);
  require(std::ranges::equal(again.payload(), packet.payload()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Input input{
      .ipv6 = (data[0] & 1U) != 0, .keep = data[1], .tcp = fuzz::input(data, size).subspan(2)};
  std::vector<std::byte> bytes = packet_around(input);
  TcpPacket packet;
  if (parse_tcp_packet(bytes, packet) != ParseError::none) return 0;
  check_trim(bytes, input.keep);
  check_reset(bytes);
  check_clear_urgent(bytes);
  check_rebuild(packet);
  return 0;
}
