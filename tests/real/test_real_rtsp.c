/*
 * Against a GStreamer RTSP server: sound and picture over the connection that
 * the requests go over. Every RTP packet has a number; none may be missing.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "curlew/curlew.h"
#include "support/peer.h"
#include "support/rtsp.h"

static struct rtsp_server server;
static CW *easy;
static struct got got;
static char base[64];

/* What came on a channel. */
static struct channel {
  long packets, gaps;
  int next; /* the number that the next packet must have; -1: any */
} channels[4];

static size_t on_interleave(char *bytes, size_t size, size_t n, void *data) {
  const unsigned char *b = (const unsigned char *)bytes;
  struct channel *c = data;
  (void)size;
  cr_assert(n >= 4 && b[0] == '$' && b[1] < 4, "%zu bytes, channel %d", n,
            b[1]);
  cr_assert_eq(n, 4 + ((size_t)b[2] << 8 | b[3]));
  c += b[1];
  c->packets++;
  if (b[1] % 2 == 1) {
    return n; /* RTCP has no numbers */
  }
  cr_assert_geq(n, 16);
  cr_assert_eq(b[4] >> 6, 2, "not RTP version 2");
  int number = b[6] << 8 | b[7];
  c->gaps += c->next >= 0 && c->next != number;
  c->next = (number + 1) & 0xffff;
  return n;
}

static void setup(void) {
  rtsp_server_start(&server, RTSP_SERVER_PROGRAM);
  easy = cw_easy_init();
  got_collect(&got, easy);
  for (int i = 0; i < 4; i++) {
    channels[i] = (struct channel){.next = -1};
  }
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_INTERLEAVEFUNCTION, on_interleave),
               CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_INTERLEAVEDATA, channels), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_TIMEOUT, 10L), CW_OK);
  struct cw_blob ca = {server.cert->pem, strlen(server.cert->pem),
                       CW_BLOB_COPY};
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CAINFO_BLOB, &ca), CW_OK);
}

static void teardown(void) {
  cw_easy_cleanup(easy);
  got_free(&got);
  rtsp_server_stop(&server);
}

TestSuite(real_rtsp, .init = setup, .fini = teardown, .timeout = 60);

static void use(const char *scheme, int port, const char *path) {
  snprintf(base, sizeof(base), "%s://127.0.0.1:%d%s", scheme, port, path);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, base), CW_OK);
}

/* about: what is behind the URL of the presentation. */
static long ask(long request, const char *about) {
  char uri[100];
  long status = 0;
  snprintf(uri, sizeof(uri), "%s%s", base, about);
  bytes_clear(&got.body);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_RTSP_STREAM_URI, uri), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_RTSP_REQUEST, request), CW_OK);
  enum cw_code code = cw_easy_perform(easy);
  cr_assert_eq(code, CW_OK, "%s, request %ld: %s", base, request,
               cw_easy_detail(easy));
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_RESPONSE_CODE, &status), CW_OK);
  return status;
}

static void set_up_stream(const char *about, const char *transport) {
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_RTSP_TRANSPORT, transport), CW_OK);
  cr_assert_eq(ask(CW_RTSPREQ_SETUP, about), 200);
}

static void play(void) {
  cr_assert_eq(ask(CW_RTSPREQ_OPTIONS, ""), 200);
  cr_assert_eq(ask(CW_RTSPREQ_DESCRIBE, ""), 200);
  cr_assert(strstr(got.body.ptr, "m=audio 0 RTP/AVP 8"), "%s", got.body.ptr);
  set_up_stream("/stream=0", "RTP/AVP/TCP;unicast;interleaved=0-1");
  set_up_stream("/stream=1", "RTP/AVP/TCP;unicast;interleaved=2-3");
  cr_assert_eq(ask(CW_RTSPREQ_PLAY, ""), 200);
}

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void receive_for(double seconds) {
  double end = now_s() + seconds;
  while (now_s() < end) {
    (void)ask(CW_RTSPREQ_RECEIVE, "");
  }
}

/* 50 packets of sound and 25 pictures a second. A busy machine may be late,
   but it must have most of them, in order, and none twice. */
static void expect_streams(double seconds) {
  cr_expect_geq(channels[0].packets, (long)(seconds * 30));
  cr_expect_geq(channels[2].packets, (long)(seconds * 15));
  cr_expect_eq(channels[0].gaps, 0);
  cr_expect_eq(channels[2].gaps, 0);
}

Test(real_rtsp, ten_seconds_come_without_a_gap) {
  long connects = -1;
  use("rtsp", server.port, "/test");
  play();
  receive_for(10);
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_NUM_CONNECTS, &connects), CW_OK);
  cr_expect_eq(connects, 0);
  expect_streams(10);
  cr_expect_gt(channels[1].packets + channels[3].packets, 0, "no RTCP");
  cr_expect_eq(ask(CW_RTSPREQ_TEARDOWN, ""), 200);
}

Test(real_rtsp, over_tls) {
  use("rtsps", server.tls_port, "/test");
  play();
  receive_for(2);
  expect_streams(2);
  cr_expect_eq(ask(CW_RTSPREQ_TEARDOWN, ""), 200);
}

/* What is sent while nobody asks is held up, not lost; other requests are
   answered in between. */
Test(real_rtsp, a_while_without_a_request_loses_nothing) {
  use("rtsp", server.port, "/test");
  play();
  sleep(2);
  receive_for(0.2);
  cr_expect_eq(ask(CW_RTSPREQ_GET_PARAMETER, ""), 200);
  receive_for(0.5);
  expect_streams(2);
  cr_expect_eq(ask(CW_RTSPREQ_PAUSE, ""), 200);
  cr_expect_eq(ask(CW_RTSPREQ_PLAY, ""), 200);
  channels[0].next = channels[2].next = -1; /* live: what was is gone */
  receive_for(0.5);
  expect_streams(2.5);
  cr_expect_eq(ask(CW_RTSPREQ_TEARDOWN, ""), 200);
}

Test(real_rtsp, credentials_and_refusals) {
  use("rtsp", server.port, "/auth");
  cr_expect_eq(ask(CW_RTSPREQ_DESCRIBE, ""), 401);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_USERPWD, "me:secret"), CW_OK);
  cr_expect_eq(ask(CW_RTSPREQ_DESCRIBE, ""), 200);
  cr_expect(strstr(got.body.ptr, "m=audio"));
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPAUTH, CWAUTH_DIGEST), CW_OK);
  bytes_clear(&got.head);
  cr_expect_eq(ask(CW_RTSPREQ_DESCRIBE, ""), 200);
  cr_expect(strstr(got.head.ptr, "WWW-Authenticate: Digest"), "%s",
            got.head.ptr);
  use("rtsp", server.port, "/none");
  cr_expect_eq(ask(CW_RTSPREQ_DESCRIBE, ""), 404);
}

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  const char **rest = data;
  size_t left = strlen(*rest);
  n = left < size * n ? left : size * n;
  memcpy(bytes, *rest, n);
  *rest += n;
  return n;
}

static long announce(const char *text) {
  const char *rest = text;
  long size = (long)strlen(text);
  bytes_clear(&got.head);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_UPLOAD, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_READFUNCTION, on_read), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_READDATA, &rest), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_INFILESIZE, size), CW_OK);
  long status = ask(CW_RTSPREQ_ANNOUNCE, "");
  cr_expect_str_empty(rest, "not all of it was read: %s", rest);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_UPLOAD, 0L), CW_OK);
  return status;
}

static const char announced[] =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=test\r\nc=IN IP4 127.0.0.1\r\n"
    "t=0 0\r\nm=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=control:stream=0\r\n";

/* The server makes what the description says, and takes it in. */
Test(real_rtsp, a_stream_is_announced_and_recorded) {
  use("rtsp", server.port, "/record");
  cr_assert_eq(announce(announced), 200, "%s", got.head.ptr);
  set_up_stream("/stream=0", "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record");
  cr_expect(strstr(got.head.ptr, "mode=\"RECORD\""), "%s", got.head.ptr);
  cr_expect_eq(ask(CW_RTSPREQ_RECORD, ""), 200, "%s", got.head.ptr);
  cr_expect_eq(ask(CW_RTSPREQ_GET_PARAMETER, ""), 200, "%s", got.head.ptr);
  cr_expect_eq(ask(CW_RTSPREQ_TEARDOWN, ""), 200, "%s", got.head.ptr);
}

Test(real_rtsp, what_cannot_be_recorded_is_refused) {
  use("rtsp", server.port, "/record");
  cr_expect_eq(announce("this describes nothing"), 415, "%s", got.head.ptr);
  use("rtsp", server.port, "/none");
  cr_expect_eq(announce(announced), 404, "%s", got.head.ptr);
  /* A stream that is there to be played. */
  use("rtsp", server.port, "/test");
  cr_expect_eq(announce(announced), 405, "%s", got.head.ptr);
  play();
  cr_expect_eq(ask(CW_RTSPREQ_RECORD, ""), 405, "%s", got.head.ptr);
  cr_expect_eq(ask(CW_RTSPREQ_TEARDOWN, ""), 200);
}
