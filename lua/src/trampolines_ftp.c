/* The callbacks of FTP's wildcards. */
#include "trampolines.h"

long lcw_on_chunk_bgn(const struct cw_fileinfo *info, void *data, int remains) {
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_CHUNK_BGN);
  if (!call) {
    return CW_CHUNK_BGN_FUNC_FAIL;
  }
  call->ptr = (void *)(uintptr_t)info;
  call->i[0] = remains;
  return (long)lcw_call_run(call);
}

long lcw_on_chunk_end(void *data) {
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_CHUNK_END);
  return call ? (long)lcw_call_run(call) : CW_CHUNK_END_FUNC_FAIL;
}

int lcw_on_fnmatch(void *data, const char *pattern, const char *name) {
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_FNMATCH);
  if (!call) {
    return CW_FNMATCHFUNC_FAIL;
  }
  call->s[0] = pattern;
  call->s[1] = name;
  return (int)lcw_call_run(call);
}
