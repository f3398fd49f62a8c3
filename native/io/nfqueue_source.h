#pragma once

#include <sys/socket.h>

#include <array>
#include <string>

#include "io/packet_slots.h"
#include "io/packet_source.h"
#include "io/verdict_batch.h"

namespace postern {

/// Serves a queue through the descriptor of the NfqueueSocket that bound it. The socket outlives
/// the source and may then be served by another one, in another thread: what was not received or
/// has no verdict yet waits in the kernel.
class NfqueueSource final : public PacketSource {
 public:
  NfqueueSource(int descriptor, std::uint16_t queue);
  ~NfqueueSource() override { flush(); }
  NfqueueSource(const NfqueueSource&) = delete;
  NfqueueSource& operator=(const NfqueueSource&) = delete;

  [[nodiscard]] ReceiveStatus receive(std::span<ReceivedPacket> packets,
                                      std::size_t& count) noexcept override;
  void verdict(std::uint32_t id, const Verdict& verdict) noexcept override;
  void flush() noexcept override;
  [[nodiscard]] int descriptor() const noexcept override { return descriptor_; }
  [[nodiscard]] const SourceCounters& counters() const noexcept override { return counters_; }
  [[nodiscard]] const char* error() const noexcept override { return error_.c_str(); }

 private:
  void take_datagram(const mmsghdr& received, std::span<ReceivedPacket> packets,
                     std::size_t& count) noexcept;
  [[nodiscard]] ReceiveStatus refuse(int error_number) noexcept;
  void give_up_batch() noexcept;

  int descriptor_;
  PacketSlots slots_;
  std::array<iovec, kPacketsPerTurnMax> vectors_;
  std::array<sockaddr_storage, kPacketsPerTurnMax> senders_;
  std::array<mmsghdr, kPacketsPerTurnMax> messages_;
  VerdictBatch batch_;
  SourceCounters counters_;
  std::string error_;
};

static_assert(!std::is_copy_constructible_v<NfqueueSource>);

}  // namespace postern
