#include "engine/guard.h"

#include "engine/multi.h"

static const enum cw_inside inside[] = {
#define api(name, object, inside_, prose) cw_inside_##inside_,
#include "tbl/api.def"
#undef api
};

struct slot_row {
  const char *name;
  enum cw_hold hold;
  bool may_pend;
};

static const struct slot_row slots[] = {
    {"none", cw_hold_none, false},
#define callback(name, fn, data, type, shape, holds, pend, ...) \
  {#name, cw_hold_##holds, pend},
#define mcallback(...)
#include "tbl/callbacks.def"
#undef callback
#undef mcallback
};

const char *cw_slot_name(enum cw_slot slot) {
  return slots[slot].name;
}

enum cw_inside cw_guard_easy(const struct cw_easy *easy, enum cw_api api) {
  return easy->depth > 0 || easy->t.running_now ? inside[api] : cw_inside_yes;
}

enum cw_inside cw_guard_multi(const struct cw_multi *multi, enum cw_api api) {
  bool is_inside = multi->depth > 0 || multi->callbacks > 0;
  return is_inside ? inside[api] : cw_inside_yes;
}

bool cw_is_held(const struct cw_easy *easy, enum cw_hold hold) {
  return easy->pend[hold].state == CW_PEND_WAITS;
}

void cw_call_enter(struct cw_easy *easy) {
  easy->depth++;
  if (easy->multi) {
    easy->multi->callbacks++;
  }
}

void cw_call_leave(struct cw_easy *easy) {
  easy->depth--;
  if (easy->multi) {
    easy->multi->callbacks--;
  }
}

enum cw_call cw_call_begin(struct cw_easy *easy, enum cw_slot slot,
                           int64_t *presult) {
  struct cw_pend *pend = &easy->pend[slots[slot].hold];
  if (easy->doomed || easy->leaving || easy->cancelled) {
    return CW_CALL_WAITS; /* the driver ends it; nobody wants to be asked */
  }
  if (pend->state == CW_PEND_ANSWERED && pend->slot == slot) {
    *presult = pend->result;
    pend->state = CW_PEND_NONE;
    return CW_CALL_ANSWERED;
  }
  if (pend->state != CW_PEND_NONE) {
    return CW_CALL_WAITS;
  }
  pend->slot = slot;
  cw_call_enter(easy);
  return CW_CALL_NOW;
}

enum cw_code cw_call_end(struct cw_easy *easy, enum cw_slot slot,
                         int64_t *presult) {
  struct cw_pend *pend = &easy->pend[slots[slot].hold];
  cw_call_leave(easy);
  if (easy->doomed || easy->leaving || easy->cancelled) {
    if (*presult == CW_CALLBACK_PENDING && pend->state == CW_PEND_ANSWERED) {
      *presult = pend->result; /* a descriptor has to be closed */
    }
    pend->state = CW_PEND_NONE;
    return CW_AGAIN;
  }
  if (*presult != CW_CALLBACK_PENDING || !slots[slot].may_pend) {
    return CW_OK;
  }
  if (pend->state == CW_PEND_ANSWERED) {
    *presult = pend->result;
    pend->state = CW_PEND_NONE;
    return CW_OK;
  }
  pend->state = CW_PEND_WAITS;
  return CW_AGAIN;
}
