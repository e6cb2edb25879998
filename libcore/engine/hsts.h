/*
 * The store of hosts that are only spoken to over TLS: RFC 6797.
 *
 * A store belongs to an easy handle, or to a share that lends it to many; then
 * it has a lock, which is held during each use. It never calls out. Names come
 * in any spelling, with or without a dot at the end; addresses are never kept.
 */
#ifndef CW_ENGINE_HSTS_H
#define CW_ENGINE_HSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "codec/hsts.h"
#include "curlew/error.h"

/* Stops a site with a name for every visit, each of which sends the header.
   What is known stays and the new one is refused: forgetting the oldest would
   let that site push out the entries that protect others. libcurl: 10,000. */
#define CW_HSTS_MAX_ENTRIES 10000
/* A file of as many entries, each as long as can be, is below that; stops a
   path that leads to something else. */
#define CW_HSTS_MAX_FILE_BYTES (32 * 1024 * 1024)

struct cw_hsts;
struct cw_lock;

/* seed: random, of the keyed hash. lock: NULL for one thread; must outlive the
   store. NULL: not enough memory. */
struct cw_hsts *cw_hsts_new(const uint64_t seed[2], const struct cw_lock *lock);
/* NULL is allowed. */
void cw_hsts_free(struct cw_hsts *hsts);
/* Takes up what a host says of itself; over at now_s: it is forgotten. A name
   that is never kept is no error. CWE_TOO_LARGE: the store is full;
   CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_hsts_put(struct cw_hsts *hsts,
                                       struct cw_slice host,
                                       const struct cw_hsts_policy *policy,
                                       int64_t now_s);
/* The same for what was kept elsewhere: the later end and the stricter rule
   win, and what is over is passed over. */
CW_MUST_CHECK enum cw_code cw_hsts_merge(struct cw_hsts *hsts,
                                         struct cw_slice host,
                                         const struct cw_hsts_policy *policy,
                                         int64_t now_s);
/* Each line of a file is merged; malformed ones and comments are passed over.
   Codes as above. */
CW_MUST_CHECK enum cw_code
cw_hsts_merge_text(struct cw_hsts *hsts, struct cw_slice text, int64_t now_s);
/* Whether host, or a parent whose rule takes in its subdomains, is kept. */
bool cw_hsts_knows(struct cw_hsts *hsts, struct cw_slice host, int64_t now_s);
/* Appends the lines of what is not over, oldest first; *pcount: how many. Time
   is that of the last call that was told it. CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_hsts_add_text(const struct cw_hsts *hsts,
                                            struct cw_buf *text,
                                            size_t *pcount);
/* Whether that file was read into it last. */
bool cw_hsts_has_file(const struct cw_hsts *hsts, const char *path);
CW_MUST_CHECK enum cw_code cw_hsts_set_file(struct cw_hsts *hsts,
                                            const char *path);

#endif
