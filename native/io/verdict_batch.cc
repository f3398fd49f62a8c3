#include "io/verdict_batch.h"

#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "core/limits.h"

namespace postern {
namespace {

/// Two replacements of full length and some verdicts without; half of the kernel's default limit
/// for one send (net.core.wmem_default).
constexpr std::size_t kBatchBytes = 140'000;
/// Headers and attributes of a verdict without the replacement.
constexpr std::size_t kVerdictBytesMax = 64;

}  // namespace

VerdictBatch::VerdictBatch(std::uint16_t queue) : buffer_(kBatchBytes), queue_(queue) {}

bool VerdictBatch::add(std::uint32_t id, const Verdict& verdict) noexcept {
  bool accept = verdict.accept;
  std::span<const std::byte> replacement;
  if (accept && verdict.replacement) {
    replacement = *verdict.replacement;
    // An empty packet is none, and the attribute would stand for "unchanged".
    if (replacement.empty() || replacement.size() > kPacketBytesMax) {
      accept = false;
      replacement = {};
    }
  }
  if (used_ + kVerdictBytesMax + replacement.size() > buffer_.size()) return false;

  nlmsghdr* message =
      nfq_nlmsg_put(reinterpret_cast<char*>(buffer_.data() + used_), NFQNL_MSG_VERDICT, queue_);
  nfq_nlmsg_verdict_put(message, static_cast<int>(id), accept ? NF_ACCEPT : NF_DROP);
  if (accept && verdict.mark) nfq_nlmsg_verdict_put_mark(message, *verdict.mark);
  if (!replacement.empty()) {
    nfq_nlmsg_verdict_put_pkt(message, replacement.data(),
                              static_cast<std::uint32_t>(replacement.size()));
  }
  used_ += MNL_ALIGN(message->nlmsg_len);
  ++count_;
  return true;
}

}  // namespace postern
