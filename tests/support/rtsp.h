/*
 * The GStreamer RTSP server of tests/servers, as a process of its own on free
 * ports of 127.0.0.1. Ends the test where that fails.
 */
#ifndef TESTS_SUPPORT_RTSP_H
#define TESTS_SUPPORT_RTSP_H

#include <sys/types.h>

#include "support/certs.h"

struct rtsp_server {
  pid_t pid;
  int port, tls_port;
  char dir[64]; /* certificate and key */
  struct cert *cert;
};

/* program: where it was built. */
void rtsp_server_start(struct rtsp_server *server, const char *program);
void rtsp_server_stop(struct rtsp_server *server);

#endif
