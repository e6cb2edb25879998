/*
 * A whole session of RTSP on one handle while each allocation of the client
 * fails in turn: data of all kinds between, before and inside answers, requests
 * of the server, a body to send, a trace. The server is on a multi of its own,
 * whose allocations do not count.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "oom/failing.h"
#include "support/peer.h"

#define MANY_TURNS 20000
#define MANY_RUNS  5000

static const char script[] =
    "listen 10.0.0.1 554\n"
    "accept many\n"
    "expect \"OPTIONS * RTSP/1.0\"\n"
    "send \"RTSP/1.0 200 OK\\r\\nCSeq: 1\\r\\nPublic: PLAY\\r\\n\\r\\n\"\n"
    /* a description behind a login */
    "expect \"DESCRIBE rtsp://h.example/a RTSP/1.0\"\n"
    "send \"RTSP/1.0 401 No\\r\\nCSeq: 2\\r\\n"
    "WWW-Authenticate: Basic realm=x\\r\\n\\r\\n\"\n"
    "expect \"DESCRIBE rtsp://h.example/a RTSP/1.0\"\n"
    "send \"RTSP/1.0 200 OK\\r\\nCSeq: 3\\r\\n"
    "Content-Length: 5\\r\\n\\r\\nv=0\\r\\n\"\n"
    "expect \"SETUP rtsp://h.example/a RTSP/1.0\"\n"
    "send \"RTSP/1.0 200 OK\\r\\nCSeq: 4\\r\\n"
    "Session: abc\\r\\nTransport: RTP/AVP/TCP;interleaved=0-1\\r\\n\\r\\n\"\n"
    /* data of both kinds, a question and junk before the answer; behind it a
       message, and a part of the next one */
    "expect \"PLAY rtsp://h.example/a RTSP/1.0\"\n"
    "send \"$\\x00\\0\\x03one$\\x09\\0\\x02no\\r\\n"
    "OPTIONS * RTSP/1.0\\r\\nCSeq: 7\\r\\nX: y\\r\\n\\r\\n\"\n"
    "expect \"RTSP/1.0 200 OK\"\n"
    "send \"junkRTSP/1.0 200 OK\\r\\nCSeq: 5\\r\\n"
    "\\r\\n$\\x01\\0\\x03two$\\x00\\0\\x05th\"\n"
    "delay 1\n"
    "send ree\n"
    /* data between head and body */
    "expect \"SET_PARAMETER rtsp://h.example/a RTSP/1.0\"\n"
    "body \"a: b\"\n"
    "send \"RTSP/1.0 200 OK\\r\\nCSeq: 6\\r\\n"
    "Content-Length: 4\\r\\n\\r\\n$\\x01\\0\\x04fourdone\"\n"
    "expect \"TEARDOWN rtsp://h.example/a RTSP/1.0\"\n"
    "send \"RTSP/1.0 200 OK\\r\\nCSeq: 7\\r\\n"
    "\\r\\n\"\n";

struct session {
  struct world w;
  CWM *client;
  CW *easy;
  struct got got;
  struct bytes shown; /* what the interleave callback was given */
  bool sent;
  enum cw_code code;
};

static size_t on_interleave(char *bytes, size_t size, size_t n, void *data) {
  struct session *s = data;
  (void)size;
  bytes_add(&s->shown, bytes + 4, n - 4);
  return n;
}

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  struct session *s = data;
  (void)size, (void)n;
  if (s->sent) {
    return 0;
  }
  s->sent = true;
  memcpy(bytes, "a: b", 4);
  return 4;
}

static int on_debug(CW *easy, int kind, char *bytes, size_t n, void *data) {
  (void)easy, (void)kind, (void)bytes, (void)n, (void)data;
  return 0;
}

static void set(struct session *s, enum cw_code err) {
  s->code = s->code ? s->code : err;
}
#define SET(s, option, value) set(s, cw_easy_setopt((s)->easy, option, value))

static void set_up(struct session *s) {
  s->client = cw_multi_init_on(cw_vnet_platform(s->w.net));
  s->easy = s->client ? cw_easy_init() : NULL;
  if (!s->easy) {
    s->code = CWE_OUT_OF_MEMORY;
    return;
  }
  SET(s, CWOPT_URL, "rtsp://h.example/");
  SET(s, CWOPT_WRITEFUNCTION, got_body);
  SET(s, CWOPT_WRITEDATA, &s->got);
  SET(s, CWOPT_INTERLEAVEFUNCTION, on_interleave);
  SET(s, CWOPT_INTERLEAVEDATA, s);
  SET(s, CWOPT_READFUNCTION, on_read);
  SET(s, CWOPT_READDATA, s);
  SET(s, CWOPT_DEBUGFUNCTION, on_debug);
  SET(s, CWOPT_VERBOSE, 1L);
  SET(s, CWOPT_RTSP_TRANSPORT, "RTP/AVP/TCP;interleaved=0-1");
  SET(s, CWOPT_USERPWD, "me:secret");
  SET(s, CWOPT_HTTPAUTH, (long)CWAUTH_ANY);
}

/* One request; nothing once something has failed. */
static void ask(struct session *s, long request) {
  struct cw_msg *msg = NULL;
  bool is_sent = request == CW_RTSPREQ_SET_PARAMETER;
  if (s->code) {
    return;
  }
  SET(s, CWOPT_RTSP_REQUEST, request);
  SET(s, CWOPT_UPLOAD, is_sent ? 1L : 0L);
  SET(s, CWOPT_INFILESIZE, is_sent ? 4L : -1L);
  if (!s->code && cw_multi_add_handle(s->client, s->easy)) {
    s->code = CWE_OUT_OF_MEMORY;
  }
  if (s->code) {
    return;
  }
  for (int i = 0; i < MANY_TURNS && !msg; i++) {
    (void)cw_multi_turn(s->client, 0, NULL);
    msg = cw_multi_info_read(s->client, NULL);
    failing_pause(true);
    (void)cw_multi_turn(s->w.multi, 0, NULL);
    if (i % 100 == 99) {
      cw_vnet_advance_us(s->w.net, 1000);
    }
    failing_pause(false);
  }
  cr_assert_not_null(msg, "request %ld never ends %s", request, s->w.trouble);
  s->code = msg->result;
  cr_expect_eq(cw_multi_remove_handle(s->client, s->easy), CWM_OK);
}

static void play(struct session *s) {
  set_up(s);
  ask(s, CW_RTSPREQ_OPTIONS);
  if (!s->code) {
    SET(s, CWOPT_RTSP_STREAM_URI, "rtsp://h.example/a");
  }
  ask(s, CW_RTSPREQ_DESCRIBE);
  ask(s, CW_RTSPREQ_SETUP);
  ask(s, CW_RTSPREQ_PLAY);
  while (!s->code && s->shown.len < strlen("onetwothree")) {
    ask(s, CW_RTSPREQ_RECEIVE);
  }
  ask(s, CW_RTSPREQ_SET_PARAMETER);
  ask(s, CW_RTSPREQ_TEARDOWN);
}

static void judge(const struct session *s, long fail_at) {
  const char *detail = s->easy ? cw_easy_detail(s->easy) : "";
  cr_expect(s->code == CW_OK || s->code == CWE_OUT_OF_MEMORY ||
                strstr(detail, "not enough memory"),
            "request %ld failed: %s: %s", fail_at, cw_easy_errname(s->code),
            detail);
  if (!s->code) {
    cr_expect_str_eq(s->shown.ptr, "onetwothreefour");
    cr_expect_str_eq(s->got.body.ptr, "v=0\r\ndone");
    cr_expect_eq(s->w.accepted, 1);
  }
}

static bool run_once(long fail_at) {
  static struct session s;
  memset(&s, 0, sizeof(s));
  failing_start(fail_at);
  failing_pause(true);
  world_init(&s.w);
  s.w.lenient = true;
  world_script(&s.w, script);
  failing_pause(false);
  play(&s);
  failing_pause(true);
  judge(&s, fail_at);
  cw_easy_cleanup(s.easy);
  cr_expect_eq(cw_multi_cleanup(s.client), CWM_OK);
  got_free(&s.got);
  bytes_free(&s.shown);
  cr_expect_str_empty(world_end(&s.w));
  cr_expect_eq(failing_live(), 0, "request %ld failed: %ld blocks are left",
               fail_at, failing_live());
  return !s.code;
}

Test(oom_rtsp, each_allocation_fails_in_turn) {
  for (long n = 1; n < MANY_RUNS; n++) {
    bool good = run_once(n);
    long made = failing_allocations();
    failing_stop();
    if (made < n) {
      cr_assert(good, "the run in which nothing fails");
      cr_assert_gt(n, 50, "only %ld requests", n);
      return;
    }
  }
  cr_assert_fail("it never comes to an end");
}
