/* The multi handle, as the engine and the api see it. */
#ifndef CW_ENGINE_MULTI_H
#define CW_ENGINE_MULTI_H

#include "base/idtab.h"
#include "base/list.h"
#include "conn/pool.h"
#include "curlew/multi.h"
#include "engine/easy.h"
#include "net/loop.h"
#include "net/resolve.h"

struct cw_stream_set;

enum cw_mopt {
#define moption(name, ...) cw_mopt_##name,
#include "tbl/moptions.def"
#undef moption
  cw_mopt_count
};

struct cw_notices {
  struct cw_list queue;
  struct cw_notice info_read;
  unsigned enabled; /* bits, by kind */
  bool telling;     /* the callback is on the C stack */
};

struct cw_multi {
  uint32_t magic;
  struct cw_loop *loop;
  struct cw_resolver *resolver;
  struct cw_pool *pool;
  struct cw_stream_set *streams; /* conn/listen.h */
  struct cw_idtab easies;
  struct cw_idtab timers;
  struct cw_list messages; /* ended transfers, of cw_easy.message */
  struct cw_list waiting;  /* transfers without a connection */
  struct cw_list opening;  /* those that may open one and have not yet: they
                              count as connections where there are limits */
  struct cw_notices notices;
  struct cw_msg told; /* what info_read returns a pointer to */
  int running;
  size_t most_easies; /* that were in at once */
  int depth;          /* calls of this multi on the C stack that call out */
  int callbacks;      /* of its transfers on the C stack */
  union cw_value option[cw_mopt_count];
  enum cw_code hook_error;
};

#define CW_MULTI_MAGIC 0x43574d31u

bool cw_multi_is_valid(const struct cw_multi *multi);
struct cw_stream_set *cw_multi_streams(struct cw_multi *multi);
CW_MUST_CHECK enum cw_code cw_multi_new(const struct cw_platform *platform,
                                        struct cw_multi **pmulti);
/* Everything in it ends without messages. */
void cw_multi_destroy(struct cw_multi *multi);
/* How many idle connections the pool keeps; closes what is too many. */
void cw_multi_set_max_idle(struct cw_multi *multi, size_t max_idle);
CW_MUST_CHECK enum cw_mcode cw_multi_attach(struct cw_multi *multi,
                                            struct cw_easy *easy);
/* Not inside a callback of easy. */
void cw_multi_detach(struct cw_multi *multi, struct cw_easy *easy);
/* The same, and frees the handle if a callback that ran meanwhile asked for
   it. */
void cw_multi_drop(struct cw_multi *multi, struct cw_easy *easy);
/* Transfers about to open a connection to the destination of key. */
uint64_t cw_multi_opening_to(struct cw_multi *multi, struct cw_slice key);
/* A connection to the destination of key became free: the first that waits for
   that destination is woken, and the first of all (it may be held up by the
   limit on connections in all). */
void cw_multi_wake_waiting(struct cw_multi *multi, struct cw_slice key);
/* The transfer ended: its message is queued. */
void cw_multi_tell(struct cw_multi *multi, struct cw_easy *easy);
/* One turn that waits for at most max_wait_us. */
CW_MUST_CHECK enum cw_mcode cw_multi_run(struct cw_multi *multi,
                                         int64_t max_wait_us);
/* Installs or removes the hooks of SOCKETFUNCTION and TIMERFUNCTION. */
CW_MUST_CHECK enum cw_mcode cw_multi_update_hooks(struct cw_multi *multi);

/* --- notify.c: notices wait in a queue and are told, in order, when the turn
   is over. A notice is part of what it is about, so telling needs no memory,
   and what goes takes its notice along. ------------------------------------ */

void cw_notices_init(struct cw_notices *notices);
/* A transfer has ended; messages waited for somebody to read them before that,
   or not. */
void cw_notify_ended(struct cw_multi *multi, struct cw_easy *easy,
                     bool messages_waited);
/* Nobody is told of it any more. */
void cw_notify_forget(struct cw_multi *multi, struct cw_easy *easy);
/* Calls NOTIFYFUNCTION for all that is queued and what is queued meanwhile. */
void cw_notify_tell(struct cw_multi *multi);
/* CWM_UNKNOWN_OPTION. */
CW_MUST_CHECK enum cw_mcode cw_notify_enable(struct cw_multi *multi,
                                             unsigned kind, bool enable);

/* --- user_timer.c: as cw_multi_timer_start and _stop ------------------------
 */

CW_MUST_CHECK enum cw_mcode cw_user_timer_start(struct cw_multi *multi,
                                                int64_t delay_ms,
                                                void (*fn)(void *data),
                                                void *data, uint64_t *pid);
void cw_user_timer_stop(struct cw_multi *multi, uint64_t id);
/* Stops all of them and frees the table. */
void cw_user_timers_free(struct cw_multi *multi);

#endif
