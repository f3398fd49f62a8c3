#include "io/conntrack_message.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include <array>
#include <cstring>
#include <utility>

#include "core/datagram_packet.h"
#include "io/netlink_message.h"

namespace postern {
namespace {

// Which parts of a tuple a filter compares. The kernel keeps these bits in its own nf_internals.h,
// but they are what user space must send in CTA_FILTER.
constexpr std::uint32_t kFilterSourceAddress = 1U << 0U;
constexpr std::uint32_t kFilterProtocol = 1U << 3U;
constexpr std::uint32_t kFilterSourcePort = 1U << 4U;
constexpr std::uint32_t kFilterSourceEnd = kFilterProtocol | kFilterSourcePort;

constexpr std::size_t octets_of(std::uint8_t version) noexcept {
  return version == 6 ? 16 : 4;
}

nlmsghdr* put_header(ConntrackRequest buffer, std::uint16_t type, std::uint8_t family) noexcept {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = static_cast<std::uint16_t>((NFNL_SUBSYS_CTNETLINK << 8U) | type);
  message->nlmsg_flags = NLM_F_REQUEST;
  auto* netfilter = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
  netfilter->nfgen_family = family;
  netfilter->version = NFNETLINK_V0;
  return message;
}

std::uint8_t family_of(const FlowTuple& tuple) noexcept {
  return tuple.source.address.version == 6 ? AF_INET6 : AF_INET;
}

void put_address(nlmsghdr* message, std::uint16_t type, const Address& address) noexcept {
  mnl_attr_put(message, type, octets_of(address.version), address.octets.data());
}

/// Where a tuple of ICMP keeps what other protocols have ports for.
struct IcmpAttributes {
  std::uint16_t identifier;
  std::uint16_t type;
  std::uint16_t code;
};

const IcmpAttributes* icmp_attributes_of(std::uint8_t protocol) noexcept {
  static constexpr IcmpAttributes kIcmp{CTA_PROTO_ICMP_ID, CTA_PROTO_ICMP_TYPE,
                                        CTA_PROTO_ICMP_CODE};
  static constexpr IcmpAttributes kIcmpv6{CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_TYPE,
                                          CTA_PROTO_ICMPV6_CODE};
  if (protocol == wire::kProtocolIcmp) return &kIcmp;
  return protocol == wire::kProtocolIcmpv6 ? &kIcmpv6 : nullptr;
}

void put_tuple(nlmsghdr* message, std::uint16_t type, const FlowTuple& tuple) noexcept {
  const bool v6 = tuple.source.address.version == 6;
  nlattr* nest = mnl_attr_nest_start(message, type);
  nlattr* ip = mnl_attr_nest_start(message, CTA_TUPLE_IP);
  put_address(message, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, tuple.source.address);
  put_address(message, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, tuple.destination.address);
  mnl_attr_nest_end(message, ip);
  nlattr* protocol = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
  mnl_attr_put_u8(message, CTA_PROTO_NUM, tuple.protocol);
  if (const IcmpAttributes* icmp = icmp_attributes_of(tuple.protocol)) {
    mnl_attr_put_u16(message, icmp->identifier, htons(tuple.source.port));
    mnl_attr_put_u8(message, icmp->type, tuple.icmp_type);
    mnl_attr_put_u8(message, icmp->code, 0);
  } else {
    mnl_attr_put_u16(message, CTA_PROTO_SRC_PORT, htons(tuple.source.port));
    mnl_attr_put_u16(message, CTA_PROTO_DST_PORT, htons(tuple.destination.port));
  }
  mnl_attr_nest_end(message, protocol);
  mnl_attr_nest_end(message, nest);
}

void put_mark(nlmsghdr* message, std::uint32_t mark, std::uint32_t mask) noexcept {
  mnl_attr_put_u32(message, CTA_MARK, htonl(mark));
  mnl_attr_put_u32(message, CTA_MARK_MASK, htonl(mask));
}

/// Attributes of one level by their type; wider than any level of conntrack's that we read.
using Attributes = std::array<const nlattr*, CTA_MAX + 1>;

int keep_attribute(const nlattr* attribute, void* context) noexcept {
  if (mnl_attr_type_valid(attribute, CTA_MAX) < 0) return MNL_CB_OK;
  (*static_cast<Attributes*>(context))[mnl_attr_get_type(attribute)] = attribute;
  return MNL_CB_OK;
}

Attributes nested_in(const nlattr* attribute) noexcept {
  Attributes attributes{};
  if (attribute != nullptr) (void)mnl_attr_parse_nested(attribute, keep_attribute, &attributes);
  return attributes;
}

bool read_address(const nlattr* attribute, std::uint8_t version, Address& address) noexcept {
  if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != octets_of(version)) {
    return false;
  }
  address = Address{};
  address.version = version;
  std::memcpy(address.octets.data(), mnl_attr_get_payload(attribute), octets_of(version));
  return true;
}

bool read_port(const nlattr* attribute, std::uint16_t& port) noexcept {
  if (attribute == nullptr || mnl_attr_validate(attribute, MNL_TYPE_U16) < 0) return false;
  port = ntohs(mnl_attr_get_u16(attribute));
  return true;
}

bool read_u8_attribute(const nlattr* attribute, std::uint8_t& value) noexcept {
  if (attribute == nullptr || mnl_attr_validate(attribute, MNL_TYPE_U8) < 0) return false;
  value = mnl_attr_get_u8(attribute);
  return true;
}

bool read_protocol(const Attributes& parts, FlowTuple& tuple) noexcept {
  if (!read_u8_attribute(parts[CTA_PROTO_NUM], tuple.protocol)) return false;
  if (const IcmpAttributes* icmp = icmp_attributes_of(tuple.protocol)) {
    return read_u8_attribute(parts[icmp->type], tuple.icmp_type) &&
           read_port(parts[icmp->identifier], tuple.source.port) &&
           read_port(parts[icmp->identifier], tuple.destination.port);
  }
  if (tuple.protocol != wire::kProtocolTcp && tuple.protocol != wire::kProtocolUdp) return false;
  return read_port(parts[CTA_PROTO_SRC_PORT], tuple.source.port) &&
         read_port(parts[CTA_PROTO_DST_PORT], tuple.destination.port);
}

bool read_tuple(const nlattr* attribute, FlowTuple& tuple) noexcept {
  const Attributes parts = nested_in(attribute);
  const Attributes ip = nested_in(parts[CTA_TUPLE_IP]);
  const bool v4 = ip[CTA_IP_V4_SRC] != nullptr;
  const std::uint8_t version = v4 ? 4 : 6;
  return read_address(ip[v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC], version, tuple.source.address) &&
         read_address(ip[v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST], version, tuple.destination.address) &&
         read_protocol(nested_in(parts[CTA_TUPLE_PROTO]), tuple);
}

}  // namespace

FlowTuple reversed(const FlowTuple& tuple) noexcept {
  FlowTuple back = tuple;
  std::swap(back.source, back.destination);
  back.icmp_type = answering_type(tuple.protocol, tuple.icmp_type);
  return back;
}

std::optional<FlowTuple> tuple_before_nat(const ConntrackTuples& entry,
                                          const FlowTuple& seen) noexcept {
  // Between DNAT and SNAT a packet bears the true address of both: of the opener as it came in, and
  // of the answerer as it answers.
  FlowTuple true_ends = entry.original;
  true_ends.destination = entry.reply.source;
  // The identifier of an answer is the one that NAT may have written into the question.
  if (icmp_attributes_of(true_ends.protocol) != nullptr) {
    true_ends.destination.port = true_ends.source.port;
  }
  if (seen == true_ends) return entry.original;
  if (seen == reversed(true_ends)) return entry.reply;
  return std::nullopt;
}

nlmsghdr* put_conntrack_get(ConntrackRequest buffer, const FlowTuple& tuple) noexcept {
  nlmsghdr* message = put_header(buffer, IPCTNL_MSG_CT_GET, family_of(tuple));
  put_tuple(message, CTA_TUPLE_ORIG, tuple);
  return message;
}

nlmsghdr* put_conntrack_search(ConntrackRequest buffer, const FlowTuple& seen) noexcept {
  nlmsghdr* message = put_header(buffer, IPCTNL_MSG_CT_GET, family_of(seen));
  message->nlmsg_flags |= NLM_F_DUMP;
  put_tuple(message, CTA_TUPLE_ORIG, seen);
  put_tuple(message, CTA_TUPLE_REPLY, reversed(seen));
  nlattr* filter = mnl_attr_nest_start(message, CTA_FILTER);
  // Linux compares IPv6 addresses in a filter the wrong way round (seen in 6.18): there the ports
  // must do, and the caller compares the rest.
  const bool v6 = seen.source.address.version == 6;
  const std::uint32_t compared = kFilterSourceEnd | (v6 ? 0U : kFilterSourceAddress);
  mnl_attr_put_u32(message, CTA_FILTER_ORIG_FLAGS, compared);
  mnl_attr_put_u32(message, CTA_FILTER_REPLY_FLAGS, compared);
  mnl_attr_nest_end(message, filter);
  return message;
}

nlmsghdr* put_conntrack_marked(ConntrackRequest buffer, std::uint32_t mark,
                               std::uint32_t mask) noexcept {
  nlmsghdr* message = put_header(buffer, IPCTNL_MSG_CT_GET, AF_UNSPEC);
  message->nlmsg_flags |= NLM_F_DUMP;
  put_mark(message, mark, mask);
  return message;
}

nlmsghdr* put_conntrack_mark(ConntrackRequest buffer, const FlowTuple& tuple, std::uint32_t mark,
                             std::uint32_t mask) noexcept {
  nlmsghdr* message = put_header(buffer, IPCTNL_MSG_CT_NEW, family_of(tuple));
  put_tuple(message, CTA_TUPLE_ORIG, tuple);
  put_mark(message, mark, mask);
  return message;
}

std::optional<ConntrackTuples> read_conntrack(const nlmsghdr& message) noexcept {
  if (message.nlmsg_type != ((NFNL_SUBSYS_CTNETLINK << 8U) | IPCTNL_MSG_CT_NEW)) {
    return std::nullopt;
  }
  Attributes attributes{};
  const auto keep = [&attributes](const nlattr* attribute) {
    (void)keep_attribute(attribute, &attributes);
  };
  each_attribute(message, sizeof(nfgenmsg), keep);
  ConntrackTuples entry;
  if (!read_tuple(attributes[CTA_TUPLE_ORIG], entry.original) ||
      !read_tuple(attributes[CTA_TUPLE_REPLY], entry.reply)) {
    return std::nullopt;
  }
  const nlattr* mark = attributes[CTA_MARK];
  if (mark != nullptr && mnl_attr_validate(mark, MNL_TYPE_U32) >= 0) {
    entry.mark = ntohl(mnl_attr_get_u32(mark));
  }
  return entry;
}

}  // namespace postern
