/*
 * The driver of a transfer.
 *
 * How it works: a transfer is in one state; the driver calls that state's step
 * function until it waits, ends, or has had its share of the turn. Whatever
 * happens (readiness, a timer, an answer to a pending callback, a call of the
 * application) only marks the transfer to be run; the driver runs from a task
 * of the loop, never from inside the call that caused it.
 *
 * Callbacks may ask for the end of the very transfer that called them. That is
 * noted (cancelled, leaving, doomed) and done here, after the step returned.
 */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "engine/guard.h"
#include "engine/multi.h"
#include "engine/states.h"
#include "net/socket.h"
#include "pipe/sink.h"

/* Steps in one run: more is taken up in the next turn. */
#define STEPS_PER_RUN 64

struct state_row {
  const char *phase;
  cw_step_fn step;
  unsigned successors;
};

#define to(name) (1u << cw_state_##name)
static const struct state_row states[] = {
#define state(name_, phase_, successors_, prose_) \
  {phase_, cw_step_##name_, successors_},
#include "tbl/states.def"
#undef state
};
#undef to

int64_t cw_transfer_now(const struct cw_easy *easy) {
  return cw_loop_now_us(easy->multi->loop);
}

enum cw_code cw_transfer_random(struct cw_easy *easy, void *bytes, size_t n) {
  const struct cw_platform *platform = cw_loop_platform(easy->multi->loop);
  return platform->random(platform->ctx, bytes, n) == 0
             ? CW_OK
             : cw_fail(&easy->fail, CWE_FAILED_INIT,
                       "the system gives no random bytes");
}

void cw_transfer_set_state(struct cw_easy *easy, enum cw_state state) {
  struct cw_transfer *t = &easy->t;
  assert(states[t->state].successors & (1u << state));
  t->state = state;
  if (state != cw_state_done && state != cw_state_idle) {
    t->phase = states[state].phase;
  }
}

const char *cw_easy_phase(const CW *easy) {
  const struct cw_transfer *t = &easy->t;
  if (t->state == cw_state_connecting && easy->multi) {
    struct cw_conn *conn = cw_pool_get(easy->multi->pool, t->conn_id);
    return conn ? cw_conn_phase(conn) : "connect";
  }
  if (t->state == cw_state_receiving && !easy->x.response.any_bytes) {
    return "wait";
  }
  return t->phase ? t->phase : "idle";
}

void cw_transfer_wake(struct cw_easy *easy) {
  if (easy->multi && easy->t.state != cw_state_idle) {
    cw_task_post(easy->multi->loop, &easy->t.task);
  }
}

static void on_task(struct cw_task *task, void *data) {
  (void)task;
  cw_transfer_run(data);
}

static void on_timer(struct cw_timer *timer, void *data) {
  (void)timer;
  cw_transfer_wake(data);
}

/* --- start
 * ------------------------------------------------------------------------- */

static void forget_hop(struct cw_transfer *t) {
  cw_free(t->redirect_to);
  cw_free(t->referer);
  cw_free(t->why_new);
  cw_free(t->entry_path);
  t->entry_path = NULL;
  t->redirect_to = NULL;
  t->referer = NULL;
  t->why_new = NULL;
  for (size_t i = 0; i < t->ncertinfo; i++) {
    cw_slist_free_all(t->certinfo[i]);
  }
  cw_free(t->certinfo);
  t->certinfo = NULL;
  t->ncertinfo = 0;
}

static void forget_uri(struct cw_easy *easy) {
  cw_uri_fini(&easy->t.uri);
  easy->uri_serial = easy->key_serial = 0;
}

void cw_transfer_forget(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  forget_hop(t);
  forget_uri(easy);
  cw_slist_free_all(t->trailers);
  t->trailers = NULL;
  cw_buf_fini(&t->key);
}

static void reset_transfer(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  forget_hop(t);
  if (easy->uri_serial != easy->options.serial) {
    forget_uri(easy);
  }
  struct cw_buf key = t->key;
  struct cw_uri uri = t->uri;
  *t = (struct cw_transfer){0};
  t->key = key;
  t->uri = uri;
  t->same_host = true;
  t->conn_number = -1;
  cw_timer_init(&t->timer, on_timer, easy);
  cw_task_init(&t->task, on_task, easy);
  cw_watch_init(&t->sink_watch);
  cw_watch_init(&t->source_watch);
  cw_request_forget(easy);
  cw_conv_forget(easy);
  cw_headers_clear(&easy->x.headers);
  cw_fail_clear(&easy->fail);
  cw_fail_clear(&easy->call_fail);
  easy->cancelled = CW_OK;
  easy->paused = 0;
  memset(easy->pend, 0, sizeof(easy->pend));
  easy->result = CW_OK;
}

enum cw_code cw_transfer_start(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  reset_transfer(easy);
  t->times.start = t->times.hop = t->tick_us = cw_transfer_now(easy);
  cw_transfer_set_state(easy, cw_state_queued);
  cw_transfer_wake(easy);
  return CW_OK;
}

/* --- end
 * -----------------------------------------------------------------------------
 */

static void stop_waiting(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  struct cw_multi *multi = easy->multi;
  cw_timer_stop(multi->loop, &t->timer);
  cw_task_cancel(multi->loop, &t->task);
  cw_body_wait_end(easy);
  if (cw_node_is_linked(&t->waiting)) {
    /* It may have been woken and not have run: another may go in its place. */
    cw_list_remove(&multi->waiting, &t->waiting);
    cw_multi_wake_waiting(multi, cw_buf_slice(&t->key));
  }
  if (cw_node_is_linked(&t->opening)) {
    cw_list_remove(&multi->opening, &t->opening);
    cw_multi_wake_waiting(multi, cw_buf_slice(&t->key));
  }
  if (t->resolve_id) {
    cw_resolve_cancel(multi->resolver, t->resolve_id);
    t->resolve_id = 0;
  }
  cw_addrs_unref(t->addrs);
  t->addrs = NULL;
  if (t->start) {
    cw_free(t->start->answers);
    cw_free(t->start);
    t->start = NULL;
  }
}

void cw_transfer_release_conn(struct cw_easy *easy, bool reuse) {
  struct cw_transfer *t = &easy->t;
  struct cw_multi *multi = easy->multi;
  struct cw_conn *conn = cw_pool_get(multi->pool, t->conn_id);
  easy->x.conn = NULL;
  if (!conn) {
    /* it closed by itself */
  } else if (reuse && !cw_opt_i(&easy->options, cw_opt_forbid_reuse)) {
    struct cw_parked *parked = cw_share_conns(easy);
    cw_conn_set_user(conn, NULL);
    cw_conn_lend_sessions(conn, NULL);
    if (!parked || !cw_parked_put(parked, multi->pool, t->conn_id)) {
      cw_pool_put_idle(multi->pool, t->conn_id);
    }
  } else {
    cw_conn_close(multi->pool, t->conn_id);
  }
  if (t->conn_id) {
    cw_multi_wake_waiting(multi, cw_buf_slice(&t->key));
  }
  t->conn_id = 0;
}

static void end_sink(struct cw_easy *easy, enum cw_code *pcode) {
  if (!easy->t.sink_begun) {
    return;
  }
  struct cw_sink *sink = cw_opt_p(&easy->options, cw_opt_sink);
  easy->t.sink_begun = false;
  enum cw_code err = cw_sink_end(sink, *pcode == CW_OK);
  if (*pcode == CW_OK && err) {
    int os_errno = 0;
    const char *why = cw_sink_error(sink, &os_errno);
    *pcode = cw_fail(&easy->fail, err, "%s", why);
    easy->fail.os_errno = os_errno;
  }
}

static void say_why(struct cw_easy *easy, enum cw_code code) {
  if (code && !easy->fail.code) {
    (void)cw_fail(&easy->fail, code, "%s", cw_easy_strerror(code));
  }
  char *buffer = cw_opt_p(&easy->options, cw_opt_errorbuffer);
  if (buffer) {
    size_t n = strlen(easy->fail.detail);
    memcpy(buffer, easy->fail.detail, n + 1);
  }
  if (code) {
    cw_tracef(easy, "%s", easy->fail.detail);
  }
}

/* A pending callback was shown bytes that somebody may still look at: they stay
   until the handle leaves the multi. */
static bool is_pending(const struct cw_easy *easy) {
  return cw_is_held(easy, cw_hold_recv) || cw_is_held(easy, cw_hold_send) ||
         cw_is_held(easy, cw_hold_both);
}

/* A socket that the application made for a question that nobody asks any
   more. */
static void close_answered_socket(struct cw_easy *easy) {
  const struct cw_pend *pend = &easy->pend[cw_hold_both];
  if (pend->state != CW_PEND_ANSWERED || pend->slot != CW_SLOT_OPENSOCKET ||
      pend->result < 0 || pend->result >= INT32_MAX) {
    return;
  }
  cw_closesocket_fn fn =
      (cw_closesocket_fn)cw_opt_f(&easy->options, cw_opt_closesocketfunction);
  if (fn) {
    (void)fn(cw_opt_p(&easy->options, cw_opt_closesocketdata),
             (int)pend->result);
  } else {
    cw_socket_close(easy->multi->loop, (int)pend->result);
  }
}

void cw_transfer_end(struct cw_easy *easy, enum cw_code code) {
  struct cw_transfer *t = &easy->t;
  if (t->state == cw_state_idle || t->state == cw_state_done) {
    return;
  }
  if (code) {
    t->phase = cw_easy_phase(easy);
  }
  if (easy->x_ready && !is_pending(easy)) {
    easy->x.proto->stop(&easy->x);
  }
  cw_transfer_release_conn(easy, code == CW_OK && easy->x.reusable);
  stop_waiting(easy);
  end_sink(easy, &code);
  cw_mime_over(easy);
  close_answered_socket(easy);
  memset(easy->pend, 0, sizeof(easy->pend));
  cw_slist_free_all(t->trailers);
  t->trailers = NULL;
  t->times.end = cw_transfer_now(easy);
  t->os_errno = easy->fail.os_errno;
  say_why(easy, code);
  cw_transfer_set_state(easy, cw_state_done);
  easy->result = code;
}

/* --- run
 * -----------------------------------------------------------------------------
 */

/* A reused connection that died before it answered: once more, on a fresh
   one. RFC 9112, 9.3.1. */
static bool may_retry(const struct cw_easy *easy, enum cw_code code) {
  const struct cw_transfer *t = &easy->t;
  return t->conn_reused && !t->retried && easy->x_ready && !easy->x.bound &&
         !easy->x.response.any_bytes &&
         (t->state == cw_state_sending || t->state == cw_state_receiving) &&
         (code == CWE_SEND_ERROR || code == CWE_RECV_ERROR ||
          code == CWE_GOT_NOTHING);
}

static enum cw_code retry(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  cw_fail_clear(&easy->fail);
  enum cw_code err = cw_settle_sending(easy);
  t->retry_due = err == CW_AGAIN;
  if (err) {
    return err;
  }
  cw_tracef(easy, "the reused connection was dead: once more on a fresh one");
  easy->x.proto->stop(&easy->x);
  cw_transfer_release_conn(easy, false);
  t->retried = true;
  t->fresh = true;
  t->rewind_due = easy->x.request.has_body &&
                  (t->read_called || easy->x.response.body_sent > 0);
  cw_transfer_set_state(easy, cw_state_queued);
  return CW_OK;
}

static bool must_stop(const struct cw_easy *easy) {
  return easy->cancelled || easy->doomed || easy->leaving;
}

static bool moved(const struct cw_easy *easy) {
  return easy->x_ready && (easy->x.response.body_received != easy->t.told_dl ||
                           easy->x.response.body_sent != easy->t.told_ul);
}

static enum cw_code step_once(struct cw_easy *easy) {
  if (must_stop(easy)) {
    return easy->cancelled ? easy->cancelled : CWE_ABORTED_BY_CALLBACK;
  }
  if (easy->t.retry_due) {
    return retry(easy);
  }
  enum cw_code code = states[easy->t.state].step(easy);
  return code && code != CW_AGAIN && !must_stop(easy) && may_retry(easy, code)
             ? retry(easy)
             : code;
}

/* A pending callback holds up the exchange. A connection that is being made
   goes on: its sockets report until somebody listens, so leaving them alone
   would be waiting in circles. Its own callbacks wait in cw_call_begin. */
static bool is_held_up(const struct cw_easy *easy) {
  return cw_is_held(easy, cw_hold_both) && easy->t.state >= cw_state_opening;
}

/* Before the first step: the sink says what it cannot do as the transfer's own
   failure. */
static enum cw_code begin_sink(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  struct cw_sink *sink = cw_opt_p(&easy->options, cw_opt_sink);
  if (!sink || t->sink_begun) {
    return CW_OK;
  }
  enum cw_code err = cw_sink_begin(sink);
  if (!err) {
    t->sink_begun = true;
    return CW_OK;
  }
  int os_errno = 0;
  const char *why = cw_sink_error(sink, &os_errno);
  easy->fail.os_errno = os_errno;
  return cw_fail(&easy->fail, err, "%s",
                 err == CWE_BAD_FUNCTION_ARGUMENT
                     ? "the sink is in use by another transfer"
                     : why);
}

static enum cw_code run_steps(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  enum cw_code code = cw_timeouts_check(easy);
  if (!code) {
    code = begin_sink(easy);
  }
  easy->x.rate_until_us = 0;
  cw_request_update_rates(easy);
  if (code) {
    return code;
  }
  for (int i = 0; i < STEPS_PER_RUN; i++) {
    if (moved(easy)) {
      t->progress_due = true;
    }
    code = cw_progress(easy, false);
    if (!code || code == CW_AGAIN) {
      code = is_held_up(easy) ? CW_AGAIN : CW_OK;
    }
    if (!code) {
      code = step_once(easy);
    }
    if (code || t->complete) {
      return code;
    }
  }
  cw_transfer_wake(easy);
  return CW_AGAIN;
}

static enum cw_code prepare_wait(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  if (easy->x_ready && easy->x.more) {
    easy->x.more = false;
    cw_transfer_wake(easy);
  }
  if (t->state >= cw_state_opening) {
    struct cw_conn *conn = cw_pool_get(easy->multi->pool, t->conn_id);
    bool waits = t->state == cw_state_opening || is_held_up(easy);
    if (conn) {
      cw_conn_want(conn, waits ? 0 : easy->x.want);
    }
  }
  cw_timeouts_arm(easy);
  return cw_body_wait(easy);
}

/* What callbacks asked for. True: the handle is gone. */
static bool run_deferred(struct cw_easy *easy) {
  struct cw_multi *multi = easy->multi;
  if (easy->doomed || easy->leaving) {
    cw_multi_detach(multi, easy);
    if (easy->doomed && !easy->performing) {
      cw_easy_destroy(easy);
    }
    return true;
  }
  return false;
}

void cw_transfer_run(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  if (t->running_now || easy->depth > 0 || t->state == cw_state_idle ||
      t->state == cw_state_done) {
    return;
  }
  t->running_now = true;
  enum cw_code code = run_steps(easy);
  if (code == CW_AGAIN && must_stop(easy)) {
    code = easy->cancelled ? easy->cancelled : CWE_ABORTED_BY_CALLBACK;
  }
  enum cw_code stop = code == CW_AGAIN ? prepare_wait(easy) : CW_OK;
  if (code != CW_AGAIN || stop) {
    cw_transfer_end(easy, stop ? stop : code);
  }
  t->running_now = false;
  if (run_deferred(easy)) {
    return;
  }
  if (t->state == cw_state_done) {
    cw_multi_tell(easy->multi, easy);
  }
}
