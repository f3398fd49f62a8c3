#include "core/tls_start.h"

#include "core/limits.h"
#include "core/tls_hello.h"

namespace postern {
namespace {

constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kAlertRecord = 21;
constexpr std::uint8_t kAlertLevelWarning = 1;
constexpr std::uint8_t kAlertLevelFatal = 2;
constexpr std::uint8_t kVersionMajor = 3;
/// Minor version 0 is SSL 3.0, which some clients still write into the record of a newer hello.
constexpr std::uint8_t kVersionMinorMax = 4;
/// RFC 8446 5.1: 2^14 octets of plain text, never none.
constexpr unsigned kRecordBytesMax = 16'384;

}  // namespace

TlsStart::Answer TlsStart::step(std::byte octet) noexcept {
  const auto value = std::to_integer<std::uint8_t>(octet);
  if (++seen_ > kTlsHelloBytesMax) return Answer::no;
  if (record_left_ == 0) return record_header(value) ? Answer::undecided : Answer::no;
  if (is_alert_) return alert(value);
  if (!message(value)) return Answer::no;
  --record_left_;
  if (message_seen_ < kTlsMessageHeaderBytes + message_length_ ||
      message_seen_ < kTlsMessageHeaderBytes) {
    return Answer::undecided;
  }
  // A client waits for the answer to its hello (RFC 8446 4.1.2): nothing shares its last record. A
  // server's certificate may stand behind its hello in one record (RFC 5246 6.2.1).
  return type_ == kTlsClientHello && record_left_ > 0 ? Answer::no : Answer::yes;
}

bool TlsStart::record_header(std::uint8_t value) noexcept {
  switch (header_seen_++) {
    case 0:
      return record_type(value);
    case 1:
      return value == kVersionMajor;
    case 2:
      return value <= kVersionMinorMax;
    case 3:
      record_length_ = static_cast<std::uint16_t>(value << 8U);
      return record_length_ <= kRecordBytesMax;
    default:
      break;
  }
  record_length_ = static_cast<std::uint16_t>(record_length_ | value);
  record_left_ = record_length_;
  header_seen_ = 0;
  return record_length_fits();
}

bool TlsStart::record_type(std::uint8_t value) noexcept {
  is_alert_ = value == kAlertRecord && alerts_ && message_seen_ == 0;
  return value == kHandshakeRecord || is_alert_;
}

bool TlsStart::record_length_fits() const noexcept {
  if (is_alert_) return record_length_ == kTlsAlertBytes;
  // The first record holds at least the header of the message.
  const unsigned least = message_seen_ == 0 ? kTlsMessageHeaderBytes : 1;
  return record_length_ >= least && record_length_ <= kRecordBytesMax;
}

/// Its level, then its description, which may be one that nobody knows yet.
TlsStart::Answer TlsStart::alert(std::uint8_t value) noexcept {
  if (record_left_-- == 1) return Answer::alert;
  const bool is_level = value == kAlertLevelWarning || value == kAlertLevelFatal;
  return is_level ? Answer::undecided : Answer::no;
}

bool TlsStart::message(std::uint8_t value) noexcept {
  switch (message_seen_++) {
    case 0:
      type_ = value;
      return value == kTlsClientHello || value == kTlsServerHello;
    case 1:
      return value == 0;
    case 2:
      message_length_ = static_cast<std::uint16_t>(value << 8U);
      return message_length_ < kTlsHelloBytesMax;
    case 3:
      message_length_ = static_cast<std::uint16_t>(message_length_ | value);
      return message_length_ >= kTlsHelloBodyBytesMin && message_length_ < kTlsHelloBytesMax;
    default:
      return true;
  }
}

}  // namespace postern
