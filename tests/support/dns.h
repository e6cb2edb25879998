/*
 * A name server on a thread of its own, on a free UDP port of the loopback:
 * every name is 127.0.0.1 and has no IPv6 address. For names of tests over real
 * sockets. Without Criterion.
 */
#ifndef TESTS_SUPPORT_DNS_H
#define TESTS_SUPPORT_DNS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct dns {
  int fd;
  char address[40]; /* "127.0.0.1:port", for CWOPT_DNS_SERVERS */
  pthread_t thread;
  atomic_long questions; /* that were answered */
};

/* False: it could not be started. */
bool dns_start(struct dns *dns);
void dns_stop(struct dns *dns);

#endif
