#pragma once

#include <doctest/doctest.h>

#include <cstdint>

#include "core/half_open_table.h"
#include "core/packet.h"

/// Half-open connections for tests, told by small numbers.
namespace postern::test {

inline Address host_address(std::uint32_t number, bool v6 = false) {
  Address address;
  address.version = v6 ? 6 : 4;
  const std::size_t last = v6 ? 12 : 0;
  if (v6) address.octets[0] = std::byte{0xFD};
  for (std::size_t i = 0; i < 4; ++i) {
    address.octets[last + i] = static_cast<std::byte>(number >> (24 - 8 * i));
  }
  return address;
}

/// Client `client` toward server `server`.
inline FlowKey ends_of(std::uint32_t client, std::uint32_t server = 1, bool v6 = false) {
  return {.initiator = {.address = host_address(0x0A00'0000U + client, v6),
                        .port = static_cast<std::uint16_t>(1'024 + client % 60'000)},
          .responder = {.address = host_address(0xC0A8'0000U + server, v6), .port = 25}};
}

inline TcpPacket syn_of(const FlowKey& ends, std::uint32_t sequence = 1'000) {
  TcpPacket syn;
  syn.source = ends.initiator;
  syn.destination = ends.responder;
  syn.flags = kSyn;
  syn.sequence = sequence;
  syn.window = 64'240;
  syn.options.mss = 1'460;
  syn.options.window_scale = 7;
  syn.options.has_timestamps = true;
  syn.options.timestamp_value = 0xF000'0000U;
  return syn;
}

inline TcpPacket answer_to(const TcpPacket& syn, std::uint32_t sequence = 5'000) {
  TcpPacket answer;
  answer.source = syn.destination;
  answer.destination = syn.source;
  answer.flags = kSyn | kAck;
  answer.sequence = sequence;
  answer.acknowledgement = syn.sequence + 1;
  answer.window = 65'160;
  answer.options = syn.options;
  answer.options.mss = 1'400;
  answer.options.window_scale = 5;
  return answer;
}

inline HalfOpen entry_of(const FlowKey& ends, std::int64_t created_ms = 0) {
  HalfOpen entry;
  entry.key = ends;
  entry.initiator_sequence = 1'000;
  entry.created_ms = created_ms;
  return entry;
}

}  // namespace postern::test
