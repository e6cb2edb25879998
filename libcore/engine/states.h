/* The step of each state, see tbl/states.def. */
#ifndef CW_ENGINE_STATES_H
#define CW_ENGINE_STATES_H

#include "engine/easy.h"

#define state(name, ...) \
  CW_MUST_CHECK enum cw_code cw_step_##name(struct cw_easy *easy);
#include "tbl/states.def"
#undef state

/* What the options say of every connection of the transfer: its socket, TLS,
   how it is closed. */
void cw_spec_fill(struct cw_easy *easy, struct cw_conn_spec *spec);
/* Where the server is: CWOPT_CONNECT_TO may lead elsewhere. */
struct cw_target {
  char host[512]; /* no brackets */
  int port;
  bool moved;
};
/* CWE_URL_MALFORMAT: the name is too long. */
CW_MUST_CHECK enum cw_code cw_target_find(struct cw_easy *easy,
                                          struct cw_target *target);
/* The same as "host:port", brackets where they belong. */
#define CW_AUTHORITY_BYTES 544
void cw_target_text(const struct cw_target *target,
                    char text[CW_AUTHORITY_BYTES]);
/* The host without the brackets of IPv6, as text of at most n - 1 bytes; false:
   it is longer. */
bool cw_host_bare(struct cw_slice host, char *bytes, size_t n);
/* Watches the descriptor that the body's sink or source waits for, if any. */
CW_MUST_CHECK enum cw_code cw_body_wait(struct cw_easy *easy);
void cw_body_wait_end(struct cw_easy *easy);
/* Gives the connection back (reuse) or closes it. */
void cw_transfer_release_conn(struct cw_easy *easy, bool reuse);
/* Frees what the last transfer left for getinfo. */
void cw_transfer_forget(struct cw_easy *easy);

#endif
