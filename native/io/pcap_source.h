#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "io/capture_writer.h"
#include "io/packet_slots.h"
#include "io/packet_source.h"

namespace postern {

/// Octets of packets that were read but have no verdict yet, when an output is written.
inline constexpr std::size_t kReplayPendingBytesMax = 256U << 20U;

struct ReplayCounters {
  std::uint64_t accepted = 0;   ///< passed as they were
  std::uint64_t rewritten = 0;  ///< passed with other octets
  std::uint64_t dropped = 0;
  std::uint64_t injected = 0;  ///< segments that Postern sent itself
};

class PcapSource;

struct PcapOpening {
  std::unique_ptr<PcapSource> source;  ///< null on failure
  std::string error;                   ///< then: "capture FILE: why"
};

/// Reads a pcap or pcapng file as if its packets came from a queue. A packet's id is its number in
/// the file, from 1, frames without IP counted too; they are skipped. Checksums count as not
/// filled in, for captures on the sender's own machine hold partial ones.
class PcapSource final : public PacketSource {
 public:
  [[nodiscard]] static PcapOpening open(const std::string& path);
  /// Takes `file` over; `name` stands for it in error texts.
  [[nodiscard]] static PcapOpening open(std::FILE* file, const std::string& name);
  ~PcapSource() override;
  PcapSource(const PcapSource&) = delete;
  PcapSource& operator=(const PcapSource&) = delete;

  /// From here on accepted packets are written to a capture, in the order of their verdicts.
  Outcome write_to(const std::string& path) { return writer_.open(path); }
  /// Ends the output. What was not written, for want of space, is an error.
  Outcome finish() { return writer_.close(); }
  /// Writes a segment of Postern's own into the output, at the time of the newest packet in it.
  void inject(std::span<const std::byte> packet) noexcept;
  [[nodiscard]] const ReplayCounters& replayed() const noexcept { return replayed_; }

  [[nodiscard]] ReceiveStatus receive(std::span<ReceivedPacket> packets,
                                      std::size_t& count) noexcept override;
  void verdict(std::uint32_t id, const Verdict& verdict) noexcept override;
  void flush() noexcept override {}
  [[nodiscard]] int descriptor() const noexcept override { return -1; }
  [[nodiscard]] const SourceCounters& counters() const noexcept override { return counters_; }
  [[nodiscard]] const char* error() const noexcept override { return error_.c_str(); }

 private:
  struct Pending {
    CaptureTime time;
    std::vector<std::byte> bytes;
  };
  struct Closer {
    void operator()(pcap* handle) const noexcept;
  };
  using Handle = std::unique_ptr<pcap, Closer>;

  PcapSource(Handle handle, std::string name);
  [[nodiscard]] static PcapOpening adopt(Handle handle, const std::string& name,
                                         const char* reason);
  /// Reads up to the next packet with IP: packets, ended or failed.
  [[nodiscard]] ReceiveStatus read_next(std::span<std::byte> slot, ReceivedPacket& packet) noexcept;
  [[nodiscard]] bool remember(const ReceivedPacket& packet, CaptureTime time) noexcept;
  void fail(const char* reason) noexcept;

  Handle handle_;
  std::string name_;
  int link_type_;
  std::uint32_t packet_number_ = 0;
  ReceiveStatus ending_ = ReceiveStatus::none;  ///< ended or failed, once met
  PacketSlots slots_;
  std::unordered_map<std::uint32_t, Pending> pending_;
  std::size_t pending_bytes_ = 0;
  CaptureWriter writer_;
  SourceCounters counters_;
  ReplayCounters replayed_;
  std::string error_;
};

static_assert(!std::is_copy_constructible_v<PcapSource>);

/// The sender of a replay: what would have been sent goes into the replay's output.
class ReplaySender final : public SegmentSender {
 public:
  explicit ReplaySender(PcapSource& source) noexcept : source_(source) {}

  [[nodiscard]] bool send(std::span<const std::byte> packet) noexcept override {
    source_.inject(packet);
    return true;
  }

 private:
  PcapSource& source_;
};

}  // namespace postern
