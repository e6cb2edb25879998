/*
 * A real server with a folder and settings of its own, on free ports of the
 * loopback. What goes wrong ends the test; the server ends with the test. A
 * program that is missing is a failure: scripts/setup has them all.
 */
#ifndef TESTS_SUPPORT_DAEMON_H
#define TESTS_SUPPORT_DAEMON_H

#include <stdio.h>
#include <sys/types.h>

#include "support/certs.h"

struct daemon {
  char dir[64]; /* settings, logs, and what is served */
  int port, tls_port;
  pid_t pid;              /* 0: it does not run */
  struct cert *ca, *cert; /* NULL without daemon_certify */
};

/* Makes the folder, /tmp/curlew-NAME-..., which every user may read, and finds
   the ports. */
void daemon_open(struct daemon *daemon, const char *name);
/* An authority, and a certificate of it for localhost and 127.0.0.1: cert.pem
   and key.pem of the folder. */
void daemon_certify(struct daemon *daemon);
/* The path of what is in the folder; good for four calls. */
const char *daemon_path(const struct daemon *daemon, const char *name);
/* A folder in it, of mode 0755. */
void daemon_folder(const struct daemon *daemon, const char *name);
/* A new file in it, for fclose. */
FILE *daemon_create(const struct daemon *daemon, const char *name);
/* A file with this text, in which \1 stands for the folder, \2 for port and \3
   for tls_port. */
void daemon_write(const struct daemon *daemon, const char *name,
                  const char *text);
/* The same to a file that is open. */
void daemon_put(const struct daemon *daemon, FILE *f, const char *text);
/* Runs argv[0], a path, with arguments up to a NULL, in which \1 to \3 mean the
   same, and waits until it accepts connections at last_port, the one that it
   opens last. What it prints is in "output" of the folder. */
void daemon_run(struct daemon *daemon, const char *const argv[], int last_port);
/* Ends it; it may run again. */
void daemon_end(struct daemon *daemon);
/* Ends it and removes the folder. */
void daemon_stop(struct daemon *daemon);
/* SCHEME://127.0.0.1:PORT and path; the TLS port where the scheme ends in "s".
   Good for four calls. */
const char *daemon_url(const struct daemon *daemon, const char *scheme,
                       const char *path);

#endif
