// Any octets as a packet: what parses lies within its bounds and reads the same again.
#include "core/packet.h"
#include "fuzz/fuzzing.h"

using namespace postern;
using fuzz::require;

namespace {

void check_bounds(const TcpPacket& packet, std::size_t size) {
  const std::size_t ip_header = packet.source.address.version == 4 ? 20 : 40;
  require(packet.bytes.size() <= size);
  require(packet.tcp_offset >= ip_header);
  require(packet.payload_offset >= packet.tcp_offset + 20);
  require(packet.payload_offset <= packet.tcp_offset + 60);
  require(packet.payload_offset <= packet.bytes.size());
  require(packet.source.address.version == packet.destination.address.version);
}

/// Padding changes nothing, one octet less is too few.
void check_length_is_exact(const TcpPacket& packet) {
  std::vector<std::byte> padded = fuzz::own(packet.bytes);
  padded.resize(padded.size() + 7, std::byte{0x0A});
  TcpPacket again;
  require(parse_tcp_packet(padded, again) == ParseError::none);
  require(again.bytes.size() == packet.bytes.size());
  require(again.payload_offset == packet.payload_offset);
  require(again.source == packet.source && again.destination == packet.destination);

  std::vector<std::byte> shorter = fuzz::own(packet.bytes.first(packet.bytes.size() - 1));
  require(parse_tcp_packet(shorter, again) == ParseError::truncated);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> bytes = fuzz::own(fuzz::input(data, size));
  TcpPacket packet;
  if (parse_tcp_packet(bytes, packet) != ParseError::none) return 0;
  check_bounds(packet, size);
  check_length_is_exact(packet);
  write_checksums(packet);
  require(tcp_checksum_ok(packet));
  return 0;
}
