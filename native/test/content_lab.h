#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "loop_lab.h"
#include "pattern_lab.h"

namespace postern::test {

/// A plan that looks for an exclamation mark in bodies, under the given id: told at the latest when
/// the message ends. With a length, that is told with the very octet that passes it.
inline std::shared_ptr<const ContentPlan> plan_for_marks(std::uint32_t id = 1,
                                                         std::uint64_t length = 0) {
  auto plan = std::make_shared<ContentPlan>();
  if (length > 0) plan->data_lengths = {length};
  plan->body = compiled({Pattern{id, "!", false}}, {.place = PatternPlace::body});
  return plan;
}

/// A judge of SMTP's ways with message content: DATA and BDAT begin the scan, ends of messages are
/// put aside until it has told the rest.
class ContentLab {
 public:
  ContentLab() : ContentLab(plan_for_marks()) {}
  explicit ContentLab(std::shared_ptr<const ContentPlan> content_plan) {
    plan = lab.loop.define_plan(std::move(content_plan));
    lab.answer = [this](const SeenEvent& event, Orders& orders) { answer(event, orders); };
    lab.connect();
  }

  /// The greeting, DATA and its 354: the initiator's next octet is the message's first, at
  /// offset 6.
  void open_data() {
    lab.send(Side::responder, 0, "220 hi\r\n");
    lab.acknowledged[0] = 8;
    lab.send(Side::initiator, 0, "DATA\r\n");
    lab.acknowledged[1] = 6;
    lab.send(Side::responder, 8, "354 go\r\n");
    lab.acknowledged[0] = 16;
  }

  /// What one side has got of the other, as a stream: nothing may come twice with other octets.
  [[nodiscard]] std::string got(Side receiver) const {
    std::map<std::uint32_t, char> octets;
    for (const Given& given : lab.source.given()) {
      if (given.accept) put(given.bytes, receiver, octets);
    }
    for (const std::vector<std::byte>& sent : lab.sender.sent) put(sent, receiver, octets);
    std::string text;
    for (const auto& [at, octet] : octets) {
      if (at != text.size()) break;
      text += octet;
    }
    return text;
  }

  /// What scans told, in order: "body 1", "length 5", and "finished" where an event was the last.
  std::vector<std::string> told;
  std::vector<EventKind> kinds;  ///< of frames, in order
  bool refuses = false;          ///< what is found
  std::uint32_t plan = 0;        ///< messages begin with it
  std::uint32_t data_max = 100'000;
  LoopLab lab;

 private:
  void answer(const SeenEvent& event, Orders& orders) {
    if (event.kind != EventKind::opened && event.kind != EventKind::closed)
      kinds.push_back(event.kind);
    switch (event.kind) {
      case EventKind::line:
        return line(event, orders);
      case EventKind::data_end:
        return orders.content(event.flow, ContentOrder::finish);
      case EventKind::counted_end:
        if (last_) return orders.content(event.flow, ContentOrder::finish);
        return orders.forward(event.flow, event.side);
      case EventKind::content:
        return content(event, orders);
      case EventKind::look_alike:
      case EventKind::over_budget:
        return orders.refuse_with_words(event.flow, "552 no\r\n");
      default:
        LoopLab::forward_all(event, orders);
    }
  }

  void line(const SeenEvent& event, Orders& orders) {
    if (event.text == "BDAT 0 LAST") {
      last_ = true;
      return orders.content(event.flow, ContentOrder::finish);
    }
    orders.forward(event.flow, event.side);
    if (event.text == "DATA") orders.pause(event.flow, Side::initiator);
    if (event.text == "RSET") {
      chunks_ = false;
      orders.content(event.flow, ContentOrder::drop);
    }
    if (event.text.starts_with("354")) {
      orders.frame(event.flow, Side::initiator, FramingMode::mail_data, data_max);
      orders.content(event.flow, ContentOrder::begin_data, plan);
      orders.resume(event.flow, Side::initiator);
    }
    if (!event.text.starts_with("BDAT ")) return;
    last_ = event.text.ends_with("LAST");
    orders.frame(event.flow, Side::initiator, FramingMode::counted,
                 static_cast<std::uint32_t>(std::stoul(event.text.substr(5))));
    if (!chunks_) orders.content(event.flow, ContentOrder::begin_chunks, plan);
    chunks_ = true;
  }

  void content(const SeenEvent& event, Orders& orders) {
    const bool found = !event.text.empty();
    for (std::size_t at = 0; at + 12 <= event.text.size();) {
      const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(event.text[i]); };
      const std::size_t text = octet(at + 2) * 256U + octet(at + 3);
      const bool length = octet(at) == static_cast<unsigned char>(ContentFactKind::data_length);
      const bool body = octet(at) == static_cast<unsigned char>(ContentFactKind::body);
      told.push_back((body     ? "body "
                      : length ? "length "
                               : "other ") +
                     std::to_string(octet(at + 11)));
      at += 12 + text;
    }
    if ((event.flags & kFinished) != 0) {
      told.emplace_back("finished");
      chunks_ = false;
    }
    if (found && refuses) return orders.refuse_with_words(event.flow, "554 no\r\n");
    orders.forward(event.flow, event.side);
  }

  void put(std::span<const std::byte> bytes, Side receiver,
           std::map<std::uint32_t, char>& octets) const {
    std::vector<std::byte> copy(bytes.begin(), bytes.end());
    TcpPacket packet;
    REQUIRE(parse_tcp_packet(copy, packet) == ParseError::none);
    const bool to_responder = packet.destination.port == lab.responder_port;
    if (to_responder != (receiver == Side::responder) || packet.has(kRst)) return;
    std::uint32_t at = packet.sequence - lab.initial_sequences[index(other(receiver))] - 1;
    for (const std::byte octet : packet.payload()) {
      const auto [known, fresh] = octets.emplace(at++, static_cast<char>(octet));
      CHECK((fresh || known->second == static_cast<char>(octet)));
    }
  }

  bool last_ = false;
  bool chunks_ = false;
};

}  // namespace postern::test
