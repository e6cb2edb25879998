/*
 * HTTP proxies: which one a request goes through, and how. A request may be
 * given to the proxy whole ("forward"), or the proxy is asked by CONNECT for a
 * connection to the server ("tunnel"), in which it sees nothing.
 *
 * Chosen anew for each hop, from the options and, on the kernel's network,
 * from the environment.
 */
#ifndef CW_ENGINE_PROXY_H
#define CW_ENGINE_PROXY_H

#include <stdbool.h>

#include "base/buf.h"
#include "curlew/error.h"

struct cw_conn_user;
struct cw_easy;
struct cw_uri;

/* Sets the proxy of this hop, or none, and what speaks to it. While neither
   the options nor the URL have changed, the last choice stands.
   CWE_COULDNT_RESOLVE_PROXY: its name makes no sense; CWE_NOT_BUILT_IN: its
   type; CWE_COULDNT_CONNECT: its type is not known; CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_proxy_choose(struct cw_easy *easy);
void cw_proxy_forget(struct cw_easy *easy);

/* At most one of them is true; neither: there is no proxy. */
bool cw_proxy_forwards(const struct cw_easy *easy);
bool cw_proxy_tunnels(const struct cw_easy *easy);
/* Its login and host; NULL: there is no proxy. */
const struct cw_uri *cw_proxy_uri(const struct cw_easy *easy);
int cw_proxy_port(const struct cw_easy *easy);

/* What a connection through a tunnel asks; nothing changes for others. */
void cw_proxy_hooks(const struct cw_easy *easy, struct cw_conn_user *user);

/* What a forwarded request says beside its own: the target in absolute form
   (RFC 9112, 3.2.2) and the fields for the proxy. CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_proxy_fill(struct cw_easy *easy);

/* Whether host (brackets allowed) is in the list. */
bool cw_noproxy_has(const char *list, const char *host);

#endif
