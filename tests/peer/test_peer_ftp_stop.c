/*
 * A transfer over FTP is stopped by the progress callback while the server is
 * silent: in place of each of its replies, while either connection or its TLS
 * comes about, in the middle of the bytes, and while the server is to connect
 * back. In each of them the callback is called and its answer counts.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "oom/failing.h"
#include "support/peer.h"

/* How the two connections go about it. */
struct manner {
  bool is_tls, is_active, is_upload;
};

struct step {
  const char *line, *reply; /* line NULL: said unasked */
  bool tls_only;
};

#define MAX_STEPS 20

static const struct step login[] = {
    {NULL, "220 hi", false},
    {"USER anonymous", "331 who", false},
    {"PASS ftp@example.com", "230 in", false},
    {"PBSZ 0", "200 ok", true},
    {"PROT P", "200 ok", true},
    {"PWD", "257 \\\"/\\\"", false},
    {"TYPE I", "200 ok", false},
};

/* All replies of one transfer, and how many. */
static size_t dialogue(const struct manner *m, struct step steps[MAX_STEPS]) {
  size_t n = 0;
  for (size_t i = 0; i < sizeof(login) / sizeof(login[0]); i++) {
    if (m->is_tls || !login[i].tls_only) {
      steps[n++] = login[i];
    }
  }
  if (!m->is_upload) {
    steps[n++] = (struct step){"SIZE f", "213 5", false};
  }
  steps[n++] = m->is_active
                   ? (struct step){"EPRT |1|10.0.0.1|49153|", "200 ok", false}
                   : (struct step){"EPSV", "229 (|||2000|)", false};
  steps[n++] = m->is_upload ? (struct step){"STOR f", "150 go", false}
                            : (struct step){"RETR f", "150 it comes", false};
  steps[n++] = (struct step){NULL, "226 all", false};
  return n;
}

static void add(struct bytes *out, const char *text) {
  bytes_add(out, text, strlen(text));
}

/* The control connection: n replies, then what last says, or silence. data: the
   script of port 2000, or NULL. */
static void play(struct world *w, const struct manner *m, size_t n,
                 const char *last, const char *data) {
  struct step steps[MAX_STEPS];
  struct bytes script = {0};
  size_t all = dialogue(m, steps);
  cr_assert_leq(n, all);
  add(&script,
      m->is_tls ? "listen 10.0.0.1 990 tls good\n" : "listen 10.0.0.1 21\n");
  add(&script, "accept\n");
  for (size_t i = 0; i < n; i++) {
    char text[200];
    if (steps[i].line) {
      snprintf(text, sizeof(text), "line \"%s\"\n", steps[i].line);
      add(&script, text);
    }
    snprintf(text, sizeof(text), "send \"%s\\r\\n\"\n", steps[i].reply);
    add(&script, text);
  }
  add(&script, last ? last : "");
  add(&script, "drain\n");
  add(&script, data ? data : "");
  world_script(w, script.ptr);
  bytes_free(&script);
}

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  (void)data;
  memset(bytes, 'x', size * n);
  return size * n; /* and never an end */
}

struct stop {
  const struct world *w;
  int calls, stop_at;
  int64_t at_ms; /* of the last call */
};

static int on_progress(void *data, int64_t dltotal, int64_t dlnow,
                       int64_t ultotal, int64_t ulnow) {
  struct stop *stop = data;
  (void)dltotal, (void)dlnow, (void)ultotal, (void)ulnow;
  stop->at_ms = world_ms(stop->w);
  return ++stop->calls == stop->stop_at;
}

static void set_up(CW *easy, const struct manner *m, struct stop *stop) {
  cw_easy_setopt(easy, CWOPT_URL,
                 m->is_tls ? "ftps://h.example/f" : "ftp://h.example/f");
  cw_easy_setopt(easy, CWOPT_FTPPORT, m->is_active ? "-" : NULL);
  if (m->is_upload) {
    cw_easy_setopt(easy, CWOPT_UPLOAD, 1L);
    cw_easy_setopt(easy, CWOPT_READFUNCTION, on_read);
  }
  cw_easy_setopt(easy, CWOPT_NOPROGRESS, 0L);
  cw_easy_setopt(easy, CWOPT_XFERINFOFUNCTION, on_progress);
  cw_easy_setopt(easy, CWOPT_XFERINFODATA, stop);
}

#define TICKS                                                    \
  4 /* at least one of them in the silence, each within a second \
     */

/* Whatever has been played in w ends in silence: the callback's word ends that.
 */
static void stops_in_silence(struct world *w, const struct manner *m,
                             const char *where) {
  struct stop stop = {.w = w, .stop_at = TICKS};
  CW *easy = world_easy(w, "");
  w->lenient = true;
  set_up(easy, m, &stop);
  enum cw_code code = world_perform(w, easy);
  cr_expect_eq(code, CWE_ABORTED_BY_CALLBACK, "%s: %s", where,
               cw_easy_detail(easy));
  cr_expect_eq(stop.calls, TICKS, "%s: %d calls", where, stop.calls);
  cr_expect_geq(stop.at_ms, 1000, "%s: it never was silent", where);
  cr_expect_leq(stop.at_ms, TICKS * 1000, "%s", where);
  cr_expect_eq(world_ms(w), stop.at_ms, "%s: it did not end at once", where);
  cw_easy_cleanup(easy);
}

static void begin(struct world *w) {
  failing_start(-1);
  world_init(w);
}

static void end(struct world *w, const char *where) {
  const char *trouble = world_end(w);
  cr_expect_str_empty(trouble, "%s: %s", where, trouble);
  cr_expect_eq(failing_live(), 0, "%s", where);
  failing_stop();
}

static const struct manner manners[] = {
    {false, false, false}, {false, false, true}, {false, true, false},
    {false, true, true},   {true, false, false}, {true, false, true},
    {true, true, false},   {true, true, true},
};
#define MANNERS (sizeof(manners) / sizeof(manners[0]))

static const char *name(const struct manner *m, size_t n) {
  static char text[100];
  snprintf(text, sizeof(text), "%s, %s, %s, %zu replies",
           m->is_tls ? "TLS" : "plain", m->is_active ? "active" : "passive",
           m->is_upload ? "up" : "down", n);
  return text;
}

/* A data connection on which nothing moves. With TLS the server begins at once,
   before it says 150. */
static const char *idle_data(const struct manner *m, bool takes_bytes) {
  const char *plain = "listen 10.0.0.1 2000\naccept many\ndeaf\n";
  const char *tls = "listen 10.0.0.1 2000 tls good\naccept many\ndrain\n";
  return m->is_tls && !takes_bytes ? tls : plain;
}

/* In active mode the last of them waits for the server's connection. */
Test(peer_ftp_stop, in_place_of_each_reply) {
  static struct world w;
  struct step steps[MAX_STEPS];
  for (size_t i = 0; i < MANNERS; i++) {
    const struct manner *m = &manners[i];
    size_t n = dialogue(m, steps);
    for (size_t silent = 0; silent < n; silent++) {
      begin(&w);
      play(&w, m, silent, NULL, idle_data(m, m->is_upload && silent == n - 1));
      stops_in_silence(&w, m, name(m, silent));
      end(&w, name(m, silent));
    }
  }
}

Test(peer_ftp_stop, while_the_control_connection_comes_about) {
  static struct world w;
  for (size_t i = 0; i < MANNERS; i++) {
    begin(&w);
    cr_assert_eq(cw_vnet_route(w.net, "10.0.0.1", 0, -1, 0), CW_OK);
    stops_in_silence(&w, &manners[i], name(&manners[i], 0));
    end(&w, name(&manners[i], 0));
  }
}

Test(peer_ftp_stop, in_the_handshake_of_the_control_connection) {
  static struct world w;
  struct manner m = {.is_tls = true};
  begin(&w);
  world_script(&w, "listen 10.0.0.1 990\naccept\ndrain\n");
  stops_in_silence(&w, &m, "handshake");
  end(&w, "handshake");
}

/* All but the last reply; what the data connection does instead. */
static void at_the_data(bool is_tls, bool is_upload, bool connects,
                        const char *data) {
  static struct world w;
  struct step steps[MAX_STEPS];
  struct manner m = {.is_tls = is_tls, .is_upload = is_upload};
  const char *where = name(&m, 99);
  size_t n = dialogue(&m, steps);
  begin(&w);
  if (!connects) {
    cr_assert_eq(cw_vnet_route(w.net, "10.0.0.1", 2000, -1, 0), CW_OK);
  }
  play(&w, &m, n - (connects ? 1 : 2), NULL, data);
  stops_in_silence(&w, &m, where);
  end(&w, where);
}

Test(peer_ftp_stop, while_the_data_connection_comes_about) {
  for (int i = 0; i < 4; i++) {
    at_the_data(i & 1, i & 2, false, NULL);
  }
}

Test(peer_ftp_stop, in_the_handshake_of_the_data_connection) {
  for (int i = 0; i < 2; i++) {
    at_the_data(true, i, true, "listen 10.0.0.1 2000\naccept\ndrain\n");
  }
}

Test(peer_ftp_stop, in_the_middle_of_the_bytes) {
  at_the_data(false, false, true,
              "listen 10.0.0.1 2000\naccept\nsend \"he\"\ndrain\n");
  at_the_data(true, false, true,
              "listen 10.0.0.1 2000 tls good\naccept\nsend \"he\"\ndrain\n");
  at_the_data(false, true, true, "listen 10.0.0.1 2000\naccept\ndeaf\n");
  at_the_data(true, true, true,
              "listen 10.0.0.1 2000 tls good\naccept\ndeaf\n");
}

Test(peer_ftp_stop, behind_the_last_byte) {
  at_the_data(false, false, true,
              "listen 10.0.0.1 2000\naccept\nsend \"hello\"\nclose\n");
  at_the_data(true, false, true,
              "listen 10.0.0.1 2000 tls good\naccept\nsend \"hello\"\nclose\n");
}

/* A whole transfer, stopped at its nth call. */
Test(peer_ftp_stop, at_each_call) {
  static struct world w;
  bool is_whole = false;
  for (int n = 1; n < 60 && !is_whole; n++) {
    struct manner m = {.is_tls = n % 2};
    struct step steps[MAX_STEPS];
    struct stop stop = {.w = &w, .stop_at = n};
    begin(&w);
    w.lenient = true;
    play(&w, &m, dialogue(&m, steps), NULL,
         m.is_tls ? "listen 10.0.0.1 2000 tls good\naccept\nsend \"hello\"\n"
                    "close\n"
                  : "listen 10.0.0.1 2000\naccept\nsend \"hello\"\nclose\n");
    CW *easy = world_easy(&w, "");
    set_up(easy, &m, &stop);
    enum cw_code code = world_perform(&w, easy);
    is_whole = stop.calls < n;
    cr_expect_eq(code, is_whole ? CW_OK : CWE_ABORTED_BY_CALLBACK,
                 "call %d: %s", n, cw_easy_detail(easy));
    cw_easy_cleanup(easy);
    end(&w, "each");
  }
  cr_expect(is_whole);
}

/* A handshake of the data connection that fails, before or after the reply to
   RETR: what is wrong with it, or what the server says of it. */
static void handshake_fails(size_t nreplies, const char *last, const char *data,
                            enum cw_code want, const char *says) {
  static struct world w;
  struct step steps[MAX_STEPS];
  struct manner m = {.is_tls = true};
  struct stop never = {.w = &w, .stop_at = -1};
  begin(&w);
  w.lenient = true;
  play(&w, &m, dialogue(&m, steps) - nreplies, last, data);
  CW *easy = world_easy(&w, "");
  set_up(easy, &m, &never);
  enum cw_code code = world_perform(&w, easy);
  cr_expect_eq(code, want, "%s", cw_easy_detail(easy));
  cr_expect(strstr(cw_easy_detail(easy), says), "%s in place of %s",
            cw_easy_detail(easy), says);
  cw_easy_cleanup(easy);
  end(&w, says);
}

Test(peer_ftp_stop, a_handshake_of_the_data_connection_that_fails) {
  static const char stranger[] =
      "listen 10.0.0.1 2000 tls wrongname\naccept\ndrain\n";
  static const char broken[] = "listen 10.0.0.1 2000\naccept\nreset\n";
  static const char refusal[] =
      "line \"RETR f\"\ndelay 50\nsend \"522 no TLS\\r\\n\"\n";
  static const char end_of_it[] = "delay 50\nsend \"426 cut\\r\\n\"\n";
  handshake_fails(2, NULL, stranger, CWE_PEER_FAILED_VERIFICATION, "h.example");
  handshake_fails(1, NULL, stranger, CWE_PEER_FAILED_VERIFICATION, "h.example");
  handshake_fails(2, refusal, broken, CWE_FTP_COULDNT_RETR_FILE, "522 no TLS");
  handshake_fails(1, end_of_it, broken, CWE_PARTIAL_FILE, "426 cut");
  handshake_fails(0, NULL, broken, CWE_SSL_CONNECT_ERROR, "data connection");
}

static CW *waiting;

static void answer_header(void *data) {
  size_t *n = data;
  cr_expect_eq(cw_easy_callback_done(waiting, CW_SLOT_HEADER, (int64_t)*n),
               CW_OK);
}

static size_t on_header(char *bytes, size_t size, size_t n, void *data) {
  static size_t shown;
  struct world *w = data;
  if (size * n < 4 || strncmp(bytes, "150 ", 4) != 0) {
    return size * n;
  }
  uint64_t id = 0;
  shown = size * n;
  cr_assert_eq(cw_multi_timer_start(w->multi, 3000, answer_header, &shown, &id),
               CWM_OK);
  return (size_t)CW_CALLBACK_PENDING;
}

/* TLS of the data connection goes on while the header callback waits; where it
   did not, the loop would spin and the time never come. */
Test(peer_ftp_stop, not_by_a_header_callback_that_waits) {
  static struct world w;
  struct step steps[MAX_STEPS];
  struct manner m = {.is_tls = true};
  struct stop never = {.w = &w, .stop_at = -1};
  begin(&w);
  w.lenient = true;
  play(&w, &m, dialogue(&m, steps), NULL,
       "listen 10.0.0.1 2000 tls good\naccept\nsend \"hello\"\nclose\n");
  waiting = world_easy(&w, "");
  set_up(waiting, &m, &never);
  /* Two round trips for TLS, one for the reply. */
  cw_vnet_latency_us(w.net, 10000);
  cw_easy_setopt(waiting, CWOPT_SSLVERSION, (long)CW_SSLVERSION_MAX_TLSv1_2);
  cw_easy_setopt(waiting, CWOPT_HEADERFUNCTION, on_header);
  cw_easy_setopt(waiting, CWOPT_HEADERDATA, &w);
  cr_expect_eq(world_perform(&w, waiting), CW_OK, "%s",
               cw_easy_detail(waiting));
  cr_expect_geq(world_ms(&w), 3000);
  cw_easy_cleanup(waiting);
  end(&w, "header");
}
