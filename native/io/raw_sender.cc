#include "io/raw_sender.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/ip_header.h"
#include "core/wire.h"
#include "io/outcome.h"

namespace postern {
namespace {

/** `missing` names the capability that the refused step asks for. */
FileDescriptor open_raw(int family, std::uint32_t mark, int& error_number,
                        const char*& missing) noexcept {
  error_number = 0;
  // IPPROTO_RAW: the packets bring their IP header, and nothing is ever received.
  FileDescriptor socket(::socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW));
  missing = socket.valid() ? "CAP_NET_ADMIN" : "CAP_NET_RAW";
  const int on = 1;
  const bool ready =
      socket.valid() && ::setsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0 &&
      (family == AF_INET
           ? ::setsockopt(socket.get(), IPPROTO_IP, IP_HDRINCL, &on, sizeof on) == 0
           : ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof on) == 0);
  if (ready) return socket;
  error_number = errno;
  return FileDescriptor{};
}

std::string refusal_text(int error_number, const char* missing) {
  if (error_number == EPERM || error_number == EACCES) {
    return std::string("segments cannot be sent: ") + missing + " is missing";
  }
  return with_reason("segments cannot be sent", error_number);
}

void write_end(std::span<std::byte> packet, std::size_t address_offset, const Address& address) {
  const std::size_t octets = address.version == 6 ? 16 : 4;
  std::copy_n(address.octets.begin(), octets,
              packet.begin() + static_cast<std::ptrdiff_t>(address_offset));
}

void write_port(std::span<std::byte> packet, std::size_t offset, std::uint16_t port) {
  packet[offset] = static_cast<std::byte>(port >> 8U);
  packet[offset + 1] = static_cast<std::byte>(port & 0xFFU);
}

void readdress(TcpPacket& packet, const FlowTuple& tuple) noexcept {
  const bool v6 = tuple.source.address.version == 6;
  write_end(packet.bytes, v6 ? wire::ipv6::kSource : wire::ipv4::kSource, tuple.source.address);
  write_end(packet.bytes, v6 ? wire::ipv6::kDestination : wire::ipv4::kDestination,
            tuple.destination.address);
  write_port(packet.bytes, packet.tcp_offset, tuple.source.port);
  write_port(packet.bytes, packet.tcp_offset + std::size_t{2}, tuple.destination.port);
  packet.source = tuple.source;
  packet.destination = tuple.destination;
  write_checksums(packet);
}

/// NAT changed what the initiator aimed at, and whom the responder answers.
bool is_double_nat(const ConntrackTuples& entry) noexcept {
  return entry.original.destination != entry.reply.source &&
         entry.original.source != entry.reply.destination;
}

ssize_t send_to(int descriptor, std::span<const std::byte> bytes, const Address& address) noexcept {
  if (address.version == 6) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    std::memcpy(&to.sin6_addr, address.octets.data(), sizeof to.sin6_addr);
    return ::sendto(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT,
                    reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  std::memcpy(&to.sin_addr, address.octets.data(), sizeof to.sin_addr);
  return ::sendto(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT,
                  reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

}  // namespace

RawOpening RawSender::open(std::uint32_t mark) {
  int error_number = 0;
  const char* missing = "";
  FileDescriptor v4 = open_raw(AF_INET, mark, error_number, missing);
  if (!v4.valid()) return {nullptr, refusal_text(error_number, missing)};
  FileDescriptor v6 = open_raw(AF_INET6, mark, error_number, missing);
  if (!v6.valid() && error_number != EAFNOSUPPORT) {
    return {nullptr, refusal_text(error_number, missing)};
  }
  return {std::unique_ptr<RawSender>(new RawSender(std::move(v4), std::move(v6))), {}};
}

bool RawSender::send(std::span<const std::byte> packet) noexcept {
  if (packet.size() > packet_.size()) return false;
  std::copy(packet.begin(), packet.end(), packet_.begin());
  TcpPacket tcp;
  if (parse_tcp_packet(std::span(packet_).first(packet.size()), tcp) != ParseError::none) {
    return false;
  }
  const FlowTuple seen{.source = tcp.source, .destination = tcp.destination};
  if (const std::optional<ConntrackTuples> entry = conntrack_.find(seen)) {
    since_double_nat_ =
        is_double_nat(*entry) ? 0 : std::min(since_double_nat_ + 1, kDoubleNatRemembered);
    const FlowTuple before_nat = tuple_before_nat(*entry, seen).value_or(seen);
    if (before_nat != seen) readdress(tcp, before_nat);
  }
  const FileDescriptor& socket = tcp.destination.address.version == 6 ? v6_ : v4_;
  return send_to(socket.get(), tcp.bytes, tcp.destination.address) ==
         static_cast<ssize_t>(tcp.bytes.size());
}

bool RawSender::send_as_seen(std::span<const std::byte> packet) noexcept {
  IpHeader header;
  if (read_ip(packet, header) != ParseError::none) return false;
  const FileDescriptor& socket = header.destination.version == 6 ? v6_ : v4_;
  return send_to(socket.get(), packet, header.destination) == static_cast<ssize_t>(packet.size());
}

bool RawSender::tracked(const Endpoint& initiator, const Endpoint& responder) noexcept {
  const FlowTuple seen{.source = initiator, .destination = responder};
  return !conntrack_.available() || conntrack_.find(seen).has_value();
}

void RawSender::recall(const Endpoint& initiator, const Endpoint& responder,
                       std::uint32_t mask) noexcept {
  static_cast<void>(conntrack_.set_mark({.source = initiator, .destination = responder}, 0, mask));
}

void RawSender::recall_datagram(const DatagramEnds& ends, std::uint32_t mask) noexcept {
  FlowTuple seen{.source = ends.source, .destination = ends.destination, .protocol = ends.protocol};
  if (is_icmp(ends.protocol)) {
    seen.icmp_type = static_cast<std::uint8_t>(ends.destination.port);
    seen.destination.port = seen.source.port;
  }
  static_cast<void>(conntrack_.set_mark(seen, 0, mask));
}

}  // namespace postern
