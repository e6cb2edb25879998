/*
 * Names to addresses: literals, presets (--resolve), a cache, and then the
 * platform's lookup or c-ares with its sockets on the loop and opened through
 * the platform table.
 *
 * Answers come from a turn of the loop, or at once where nothing has to be
 * asked. Addresses are shared by count and never change.
 */
#ifndef CW_NET_RESOLVE_H
#define CW_NET_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "curlew/platform.h"
#include "net/loop.h"

/* Names remembered; the oldest go (a page with a million host names). */
#define CW_RESOLVE_MAX_CACHED 4096
/* Addresses kept of one answer or preset. */
#define CW_RESOLVE_MAX_ADDRS 64

struct cw_addrs {
  uint32_t refs;
  size_t count;
  struct cw_sockaddr addr[]; /* with ports, TCP */
};
struct cw_addrs *cw_addrs_new(size_t count); /* NULL for want of memory */
struct cw_addrs *cw_addrs_ref(struct cw_addrs *addrs);
void cw_addrs_unref(struct cw_addrs *addrs); /* NULL is allowed */

/* A numeric address as text, without brackets ("" for others), its port. */
#define CW_ADDR_TEXT_BYTES 64
void cw_sockaddr_text(const struct cw_sockaddr *addr,
                      char text[CW_ADDR_TEXT_BYTES], int *pport);
/* The inverse for IPv4, IPv6 (brackets and "%zone" allowed); false: not one. */
bool cw_sockaddr_parse(const char *ip, int port, struct cw_sockaddr *addr);
/* A Unix socket's address; abstract: the name starts with a NUL byte. False:
   too long. */
bool cw_sockaddr_unix(const char *path, bool abstract,
                      struct cw_sockaddr *addr);
void cw_sockaddr_set_port(struct cw_sockaddr *addr, int port);

struct cw_resolver;
struct cw_lock;

/* A cache of names that several resolvers use, on loops whose clocks are the
   same; locked around each use (NULL: by one thread). It must outlive the
   requests that name it, and their resolvers. CWE_OUT_OF_MEMORY. */
struct cw_names;
CW_MUST_CHECK enum cw_code cw_names_new(const uint64_t seed[2],
                                        const struct cw_lock *lock,
                                        struct cw_names **pnames);
void cw_names_free(struct cw_names *names); /* NULL is allowed */

struct cw_resolve_request {
  const char *host; /* name or literal, without brackets */
  int port;
  int family;          /* AF_UNSPEC, AF_INET, AF_INET6 */
  int64_t cache_ttl_s; /* how old a cached answer may be; -1: any; 0: none */
  bool shuffle;
  const char *servers; /* "1.2.3.4:53,..." or NULL: the system's */
  const char *interface, *local_ip4, *local_ip6; /* or NULL */
  struct cw_names *names; /* NULL: the resolver's own cache */
};

/* code: CW_OK with addrs (borrowed for the call: ref to keep), or
   CWE_COULDNT_RESOLVE_HOST, CWE_OUT_OF_MEMORY with a sentence in fail. */
typedef void (*cw_resolved_fn)(void *data, enum cw_code code,
                               const struct cw_fail *fail,
                               struct cw_addrs *addrs);

CW_MUST_CHECK enum cw_code cw_resolver_new(struct cw_loop *loop,
                                           struct cw_resolver **presolver);
/* Cancels what runs, without notice. NULL is allowed. */
void cw_resolver_free(struct cw_resolver *resolver);

/* Answers without asking anyone, or NULL: preset, literal, "localhost" (RFC
   6761: loopback, whatever a server says), fresh cache entry, in this order.
   The reference is the caller's. */
struct cw_addrs *cw_resolve_now(struct cw_resolver *resolver,
                                const struct cw_resolve_request *request);
/* Asks, or answers what needs no asking; equal questions are asked once. done
   is called exactly once from a turn unless cancelled; inside it anything may
   be started, cancelled and freed. Fails at once, in words in fail and without
   a call of done: CWE_COULDNT_RESOLVE_HOST (empty, too long, a literal of the
   other family, .onion by RFC 7686), CWE_BAD_FUNCTION_ARGUMENT (servers or
   local addresses that are none), CWE_TOO_LARGE (too many at a time),
   CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code
cw_resolve_start(struct cw_resolver *resolver,
                 const struct cw_resolve_request *request, cw_resolved_fn done,
                 void *data, uint64_t *pid, struct cw_fail *fail);
/* No notice comes any more. Unknown ids are allowed. */
void cw_resolve_cancel(struct cw_resolver *resolver, uint64_t id);
/* Puts addresses into the cache as if they had been asked for; takes a
   reference of its own. CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code
cw_resolve_store(struct cw_resolver *resolver,
                 const struct cw_resolve_request *request,
                 struct cw_addrs *addrs);
/* One CWOPT_RESOLVE entry: "[+]host:port:addr[,addr]...", "-host:port",
   "*" as host; what "-" takes out is forgotten by names as well (NULL: the
   resolver's own). CWE_SETOPT_OPTION_SYNTAX with the place in fail. */
CW_MUST_CHECK enum cw_code cw_resolve_preset(struct cw_resolver *resolver,
                                             struct cw_names *names,
                                             const char *entry,
                                             struct cw_fail *fail);
/* The ares_channel that a request would use, NULL where there is none. Good
   until the next turn of the loop. */
void *cw_resolve_channel(struct cw_resolver *resolver,
                         const struct cw_resolve_request *request);

#endif
