/* Entry points of the multi handle. */
#include <stdarg.h>

#include "engine/guard.h"
#include "engine/multi.h"

CWM *cw_multi_init(void) {
  return cw_multi_init_on(cw_platform_real());
}

CWM *cw_multi_init_on(const struct cw_platform *platform) {
  struct cw_multi *multi = NULL;
  return platform && cw_multi_new(platform, &multi) == CW_OK ? multi : NULL;
}

/* The callback of notifications is told between turns: only what takes a turn,
   and the end of the multi, is not possible there. */
static bool is_refused_to_notify(enum cw_api api) {
  return api == cw_api_multi_perform || api == cw_api_multi_turn ||
         api == cw_api_multi_socket_action || api == cw_api_multi_cleanup;
}

/* CWM_OK if the call is allowed now. */
static enum cw_mcode enter(const struct cw_multi *multi, enum cw_api api) {
  if (!cw_multi_is_valid(multi)) {
    return CWM_BAD_HANDLE;
  }
  bool refused = cw_guard_multi(multi, api) == cw_inside_no ||
                 (multi->notices.telling && is_refused_to_notify(api));
  return refused ? CWM_RECURSIVE_API_CALL : CWM_OK;
}

enum cw_mcode cw_multi_cleanup(CWM *multi) {
  if (!multi) {
    return CWM_OK;
  }
  enum cw_mcode err = enter(multi, cw_api_multi_cleanup);
  if (!err) {
    cw_multi_destroy(multi);
  }
  return err;
}

enum cw_mcode cw_multi_add_handle(CWM *multi, CW *easy) {
  enum cw_mcode err = enter(multi, cw_api_multi_add_handle);
  if (err) {
    return err;
  }
  if (!cw_easy_is_valid(easy)) {
    return CWM_BAD_EASY_HANDLE;
  }
  return easy->multi ? CWM_ADDED_ALREADY : cw_multi_attach(multi, easy);
}

enum cw_mcode cw_multi_remove_handle(CWM *multi, CW *easy) {
  enum cw_mcode err = enter(multi, cw_api_multi_remove_handle);
  if (err) {
    return err;
  }
  if (!cw_easy_is_valid(easy)) {
    return CWM_BAD_EASY_HANDLE;
  }
  if (easy->multi != multi) {
    return easy->multi ? CWM_BAD_EASY_HANDLE : CWM_OK;
  }
  if (cw_guard_easy(easy, cw_api_multi_remove_handle) == cw_inside_deferred) {
    easy->leaving = true;
    cw_transfer_wake(easy);
    return CWM_OK;
  }
  cw_multi_drop(multi, easy);
  return CWM_OK;
}

static enum cw_mcode run(struct cw_multi *multi, int64_t max_wait_us,
                         int *prunning) {
  enum cw_mcode err = cw_multi_run(multi, max_wait_us);
  if (prunning) {
    *prunning = multi->running;
  }
  return err;
}

enum cw_mcode cw_multi_perform(CWM *multi, int *prunning) {
  enum cw_mcode err = enter(multi, cw_api_multi_perform);
  return err ? err : run(multi, 0, prunning);
}

enum cw_mcode cw_multi_turn(CWM *multi, int timeout_ms, int *prunning) {
  enum cw_mcode err = enter(multi, cw_api_multi_turn);
  if (err) {
    return err;
  }
  return run(multi, timeout_ms < 0 ? -1 : (int64_t)timeout_ms * 1000, prunning);
}

enum cw_mcode cw_multi_poll(CWM *multi, int timeout_ms, int *pnready) {
  enum cw_mcode err = enter(multi, cw_api_multi_poll);
  if (err) {
    return err;
  }
  bool ready = false;
  multi->depth++;
  enum cw_code code = cw_loop_wait(
      multi->loop, timeout_ms < 0 ? -1 : (int64_t)timeout_ms * 1000, &ready);
  multi->depth--;
  if (pnready) {
    *pnready = ready;
  }
  return code ? CWM_UNRECOVERABLE_POLL : CWM_OK;
}

enum cw_mcode cw_multi_wakeup(CWM *multi) {
  if (!cw_multi_is_valid(multi)) {
    return CWM_BAD_HANDLE;
  }
  cw_loop_wake(multi->loop);
  return CWM_OK;
}

struct cw_msg *cw_multi_info_read(CWM *multi, int *pqueued) {
  if (!cw_multi_is_valid(multi)) {
    return NULL;
  }
  struct cw_node *node = cw_list_take_head(&multi->messages);
  if (pqueued) {
    *pqueued = (int)multi->messages.count;
  }
  if (!node) {
    return NULL;
  }
  struct cw_easy *easy = CW_CONTAINER(node, struct cw_easy, message);
  multi->told = (struct cw_msg){CW_MSG_DONE, easy, easy->result};
  return &multi->told;
}

enum cw_mcode cw_multi_timeout(CWM *multi, long *ptimeout_ms) {
  enum cw_mcode err = enter(multi, cw_api_multi_timeout);
  if (!err) {
    int64_t due = cw_loop_next_due_us(multi->loop);
    *ptimeout_ms = due < 0 ? -1 : (long)((due + 999) / 1000);
  }
  return err;
}

enum cw_mcode cw_multi_socket_action(CWM *multi, int fd, int evmask,
                                     int *prunning) {
  enum cw_mcode err = enter(multi, cw_api_multi_socket_action);
  if (err) {
    return err;
  }
  if (fd == CW_SOCKET_TIMEOUT) {
    (void)cw_loop_feed(multi->loop, -1, 0);
  } else {
    unsigned events = 0;
    events |= evmask & CW_CSELECT_IN ? CW_READY_READ : 0u;
    events |= evmask & CW_CSELECT_OUT ? CW_READY_WRITE : 0u;
    events |= evmask & CW_CSELECT_ERR ? CW_READY_ERROR : 0u;
    if (!cw_loop_feed(multi->loop, fd, events)) {
      return CWM_BAD_SOCKET;
    }
  }
  return run(multi, 0, prunning);
}

enum cw_mcode cw_multi_assign(CWM *multi, int fd, void *socketp) {
  if (!cw_multi_is_valid(multi)) {
    return CWM_BAD_HANDLE;
  }
  struct cw_watch *watch = cw_loop_watch_of(multi->loop, fd);
  if (!watch) {
    return CWM_BAD_SOCKET;
  }
  watch->socketp = socketp;
  return CWM_OK;
}

int cw_multi_fd(CWM *multi) {
  return cw_multi_is_valid(multi) ? cw_loop_fd(multi->loop) : -1;
}

int64_t cw_multi_now_us(CWM *multi) {
  return cw_multi_is_valid(multi) ? cw_loop_now_us(multi->loop) : 0;
}

int64_t cw_multi_wall_s(CWM *multi) {
  return cw_multi_is_valid(multi) ? cw_loop_wall_s(multi->loop) : 0;
}

/* --- options
 * ------------------------------------------------------------------ */

enum {
#define feature(name, built, library, prose) built_##name = (built),
#include "tbl/features.def"
#undef feature
};

enum mkind {
  mkind_bool,
  mkind_int,
  mkind_bytes,
  mkind_list,
  mkind_data,
  mkind_callback
};

static const struct moption_row {
  int number;
  enum mkind kind;
  int64_t min, max;
  bool has_range, is_built;
} moptions[] = {
#define moption(name_, number_, kind_, default_, min_, max_, feature_, ...) \
  {(number_), mkind_##kind_,    (min_),                                     \
   (max_),    (min_) != (max_), built_##feature_},
#include "tbl/moptions.def"
#undef moption
};

static enum cw_mcode find(CWM *multi, enum cw_moption option, size_t *pindex) {
  enum cw_mcode err = enter(multi, cw_api_multi_setopt);
  if (err) {
    return err;
  }
  for (size_t i = 0; i < cw_mopt_count; i++) {
    if (moptions[i].number == (int)option) {
      *pindex = i;
      return moptions[i].is_built ? CWM_OK : CWM_NOT_BUILT_IN;
    }
  }
  return CWM_UNKNOWN_OPTION;
}

enum cw_mcode cw_multi_set_int(CWM *multi, enum cw_moption option,
                               int64_t value) {
  size_t i = 0;
  enum cw_mcode err = find(multi, option, &i);
  if (err) {
    return err;
  }
  if (moptions[i].kind > mkind_bytes ||
      (moptions[i].has_range &&
       (value < moptions[i].min || value > moptions[i].max))) {
    return CWM_BAD_FUNCTION_ARGUMENT;
  }
  multi->option[i].i = value;
  if (i == cw_mopt_maxconnects && value > 0) {
    cw_multi_set_max_idle(multi, (size_t)value);
  }
  return CWM_OK;
}

enum cw_mcode cw_multi_set_ptr(CWM *multi, enum cw_moption option, void *ptr) {
  size_t i = 0;
  enum cw_mcode err = find(multi, option, &i);
  if (!err && moptions[i].kind != mkind_data) {
    err = CWM_BAD_FUNCTION_ARGUMENT;
  }
  if (!err) {
    multi->option[i].p = ptr;
  }
  return err;
}

enum cw_mcode cw_multi_set_fn(CWM *multi, enum cw_moption option,
                              cw_any_fn fn) {
  size_t i = 0;
  enum cw_mcode err = find(multi, option, &i);
  if (!err && moptions[i].kind != mkind_callback) {
    err = CWM_BAD_FUNCTION_ARGUMENT;
  }
  if (err) {
    return err;
  }
  multi->option[i].f = fn;
  return cw_multi_update_hooks(multi);
}

enum cw_mcode cw_multi_get_int(CWM *multi, enum cw_moption option,
                               int64_t *pvalue) {
  size_t i = 0;
  enum cw_mcode err = find(multi, option, &i);
  if (!err && moptions[i].kind > mkind_bytes) {
    err = CWM_BAD_FUNCTION_ARGUMENT;
  }
  if (!err) {
    *pvalue = multi->option[i].i;
  }
  return err;
}

enum cw_mcode cw_multi_setopt(CWM *multi, enum cw_moption option, ...) {
  int number = (int)option;
  va_list ap;
  va_start(ap, option);
  enum cw_mcode err;
  if (number < 10000) {
    err = cw_multi_set_int(multi, option, va_arg(ap, long));
  } else if (number < 20000) {
    err = cw_multi_set_ptr(multi, option, va_arg(ap, void *));
  } else if (number < 30000) {
    err = cw_multi_set_fn(multi, option, va_arg(ap, cw_any_fn));
  } else {
    err = cw_multi_set_int(multi, option, va_arg(ap, int64_t));
  }
  va_end(ap);
  return err;
}

enum cw_mcode cw_multi_notify_enable(CWM *multi, unsigned notification) {
  enum cw_mcode err = enter(multi, cw_api_multi_notify);
  return err ? err : cw_notify_enable(multi, notification, true);
}

enum cw_mcode cw_multi_notify_disable(CWM *multi, unsigned notification) {
  enum cw_mcode err = enter(multi, cw_api_multi_notify);
  return err ? err : cw_notify_enable(multi, notification, false);
}

/* --- timers of the application -------------------------------------------- */

enum cw_mcode cw_multi_timer_start(CWM *multi, int64_t delay_ms,
                                   void (*fn)(void *data), void *data,
                                   uint64_t *pid) {
  return cw_multi_is_valid(multi)
             ? cw_user_timer_start(multi, delay_ms, fn, data, pid)
             : CWM_BAD_HANDLE;
}

void cw_multi_timer_stop(CWM *multi, uint64_t id) {
  if (cw_multi_is_valid(multi)) {
    cw_user_timer_stop(multi, id);
  }
}

int64_t cw_multi_count(CWM *multi, const char *name) {
  if (!cw_multi_is_valid(multi) || !name) {
    return -1;
  }
  const struct {
    const char *name;
    int64_t value;
  } counts[] = {
      {"connections_open", (int64_t)cw_pool_count(multi->pool)},
      {"connections_idle", (int64_t)cw_pool_count_idle(multi->pool)},
      {"connections_made", (int64_t)cw_pool_made(multi->pool)},
      {"transfers", multi->running},
      {"waiting", (int64_t)multi->waiting.count},
  };
  struct cw_slice wanted = cw_slice_str(name);
  for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
    if (cw_slice_eq_str(wanted, counts[i].name)) {
      return counts[i].value;
    }
  }
  return -1;
}
