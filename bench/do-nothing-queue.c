/* The yardstick of the bench: takes every packet from a queue and accepts it, as cheaply as the
 * kernel's interface allows. What Postern costs beyond this is Postern's own.
 *
 *   cc -O2 -Wall -Wextra -o do-nothing-queue do-nothing-queue.c -lmnl
 *   do-nothing-queue QUEUE [LENGTH_PACKETS]
 *
 * Prints "ready" once the queue is bound, and what it saw when SIGTERM or SIGINT ends it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
  TURN_PACKETS = 64,
  SLOT_BYTES = 70000, /* a packet of 65,531 octets and its attributes */
  COPY_BYTES = 65531,
  BUFFER_BYTES = 32 << 20,
  LENGTH_PACKETS_DEFAULT = 8192,
};

static volatile sig_atomic_t stopped;
static char slots[TURN_PACKETS][SLOT_BYTES] __attribute__((aligned(16)));

static void stop(int signal_number) {
  (void)signal_number;
  stopped = 1;
}

static int fail(const char *what) {
  perror(what);
  return 1;
}

static struct nlmsghdr *begin(char *buffer, int type, unsigned queue) {
  struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
  message->nlmsg_type = (NFNL_SUBSYS_QUEUE << 8) | type;
  message->nlmsg_flags = NLM_F_REQUEST;
  struct nfgenmsg *netfilter = mnl_nlmsg_put_extra_header(message, sizeof *netfilter);
  netfilter->nfgen_family = AF_UNSPEC;
  netfilter->version = NFNETLINK_V0;
  netfilter->res_id = htons((uint16_t)queue);
  return message;
}

/* Binds and configures in one acknowledged message. */
static int bind_queue(int descriptor, unsigned queue, unsigned length_packets) {
  char buffer[4096] __attribute__((aligned(16)));
  struct nlmsghdr *message = begin(buffer, NFQNL_MSG_CONFIG, queue);
  message->nlmsg_flags |= NLM_F_ACK;
  struct nfqnl_msg_config_cmd command = {.command = NFQNL_CFG_CMD_BIND, .pf = htons(AF_INET)};
  mnl_attr_put(message, NFQA_CFG_CMD, sizeof command, &command);
  struct nfqnl_msg_config_params copy = {.copy_range = htonl(COPY_BYTES),
                                         .copy_mode = NFQNL_COPY_PACKET};
  mnl_attr_put(message, NFQA_CFG_PARAMS, sizeof copy, &copy);
  mnl_attr_put_u32(message, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_GSO));
  mnl_attr_put_u32(message, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO));
  mnl_attr_put_u32(message, NFQA_CFG_QUEUE_MAXLEN, htonl(length_packets));
  if (send(descriptor, message, message->nlmsg_len, 0) < 0) return -1;
  do {
    ssize_t taken = recv(descriptor, buffer, sizeof buffer, 0);
    if (taken < 0) return -1;
    message = (struct nlmsghdr *)buffer;
  } while (message->nlmsg_type != NLMSG_ERROR);
  errno = -((struct nlmsgerr *)mnl_nlmsg_get_payload(message))->error;
  return errno == 0 ? 0 : -1;
}

static int keep_header(const struct nlattr *attribute, void *context) {
  if (mnl_attr_get_type(attribute) != NFQA_PACKET_HDR) return MNL_CB_OK;
  const struct nfqnl_msg_packet_hdr *header = mnl_attr_get_payload(attribute);
  *(uint32_t *)context = header->packet_id;
  return MNL_CB_STOP;
}

/* Accepts every packet up to this one: right here only, where nothing is ever held. */
static void accept_up_to(int descriptor, unsigned queue, uint32_t id_in_network_order) {
  char buffer[128] __attribute__((aligned(16)));
  struct nlmsghdr *message = begin(buffer, NFQNL_MSG_VERDICT_BATCH, queue);
  struct nfqnl_msg_verdict_hdr verdict = {.verdict = htonl(NF_ACCEPT), .id = id_in_network_order};
  mnl_attr_put(message, NFQA_VERDICT_HDR, sizeof verdict, &verdict);
  if (send(descriptor, message, message->nlmsg_len, 0) < 0) perror("verdict");
}

struct totals {
  unsigned long long packets, bytes, turns, overruns;
};

static void serve_turn(int descriptor, unsigned queue, struct totals *totals) {
  static struct mmsghdr messages[TURN_PACKETS];
  static struct iovec vectors[TURN_PACKETS];
  for (int i = 0; i < TURN_PACKETS; ++i) {
    vectors[i] = (struct iovec){.iov_base = slots[i], .iov_len = SLOT_BYTES};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
  }
  int count = recvmmsg(descriptor, messages, TURN_PACKETS, MSG_DONTWAIT, NULL);
  if (count < 0) {
    if (errno == ENOBUFS) ++totals->overruns;
    return;
  }
  uint32_t last_id = 0;
  for (int i = 0; i < count; ++i) {
    const struct nlmsghdr *message = (const struct nlmsghdr *)slots[i];
    if (message->nlmsg_type != ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET)) continue;
    mnl_attr_parse(message, sizeof(struct nfgenmsg), keep_header, &last_id);
    ++totals->packets;
    totals->bytes += messages[i].msg_len;
  }
  ++totals->turns;
  if (last_id != 0) accept_up_to(descriptor, queue, last_id);
}

int main(int argc, char **argv) {
  if (argc < 2 || argc > 3) {
    fprintf(stderr, "usage: do-nothing-queue QUEUE [LENGTH_PACKETS]\n");
    return 2;
  }
  const unsigned queue = (unsigned)strtoul(argv[1], NULL, 10);
  const unsigned length_packets =
      argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : LENGTH_PACKETS_DEFAULT;

  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
  if (socket == NULL || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) return fail("netlink");
  const int descriptor = mnl_socket_get_fd(socket);
  const int buffer_bytes = BUFFER_BYTES;
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes);
  if (bind_queue(descriptor, queue, length_packets) < 0) return fail("queue");
  puts("ready");
  fflush(stdout);

  struct totals totals = {0};
  struct pollfd waited = {.fd = descriptor, .events = POLLIN};
  while (!stopped) {
    if (poll(&waited, 1, -1) > 0) serve_turn(descriptor, queue, &totals);
  }
  printf("packets %llu bytes %llu turns %llu overruns %llu\n", totals.packets, totals.bytes,
         totals.turns, totals.overruns);
  mnl_socket_close(socket);
  return 0;
}
