/*
 * A real Squid, see daemon.h: an HTTP proxy at \2. It refuses whatever has
 * "banned" in its host or path. With a login (me:secret) where one is asked
 * for.
 */
#ifndef TESTS_SUPPORT_SQUID_H
#define TESTS_SUPPORT_SQUID_H

#include "support/daemon.h"

enum squid_login {
  SQUID_OPEN,
  SQUID_BASIC,
  SQUID_DIGEST,
  SQUID_BOTH /* offers both */
};

/* daemon_stop ends it. */
void squid_start(struct daemon *squid, enum squid_login login);
/* What it did, a line a request: status, method, URL, user. Free it. */
char *squid_log(const struct daemon *squid);

#endif
