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
/* The same in another world, see curlew/vnet.h; platform must outlive the
   multi. */
CW_EXTERN CWM *cw_multi_init_on(const struct cw_platform *platform);
/* Removes its transfers (their handles stay the caller's), closes its
   connections, listeners and streams, frees. Inside a callback of its own:
   CWM_RECURSIVE_API_CALL. NULL is allowed. */
CW_EXTERN enum cw_mcode cw_multi_cleanup(CWM *multi);

/* Queues the transfer; it starts with the next turn of the loop. The handle
   stays the caller's and has to be removed when its message was read, before
   it is added again. CWM_ADDED_ALREADY: it is in a multi;
   CWM_BAD_EASY_HANDLE; CWM_OUT_OF_MEMORY. Legal inside any callback. */
CW_EXTERN enum cw_mcode cw_multi_add_handle(CWM *multi, CW *easy);
/* Takes the handle out, and ends its transfer without a message if it still
   runs. Deferred inside its callbacks. CWM_OK if it is in none;
   CWM_BAD_EASY_HANDLE: it is in another one. */
CW_EXTERN enum cw_mcode cw_multi_remove_handle(CWM *multi, CW *easy);

/* One turn without waiting; *prunning gets the number of running transfers. */
CW_EXTERN enum cw_mcode cw_multi_perform(CWM *multi, int *prunning);
/* Waits for at most timeout_ms (-1: as long as it takes) for something to do,
   and does nothing; *pnready, if not NULL, gets whether there is. */
CW_EXTERN enum cw_mcode cw_multi_poll(CWM *multi, int timeout_ms, int *pnready);
/* Makes a running or the next cw_multi_poll or cw_multi_turn return; any
   thread. */
CW_EXTERN enum cw_mcode cw_multi_wakeup(CWM *multi);
/* Waits for at most timeout_ms (-1: as long as it takes) and serves what is
   ready: poll and perform in one. *prunning as in perform; prunning may be
   NULL. CWM_UNRECOVERABLE_POLL: waiting failed;
   CWM_ABORTED_BY_CALLBACK: a socket or timer callback said so. */
CW_EXTERN enum cw_mcode cw_multi_turn(CWM *multi, int timeout_ms,
                                      int *prunning);

/* A transfer that has finished, with its result; each is told once. NULL if
   there is none. *pqueued, if not NULL, gets how many are left. What is
   returned is the multi's, good until the next call. */
struct cw_msg {
  int msg; /* CW_MSG_DONE */
  CW *easy;
  enum cw_code result;
};
#define CW_MSG_DONE 1
CW_EXTERN struct cw_msg *cw_multi_info_read(CWM *multi, int *pqueued);

/* Milliseconds until the next timer, rounded up; -1: none; 0: now. */
CW_EXTERN enum cw_mcode cw_multi_timeout(CWM *multi, long *ptimeout_ms);
/* For foreign loops that watch sockets themselves (SOCKETFUNCTION,
   TIMERFUNCTION set): fd is ready for evmask, CW_CSELECT_ bits; fd
   CW_SOCKET_TIMEOUT when the timer fired. Serves it. CWM_BAD_SOCKET: not one
   of ours (any more). */
CW_EXTERN enum cw_mcode cw_multi_socket_action(CWM *multi, int fd, int evmask,
                                               int *prunning);
/* Attaches a pointer to a socket, for the SOCKETFUNCTION; gone when the socket
   is. CWM_BAD_SOCKET. */
CW_EXTERN enum cw_mcode cw_multi_assign(CWM *multi, int fd, void *socketp);
/* For foreign loops that nest: one descriptor that is readable when there is
   something to do; -1 where there is none. */
CW_EXTERN int cw_multi_fd(CWM *multi);

/* Sets one option; types as in cw_easy_setopt. CWM_UNKNOWN_OPTION;
   CWM_NOT_BUILT_IN; CWM_BAD_FUNCTION_ARGUMENT: out of range. */
CW_EXTERN enum cw_mcode cw_multi_setopt(CWM *multi, enum cw_moption option,
                                        ...);
/* The same by kind, for bindings; get_int reads back. A kind that does not fit
   the option is CWM_BAD_FUNCTION_ARGUMENT. */
CW_EXTERN enum cw_mcode cw_multi_set_int(CWM *multi, enum cw_moption option,
                                         int64_t value);
CW_EXTERN enum cw_mcode cw_multi_set_ptr(CWM *multi, enum cw_moption option,
                                         void *ptr);
CW_EXTERN enum cw_mcode cw_multi_set_fn(CWM *multi, enum cw_moption option,
                                        cw_any_fn fn);
CW_EXTERN enum cw_mcode cw_multi_get_int(CWM *multi, enum cw_moption option,
                                         int64_t *pvalue);

/* Whether NOTIFYFUNCTION is told of that kind, a CWMNOTIFY_ value; at first of
   none. CWM_UNKNOWN_OPTION: there is no such kind. Allowed inside callbacks. */
CW_EXTERN enum cw_mcode cw_multi_notify_enable(CWM *multi,
                                               unsigned notification);
CW_EXTERN enum cw_mcode cw_multi_notify_disable(CWM *multi,
                                                unsigned notification);

/* The monotonic time of the multi's world in microseconds. */
CW_EXTERN int64_t cw_multi_now_us(CWM *multi);
/* The wall clock of that world, seconds since 1970. */
CW_EXTERN int64_t cw_multi_wall_s(CWM *multi);
/* Calls fn once from a turn of the loop, delay_ms from now; *pid is for
   cw_multi_timer_stop, which is allowed for an id that fired. A timer that has
   not fired goes with the multi, uncalled. CWM_OUT_OF_MEMORY. */
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
