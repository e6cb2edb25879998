/*
 * Sessions to resume.
 *
 * How it works: a map from the key to an entry with a few tickets, the newest
 * given out first, and a list of the entries in the order of their last use.
 * A server that hands out tickets for ever costs CW_TLS_TICKETS of them; a
 * million hosts cost CW_TLS_MAX_SESSIONS entries.
 *
 * A store of one thread gives out references. One with a lock keeps and gives
 * out copies: OpenSSL writes into a session that a connection of another thread
 * may be reading, and one session is for connections of one context only.
 */
#include "base/list.h"
#include "base/lock.h"
#include "base/map.h"
#include "base/mem.h"
#include "conn/tls.h"

struct session_entry {
  struct cw_node node;
  char *key;
  size_t key_len;
  unsigned n;
  SSL_SESSION *ticket[CW_TLS_TICKETS]; /* oldest first */
};

struct cw_tls_sessions {
  struct cw_map map;
  struct cw_list used; /* longest unused first */
  const struct cw_lock *lock;
};

enum cw_code cw_tls_sessions_new(const uint64_t seed[2],
                                 const struct cw_lock *lock,
                                 struct cw_tls_sessions **psessions) {
  struct cw_tls_sessions *s = cw_calloc(1, sizeof *s);
  if (!s) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_map_init(&s->map, CW_TLS_MAX_SESSIONS + 1, seed);
  cw_list_init(&s->used);
  s->lock = lock;
  *psessions = s;
  return CW_OK;
}

static void entry_free(struct cw_tls_sessions *s, struct session_entry *e) {
  cw_list_remove(&s->used, &e->node);
  cw_map_remove(&s->map, cw_slice(e->key, e->key_len));
  for (unsigned i = 0; i < e->n; i++) {
    SSL_SESSION_free(e->ticket[i]);
  }
  cw_free(e->key);
  cw_free(e);
}

static void sessions_drop_oldest(struct cw_tls_sessions *s) {
  struct cw_node *node = cw_list_first(&s->used);
  entry_free(s, CW_CONTAINER(node, struct session_entry, node));
}

void cw_tls_sessions_free(struct cw_tls_sessions *sessions) {
  if (!sessions) {
    return;
  }
  while (sessions->used.count > 0) {
    sessions_drop_oldest(sessions);
  }
  cw_map_fini(&sessions->map);
  cw_free(sessions);
}

/* A reference, or where others have it too a copy; NULL for want of memory. */
static SSL_SESSION *hand_over(const struct cw_tls_sessions *sessions,
                              SSL_SESSION *session) {
  if (sessions->lock) {
    return SSL_SESSION_dup(session);
  }
  SSL_SESSION_up_ref(session);
  return session;
}

static SSL_SESSION *take(struct cw_tls_sessions *sessions, struct cw_slice key,
                         bool keep_last) {
  struct session_entry *e = cw_map_get(&sessions->map, key);
  if (!e || e->n == 0) {
    return NULL;
  }
  SSL_SESSION *session = e->ticket[e->n - 1];
  bool is_single_use =
      SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION;
  if (is_single_use && !(keep_last && e->n == 1)) {
    e->n--;
    return session;
  }
  return hand_over(sessions, session);
}

SSL_SESSION *cw_tls_session_take(struct cw_tls_sessions *sessions,
                                 struct cw_slice key, bool keep_last) {
  cw_lock(sessions->lock);
  SSL_SESSION *session = take(sessions, key, keep_last);
  cw_unlock(sessions->lock);
  return session;
}

static struct session_entry *entry_new(struct cw_tls_sessions *s,
                                       struct cw_slice key) {
  struct session_entry *e = cw_calloc(1, sizeof *e);
  if (!e) {
    return NULL;
  }
  e->key = cw_memdup0(key.ptr, key.len);
  e->key_len = key.len;
  if (!e->key || cw_map_put(&s->map, key, e, NULL) != CW_OK) {
    cw_free(e->key);
    cw_free(e);
    return NULL;
  }
  cw_list_add_tail(&s->used, &e->node);
  if (s->used.count > CW_TLS_MAX_SESSIONS) {
    sessions_drop_oldest(s);
  }
  return e;
}

/* Takes the session. */
static void put_own(struct cw_tls_sessions *sessions, struct cw_slice key,
                    SSL_SESSION *session) {
  struct session_entry *e = cw_map_get(&sessions->map, key);
  if (!e) {
    e = entry_new(sessions, key);
  }
  if (!e) {
    SSL_SESSION_free(session);
    return;
  }
  cw_list_remove(&sessions->used, &e->node);
  cw_list_add_tail(&sessions->used, &e->node);
  if (e->n == CW_TLS_TICKETS) {
    SSL_SESSION_free(e->ticket[0]);
    memmove(e->ticket, e->ticket + 1, (CW_TLS_TICKETS - 1) * sizeof *e->ticket);
    e->n--;
  }
  e->ticket[e->n++] = session;
}

void cw_tls_session_put(struct cw_tls_sessions *sessions, struct cw_slice key,
                        SSL_SESSION *session) {
  SSL_SESSION *kept = hand_over(sessions, session);
  if (!kept) {
    return; /* a session is a gain only */
  }
  cw_lock(sessions->lock);
  put_own(sessions, key, kept);
  cw_unlock(sessions->lock);
}
