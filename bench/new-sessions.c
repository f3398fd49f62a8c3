/* Honest SMTP clients while something else happens to the network.
 *
 *   new-sessions ADDRESS PORT SESSIONS_A_SECOND
 *
 * Begins a session at a fixed pace: connect, greeting, QUIT, its answer. Prints "ready"; SIGUSR1
 * begins the window that counts, SIGTERM ends it. Prints "begun N completed N p50 US p99 US max
 * US": microseconds from connect to the answer to QUIT. A session that is not complete after three
 * seconds has failed. Those younger than a second when the window ends are undecided and not
 * counted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

enum {
  SESSIONS_MAX = 512,
  SAMPLES_MAX = 100000,
  POLL_MS = 2,
};
static const double TIMEOUT_MICROSECONDS = 3e6;
static const double UNDECIDED_MICROSECONDS = 1e6;

enum stage { CONNECTING, GREETING, QUITTING };

struct session {
  double begun;
  enum stage stage;
  bool counted;
};

static volatile sig_atomic_t window_begun, window_ended;
static struct session sessions[SESSIONS_MAX];
static struct pollfd waited[SESSIONS_MAX];
static unsigned session_count;
static double samples[SAMPLES_MAX];
static long begun, completed;

static void on_signal(int signal_number) {
  if (signal_number == SIGUSR1)
    window_begun = 1;
  else
    window_ended = 1;
}

static void begin(const struct addrinfo* to, bool counted) {
  if (counted) ++begun;
  if (session_count == SESSIONS_MAX) return;
  const int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const double now = now_microseconds();
  if (fd < 0) return;
  if (connect(fd, to->ai_addr, to->ai_addrlen) != 0 && errno != EINPROGRESS) {
    close(fd);
    return;
  }
  sessions[session_count] = (struct session){.begun = now, .stage = CONNECTING, .counted = counted};
  waited[session_count++] = (struct pollfd){.fd = fd, .events = POLLOUT};
}

/* Whole short lines are what a server sends here; a reply in pieces shows as several. */
static bool has_reply(int fd, const char* code, bool* broken) {
  char text[1024];
  const ssize_t got = read(fd, text, sizeof text);
  *broken = (got <= 0 && errno != EAGAIN) || got == 0 || (got > 0 && memcmp(text, code, 3) != 0);
  return got > 2 && !*broken;
}

/* Answers whether the session is over, one way or the other. */
static bool go_on(struct session* session, struct pollfd* ready) {
  bool broken = (ready->revents & (POLLERR | POLLNVAL)) != 0;
  if (broken) return true;
  if (session->stage == CONNECTING) {
    session->stage = GREETING;
    ready->events = POLLIN;
    return false;
  }
  if (session->stage == GREETING) {
    if (!has_reply(ready->fd, "220", &broken)) return broken;
    session->stage = QUITTING;
    return write(ready->fd, "QUIT\r\n", 6) != 6;
  }
  if (!has_reply(ready->fd, "221", &broken)) return broken;
  if (session->counted && completed < SAMPLES_MAX) {
    samples[completed++] = now_microseconds() - session->begun;
  }
  return true;
}

static void serve(void) {
  if (poll(waited, session_count, POLL_MS) < 0) return;
  const double now = now_microseconds();
  for (unsigned i = session_count; i-- > 0;) {
    const bool over = waited[i].revents != 0 && go_on(&sessions[i], &waited[i]);
    if (!over && now - sessions[i].begun < TIMEOUT_MICROSECONDS) continue;
    close(waited[i].fd);
    sessions[i] = sessions[--session_count];
    waited[i] = waited[session_count];
  }
}

static long undecided(void) {
  const double now = now_microseconds();
  long count = 0;
  for (unsigned i = 0; i < session_count; ++i) {
    count += sessions[i].counted && now - sessions[i].begun < UNDECIDED_MICROSECONDS;
  }
  return count;
}

static int ascending(const void* a, const void* b) {
  double left = *(const double*)a, right = *(const double*)b;
  return (left > right) - (left < right);
}

int main(int argc, char** argv) {
  const double rate = argc == 4 ? strtod(argv[3], NULL) : 0;
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *to;
  if (rate <= 0 || getaddrinfo(argv[1], argv[2], &hints, &to) != 0) {
    fprintf(stderr, "usage: new-sessions ADDRESS PORT SESSIONS_A_SECOND\n");
    return 2;
  }
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  puts("ready");
  fflush(stdout);
  for (double due = now_microseconds(); !window_ended; serve()) {
    if (now_microseconds() < due) continue;
    begin(to, window_begun);
    due += 1e6 / rate;
  }
  begun -= undecided();
  qsort(samples, (size_t)completed, sizeof *samples, ascending);
  printf("begun %ld completed %ld p50 %.1f p99 %.1f max %.1f\n", begun, completed,
         completed == 0 ? -1 : samples[completed / 2],
         completed == 0 ? -1 : samples[completed * 99 / 100],
         completed == 0 ? -1 : samples[completed - 1]);
  return 0;
}
