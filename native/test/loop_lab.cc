#include "loop_lab.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace postern::test {

namespace {

constexpr std::uint16_t kInitiatorPort = 40'000;

Endpoint endpoint_of(Side side, std::uint16_t responder_port) {
  Endpoint endpoint;
  endpoint.address.octets = {std::byte{10}, std::byte{0}, std::byte{0},
                             side == Side::initiator ? std::byte{1} : std::byte{2}};
  endpoint.port = side == Side::initiator ? kInitiatorPort : responder_port;
  return endpoint;
}

std::span<const std::byte> octets_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string text_of(std::span<const std::byte> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

TcpPacket parsed(std::vector<std::byte>& bytes) {
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  CHECK(tcp_checksum_ok(packet));
  return packet;
}

/// A SYN with the option that build_segment does not write: it goes in as payload, then the header
/// is made longer.
std::vector<std::byte> with_mss(SegmentSpec syn, std::uint16_t mss) {
  const std::array<std::byte, 4> option{std::byte{2}, std::byte{4},
                                        static_cast<std::byte>(mss >> 8),
                                        static_cast<std::byte>(mss & 0xFF)};
  syn.payload = option;
  std::vector<std::byte> bytes(100);
  bytes.resize(build_segment(syn, bytes));
  TcpPacket packet;
  REQUIRE(parse_tcp_packet(bytes, packet) == ParseError::none);
  bytes[packet.tcp_offset + 12U] = std::byte{0x60};
  write_checksums(packet);
  return bytes;
}

}  // namespace

void FakeSource::feed(std::vector<std::byte> packet, bool gso) {
  waiting_.push_back({next_id_++, gso, mark, hook, interfaces, truncated, std::move(packet)});
}

const Given* FakeSource::verdict_of(std::uint32_t id) const {
  const auto found =
      std::find_if(given_.begin(), given_.end(), [id](const Given& g) { return g.id == id; });
  return found == given_.end() ? nullptr : &*found;
}

ReceiveStatus FakeSource::receive(std::span<ReceivedPacket> packets, std::size_t& count) noexcept {
  count = 0;
  lent_.clear();
  while (count < packets.size() && !waiting_.empty()) {
    taken_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    ReceivedPacket& packet = packets[count++];
    packet = {};
    packet.id = taken_.back().id;
    packet.bytes = lent_.emplace_back(taken_.back().bytes);
    packet.gso = taken_.back().gso;
    packet.truncated = taken_.back().truncated;
    packet.mark = taken_.back().mark;
    packet.hook = taken_.back().hook;
    packet.in_interface = taken_.back().interfaces[0];
    packet.out_interface = taken_.back().interfaces[1];
    packet.checksum_complete = checksum_complete;
    ++counters_.received;
  }
  return count > 0 ? ReceiveStatus::packets : ReceiveStatus::none;
}

void FakeSource::verdict(std::uint32_t id, const Verdict& verdict) noexcept {
  CHECK_MESSAGE(verdict_of(id) == nullptr, "packet ", id, " has two verdicts");
  Given given{id, verdict.accept, verdict.replacement.has_value(), verdict.mark.value_or(0), {}};
  const auto taken =
      std::find_if(taken_.begin(), taken_.end(), [id](const Waiting& w) { return w.id == id; });
  REQUIRE(taken != taken_.end());
  if (verdict.replacement) {
    given.bytes.assign(verdict.replacement->begin(), verdict.replacement->end());
  } else {
    given.bytes = taken->bytes;
  }
  given_.push_back(std::move(given));
}

void Orders::refuse_with_words(std::uint32_t flow, std::string_view words) {
  const auto start = static_cast<std::uint32_t>(arena_used_);
  std::copy_n(octets_of(words).begin(), words.size(), arena_.begin() + start);
  arena_used_ += words.size();
  put(6, Side::initiator, 0, flow, {start, static_cast<std::uint32_t>(words.size())});
}

void Orders::put(std::uint32_t op, Side side, std::uint32_t flags, std::uint32_t flow,
                 std::vector<std::uint32_t> arguments) {
  words_[length_++] = op | (static_cast<std::uint32_t>(side) << 8U) | (flags << 16U);
  words_[length_++] = flow;
  for (const std::uint32_t argument : arguments) words_[length_++] = argument;
}

LoopLab::LoopLab(LoopOptions options, std::shared_ptr<Gate> gate, LoopRoom room)
    : loop(source, sender,
           {.flows_max = room.flows_max,
            .chunks_max = room.chunks_max,
            .held_max = room.held_max,
            .gate = std::move(gate)}),
      events_(4 + 8 * 256),
      arena_(kArenaBytes),
      orders_(kOrderWordsMax),
      order_arena_(65'536) {
  loop.configure(options);
  loop.attach({events_, arena_, orders_, order_arena_}, this);
}

LoopLab::~LoopLab() {
  // design.md, principle 7: packets add up, whatever the story was.
  const Counters counted = loop.counters();
  CHECK(counted[Counter::received] == counted[Counter::accepted] + counted[Counter::rewritten] +
                                          counted[Counter::dropped] + counted[Counter::held]);
  loop.shut_down();
  const Counters left = loop.counters();
  CHECK(left[Counter::held] == 0);
  CHECK(left[Counter::flows_half_open] == 0);
  CHECK(left[Counter::flows_established] == 0);
  CHECK(left[Counter::flows_terminating] == 0);
  CHECK(loop.used_chunks() == 0);
  CHECK(loop.table().size() == 0);
}

LoopOptions LoopLab::with_mail_ports() {
  LoopOptions options;
  options.ports[25] = PortProtocol::smtp;
  options.mark_offload_both = 0x2;
  options.mark_offload_responder = 0x4;
  options.mark_clear = 0x8;
  return options;
}

void LoopLab::forward_all(const SeenEvent& event, Orders& orders) {
  if (event.kind == EventKind::opened) {
    orders.frame(event.flow, Side::initiator, FramingMode::lines, 512);
    orders.frame(event.flow, Side::responder, FramingMode::lines, 512);
  } else if (event.kind != EventKind::closed) {
    orders.forward(event.flow, event.side);
  }
}

SegmentSpec LoopLab::spec(Side from, std::uint32_t offset, std::uint8_t flags) const {
  SegmentSpec made;
  made.source = endpoint_of(from, responder_port);
  made.destination = endpoint_of(other(from), responder_port);
  made.sequence = initial_sequences[index(from)] + 1 + offset;
  made.acknowledgement = initial_sequences[index(other(from))] + 1 + acknowledged[index(from)];
  if (from == Side::initiator) made.acknowledgement_shift = initiator_shift;
  made.flags = flags;
  made.window = 60'000;
  return made;
}

std::uint32_t LoopLab::send_spec(const SegmentSpec& made) {
  std::vector<std::byte> packet(2'000);
  packet.resize(build_segment(made, packet));
  source.feed(std::move(packet));
  turn();
  return source.last_id();
}

std::uint32_t LoopLab::feed(Side from, std::uint32_t offset, std::string_view payload,
                            std::uint8_t flags) {
  SegmentSpec made = spec(from, offset, flags);
  made.payload = octets_of(payload);
  std::vector<std::byte> packet(payload.size() + 100);
  packet.resize(build_segment(made, packet));
  source.feed(std::move(packet));
  return source.last_id();
}

std::uint32_t LoopLab::send(Side from, std::uint32_t offset, std::string_view payload,
                            std::uint8_t flags) {
  const std::uint32_t id = feed(from, offset, payload, flags);
  turn();
  return id;
}

void LoopLab::connect(std::uint16_t mss) {
  CHECK(fate(send_syn(mss)) == "accept");
  CHECK(fate(send_syn_ack(mss)) == "accept");
  CHECK(fate(send(Side::initiator, 0, "", kAck)) == "accept");
}

std::uint32_t LoopLab::send_syn(std::uint16_t mss) {
  SegmentSpec syn = spec(Side::initiator, 0, kSyn);
  --syn.sequence;
  syn.acknowledgement = 0;
  source.feed(with_mss(syn, mss));
  turn();
  return source.last_id();
}

std::uint32_t LoopLab::send_syn_ack(std::uint16_t mss) {
  SegmentSpec syn_ack = spec(Side::responder, 0, kSyn | kAck);
  --syn_ack.sequence;
  source.feed(with_mss(syn_ack, mss));
  turn();
  return source.last_id();
}

void LoopLab::begin_anew() {
  for (std::uint32_t& sequence : initial_sequences) sequence += 0x1000'0000;
  acknowledged = {0, 0};
}

std::uint32_t LoopLab::send_gso(Side from, std::uint32_t offset, std::string_view payload) {
  SegmentSpec made = spec(from, offset, kAck | kPsh);
  made.payload = octets_of(payload);
  std::vector<std::byte> packet(payload.size() + 100);
  packet.resize(build_segment(made, packet));
  source.feed(std::move(packet), true);
  turn();
  return source.last_id();
}

void LoopLab::wait_ms(std::int64_t ms) {
  now_ms += ms;
  loop.advance_time(now_ms);
}

std::size_t LoopLab::judge(std::uint32_t events) noexcept {
  Orders orders(orders_, order_arena_);
  for (std::uint32_t i = 0; i < events; ++i) {
    const std::uint32_t* word = &events_[4 + 8 * std::size_t{i}];
    SeenEvent event;
    event.kind = static_cast<EventKind>(word[0] & 0xFFU);
    event.side = static_cast<Side>((word[0] >> 8U) & 0xFFU);
    event.flags = word[0] >> 16U;
    event.flow = word[1];
    const bool text = event.kind != EventKind::closed && event.kind != EventKind::opened;
    if (text) event.text = text_of(std::span(arena_).subspan(word[3], word[4]));
    event.number = word[5] | (std::uint64_t{word[6]} << 32U);
    event.extra = event.kind == EventKind::closed ? word[7] & 0xFFU : word[7];
    const std::string who = event.side == Side::initiator ? "I: " : "R: ";
    if (event.kind == EventKind::line) lines.push_back(who + event.text);
    if (event.kind == EventKind::partial) lines.push_back(who + event.text + "…");
    seen.push_back(event);
    const bool asks = event.kind != EventKind::reassembly && event.kind != EventKind::dropped;
    if (asks && !judge_fails) answer(event, orders);
  }
  return judge_fails ? kFailed : orders.length();
}

std::uint32_t LoopLab::offset_in(Side from, std::uint32_t sequence) const {
  return sequence - initial_sequences[index(from)] - 1;
}

std::string LoopLab::describe(std::vector<std::byte> bytes) const {
  const TcpPacket packet = parsed(bytes);
  const Side from = packet.source.port == kInitiatorPort ? Side::initiator : Side::responder;
  std::string text;
  if (packet.has(kRst)) return "rst@" + std::to_string(offset_in(from, packet.sequence));
  text = text_of(packet.payload());
  if (packet.has(kFin)) text += "<fin>";
  text += " ack " + std::to_string(offset_in(
                        other(from),
                        packet.acknowledgement - (from == Side::initiator ? initiator_shift : 0)));
  return text;
}

std::string LoopLab::fate(std::uint32_t id) const {
  const Given* given = source.verdict_of(id);
  if (given == nullptr) return "held";
  if (!given->accept) return "drop";
  if (!given->rewritten) return "accept";
  const std::string what = describe(given->bytes);
  return what.starts_with("rst@") ? what : "rewrite " + what.substr(0, what.rfind(" ack "));
}

std::vector<std::string> LoopLab::injected(Side toward) {
  std::vector<std::string> described;
  std::erase_if(sender.sent, [&](std::vector<std::byte>& bytes) {
    const TcpPacket packet = parsed(bytes);
    const Side to = packet.destination.port == kInitiatorPort ? Side::initiator : Side::responder;
    if (to == toward) described.push_back(describe(bytes));
    return to == toward;
  });
  return described;
}

}  // namespace postern::test
