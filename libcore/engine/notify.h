/*
 * What a multi tells its NOTIFYFUNCTION: notices wait in a queue and are told,
 * in order, when the turn is over. A notice is part of what it is about, so
 * telling needs no memory, and what goes takes its notice along.
 */
#ifndef CW_ENGINE_NOTIFY_H
#define CW_ENGINE_NOTIFY_H

#include <stdbool.h>

#include "base/list.h"
#include "curlew/error.h"

struct cw_easy;
struct cw_multi;

struct cw_notice {
  struct cw_node node; /* in the multi's queue */
  struct cw_easy *easy;
  unsigned kind; /* CWMNOTIFY_ */
};

struct cw_notices {
  struct cw_list queue;
  struct cw_notice info_read;
  unsigned enabled; /* bits, by kind */
  bool telling;     /* the callback is on the C stack */
};

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

#endif
