/*
 * ping-pong ADDRESS PORT COUNT: one SMTP session that asks NOOP and waits for the answer, COUNT times over.
 * Prints the median and the 99th percentile of a round trip in microseconds. In C, because an interpreter on the
 * measuring side would cost more than what is measured.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

enum { WARM_UP_ROUNDS = 200, REPLY_BYTES_MAX = 4096 };

/* Reads to the end of one reply: a line whose code is followed by a space. */
static int read_reply(int fd) {
  static char reply[REPLY_BYTES_MAX];
  size_t length = 0;
  for (;;) {
    ssize_t got = read(fd, reply + length, sizeof reply - 1 - length);
    if (got <= 0) return -1;
    length += (size_t)got;
    reply[length] = 0;
    if (reply[length - 1] != '\n') continue;
    char *line = reply, *next;
    while ((next = strchr(line, '\n')) != NULL && next[1] != 0) line = next + 1;
    if (strlen(line) > 3 && line[3] == ' ') return 0;
  }
}

static int ask(int fd, const char *line) {
  size_t length = strlen(line);
  return write(fd, line, length) == (ssize_t)length && read_reply(fd) == 0 ? 0 : -1;
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

int main(int argc, char **argv) {
  int count = argc == 4 ? atoi(argv[3]) : 0;
  if (count <= 0) {
    fprintf(stderr, "usage: ping-pong ADDRESS PORT COUNT\n");
    return 2;
  }
  int fd = connect_to(argv[1], argv[2]);
  if (fd < 0 || read_reply(fd) != 0 || ask(fd, "HELO ping.example\r\n") != 0) {
    perror("ping-pong");
    return 1;
  }
  double *times = malloc((size_t)count * sizeof *times);
  if (times == NULL) return 1;
  for (int round = -WARM_UP_ROUNDS; round < count; round++) {
    double started = now_microseconds();
    if (ask(fd, "NOOP\r\n") != 0) {
      perror("NOOP");
      return 1;
    }
    if (round >= 0) times[round] = now_microseconds() - started;
  }
  ask(fd, "QUIT\r\n");
  qsort(times, (size_t)count, sizeof *times, ascending);
  printf("%.1f %.1f\n", times[count / 2], times[(long)count * 99 / 100]);
  free(times);
  return 0;
}
