/*
 * The callbacks of an FTP wildcard download: what to take, and before and
 * after each of it.
 */
#include "codec/wildcard.h"
#include "engine/guard.h"

static enum cw_code chunk_failed(struct cw_easy *easy, enum cw_slot slot) {
  return cw_fail(&easy->fail, CWE_CHUNK_FAILED,
                 "the %s callback stopped the transfer", cw_slot_name(slot));
}

enum cw_code cw_hook_fnmatch(void *data, const char *pattern, const char *name,
                             bool *pmatches) {
  struct cw_easy *easy = data;
  cw_fnmatch_fn fn =
      (cw_fnmatch_fn)cw_opt_f(&easy->options, cw_opt_fnmatch_function);
  if (!fn) {
    *pmatches = cw_wildcard_match(cw_slice_str(pattern), cw_slice_str(name));
    return CW_OK;
  }
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_FNMATCH, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    result = fn(cw_opt_p(&easy->options, cw_opt_fnmatch_data), pattern, name);
    enum cw_code err = cw_call_end(easy, CW_SLOT_FNMATCH, &result);
    if (err) {
      return err;
    }
  }
  *pmatches = result == CW_FNMATCHFUNC_MATCH;
  return *pmatches || result == CW_FNMATCHFUNC_NOMATCH
             ? CW_OK
             : chunk_failed(easy, CW_SLOT_FNMATCH);
}

enum cw_code cw_hook_chunk_bgn(void *data, const struct cw_fileinfo *info,
                               int remains, bool *pskip) {
  struct cw_easy *easy = data;
  cw_chunk_bgn_fn fn =
      (cw_chunk_bgn_fn)cw_opt_f(&easy->options, cw_opt_chunk_bgn_function);
  *pskip = false;
  if (!fn) {
    return CW_OK;
  }
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_CHUNK_BGN, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    result = fn(info, cw_opt_p(&easy->options, cw_opt_chunk_data), remains);
    enum cw_code err = cw_call_end(easy, CW_SLOT_CHUNK_BGN, &result);
    if (err) {
      return err;
    }
  }
  /* Any other value goes on, as with libcurl. */
  *pskip = result == CW_CHUNK_BGN_FUNC_SKIP;
  return result == CW_CHUNK_BGN_FUNC_FAIL
             ? chunk_failed(easy, CW_SLOT_CHUNK_BGN)
             : CW_OK;
}

enum cw_code cw_hook_chunk_end(void *data) {
  struct cw_easy *easy = data;
  cw_chunk_end_fn fn =
      (cw_chunk_end_fn)cw_opt_f(&easy->options, cw_opt_chunk_end_function);
  if (!fn) {
    return CW_OK;
  }
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_CHUNK_END, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    result = fn(cw_opt_p(&easy->options, cw_opt_chunk_data));
    enum cw_code err = cw_call_end(easy, CW_SLOT_CHUNK_END, &result);
    if (err) {
      return err;
    }
  }
  return result == CW_CHUNK_END_FUNC_FAIL
             ? chunk_failed(easy, CW_SLOT_CHUNK_END)
             : CW_OK;
}
