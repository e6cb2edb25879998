/*
 * TLS as a server on bytes that came in the clear before, for scripts of
 * proxies: what is behind a CONNECT. Both directions are strings.
 */
#ifndef TESTS_SUPPORT_PEER_TLS_H
#define TESTS_SUPPORT_PEER_TLS_H

#include "support/peer.h"

struct ptls;
struct ptls *ptls_new(const struct cert *cert);
void ptls_free(struct ptls *tls);
/* What came; what is in it is added to plain, what is due to wire. False: it
   broke. */
bool ptls_hear(struct ptls *tls, const char *bytes, size_t n,
               struct bytes *plain, struct bytes *wire);
/* Moves all of plain into wire; nothing before the handshake is done. */
void ptls_say(struct ptls *tls, struct bytes *plain, struct bytes *wire);

#endif
