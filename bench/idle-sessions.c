/* Very many SMTP sessions that exist and do nothing.
 *
 *   idle-sessions serve ADDRESS PORT
 *   idle-sessions open ADDRESS PORT COUNT FIRST_SOURCE SOURCES
 *
 * The server greets and answers every line with 250; it prints "ready", and several of them share a
 * port. The client opens COUNT sessions from SOURCES addresses in a row, each with greeting, HELO
 * and its answer, prints "open N failed M" when all are decided, and keeps them until SIGTERM. A
 * process has as many sessions as it may have descriptors: for more, start several.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  SESSIONS_MAX = 65536,
  OPENING_MAX = 512,
  EVENTS_MAX = 256,
  BACKLOG = 4096,
  DESCRIPTORS_SPARE = 64,
  WAIT_MS = 100,
};

enum stage { NONE, CONNECTING, GREETING, HELO, IDLE };

static volatile sig_atomic_t stopped;
static uint8_t stages[SESSIONS_MAX + DESCRIPTORS_SPARE];

static void stop(int signal_number) {
  (void)signal_number;
  stopped = 1;
}

static int fail(const char* what) {
  perror(what);
  return 1;
}

static void allow_descriptors(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static struct sockaddr_in address_of(const char* text, const char* port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  if (inet_pton(AF_INET, text, &address.sin_addr) != 1) address.sin_port = 0;
  return address;
}

static void watch(int poller, int fd, uint32_t events, int operation) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  epoll_ctl(poller, operation, fd, &event);
}

static void greet_all(int poller, int listener) {
  static const char greeting[] = "220 idle.example ESMTP\r\n";
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    if (write(fd, greeting, sizeof greeting - 1) < 0)
      close(fd);
    else
      watch(poller, fd, EPOLLIN, EPOLL_CTL_ADD);
  }
}

static void answer(int fd) {
  char text[512];
  static const char reply[] = "250 idle.example\r\n";
  const ssize_t got = read(fd, text, sizeof text);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0 || write(fd, reply, sizeof reply - 1) < 0) close(fd);
}

static int serve(const char* where, const char* port) {
  const struct sockaddr_in address = address_of(where, port);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (bind(listener, (const struct sockaddr*)&address, sizeof address) < 0) return fail("bind");
  if (listen(listener, BACKLOG) < 0) return fail("listen");
  const int poller = epoll_create1(EPOLL_CLOEXEC);
  watch(poller, listener, EPOLLIN, EPOLL_CTL_ADD);
  puts("ready");
  fflush(stdout);
  static struct epoll_event events[EVENTS_MAX];
  while (!stopped) {
    const int count = epoll_wait(poller, events, EVENTS_MAX, WAIT_MS);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == listener)
        greet_all(poller, listener);
      else
        answer(events[i].data.fd);
    }
  }
  return 0;
}

struct crowd {
  struct sockaddr_in to;
  uint32_t first_source;
  long sources, wanted, begun, open, failed;
};

static void begin(int poller, struct crowd* crowd) {
  const uint32_t from = crowd->first_source + (uint32_t)(crowd->begun++ % crowd->sources);
  const struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(from)};
  const int on = 1;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  /* The port is chosen when the destination is known, so that each source has all of them. */
  if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0 ||
      bind(fd, (const struct sockaddr*)&source, sizeof source) < 0 ||
      (connect(fd, (const struct sockaddr*)&crowd->to, sizeof crowd->to) < 0 &&
       errno != EINPROGRESS)) {
    if (crowd->failed++ == 0) perror("connect");
    if (fd >= 0) close(fd);
    return;
  }
  stages[fd] = CONNECTING;
  watch(poller, fd, EPOLLOUT, EPOLL_CTL_ADD);
}

/* One step of a session: connected, greeted, answered. */
static bool step(int poller, int fd) {
  char text[512];
  if (stages[fd] == CONNECTING) {
    watch(poller, fd, EPOLLIN, EPOLL_CTL_MOD);
    stages[fd] = GREETING;
    return true;
  }
  const ssize_t got = read(fd, text, sizeof text);
  if (got < 0 && errno == EAGAIN) return true;
  if (got <= 0) return false;
  if (stages[fd] == GREETING && write(fd, "HELO idle.example\r\n", 19) != 19) return false;
  stages[fd]++;
  return true;
}

static void go_on(int poller, struct crowd* crowd, const struct epoll_event* event) {
  const int fd = event->data.fd;
  const enum stage before = stages[fd];
  const bool alive = (event->events & EPOLLERR) == 0 && step(poller, fd);
  if (alive && stages[fd] == IDLE && before != IDLE) crowd->open++;
  if (alive) return;
  if (before == IDLE) crowd->open--;
  crowd->failed++;
  stages[fd] = NONE;
  close(fd);
}

static int open_all(struct crowd crowd) {
  const int poller = epoll_create1(EPOLL_CLOEXEC);
  static struct epoll_event events[EVENTS_MAX];
  bool told = false;
  while (!stopped) {
    while (crowd.begun < crowd.wanted && crowd.begun - crowd.open - crowd.failed < OPENING_MAX) {
      begin(poller, &crowd);
    }
    const int count = epoll_wait(poller, events, EVENTS_MAX, WAIT_MS);
    for (int i = 0; i < count; ++i) go_on(poller, &crowd, &events[i]);
    if (told || crowd.open + crowd.failed < crowd.wanted) continue;
    printf("open %ld failed %ld\n", crowd.open, crowd.failed);
    fflush(stdout);
    told = true;
  }
  return 0;
}

int main(int argc, char** argv) {
  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  allow_descriptors();
  if (argc == 4 && strcmp(argv[1], "serve") == 0) return serve(argv[2], argv[3]);
  if (argc != 7 || strcmp(argv[1], "open") != 0) {
    fprintf(stderr,
            "usage: idle-sessions serve ADDRESS PORT\n"
            "       idle-sessions open ADDRESS PORT COUNT FIRST_SOURCE SOURCES\n");
    return 2;
  }
  struct crowd crowd = {
      .to = address_of(argv[2], argv[3]), .wanted = atol(argv[4]), .sources = atol(argv[6])};
  crowd.first_source = ntohl(address_of(argv[5], "0").sin_addr.s_addr);
  if (crowd.wanted < 1 || crowd.wanted > SESSIONS_MAX || crowd.sources < 1) return 2;
  return open_all(crowd);
}
