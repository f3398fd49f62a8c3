#include "io/nfqueue_message.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/limits.h"
#include "io/queue_table.h"
#include "io/verdict_batch.h"

using namespace postern;

namespace {

/// Builds datagrams as the kernel sends them.
class DatagramBuilder {
 public:
  nlmsghdr* packet(std::uint32_t id) {
    nlmsghdr* message = begin(NFQNL_MSG_PACKET);
    nfqnl_msg_packet_hdr header{};
    header.packet_id = htonl(id);
    header.hook = NF_INET_FORWARD;
    mnl_attr_put(message, NFQA_PACKET_HDR, sizeof header, &header);
    return message;
  }
  nlmsghdr* begin(int type) { return last_ = nfq_nlmsg_put(buffer_.data() + used_, type, 3); }
  void error(int number) {
    last_ = mnl_nlmsg_put_header(buffer_.data() + used_);
    last_->nlmsg_type = NLMSG_ERROR;
    auto* body = static_cast<nlmsgerr*>(mnl_nlmsg_put_extra_header(last_, sizeof(nlmsgerr)));
    body->error = -number;
  }
  void end() { used_ += MNL_ALIGN(last_->nlmsg_len); }
  std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(buffer_).first(used_)); }

 private:
  alignas(8) std::array<char, 4096> buffer_{};
  std::size_t used_ = 0;
  nlmsghdr* last_ = nullptr;
};

}  // namespace

TEST_CASE("a queue datagram gives the packet and what the kernel says of it") {
  DatagramBuilder datagram;
  nlmsghdr* message = datagram.packet(77);
  mnl_attr_put_u32(message, NFQA_MARK, htonl(0x1234));
  mnl_attr_put_u32(message, NFQA_IFINDEX_INDEV, htonl(5));
  mnl_attr_put_u32(message, NFQA_IFINDEX_OUTDEV, htonl(6));
  mnl_attr_put_u32(message, NFQA_SKB_INFO, htonl(NFQA_SKB_GSO | NFQA_SKB_CSUMNOTREADY));
  mnl_attr_put(message, NFQA_PAYLOAD, 5, "abcde");
  datagram.end();

  std::array<ReceivedPacket, 2> packets;
  const QueueDatagram found = read_queue_datagram(datagram.bytes(), packets);
  REQUIRE(found.packets == 1);
  CHECK(found.malformed == 0);
  CHECK(packets[0].id == 77);
  CHECK(packets[0].hook == NF_INET_FORWARD);
  CHECK(packets[0].mark == 0x1234);
  CHECK(packets[0].in_interface == 5);
  CHECK(packets[0].out_interface == 6);
  CHECK(packets[0].gso);
  CHECK_FALSE(packets[0].checksum_complete);
  CHECK_FALSE(packets[0].truncated);
  REQUIRE(packets[0].bytes.size() == 5);
  CHECK(std::memcmp(packets[0].bytes.data(), "abcde", 5) == 0);
}

TEST_CASE("a complete checksum and an ordinary packet are told apart from partial and GSO") {
  DatagramBuilder datagram;
  nlmsghdr* message = datagram.packet(1);
  mnl_attr_put_u32(message, NFQA_SKB_INFO, htonl(NFQA_SKB_CSUM_NOTVERIFIED));
  mnl_attr_put(message, NFQA_PAYLOAD, 5, "abcde");
  datagram.end();
  std::array<ReceivedPacket, 1> packets;
  REQUIRE(read_queue_datagram(datagram.bytes(), packets).packets == 1);
  CHECK(packets[0].checksum_complete);
  CHECK_FALSE(packets[0].gso);
}

TEST_CASE("a copy shorter than its packet is truncated, an equal length is not") {
  for (const std::uint32_t original : {5U, 6U, 70'000U}) {
    DatagramBuilder datagram;
    nlmsghdr* message = datagram.packet(1);
    mnl_attr_put_u32(message, NFQA_CAP_LEN, htonl(original));
    mnl_attr_put(message, NFQA_PAYLOAD, 5, "abcde");
    datagram.end();
    std::array<ReceivedPacket, 1> packets;
    REQUIRE(read_queue_datagram(datagram.bytes(), packets).packets == 1);
    CHECK(packets[0].truncated == (original != 5));
  }
}

TEST_CASE("a packet without payload still asks for its verdict") {
  DatagramBuilder datagram;
  datagram.packet(9);
  datagram.end();
  std::array<ReceivedPacket, 1> packets;
  REQUIRE(read_queue_datagram(datagram.bytes(), packets).packets == 1);
  CHECK(packets[0].id == 9);
  CHECK(packets[0].truncated);
  CHECK(packets[0].bytes.empty());
}

TEST_CASE("refused verdicts are counted, acknowledgements are not") {
  DatagramBuilder datagram;
  datagram.error(ENOENT);
  datagram.end();
  datagram.error(0);
  datagram.end();
  datagram.packet(4);
  datagram.end();
  std::array<ReceivedPacket, 1> packets;
  const QueueDatagram found = read_queue_datagram(datagram.bytes(), packets);
  CHECK(found.verdict_errors == 1);
  CHECK(found.packets == 1);
  CHECK(found.malformed == 0);
}

TEST_CASE("malformed messages are counted and those behind them are read") {
  DatagramBuilder datagram;
  SUBCASE("no packet header") {
    datagram.begin(NFQNL_MSG_PACKET);
    datagram.end();
  }
  SUBCASE("a packet header that is too short") {
    nlmsghdr* message = datagram.begin(NFQNL_MSG_PACKET);
    mnl_attr_put(message, NFQA_PACKET_HDR, 4, "1234");
    datagram.end();
  }
  SUBCASE("no netfilter header") {
    datagram.packet(1)->nlmsg_len = sizeof(nlmsghdr) + 2;
    datagram.end();
  }
  SUBCASE("a message of another subsystem") {
    datagram.packet(1)->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8U;
    datagram.end();
  }
  datagram.packet(8);
  datagram.end();
  std::array<ReceivedPacket, 4> packets;
  const QueueDatagram found = read_queue_datagram(datagram.bytes(), packets);
  CHECK(found.malformed == 1);
  REQUIRE(found.packets == 1);
  CHECK(packets[0].id == 8);
}

TEST_CASE("an attribute length beyond the message ends the attributes") {
  DatagramBuilder datagram;
  nlmsghdr* message = datagram.packet(3);
  auto* rogue = static_cast<nlattr*>(mnl_nlmsg_get_payload_tail(message));
  mnl_attr_put(message, NFQA_PAYLOAD, 8, "12345678");
  rogue->nla_len = 4'000;
  datagram.end();
  std::array<ReceivedPacket, 1> packets;
  REQUIRE(read_queue_datagram(datagram.bytes(), packets).packets == 1);
  CHECK(packets[0].bytes.empty());
  CHECK(packets[0].truncated);
}

TEST_CASE("a message length beyond the datagram ends it, above 2 GiB too") {
  for (const std::uint32_t length : {15U, 200U, 0x7FFF'FFFFU, 0x8000'0000U, 0xFFFF'FFFEU}) {
    DatagramBuilder datagram;
    nlmsghdr* message = datagram.packet(3);
    datagram.end();
    message->nlmsg_len = length;
    std::array<ReceivedPacket, 1> packets;
    const QueueDatagram found = read_queue_datagram(datagram.bytes(), packets);
    CHECK(found.packets == 0);
    CHECK(found.malformed == 1);
  }
}

TEST_CASE("a datagram cut anywhere is never read beyond its end") {
  DatagramBuilder datagram;
  mnl_attr_put(datagram.packet(3), NFQA_PAYLOAD, 8, "12345678");
  datagram.end();
  const std::span<std::byte> whole = datagram.bytes();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    std::array<ReceivedPacket, 1> packets;
    const QueueDatagram found = read_queue_datagram(cut, packets);
    CHECK(found.packets == 0);
    CHECK(found.malformed == (length > 0 ? 1 : 0));
  }
}

TEST_CASE("a verdict batch holds whole messages and refuses what does not fit") {
  const std::vector<std::byte> large(kPacketBytesMax);
  VerdictBatch batch(3);
  Verdict rewrite{.accept = true, .replacement = large, .mark = 7};
  CHECK(batch.add(1, rewrite));
  CHECK(batch.add(2, rewrite));
  CHECK_FALSE(batch.add(3, rewrite));
  CHECK(batch.count() == 2);
  CHECK(batch.add(3, {}));

  auto* message = reinterpret_cast<const nlmsghdr*>(batch.bytes().data());
  int left = static_cast<int>(batch.bytes().size());
  for (std::uint32_t id = 1; id <= 3; ++id) {
    REQUIRE(mnl_nlmsg_ok(message, left));
    std::array<nlattr*, NFQA_MAX + 1> attributes{};
    REQUIRE(nfq_nlmsg_parse(message, attributes.data()) >= 0);
    const auto* header = static_cast<const nfqnl_msg_verdict_hdr*>(
        mnl_attr_get_payload(attributes[NFQA_VERDICT_HDR]));
    CHECK(ntohl(header->id) == id);
    CHECK(ntohl(header->verdict) == (id < 3 ? NF_ACCEPT : NF_DROP));
    CHECK((attributes[NFQA_PAYLOAD] != nullptr) == (id < 3));
    if (id < 3) CHECK(ntohl(mnl_attr_get_u32(attributes[NFQA_MARK])) == 7);
    message = mnl_nlmsg_next(message, &left);
  }
  CHECK(left == 0);
  batch.clear();
  CHECK(batch.bytes().empty());
}

TEST_CASE("a replacement that cannot be carried becomes a drop, never an unchanged accept") {
  const std::vector<std::byte> too_long(kPacketBytesMax + 1);
  for (const std::size_t length : {std::size_t{0}, kPacketBytesMax + 1}) {
    VerdictBatch batch(0);
    REQUIRE(batch.add(
        1, {.accept = true, .replacement = std::span(too_long).first(length), .mark = {}}));
    std::array<nlattr*, NFQA_MAX + 1> attributes{};
    const auto* message = reinterpret_cast<const nlmsghdr*>(batch.bytes().data());
    REQUIRE(nfq_nlmsg_parse(message, attributes.data()) >= 0);
    const auto* header = static_cast<const nfqnl_msg_verdict_hdr*>(
        mnl_attr_get_payload(attributes[NFQA_VERDICT_HDR]));
    CHECK(ntohl(header->verdict) == NF_DROP);
    CHECK(attributes[NFQA_PAYLOAD] == nullptr);
  }
}

TEST_CASE("the queue table is read column by column") {
  constexpr std::string_view table =
      "    0   1234     0 2 65531     0     0        0  1\n"
      "    3 4294963199     7 2 65531    11    22      900  1\n"
      "junk\n"
      "    4  12\n";
  const auto entry = find_queue_entry(table, 3);
  REQUIRE(entry);
  CHECK(entry->port_id == 4'294'963'199U);
  CHECK(entry->waiting == 7);
  CHECK(entry->copy_mode == 2);
  CHECK(entry->copy_range_bytes == 65'531);
  CHECK(entry->queue_dropped == 11);
  CHECK(entry->user_dropped == 22);
  CHECK(entry->last_id == 900);
  CHECK_FALSE(find_queue_entry(table, 4));
  CHECK_FALSE(find_queue_entry(table, 1));
  CHECK_FALSE(find_queue_entry("", 0));
}

TEST_CASE("an owner is named as well as it is known") {
  CHECK(describe({.port_id = 7, .pid = 7, .name = "suricata"}) == "pid 7 (suricata)");
  CHECK(describe({.port_id = 7, .pid = 7, .name = ""}) == "pid 7");
  CHECK(describe({.port_id = 4'294'963'199U, .pid = {}, .name = ""}) == "port id 4294963199");
}
