/*
 * The multi handle: what its transfers share, and the turn of its loop.
 */
#include "engine/multi.h"

#include <string.h>

#include "base/mem.h"
#include "conn/listen.h"
#include "engine/guard.h"
#include "engine/states.h"

static const int64_t initial[] = {
#define moption(name_, number_, kind_, default_, ...) (default_),
#include "tbl/moptions.def"
#undef moption
};

bool cw_multi_is_valid(const struct cw_multi *multi) {
  return multi && multi->magic == CW_MULTI_MAGIC;
}

struct cw_stream_set *cw_multi_streams(struct cw_multi *multi) {
  return multi->streams;
}

enum cw_code cw_multi_new(const struct cw_platform *platform,
                          struct cw_multi **pmulti) {
  struct cw_multi *multi = cw_calloc(1, sizeof(*multi));
  if (!multi) {
    return CWE_OUT_OF_MEMORY;
  }
  multi->magic = CW_MULTI_MAGIC;
  cw_idtab_init(&multi->easies);
  cw_idtab_init(&multi->timers);
  cw_list_init(&multi->messages);
  cw_list_init(&multi->waiting);
  cw_list_init(&multi->opening);
  cw_notices_init(&multi->notices);
  for (size_t i = 0; i < cw_mopt_count; i++) {
    multi->option[i].i = initial[i];
  }
  multi->streams = cw_calloc(1, sizeof(*multi->streams));
  enum cw_code err = multi->streams ? CW_OK : CWE_OUT_OF_MEMORY;
  if (!err) {
    err = cw_loop_open(platform, &multi->loop);
  }
  if (!err) {
    cw_stream_set_init(multi->streams, multi->loop);
  }
  if (!err) {
    err = cw_resolver_new(multi->loop, &multi->resolver);
  }
  if (!err) {
    err = cw_pool_new(multi->loop, &multi->pool);
  }
  if (err) {
    cw_multi_destroy(multi);
    return err;
  }
  *pmulti = multi;
  return CW_OK;
}

void cw_multi_destroy(struct cw_multi *multi) {
  multi->depth++; /* sockets are closed by callbacks */
  for (;;) {
    uint64_t id = cw_idtab_next(&multi->easies, 0);
    if (!id) {
      break;
    }
    struct cw_easy *easy = cw_idtab_get(&multi->easies, id);
    (void)!cw_hsts_save(easy, &easy->fail); /* cw_easy_detail tells */
    cw_multi_drop(multi, easy);
  }
  cw_idtab_fini(&multi->easies);
  if (multi->loop) {
    cw_stream_set_close_all(multi->streams);
  }
  cw_free(multi->streams);
  cw_pool_free(multi->pool);
  cw_resolver_free(multi->resolver);
  cw_user_timers_free(multi);
  cw_loop_close(multi->loop);
  multi->magic = 0;
  cw_free(multi);
}

void cw_multi_set_max_idle(struct cw_multi *multi, size_t max_idle) {
  multi->depth++; /* sockets are closed by callbacks */
  cw_pool_set_max_idle(multi->pool, max_idle);
  multi->depth--;
}

enum cw_mcode cw_multi_attach(struct cw_multi *multi, struct cw_easy *easy) {
  enum cw_code err = cw_share_check(easy, cw_loop_platform(multi->loop));
  if (err) {
    return CWM_BAD_EASY_HANDLE;
  }
  err = cw_idtab_add(&multi->easies, easy, &easy->id);
  if (err) {
    return CWM_OUT_OF_MEMORY;
  }
  easy->multi = multi;
  err = cw_transfer_start(easy);
  if (err) {
    (void)cw_idtab_take(&multi->easies, easy->id);
    easy->id = 0;
    easy->multi = NULL;
    return err == CWE_OUT_OF_MEMORY ? CWM_OUT_OF_MEMORY : CWM_BAD_EASY_HANDLE;
  }
  easy->t.xfer_id = easy->id;
  multi->running++;
  /* By the most handles there were: who removes all that are done before adding
     them again must find their connections. */
  if (multi->easies.count > multi->most_easies) {
    multi->most_easies = multi->easies.count;
  }
  size_t idle = (size_t)multi->option[cw_mopt_maxconnects].i;
  cw_multi_set_max_idle(multi, idle ? idle : 4 * multi->most_easies);
  return CWM_OK;
}

void cw_multi_detach(struct cw_multi *multi, struct cw_easy *easy) {
  bool told = easy->t.told;
  bool was_running = easy->t.running_now;
  multi->depth++;
  easy->t.running_now = true; /* what closing calls may not free the handle */
  cw_transfer_end(easy, CWE_ABORTED_BY_CALLBACK);
  if (easy->x_ready) {
    easy->x.proto->stop(&easy->x);
  }
  /* What the debug callback did meanwhile may have woken it once more. */
  cw_task_cancel(multi->loop, &easy->t.task);
  cw_timer_stop(multi->loop, &easy->t.timer);
  easy->leaving = false;
  easy->t.running_now = was_running;
  multi->depth--;
  if (!told) {
    multi->running--;
  }
  cw_list_remove(&multi->messages, &easy->message);
  cw_notify_forget(multi, easy);
  (void)cw_idtab_take(&multi->easies, easy->id);
  easy->id = 0;
  easy->multi = NULL;
  if (easy->t.state == cw_state_done) {
    cw_transfer_set_state(easy, cw_state_idle);
  }
}

/* Whether two keys begin with the same destination. */
static bool same_destination(struct cw_slice a, struct cw_slice b) {
  size_t n = cw_slice_find(a, '\0');
  return n == cw_slice_find(b, '\0') &&
         cw_slice_eq(cw_slice(a.ptr, n), cw_slice(b.ptr, n));
}

void cw_multi_drop(struct cw_multi *multi, struct cw_easy *easy) {
  cw_multi_detach(multi, easy);
  if (easy->doomed) {
    cw_easy_destroy(easy);
  }
}

uint64_t cw_multi_opening_to(struct cw_multi *multi, struct cw_slice key) {
  uint64_t n = 0;
  struct cw_node *node = cw_list_first(&multi->opening);
  for (; node; node = cw_list_next(&multi->opening, node)) {
    struct cw_transfer *t = CW_CONTAINER(node, struct cw_transfer, opening);
    n += same_destination(cw_buf_slice(&t->key), key);
  }
  return n;
}

void cw_multi_wake_waiting(struct cw_multi *multi, struct cw_slice key) {
  struct cw_node *node = cw_list_first(&multi->waiting);
  bool first = true;
  for (; node; node = cw_list_next(&multi->waiting, node)) {
    struct cw_transfer *t = CW_CONTAINER(node, struct cw_transfer, waiting);
    if (cw_node_is_linked(&t->task.node)) {
      continue; /* woken for another connection that became free */
    }
    bool same = same_destination(cw_buf_slice(&t->key), key);
    if (first || same) {
      cw_task_post(multi->loop, &t->task);
    }
    first = false;
    if (same) {
      return;
    }
  }
}

void cw_multi_tell(struct cw_multi *multi, struct cw_easy *easy) {
  if (easy->t.told) {
    return;
  }
  easy->t.told = true;
  multi->running--;
  bool messages_waited = multi->messages.count > 0;
  cw_list_add_tail(&multi->messages, &easy->message);
  cw_notify_ended(multi, easy, messages_waited);
}

static enum cw_mcode mcode_of(enum cw_code code) {
  switch (code) {
  case CW_OK:
    return CWM_OK;
  case CWE_OUT_OF_MEMORY:
    return CWM_OUT_OF_MEMORY;
  case CWE_ABORTED_BY_CALLBACK:
    return CWM_ABORTED_BY_CALLBACK;
  default:
    return CWM_UNRECOVERABLE_POLL;
  }
}

enum cw_mcode cw_multi_run(struct cw_multi *multi, int64_t max_wait_us) {
  multi->depth++;
  enum cw_code err = cw_loop_turn(multi->loop, max_wait_us);
  multi->depth--;
  if (!err && multi->hook_error) {
    err = multi->hook_error;
    multi->hook_error = CW_OK;
  }
  cw_notify_tell(multi);
  return mcode_of(err);
}

/* --- foreign loops -------------------------------------------------------- */

static int wish_of(unsigned events) {
  switch (events & (CW_READY_READ | CW_READY_WRITE)) {
  case CW_READY_READ:
    return CW_POLL_IN;
  case CW_READY_WRITE:
    return CW_POLL_OUT;
  case CW_READY_READ | CW_READY_WRITE:
    return CW_POLL_INOUT;
  default:
    return CW_POLL_REMOVE;
  }
}

static enum cw_code hook_socket(void *data, int fd, unsigned events,
                                struct cw_watch *watch) {
  struct cw_multi *multi = data;
  cw_socket_fn fn = (cw_socket_fn)multi->option[cw_mopt_socketfunction].f;
  if (!fn) {
    return CW_OK;
  }
  multi->depth++;
  int result = fn(NULL, fd, wish_of(events),
                  multi->option[cw_mopt_socketdata].p, watch->socketp);
  multi->depth--;
  return result == -1 ? CWE_ABORTED_BY_CALLBACK : CW_OK;
}

static enum cw_code hook_timer(void *data, int64_t delay_us) {
  struct cw_multi *multi = data;
  cw_multi_timer_fn fn =
      (cw_multi_timer_fn)multi->option[cw_mopt_timerfunction].f;
  if (!fn) {
    return CW_OK;
  }
  long delay_ms = delay_us < 0 ? -1 : (long)((delay_us + 999) / 1000);
  multi->depth++;
  int result = fn(multi, delay_ms, multi->option[cw_mopt_timerdata].p);
  multi->depth--;
  return result == -1 ? CWE_ABORTED_BY_CALLBACK : CW_OK;
}

enum cw_mcode cw_multi_update_hooks(struct cw_multi *multi) {
  if (!multi->option[cw_mopt_socketfunction].f &&
      !multi->option[cw_mopt_timerfunction].f) {
    return mcode_of(cw_loop_set_hooks(multi->loop, NULL));
  }
  struct cw_loop_hooks hooks = {
      .on_socket = hook_socket, .on_timer = hook_timer, .data = multi};
  return mcode_of(cw_loop_set_hooks(multi->loop, &hooks));
}
