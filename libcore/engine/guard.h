/*
 * Re-entrancy: which calls are allowed inside callbacks, from tbl/api.def, and
 * the bracket around every call into user code.
 */
#ifndef CW_ENGINE_GUARD_H
#define CW_ENGINE_GUARD_H

#include <stdbool.h>

#include "engine/easy.h"

enum cw_inside {
  cw_inside_yes,
  cw_inside_live,
  cw_inside_deferred,
  cw_inside_no
};

enum cw_api {
#define api(name, ...) cw_api_##name,
#include "tbl/api.def"
#undef api
  cw_api_count
};

/* What that call means now for the handle: cw_inside_yes outside callbacks. */
enum cw_inside cw_guard_easy(const struct cw_easy *easy, enum cw_api api);
enum cw_inside cw_guard_multi(const struct cw_multi *multi, enum cw_api api);

/* How a call of a callback begins. */
enum cw_call {
  CW_CALL_NOW,      /* call it, then cw_call_end */
  CW_CALL_ANSWERED, /* it had pended: *presult is the answer */
  CW_CALL_WAITS     /* it pends, or another one does in its direction */
};
enum cw_call cw_call_begin(struct cw_easy *easy, enum cw_slot slot,
                           int64_t *presult);
/* The callback returned. CW_OK: *presult is its answer (it may have been given
   by callback_done meanwhile). CW_AGAIN: it pends, or the handle must be left
   alone (cancelled, doomed). */
CW_MUST_CHECK enum cw_code cw_call_end(struct cw_easy *easy, enum cw_slot slot,
                                       int64_t *presult);
/* Brackets without pending (debug, closesocket, multi's own). */
void cw_call_enter(struct cw_easy *easy);
void cw_call_leave(struct cw_easy *easy);
/* Whether something in that direction waits for an answer. */
bool cw_is_held(const struct cw_easy *easy, enum cw_hold hold);
const char *cw_slot_name(enum cw_slot slot);

#endif
