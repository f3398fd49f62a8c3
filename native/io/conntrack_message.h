#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <span>

#include "core/packet.h"
#include "core/wire.h"

namespace postern {

/// The addresses and ports of a packet in its own direction. Of an ICMP query or reply both ports
/// are the identifier.
struct FlowTuple {
  Endpoint source;
  Endpoint destination;
  std::uint8_t protocol = wire::kProtocolTcp;
  std::uint8_t icmp_type = 0;  ///< of the packet in this direction

  friend bool operator==(const FlowTuple&, const FlowTuple&) noexcept = default;
};

/// The other direction; a query becomes its reply.
[[nodiscard]] FlowTuple reversed(const FlowTuple& tuple) noexcept;

/// What conntrack knows of a connection: its packets as they enter the machine, before NAT, in
/// the direction of the one that opened it and in the other.
struct ConntrackTuples {
  FlowTuple original;
  FlowTuple reply;
  std::uint32_t mark = 0;
};

/// The tuple with which a packet must enter the machine so that it leaves as one that our hooks see
/// as `seen` (after DNAT, before SNAT). Nothing if `seen` is not of this connection.
[[nodiscard]] std::optional<FlowTuple> tuple_before_nat(const ConntrackTuples& entry,
                                                        const FlowTuple& seen) noexcept;

/// Room that each request below needs.
inline constexpr std::size_t kConntrackRequestBytes = 512;
using ConntrackRequest = std::span<char, kConntrackRequestBytes>;

/// Asks for the entry that has `tuple` in either direction.
nlmsghdr* put_conntrack_get(ConntrackRequest buffer, const FlowTuple& tuple) noexcept;
/// Asks for the entries whose opener is `seen.source` and whose answerer really is
/// `seen.destination`. Kernels before 5.8 do not know the filter and answer with every entry.
nlmsghdr* put_conntrack_search(ConntrackRequest buffer, const FlowTuple& seen) noexcept;
/// Asks for the entries whose mark, under the mask, is `mark`.
nlmsghdr* put_conntrack_marked(ConntrackRequest buffer, std::uint32_t mark,
                               std::uint32_t mask) noexcept;
/// Sets the bits in `mask` of the mark of the entry with this tuple.
nlmsghdr* put_conntrack_mark(ConntrackRequest buffer, const FlowTuple& tuple, std::uint32_t mark,
                             std::uint32_t mask) noexcept;

/// Reads an entry out of the kernel's message; nothing if it is none of TCP, UDP or ICMP, or
/// malformed.
[[nodiscard]] std::optional<ConntrackTuples> read_conntrack(const nlmsghdr& message) noexcept;

}  // namespace postern
