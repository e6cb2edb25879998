/* See dns.h. RFC 1035, 4.1: one question comes in, and goes out with an answer
   behind it. */
#include "support/dns.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_BYTES 12
#define MAX_BYTES  512
#define TYPE_A     1

/* Where the question ends, or 0. */
static size_t end_of_question(const unsigned char *bytes, size_t n) {
  size_t at = HEAD_BYTES;
  while (at < n && bytes[at] != 0) {
    at += bytes[at] + 1u;
  }
  return at + 5 <= n ? at + 5 : 0;
}

static size_t answer(unsigned char *bytes, size_t n) {
  static const unsigned char record[] = {
      0xc0, HEAD_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};
  size_t end = end_of_question(bytes, n);
  if (end == 0 || end + sizeof(record) > MAX_BYTES) {
    return 0;
  }
  bool is_a = bytes[end - 3] == TYPE_A && bytes[end - 4] == 0;
  bytes[2] = 0x81; /* an answer, recursion was wanted */
  bytes[3] = 0x80; /* and is to be had */
  memset(bytes + 4, 0, HEAD_BYTES - 4);
  bytes[5] = 1;
  bytes[7] = is_a;
  if (is_a) {
    memcpy(bytes + end, record, sizeof(record));
  }
  return end + (is_a ? sizeof(record) : 0);
}

/* A packet that is too short for a question ends it. */
static void *serve(void *data) {
  struct dns *dns = data;
  for (;;) {
    unsigned char bytes[MAX_BYTES];
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    ssize_t n = recvfrom(dns->fd, bytes, sizeof(bytes), 0,
                         (struct sockaddr *)&from, &len);
    if (n < HEAD_BYTES) {
      return NULL;
    }
    size_t size = answer(bytes, (size_t)n);
    if (size > 0 && sendto(dns->fd, bytes, size, 0, (struct sockaddr *)&from,
                           len) == (ssize_t)size) {
      dns->questions++;
    }
  }
}

bool dns_start(struct dns *dns) {
  struct sockaddr_in in = {.sin_family = AF_INET,
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t len = sizeof(in);
  dns->questions = 0;
  dns->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (dns->fd < 0) {
    return false;
  }
  bool good = bind(dns->fd, (struct sockaddr *)&in, len) == 0 &&
              getsockname(dns->fd, (struct sockaddr *)&in, &len) == 0 &&
              pthread_create(&dns->thread, NULL, serve, dns) == 0;
  if (!good) {
    close(dns->fd);
  }
  snprintf(dns->address, sizeof(dns->address), "127.0.0.1:%d",
           ntohs(in.sin_port));
  return good;
}

void dns_stop(struct dns *dns) {
  struct sockaddr_in in;
  socklen_t len = sizeof(in);
  if (getsockname(dns->fd, (struct sockaddr *)&in, &len) == 0) {
    (void)sendto(dns->fd, "", 0, 0, (struct sockaddr *)&in, len);
  }
  pthread_join(dns->thread, NULL);
  close(dns->fd);
}
