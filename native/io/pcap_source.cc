#include "io/pcap_source.h"

#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "io/link_layer.h"

namespace postern {
namespace {

/// The end of the year 9999: a corrupt capture may name any second.
constexpr std::int64_t kSecondsMax = 253'402'300'799;

CaptureTime time_of(const pcap_pkthdr& header) noexcept {
  return {.seconds = std::clamp<std::int64_t>(header.ts.tv_sec, 0, kSecondsMax),
          .nanoseconds = std::clamp<std::int64_t>(header.ts.tv_usec, 0, 999'999'999)};
}

std::string text_for(const std::string& name, const char* reason) {
  return "capture " + name + ": " + reason;
}

}  // namespace

void PcapSource::Closer::operator()(pcap* handle) const noexcept {
  ::pcap_close(handle);
}

PcapSource::PcapSource(Handle handle, std::string name)
    : handle_(std::move(handle)),
      name_(std::move(name)),
      link_type_(::pcap_datalink(handle_.get())) {}

PcapSource::~PcapSource() = default;

PcapOpening PcapSource::open(const std::string& path) {
  std::array<char, PCAP_ERRBUF_SIZE> reason{};
  Handle handle(::pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO,
                                                          reason.data()));
  // libpcap begins some of its texts with the path, which ours names already.
  const char* text = reason.data();
  const std::string prefix = path + ": ";
  if (std::string_view(text).substr(0, prefix.size()) == prefix) text += prefix.size();
  return adopt(std::move(handle), path, text);
}

PcapOpening PcapSource::open(std::FILE* file, const std::string& name) {
  std::array<char, PCAP_ERRBUF_SIZE> reason{};
  Handle handle(
      ::pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason.data()));
  if (!handle) std::fclose(file);
  return adopt(std::move(handle), name, reason.data());
}

PcapOpening PcapSource::adopt(Handle handle, const std::string& name, const char* reason) {
  if (!handle) return {nullptr, text_for(name, reason)};
  const int link_type = ::pcap_datalink(handle.get());
  if (!is_known_link_type(link_type)) {
    const char* link_name = ::pcap_datalink_val_to_name(link_type);
    const std::string shown = link_name != nullptr ? link_name : std::to_string(link_type);
    return {nullptr, text_for(name, ("link type " + shown + " is not supported").c_str())};
  }
  return {std::unique_ptr<PcapSource>(new PcapSource(std::move(handle), name)), {}};
}

ReceiveStatus PcapSource::receive(std::span<ReceivedPacket> packets, std::size_t& count) noexcept {
  count = 0;
  const std::size_t wanted = std::min(packets.size(), kPacketsPerTurnMax);
  while (count < wanted && ending_ == ReceiveStatus::none) {
    const ReceiveStatus status = read_next(slots_.slot(count), packets[count]);
    if (status == ReceiveStatus::packets) {
      ++count;
    } else {
      ending_ = status;
    }
  }
  counters_.received += count;
  return count > 0 ? ReceiveStatus::packets : ending_;
}

ReceiveStatus PcapSource::read_next(std::span<std::byte> slot, ReceivedPacket& packet) noexcept {
  for (;;) {
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    ++packet_number_;
    const int status = ::pcap_next_ex(handle_.get(), &header, &data);
    if (status == PCAP_ERROR_BREAK) return ReceiveStatus::ended;
    if (status != 1) {
      fail(::pcap_geterr(handle_.get()));
      return ReceiveStatus::failed;
    }
    const std::span frame(reinterpret_cast<const std::byte*>(data), header->caplen);
    const auto found = ip_bytes_of_frame(link_type_, frame);
    if (!found) {
      ++counters_.skipped;
      continue;
    }
    const std::size_t length = std::min(found->size(), slot.size());
    std::copy_n(found->begin(), length, slot.begin());
    const CaptureTime time = time_of(*header);
    packet = ReceivedPacket{};
    packet.id = packet_number_;
    packet.bytes = slot.first(length);
    packet.hook = 2;
    packet.truncated = header->caplen < header->len || length < found->size();
    packet.time_ms = time.seconds * 1'000 + time.nanoseconds / 1'000'000;
    return remember(packet, time) ? ReceiveStatus::packets : ReceiveStatus::failed;
  }
}

bool PcapSource::remember(const ReceivedPacket& packet, CaptureTime time) noexcept {
  if (!writer_.is_open()) return true;
  if (pending_bytes_ + packet.bytes.size() > kReplayPendingBytesMax) {
    fail("too many packets wait for a verdict");
    return false;
  }
  pending_bytes_ += packet.bytes.size();
  pending_.emplace(packet.id, Pending{time, {packet.bytes.begin(), packet.bytes.end()}});
  return true;
}

void PcapSource::verdict(std::uint32_t id, const Verdict& verdict) noexcept {
  if (!verdict.accept) {
    ++replayed_.dropped;
  } else if (verdict.replacement) {
    ++replayed_.rewritten;
  } else {
    ++replayed_.accepted;
  }
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  const Pending& pending = found->second;
  if (verdict.accept) {
    writer_.write(verdict.replacement.value_or(std::span<const std::byte>(pending.bytes)),
                  pending.time);
  }
  pending_bytes_ -= pending.bytes.size();
  pending_.erase(found);
}

void PcapSource::inject(std::span<const std::byte> packet) noexcept {
  ++replayed_.injected;
  writer_.write(packet, CaptureTime{});
}

void PcapSource::fail(const char* reason) noexcept {
  error_ = text_for(name_, ("packet " + std::to_string(packet_number_) + ": " + reason).c_str());
}

}  // namespace postern
