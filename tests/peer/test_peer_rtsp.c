/*
 * RTSP with peers that do what real servers will not: interleaved messages at
 * every place where they may come and where they may not, answers that belong
 * to something else, requests of the server, ends in the middle.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom/failing.h"
#include "support/peer.h"

static struct world w;
static CW *easy;
static struct got got;
/* What the interleave callback was shown: messages in a row, and how many. */
static struct bytes shown;
static int nshown;
static enum {
  TAKE,
  PAUSE_ONCE,
  PEND_ONCE,
  REFUSE
} manner;

static size_t on_interleave(char *bytes, size_t size, size_t n, void *data) {
  (void)data;
  size_t stated = (size_t)(unsigned char)bytes[2] << 8;
  stated |= (unsigned char)bytes[3];
  cr_assert_eq(size, 1);
  cr_assert_eq(bytes[0], '$');
  cr_assert_eq(n, stated + 4);
  if (manner == REFUSE) {
    return CW_WRITEFUNC_ERROR;
  }
  bytes_add(&shown, bytes, n);
  nshown++;
  if (manner == PEND_ONCE) {
    manner = TAKE;
    return CW_CALLBACK_PENDING;
  }
  return n;
}

static size_t on_pausing(char *bytes, size_t size, size_t n, void *data) {
  if (manner == PAUSE_ONCE) {
    manner = TAKE;
    return CW_WRITEFUNC_PAUSE;
  }
  return on_interleave(bytes, size, n, data);
}

static void set_str(enum cw_option option, const char *value) {
  cr_assert_eq(cw_easy_setopt(easy, option, value), CW_OK, "%s",
               cw_easy_detail(easy));
}

static void set_long(enum cw_option option, long value) {
  cr_assert_eq(cw_easy_setopt(easy, option, value), CW_OK, "%s",
               cw_easy_detail(easy));
}

static void setup(void) {
  failing_start(-1);
  world_init(&w);
  easy = world_easy(&w, "rtsp://h.example/");
  got_collect(&got, easy);
  manner = TAKE;
  nshown = 0;
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_INTERLEAVEFUNCTION, on_interleave),
               CW_OK);
  set_str(CWOPT_RTSP_STREAM_URI, "rtsp://h.example/a");
  set_str(CWOPT_RTSP_TRANSPORT, "RTP/AVP/TCP;unicast;interleaved=0-1");
}

static void teardown(void) {
  cw_easy_cleanup(easy);
  got_free(&got);
  bytes_free(&shown);
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
  cr_expect_eq(failing_live(), 0, "%ld blocks are left", failing_live());
  failing_stop();
}

TestSuite(peer_rtsp, .init = setup, .fini = teardown);

static enum cw_code perform(long request) {
  bytes_clear(&got.body);
  bytes_clear(&got.head);
  set_long(CWOPT_RTSP_REQUEST, request);
  return world_perform(&w, easy);
}

static void good(long request) {
  enum cw_code code = perform(request);
  cr_assert_eq(code, CW_OK, "request %ld: %s: %s", request,
               cw_easy_errname(code), cw_easy_detail(easy));
}

static void bad(long request, enum cw_code wanted, const char *words) {
  enum cw_code code = perform(request);
  const char *detail = cw_easy_detail(easy);
  cr_expect_eq(code, wanted, "%s: %s", cw_easy_errname(code), detail);
  cr_expect(strstr(detail, words), "\"%s\" is not in: %s", words, detail);
}

static long info(enum cw_info what) {
  long value = -1;
  cr_assert_eq(cw_easy_getinfo(easy, what, &value), CW_OK);
  return value;
}

static void expect_shown(const char *bytes, size_t n) {
  cr_expect_eq(shown.len, n, "%zu bytes were shown, not %zu", shown.len, n);
  cr_expect(shown.len == n && memcmp(shown.ptr, bytes, n) == 0);
}
#define SHOWN(text) expect_shown(text, sizeof(text) - 1)

/* A connection whose first request is SETUP, and what follows. */
#define SETUP                                 \
  "accept\n{SETUP}"                           \
  "send \"RTSP/1.0 200 OK\\r\\nCSeq: 1\\r\\n" \
  "Session: abc;timeout=60\\r\\n"             \
  "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\\r\\n\\r\\n\"\n"

/* In a script {PLAY} is a whole line that expects this request, {2} the head of
   an answer of that number, but for its end. */
static void add_expanded(struct bytes *to, const char *text) {
  for (const char *c = text; *c; c++) {
    size_t n = *c == '{' ? strcspn(c, "}") - 1 : 0;
    char line[200];
    if (n == 0) {
      bytes_add(to, c, 1);
      continue;
    }
    bool is_number = c[1] >= '0' && c[1] <= '9';
    snprintf(line, sizeof(line),
             is_number
                 ? "RTSP/1.0 200 OK\\r\\nCSeq: %.*s\\r\\nSession: abc\\r\\n"
                 : "expect \"%.*s rtsp://h.example/a RTSP/1.0\"\n",
             (int)n, c + 1);
    bytes_add(to, line, strlen(line));
    c += n + 1;
  }
}

/* Each script has a port of its own. */
static void script_more(const char *text, const char *rest) {
  struct bytes script = {0};
  char listen[40];
  int port = 554 + (int)w.nscripts;
  snprintf(listen, sizeof(listen), "listen 10.0.0.1 %d\n", port);
  bytes_add(&script, listen, strlen(listen));
  add_expanded(&script, text);
  add_expanded(&script, rest);
  world_script(&w, script.ptr);
  bytes_free(&script);
  set_long(CWOPT_PORT, port);
}

static void script(const char *text) {
  script_more(text, "");
}

static void set_up(const char *rest) {
  script_more(SETUP, rest);
  good(CW_RTSPREQ_SETUP);
}

/* --- sessions ---------------------------------------------------------------
 */

Test(peer_rtsp, a_session_goes_on_one_connection) {
  script(
      "accept\n"
      "expect \"OPTIONS * RTSP/1.0\"\n"
      "header \"CSeq: 1\"\n"
      "header \"User-Agent: test/1\"\n"
      "no-header Session\n"
      "no-header Host\n"
      "send \"RTSP/1.0 200 OK\\r\\nCSeq: 1\\r\\nPublic: SETUP\\r\\n\\r\\n\"\n"
      "expect \"DESCRIBE rtsp://h.example/a RTSP/1.0\"\n"
      "header \"CSeq: 2\"\n"
      "header \"Accept: application/sdp\"\n"
      "send \"RTSP/1.0 200 OK\\r\\nCSeq: 2\\r\\nContent-Length: "
      "5\\r\\n\\r\\nv=0\\r\\n\"\n"
      "expect \"SETUP rtsp://h.example/a RTSP/1.0\"\n"
      "header \"Transport: RTP/AVP/TCP;unicast;interleaved=0-1\"\n"
      "send \"RTSP/1.0 200 OK\\r\\nCSeq: 3\\r\\nSession: "
      "abc;timeout=60\\r\\nTransport: "
      "RTP/AVP/TCP;interleaved=0-1;ssrc=1\\r\\n\\r\\n\"\n"
      "{PLAY}"
      "header \"CSeq: 4\"\n"
      "header \"Session: abc\"\n"
      "header \"Range: npt=0-\"\n"
      "send \"{4}\\r\\n$\\x00\\0\\x02hi\"\n"
      "{TEARDOWN}"
      "header \"CSeq: 5\"\n"
      "send \"{5}\\r\\n\"\n");
  set_str(CWOPT_USERAGENT, "test/1");
  set_str(CWOPT_RTSP_STREAM_URI, NULL);
  good(CW_RTSPREQ_OPTIONS);
  cr_expect_eq(info(CWINFO_RTSP_CSEQ_RECV), 1);
  set_str(CWOPT_RTSP_STREAM_URI, "rtsp://h.example/a");
  good(CW_RTSPREQ_DESCRIBE);
  cr_expect_str_eq(got.body.ptr, "v=0\r\n");
  good(CW_RTSPREQ_SETUP);
  const char *session = NULL;
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_RTSP_SESSION_ID, &session), CW_OK);
  cr_expect_str_eq(session, "abc");
  set_str(CWOPT_RANGE, "npt=0-");
  good(CW_RTSPREQ_PLAY);
  cr_expect_eq(info(CWINFO_RTSP_CLIENT_CSEQ), 5);
  good(CW_RTSPREQ_RECEIVE);
  SHOWN("$\x00\0\x02hi");
  cr_expect_eq(info(CWINFO_RTSP_CSEQ_RECV), 4, "of the last answer");
  good(CW_RTSPREQ_TEARDOWN);
  cr_expect_eq(info(CWINFO_NUM_CONNECTS), 0);
  cr_expect_eq(w.accepted, 1);
}

Test(peer_rtsp, numbers_and_sessions_can_be_given) {
  script("accept\n"
         "{PAUSE}"
         "header \"CSeq: 70\"\n"
         "header \"Session: mine\"\n"
         "send \"RTSP/1.0 200 OK\\r\\nCSeq: 70\\r\\n\\r\\n\"\n");
  set_long(CWOPT_RTSP_CLIENT_CSEQ, 70);
  set_str(CWOPT_RTSP_SESSION_ID, "mine");
  good(CW_RTSPREQ_PAUSE);
  cr_expect_eq(info(CWINFO_RTSP_CLIENT_CSEQ), 71);
}

Test(peer_rtsp, what_a_request_needs_is_asked_for) {
  script("accept many\nwait-close\n");
  bad(CW_RTSPREQ_PLAY, CWE_BAD_FUNCTION_ARGUMENT,
      "PLAY needs the option rtsp_session_id");
  set_str(CWOPT_RTSP_TRANSPORT, NULL);
  bad(CW_RTSPREQ_SETUP, CWE_BAD_FUNCTION_ARGUMENT, "rtsp_transport");
  set_str(CWOPT_RTSP_STREAM_URI, NULL);
  bad(CW_RTSPREQ_DESCRIBE, CWE_BAD_FUNCTION_ARGUMENT, "rtsp_stream_uri");
  bad(CW_RTSPREQ_RECEIVE, CWE_RECV_ERROR, "needs the connection");
  set_str(CWOPT_RTSP_STREAM_URI, "rtsp://h.example/a b");
  bad(CW_RTSPREQ_DESCRIBE, CWE_BAD_FUNCTION_ARGUMENT, "space");
  struct cw_slist *list = cw_slist_append(NULL, "CSeq: 9");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPHEADER, list), CW_OK);
  bad(CW_RTSPREQ_OPTIONS, CWE_BAD_FUNCTION_ARGUMENT, "space");
  set_str(CWOPT_RTSP_STREAM_URI, NULL);
  bad(CW_RTSPREQ_OPTIONS, CWE_RTSP_CSEQ_ERROR, "custom header");
  cw_slist_free_all(list);
  w.lenient = true;
}

Test(peer_rtsp, answers_of_something_else_are_refused) {
  static const struct {
    const char *fields;
    enum cw_code code;
    const char *words;
  } cases[] = {
      {"CSeq: 7\\r\\n", CWE_RTSP_CSEQ_ERROR, "CSeq 7, the request had 2"},
      {"Server: x\\r\\n", CWE_RTSP_CSEQ_ERROR, "no CSeq"},
      {"CSeq: x\\r\\n", CWE_RTSP_CSEQ_ERROR, "no number"},
      {"CSeq: 2\\r\\nSession: other\\r\\n", CWE_RTSP_SESSION_ERROR,
       "session other, the request was of abc"},
      {"CSeq: 2\\r\\nSession: ;timeout=1\\r\\n", CWE_RTSP_SESSION_ERROR,
       "0 bytes"},
      {"CSeq: 2\\r\\nTransfer-Encoding: chunked\\r\\n", CWE_WEIRD_SERVER_REPLY,
       "transfer coding"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char rest[300];
    snprintf(rest, sizeof(rest),
             "{PLAY}"
             "send \"RTSP/1.0 200 OK\\r\\n%s\\r\\n\"\n"
             "wait-close\n",
             cases[i].fields);
    set_long(CWOPT_RTSP_CLIENT_CSEQ, 1);
    set_str(CWOPT_RTSP_SESSION_ID, NULL);
    set_up(rest);
    bad(CW_RTSPREQ_PLAY, cases[i].code, cases[i].words);
  }
  script("accept\n"
         "expect \"SETUP rtsp://h.example/a RTSP/1.0\"\n"
         "send \"RTSP/1.0 200 OK\\r\\nCSeq: 1\\r\\nTransport: "
         "RTP/AVP/TCP;interleaved=5-2\\r\\n\\r\\n\"\n"
         "wait-close\n");
  set_long(CWOPT_RTSP_CLIENT_CSEQ, 1);
  bad(CW_RTSPREQ_SETUP, CWE_WEIRD_SERVER_REPLY, "interleaved channels");
}

/* --- interleaved messages ----------------------------------------------------
 */

Test(peer_rtsp, the_largest_message_comes_whole_in_bytes_of_one) {
  set_up("{PLAY}"
         "send \"$\\x01\\xff\\xff\"\n"
         "repeat 65535 \"z\"\n"
         "send \"{2}\\r\\n\"\n");
  cw_vnet_max_read(w.net, 1);
  good(CW_RTSPREQ_PLAY);
  cr_expect_eq(nshown, 1);
  cr_expect_eq(shown.len, 65539);
}

/* Many of them, so that chunks are left and moved from. "\xff" and the digit 0
   are their length, 0xff30. */
#define FRAME_HEAD      4
#define MANY_LARGE      40
#define LARGE_BYTES     0xff30
#define LARGE_LETTER(i) ('a' + (i) % 26)
#define LARGE_WHOLE     (LARGE_BYTES + FRAME_HEAD)

Test(peer_rtsp, many_large_messages_come_whole) {
  struct bytes rest = {0};
  char line[100];
  bytes_add(&rest, "{PLAY}", strlen("{PLAY}"));
  for (int i = 0; i < MANY_LARGE; i++) {
    int n = snprintf(line, sizeof(line),
                     "send \"$\\x00\\xff0\"\nrepeat %d \"%c\"\n", LARGE_BYTES,
                     LARGE_LETTER(i));
    bytes_add(&rest, line, (size_t)n);
  }
  bytes_add(&rest, "send \"{2}\\r\\n\"\n", strlen("send \"{2}\\r\\n\"\n"));
  set_up(rest.ptr);
  bytes_free(&rest);
  good(CW_RTSPREQ_PLAY);
  cr_expect_eq(nshown, MANY_LARGE);
  cr_assert_eq(shown.len, (size_t)MANY_LARGE * LARGE_WHOLE);
  for (size_t i = 0; i < shown.len; i++) {
    size_t at = i % LARGE_WHOLE;
    cr_assert(at < FRAME_HEAD ||
                  shown.ptr[i] == LARGE_LETTER((int)(i / LARGE_WHOLE)),
              "byte %zu of message %zu", at, i / LARGE_WHOLE);
  }
}

Test(peer_rtsp, channels_never_announced_are_skipped) {
  set_up("{PLAY}"
         "send \"$\\x07\\0\\x13RTSP/1.0 500 "
         "No\\r\\n\\r\\n$\\x01\\0\\x01x$\\x09\\0\\0{2}\\r\\n\"\n");
  good(CW_RTSPREQ_PLAY);
  SHOWN("$\x01\0\x01x");
  cr_expect_eq(info(CWINFO_RESPONSE_CODE), 200);
}

Test(peer_rtsp, messages_come_between_head_and_body) {
  set_up("expect \"GET_PARAMETER rtsp://h.example/a RTSP/1.0\"\n"
         "send \"{2}Content-Length: "
         "5\\r\\n\\r\\n$\\x00\\0\\x02hi$\\x01\\0\\x00$wait{9}\"\n");
  cw_vnet_max_read(w.net, 1);
  good(CW_RTSPREQ_GET_PARAMETER);
  SHOWN("$\x00\0\x02hi$\x01\0\0");
  cr_expect_str_eq(got.body.ptr, "$wait");
}

Test(peer_rtsp, an_empty_message_is_one_too) {
  set_up("{PLAY}"
         "send \"{2}\\r\\n\"\n"
         "send \"$\\x00\\0\\0\"\n");
  good(CW_RTSPREQ_PLAY);
  good(CW_RTSPREQ_RECEIVE);
  SHOWN("$\x00\0\0");
}

Test(peer_rtsp, without_a_callback_the_write_callback_takes_them) {
  set_up("expect \"GET_PARAMETER rtsp://h.example/a RTSP/1.0\"\n"
         "send \"$\\x00\\0\\x02hi{2}Content-Length: 4\\r\\n\\r\\nbody\"\n");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_INTERLEAVEFUNCTION, NULL), CW_OK);
  good(CW_RTSPREQ_GET_PARAMETER);
  cr_expect_eq(got.body.len, 10);
  cr_expect(memcmp(got.body.ptr, "$\x00\0\x02hibody", 10) == 0);
}

Test(peer_rtsp, what_comes_between_requests_is_kept) {
  set_up("{PLAY}"
         "send \"{2}\\r\\n$\\x00\"\n"
         "delay 50\n"
         "send \"\\0\\x03one\"\n"
         "delay 50\n"
         "send \"$\\x01\\0\\x03two$\\x00\\0\"\n"
         "delay 50\n"
         "send \"\\x05three\"\n"
         "{PAUSE}"
         "send \"{3}\\r\\n\"\n");
  good(CW_RTSPREQ_PLAY);
  cr_expect_eq(nshown, 0);
  cw_vnet_advance_us(w.net, 500000);
  world_settle(&w);
  good(CW_RTSPREQ_PAUSE);
  SHOWN("$\x00\0\x03one$\x01\0\x03two$\x00\0\x05three");
  cr_expect_eq(w.accepted, 1);
}

Test(peer_rtsp, receive_waits_and_ends_with_what_is_there) {
  set_up("delay 100\n"
         "send \"$\\x00\\0\\x01a$\\x00\\0\\x01b$\\x00\\0\"\n"
         "delay 100\n"
         "send \"\\x01c\"\n"
         "wait-close\n"
         "accept\n"
         "wait-close\n");
  good(CW_RTSPREQ_RECEIVE);
  cr_expect_eq(nshown, 2);
  good(CW_RTSPREQ_RECEIVE);
  SHOWN("$\x00\0\x01"
        "a$\x00\0\x01"
        "b$\x00\0\x01"
        "c");
  set_long(CWOPT_TIMEOUT_MS, 300);
  bad(CW_RTSPREQ_RECEIVE, CWE_OPERATION_TIMEDOUT, "300 ms");
  bad(CW_RTSPREQ_RECEIVE, CWE_RECV_ERROR, "needs the connection");
}

Test(peer_rtsp, a_pause_loses_nothing) {
  set_up("{PLAY}"
         "send \"$\\x00\\0\\x03one$\\x01\\0\\x03two{2}\\r\\n\"\n");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_INTERLEAVEFUNCTION, on_pausing),
               CW_OK);
  manner = PAUSE_ONCE;
  set_long(CWOPT_RTSP_REQUEST, CW_RTSPREQ_PLAY);
  cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_OK);
  world_settle(&w);
  cr_expect_eq(nshown, 0);
  cr_assert_eq(cw_easy_pause(easy, CW_PAUSE_CONT), CW_OK);
  struct cw_msg *msg = NULL;
  while (!msg && world_turn(&w)) {
    msg = cw_multi_info_read(w.multi, NULL);
  }
  cr_assert(msg && msg->result == CW_OK, "%s", cw_easy_detail(easy));
  cr_assert_eq(cw_multi_remove_handle(w.multi, easy), CWM_OK);
  SHOWN("$\x00\0\x03one$\x01\0\x03two");
}

/* Pending, it is not called again; and what it saw stays when the transfer is
   cancelled meanwhile. */
Test(peer_rtsp, a_pending_callback_goes_on_or_is_cancelled) {
  for (int cancel = 0; cancel < 2; cancel++) {
    set_long(CWOPT_RTSP_CLIENT_CSEQ, 1);
    set_str(CWOPT_RTSP_SESSION_ID, NULL);
    bytes_clear(&shown);
    set_up(cancel
               ? "{PLAY}"
                 "send \"$\\x00\\0\\x03one\"\n"
                 "wait-close\n"
               : "{PLAY}"
                 "send \"$\\x00\\0\\x03one{2}Connection: close\\r\\n\\r\\n\"\n"
                 "wait-close\n");
    manner = PEND_ONCE;
    set_long(CWOPT_RTSP_REQUEST, CW_RTSPREQ_PLAY);
    cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_OK);
    world_settle(&w);
    SHOWN("$\x00\0\x03one");
    if (cancel) {
      cr_assert_eq(cw_easy_cancel(easy, CWE_ABORTED_BY_CALLBACK), CW_OK);
    } else {
      cr_assert_eq(cw_easy_callback_done(easy, CW_SLOT_INTERLEAVE, 7), CW_OK);
    }
    struct cw_msg *msg = cw_multi_info_read(w.multi, NULL);
    while (!msg && world_turn(&w)) {
      msg = cw_multi_info_read(w.multi, NULL);
    }
    cr_assert(msg);
    cr_expect_eq(msg->result, cancel ? CWE_ABORTED_BY_CALLBACK : CW_OK);
    cr_assert_eq(cw_multi_remove_handle(w.multi, easy), CWM_OK);
    SHOWN("$\x00\0\x03one");
  }
}

Test(peer_rtsp, a_refusal_ends_the_transfer) {
  set_up("{PLAY}"
         "send \"$\\x00\\0\\x03one\"\n"
         "wait-close\n");
  manner = REFUSE;
  bad(CW_RTSPREQ_PLAY, CWE_WRITE_ERROR, "interleave");
}

/* --- the trace
 * ----------------------------------------------------------------
 */

/* "<kind" or ">kind" and the bytes, a line each time; texts of ours only. */
static int on_debug(CW *handle, int kind, char *bytes, size_t n, void *data) {
  struct bytes *seen = data;
  (void)handle;
  if (kind == CW_DEBUG_TEXT && !memmem(bytes, n, "interleaved", 11)) {
    return 0;
  }
  static const char *const names[] = {
      [CW_DEBUG_TEXT] = "text ",        [CW_DEBUG_HEADER_IN] = "<head ",
      [CW_DEBUG_HEADER_OUT] = ">head ", [CW_DEBUG_DATA_IN] = "<data ",
      [CW_DEBUG_DATA_OUT] = ">data ",
  };
  bytes_add(seen, names[kind], strlen(names[kind]));
  for (size_t i = 0; i < n; i++) {
    char c = bytes[i];
    bytes_add(seen, c < ' ' ? (c == '\r' ? "" : ".") : &c, c == '\r' ? 0 : 1);
  }
  bytes_add(seen, "\n", 1);
  return 0;
}

/* Everything that goes over the connection is shown once, where it comes,
   though the callback pends, and what nobody is given is told. */
Test(peer_rtsp, the_trace_shows_everything_once) {
  struct bytes seen = {0};
  set_up("{SET_PARAMETER}"
         "body \"a: b\"\n"
         "send \"$\\x00\\0\\x03one$\\x09\\0\\x02no"
         "OPTIONS * RTSP/1.0\\r\\nCSeq: 7\\r\\n\\r\\n\"\n"
         "expect \"RTSP/1.0 200 OK\"\n"
         "send \"{2}Content-Length: 4\\r\\n\\r\\n$\\x01\\0\\x03twobody\"\n");
  set_str(CWOPT_COPYPOSTFIELDS, "a: b");
  set_long(CWOPT_VERBOSE, 1);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_DEBUGFUNCTION, on_debug), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_DEBUGDATA, &seen), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_INTERLEAVEFUNCTION, on_pausing),
               CW_OK);
  manner = PAUSE_ONCE;
  set_long(CWOPT_RTSP_REQUEST, CW_RTSPREQ_SET_PARAMETER);
  cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_OK);
  world_settle(&w);
  cr_assert_eq(cw_easy_pause(easy, CW_PAUSE_CONT), CW_OK);
  struct cw_msg *msg = NULL;
  while (!msg && world_turn(&w)) {
    msg = cw_multi_info_read(w.multi, NULL);
  }
  cr_assert(msg && msg->result == CW_OK, "%s", cw_easy_detail(easy));
  cr_assert_eq(cw_multi_remove_handle(w.multi, easy), CWM_OK);
  cr_expect_str_eq(
      seen.ptr,
      ">head SET_PARAMETER rtsp://h.example/a RTSP/1.0.CSeq: 2.Session: abc."
      "Content-Length: 4.Content-Type: text/parameters..\n"
      ">data a: b\n"
      "<data $...one\n"
      "text 6 interleaved bytes on channel 9, which no Transport header "
      "announced, are skipped.\n"
      "<head OPTIONS * RTSP/1.0.\n"
      "<head CSeq: 7.\n"
      "<head .\n"
      ">head RTSP/1.0 200 OK.CSeq: 7.Public: OPTIONS, GET_PARAMETER..\n"
      "<head RTSP/1.0 200 OK.\n"
      "<head CSeq: 2.\n"
      "<head Session: abc.\n"
      "<head Content-Length: 4.\n"
      "<head .\n"
      "<data $...two\n"
      "<data body\n");
  bytes_free(&seen);
}

/* --- what is wrong -----------------------------------------------------------
 */

Test(peer_rtsp, junk_between_messages_is_skipped) {
  set_up("{PLAY}"
         "send \"\\r\\n\\r\\nsome junk $\\x09 and RTS $\\x00\\0\\x02hiGARBAGE "
         "RTS x\\r\\n{2}\\r\\n\"\n");
  cw_vnet_max_read(w.net, 1);
  good(CW_RTSPREQ_PLAY);
  SHOWN("$\x00\0\x02hi");
}

Test(peer_rtsp, junk_without_end_is_refused) {
  set_up("{PLAY}"
         "repeat 70000 \"j\"\n"
         "wait-close\n");
  bad(CW_RTSPREQ_PLAY, CWE_WEIRD_SERVER_REPLY, "no RTSP");
}

Test(peer_rtsp, an_end_in_the_middle_is_said) {
  static const struct {
    const char *sent;
    enum cw_code code;
    const char *words;
  } cases[] = {
      {"$\\x00\\0\\x09half", CWE_PARTIAL_FILE, "inside an interleaved message"},
      {"$", CWE_PARTIAL_FILE, "inside an interleaved message"},
      {"RTSP/1.0 200 OK\\r\\nCS", CWE_RECV_ERROR, "inside a message"},
      {"RTSP/1.0 200 OK\\r\\nCSeq: 2\\r\\nContent-Length: 9\\r\\n\\r\\nhalf",
       CWE_PARTIAL_FILE, "5 of 9 body bytes"},
      {"RTSP/1.0 200 OK\\r\\nCSeq: 2\\r\\nContent-Length: 9\\r\\n\\r\\n",
       CWE_PARTIAL_FILE, "9 of 9 body bytes"},
      {"RTSP/1.0 200 OK\\r\\nCSeq: 2\\r\\nContent-Length: 9\\r\\n\\r\\n$"
       "\\x00\\0\\x09half",
       CWE_PARTIAL_FILE, "inside an interleaved message"},
      {"OPTIONS * RTSP/1.0\\r\\nCS", CWE_RECV_ERROR, "inside a message"},
      {"", CWE_GOT_NOTHING, "without an answer"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char rest[300];
    snprintf(rest, sizeof(rest),
             "{PLAY}"
             "send \"%s\"\n"
             "close\n",
             cases[i].sent);
    set_long(CWOPT_RTSP_CLIENT_CSEQ, 1);
    set_str(CWOPT_RTSP_SESSION_ID, NULL);
    set_up(rest);
    bad(CW_RTSPREQ_PLAY, cases[i].code, cases[i].words);
  }
}

/* --- requests of the server --------------------------------------------------
 */

Test(peer_rtsp, the_server_may_ask) {
  set_up(
      "{PLAY}"
      "send \"OPTIONS rtsp://h.example/a RTSP/1.0\\r\\nCSeq: "
      "31\\r\\n\\r\\nANNOUNCE * RTSP/1.0\\r\\nCSeq: 32\\r\\nContent-Length: "
      "4\\r\\n\\r\\n$bodGET_PARAMETER * RTSP/1.0\\r\\n\\r\\n$\\x00\\0\\x01x\"\n"
      "expect \"RTSP/1.0 200 OK\"\n"
      "header \"CSeq: 31\"\n"
      "header \"Public: OPTIONS, GET_PARAMETER\"\n"
      "send \"OPTIONS * RTSP/1.0\\r\\nCSeq: 33\\r\\n\\r\\n\"\n"
      "delay 10\n"
      "send \"{2}\\r\\n\"\n");
  w.lenient = true; /* the other answers are not looked at */
  good(CW_RTSPREQ_PLAY);
  SHOWN("$\x00\0\x01x");
  cr_expect_eq(info(CWINFO_RTSP_SERVER_CSEQ), 34);
}

Test(peer_rtsp, what_the_server_asks_has_its_number) {
  set_up("{PLAY}"
         "send \"OPTIONS * RTSP/1.0\\r\\nCSeq: 5\\r\\n\\r\\n\"\n"
         "wait-close\n");
  set_long(CWOPT_RTSP_SERVER_CSEQ, 4);
  bad(CW_RTSPREQ_PLAY, CWE_RTSP_CSEQ_ERROR, "CSeq 5, expected was 4");
}

/* Each request of the server has the number behind the last one's, also two of
   them before one answer. */
Test(peer_rtsp, what_the_server_asks_counts_up) {
  set_up("{PLAY}"
         "send \"OPTIONS * RTSP/1.0\\r\\nCSeq: 5\\r\\n\\r\\n{2}\\r\\n\"\n"
         "expect \"RTSP/1.0 200 OK\"\n"
         "{PAUSE}"
         "send \"OPTIONS * RTSP/1.0\\r\\nCSeq: 6\\r\\n\\r\\n\"\n"
         "expect \"RTSP/1.0 200 OK\"\n"
         "send \"OPTIONS * RTSP/1.0\\r\\nCSeq: 7\\r\\n\\r\\n{3}\\r\\n\"\n"
         "expect \"RTSP/1.0 200 OK\"\n"
         "{TEARDOWN}"
         "send \"OPTIONS * RTSP/1.0\\r\\nCSeq: 9\\r\\n\\r\\n\"\n"
         "wait-close\n");
  good(CW_RTSPREQ_PLAY);
  cr_expect_eq(info(CWINFO_RTSP_SERVER_CSEQ), 6);
  good(CW_RTSPREQ_PAUSE);
  cr_expect_eq(info(CWINFO_RTSP_SERVER_CSEQ), 8);
  bad(CW_RTSPREQ_TEARDOWN, CWE_RTSP_CSEQ_ERROR, "CSeq 9, expected was 8");
}

/* Numbers that the option cannot hold. */
Test(peer_rtsp, a_server_may_count_from_anywhere) {
  set_up("{PLAY}"
         "send \"OPTIONS * RTSP/1.0\\r\\nCSeq: 4000000000\\r\\n\\r\\n"
         "{2}\\r\\n\"\n"
         "expect \"RTSP/1.0 200 OK\"\n"
         "header \"CSeq: 4000000000\"\n"
         "{PAUSE}"
         "send \"OPTIONS * RTSP/1.0\\r\\nCSeq: 4000000001\\r\\n\\r\\n"
         "{3}\\r\\n\"\n"
         "expect \"RTSP/1.0 200 OK\"\n");
  good(CW_RTSPREQ_PLAY);
  good(CW_RTSPREQ_PAUSE);
  cr_expect_eq(info(CWINFO_RTSP_SERVER_CSEQ), 0);
}

/* On another connection it counts anew, unless the application said what comes.
 */
Test(peer_rtsp, another_connection_counts_anew) {
  for (int said = 0; said < 2; said++) {
    script("accept\n"
           "{PAUSE}"
           "send \"OPTIONS * RTSP/1.0\\r\\nCSeq: 5\\r\\n\\r\\nRTSP/1.0 200 "
           "OK\\r\\nCSeq: 1\\r\\nConnection: close\\r\\n\\r\\n\"\n"
           "expect \"RTSP/1.0 200 OK\"\n"
           "wait-close\n"
           "accept\n"
           "{TEARDOWN}"
           "send \"OPTIONS * RTSP/1.0\\r\\nCSeq: 1\\r\\n\\r\\n{2}\\r\\n\"\n"
           "wait-close\n");
    w.lenient = true;
    set_long(CWOPT_RTSP_CLIENT_CSEQ, 1);
    set_long(CWOPT_RTSP_SERVER_CSEQ, 0);
    set_str(CWOPT_RTSP_SESSION_ID, "abc");
    good(CW_RTSPREQ_PAUSE);
    if (said) {
      set_long(CWOPT_RTSP_SERVER_CSEQ, 7);
      bad(CW_RTSPREQ_TEARDOWN, CWE_RTSP_CSEQ_ERROR, "expected was 7");
    } else {
      good(CW_RTSPREQ_TEARDOWN);
      cr_expect_eq(info(CWINFO_RTSP_SERVER_CSEQ), 2);
    }
  }
}

Test(peer_rtsp, a_request_of_two_lengths_is_refused) {
  set_up("{PLAY}"
         "send \"FOO * RTSP/1.0\\r\\nCSeq: 5\\r\\nContent-Length: 3\\r\\n"
         "Content-Length: 4\\r\\n\\r\\nbod{2}\\r\\n\"\n"
         "wait-close\n");
  bad(CW_RTSPREQ_PLAY, CWE_WEIRD_SERVER_REPLY, "two lengths, 3 and 4");
}

static size_t read_some_then_pause(char *bytes, size_t size, size_t n,
                                   void *data) {
  int *calls = data;
  (void)size, (void)n;
  if ((*calls)++ > 0) {
    return CW_READFUNC_PAUSE;
  }
  memcpy(bytes, "v=0\r\n", 5);
  return 5;
}

/* The rest of a body that was refused does not go, and neither does an answer
   where that rest should be. */
Test(peer_rtsp, nothing_is_said_in_the_middle_of_a_body) {
  int calls = 0;
  script("accept\n"
         "{ANNOUNCE}"
         "header \"Content-Length: 9\"\n"
         "body \"v=0\\r\\n\"\n"
         "send \"OPTIONS * RTSP/1.0\\r\\nCSeq: 5\\r\\n\\r\\n"
         "RTSP/1.0 413 No\\r\\nCSeq: 1\\r\\nContent-Length: 3\\r\\n\\r\\n\"\n"
         "quiet 50\n"
         "send bye\n"
         "wait-close\n");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_READFUNCTION, read_some_then_pause),
               CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_READDATA, &calls), CW_OK);
  set_long(CWOPT_UPLOAD, 1);
  set_long(CWOPT_INFILESIZE, 9);
  good(CW_RTSPREQ_ANNOUNCE);
  cr_expect_eq(info(CWINFO_RESPONSE_CODE), 413);
}

/* One that reads nothing and asks on. */
Test(peer_rtsp, answers_that_nobody_reads_have_a_ceiling) {
  cw_vnet_window(w.net, 1000);
  set_up("{PLAY}"
         "deaf\n"
         "repeat 3000 \"FOO * RTSP/1.0\\r\\n\\r\\n\"\n");
  w.lenient = true;
  bad(CW_RTSPREQ_PLAY, CWE_WEIRD_SERVER_REPLY, "does not read the answers");
}

/* --- bodies, credentials, connections ----------------------------------------
 */

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  int *calls = data;
  (void)size, (void)n;
  memcpy(bytes, "v=0\r\n", 5);
  return (*calls)++ ? 0 : 5;
}

Test(peer_rtsp, bodies_are_sent) {
  int calls = 0;
  script("accept\n"
         "wait-close\n"
         "accept\n"
         "{ANNOUNCE}"
         "header \"Content-Length: 5\"\n"
         "header \"Content-Type: application/sdp\"\n"
         "body \"v=0\\r\\n\"\n"
         "send \"{1}\\r\\n\"\n"
         "{SET_PARAMETER}"
         "header \"Content-Type: text/parameters\"\n"
         "body \"a: b\"\n"
         "send \"{2}\\r\\n\"\n"
         "{GET_PARAMETER}"
         "no-header Content-Length\n"
         "send \"{3}\\r\\n\"\n"
         "{RECORD}"
         "no-header Content-Length\n"
         "send \"{4}\\r\\n\"\n");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_READFUNCTION, on_read), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_READDATA, &calls), CW_OK);
  set_long(CWOPT_UPLOAD, 1);
  bad(CW_RTSPREQ_ANNOUNCE, CWE_UPLOAD_FAILED, "infilesize_large");
  set_long(CWOPT_INFILESIZE, 5);
  good(CW_RTSPREQ_ANNOUNCE);
  set_long(CWOPT_UPLOAD, 0);
  set_str(CWOPT_COPYPOSTFIELDS, "a: b");
  good(CW_RTSPREQ_SET_PARAMETER);
  set_str(CWOPT_COPYPOSTFIELDS, "");
  good(CW_RTSPREQ_GET_PARAMETER);
  set_str(CWOPT_COPYPOSTFIELDS, "not for this one");
  good(CW_RTSPREQ_RECORD);
}

Test(peer_rtsp, credentials_are_given_when_asked_for) {
  script("accept\n"
         "{DESCRIBE}"
         "header \"CSeq: 1\"\n"
         "no-header Authorization\n"
         "send \"RTSP/1.0 401 Unauthorized\\r\\nCSeq: 1\\r\\nWWW-Authenticate: "
         "Basic realm=x\\r\\n\\r\\n\"\n"
         "{DESCRIBE}"
         "header \"CSeq: 2\"\n"
         "header \"Authorization: Basic bWU6c2VjcmV0\"\n"
         "send \"RTSP/1.0 200 OK\\r\\nCSeq: 2\\r\\nContent-Length: "
         "2\\r\\n\\r\\nhi\"\n");
  set_str(CWOPT_USERPWD, "me:secret");
  set_long(CWOPT_HTTPAUTH, CWAUTH_BASIC | CWAUTH_BEARER);
  good(CW_RTSPREQ_DESCRIBE);
  cr_expect_str_eq(got.body.ptr, "hi");
}

/* Nothing of a session is on the new connection: only what needs none is tried
   again. */
Test(peer_rtsp, a_connection_that_died_meanwhile) {
  script(SETUP "close\n"
               "accept\n"
               "{DESCRIBE}"
               "send \"{4}\\r\\n\"\n");
  good(CW_RTSPREQ_SETUP);
  world_settle(&w);
  cr_expect_neq(perform(CW_RTSPREQ_PLAY), CW_OK);
  set_long(CWOPT_RTSP_CLIENT_CSEQ, 4);
  good(CW_RTSPREQ_DESCRIBE);
}

/* What was left of a message on the dead connection does not make the end look
   like one in the middle of an answer. */
Test(peer_rtsp, a_connection_that_died_with_a_part_of_a_message) {
  set_up("{PLAY}"
         "send \"{2}\\r\\n$\\x00\\0\\x09part\"\n"
         "delay 50\n"
         "close\n"
         "accept\n"
         "{GET_PARAMETER}"
         "send \"{4}\\r\\n\"\n");
  good(CW_RTSPREQ_PLAY);
  cw_vnet_advance_us(w.net, 500000);
  world_settle(&w);
  good(CW_RTSPREQ_GET_PARAMETER);
  cr_expect_eq(nshown, 0);
}

Test(peer_rtsp, empty_options_are_as_if_not_set) {
  script("accept\n"
         "expect \"OPTIONS * RTSP/1.0\"\n"
         "no-header Session\n"
         "send \"RTSP/1.0 200 OK\\r\\nCSeq: 1\\r\\n\\r\\n\"\n"
         "accept many\n"
         "wait-close\n");
  set_str(CWOPT_RTSP_STREAM_URI, "");
  set_str(CWOPT_RTSP_SESSION_ID, "");
  good(CW_RTSPREQ_OPTIONS);
  bad(CW_RTSPREQ_DESCRIBE, CWE_BAD_FUNCTION_ARGUMENT, "rtsp_stream_uri");
  set_str(CWOPT_RTSP_STREAM_URI, "rtsp://h.example/a");
  bad(CW_RTSPREQ_PLAY, CWE_BAD_FUNCTION_ARGUMENT, "rtsp_session_id");
  set_str(CWOPT_RTSP_TRANSPORT, "");
  bad(CW_RTSPREQ_SETUP, CWE_BAD_FUNCTION_ARGUMENT, "rtsp_transport");
  w.lenient = true;
}

/* A server that is always faster than the client does not keep the loop for
   itself, though none of what it sends is for anybody. */
Test(peer_rtsp, what_nobody_wants_leaves_others_a_turn) {
  cw_vnet_window(w.net, 64 * 1024 * 1024);
  set_up("{PLAY}"
         "repeat 200000 \"$\\x09\\0\\x20abcdefghabcdefghabcdefghabcdefgh\"\n"
         "send \"{2}\\r\\n\"\n");
  set_long(CWOPT_RTSP_REQUEST, CW_RTSPREQ_PLAY);
  cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_OK);
  int turns = 0;
  struct cw_msg *msg = NULL;
  while (!msg && world_turn(&w)) {
    msg = cw_multi_info_read(w.multi, NULL);
    turns++;
  }
  cr_assert(msg && msg->result == CW_OK, "%s", cw_easy_detail(easy));
  cr_assert_eq(cw_multi_remove_handle(w.multi, easy), CWM_OK);
  cr_expect_geq(turns, 5, "7 MB in %d turns", turns);
}

/* Media is no answer: a server that streams on has its time, not all of it. */
Test(peer_rtsp, a_server_that_streams_and_does_not_answer) {
  set_up("{GET_PARAMETER}"
         "send \"$\\x00\\0\\x01a\"\n"
         "delay 100\n"
         "send \"$\\x00\\0\\x01b\"\n"
         "delay 100\n"
         "send \"$\\x00\\0\\x01c\"\n"
         "delay 100\n"
         "send \"$\\x00\\0\\x01d\"\n"
         "wait-close\n");
  w.lenient = true;
  set_long(CWOPT_SERVER_RESPONSE_TIMEOUT_MS, 250);
  int64_t start = world_ms(&w);
  bad(CW_RTSPREQ_GET_PARAMETER, CWE_OPERATION_TIMEDOUT, "250 ms");
  cr_expect_eq(world_ms(&w) - start, 250);
  cr_expect_eq(nshown, 3);
}

/* While "receive" waits, media is what it waits for. */
Test(peer_rtsp, receive_has_the_same_time) {
  int64_t first_us = 0;
  set_up("delay 200\n"
         "send \"$\\x00\\0\\x01a\"\n"
         "delay 300\n"
         "wait-close\n");
  w.lenient = true;
  set_long(CWOPT_SERVER_RESPONSE_TIMEOUT_MS, 250);
  good(CW_RTSPREQ_RECEIVE);
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_STARTTRANSFER_TIME_T, &first_us),
               CW_OK);
  cr_expect_eq(first_us, 200000);
  bad(CW_RTSPREQ_RECEIVE, CWE_OPERATION_TIMEDOUT, "250 ms");
}

/* The answer is there, but the application takes its time before it. */
Test(peer_rtsp, a_callback_that_pends_is_not_the_server) {
  set_up("{PAUSE}"
         "send \"$\\x00\\0\\x01a{2}\\r\\n\"\n");
  set_long(CWOPT_SERVER_RESPONSE_TIMEOUT_MS, 250);
  manner = PEND_ONCE;
  set_long(CWOPT_RTSP_REQUEST, CW_RTSPREQ_PAUSE);
  cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_OK);
  world_settle(&w);
  cr_expect_eq(nshown, 1);
  cw_vnet_advance_us(w.net, 400000);
  world_settle(&w);
  cr_assert_eq(cw_easy_callback_done(easy, CW_SLOT_INTERLEAVE, 5), CW_OK, "%s",
               cw_easy_detail(easy));
  struct cw_msg *msg = NULL;
  while (!msg && world_turn(&w)) {
    msg = cw_multi_info_read(w.multi, NULL);
  }
  cr_assert(msg && msg->result == CW_OK, "%s", cw_easy_detail(easy));
  cr_assert_eq(cw_multi_remove_handle(w.multi, easy), CWM_OK);
}

Test(peer_rtsp, a_connection_belongs_to_one_handle) {
  set_up("{PLAY}"
         "send \"$\\x00\\0\\x01x{2}\\r\\n\"\n"
         "accept\n"
         "expect \"OPTIONS * RTSP/1.0\"\n"
         "send \"RTSP/1.0 200 OK\\r\\nCSeq: 1\\r\\n\\r\\n\"\n");
  CW *other = world_easy(&w, "rtsp://h.example/");
  cr_expect_eq(world_perform(&w, other), CW_OK, "%s", cw_easy_detail(other));
  cr_expect(strstr(cw_easy_why_new_connection(other), "rtsp_session_id"));
  cw_easy_cleanup(other);
  good(CW_RTSPREQ_PLAY);
  cr_expect_eq(nshown, 1);
}
