/*
 * Threads that use one share of all kinds, each with multis of its own, against
 * a real server. Without Criterion, which ThreadSanitizer does not bear.
 */
#ifndef TESTS_SUPPORT_SHARE_LOAD_H
#define TESTS_SUPPORT_SHARE_LOAD_H

#include "curlew/curlew.h"
#include "support/locks.h"

#define SHARE_THREADS 4
#define SHARE_NAMES   5 /* of hosts that are asked for */

struct share_load {
  /* The server: its /share/f is 3,000 bytes, of which the arguments c and s
     become Set-Cookie and Strict-Transport-Security. By HTTP, and by HTTPS as
     localhost. */
  int port, tls_port;
  const char *ca;          /* PEM, of its authority */
  const char *dns_servers; /* for whom every name is 127.0.0.1 */
  int rounds;              /* of each thread: a multi and what it transfers */
  struct locks *locks;
};

struct share_outcome {
  long transfers, failed;
  char why[400]; /* the first that failed, or "" */
  long multis;   /* of all threads */
  long connects; /* connections made */
  long upgraded; /* from http, by HSTS */
  long handshakes, resumed;
  long set;     /* cookies that the server set, all different */
  long cookies; /* that are in the share at the end */
};

/* Runs them to their end. */
void share_load_run(const struct share_load *load,
                    struct share_outcome *outcome);

#endif
