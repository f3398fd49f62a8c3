#include "io/capture_writer.h"

#include <fcntl.h>
#include <pcap/pcap.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace postern {
namespace {

constexpr int kSnapshotBytes = 262'144;
constexpr mode_t kOwnerOnly = 0600;

}  // namespace

void CaptureWriter::Closer::operator()(pcap* handle) const noexcept {
  ::pcap_close(handle);
}
void CaptureWriter::Closer::operator()(pcap_dumper* dumper) const noexcept {
  ::pcap_dump_close(dumper);
}

CaptureWriter::CaptureWriter() noexcept = default;
CaptureWriter::~CaptureWriter() = default;

Outcome CaptureWriter::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kOwnerOnly);
  if (descriptor < 0) return {with_reason(path, errno)};
  std::FILE* file = ::fdopen(descriptor, "wb");
  if (file == nullptr) {
    const int reason = errno;
    ::close(descriptor);
    return {with_reason(path, reason)};
  }
  handle_.reset(
      ::pcap_open_dead_with_tstamp_precision(DLT_RAW, kSnapshotBytes, PCAP_TSTAMP_PRECISION_NANO));
  if (handle_) dumper_.reset(::pcap_dump_fopen(handle_.get(), file));
  if (!dumper_) {
    // libpcap closes the file itself only when it got as far as writing to it.
    return {path + ": " + (handle_ ? ::pcap_geterr(handle_.get()) : "out of memory")};
  }
  return {};
}

void CaptureWriter::write(std::span<const std::byte> packet, CaptureTime time) noexcept {
  if (!dumper_) return;
  latest_ = std::max(latest_, time);
  pcap_pkthdr header{};
  header.ts.tv_sec = latest_.seconds;
  // With nanosecond precision libpcap keeps nanoseconds in this field.
  header.ts.tv_usec = latest_.nanoseconds;
  header.caplen = header.len = static_cast<bpf_u_int32>(packet.size());
  ::pcap_dump(reinterpret_cast<u_char*>(dumper_.get()), &header,
              reinterpret_cast<const u_char*>(packet.data()));
}

Outcome CaptureWriter::close() {
  if (!dumper_) return {};
  const bool flushed = ::pcap_dump_flush(dumper_.get()) == 0;
  const int reason = errno;
  const bool broken = std::ferror(::pcap_dump_file(dumper_.get())) != 0;
  dumper_.reset();
  handle_.reset();
  if (!flushed || broken) return {with_reason("writing the capture", reason)};
  return {};
}

}  // namespace postern
