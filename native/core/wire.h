#pragma once

#include <cstddef>
#include <cstdint>

/// Where the fields of IP and TCP headers stand, in octets from the header's start. Shared by the
/// files that read, rewrite and build packets.
namespace postern::wire {

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;

/// Of packets that we build, and its like in IPv6.
inline constexpr std::uint8_t kOwnTimeToLive = 64;

/// RFC 791 3.1.
namespace ipv4 {
inline constexpr std::size_t kHeaderBytesMin = 20;
inline constexpr std::size_t kTotalLength = 2;
inline constexpr std::size_t kIdentification = 4;
inline constexpr std::size_t kFlagsAndOffset = 6;
inline constexpr std::size_t kTimeToLive = 8;
inline constexpr std::size_t kProtocol = 9;
inline constexpr std::size_t kChecksum = 10;
inline constexpr std::size_t kSource = 12;
inline constexpr std::size_t kDestination = 16;
inline constexpr std::uint16_t kDoNotFragment = 0x4000;
inline constexpr std::uint16_t kMoreFragments = 0x2000;
inline constexpr std::uint16_t kOffsetMask = 0x1FFF;
}  // namespace ipv4

/// RFC 8200 3.
namespace ipv6 {
inline constexpr std::size_t kHeaderBytes = 40;
inline constexpr std::size_t kPayloadLength = 4;
inline constexpr std::size_t kNextHeader = 6;
inline constexpr std::size_t kHopLimit = 7;
inline constexpr std::size_t kSource = 8;
inline constexpr std::size_t kDestination = 24;
}  // namespace ipv6

/// RFC 9293 3.1.
namespace tcp {
inline constexpr std::size_t kHeaderBytesMin = 20;
inline constexpr std::size_t kSourcePort = 0;
inline constexpr std::size_t kDestinationPort = 2;
inline constexpr std::size_t kSequence = 4;
inline constexpr std::size_t kAcknowledgement = 8;
inline constexpr std::size_t kDataOffset = 12;
inline constexpr std::size_t kFlags = 13;
inline constexpr std::size_t kWindow = 14;
inline constexpr std::size_t kChecksum = 16;
inline constexpr std::size_t kUrgentPointer = 18;
}  // namespace tcp

/// RFC 768.
namespace udp {
inline constexpr std::size_t kHeaderBytes = 8;
inline constexpr std::size_t kSourcePort = 0;
inline constexpr std::size_t kDestinationPort = 2;
inline constexpr std::size_t kLength = 4;
inline constexpr std::size_t kChecksum = 6;
}  // namespace udp

/// RFC 792, RFC 4443 2.1; the identifier is that of queries.
namespace icmp {
inline constexpr std::size_t kHeaderBytes = 8;
inline constexpr std::size_t kType = 0;
inline constexpr std::size_t kCode = 1;
inline constexpr std::size_t kIdentifier = 4;
}  // namespace icmp

}  // namespace postern::wire
