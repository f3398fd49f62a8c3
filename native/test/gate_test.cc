#include "engine/gate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/limits.h"
#include "core/timer_wheel.h"
#include "half_open_script.h"

using namespace postern;
using namespace postern::test;

namespace {

std::vector<FlowKey> victims_of(const Gate::Resets& resets) {
  std::vector<FlowKey> ends;
  for (std::size_t i = 0; i < resets.count; ++i) ends.push_back(resets.victims[i].key);
  return ends;
}

/// Sends the SYN of client `client`; it must pass. Who had to go for it.
std::vector<FlowKey> pass(Gate& gate, std::uint32_t client, std::uint32_t server = 1,
                          std::int64_t now_ms = 0) {
  const Gate::SynVerdict verdict = gate.on_syn(syn_of(ends_of(client, server)), now_ms);
  CHECK(verdict.accept);
  return victims_of(verdict.resets);
}

HalfOpen found(Gate& gate, const FlowKey& ends) {
  const std::optional<HalfOpen> entry = gate.find(ends.initiator, ends.responder);
  REQUIRE(entry.has_value());
  return *entry;
}

Counter refused(Gate& gate, const TcpPacket& syn) {
  const Gate::SynVerdict verdict = gate.on_syn(syn, 0);
  CHECK_FALSE(verdict.accept);
  CHECK(verdict.resets.count == 0);
  return verdict.reason;
}

}  // namespace

TEST_CASE("without limits nothing is given up") {
  Gate gate(100, 100);
  for (std::uint32_t i = 0; i < 100; ++i) CHECK(pass(gate, i).empty());
  CHECK(gate.size() == 100);
  CHECK(gate.counters()[Counter::half_open_evicted] == 0);
  CHECK(gate.counters()[Counter::flows_half_open] == 100);
}

TEST_CASE("max-incomplete: the one above takes the place of the oldest, and the peak tells") {
  Gate gate(100, 100);
  gate.configure({.half_open_max = 3});
  for (std::uint32_t i = 0; i < 3; ++i) CHECK(pass(gate, i).empty());
  CHECK(gate.sample().half_open_peak == 3);
  CHECK(pass(gate, 3) == std::vector{ends_of(0)});
  CHECK(pass(gate, 4) == std::vector{ends_of(1)});
  const GateSample sample = gate.sample();
  CHECK(sample.half_open == 3);
  CHECK(sample.half_open_peak == 4);
  CHECK(sample.attempts == 2);
  CHECK(gate.counters()[Counter::half_open_evicted] == 2);
  CHECK(gate.counters()[Counter::max_half_open] == 4);
  const GateSample calm = gate.sample();
  CHECK(calm.half_open_peak == 3);
  CHECK(calm.attempts == 0);

  SUBCASE("a limit that was lowered is reached in steps, the newest always stays") {
    gate.configure({.half_open_max = 1});
    CHECK(pass(gate, 5) == std::vector{ends_of(2), ends_of(3), ends_of(4)});
    CHECK(gate.size() == 1);
    gate.configure({.half_open_max = 0});
    CHECK(pass(gate, 6) == std::vector{ends_of(5)});
    CHECK(gate.size() == 1);
  }
  SUBCASE("half-open sessions of UDP and ICMP count") {
    gate.note_datagram(5);
    CHECK(gate.sample().half_open_peak == 8);
    CHECK(pass(gate, 5).size() == 3);
    CHECK(gate.size() == 1);
    gate.note_datagram(-5);
    const GateSample after = gate.sample();
    CHECK(after.half_open == 1);
    CHECK(after.attempts == 1);
    CHECK(pass(gate, 6).empty());
  }
}

TEST_CASE("many sessions of UDP do not take the places of connections") {
  Gate gate(100, 100);
  gate.configure({.half_open_max = 10});
  gate.note_datagram(10);
  CHECK_FALSE(gate.take_datagram_owed());
  for (std::uint32_t i = 0; i < 4; ++i) CHECK(pass(gate, i).empty());
  CHECK(gate.size() == 4);
  CHECK(gate.half_open() == 10);
  // The workers end as many of theirs, no more.
  for (int i = 0; i < 3; ++i) {
    CHECK(gate.take_datagram_owed());
    gate.note_datagram(-1);
  }
  CHECK(gate.half_open() == 10);
  CHECK(gate.take_datagram_owed());
  gate.note_datagram(-1);
  CHECK_FALSE(gate.take_datagram_owed());
  CHECK(gate.half_open() == 10);

  SUBCASE("in aggressive mode neither") {
    gate.configure({.aggressive = true});
    CHECK(pass(gate, 4).empty());
    CHECK(gate.take_datagram_owed());
  }
  SUBCASE("what is owed and ends by itself is owed no longer") {
    CHECK(pass(gate, 4).empty());
    gate.note_datagram(-6);
    CHECK_FALSE(gate.take_datagram_owed());
  }
}

TEST_CASE("many connections do not take the places of sessions of UDP") {
  Gate gate(100, 100);
  CHECK_FALSE(gate.owe_connection());
  for (std::uint32_t i = 0; i < 3; ++i) CHECK(pass(gate, i).empty());
  gate.note_datagram(1);
  CHECK(gate.next_expiry_ms() > 0);
  CHECK(gate.owe_connection());
  CHECK(gate.half_open() == 3);
  CHECK(gate.next_expiry_ms() == 0);
  Gate::Resets resets;
  gate.expire(0, resets);
  CHECK(victims_of(resets) == std::vector{ends_of(0)});
  CHECK(gate.half_open() == 3);
  CHECK(gate.owe_connection());
  CHECK_FALSE(gate.owe_connection());  // one of each is left
  gate.note_datagram(-1);
  CHECK(gate.owe_connection());
  CHECK(gate.take(found(gate, ends_of(1))));
  CHECK(gate.take(found(gate, ends_of(2))));
  // What ended by itself is owed no longer.
  CHECK(pass(gate, 3).empty());
  gate.expire(0, resets);
  CHECK(gate.size() == 1);
}

TEST_CASE("aggressive: each new one takes the place of the oldest, but never of itself") {
  Gate gate(100, 100);
  gate.configure({.aggressive = true});
  CHECK(pass(gate, 0).empty());
  CHECK(pass(gate, 1) == std::vector{ends_of(0)});
  CHECK(pass(gate, 2) == std::vector{ends_of(1)});
  CHECK(gate.size() == 1);
  gate.configure({});
  CHECK(pass(gate, 3).empty());
}

TEST_CASE("max-incomplete host: the oldest of the host goes, and the host is told of once") {
  Gate gate(100, 100);
  gate.configure({.host_half_open_max = 2});
  CHECK(pass(gate, 0, 7).empty());
  for (std::uint32_t i = 1; i <= 2; ++i) CHECK(pass(gate, i, 1).empty());
  CHECK(gate.sample().hosts.empty());
  CHECK(pass(gate, 3, 1) == std::vector{ends_of(1)});
  CHECK(pass(gate, 4, 1) == std::vector{ends_of(2)});
  const GateSample sample = gate.sample();
  REQUIRE(sample.hosts.size() == 1);
  CHECK(sample.hosts[0].address == ends_of(0, 1).responder.address);
  CHECK(sample.hosts[0].half_open == 3);
  CHECK(gate.sample().hosts.empty());
  found(gate, ends_of(0, 7));
}

TEST_CASE("so many hosts are told of in a sample") {
  Gate gate(2'000, 2'000);
  gate.configure({.host_half_open_max = 0});
  for (std::uint32_t i = 0; i < kHostReportsMax + 10; ++i) CHECK(pass(gate, i, i).empty());
  CHECK(gate.sample().hosts.size() == kHostReportsMax);
}

TEST_CASE("a full table gives up its oldest, full records of hosts the oldest until one is free") {
  SUBCASE("entries") {
    Gate gate(3, 3);
    for (std::uint32_t i = 0; i < 3; ++i) CHECK(pass(gate, i).empty());
    CHECK(pass(gate, 3) == std::vector{ends_of(0)});
    CHECK(gate.size() == 3);
  }
  SUBCASE("hosts") {
    Gate gate(100, 2);
    for (std::uint32_t i = 0; i < 5; ++i) CHECK(pass(gate, i, 1).empty());
    CHECK(pass(gate, 5, 2).empty());
    CHECK(pass(gate, 6, 3).size() == 5);
    CHECK(gate.size() == 2);
  }
  SUBCASE("no host becomes free: the SYN is dropped") {
    Gate gate(100, 2);
    for (std::uint32_t i = 0; i < 60; ++i) CHECK(pass(gate, i, i % 2).empty());
    const Gate::SynVerdict verdict = gate.on_syn(syn_of(ends_of(99, 3)), 0);
    CHECK_FALSE(verdict.accept);
    CHECK(verdict.reason == Counter::drop_host_table_full);
    CHECK(verdict.resets.count == kHostRoomEvictionsMax);
    CHECK(gate.size() == 60 - kHostRoomEvictionsMax);
    CHECK(gate.sample().attempts == 60);
  }
  SUBCASE("no memory at all: dropped, not passed") {
    Gate gate(0, 0);
    CHECK_FALSE(gate.on_syn(syn_of(ends_of(1)), 0).accept);
  }
}

TEST_CASE("a SYN that no TCP sends does not open anything") {
  Gate gate(10, 10);
  TcpPacket odd = syn_of(ends_of(1));
  odd.flags = kSyn | kFin;
  CHECK(refused(gate, odd) == Counter::drop_invalid_flags);
  odd.flags = kSyn | kPsh;
  CHECK(refused(gate, odd) == Counter::drop_syn_with_data);
  odd = syn_of(ends_of(1));
  odd.options.has_md5 = true;
  CHECK(refused(gate, odd) == Counter::drop_unexpected_option);
  odd = syn_of(ends_of(1));
  odd.flags = kSyn | kEce | kCwr;
  CHECK(gate.on_syn(odd, 0).accept);
  CHECK(gate.sample().attempts == 1);
}

TEST_CASE("the same SYN again passes and is no new attempt") {
  Gate gate(10, 10);
  gate.configure({.half_open_max = 1, .aggressive = true});
  CHECK(pass(gate, 1, 1, 100).empty());
  const HalfOpen before = found(gate, ends_of(1));
  CHECK(pass(gate, 1, 1, 3'000).empty());
  const HalfOpen after = found(gate, ends_of(1));
  CHECK(after.generation == before.generation);
  CHECK(after.created_ms == 100);
  CHECK(gate.sample().attempts == 1);
  REQUIRE(gate.note_answer(after, answer_to(syn_of(ends_of(1)))));
  CHECK(pass(gate, 1, 1, 4'000).empty());
  CHECK(found(gate, ends_of(1)).answered);
}

TEST_CASE("a SYN again may offer less or more: what was ever offered counts") {
  Gate gate(10, 10);
  TcpPacket syn = syn_of(ends_of(1));
  syn.options = {};
  CHECK(gate.on_syn(syn, 0).accept);
  CHECK_FALSE(found(gate, ends_of(1)).initiator_window_scale.has_value());
  CHECK(gate.on_syn(syn_of(ends_of(1)), 0).accept);
  CHECK(found(gate, ends_of(1)).initiator_window_scale == 7);
  CHECK(gate.on_syn(syn, 0).accept);
  CHECK(found(gate, ends_of(1)).initiator_window_scale == 7);
  CHECK(found(gate, ends_of(1)).initiator_timestamps);
}

TEST_CASE("another SYN between the same ends begins anew, as long as there was no answer") {
  Gate gate(10, 10);
  CHECK(pass(gate, 1, 1, 0).empty());
  CHECK(pass(gate, 2, 1, 10).empty());
  const HalfOpen first = found(gate, ends_of(1));
  CHECK(gate.on_syn(syn_of(ends_of(1), 7'777), 20).accept);
  CHECK(gate.size() == 2);
  CHECK(gate.sample().attempts == 3);
  const HalfOpen second = found(gate, ends_of(1));
  CHECK(second.initiator_sequence == 7'777);
  CHECK(second.created_ms == 20);
  CHECK_FALSE(gate.note_answer(first, answer_to(syn_of(ends_of(1)))));
  CHECK_FALSE(gate.take(first));

  REQUIRE(gate.note_answer(second, answer_to(syn_of(ends_of(1), 7'777))));
  CHECK(refused(gate, syn_of(ends_of(1), 8'888)) == Counter::drop_syn_in_window);
  CHECK(found(gate, ends_of(1)).initiator_sequence == 7'777);
  CHECK(gate.counters()[Counter::half_open_answered] == 1);
}

TEST_CASE("a SYN of the responder is no split handshake") {
  Gate gate(10, 10);
  CHECK(pass(gate, 1).empty());
  const FlowKey back{.initiator = ends_of(1).responder, .responder = ends_of(1).initiator};
  CHECK(refused(gate, syn_of(back)) == Counter::drop_stray);
  CHECK(gate.size() == 1);
}

TEST_CASE("so many hosts are blocked and no more") {
  Gate gate(10, kBlockedHostsMax + 10);
  for (std::uint32_t i = 0; i < kBlockedHostsMax; ++i) CHECK(gate.block(host_address(i)));
  CHECK_FALSE(gate.block(host_address(kBlockedHostsMax)));
  CHECK(gate.block(host_address(7)));
  gate.unblock(host_address(7));
  CHECK(gate.block(host_address(kBlockedHostsMax)));
}

TEST_CASE("a cookie is what the kernel's own SYN acknowledges, and nobody else's") {
  TcpPacket syn = syn_of(ends_of(1));
  syn.acknowledgement = 77;
  ReceivedPacket received;
  for (const std::uint8_t hook : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}}) {
    received.hook = hook;
    CHECK(proxied_by(received, syn).has_value() == (hook == 3));
  }
  CHECK(proxied_by(received, syn)->sequence == 77);
  syn.acknowledgement = 0;
  CHECK_FALSE(proxied_by(received, syn).has_value());
  CHECK_FALSE(proxied_by(received, answer_to(syn)).has_value());
}

TEST_CASE("an entry that is taken or forgotten is gone, once") {
  Gate gate(10, 10);
  CHECK(pass(gate, 1).empty());
  const HalfOpen entry = found(gate, ends_of(1));
  CHECK(gate.take(entry));
  CHECK_FALSE(gate.take(entry));
  CHECK_FALSE(gate.note_answer(entry, answer_to(syn_of(ends_of(1)))));
  CHECK_FALSE(gate.find(ends_of(1).initiator, ends_of(1).responder).has_value());
  CHECK(gate.counters()[Counter::half_open_reset] == 0);
  CHECK(pass(gate, 2).empty());
  const HalfOpen other = found(gate, ends_of(2));
  gate.forget(entry);
  CHECK(gate.size() == 1);
  gate.forget(other);
  CHECK(gate.size() == 0);
  CHECK(gate.counters()[Counter::half_open_reset] == 1);
}

TEST_CASE("entries end in the order of their age when synwait is over, and not before") {
  Gate gate(100, 100);
  gate.configure({.synwait_ms = 1'000});
  CHECK(gate.next_expiry_ms() == TimerWheel::kNever);
  for (std::uint32_t i = 0; i < 50; ++i) CHECK(pass(gate, i, 1, i * 10).empty());
  CHECK(gate.next_expiry_ms() == 1'000);
  Gate::Resets early;
  gate.expire(999, early);
  CHECK(early.count == 0);
  Gate::Resets due;
  gate.expire(1'000, due);
  CHECK(victims_of(due) == std::vector{ends_of(0)});
  CHECK(gate.next_expiry_ms() == 1'010);

  SUBCASE("so many at a time") {
    Gate::Resets many;
    gate.expire(5'000, many);
    CHECK(many.count == Gate::Resets::kMax);
    CHECK(gate.size() == 49 - Gate::Resets::kMax);
    gate.expire(5'000, many);
    CHECK(gate.size() == 49 - Gate::Resets::kMax);
  }
  SUBCASE("half-open reset off: they end in silence") {
    gate.configure({.synwait_ms = 1'000, .reset_on_expiry = false});
    Gate::Resets none;
    gate.expire(5'000, none);
    CHECK(none.count == 0);
    CHECK(gate.size() == 0);
    CHECK(gate.counters()[Counter::half_open_expired] == 50);
  }
}

TEST_CASE("a blocked host gets no SYN, others do") {
  Gate gate(100, 100);
  for (std::uint32_t i = 0; i < 30; ++i) CHECK(pass(gate, i, 1).empty());
  CHECK(pass(gate, 50, 2).empty());
  const Address host = ends_of(0, 1).responder.address;
  Gate::Resets not_yet;
  gate.give_up_blocked(host, not_yet);
  CHECK(not_yet.count == 0);
  REQUIRE(gate.block(host));
  CHECK(refused(gate, syn_of(ends_of(60, 1))) == Counter::drop_host_blocked);
  // Also the one that has an entry still.
  CHECK(refused(gate, syn_of(ends_of(3, 1))) == Counter::drop_host_blocked);
  Gate::Resets first;
  gate.give_up_blocked(host, first);
  CHECK(first.count == Gate::Resets::kMax);
  Gate::Resets rest;
  gate.give_up_blocked(host, rest);
  CHECK(rest.count == 30 - Gate::Resets::kMax);
  CHECK(gate.size() == 1);
  CHECK(pass(gate, 61, 2).empty());
  CHECK(gate.sample().attempts == 32);
  gate.unblock(host);
  CHECK(pass(gate, 62, 1).empty());
}

TEST_CASE("one is cleared by index and generation, or all are") {
  Gate gate(100, 100);
  for (std::uint32_t i = 0; i < 30; ++i) CHECK(pass(gate, i).empty());
  const HalfOpen one = found(gate, ends_of(4));
  Gate::Resets resets;
  gate.clear(one.index, one.generation + 1, resets);
  CHECK(resets.count == 0);
  gate.clear(one.index, one.generation, resets);
  CHECK(victims_of(resets) == std::vector{ends_of(4)});
  Gate::Resets all;
  gate.clear(kNoEntry, 0, all);
  CHECK(all.count == Gate::Resets::kMax);
  CHECK(gate.size() == 29 - Gate::Resets::kMax);
}

TEST_CASE("entries are listed in pages") {
  Gate gate(100, 100);
  for (std::uint32_t i = 0; i < 10; ++i) CHECK(pass(gate, i).empty());
  CHECK(gate.take(found(gate, ends_of(2))));
  const std::vector<HalfOpen> first = gate.entries(0, 4);
  REQUIRE(first.size() == 4);
  CHECK(first[2].key == ends_of(3));
  CHECK(gate.entries(first[3].index + 1, 100).size() == 5);
  CHECK(gate.entries(100, 5).empty());
}

TEST_CASE("drops are described only where asked, and so many of them") {
  Gate gate(10, 10);
  const TcpPacket packet = syn_of(ends_of(1), 42);
  gate.note_drop(packet, Counter::drop_host_blocked);
  CHECK(gate.sample().drops.empty());
  gate.configure({.report_drops = true});
  for (std::size_t i = 0; i < kGateDropsMax + 5; ++i) {
    gate.note_drop(packet, Counter::drop_host_blocked);
  }
  const GateSample sample = gate.sample();
  REQUIRE(sample.drops.size() == kGateDropsMax);
  CHECK(sample.drops[0].source == packet.source);
  CHECK(sample.drops[0].sequence == 42);
  CHECK(sample.drops[0].reason == Counter::drop_host_blocked);
  CHECK(gate.sample().drops.empty());
}

TEST_CASE("a tracker made of an entry judges the rest of the handshake as one that saw it") {
  Gate gate(10, 10);
  const TcpPacket syn = syn_of(ends_of(1));
  const TcpPacket answer = answer_to(syn);
  CHECK(gate.on_syn(syn, 0).accept);
  const HalfOpen entry = found(gate, ends_of(1));
  Tracker unanswered = tracker_of(entry, false);
  CHECK(unanswered.check(Side::responder, answer).drop == TrackDrop::none);
  TcpPacket wrong = answer;
  ++wrong.acknowledgement;
  CHECK(unanswered.check(Side::responder, wrong).drop == TrackDrop::invalid_acknowledgement);
  REQUIRE(gate.note_answer(entry, answer));

  Tracker tracker = tracker_of(found(gate, ends_of(1)), false);
  CHECK(tracker.check(Side::responder, answer).retransmission);
  CHECK(tracker.half(Side::initiator).window_scale == 7);
  CHECK(tracker.half(Side::responder).window_scale == 5);
  CHECK(tracker.half(Side::responder).mss == 1'344);
  CHECK(tracker.timestamps());
  TcpPacket last = syn;
  last.flags = kAck;
  last.sequence = syn.sequence + 1;
  last.acknowledgement = answer.sequence + 1;
  // Timestamps that stand in the upper half are not older than none.
  last.options = {};
  last.options.has_timestamps = true;
  last.options.timestamp_value = 0xF000'0001U;
  const TrackResult result = tracker.check(Side::initiator, last);
  CHECK(result.drop == TrackDrop::none);
  CHECK(result.established);
  tracker.apply(Side::initiator, last);
  last.options.timestamp_value -= 100;
  CHECK(tracker.check(Side::initiator, last).drop == TrackDrop::old_timestamp);
  last.acknowledgement += 1;
  CHECK(tracker.check(Side::initiator, last).drop == TrackDrop::invalid_acknowledgement);
}

TEST_CASE("a window scale that was not offered is refused, unless loosely enforced") {
  Gate gate(10, 10);
  TcpPacket syn = syn_of(ends_of(1));
  syn.options.window_scale.reset();
  TcpPacket answer = answer_to(syn);
  answer.options.window_scale = 3;
  CHECK(gate.on_syn(syn, 0).accept);
  const HalfOpen entry = found(gate, ends_of(1));
  CHECK(tracker_of(entry, false).check(Side::responder, answer).drop ==
        TrackDrop::invalid_window_scale);
  CHECK(tracker_of(entry, true).check(Side::responder, answer).drop == TrackDrop::none);
}
