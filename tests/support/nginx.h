/*
 * A real nginx with a configuration of ours: see daemon.h.
 */
#ifndef TESTS_SUPPORT_NGINX_H
#define TESTS_SUPPORT_NGINX_H

#include <stddef.h>

#include "support/daemon.h"

/* Starts it. Serves www/ under /, packed under /gz/, slowly under /slow/ (200
   KiB a second), with a login (me:secret) under /auth/, takes PUT under /put/,
   redirects /moved/x to /x, and /again/ with 307 to /done, whose answer to
   anything is "done"; asks for TLS from now on under /hsts/, with all below,
   and no more under /no-hsts/; answers under /share/ with what the arguments c
   and s say as Set-Cookie and Strict-Transport-Security; by HTTP, HTTPS (for
   localhost and 127.0.0.1) and on the Unix socket dir/sock. daemon_stop ends
   it. */
void nginx_start(struct daemon *nginx);
/* A file of n bytes, all different from place to place, under www/; its
   SHA-256. */
void nginx_file(const struct daemon *nginx, const char *name, size_t n,
                unsigned char sha256[32]);

#endif
