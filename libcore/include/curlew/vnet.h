/*
 * A virtual network: sockets, names and a clock in memory.
 *
 * A multi made on it (cw_multi_init_on) talks to listeners made on it, with
 * no system call. The clock stands still while there is something to do and
 * jumps to the next timer when there is not, so a ten-minute wait takes no
 * time and every run with the same seed is the same run.
 *
 * Sockets are TCP (IPv4, IPv6) and Unix streams; the platform's now_us is
 * cw_vnet_now_us. A reset comes after the bytes that were sent before it: the
 * receiver reads them, then gets ECONNRESET; SO_LINGER 0 and closing with
 * bytes unread send one. A listener on 0.0.0.0 or :: hears all addresses of
 * its family that have no listener of their own. A backlog is not a limit.
 * Closing a Unix listener removes its path.
 *
 * Clients and servers belong on one loop: it moves the clock and knows all
 * timers. Several loops in one thread work, and the clock stands still while
 * one of them has a report to fetch; but the one that waits does not know the
 * timers of the others. A wait without limit for which nothing is under way
 * fails with EDEADLK instead of hanging.
 */
#ifndef CURLEW_VNET_H
#define CURLEW_VNET_H

#include <stdint.h>

#include "curlew/error.h"
#include "curlew/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cw_vnet;

/* NULL for want of memory. wall_s is the wall clock at the start. */
CW_EXTERN struct cw_vnet *cw_vnet_new(uint64_t seed, int64_t wall_s);
/* Every multi on it must be gone. NULL is allowed. */
CW_EXTERN void cw_vnet_free(struct cw_vnet *net);
/* The network as a platform, for cw_multi_init_on; it goes with the network. */
CW_EXTERN const struct cw_platform *cw_vnet_platform(struct cw_vnet *net);

/* name resolves to the n numeric addresses, after delay_ms of virtual time;
   n 0 with os_error: that error (ENOENT: no such name; ETIMEDOUT after
   delay_ms). Replaces what was said of the name before. Lookups under way
   keep the old answer. CWE_BAD_FUNCTION_ARGUMENT, CWE_TOO_LARGE (64 addresses,
   65,536 names), CWE_OUT_OF_MEMORY. */
CW_EXTERN CW_MUST_CHECK enum cw_code
cw_vnet_name(struct cw_vnet *net, const char *name, const char *const *ips,
             unsigned n, int64_t delay_ms, int os_error);

/* What connecting to an address does, where no listener decides: 0 refuses
   at once (the default), an errno value after delay_ms, or -1: never answers
   (until delay_ms, then ETIMEDOUT, if delay_ms > 0). ip NULL: all; port 0:
   all. With os_error 0 and a listener there, delay_ms is how long connecting
   takes, beside a round trip of the latency. The most specific route counts
   (address and port, address, port, all); one with an ip and an error decides
   even where a listener is. Replaces what was said of the same ip and port.
   CWE_BAD_FUNCTION_ARGUMENT, CWE_TOO_LARGE (65,536 routes),
   CWE_OUT_OF_MEMORY. */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_vnet_route(struct cw_vnet *net,
                                                   const char *ip, int port,
                                                   int os_error,
                                                   int64_t delay_ms);
/* Each direction of each connection made from now on holds at most n bytes
   that were sent and not yet read (default 65536; 0 keeps the default). */
CW_EXTERN void cw_vnet_window(struct cw_vnet *net, uint32_t n);
/* Each recv gives at most n bytes from now on (0: no limit): 1 shows every
   parser every split. */
CW_EXTERN void cw_vnet_max_read(struct cw_vnet *net, uint32_t n);
/* Each send takes at most n bytes from now on (0: no limit). */
CW_EXTERN void cw_vnet_max_write(struct cw_vnet *net, uint32_t n);
/* One-way latency of each segment in microseconds of virtual time. */
CW_EXTERN void cw_vnet_latency_us(struct cw_vnet *net, int64_t us);
/* Virtual time passed since the start. */
CW_EXTERN int64_t cw_vnet_now_us(const struct cw_vnet *net);
/* Moves the clock on; due timers run with the next turn. */
CW_EXTERN void cw_vnet_advance_us(struct cw_vnet *net, int64_t us);
/* Sockets that are open now: 0 at the end of a clean test. */
CW_EXTERN int cw_vnet_open_sockets(const struct cw_vnet *net);

#ifdef __cplusplus
}
#endif
#endif
