/* The conversion callbacks: text in, text of the same length out. */
#include <string.h>

#include "shapes.h"

int lcw_push_text(lua_State *L, struct lcw_call *call) {
  lua_pushlstring(L, call->bytes, call->nbytes);
  return 1;
}

int64_t lcw_judge_convert(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CW_OK : call->row->stop_code;
  }
  size_t n = 0;
  const char *bytes = lcw_to_bytes(L, first, &n);
  if (!bytes) {
    return lcw_wrong_result(L, call, first,
                            "a string of the same length, nothing or a "
                            "boolean");
  }
  bool may_shrink = call->slot == CW_SLOT_CONV_FROM_UTF8;
  if (may_shrink ? n > call->nbytes : n != call->nbytes) {
    return luaL_error(L, "%s returned %I bytes for %I, expected %s",
                      call->row->option, (lua_Integer)n,
                      (lua_Integer)call->nbytes,
                      may_shrink ? "no more" : "as many");
  }
  memcpy(call->bytes, bytes, n);
  if (n < call->nbytes) {
    call->bytes[n] = '\0';
  }
  return CW_OK;
}
