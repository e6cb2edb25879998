/*
 * Times that end a transfer or ask for something: one timer a transfer, armed
 * for whatever comes first and only moved when that is earlier than what it is
 * armed for; when it fires too early it is armed anew.
 *
 * Paused time counts for the total (libcurl's rule) and not for low speed.
 */
#include "engine/easy.h"

#include "engine/guard.h"
#include "engine/multi.h"

#define SECOND_US INT64_C(1000000)

static int64_t option_ms_us(const struct cw_easy *easy, enum cw_opt opt) {
  return cw_opt_i(&easy->options, opt) * 1000;
}

static bool is_connecting(enum cw_state state) {
  return state == cw_state_resolving || state == cw_state_connecting;
}

/* The end of the whole transfer; 0: none. */
static int64_t total_deadline(const struct cw_easy *easy) {
  int64_t limit = option_ms_us(easy, cw_opt_timeout_ms);
  return limit > 0 ? easy->t.times.start + limit : 0;
}

static int64_t connect_deadline(const struct cw_easy *easy) {
  int64_t limit = option_ms_us(easy, cw_opt_connecttimeout_ms);
  return limit > 0 && is_connecting(easy->t.state)
             ? easy->t.times.queued + limit
             : 0;
}

/* How long the answer may take to begin once the request was sent. */
static int64_t response_deadline(const struct cw_easy *easy) {
  int64_t limit = option_ms_us(easy, cw_opt_server_response_timeout_ms);
  return limit > 0 && easy->t.state == cw_state_receiving &&
                 !easy->x.response.any_bytes && easy->t.times.sent
             ? easy->t.times.sent + limit
             : 0;
}

static bool watches_speed(const struct cw_easy *easy) {
  return cw_opt_i(&easy->options, cw_opt_low_speed_time) > 0 &&
         cw_opt_i(&easy->options, cw_opt_low_speed_limit) > 0;
}

static bool moves_bytes(enum cw_state state) {
  return state == cw_state_sending || state == cw_state_receiving;
}

static enum cw_code timed_out(struct cw_easy *easy, const char *what,
                              int64_t limit_us) {
  return cw_fail(
      &easy->fail, CWE_OPERATION_TIMEDOUT,
      "%s took longer than %lld ms (%s phase, %llu body bytes "
      "received)",
      what, (long long)(limit_us / 1000), cw_easy_phase(easy),
      (unsigned long long)(easy->x_ready ? easy->x.response.body_received : 0));
}

/* Once a second: whether the last second was slow. */
static enum cw_code check_speed(struct cw_easy *easy, int64_t now) {
  struct cw_transfer *t = &easy->t;
  uint64_t bytes = easy->x_ready ? easy->x.response.body_received +
                                       easy->x.response.body_sent
                                 : 0;
  int64_t elapsed = now - t->tick_us;
  uint64_t moved = bytes - (t->tick_bytes < bytes ? t->tick_bytes : bytes);
  int64_t speed = (int64_t)((double)moved * 1e6 / (double)elapsed);
  t->tick_bytes = bytes;
  if (!watches_speed(easy) || !moves_bytes(t->state) || easy->paused ||
      speed >= cw_opt_i(&easy->options, cw_opt_low_speed_limit)) {
    t->slow_since_us = 0;
    return CW_OK;
  }
  if (t->slow_since_us == 0) {
    t->slow_since_us = t->tick_us;
  }
  int64_t limit = cw_opt_i(&easy->options, cw_opt_low_speed_time) * SECOND_US;
  if (now - t->slow_since_us < limit) {
    return CW_OK;
  }
  return cw_fail(&easy->fail, CWE_OPERATION_TIMEDOUT,
                 "slower than %lld bytes a second for %lld seconds",
                 (long long)cw_opt_i(&easy->options, cw_opt_low_speed_limit),
                 (long long)(limit / SECOND_US));
}

static enum cw_code check_tick(struct cw_easy *easy, int64_t now) {
  struct cw_transfer *t = &easy->t;
  if (now - t->tick_us < SECOND_US) {
    return CW_OK;
  }
  enum cw_code err = check_speed(easy, now);
  t->tick_us = now;
  t->progress_due = true;
  return err;
}

/* The connection has the same deadline and a better sentence: what became of
   each address. */
static enum cw_code connecting_timed_out(struct cw_easy *easy) {
  struct cw_conn *conn = easy->t.state == cw_state_connecting
                             ? cw_pool_get(easy->multi->pool, easy->t.conn_id)
                             : NULL;
  enum cw_code err = conn ? cw_conn_step(conn, &easy->fail) : CW_AGAIN;
  return err != CW_AGAIN
             ? err
             : timed_out(easy, "connecting",
                         option_ms_us(easy, cw_opt_connecttimeout_ms));
}

enum cw_code cw_timeouts_check(struct cw_easy *easy) {
  int64_t now = cw_transfer_now(easy);
  int64_t due = total_deadline(easy);
  if (due && now >= due) {
    return timed_out(easy, "the transfer",
                     option_ms_us(easy, cw_opt_timeout_ms));
  }
  due = connect_deadline(easy);
  if (due && now >= due) {
    enum cw_code err = connecting_timed_out(easy);
    if (err) {
      return err;
    }
  }
  due = response_deadline(easy);
  if (due && now >= due) {
    return timed_out(easy, "waiting for the answer",
                     option_ms_us(easy, cw_opt_server_response_timeout_ms));
  }
  return check_tick(easy, now);
}

static int64_t earlier(int64_t a, int64_t b) {
  if (a == 0 || b == 0) {
    return a + b;
  }
  return a < b ? a : b;
}

void cw_timeouts_arm(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  int64_t due = total_deadline(easy);
  due = earlier(due, connect_deadline(easy));
  due = earlier(due, response_deadline(easy));
  /* While a callback holds up the exchange its own deadlines wait as well:
     nobody would look at one that has passed, and the timer would fire for
     ever. So would it for one that the exchange before this one left. */
  if (easy->x_ready && moves_bytes(t->state) &&
      !cw_is_held(easy, cw_hold_both)) {
    due = earlier(due, easy->x.wait_until_us);
    due = earlier(due, easy->x.rate_until_us);
  }
  if (cw_wants_progress(easy) || watches_speed(easy)) {
    due = earlier(due, t->tick_us + SECOND_US);
  }
  if (due == 0) {
    return;
  }
  if (!t->timer.running || t->timer.due_us > due) {
    cw_timer_start_at(easy->multi->loop, &t->timer, due);
  }
}
