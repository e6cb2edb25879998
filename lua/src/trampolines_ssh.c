/* The callbacks that decide on a host key. What they are shown is pushed, as
   strings, before they run, so nothing of it has to outlast the C call. */
#include "trampolines.h"

int lcw_on_ssh_key(CW *easy, const struct cw_khkey *known,
                   const struct cw_khkey *found, int match, void *data) {
  (void)easy;
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_SSH_KEY);
  if (!call) {
    return CWKHSTAT_REJECT;
  }
  call->s[0] = (const char *)known;
  call->s[1] = (const char *)found;
  call->i[0] = match;
  return (int)lcw_call_run(call);
}

int lcw_on_ssh_hostkey(void *data, int keytype, const char *key, size_t n) {
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_SSH_HOSTKEY);
  if (!call) {
    return CWKHMATCH_MISMATCH;
  }
  call->i[0] = keytype;
  call->s[0] = key;
  call->nbytes = n;
  return (int)lcw_call_run(call);
}
