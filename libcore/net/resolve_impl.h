/*
 * The inside of a resolver, seen by the resolve*.c files only.
 *
 * Everybody who asks the same thing at the same time waits for one question.
 * A question that is answered leaves the table of running ones at once and
 * tells its askers from a task.
 */
#ifndef CW_NET_RESOLVE_IMPL_H
#define CW_NET_RESOLVE_IMPL_H

#include "base/buf.h"
#include "base/idtab.h"
#include "base/map.h"
#include "net/resolve.h"

/* RFC 1035, 2.3.4, as text, with the final dot. */
#define CW_RESOLVE_MAX_NAME 254
/* Questions asked at a time (a page with a million host names, again). */
#define CW_RESOLVE_MAX_RUNNING 65536
/* Different ways of asking (servers, interface, addresses) at a time. */
#define CW_RESOLVE_MAX_CHANNELS 64

struct cw_ares;

struct cw_names {
  struct cw_map map;  /* key to struct cached */
  struct cw_list lru; /* cached, the one used longest ago first */
  const struct cw_lock *lock;
};

struct cw_resolver {
  struct cw_loop *loop;
  struct cw_map presets; /* "host:port" to struct preset */
  struct cw_names names; /* its own */
  struct cw_map running; /* key to struct cw_question */
  struct cw_list questions;
  struct cw_idtab askers;
  struct cw_list channels; /* of struct cw_ares */
  struct cw_buf key;       /* scratch */
  struct cw_delivery *deliveries;
  bool is_closing;
};

/* A delivery that is running, so that it learns when a callback frees the
   resolver. */
struct cw_delivery {
  bool is_gone;
  struct cw_delivery *outer;
};

struct cw_question {
  struct cw_node node; /* in resolver->questions */
  struct cw_resolver *resolver;
  struct cw_list askers;
  struct cw_task task;
  char *key; /* NULL: nobody may join */
  size_t keylen;
  int family;
  bool is_asked; /* the platform or c-ares will answer */
  bool is_delivering;
  uint64_t lookup_id;   /* the platform's */
  struct cw_ares *ares; /* the channel that is asked, or NULL */
  enum cw_code code;
  struct cw_fail fail;
  struct cw_addrs *addrs;
};

/* The question's name: the key begins with it. */
static inline const char *cw_question_host(const struct cw_question *q) {
  return q->key;
}

/* Answers a question. addrs is taken over (NULL with a failure, of which the
   sentence is in q->fail by then). Calls nobody; q may be freed. */
void cw_question_finish(struct cw_question *q, enum cw_code code,
                        struct cw_addrs *addrs);
/* "could not resolve host 'x': why (NAME)". */
enum cw_code cw_question_fail(struct cw_question *q, const char *why);

/* Host, family and how to ask as bytes in resolver->key, the part behind the
   host being *phow. CWE_TOO_LARGE, CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code
cw_resolve_key(struct cw_resolver *resolver,
               const struct cw_resolve_request *request, struct cw_slice *phow);

/* addrs in family only, with port; the same object if that changes nothing;
   NULL if none is left or for want of memory. The reference is the caller's. */
struct cw_addrs *cw_addrs_for(struct cw_resolver *resolver,
                              struct cw_addrs *addrs, int family, int port,
                              bool shuffle);

/* --- resolve_preset.c ----------------------------------------------------- */

struct cw_addrs *cw_preset_find(struct cw_resolver *resolver,
                                const struct cw_resolve_request *request);
void cw_preset_clear(struct cw_resolver *resolver);

/* --- resolve_cache.c ------------------------------------------------------ */

void cw_names_init(struct cw_names *names, const uint64_t seed[2],
                   const struct cw_lock *lock);
void cw_names_fini(struct cw_names *names);
/* Addresses not older than ttl_s (-1: however old), or NULL. The reference is
   the caller's. */
struct cw_addrs *cw_names_find(struct cw_names *names, struct cw_slice key,
                               int64_t ttl_s, int64_t now_us);
/* Keeps a reference, or a copy, of its own. CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_names_store(struct cw_names *names,
                                          struct cw_slice key,
                                          struct cw_addrs *addrs,
                                          int64_t now_us);
/* Forgets a host, however it was asked for. */
void cw_names_forget(struct cw_names *names, struct cw_slice host);

/* --- resolve_ares.c ------------------------------------------------------- */

/* The channel for a way of asking, made if need be. CWE_BAD_FUNCTION_ARGUMENT
   (servers or addresses that are none), CWE_OUT_OF_MEMORY,
   CWE_COULDNT_RESOLVE_HOST (c-ares does not start), in words in fail. */
CW_MUST_CHECK enum cw_code cw_ares_get(struct cw_resolver *resolver,
                                       const struct cw_resolve_request *request,
                                       struct cw_slice how,
                                       struct cw_ares **pares,
                                       struct cw_fail *fail);
void *cw_ares_channel(const struct cw_ares *ares);
/* Asks; cw_question_finish comes once, perhaps before this returns. */
void cw_ares_ask(struct cw_ares *ares, struct cw_question *q);
/* Somebody waits for the question again; nobody does any more. When nobody
   waits for any question of the channel, all of them are given up. */
void cw_ares_want(struct cw_ares *ares);
void cw_ares_unwant(struct cw_ares *ares);
/* Ends all channels; their questions are finished first. */
void cw_ares_free_all(struct cw_resolver *resolver);

#endif
