/* The step of each state, see tbl/states.def. */
#ifndef CW_ENGINE_STATES_H
#define CW_ENGINE_STATES_H

#include "engine/easy.h"

#define state(name, ...) \
  CW_MUST_CHECK enum cw_code cw_step_##name(struct cw_easy *easy);
#include "tbl/states.def"
#undef state

/* Gives the connection back (reuse) or closes it. */
void cw_transfer_release_conn(struct cw_easy *easy, bool reuse);
/* Frees what the last transfer left for getinfo. */
void cw_transfer_forget(struct cw_easy *easy);

#endif
