/*
 * A real nginx with a configuration of ours, in a temporary folder, on free
 * ports of the loopback. A missing nginx fails the test. It ends with the test.
 */
#ifndef TESTS_SUPPORT_NGINX_H
#define TESTS_SUPPORT_NGINX_H

#include <stddef.h>
#include <sys/types.h>

#include "support/certs.h"

struct nginx {
  char dir[64]; /* with www/, and www/put/ to write into */
  int port, tls_port;
  pid_t pid;
  struct cert *ca, *cert;
};

/* Starts it and waits until it answers. Serves www/ under /, packed under
   /gz/, slowly under /slow/ (200 KiB a second), with a login (me:secret) under
   /auth/, takes PUT under /put/, redirects /moved/x to /x; by HTTP, HTTPS (for
   localhost and 127.0.0.1) and on the Unix socket dir/sock. */
void nginx_start(struct nginx *nginx);
/* Ends it and removes the folder. */
void nginx_stop(struct nginx *nginx);
/* A file of n bytes, all different from place to place, under www/; its
   SHA-256. */
void nginx_file(const struct nginx *nginx, const char *name, size_t n,
                unsigned char sha256[32]);
/* "http://127.0.0.1:port" and path, or with https; kept until the next call of
   a few. */
const char *nginx_url(const struct nginx *nginx, const char *scheme,
                      const char *path);

#endif
