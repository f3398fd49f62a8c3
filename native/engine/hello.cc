// What a TLS hello says. Its octets but the last go ahead as they come, so they are kept here.
#include "core/tls_hello.h"
#include "engine/packet_loop.h"

namespace postern {

/// False, with nothing kept, when hellos of others have used up the memory.
bool PacketLoop::keep_hello(FlowSide& side, std::span<const std::byte> octets) noexcept {
  if (octets.size() > kTlsHelloTotalBytesMax - hello_bytes_) return false;
  side.head.insert(side.head.end(), octets.begin(), octets.end());
  hello_bytes_ += octets.size();
  return true;
}

/// The last of the octets that were kept are to come again.
void PacketLoop::forget_hello(FlowSide& side, std::size_t octets) noexcept {
  side.head.resize(side.head.size() - octets);
  hello_bytes_ -= octets;
}

/// The side is framed another way, or over: what was kept of a hello goes.
void PacketLoop::drop_hello(FlowSide& side) noexcept {
  if (side.framer.framing().mode != FramingMode::tls) return;
  hello_bytes_ -= side.head.size();
  side.head = {};
}

/// The hello of the other side's kind is no hello of this one, whatever it says.
PacketLoop::Advance PacketLoop::write_tls_start(std::uint32_t index, Side from,
                                                const Cut& cut) noexcept {
  Flow& flow = *flows_[index];
  FlowSide& side = flow.side(from);
  std::uint32_t at = 0;
  if (writer_.full() || !writer_.reserve(side.head.size(), at)) return Advance::blocked;
  std::size_t length = 0;
  if (cut.well_formed) {
    const std::optional<TlsHello> hello = read_tls_hello(join_tls_records(side.head));
    const bool own = hello && (hello->type == kTlsClientHello) == (from == Side::initiator);
    if (own) length = write_tls_hello(*hello, writer_.text(at, side.head.size()));
  }
  drop_hello(side);
  writer_.add({.kind = EventKind::tls_start,
               .side = from,
               .flags = (length > 0 ? kWellFormed : 0U) | (cut.tls_alert ? kTlsAlert : 0U),
               .flow = index,
               .generation = table_.generation(index),
               .text_offset = at,
               .text_length = static_cast<std::uint32_t>(length),
               .number = cut.frame_bytes,
               .extra = packet_id_});
  flow.event_side = from;
  flow.event_is_partial = false;
  flow.reframe_wanted = false;
  flow.ordered = false;
  return Advance::wrote;
}

}  // namespace postern
