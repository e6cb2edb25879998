/*
 * All connections of a loop: in use and idle, by id; idle ones by reuse key.
 * An idle connection is watched: one that its peer closes, or that sends what
 * nobody asked for, is closed at once.
 */
#ifndef CW_CONN_POOL_H
#define CW_CONN_POOL_H

#include "conn/conn.h"

struct cw_lock;
struct cw_tls_store; /* contexts and sessions, conn/tls.h */

struct cw_pool_limits {
  size_t max_idle;     /* CWMOPT_MAXCONNECTS; 0: 4 x transfers */
  int64_t max_idle_us; /* CWOPT_MAXAGE_CONN of the last user */
};

CW_MUST_CHECK enum cw_code cw_pool_new(struct cw_loop *loop,
                                       struct cw_pool **ppool);
/* Closes all connections. NULL is allowed. */
void cw_pool_free(struct cw_pool *pool);
struct cw_loop *cw_pool_loop(const struct cw_pool *pool);
/* NULL: closed meanwhile. */
struct cw_conn *cw_pool_get(const struct cw_pool *pool, uint64_t id);

/* Takes the most recently used idle connection with that key, not older than
   the limits (0: none), and checks that it lives. 0: there is none. */
uint64_t cw_pool_take_idle(struct cw_pool *pool, struct cw_slice key,
                           int64_t max_idle_us, int64_t max_age_us);
/* Gives a connection back as idle; one too many (max_idle) closes the one that
   is idle longest. */
void cw_pool_put_idle(struct cw_pool *pool, uint64_t id);
void cw_pool_set_max_idle(struct cw_pool *pool, size_t max_idle);
/* The key of the idle connection to the same destination (the part of the key
   up to its first NUL) that was used last, or an empty slice: to say why it
   was not reused. */
struct cw_slice cw_pool_similar_key(const struct cw_pool *pool,
                                    struct cw_slice key);
/* Counts, all and for a destination (key up to its first NUL). */
size_t cw_pool_count(const struct cw_pool *pool);
size_t cw_pool_count_idle(const struct cw_pool *pool);
size_t cw_pool_count_to(const struct cw_pool *pool, struct cw_slice key);
uint64_t cw_pool_made(const struct cw_pool *pool);
/* Closes one idle connection, the longest idle; false if there is none. */
bool cw_pool_close_one_idle(struct cw_pool *pool);
void cw_pool_close_all_idle(struct cw_pool *pool);

/* --- parked.c: idle connections that belong to no pool ------------------- */

/* At most so many; the longest parked makes room (servers may be many, and
   each descriptor counts). */
#define CW_PARKED_MAX 100

struct cw_parked;
/* For pools on loops of platform; locked around each use (NULL: by one
   thread). CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_parked_new(const struct cw_platform *platform,
                                         const struct cw_lock *lock,
                                         struct cw_parked **pparked);
/* Closes all of them. NULL is allowed. */
void cw_parked_free(struct cw_parked *parked);
size_t cw_parked_count(struct cw_parked *parked);
/* Takes the connection out of its pool and its loop. False: it is not one that
   others may go on with (not idle on the wire, with a state of its protocol, a
   close hook or a TLS context of its own); nothing has changed then. */
bool cw_parked_put(struct cw_parked *parked, struct cw_pool *pool, uint64_t id);
/* As cw_pool_take_idle, out of what is parked: it is pool's afterwards. */
uint64_t cw_parked_take(struct cw_parked *parked, struct cw_pool *pool,
                        struct cw_slice key, int64_t max_idle_us,
                        int64_t max_age_us);

#endif
