/* Timers that the application starts on a multi: each fires once, and its id
   finds nothing afterwards. */
#include "base/mem.h"
#include "engine/multi.h"

struct user_timer {
  struct cw_timer timer;
  struct cw_multi *multi;
  uint64_t id;
  void (*fn)(void *data);
  void *data;
};

static void on_due(struct cw_timer *timer, void *data) {
  (void)timer;
  struct user_timer *u = data;
  void (*fn)(void *) = u->fn;
  void *fn_data = u->data;
  (void)cw_idtab_take(&u->multi->timers, u->id);
  cw_free(u);
  fn(fn_data);
}

enum cw_mcode cw_user_timer_start(struct cw_multi *multi, int64_t delay_ms,
                                  void (*fn)(void *data), void *data,
                                  uint64_t *pid) {
  struct user_timer *u = cw_calloc(1, sizeof(*u));
  if (!u) {
    return CWM_OUT_OF_MEMORY;
  }
  u->multi = multi;
  u->fn = fn;
  u->data = data;
  if (cw_idtab_add(&multi->timers, u, &u->id)) {
    cw_free(u);
    return CWM_OUT_OF_MEMORY;
  }
  cw_timer_init(&u->timer, on_due, u);
  cw_timer_start(multi->loop, &u->timer, delay_ms * 1000);
  *pid = u->id;
  return CWM_OK;
}

void cw_user_timer_stop(struct cw_multi *multi, uint64_t id) {
  struct user_timer *u = cw_idtab_take(&multi->timers, id);
  if (u) {
    cw_timer_stop(multi->loop, &u->timer);
    cw_free(u);
  }
}

void cw_user_timers_free(struct cw_multi *multi) {
  for (;;) {
    uint64_t id = cw_idtab_next(&multi->timers, 0);
    if (!id) {
      break;
    }
    cw_user_timer_stop(multi, id);
  }
  cw_idtab_fini(&multi->timers);
}
