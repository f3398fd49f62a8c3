#include "io/pcap_source.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "io/link_layer.h"

using namespace postern;

namespace {

constexpr std::uint32_t kEthernet = 1;
constexpr std::uint32_t kRaw = 101;

std::string u16(std::uint32_t value) {
  return {static_cast<char>(value), static_cast<char>(value >> 8U)};
}
std::string u32(std::uint32_t value) {
  return u16(value) + u16(value >> 16U);
}
std::string zeros(std::size_t count) {
  return std::string(count, '\0');
}

/// A classic capture, little-endian, microseconds.
std::string pcap_header(std::uint32_t link_type) {
  return u32(0xA1B2C3D4) + u16(2) + u16(4) + zeros(8) + u32(65'535) + u32(link_type);
}
std::string pcap_record(const std::string& bytes, std::uint32_t seconds, std::size_t original = 0) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  return u32(seconds) + u32(250'000) + u32(length) +
         u32(original == 0 ? length : static_cast<std::uint32_t>(original)) + bytes;
}

/// A section header, an interface and one enhanced packet block (pcapng).
std::string pcapng(const std::string& bytes) {
  const std::string section = u32(0x1A2B3C4D) + u16(1) + u16(0) + u32(0xFFFFFFFF) + u32(0xFFFFFFFF);
  const std::string interface = u16(kRaw) + u16(0) + u32(65'535);
  const auto length = static_cast<std::uint32_t>(bytes.size());
  const std::string padded = bytes + zeros((4 - bytes.size() % 4) % 4);
  const std::uint64_t microseconds = 1'700'000'000'250'000;
  const std::string packet = u32(0) + u32(static_cast<std::uint32_t>(microseconds >> 32U)) +
                             u32(static_cast<std::uint32_t>(microseconds)) + u32(length) +
                             u32(length) + padded;
  std::string file;
  const auto block = [&](std::uint32_t type, const std::string& body) {
    const auto total = static_cast<std::uint32_t>(body.size() + 12);
    file += u32(type) + u32(total) + body + u32(total);
  };
  block(0x0A0D0D0A, section);
  block(1, interface);
  block(6, packet);
  return file;
}

std::string ip4(char tag) {
  std::string packet = zeros(40);
  packet[0] = 0x45;
  packet[39] = tag;
  return packet;
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content = {}) {
    const int descriptor = ::mkstemp(path_.data());
    REQUIRE(descriptor >= 0);
    REQUIRE(::write(descriptor, content.data(), content.size()) ==
            static_cast<ssize_t>(content.size()));
    ::close(descriptor);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/postern-test-XXXXXX";
};

/// What one receive() after the other gives.
struct ReadBack {
  std::vector<std::uint32_t> ids{};
  std::vector<std::string> bytes{};
  std::vector<std::int64_t> times_ms{};
  std::vector<bool> truncated{};
  ReceiveStatus ending = ReceiveStatus::none;
};

ReadBack read_all(PcapSource& source) {
  ReadBack read;
  std::array<ReceivedPacket, 2> packets;
  std::size_t count = 0;
  while ((read.ending = source.receive(packets, count)) == ReceiveStatus::packets) {
    for (const ReceivedPacket& packet : std::span(packets).first(count)) {
      read.ids.push_back(packet.id);
      read.bytes.emplace_back(reinterpret_cast<const char*>(packet.bytes.data()),
                              packet.bytes.size());
      read.times_ms.push_back(packet.time_ms);
      read.truncated.push_back(packet.truncated);
      CHECK_FALSE(packet.checksum_complete);
      CHECK(packet.hook == 2);
    }
  }
  return read;
}

std::unique_ptr<PcapSource> open_or_fail(const std::string& path) {
  PcapOpening opening = PcapSource::open(path);
  REQUIRE_MESSAGE(opening.source, opening.error);
  return std::move(opening.source);
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

TEST_CASE("a pcap file gives its IP packets by their number in it; others are skipped") {
  const std::string addresses = zeros(12);
  const std::string ipv4_type("\x08\x00", 2);
  const std::string arp_type("\x08\x06", 2);
  const TemporaryFile file(pcap_header(kEthernet) +
                           pcap_record(addresses + arp_type + zeros(28), 1) +
                           pcap_record(addresses + ipv4_type + ip4('a') + zeros(6), 2) +
                           pcap_record(addresses + arp_type + zeros(28), 3) +
                           pcap_record(addresses + ipv4_type + ip4('b'), 4));
  const auto source = open_or_fail(file.path());
  CHECK(source->descriptor() == -1);
  const ReadBack read = read_all(*source);
  CHECK(read.ending == ReceiveStatus::ended);
  CHECK(read.ids == std::vector<std::uint32_t>{2, 4});
  // Padding of the link layer stays: the packet's own length says where it begins.
  CHECK(read.bytes == std::vector<std::string>{ip4('a') + zeros(6), ip4('b')});
  CHECK(read.times_ms == std::vector<std::int64_t>{2'250, 4'250});
  CHECK(source->counters().received == 2);
  CHECK(source->counters().skipped == 2);
}

TEST_CASE("a VLAN tag is passed over when it is whole") {
  const std::string ether = zeros(12);
  const std::string ipv4_type("\x08\x00", 2);
  const std::string tag("\x81\x00\x00\x64", 4);
  const TemporaryFile file(
      pcap_header(kEthernet) + pcap_record(ether + tag + ipv4_type + ip4('a'), 1'700'000'000) +
      pcap_record(ether + "\x88\xA8" + zeros(2) + tag + ipv4_type + ip4('b'), 1'700'000'001) +
      pcap_record(ether + tag + tag + tag + tag + tag + ipv4_type + ip4('c'), 1'700'000'002) +
      pcap_record(ether + std::string("\x81\x00\x00", 3), 1'700'000'003));
  const auto source = open_or_fail(file.path());
  const ReadBack read = read_all(*source);
  REQUIRE(read.ids == std::vector<std::uint32_t>{1, 2});
  CHECK(read.bytes[0] == ip4('a'));
  CHECK(read.bytes[1] == ip4('b'));
  CHECK(read.times_ms[0] == 1'700'000'000'250);
  CHECK(source->counters().received == 2);
  CHECK(source->counters().skipped == 2);
}

TEST_CASE("a packet captured in part is truncated, a whole one is not") {
  const TemporaryFile file(pcap_header(kRaw) + pcap_record(ip4('a'), 1, 41) +
                           pcap_record(ip4('b'), 1));
  const ReadBack read = read_all(*open_or_fail(file.path()));
  REQUIRE(read.truncated.size() == 2);
  CHECK(read.truncated[0]);
  CHECK_FALSE(read.truncated[1]);
}

TEST_CASE("a pcapng file is read like a pcap file") {
  const TemporaryFile file(pcapng(ip4('z')));
  const ReadBack read = read_all(*open_or_fail(file.path()));
  CHECK(read.ending == ReceiveStatus::ended);
  REQUIRE(read.bytes.size() == 1);
  CHECK(read.ids[0] == 1);
  CHECK(read.bytes[0] == ip4('z'));
  CHECK(read.times_ms[0] == 1'700'000'000'250);
}

TEST_CASE("every link type finds the IP header, and nothing in a header cut short") {
  const std::string ip = ip4('a');
  std::string ip6 = ip;
  ip6[0] = 0x60;
  const std::string type4("\x08\x00", 2);
  const std::string type6("\x86\xDD", 2);
  struct Shape {
    int link_type;
    std::string header;
    std::string packet;
  };
  const std::vector<Shape> shapes{
      {1, zeros(12) + type4, ip},
      {1, zeros(12) + type6, ip6},
      {113, zeros(14) + type4, ip},
      {276, type6 + zeros(18), ip6},
      {12, "", ip},
      {101, "", ip6},
      {228, "", ip},
      {229, "", ip6},
      {0, "\x02" + zeros(3), ip},
      {108, zeros(3) + "\x1C", ip6},
  };
  for (const Shape& shape : shapes) {
    CAPTURE(shape.link_type);
    const std::string frame = shape.header + shape.packet;
    const auto found = ip_bytes_of_frame(shape.link_type, bytes_of(frame));
    REQUIRE(found);
    CHECK(found->size() == shape.packet.size());
    CHECK(std::memcmp(found->data(), shape.packet.data(), found->size()) == 0);
    for (std::size_t length = 0; length <= shape.header.size(); ++length) {
      CHECK_FALSE(ip_bytes_of_frame(shape.link_type, bytes_of(frame).first(length)));
    }
    // A version that is neither 4 nor 6 is no IP whatever the header claims.
    std::string other = frame;
    other[shape.header.size()] = 0x50;
    CHECK_FALSE(ip_bytes_of_frame(shape.link_type, bytes_of(other)));
  }
  CHECK_FALSE(ip_bytes_of_frame(105, bytes_of(ip)));
}

TEST_CASE("a corrupt capture ends with its packet number, after what could be read") {
  const std::string whole = pcap_header(kRaw) + pcap_record(ip4('a'), 1) + pcap_record(ip4('b'), 2);
  const TemporaryFile file(whole + pcap_record(ip4('c'), 3).substr(0, 30));
  const auto source = open_or_fail(file.path());
  const ReadBack read = read_all(*source);
  CHECK(read.ids == std::vector<std::uint32_t>{1, 2});
  CHECK(read.ending == ReceiveStatus::failed);
  const std::string expected = "capture " + file.path() + ": packet 3: ";
  CHECK(std::string(source->error()).substr(0, expected.size()) == expected);
  std::array<ReceivedPacket, 2> packets;
  std::size_t count = 0;
  CHECK(source->receive(packets, count) == ReceiveStatus::failed);
}

TEST_CASE("what is no capture of ours does not open, and the text says why") {
  CHECK(PcapSource::open("/nonexistent/x.pcap").error ==
        "capture /nonexistent/x.pcap: No such file or directory");
  const TemporaryFile empty;
  CHECK_FALSE(PcapSource::open(empty.path()).source);
  const TemporaryFile text("this is no capture at all, but a line of text");
  CHECK_FALSE(PcapSource::open(text.path()).source);
  const TemporaryFile wireless(pcap_header(105));
  CHECK(PcapSource::open(wireless.path()).error ==
        "capture " + wireless.path() + ": link type IEEE802_11 is not supported");
}

TEST_CASE("what would have been forwarded is written: accepted, rewritten and injected packets") {
  const TemporaryFile input(pcap_header(kRaw) + pcap_record(ip4('a'), 10) +
                            pcap_record(ip4('b'), 11) + pcap_record(ip4('c'), 12) +
                            pcap_record(ip4('d'), 13));
  const TemporaryFile output;
  {
    const auto source = open_or_fail(input.path());
    const Outcome opened = source->write_to(output.path());
    REQUIRE_MESSAGE(opened.ok(), opened.error);
    CHECK(read_all(*source).ids.size() == 4);
    ReplaySender sender(*source);
    const std::string rewritten = ip4('X');
    const std::string injected = ip4('I');
    source->verdict(1, {.accept = true});
    source->verdict(2, {});
    source->verdict(4, {.accept = true, .replacement = bytes_of(rewritten)});
    CHECK(sender.send(bytes_of(injected)));
    source->verdict(3, {.accept = true});
    source->verdict(99, {.accept = true});
    CHECK(source->replayed().accepted == 3);
    CHECK(source->replayed().rewritten == 1);
    CHECK(source->replayed().dropped == 1);
    CHECK(source->replayed().injected == 1);
    CHECK(source->finish().ok());
  }
  const ReadBack read = read_all(*open_or_fail(output.path()));
  CHECK(read.bytes == std::vector<std::string>{ip4('a'), ip4('X'), ip4('I'), ip4('c')});
  // A held packet goes out when it is let go, not when it came.
  CHECK(read.times_ms == std::vector<std::int64_t>{10'250, 13'250, 13'250, 13'250});
}

TEST_CASE("an output can be read by its owner only, and an impossible one is an error") {
  const std::string path = "/tmp/postern-test-output-" + std::to_string(::getpid());
  CaptureWriter writer;
  REQUIRE(writer.open(path).ok());
  CHECK(writer.close().ok());
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  ::unlink(path.c_str());

  CaptureWriter impossible;
  CHECK_FALSE(impossible.open("/nonexistent/out.pcap").ok());
  CaptureWriter full;
  if (full.open("/dev/full").ok()) {
    full.write(bytes_of(ip4('a')), {});
    CHECK_FALSE(full.close().ok());
  }
}
