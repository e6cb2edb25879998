/*
 * The event loop: time, timers, posted tasks, readiness of sockets.
 *
 * One turn does, in this order:
 *
 *     read the clock -> due timers -> posted tasks and watches known to be
 *     ready -> poll -> watches that became ready -> posted tasks
 *
 * Timers and tasks that are started during a step run in a later step, so
 * nothing can starve the rest. Results are never delivered from inside the
 * call that started the work. Starting, stopping and freeing any timer, task
 * or watch is legal inside any callback, its own included; so is a turn.
 *
 * Readiness is remembered: with an edge-triggered poller a socket is
 * registered once, for both directions, and each watch keeps what it was told
 * (ready) until a read or a write says CW_AGAIN. With a level-triggered one,
 * or a foreign loop, the watch's wish is registered instead. Users see no
 * difference.
 *
 * Nothing here can fail for want of memory once a watch or timer is running.
 */
#ifndef CW_NET_LOOP_H
#define CW_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/chunk.h"
#include "base/list.h"
#include "curlew/error.h"
#include "curlew/platform.h"

struct cw_loop;

/* --- timers: an intrusive heap, ordered by time, then by start ------------ */

struct cw_timer {
  struct cw_timer *child, *next, *prev; /* pairing heap; prev may be parent */
  struct cw_node node;                  /* in the list of those due now */
  int64_t due_us;
  uint64_t order;
  bool running;
  void (*on_due)(struct cw_timer *timer, void *data);
  void *data;
};

void cw_timer_init(struct cw_timer *timer,
                   void (*on_due)(struct cw_timer *timer, void *data),
                   void *data);
/* Starts, or moves a running one. delay_us below 0 counts as 0. */
void cw_timer_start(struct cw_loop *loop, struct cw_timer *timer,
                    int64_t delay_us);
/* At an absolute time of the loop's clock. */
void cw_timer_start_at(struct cw_loop *loop, struct cw_timer *timer,
                       int64_t due_us);
/* Allowed for one that is not running. */
void cw_timer_stop(struct cw_loop *loop, struct cw_timer *timer);

/* --- tasks: run once, soon ------------------------------------------------ */

struct cw_task {
  struct cw_node node;
  void (*run)(struct cw_task *task, void *data);
  void *data;
};

void cw_task_init(struct cw_task *task,
                  void (*run)(struct cw_task *task, void *data), void *data);
/* Posting one that is posted already does nothing. */
void cw_task_post(struct cw_loop *loop, struct cw_task *task);
void cw_task_cancel(struct cw_loop *loop, struct cw_task *task);

/* --- watches: one a socket ------------------------------------------------ */

struct cw_watch {
  struct cw_loop *loop;
  int fd;         /* -1: not open */
  unsigned want;  /* CW_READY_READ | CW_READY_WRITE that the owner waits for */
  unsigned ready; /* what is known to be ready */
  int armed;      /* the poller's own */
  unsigned told;  /* events registered with poller or hook */
  struct cw_node node;    /* in the loop's list of those ready */
  struct cw_node changed; /* in the loop's list of those to be told */
  struct cw_watch *hash_next;
  void *socketp; /* cw_multi_assign's */
  /* Called from a turn when something wanted is ready; again in a later step
     as long as that stays so, that is until the owner met CW_AGAIN, read a
     short piece, or wants something else. */
  void (*on_ready)(struct cw_watch *watch, unsigned events, void *data);
  void *data;
};

void cw_watch_init(struct cw_watch *watch);
/* Starts watching an open socket; assumes it ready for both directions, so
   the first read or write is tried at once. One that is still connecting is
   not: say cw_watch_drained for both. CWE_OUT_OF_MEMORY,
   CWE_UNRECOVERABLE_POLL (the poller refused it). */
CW_MUST_CHECK enum cw_code cw_watch_open(
    struct cw_loop *loop, struct cw_watch *watch, int fd,
    void (*on_ready)(struct cw_watch *watch, unsigned events, void *data),
    void *data);
/* Forgets the socket without closing it. Allowed for one that is not open. */
void cw_watch_close(struct cw_watch *watch);
/* Says what the owner waits for. If that is ready by what is known, on_ready
   is called in the next turn. */
void cw_watch_want(struct cw_watch *watch, unsigned events);
/* The owner met EAGAIN in that direction: no longer ready. */
void cw_watch_drained(struct cw_watch *watch, unsigned events);

/* Reads and writes through the platform. CW_AGAIN: the direction is drained
   (no system call is made where that is known). CWE_RECV_ERROR, CWE_SEND_ERROR
   with *perrno. CW_OK with *pnread 0: the peer has finished. */
CW_MUST_CHECK enum cw_code cw_watch_recv(struct cw_watch *watch, void *bytes,
                                         size_t n, size_t *pnread, int *perrno);
CW_MUST_CHECK enum cw_code cw_watch_sendv(struct cw_watch *watch,
                                          const struct iovec *iov, int niov,
                                          size_t *pnwritten, int *perrno);

/* --- the loop ------------------------------------------------------------- */

/* CWE_OUT_OF_MEMORY, CWE_FAILED_INIT (no poller). */
CW_MUST_CHECK enum cw_code cw_loop_open(const struct cw_platform *platform,
                                        struct cw_loop **ploop);
/* Every watch and timer must have ended. NULL is allowed. */
void cw_loop_close(struct cw_loop *loop);
const struct cw_platform *cw_loop_platform(const struct cw_loop *loop);
/* The clock as read in this turn, microseconds, never 0; outside of turns, read
   anew. Its origin is one microsecond before the platform's. */
int64_t cw_loop_now_us(const struct cw_loop *loop);
/* Reads it anew; for measuring, and after long work. */
int64_t cw_loop_update_now(struct cw_loop *loop);
int64_t cw_loop_wall_s(const struct cw_loop *loop);
/* The pool of receive chunks, shared by all that is on the loop. */
struct cw_chunk_pool *cw_loop_chunks(struct cw_loop *loop);
/* One turn that waits for at most max_wait_us (-1: no limit) if there is
   nothing to do. One that may wait and had something to do may leave the poller
   to the turn behind it. CWE_UNRECOVERABLE_POLL. */
CW_MUST_CHECK enum cw_code cw_loop_turn(struct cw_loop *loop,
                                        int64_t max_wait_us);
/* Waits until there is something to do, without doing it, or somebody wakes
   the loop. *pready: whether there is something. */
CW_MUST_CHECK enum cw_code cw_loop_wait(struct cw_loop *loop,
                                        int64_t max_wait_us, bool *pready);
/* Microseconds until something is due; 0: now; -1: nothing is. */
int64_t cw_loop_next_due_us(const struct cw_loop *loop);
/* Any thread. */
void cw_loop_wake(struct cw_loop *loop);
int cw_loop_fd(const struct cw_loop *loop);

/* --- foreign loops -------------------------------------------------------- */

/* With hooks set, a turn without waiting does not use the poller: on_socket is
   told each change of a watch's wish (events 0: no more), on_timer each change
   of the next due time (-1: none). A result other than CW_OK is kept and
   returned by the running call. Turns that wait, and waits, serve the sockets
   too, but may return early. NULL takes them out. */
struct cw_loop_hooks {
  enum cw_code (*on_socket)(void *data, int fd, unsigned events,
                            struct cw_watch *watch);
  enum cw_code (*on_timer)(void *data, int64_t delay_us);
  void *data;
};
CW_MUST_CHECK enum cw_code cw_loop_set_hooks(struct cw_loop *loop,
                                             const struct cw_loop_hooks *hooks);
/* The foreign loop saw events on fd; served in the turn that follows. fd -1:
   its timer fired (needed, so that the next due time is told again even if it
   did not change). False: no watch has that fd. */
bool cw_loop_feed(struct cw_loop *loop, int fd, unsigned events);
/* The watch of fd or NULL. */
struct cw_watch *cw_loop_watch_of(struct cw_loop *loop, int fd);

#endif
