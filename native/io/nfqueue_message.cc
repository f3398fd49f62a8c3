#include "io/nfqueue_message.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include <array>

#include "io/netlink_message.h"

namespace postern {
namespace {

constexpr std::uint16_t kPacketType = (NFNL_SUBSYS_QUEUE << 8U) | NFQNL_MSG_PACKET;

using Attributes = std::array<const nlattr*, NFQA_MAX + 1>;

int keep_attribute(const nlattr* attribute, void* context) noexcept {
  // Kernels newer than our headers may send attributes we do not know.
  if (mnl_attr_type_valid(attribute, NFQA_MAX) < 0) return MNL_CB_OK;
  (*static_cast<Attributes*>(context))[mnl_attr_get_type(attribute)] = attribute;
  return MNL_CB_OK;
}

void read_attributes(const nlmsghdr& message, Attributes& attributes) noexcept {
  each_attribute(message, sizeof(nfgenmsg), [&attributes](const nlattr* attribute) {
    (void)keep_attribute(attribute, &attributes);
  });
}

const nfqnl_msg_packet_hdr* packet_header(const Attributes& attributes) noexcept {
  const nlattr* attribute = attributes[NFQA_PACKET_HDR];
  if (attribute == nullptr || mnl_attr_get_payload_len(attribute) < sizeof(nfqnl_msg_packet_hdr)) {
    return nullptr;
  }
  return static_cast<const nfqnl_msg_packet_hdr*>(mnl_attr_get_payload(attribute));
}

/// A number in network order; the default where it is missing or no 32 bits wide.
std::uint32_t number_of(const nlattr* attribute, std::uint32_t otherwise) noexcept {
  if (attribute == nullptr || mnl_attr_validate(attribute, MNL_TYPE_U32) < 0) return otherwise;
  return ntohl(mnl_attr_get_u32(attribute));
}

bool read_packet(const nlmsghdr& message, ReceivedPacket& packet) noexcept {
  Attributes attributes{};
  read_attributes(message, attributes);
  const nfqnl_msg_packet_hdr* header = packet_header(attributes);
  if (header == nullptr) return false;

  packet = ReceivedPacket{};
  packet.id = ntohl(header->packet_id);
  packet.hook = header->hook;
  packet.in_interface = number_of(attributes[NFQA_IFINDEX_INDEV], 0);
  packet.out_interface = number_of(attributes[NFQA_IFINDEX_OUTDEV], 0);
  packet.mark = number_of(attributes[NFQA_MARK], 0);
  const std::uint32_t facts = number_of(attributes[NFQA_SKB_INFO], 0);
  packet.checksum_complete = (facts & NFQA_SKB_CSUMNOTREADY) == 0;
  packet.gso = (facts & NFQA_SKB_GSO) != 0;

  const nlattr* payload = attributes[NFQA_PAYLOAD];
  if (payload != nullptr) {
    packet.bytes = {static_cast<std::byte*>(mnl_attr_get_payload(payload)),
                    mnl_attr_get_payload_len(payload)};
  }
  // The kernel tells the original length only where the copy is shorter.
  const auto copied = static_cast<std::uint32_t>(packet.bytes.size());
  packet.truncated = packet.bytes.empty() || number_of(attributes[NFQA_CAP_LEN], copied) != copied;
  return true;
}

/// Whether an NLMSG_ERROR says that something failed; acknowledgements carry 0.
bool is_refusal(const nlmsghdr& message) noexcept {
  if (mnl_nlmsg_get_payload_len(&message) < sizeof(int)) return true;
  return *static_cast<const int*>(mnl_nlmsg_get_payload(&message)) != 0;
}

void count_message(const nlmsghdr& message, std::span<ReceivedPacket> packets,
                   QueueDatagram& found) noexcept {
  if (message.nlmsg_type == NLMSG_ERROR) {
    if (is_refusal(message)) ++found.verdict_errors;
  } else if (message.nlmsg_type == kPacketType && found.packets < packets.size() &&
             read_packet(message, packets[found.packets])) {
    ++found.packets;
  } else if (message.nlmsg_type != NLMSG_NOOP) {
    ++found.malformed;
  }
}

}  // namespace

QueueDatagram read_queue_datagram(std::span<std::byte> datagram,
                                  std::span<ReceivedPacket> packets) noexcept {
  QueueDatagram found;
  std::span<const std::byte> rest = datagram;
  while (const nlmsghdr* message = take_message(rest)) count_message(*message, packets, found);
  if (!rest.empty()) ++found.malformed;
  return found;
}

std::optional<std::uint32_t> packet_id_of(const nlmsghdr& message) noexcept {
  Attributes attributes{};
  if (message.nlmsg_type != kPacketType) return std::nullopt;
  read_attributes(message, attributes);
  const nfqnl_msg_packet_hdr* header = packet_header(attributes);
  if (header == nullptr) return std::nullopt;
  return ntohl(header->packet_id);
}

}  // namespace postern
