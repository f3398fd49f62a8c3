#include <algorithm>
#include <array>
#include <cstdio>

#include "fuzzing.h"
#include "io/pcap_source.h"

using namespace postern;

/// A capture of any content ends or fails with a text; its packets lie within their slots.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::FILE* file = ::fmemopen(const_cast<std::uint8_t*>(data), size, "rb");
  if (file == nullptr) return 0;
  const PcapOpening opening = PcapSource::open(file, "fuzzed");
  if (!opening.source) {
    fuzz::require(!opening.error.empty());
    return 0;
  }
  std::array<ReceivedPacket, 8> packets;
  std::size_t count = 0;
  ReceiveStatus status = ReceiveStatus::packets;
  std::uint32_t last_id = 0;
  while ((status = opening.source->receive(packets, count)) == ReceiveStatus::packets) {
    for (ReceivedPacket& packet : std::span(packets).first(count)) {
      fuzz::require(packet.id > last_id && !packet.bytes.empty() && packet.time_ms >= 0);
      last_id = packet.id;
      std::fill(packet.bytes.begin(), packet.bytes.end(), std::byte{0});
    }
  }
  fuzz::require(status == ReceiveStatus::ended || *opening.source->error() != '\0');
  return 0;
}
