/* Entry points of the easy handle. */
#include "base/mem.h"
#include "engine/guard.h"
#include "engine/multi.h"
#include "engine/states.h"

CW *cw_easy_init(void) {
  struct cw_easy *easy = cw_calloc(1, sizeof(*easy));
  if (!easy) {
    return NULL;
  }
  easy->magic = CW_EASY_MAGIC;
  cw_options_init(&easy->options);
  cw_easy_setup(easy);
  return easy;
}

void cw_easy_cleanup(CW *easy) {
  if (!cw_easy_is_valid(easy)) {
    return;
  }
  if (cw_guard_easy(easy, cw_api_easy_cleanup) == cw_inside_deferred) {
    easy->doomed = true;
    cw_transfer_wake(easy);
    return;
  }
  if (easy->performing) {
    easy->doomed = true; /* perform frees it when it returns */
    return;
  }
  if (easy->multi) {
    cw_multi_detach(easy->multi, easy);
  }
  cw_easy_destroy(easy);
}

enum cw_code cw_easy_reset(CW *easy) {
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  if (cw_guard_easy(easy, cw_api_easy_reset) == cw_inside_no ||
      cw_easy_is_running(easy)) {
    return CWE_RECURSIVE_API_CALL;
  }
  struct cw_share *share = cw_opt_p(&easy->options, cw_opt_share);
  cw_share_join(share); /* it stays, as connections do */
  cw_options_fini(&easy->options);
  cw_options_init(&easy->options);
  easy->options.value[cw_opt_share].p = share;
  cw_easy_forget_challenge(easy, CW_AUTH_SERVER);
  cw_easy_forget_challenge(easy, CW_AUTH_PROXY);
  return CW_OK;
}

enum cw_code cw_easy_hsts_flush(CW *easy) {
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  if (cw_guard_easy(easy, cw_api_easy_hsts_flush) == cw_inside_no) {
    return CWE_RECURSIVE_API_CALL;
  }
  struct cw_fail *fail =
      cw_easy_is_running(easy) ? &easy->call_fail : &easy->fail;
  cw_fail_clear(fail);
  enum cw_code err = cw_hsts_save(easy, fail);
  if (easy->doomed && !easy->multi && !easy->performing) {
    cw_hsts_fini(easy); /* its entries have been given just now */
    cw_easy_destroy(easy);
  }
  return err;
}

CW *cw_easy_duphandle(const CW *easy) {
  if (!cw_easy_is_valid(easy)) {
    return NULL;
  }
  CW *copy = cw_easy_init();
  if (copy && (cw_options_copy(&copy->options, &easy->options) ||
               cw_cookies_copy(copy, easy))) {
    cw_easy_cleanup(copy);
    copy = NULL;
  }
  return copy;
}

/* Runs the loop of the handle's own multi until the transfer has ended. */
static enum cw_code drive(struct cw_easy *easy) {
  struct cw_multi *multi = easy->own;
  enum cw_mcode merr = cw_multi_attach(multi, easy);
  if (merr) {
    return easy->fail.code ? easy->fail.code : CWE_OUT_OF_MEMORY;
  }
  while (!merr && easy->multi && !easy->t.told) {
    merr = cw_multi_run(multi, -1);
  }
  if (!easy->multi) {
    return CWE_ABORTED_BY_CALLBACK; /* closed inside a callback */
  }
  enum cw_code result = merr ? CWE_UNRECOVERABLE_POLL : easy->result;
  cw_multi_detach(multi, easy);
  return result;
}

enum cw_code cw_easy_perform(CW *easy) {
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  if (cw_guard_easy(easy, cw_api_easy_perform) == cw_inside_no ||
      easy->performing) {
    return CWE_RECURSIVE_API_CALL;
  }
  if (easy->multi) {
    return CWE_FAILED_INIT;
  }
  if (!easy->own) {
    enum cw_code err = cw_multi_new(cw_platform_real(), &easy->own);
    if (err) {
      return err;
    }
    easy->own->option[cw_mopt_maxconnects].i =
        cw_opt_i(&easy->options, cw_opt_maxconnects);
  }
  easy->performing = true;
  enum cw_code result = drive(easy);
  easy->performing = false;
  if (easy->doomed) {
    cw_easy_destroy(easy);
  }
  return result;
}

enum cw_code cw_easy_pause(CW *easy, int bitmask) {
  if (!cw_easy_is_valid(easy) || !cw_easy_is_running(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  easy->paused = bitmask & CW_PAUSE_ALL;
  easy->t.slow_since_us = 0;
  cw_transfer_wake(easy);
  return CW_OK;
}

enum cw_code cw_easy_cancel(CW *easy, enum cw_code code) {
  if (!cw_easy_is_valid(easy) || !cw_easy_is_running(easy) || code == CW_OK) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  if (!easy->cancelled) {
    easy->cancelled =
        cw_fail(&easy->fail, code, "the application cancelled the transfer");
  }
  cw_transfer_wake(easy);
  return CW_OK;
}

enum cw_code cw_easy_callback_done(CW *easy, enum cw_slot slot,
                                   int64_t result) {
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  for (int i = 0; i < CW_HOLDS; i++) {
    struct cw_pend *pend = &easy->pend[i];
    bool inside = pend->state == CW_PEND_NONE && easy->depth > 0;
    if (pend->slot == slot && (pend->state == CW_PEND_WAITS || inside)) {
      pend->state = CW_PEND_ANSWERED;
      pend->result = result;
      cw_transfer_wake(easy);
      return CW_OK;
    }
  }
  return CWE_BAD_FUNCTION_ARGUMENT;
}

enum cw_code cw_easy_header_at(CW *easy, size_t index, const char **pname,
                               const char **pvalue, int *porigin) {
  struct cw_slice name, value;
  int origin;
  if (!cw_easy_is_valid(easy) ||
      !cw_headers_at(&easy->x.headers, index, &name, &value, &origin)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  *pname = name.ptr;
  *pvalue = value.ptr;
  if (porigin) {
    *porigin = origin;
  }
  return CW_OK;
}

const char *cw_easy_detail(const CW *easy) {
  if (!cw_easy_is_valid(easy)) {
    return "";
  }
  bool of_call = cw_easy_is_running(easy) && easy->call_fail.code;
  return of_call ? easy->call_fail.detail : easy->fail.detail;
}

const char *cw_easy_why_new_connection(const CW *easy) {
  return cw_easy_is_valid(easy) && easy->t.why_new ? easy->t.why_new : "";
}

CWM *cw_easy_multi(const CW *easy) {
  return cw_easy_is_valid(easy) ? easy->multi : NULL;
}
