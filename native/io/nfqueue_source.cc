#include "io/nfqueue_source.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>

#include "io/nfqueue_message.h"
#include "io/outcome.h"

namespace postern {

NfqueueSource::NfqueueSource(int descriptor, std::uint16_t queue)
    : descriptor_(descriptor), batch_(queue) {
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    const std::span<std::byte> slot = slots_.slot(i);
    vectors_[i] = {.iov_base = slot.data(), .iov_len = slot.size()};
    messages_[i] = {};
    messages_[i].msg_hdr.msg_iov = &vectors_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    messages_[i].msg_hdr.msg_name = &senders_[i];
  }
}

ReceiveStatus NfqueueSource::receive(std::span<ReceivedPacket> packets,
                                     std::size_t& count) noexcept {
  count = 0;
  const std::size_t wanted = std::min(packets.size(), messages_.size());
  for (std::size_t i = 0; i < wanted; ++i) {
    messages_[i].msg_hdr.msg_namelen = sizeof(sockaddr_nl);
  }
  const int received = ::recvmmsg(descriptor_, messages_.data(), static_cast<unsigned int>(wanted),
                                  MSG_DONTWAIT, nullptr);
  if (received < 0) return refuse(errno);
  for (std::size_t i = 0; i < static_cast<std::size_t>(received); ++i) {
    take_datagram(messages_[i], packets, count);
  }
  counters_.received += count;
  return count > 0 ? ReceiveStatus::packets : ReceiveStatus::none;
}

void NfqueueSource::take_datagram(const mmsghdr& received, std::span<ReceivedPacket> packets,
                                  std::size_t& count) noexcept {
  const auto* sender = static_cast<const sockaddr_nl*>(received.msg_hdr.msg_name);
  // Another process may send to our port too; only the kernel's port is 0.
  if (sender->nl_pid != 0 || (received.msg_hdr.msg_flags & MSG_TRUNC) != 0) {
    ++counters_.malformed;
    return;
  }
  const std::span datagram(static_cast<std::byte*>(received.msg_hdr.msg_iov->iov_base),
                           received.msg_len);
  const QueueDatagram found = read_queue_datagram(datagram, packets.subspan(count));
  count += found.packets;
  counters_.verdict_errors += found.verdict_errors;
  counters_.malformed += found.malformed;
}

ReceiveStatus NfqueueSource::refuse(int error_number) noexcept {
  if (error_number == EAGAIN || error_number == EINTR) return ReceiveStatus::none;
  if (error_number == ENOBUFS) {
    ++counters_.overruns;
    return ReceiveStatus::overrun;
  }
  error_ = with_reason("receiving from the queue", error_number);
  return ReceiveStatus::failed;
}

void NfqueueSource::verdict(std::uint32_t id, const Verdict& verdict) noexcept {
  if (batch_.add(id, verdict)) return;
  flush();
  if (batch_.add(id, verdict)) return;
  give_up_batch();
  // Into an empty batch every verdict fits.
  (void)batch_.add(id, verdict);
}

void NfqueueSource::flush() noexcept {
  while (batch_.count() > 0) {
    const std::span<const std::byte> bytes = batch_.bytes();
    if (::send(descriptor_, bytes.data(), bytes.size(), 0) >= 0) {
      batch_.clear();
      return;
    }
    if (errno == EINTR) continue;
    error_ = with_reason("sending verdicts", errno);
    // Out of memory passes: the batch is kept for the next flush. All else would fail again.
    if (errno != ENOBUFS && errno != ENOMEM && errno != EAGAIN) give_up_batch();
    return;
  }
}

void NfqueueSource::give_up_batch() noexcept {
  counters_.verdict_errors += batch_.count();
  batch_.clear();
}

}  // namespace postern
