/* The progress callbacks, and the built-in meter where none is set. */
#include <stdio.h>

#include "engine/guard.h"

bool cw_wants_progress(const struct cw_easy *easy) {
  return cw_opt_i(&easy->options, cw_opt_noprogress) == 0;
}

struct counts {
  int64_t dltotal, dlnow, ultotal, ulnow;
};

static struct counts count(const struct cw_easy *easy) {
  const struct cw_response *r = &easy->x.response;
  struct counts c = {0};
  if (easy->x_ready) {
    int64_t size = easy->x.request.has_body ? easy->x.request.body_size : 0;
    c.dltotal = r->content_length > 0 ? r->content_length : 0;
    c.dlnow = (int64_t)r->body_received;
    c.ultotal = size > 0 ? size : 0;
    c.ulnow = (int64_t)r->body_sent;
  }
  return c;
}

static void meter(struct cw_easy *easy, const struct counts *c) {
  FILE *out = cw_opt_p(&easy->options, cw_opt_stderr);
  (void)fprintf(out ? out : stderr, "\r%lld of %lld down, %lld of %lld up",
                (long long)c->dlnow, (long long)c->dltotal, (long long)c->ulnow,
                (long long)c->ultotal);
}

static int64_t call(struct cw_easy *easy, enum cw_slot slot,
                    const struct counts *c) {
  void *data = cw_opt_p(&easy->options, cw_opt_xferinfodata);
  if (slot == CW_SLOT_XFERINFO) {
    cw_xferinfo_fn fn =
        (cw_xferinfo_fn)cw_opt_f(&easy->options, cw_opt_xferinfofunction);
    return fn(data, c->dltotal, c->dlnow, c->ultotal, c->ulnow);
  }
  cw_progress_fn fn =
      (cw_progress_fn)cw_opt_f(&easy->options, cw_opt_progressfunction);
  return fn(data, (double)c->dltotal, (double)c->dlnow, (double)c->ultotal,
            (double)c->ulnow);
}

static bool slot_in_use(const struct cw_easy *easy, enum cw_slot *slot) {
  if (cw_opt_f(&easy->options, cw_opt_xferinfofunction)) {
    *slot = CW_SLOT_XFERINFO;
    return true;
  }
  *slot = CW_SLOT_PROGRESS;
  return cw_opt_f(&easy->options, cw_opt_progressfunction) != NULL;
}

enum cw_code cw_progress(struct cw_easy *easy, bool final) {
  struct cw_transfer *t = &easy->t;
  /* While draining only the final call is made: another one in between would
     take the answer that the final call waits for, and it would be made anew
     for ever. */
  bool now = final || (t->progress_due && t->state != cw_state_draining);
  if (!cw_wants_progress(easy) || !now) {
    return CW_OK;
  }
  struct counts c = count(easy);
  enum cw_slot slot;
  if (!slot_in_use(easy, &slot)) {
    t->progress_due = false;
    meter(easy, &c);
    return CW_OK;
  }
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, slot, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  t->progress_due = false;
  t->told_dl = (uint64_t)c.dlnow;
  t->told_ul = (uint64_t)c.ulnow;
  if (how == CW_CALL_NOW) {
    result = call(easy, slot, &c);
    enum cw_code err = cw_call_end(easy, slot, &result);
    if (err) {
      t->progress_due = true; /* to find the answer */
      return err;
    }
  }
  if (result == CW_PROGRESSFUNC_CONTINUE) {
    meter(easy, &c);
    result = 0;
  }
  return result == 0 ? CW_OK
                     : cw_fail(&easy->fail, CWE_ABORTED_BY_CALLBACK,
                               "the %s callback stopped the transfer",
                               cw_slot_name(slot));
}
