/* An established POP3 session while something else happens to the network.
 *
 *   paced-noops ADDRESS PORT USER PASSWORD NOOPS_A_SECOND
 *
 * Logs in, prints "ready", and asks NOOP at a fixed pace. SIGUSR1 begins the window that counts,
 * SIGTERM ends it. Prints "asked N answered N p50 US p99 US max US" (microseconds) for the window.
 * A NOOP that could not be sent when it was due, because the one before it had no answer yet,
 * counts from when it was due: a stall delays all who wait, not one.
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

enum {
  REPLY_BYTES_MAX = 4096,
  SAMPLES_MAX = 1000000,
  LOGIN_TIMEOUT_MS = 15000,
  /* After the end of the window, for what is still to come. What comes later is lost. */
  GRACE_MS = 5000,
};

static volatile sig_atomic_t window_begun, window_ended;
static double samples[SAMPLES_MAX];

static void on_signal(int signal_number) {
  if (signal_number == SIGUSR1)
    window_begun = 1;
  else
    window_ended = 1;
}

/* Waits for one line that begins with +OK. A signal does not end the waiting, time does. */
static bool answered(int fd, double until) {
  char line[REPLY_BYTES_MAX];
  size_t length = 0;
  while (length < sizeof line) {
    const double left = until - now_microseconds();
    struct pollfd waited = {.fd = fd, .events = POLLIN};
    if (left <= 0) return false;
    if (poll(&waited, 1, (int)(left / 1000) + 1) <= 0) continue;
    const ssize_t got = read(fd, line + length, sizeof line - length);
    if (got <= 0) return false;
    length += (size_t)got;
    if (line[length - 1] == '\n') return strncmp(line, "+OK", 3) == 0;
  }
  return false;
}

static bool ask(int fd, const char* line, double until) {
  const size_t length = strlen(line);
  return write(fd, line, length) == (ssize_t)length && answered(fd, until);
}

static bool log_in(int fd, const char* user, const char* password) {
  const double until = now_microseconds() + LOGIN_TIMEOUT_MS * 1e3;
  char line[256];
  snprintf(line, sizeof line, "USER %s\r\n", user);
  if (!answered(fd, until) || !ask(fd, line, until)) return false;
  snprintf(line, sizeof line, "PASS %s\r\n", password);
  return ask(fd, line, until);
}

static void sleep_until(double microseconds) {
  const struct timespec time = {
      .tv_sec = (time_t)(microseconds / 1e6),
      .tv_nsec = (long)((microseconds - (double)(time_t)(microseconds / 1e6) * 1e6) * 1e3)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

struct counts {
  long asked, answered;
};

/* Until the window ends every slot is asked for; then those that were due before its end are made
 * up for. */
static struct counts pace(int fd, double interval) {
  struct counts counts = {0};
  bool counting = false, alive = true;
  double due = now_microseconds() + interval, end = 0;
  for (;; due += interval) {
    double now = now_microseconds();
    while (now < due && !window_ended) {
      sleep_until(due);
      now = now_microseconds();
    }
    if (window_ended && end == 0) end = now;
    if (end != 0 && due > end) return counts;
    if (window_begun && !counting) {
      counting = true;
      due = now;
    }
    /* Our own late waking is not the network's. */
    const double from = now - due > interval ? due : now;
    const double until = end == 0 ? now + 1e9 : end + GRACE_MS * 1e3;
    if (counting) ++counts.asked;
    alive = alive && ask(fd, "NOOP\r\n", until);
    if (alive && counting && counts.answered < SAMPLES_MAX) {
      samples[counts.answered++] = now_microseconds() - from;
    }
  }
}

static int ascending(const void* a, const void* b) {
  double left = *(const double*)a, right = *(const double*)b;
  return (left > right) - (left < right);
}

int main(int argc, char** argv) {
  const double rate = argc == 6 ? strtod(argv[5], NULL) : 0;
  if (rate <= 0) {
    fprintf(stderr, "usage: paced-noops ADDRESS PORT USER PASSWORD NOOPS_A_SECOND\n");
    return 2;
  }
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  const int fd = connect_to(argv[1], argv[2]);
  if (fd < 0 || !log_in(fd, argv[3], argv[4])) {
    fprintf(stderr, "paced-noops: no POP3 session\n");
    return 1;
  }
  puts("ready");
  fflush(stdout);
  const struct counts counts = pace(fd, 1e6 / rate);
  const long count = counts.answered;
  qsort(samples, (size_t)count, sizeof *samples, ascending);
  printf("asked %ld answered %ld p50 %.1f p99 %.1f max %.1f\n", counts.asked, count,
         count == 0 ? -1 : samples[count / 2], count == 0 ? -1 : samples[count * 99 / 100],
         count == 0 ? -1 : samples[count - 1]);
  return 0;
}
