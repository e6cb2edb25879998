/*
 * Happy eyeballs, RFC 8305: races attempts to connect.
 *
 * How it works: the addresses are put in an order that alternates between
 * families, beginning with the first one's (section 4). One attempt runs; the
 * next starts when the delay has passed or at once when one fails (section 5).
 * The first that connects wins, the others are closed, and the filter leaves
 * the chain. While a hook of the user is pending no attempt is started, since
 * it can be asked only one thing at a time.
 *
 * The reasons of all failed attempts are kept as one sentence.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conn/inner.h"

struct cf_eyeballs {
  struct cw_filter f;
  struct cw_timer timer;
  struct cw_addrs *addrs;
  int64_t delay_us;
  int64_t next_us; /* when the next attempt is due */
  size_t nstarted;
  size_t nrunning;
  size_t ntimedout, ninterface; /* of the failed ones */
  int last_errno;
  bool failed_now; /* one failed: the next starts at once */
  char reasons[200];
  uint8_t order[CW_RESOLVE_MAX_ADDRS];
  struct cw_filter *attempt[CW_RESOLVE_MAX_ADDRS]; /* by start; NULL: over */
};

static const struct cw_filter_type eyeballs_type;

static struct cf_eyeballs *eyeballs_of(const struct cw_filter *f) {
  return (struct cf_eyeballs *)(uintptr_t)f;
}

static size_t eyeballs_count(const struct cf_eyeballs *e) {
  return e->addrs->count < CW_RESOLVE_MAX_ADDRS ? e->addrs->count
                                                : CW_RESOLVE_MAX_ADDRS;
}

/* The index after i of an address that is (same) or is not of family. */
static size_t next_of_family(const struct cf_eyeballs *e, size_t i, int family,
                             bool same) {
  size_t n = eyeballs_count(e);
  while (i < n && (e->addrs->addr[i].family == family) != same) {
    i++;
  }
  return i;
}

static void eyeballs_set_order(struct cf_eyeballs *e) {
  size_t n = eyeballs_count(e);
  if (n == 0) {
    return;
  }
  int family = e->addrs->addr[0].family;
  size_t at[2] = {next_of_family(e, 0, family, true),
                  next_of_family(e, 0, family, false)};
  int turn = 0;
  for (size_t k = 0; k < n; k++) {
    if (at[turn] >= n) {
      turn = !turn;
    }
    e->order[k] = (uint8_t)at[turn];
    at[turn] = next_of_family(e, at[turn] + 1, family, turn == 0);
    turn = !turn;
  }
}

static void eyeballs_on_timer(struct cw_timer *timer, void *data) {
  (void)timer;
  struct cf_eyeballs *e = data;
  cw_conn_notify(e->f.conn);
}

static void eyeballs_note(struct cf_eyeballs *e, const struct cw_sockaddr *addr,
                          const char *why) {
  char ip[CW_ADDR_TEXT_BYTES];
  int port = 0;
  cw_sockaddr_text(addr, ip, &port);
  if (ip[0] == '\0') {
    snprintf(ip, sizeof ip, "local socket");
  }
  cw_conn_trace(e->f.conn, "connect to %s port %d failed: %s", ip, port, why);
  size_t len = strlen(e->reasons);
  snprintf(e->reasons + len, sizeof e->reasons - len, "%s%s: %s",
           len > 0 ? "; " : "", ip, why);
}

static void eyeballs_end(struct cf_eyeballs *e, size_t i) {
  struct cw_filter *f = e->attempt[i];
  e->attempt[i] = NULL;
  if (f) {
    e->nrunning--;
    f->type->close(f);
  }
}

static void eyeballs_end_all(struct cf_eyeballs *e) {
  for (size_t i = 0; i < e->nstarted; i++) {
    eyeballs_end(e, i);
  }
}

/* An attempt failed in a way that leaves hope for the others. */
static void eyeballs_lose(struct cf_eyeballs *e, size_t i,
                          const struct cw_fail *why) {
  const char *words = why->detail;
  if (why->os_errno != 0 && why->code == CWE_COULDNT_CONNECT) {
    words = cw_os_message(why->os_errno);
    e->last_errno = why->os_errno;
  }
  if (why->os_errno == ETIMEDOUT) {
    words = "timed out";
    e->ntimedout++;
  }
  if (why->code == CWE_INTERFACE_FAILED) {
    e->ninterface++;
  }
  eyeballs_note(e, &e->addrs->addr[e->order[i]], words);
  e->failed_now = true;
  eyeballs_end(e, i);
}

/* CW_OK: attempt i has won. CW_AGAIN: it runs or has failed. Else: the end. */
static enum cw_code eyeballs_step_one(struct cf_eyeballs *e, size_t i,
                                      struct cw_fail *fail) {
  struct cw_fail why;
  cw_fail_clear(&why);
  struct cw_filter *f = e->attempt[i];
  enum cw_code err = f->type->step(f, &why);
  if (err == CW_OK) {
    f->connected = true;
    e->attempt[i] = NULL;
    e->nrunning--;
    e->f.next = f;
    eyeballs_end_all(e);
    return CW_OK;
  }
  if (err == CW_AGAIN) {
    return CW_AGAIN;
  }
  if (cw_cf_socket_is_fatal(f)) {
    eyeballs_end_all(e);
    return cw_fail(fail, err, "%s",
                   why.detail[0] ? why.detail : cw_easy_strerror(err));
  }
  eyeballs_lose(e, i, &why);
  return CW_AGAIN;
}

static enum cw_code eyeballs_start_one(struct cf_eyeballs *e,
                                       struct cw_fail *fail) {
  size_t i = e->nstarted;
  e->attempt[i] = cw_cf_socket_new(e->f.conn, &e->addrs->addr[e->order[i]]);
  if (!e->attempt[i]) {
    eyeballs_end_all(e);
    return cw_fail_oom(fail);
  }
  e->nstarted++;
  e->nrunning++;
  e->failed_now = false;
  e->next_us = cw_loop_now_us(e->f.conn->loop) + e->delay_us;
  return eyeballs_step_one(e, i, fail);
}

static bool eyeballs_hook_pending(const struct cf_eyeballs *e) {
  for (size_t i = 0; i < e->nstarted; i++) {
    if (e->attempt[i] && cw_cf_socket_in_hook(e->attempt[i])) {
      return true;
    }
  }
  return false;
}

static bool eyeballs_may_start(const struct cf_eyeballs *e) {
  if (e->nstarted >= eyeballs_count(e) || eyeballs_hook_pending(e)) {
    return false;
  }
  return e->nrunning == 0 || e->failed_now ||
         cw_loop_now_us(e->f.conn->loop) >= e->next_us;
}

static enum cw_code eyeballs_give_up(struct cf_eyeballs *e, enum cw_code err,
                                     struct cw_fail *fail) {
  const struct cw_conn *conn = e->f.conn;
  e->f.conn->info.os_errno = e->last_errno;
  err = cw_fail(fail, err, "could not connect to %s%s:%d: %s",
                conn->proxy ? "the proxy " : "",
                conn->proxy ? conn->proxy : conn->host, conn->info.peer_port,
                e->reasons[0] ? e->reasons : "there is no address");
  if (fail && fail->os_errno == 0) {
    fail->os_errno = e->last_errno;
  }
  return err;
}

static enum cw_code eyeballs_all_lost(struct cf_eyeballs *e,
                                      struct cw_fail *fail) {
  enum cw_code err = CWE_COULDNT_CONNECT;
  if (e->nstarted > 0 && e->ntimedout == e->nstarted) {
    err = CWE_OPERATION_TIMEDOUT;
  } else if (e->nstarted > 0 && e->ninterface == e->nstarted) {
    err = CWE_INTERFACE_FAILED;
  }
  return eyeballs_give_up(e, err, fail);
}

static enum cw_code eyeballs_deadline(struct cf_eyeballs *e,
                                      struct cw_fail *fail) {
  e->last_errno = ETIMEDOUT;
  for (size_t i = 0; i < e->nstarted; i++) {
    if (e->attempt[i]) {
      eyeballs_note(e, &e->addrs->addr[e->order[i]], "timed out");
      eyeballs_end(e, i);
    }
  }
  return eyeballs_give_up(e, CWE_OPERATION_TIMEDOUT, fail);
}

static void eyeballs_arm(struct cf_eyeballs *e) {
  if (e->nstarted < eyeballs_count(e) && !eyeballs_hook_pending(e)) {
    cw_timer_start_at(e->f.conn->loop, &e->timer, e->next_us);
  } else {
    cw_timer_stop(e->f.conn->loop, &e->timer);
  }
}

static enum cw_code eyeballs_step(struct cw_filter *f, struct cw_fail *fail) {
  struct cf_eyeballs *e = eyeballs_of(f);
  for (size_t i = 0; i < e->nstarted; i++) {
    enum cw_code err = e->attempt[i] ? eyeballs_step_one(e, i, fail) : CW_AGAIN;
    if (err != CW_AGAIN) {
      return err;
    }
  }
  int64_t deadline_us = f->conn->deadline_us;
  if (deadline_us > 0 && cw_loop_now_us(f->conn->loop) >= deadline_us) {
    return eyeballs_deadline(e, fail);
  }
  while (eyeballs_may_start(e)) {
    enum cw_code err = eyeballs_start_one(e, fail);
    if (err != CW_AGAIN) {
      return err;
    }
  }
  if (e->nrunning == 0) {
    return eyeballs_all_lost(e, fail);
  }
  eyeballs_arm(e);
  return CW_AGAIN;
}

static void eyeballs_close(struct cw_filter *f) {
  struct cf_eyeballs *e = eyeballs_of(f);
  cw_timer_stop(f->conn->loop, &e->timer);
  eyeballs_end_all(e);
  cw_addrs_unref(e->addrs);
  cw_free(e);
}

static const struct cw_filter_type eyeballs_type = {
    .name = "eyeballs",
    .phase = "connect",
    .setup_only = true,
    .step = eyeballs_step,
    .read = cw_filter_not_read,
    .write = cw_filter_not_write,
    .shutdown = cw_filter_not_shutdown,
    .want = cw_filter_not_want,
    .pending = cw_filter_not_pending,
    .query = cw_filter_pass_query,
    .close = eyeballs_close,
};

struct cw_filter *cw_cf_eyeballs_new(struct cw_conn *conn,
                                     struct cw_addrs *addrs, int64_t delay_us) {
  struct cf_eyeballs *e = cw_calloc(1, sizeof *e);
  if (!e) {
    return NULL;
  }
  e->f.type = &eyeballs_type;
  e->f.conn = conn;
  e->addrs = cw_addrs_ref(addrs);
  e->delay_us = delay_us;
  cw_timer_init(&e->timer, eyeballs_on_timer, e);
  eyeballs_set_order(e);
  return &e->f;
}
