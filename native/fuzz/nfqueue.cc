#include <linux/netlink.h>

#include <array>
#include <vector>

#include "fuzzing.h"
#include "io/conntrack_message.h"
#include "io/nfqueue_message.h"

using namespace postern;

namespace {

void check_packet(const ReceivedPacket& packet, std::span<const std::byte> datagram) {
  fuzz::require(!packet.bytes.empty() || packet.truncated);
  if (packet.bytes.empty()) return;
  const std::byte* begin = packet.bytes.data();
  const std::byte* end = begin + packet.bytes.size();
  fuzz::require(begin >= datagram.data() && end <= datagram.data() + datagram.size());
}

}  // namespace

/// Whatever comes from a netlink socket, packets lie within the datagram and an unreadable payload
/// is never taken for a whole packet.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> datagram = fuzz::own(fuzz::input(data, size));
  std::array<ReceivedPacket, 4> packets;
  const QueueDatagram found = read_queue_datagram(datagram, packets);
  fuzz::require(found.packets <= packets.size());
  for (const ReceivedPacket& packet : std::span(packets).first(found.packets)) {
    check_packet(packet, datagram);
  }
  if (size < sizeof(nlmsghdr)) return 0;
  auto* message = reinterpret_cast<nlmsghdr*>(datagram.data());
  message->nlmsg_len = static_cast<std::uint32_t>(size);
  (void)packet_id_of(*message);
  (void)read_conntrack(*message);
  return 0;
}
