/*
 * The multi handle: many transfers on one loop, with one pool of connections
 * and one cache of names. One thread at a time.
 */
#ifndef CURLEW_MULTI_H
#define CURLEW_MULTI_H

#include "curlew/callback.h"
#include "curlew/easy.h"
#include "curlew/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NULL for want of memory or descriptors. */
CW_EXTERN CWM *cw_multi_init(void);
/* The same in another world, see curlew/vnet.h; platform outlives the multi. */
CW_EXTERN CWM *cw_multi_init_on(const struct cw_platform *platform);
/* Removes its transfers, closes its connections and streams, frees. Inside a
   callback of its own: CWM_RECURSIVE_API_CALL. NULL is allowed. */
CW_EXTERN enum cw_mcode cw_multi_cleanup(CWM *multi);

/* Queues the transfer; it starts with the next turn of the loop.
   CWM_ADDED_ALREADY; CWM_OUT_OF_MEMORY. Legal inside any callback. */
CW_EXTERN enum cw_mcode cw_multi_add_handle(CWM *multi, CW *easy);
/* Ends the transfer without a message. Deferred inside its callbacks. */
CW_EXTERN enum cw_mcode cw_multi_remove_handle(CWM *multi, CW *easy);

/* One turn without waiting; *prunning gets the number of running transfers. */
CW_EXTERN enum cw_mcode cw_multi_perform(CWM *multi, int *prunning);
/* Waits for at most timeout_ms for something to do. */
CW_EXTERN enum cw_mcode cw_multi_poll(CWM *multi, int timeout_ms,
                                      int *pnready);
/* Makes a running or the next cw_multi_poll return; any thread. */
CW_EXTERN enum cw_mcode cw_multi_wakeup(CWM *multi);
/* Waits for at most timeout_ms (-1: as long as it takes) and serves what is
   ready: poll and perform in one. *prunning as in perform. */
CW_EXTERN enum cw_mcode cw_multi_turn(CWM *multi, int timeout_ms,
                                      int *prunning);

/* A transfer that has finished; each is told once. NULL if none. */
struct cw_msg {
  int msg; /* CW_MSG_DONE */
  CW *easy;
  enum cw_code result;
};
#define CW_MSG_DONE 1
CW_EXTERN struct cw_msg *cw_multi_info_read(CWM *multi, int *pqueued);

/* Milliseconds until the next timer; -1: none; 0: now. */
CW_EXTERN enum cw_mcode cw_multi_timeout(CWM *multi, long *ptimeout_ms);
/* For foreign loops that watch sockets themselves (SOCKETFUNCTION,
   TIMERFUNCTION set): fd CW_SOCKET_TIMEOUT when the timer fired. */
CW_EXTERN enum cw_mcode cw_multi_socket_action(CWM *multi, int fd, int evmask,
                                               int *prunning);
CW_EXTERN enum cw_mcode cw_multi_assign(CWM *multi, int fd, void *socketp);
/* For foreign loops that nest: one descriptor that is readable when there is
   something to do; -1 where there is none. */
CW_EXTERN int cw_multi_fd(CWM *multi);

CW_EXTERN enum cw_mcode cw_multi_setopt(CWM *multi, enum cw_moption option,
                                        ...);
CW_EXTERN enum cw_mcode cw_multi_set_int(CWM *multi, enum cw_moption option,
                                         int64_t value);
CW_EXTERN enum cw_mcode cw_multi_set_ptr(CWM *multi, enum cw_moption option,
                                         void *ptr);
CW_EXTERN enum cw_mcode cw_multi_set_fn(CWM *multi, enum cw_moption option,
                                        cw_any_fn fn);
CW_EXTERN enum cw_mcode cw_multi_get_int(CWM *multi, enum cw_moption option,
                                         int64_t *pvalue);

/* The monotonic time of the multi's world in microseconds. */
CW_EXTERN int64_t cw_multi_now_us(CWM *multi);
/* The wall clock of that world, seconds since 1970. */
CW_EXTERN int64_t cw_multi_wall_s(CWM *multi);
/* Calls fn once from a turn of the loop, delay_ms from now; *pid is for
   cw_multi_timer_stop, which is allowed for an id that fired. */
CW_EXTERN CW_MUST_CHECK enum cw_mcode
cw_multi_timer_start(CWM *multi, int64_t delay_ms, void (*fn)(void *data),
                     void *data, uint64_t *pid);
CW_EXTERN void cw_multi_timer_stop(CWM *multi, uint64_t id);

/* Figures for tests and benches, by name ("connections_open",
   "connections_idle", "transfers", "connections_made"); -1: no such name. */
CW_EXTERN int64_t cw_multi_count(CWM *multi, const char *name);

#ifdef __cplusplus
}
#endif
#endif
