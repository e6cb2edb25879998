/* The callbacks of HSTS. */
#include "trampolines.h"

int lcw_on_hstsread(CW *easy, struct cw_hstsentry *entry, void *data) {
  (void)easy;
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_HSTSREAD);
  if (!call) {
    return CWSTS_FAIL;
  }
  call->ptr = entry;
  return (int)lcw_call_run(call);
}

/* Where a finalizer frees the handle no Lua may run: nothing is written. */
int lcw_on_hstswrite(CW *easy, struct cw_hstsentry *entry,
                     struct cw_index *index, void *data) {
  (void)easy;
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_HSTSWRITE);
  if (!call) {
    return CWSTS_DONE;
  }
  call->ptr = entry;
  call->i[0] = (int64_t)index->index;
  call->i[1] = (int64_t)index->total;
  return (int)lcw_call_run(call);
}
