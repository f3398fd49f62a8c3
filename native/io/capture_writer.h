#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

#include "io/outcome.h"

struct pcap;
struct pcap_dumper;

namespace postern {

/// A moment as captures count it.
struct CaptureTime {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;

  friend auto operator<=>(const CaptureTime&, const CaptureTime&) noexcept = default;
};

/// Writes IP packets to a pcap file (LINKTYPE_RAW, nanoseconds) that only its owner may read: it
/// holds mail.
class CaptureWriter {
 public:
  CaptureWriter() noexcept;
  ~CaptureWriter();
  CaptureWriter(const CaptureWriter&) = delete;
  CaptureWriter& operator=(const CaptureWriter&) = delete;

  /// An existing file is written anew.
  Outcome open(const std::string& path);
  [[nodiscard]] bool is_open() const noexcept { return dumper_ != nullptr; }
  /// Times that go backwards are written as the latest one so far.
  void write(std::span<const std::byte> packet, CaptureTime time) noexcept;
  /// Writes what is buffered and closes the file; tells if anything could not be written.
  Outcome close();

 private:
  struct Closer {
    void operator()(pcap* handle) const noexcept;
    void operator()(pcap_dumper* dumper) const noexcept;
  };
  std::unique_ptr<pcap, Closer> handle_;
  std::unique_ptr<pcap_dumper, Closer> dumper_;
  CaptureTime latest_;
};

static_assert(!std::is_copy_constructible_v<CaptureWriter>);

}  // namespace postern
