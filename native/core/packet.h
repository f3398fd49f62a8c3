#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace postern {

/// An IPv4 or IPv6 address in network order; IPv4 uses the first four octets, the rest are zero.
struct Address {
  std::array<std::byte, 16> octets{};
  std::uint8_t version = 4;  ///< 4 or 6

  friend bool operator==(const Address&, const Address&) noexcept = default;
};

struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  friend bool operator==(const Endpoint&, const Endpoint&) noexcept = default;
};

/// TCP control bits (RFC 9293 3.1).
enum TcpFlag : std::uint8_t {
  kFin = 0x01,
  kSyn = 0x02,
  kRst = 0x04,
  kPsh = 0x08,
  kAck = 0x10,
  kUrg = 0x20,
  kEce = 0x40,
  kCwr = 0x80,
};

/// What the TCP options say that Postern needs (RFC 9293 3.2, RFC 7323, RFC 2018, RFC 2385, RFC
/// 5925, RFC 7413).
struct TcpOptions {
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> window_scale;  ///< as sent; the tracker clamps it
  bool has_timestamps = false;
  std::uint32_t timestamp_value = 0;
  std::uint32_t timestamp_echo = 0;
  bool sack_permitted = false;
  bool has_md5 = false;
  bool has_authentication = false;
  bool has_fast_open = false;
  bool has_unknown = false;  ///< one that none of these stand for: MPTCP (RFC 8684), say
};

enum class ParseError : std::uint8_t {
  none = 0,
  not_ip,         ///< neither version 4 nor 6
  truncated,      ///< fewer octets than the headers or the total length say
  bad_ip_header,  ///< header length or total length impossible (the kernel did the checksum)
  fragment,       ///< a fragment: the kernel reassembles before the queue, so this should not be
  bad_extension,  ///< IPv6 extension headers malformed, too many, routing header type 0 (RFC 5095)
                  ///< or with a way to go, jumbo payload, home address
  not_tcp,
  bad_tcp_header,  ///< data offset or an option's length impossible
  not_datagram,    ///< neither UDP nor ICMP (parse_datagram)
  bad_datagram,    ///< a UDP length or an ICMP message that cannot be
};

/// A checked view over one IP packet that carries TCP. One check at the door, then no accessor can
/// fail. `bytes` is cut to the IP length: link-layer padding is not in it.
struct TcpPacket {
  std::span<std::byte> bytes;
  std::uint16_t tcp_offset = 0;      ///< octets before the TCP header
  std::uint16_t payload_offset = 0;  ///< octets before the payload
  Endpoint source;
  Endpoint destination;
  std::uint16_t ip_ident = 0;  ///< IPv4 identification; 0 for IPv6
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  /// How much more the octets acknowledge than `acknowledgement` says
  /// (Flow::acknowledgement_shift).
  std::uint32_t acknowledgement_shift = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 0;  ///< unscaled
  std::uint16_t urgent_pointer = 0;
  TcpOptions options;

  [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
  [[nodiscard]] std::span<std::byte> payload() const noexcept {
    return bytes.subspan(payload_offset);
  }
  /// SEG.LEN of RFC 9293 3.4: payload, and one each for SYN and FIN.
  [[nodiscard]] std::uint32_t segment_length() const noexcept {
    return static_cast<std::uint32_t>(bytes.size() - payload_offset) + (has(kSyn) ? 1U : 0U) +
           (has(kFin) ? 1U : 0U);
  }
};

/// Reads an IPv4 or IPv6 packet. Inputs: the octets from the IP header on, padding allowed behind.
/// `packet` is valid only when the answer is `none`; ports and addresses are filled whenever they
/// could be read.
[[nodiscard]] ParseError parse_tcp_packet(std::span<std::byte> bytes, TcpPacket& packet) noexcept;

/// Whether the TCP checksum is right (RFC 9293 3.1). Only for packets whose checksum is complete.
[[nodiscard]] bool tcp_checksum_ok(const TcpPacket& packet) noexcept;

/// Writes the IPv4 header checksum and the TCP checksum in full, after a rewrite.
void write_checksums(const TcpPacket& packet) noexcept;

/// Cuts the payload to `payload_bytes` (at most what is there), fixes the IP length, clears FIN and
/// PSH if anything was cut, writes the checksums, and returns the packet that is left.
[[nodiscard]] std::span<std::byte> trim_payload(TcpPacket& packet,
                                                std::size_t payload_bytes) noexcept;

/// Whether nothing stands between the IP header's fixed part and TCP.
[[nodiscard]] bool has_bare_ip_header(const TcpPacket& packet) noexcept;

/// Turns the packet into a bare RST from the same sender (RFC 9293 3.10.7): no payload, no options,
/// `sequence`, ACK kept with `acknowledgement` and the packet's shift, a TTL of our own. Returns
/// the packet that is left, checksums written. What stands between the headers stays.
[[nodiscard]] std::span<std::byte> make_reset(TcpPacket& packet, std::uint32_t sequence,
                                              std::uint32_t acknowledgement) noexcept;

/// Clears URG and its pointer, so that every receiver reads the octet in line (RFC 6093). Checksums
/// are not written.
void clear_urgent(TcpPacket& packet) noexcept;

/// Overwrites the options of a packet that TcpOptions::has_unknown is about with NOP. Checksums are
/// not written.
void clear_unknown_options(TcpPacket& packet) noexcept;

/// Overwrites TSval of a packet that has timestamps (RFC 7323 3.2). Checksums are not written.
void set_timestamp_value(TcpPacket& packet, std::uint32_t value) noexcept;

/// Octets that came out of order, by sequence number.
struct SackRanges {
  static constexpr std::size_t kRangesMax = 3;
  std::array<std::array<std::uint32_t, 2>, kRangesMax> ranges{};
  std::size_t count = 0;
};

/// A segment that Postern itself sends in a peer's name.
struct SegmentSpec {
  Endpoint source;
  Endpoint destination;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint32_t acknowledgement_shift = 0;  ///< added when it is written
  std::uint8_t flags = 0;
  std::uint16_t window = 0;
  /// Written as a timestamps option (RFC 7323 3.2) when set: value and echo.
  std::optional<std::array<std::uint32_t, 2>> timestamps;
  /// Written as a selective acknowledgement (RFC 2018 3): each from its first octet to behind its
  /// last, beside timestamps three at most, which is what `SackRanges` holds.
  SackRanges selective;
  std::span<const std::byte> payload;
};

/// Writes IP and TCP headers and payload with checksums into `out`, which must not overlap the
/// payload. Returns the octets written, 0 if `out` is too small, the packet would pass 65,535
/// octets or the address versions differ. TTL 64, DF set, no IPv4 identification.
[[nodiscard]] std::size_t build_segment(const SegmentSpec& spec, std::span<std::byte> out) noexcept;

}  // namespace postern
