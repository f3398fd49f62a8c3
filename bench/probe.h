/* What the probes share: a connection that sends at once, and a clock that is never set back. */
#pragma once

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>

/* A TCP connection without Nagle's delay; -1 when there is none to be had. */
static inline int connect_to(const char *address, const char *port) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  if (getaddrinfo(address, port, &hints, &found) != 0) return -1;
  int fd = socket(found->ai_family, SOCK_STREAM, 0);
  int no_delay = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
  int result = connect(fd, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return result == 0 ? fd : -1;
}

static inline double now_microseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}
