// Sessions of UDP and ICMP, told to the judge in the words of all flows.
#include <algorithm>

#include "engine/datagram_flows.h"
#include "engine/event_text.h"

namespace postern {

namespace {

[[nodiscard]] PortProtocol protocol_of(const DatagramEnds& ends) noexcept {
  return is_icmp(ends.protocol) ? PortProtocol::icmp : PortProtocol::udp;
}

/// Both ends as they are shown: who asks by ICMP has the identifier for a port, who answers none.
void put_ends(std::span<std::byte> out, DatagramEnds ends) noexcept {
  if (is_icmp(ends.protocol)) (ends.is_reply ? ends.source : ends.destination).port = 0;
  put_endpoint(out, ends.source);
  put_endpoint(out.subspan(kEndpointOctets), ends.destination);
}

}  // namespace

void DatagramFlows::write_events() noexcept {
  std::size_t written = 0;
  for (const Ended& ended : ended_) {
    if (writer_.full()) break;
    write_closed(ended);
    ++written;
  }
  ended_.erase(ended_.begin(), ended_.begin() + static_cast<std::ptrdiff_t>(written));
  // An index is told to be free before it is told to be in use again.
  if (!ended_.empty()) return;
  written = 0;
  for (const Question& question : questions_) {
    if (!write_opened(question)) break;
    ++written;
  }
  questions_.erase(questions_.begin(), questions_.begin() + static_cast<std::ptrdiff_t>(written));
}

/// False: there is no room for it now.
bool DatagramFlows::write_opened(const Question& question) noexcept {
  const std::uint32_t index = question.session;
  if (!table_.used(index) || table_.generation(index) != question.generation) return true;
  std::uint32_t at = 0;
  constexpr std::uint32_t kOctets = 2 * kEndpointOctets;
  if (writer_.full() || !writer_.reserve(kOctets, at)) return false;
  const DatagramEnds ends = table_.ends(index);
  DatagramSession& session = table_.at(index);
  put_ends(writer_.text(at, kOctets), ends);
  writer_.add(
      {.kind = EventKind::opened,
       .flow = kDatagramFlowBase + index,
       .generation = question.generation,
       .text_offset = at,
       .text_length = kOctets,
       .number = (std::uint64_t{session.out_interface} << 32U) | session.in_interface,
       .extra = static_cast<std::uint32_t>(protocol_of(ends)) | (question.packet_id << 8U)});
  session.asked = true;
  return true;
}

void DatagramFlows::write_closed(const Ended& ended) noexcept {
  writer_.add({.kind = EventKind::closed,
               .flow = kDatagramFlowBase + ended.session,
               .generation = ended.generation,
               .text_offset = static_cast<std::uint32_t>(ended.bytes[1]),
               .text_length = static_cast<std::uint32_t>(ended.bytes[1] >> 32U),
               .number = ended.bytes[0],
               .extra = static_cast<std::uint32_t>(ended.reason)});
}

/// As for TCP, with no flags and no numbers; the transport stands where other events have a flow.
void DatagramFlows::write_drop(const Waiting& packet, Counter reason) noexcept {
  std::uint32_t at = 0;
  if (writer_.full() || !writer_.reserve(kDropRecordOctets, at)) return;
  const std::span<std::byte> out = writer_.text(at, kDropRecordOctets);
  std::ranges::fill(out, std::byte{0});
  put_ends(out, packet.ends);
  out[2 * kEndpointOctets + 2] = static_cast<std::byte>(packet.ip_ident >> 8U);
  out[2 * kEndpointOctets + 3] = static_cast<std::byte>(packet.ip_ident & 0xFFU);
  writer_.add({.kind = EventKind::dropped,
               .flow = static_cast<std::uint32_t>(protocol_of(packet.ends)),
               .generation = packet.id,
               .text_offset = at,
               .text_length = kDropRecordOctets,
               .extra = static_cast<std::uint32_t>(reason)});
}

}  // namespace postern
