#include "core/tls_hello.h"

#include <algorithm>
#include <bitset>

#include "core/bytes.h"
#include "core/limits.h"

namespace postern {
namespace {

using Octets = std::span<const std::byte>;

constexpr std::size_t kRecordHeaderBytes = 5;
constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kSessionIdBytesMax = 32;
constexpr std::uint8_t kVersionMajor = 3;

enum Extension : std::uint16_t {
  kServerName = 0,
  kSignatureAlgorithms = 13,
  kAlpn = 16,
  kSupportedVersions = 43,
};

/// Takes octets from the front; once too few are left it has failed, and gives nothing more.
class Reader {
 public:
  explicit Reader(Octets octets) noexcept : octets_(octets) {}

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] bool empty() const noexcept { return failed_ || octets_.empty(); }
  [[nodiscard]] bool whole() const noexcept { return !failed_ && octets_.empty(); }

  Octets take(std::size_t count) noexcept {
    if (failed_ || count > octets_.size()) {
      failed_ = true;
      return {};
    }
    const Octets taken = octets_.first(count);
    octets_ = octets_.subspan(count);
    return taken;
  }
  std::uint8_t u8() noexcept {
    const Octets taken = take(1);
    return taken.empty() ? std::uint8_t{0} : read_u8(taken, 0);
  }
  std::uint16_t u16() noexcept {
    const Octets taken = take(2);
    return taken.empty() ? std::uint16_t{0} : read_u16(taken, 0);
  }
  /// A vector behind its length in one octet, in two (RFC 8446 3.4).
  Octets vector8() noexcept { return take(u8()); }
  Octets vector16() noexcept { return take(u16()); }

 private:
  Octets octets_;
  bool failed_ = false;
};

[[nodiscard]] bool pairs(Octets octets) noexcept {
  return !octets.empty() && octets.size() % 2 == 0;
}

/// RFC 6066 3: one name of each type, and the only type there is is a host name.
[[nodiscard]] bool read_server_name(Octets data, TlsHello& hello) noexcept {
  // A server says with an empty one that it used the name.
  if (hello.type == kTlsServerHello) return data.empty();
  Reader outer(data);
  Reader list(outer.vector16());
  if (!outer.whole() || list.empty()) return false;
  while (!list.empty()) {
    const std::uint8_t type = list.u8();
    const Octets name = list.vector16();
    if (list.failed() || name.empty() || name.size() > kTlsServerNameBytesMax) return false;
    if (type != 0) continue;
    if (!hello.server_name.empty()) return false;
    hello.server_name = name;
  }
  return !list.failed();
}

/// RFC 7301 3.1. A server names one.
[[nodiscard]] bool read_alpn(Octets data, TlsHello& hello) noexcept {
  Reader outer(data);
  hello.alpn = outer.vector16();
  if (!outer.whole() || hello.alpn.empty()) return false;
  Reader list(hello.alpn);
  while (!list.empty()) {
    if (list.vector8().empty()) return false;
  }
  return !list.failed();
}

/// RFC 8446 4.2.1. Values that only keep the choice open (RFC 8701), and drafts, are no versions.
[[nodiscard]] bool read_versions(Octets data, TlsHello& hello) noexcept {
  Reader reader(data);
  if (hello.type == kTlsServerHello) {
    hello.version = reader.u16();
    return reader.whole();
  }
  const Octets list = reader.vector8();
  if (!reader.whole() || !pairs(list)) return false;
  hello.version = 0;
  for (std::size_t at = 0; at < list.size(); at += 2) {
    const std::uint16_t version = read_u16(list, at);
    if (version >> 8U == kVersionMajor) hello.version = std::max(hello.version, version);
  }
  return true;
}

[[nodiscard]] bool read_signatures(Octets data, TlsHello& hello) noexcept {
  Reader reader(data);
  hello.signatures = reader.vector16();
  return reader.whole() && pairs(hello.signatures);
}

[[nodiscard]] bool read_extension(std::uint16_t type, Octets data, TlsHello& hello) noexcept {
  switch (type) {
    case kServerName:
      return read_server_name(data, hello);
    case kAlpn:
      return read_alpn(data, hello);
    case kSupportedVersions:
      return read_versions(data, hello);
    case kSignatureAlgorithms:
      return read_signatures(data, hello);
    default:
      return true;
  }
}

[[nodiscard]] bool read_extensions(Octets octets, TlsHello& hello) noexcept {
  hello.extensions = octets;
  std::bitset<0x1'0000> met;
  Reader reader(octets);
  while (!reader.empty()) {
    const std::uint16_t type = reader.u16();
    const Octets data = reader.vector16();
    // RFC 8446 4.2: no extension twice, or two readers may each take another one.
    if (reader.failed() || met.test(type) || !read_extension(type, data, hello)) return false;
    met.set(type);
  }
  return !reader.failed();
}

class Writer {
 public:
  explicit Writer(std::span<std::byte> out) noexcept : out_(out) {}

  void u8(std::uint8_t value) noexcept { write_u8(out_, at_++, value); }
  void u16(std::size_t value) noexcept {
    write_u16(out_, at_, static_cast<std::uint16_t>(value));
    at_ += 2;
  }
  void vector(Octets octets) noexcept {
    u16(octets.size());
    std::copy(octets.begin(), octets.end(), out_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += octets.size();
  }
  /// Leaves the bodies of the extensions out.
  void types(Octets extensions) noexcept {
    const std::size_t length_at = at_;
    u16(0);
    Reader reader(extensions);
    while (!reader.empty()) {
      u16(reader.u16());
      reader.vector16();
    }
    write_u16(out_, length_at, static_cast<std::uint16_t>(at_ - length_at - 2));
  }
  [[nodiscard]] std::size_t written() const noexcept { return at_; }

 private:
  std::span<std::byte> out_;
  std::size_t at_ = 0;
};

}  // namespace

std::span<const std::byte> join_tls_records(std::span<std::byte> octets) noexcept {
  std::size_t to = 0;
  for (std::size_t at = 0; at + kRecordHeaderBytes <= octets.size();) {
    const std::size_t length = read_u16(octets, at + kRecordHeaderBytes - 2);
    at += kRecordHeaderBytes;
    const std::size_t there = std::min(length, octets.size() - at);
    const auto body = octets.subspan(at, there);
    std::copy(body.begin(), body.end(), octets.begin() + static_cast<std::ptrdiff_t>(to));
    to += there;
    at += there;
  }
  return octets.first(to);
}

std::optional<TlsHello> read_tls_hello(std::span<const std::byte> message) noexcept {
  Reader reader(message);
  TlsHello hello;
  hello.type = reader.u8();
  const bool by_client = hello.type == kTlsClientHello;
  if (!by_client && hello.type != kTlsServerHello) return std::nullopt;
  reader.u8();
  Reader body(reader.vector16());
  if (!reader.whole()) return std::nullopt;
  hello.version = body.u16();
  body.take(kRandomBytes);
  const Octets session_id = body.vector8();
  hello.ciphers = by_client ? body.vector16() : body.take(2);
  // Of compression the client offers a list, and the server names one.
  const bool compressed = by_client ? !body.vector8().empty() : !body.take(1).empty();
  if (body.failed() || hello.version >> 8U != kVersionMajor || !pairs(hello.ciphers) ||
      session_id.size() > kSessionIdBytesMax || !compressed) {
    return std::nullopt;
  }
  // RFC 5246 7.4.1.2: extensions may be absent altogether.
  if (body.empty()) return hello;
  const Octets extensions = body.vector16();
  if (!body.whole() || !read_extensions(extensions, hello)) return std::nullopt;
  return hello;
}

std::size_t write_tls_hello(const TlsHello& hello, std::span<std::byte> out) noexcept {
  Writer writer(out);
  writer.u8(hello.type);
  writer.u16(hello.version);
  writer.vector(hello.server_name);
  writer.vector(hello.alpn);
  writer.vector(hello.ciphers);
  writer.types(hello.extensions);
  writer.vector(hello.signatures);
  return writer.written();
}

}  // namespace postern
