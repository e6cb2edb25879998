/*
 * The steps of a transfer that exchange something, and its end. How it gets
 * its connection is in states_connect.c.
 */
#include "engine/states.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/conv.h"
#include "engine/guard.h"
#include "engine/multi.h"

enum cw_code cw_step_idle(struct cw_easy *easy) {
  (void)easy;
  return CW_AGAIN;
}

/* --- opening
 * -------------------------------------------------------------------------- */

enum cw_code cw_ask_prereq(struct cw_easy *easy) {
  const struct cw_options *o = &easy->options;
  struct cw_transfer *t = &easy->t;
  cw_prereq_fn fn = (cw_prereq_fn)cw_opt_f(o, cw_opt_prereqfunction);
  if (!fn) {
    return CW_OK;
  }
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_PREREQ, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    result = fn(cw_opt_p(o, cw_opt_prereqdata), t->primary_ip, t->local_ip,
                t->primary_port, t->local_port);
    enum cw_code err = cw_call_end(easy, CW_SLOT_PREREQ, &result);
    if (err) {
      return err;
    }
  }
  return result == CW_PREREQFUNC_OK
             ? CW_OK
             : cw_fail(&easy->fail, CWE_ABORTED_BY_CALLBACK,
                       "the prereq callback refused the connection to %s",
                       t->primary_ip);
}

/* A resumed upload: the seek callback may go to the offset; what it cannot
   is read and thrown away. */
static enum cw_code seek_upload(struct cw_easy *easy) {
  const struct cw_options *o = &easy->options;
  struct cw_transfer *t = &easy->t;
  int64_t offset = cw_opt_i(o, cw_opt_resume_from_large);
  if (t->upload_asked || offset <= 0 || !cw_opt_i(o, cw_opt_upload) ||
      !cw_opt_f(o, cw_opt_seekfunction) || cw_opt_p(o, cw_opt_source) ||
      easy->proto->seeks_itself) {
    return CW_OK;
  }
  int64_t result = 0;
  enum cw_code err = cw_call_seek(easy, offset, &result);
  if (err) {
    return err;
  }
  t->upload_asked = true;
  t->upload_seeked = result == CW_SEEKFUNC_OK;
  if (result != CW_SEEKFUNC_OK && result != CW_SEEKFUNC_CANTSEEK) {
    return cw_fail(&easy->fail, CWE_READ_ERROR,
                   "the seek callback could not go to byte %lld",
                   (long long)offset);
  }
  return CW_OK;
}

static void note_connection(struct cw_easy *easy, struct cw_conn *conn) {
  struct cw_transfer *t = &easy->t;
  struct cw_conn_info info;
  cw_conn_info(conn, &info);
  memcpy(t->primary_ip, info.peer_ip, sizeof(t->primary_ip));
  memcpy(t->local_ip, info.local_ip, sizeof(t->local_ip));
  t->primary_port = info.peer_port;
  t->used_proxy = cw_proxy_uri(easy) != NULL;
  t->local_port = info.local_port;
  t->conn_number = (int64_t)info.number;
  t->ssl_verify_result = info.tls_verify_result;
  if (!t->conn_reused) {
    t->times.connected = info.connected_us;
    t->times.secured = info.secured_us;
  }
}

static enum cw_code find_conn(struct cw_easy *easy) {
  easy->x.conn = NULL;
  if (!easy->proto->needs_connection) {
    return CW_OK;
  }
  easy->x.conn = cw_pool_get(easy->multi->pool, easy->t.conn_id);
  return easy->x.conn ? CW_OK
                      : cw_fail(&easy->fail, CWE_RECV_ERROR,
                                "the connection was closed meanwhile");
}

enum cw_code cw_step_opening(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  enum cw_code err = find_conn(easy);
  if (!err && easy->x.conn && !t->conn_noted) {
    t->conn_noted = true;
    note_connection(easy, easy->x.conn);
    t->times.opened = cw_transfer_now(easy);
  }
  if (!err && !easy->proto->asks_prereq) {
    err = cw_ask_prereq(easy);
  }
  if (!err) {
    err = cw_rewind_body(easy);
  }
  if (!err) {
    err = cw_mime_ready(easy);
  }
  if (!err) {
    err = seek_upload(easy);
  }
  if (!err) {
    err = cw_conv_request(easy);
  }
  if (!err) {
    err = cw_request_fill(easy);
  }
  if (!err) {
    err = find_conn(easy); /* a callback may have closed what was idle */
  }
  if (!err) {
    err = easy->proto->open(&easy->x);
  }
  if (err) {
    return err;
  }
  cw_conv_spent(easy);
  t->times.opened = cw_transfer_now(easy);
  t->answered = false;
  cw_transfer_set_state(easy, cw_state_sending);
  return CW_OK;
}

/* --- sending and receiving
 * ----------------------------------------------------------------- */

enum cw_code cw_step_sending(struct cw_easy *easy) {
  struct cw_exchange *x = &easy->x;
  enum cw_code err = find_conn(easy);
  if (err) {
    return err;
  }
  err = x->proto->send(x);
  if (err == CW_OK) {
    cw_transfer_set_state(easy, cw_state_receiving);
    return CW_OK;
  }
  if (err == CW_AGAIN && easy->t.answered) {
    x->want &= ~(unsigned)CW_READY_READ; /* nobody would read it */
  }
  if (err != CW_AGAIN || easy->t.answered) {
    return err;
  }
  err = x->proto->receive(x);
  if (err == CW_OK && x->reusable && !x->stop_sending) {
    /* An early answer that is no refusal: the rest of the request is still
       owed, or the connection would be out of step. */
    easy->t.answered = true;
  } else if (err == CW_OK) {
    x->reusable = false;
    cw_transfer_set_state(easy, cw_state_draining);
  } else if (err == CW_AGAIN && x->stop_sending) {
    cw_transfer_set_state(easy, cw_state_receiving);
  }
  return err;
}

enum cw_code cw_step_receiving(struct cw_easy *easy) {
  enum cw_code err = find_conn(easy);
  if (!err) {
    err = easy->x.proto->receive(&easy->x);
  }
  if (!err) {
    cw_transfer_set_state(easy, cw_state_draining);
  }
  return err;
}

/* --- draining
 * ---------------------------------------------------------------------------------
 */

static enum cw_code keep_certinfo(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  struct cw_conn *conn = easy->x.conn;
  bool is_kept = t->ncertinfo > 0 && !t->cert_at;
  if (!conn || !cw_opt_i(&easy->options, cw_opt_certinfo) || is_kept) {
    return CW_OK;
  }
  for (;;) {
    enum cw_code err = cw_conv_cert(easy, &t->cert_at);
    if (err) {
      return err;
    }
    struct cw_slist *one = cw_conn_certinfo(conn, t->ncertinfo);
    if (!one) {
      return CW_OK;
    }
    struct cw_slist **grown =
        cw_realloc(t->certinfo, (t->ncertinfo + 1) * sizeof(*grown));
    if (!grown) {
      cw_slist_free_all(one);
      return cw_fail_oom(&easy->fail);
    }
    t->certinfo = grown;
    t->certinfo[t->ncertinfo++] = t->cert_at = one;
  }
}

static bool leads_on(const struct cw_easy *easy) {
  return easy->t.auth_retry || easy->t.expect_retry ||
         (easy->t.redirect_to &&
          cw_opt_i(&easy->options, cw_opt_followlocation) != 0);
}

enum cw_code cw_step_draining(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  enum cw_code err = keep_certinfo(easy);
  if (!err && !leads_on(easy)) {
    err = cw_progress(easy, true);
  }
  if (err) {
    return err;
  }
  if (easy->x.stop_sending) {
    easy->x.reusable = false;
  }
  if (!t->counted) {
    t->counted = true;
    t->request_bytes += easy->x.response.request_bytes;
  }
  if (!leads_on(easy)) {
    t->complete = true;
    return CW_OK;
  }
  err = cw_settle_sending(easy);
  if (err) {
    return err;
  }
  easy->x.proto->stop(&easy->x);
  cw_transfer_release_conn(easy, easy->x.reusable);
  err = cw_follow_next(easy);
  if (!err) {
    cw_transfer_set_state(easy, cw_state_queued);
  }
  return err;
}

enum cw_code cw_step_done(struct cw_easy *easy) {
  (void)easy;
  return CW_OK;
}
