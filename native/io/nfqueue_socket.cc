#include "io/nfqueue_socket.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/capability.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "core/limits.h"
#include "io/nfqueue_message.h"
#include "io/outcome.h"
#include "io/queue_table.h"

namespace postern {
namespace {

/// Configuration is answered at once; longer means that something is badly wrong.
constexpr std::int64_t kAnswerMs = 1'000;

void set_buffer(int descriptor, std::uint32_t bytes) noexcept {
  const int wanted = bytes > INT_MAX ? INT_MAX : static_cast<int>(bytes);
  if (::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) == 0) return;
  // Without CAP_NET_ADMIN over the machine the ordinary limit (net.core.rmem_max) stands.
  (void)::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
}

/// One message binds and configures: no packet can come between the two. All flags are in one
/// attribute, or the later one would win; what the mask names and the flags do not is switched off.
int configure(NetlinkSocket& netlink, const NfqueueOptions& options) noexcept {
  alignas(nlmsghdr) std::array<char, 256> buffer;
  nlmsghdr* message = nfq_nlmsg_put(buffer.data(), NFQNL_MSG_CONFIG, options.queue);
  nfq_nlmsg_cfg_put_cmd(message, AF_INET, NFQNL_CFG_CMD_BIND);
  nfq_nlmsg_cfg_put_params(message, NFQNL_COPY_PACKET, static_cast<int>(kPacketBytesMax));
  const std::uint32_t flags =
      NFQA_CFG_F_GSO | (options.fail_open ? std::uint32_t{NFQA_CFG_F_FAIL_OPEN} : 0U);
  const std::uint32_t mask =
      NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN | NFQA_CFG_F_CONNTRACK | NFQA_CFG_F_UID_GID;
  mnl_attr_put_u32(message, NFQA_CFG_FLAGS, htonl(flags));
  mnl_attr_put_u32(message, NFQA_CFG_MASK, htonl(mask));
  nfq_nlmsg_cfg_put_qmaxlen(message, options.length_max_packets);

  return netlink.request(*message, [&](const nlmsghdr& early) {
    // A packet may overtake the acknowledgement. Nobody could judge it: its sender repeats it.
    const std::optional<std::uint32_t> id = packet_id_of(early);
    if (!id) return;
    alignas(nlmsghdr) std::array<char, 64> answer;
    nlmsghdr* drop = nfq_nlmsg_put(answer.data(), NFQNL_MSG_VERDICT, options.queue);
    nfq_nlmsg_verdict_put(drop, static_cast<int>(*id), NF_DROP);
    (void)::send(netlink.descriptor(), drop, drop->nlmsg_len, 0);
  });
}

bool may_administer_networks() noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return false;
  return (sets[0].effective & (1U << CAP_NET_ADMIN)) != 0;
}

std::string refusal_text(std::uint16_t queue, int error_number) {
  const std::string name = "queue " + std::to_string(queue);
  if (error_number == EPERM && !may_administer_networks()) {
    return name + " cannot be opened: CAP_NET_ADMIN is missing";
  }
  if (error_number == EPERM || error_number == EBUSY) {
    if (const std::optional<QueueOwner> owner = queue_owner(queue)) {
      return name + " is already served by " + describe(*owner);
    }
    // The table belongs to root: without it the owner stays unknown.
    return name +
           " cannot be opened: another process serves it, or CAP_NET_ADMIN does not hold here";
  }
  // nfnetlink answers EINVAL for a subsystem that it could not load.
  if (error_number == EINVAL || error_number == EPROTONOSUPPORT || error_number == EAFNOSUPPORT) {
    return name + " cannot be opened: the kernel module nfnetlink_queue is missing";
  }
  return with_reason(name + " cannot be opened", error_number);
}

}  // namespace

NfqueueOpening NfqueueSocket::open(const NfqueueOptions& options) {
  NetlinkSocket netlink;
  int error_number = netlink.open(kAnswerMs);
  if (error_number == 0) {
    set_buffer(netlink.descriptor(), options.socket_buffer_bytes);
    error_number = configure(netlink, options);
  }
  if (error_number != 0) return {nullptr, refusal_text(options.queue, error_number)};
  return {std::unique_ptr<NfqueueSocket>(new NfqueueSocket(std::move(netlink), options.queue)), {}};
}

}  // namespace postern
