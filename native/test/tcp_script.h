#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "core/tcp_tracker.h"

namespace postern::test {

/// Plays segments written in words through a tracker, with sequence numbers relative to each side's
/// SYN as packet traces show them:
///
///     > S 0 win 65535 mss 1460 wscale 7     the initiator's SYN
///     < S. 0 ack 1 win 28960                the answer
///     > P. 1:11 ack 1 win 229               ten octets
///
/// `>` is the initiator, `<` the responder; flags are S F R P U . E W, or - for none; `from:to` are
/// payload octets; further words: ts N, md5, ao, tfo.
class TcpScript {
 public:
  explicit TcpScript(std::uint32_t initiator_iss = 1'000'000,
                     std::uint32_t responder_iss = 3'000'000'000U)
      : iss_{initiator_iss, responder_iss} {}

  /// The SYN that opens the connection must be taken.
  void open(const std::string& text) {
    INFO(text);
    REQUIRE(tracker.open(packet(text)) == TrackDrop::none);
  }

  TrackResult check(const std::string& text) {
    const TcpPacket segment = packet(text);
    return tracker.check(from_, segment);
  }

  /// The segment must pass, and moves the state.
  TrackResult pass(const std::string& text) {
    INFO(text);
    const TcpPacket segment = packet(text);
    const TrackResult result = tracker.check(from_, segment);
    INFO("dropped: ", name_of(result.drop));
    REQUIRE(result.drop == TrackDrop::none);
    tracker.apply(from_, segment);
    return result;
  }

  /// The segment must pass as one without anything new in it.
  void repeat(const std::string& text) {
    INFO(text);
    CHECK(pass(text).retransmission);
  }

  /// The segment must be dropped for this reason.
  void drop(const std::string& text, TrackDrop reason) {
    INFO(text);
    CHECK(name_of(check(text).drop) == std::string(name_of(reason)));
  }

  /// A connection with nothing sent yet; `options` go into SYN and SYN-ACK.
  void handshake(const std::string& options = "mss 1460") {
    open("> S 0 win 65535 " + options);
    pass("< S. 0 ack 1 win 65535 " + options);
    const bool stamped = options.find("ts ") != std::string::npos;
    CHECK(pass(std::string("> . 1 ack 1 win 1000") + (stamped ? " ts 1000" : "")).established);
  }

  void states(TcpState initiator, TcpState responder) const {
    CHECK(name_of(tracker.half(Side::initiator).state) == std::string(name_of(initiator)));
    CHECK(name_of(tracker.half(Side::responder).state) == std::string(name_of(responder)));
  }

  /// The script's sequence number `relative` of a side, as it stands on the wire.
  [[nodiscard]] std::uint32_t absolute(Side side, std::uint32_t relative) const {
    return iss_[index(side)] + relative;
  }

  TcpPacket packet(const std::string& text) {
    std::istringstream words(text);
    std::string word;
    TcpPacket segment;
    words >> word;
    from_ = word == ">" ? Side::initiator : Side::responder;
    words >> word;
    for (const char letter : word) segment.flags |= flag(letter);
    words >> word;
    const std::size_t colon = word.find(':');
    const auto start = static_cast<std::int64_t>(std::stoll(word.substr(0, colon)));
    const auto end = colon == std::string::npos ? start : std::stoll(word.substr(colon + 1));
    segment.sequence = absolute(from_, static_cast<std::uint32_t>(start));
    payload_.assign(static_cast<std::size_t>(end - start), std::byte{'x'});
    segment.bytes = payload_;
    while (words >> word) read_word(word, words, segment);
    return segment;
  }

  Tracker tracker;

 private:
  static std::uint8_t flag(char letter) {
    switch (letter) {
      case 'S':
        return kSyn;
      case 'F':
        return kFin;
      case 'R':
        return kRst;
      case 'P':
        return kPsh;
      case 'U':
        return kUrg;
      case '.':
        return kAck;
      case 'E':
        return kEce;
      case 'W':
        return kCwr;
      default:
        return 0;
    }
  }

  void read_word(const std::string& word, std::istringstream& words, TcpPacket& segment) {
    TcpOptions& options = segment.options;
    if (word == "md5") {
      options.has_md5 = true;
    } else if (word == "ao") {
      options.has_authentication = true;
    } else if (word == "tfo") {
      options.has_fast_open = true;
    } else {
      std::int64_t number = 0;
      REQUIRE_MESSAGE((words >> number), "no number after ", word);
      const auto value = static_cast<std::uint32_t>(number);
      if (word == "ack") {
        segment.acknowledgement = absolute(other(from_), value);
      } else if (word == "win") {
        segment.window = static_cast<std::uint16_t>(value);
      } else if (word == "mss") {
        options.mss = static_cast<std::uint16_t>(value);
      } else if (word == "wscale") {
        options.window_scale = static_cast<std::uint8_t>(value);
      } else if (word == "ts") {
        options.has_timestamps = true;
        options.timestamp_value = value;
      } else {
        FAIL("what is ", word);
      }
    }
  }

  std::array<std::uint32_t, 2> iss_;
  Side from_ = Side::initiator;
  std::vector<std::byte> payload_;
};

}  // namespace postern::test
