/*
 * A filter: one layer of a connection. A chain is linked from the top (what
 * the protocol talks to) down to the socket.
 *
 * Rules of chaining are with each member. No filter knows which others there
 * are; only plan.c knows the order.
 */
#ifndef CW_CONN_FILTER_H
#define CW_CONN_FILTER_H

#include <stdbool.h>
#include <sys/uio.h>

#include "base/fail.h"
#include "conn/conn.h"

struct cw_filter;

enum cw_filter_query {
  CW_QUERY_FD,        /* int */
  CW_QUERY_ALPN,      /* const char * */
  CW_QUERY_SSL,       /* void * */
  CW_QUERY_CLEAN_EOF, /* bool */
  CW_QUERY_CERTINFO,  /* bool: certificates may be shown */
  /* bool: an idle one has news; its next read asks the system */
  CW_QUERY_DOUBT
};

struct cw_filter_type {
  const char *name;
  const char *phase; /* what cw_conn_phase says while this one connects */
  /* Only needed until connected: then it is taken out of the chain. */
  bool setup_only;
  /* Connects: steps next first, then itself. CW_OK: connected (called again,
     it stays so). CW_AGAIN: wants events. */
  enum cw_code (*step)(struct cw_filter *f, struct cw_fail *fail);
  /* Only when connected. May call next's. */
  enum cw_code (*read)(struct cw_filter *f, char *bytes, size_t n,
                       size_t *pnread, struct cw_fail *fail);
  enum cw_code (*write)(struct cw_filter *f, const struct iovec *iov, int niov,
                        size_t *pnwritten, struct cw_fail *fail);
  /* Says goodbye: own goodbye first, then next's. CW_AGAIN: call again. */
  enum cw_code (*shutdown)(struct cw_filter *f);
  /* Translates what the user wants into what the socket must be watched for
     (a TLS write may wait for a read). Must pass it on to next. */
  void (*want)(struct cw_filter *f, unsigned events);
  /* Optional: the socket had an event; the user is told afterwards. Sends what
     the filter has kept, so that this needs nobody's help. */
  void (*event)(struct cw_filter *f);
  /* Bytes lie inside. Must ask next if it has none. */
  bool (*pending)(const struct cw_filter *f);
  /* Answers or passes on to next; false: nobody knows. */
  bool (*query)(const struct cw_filter *f, enum cw_filter_query what,
                void *out);
  /* Optional, for connected ones: leaves its loop (loop NULL), so that any
     thread may go on with it, or joins one. False: it cannot; the connection
     stays where it was (leaving) or is to be closed (joining). Must move next
     as well. */
  bool (*move)(struct cw_filter *f, struct cw_loop *loop);
  /* Frees itself and closes what it owns; the chain's owner calls it for each
     filter from the top down. Must not call next's. */
  void (*close)(struct cw_filter *f);
};

/* First member of every filter's own struct. */
struct cw_filter {
  const struct cw_filter_type *type;
  struct cw_filter *next; /* towards the socket, NULL at the bottom */
  struct cw_conn *conn;
  bool connected;
};

#endif
