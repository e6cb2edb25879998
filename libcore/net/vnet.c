/*
 * The virtual network as a whole: making, setting, ending.
 *
 * How it works: vnet_socket.c has the descriptors, vnet_connect.c says who
 * meets whom, vnet_stream.c carries bytes, vnet_name.c answers lookups,
 * vnet_event.c keeps what happens later and vnet_poll.c reports what is ready
 * and moves the clock. Nothing here asks the kernel for anything but memory,
 * and all randomness comes from the seed, so a run is its seed and its calls.
 */
#include "curlew/vnet.h"

#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "net/vnet_internal.h"

#define CW_VNET_DEFAULT_WINDOW 65536

static int64_t vnet_now(void *ctx) {
  const struct cw_vnet *net = ctx;
  return net->now_us;
}

static int64_t vnet_wall(void *ctx) {
  const struct cw_vnet *net = ctx;
  return net->wall_start_s + net->now_us / 1000000;
}

static int vnet_random(void *ctx, void *bytes, size_t n) {
  struct cw_vnet *net = ctx;
  char *to = bytes;
  while (n > 0) {
    uint64_t r = cw_rand_next(&net->rng);
    size_t part = n < sizeof(r) ? n : sizeof(r);
    memcpy(to, &r, part);
    to += part;
    n -= part;
  }
  return 0;
}

static const struct cw_platform vnet_table = {
    .name = "vnet",
    .now_us = vnet_now,
    .wall_s = vnet_wall,
    .random = vnet_random,
    .sock_open = cw_vnet_open,
    .sock_connect = cw_vnet_connect,
    .sock_error = cw_vnet_error,
    .sock_bind = cw_vnet_bind,
    .sock_listen = cw_vnet_listen,
    .sock_accept = cw_vnet_accept,
    .sock_recv = cw_vnet_recv,
    .sock_recvfrom = cw_vnet_recvfrom,
    .sock_sendv = cw_vnet_sendv,
    .sock_shutdown = cw_vnet_shutdown,
    .sock_close = cw_vnet_close,
    .sock_setopt = cw_vnet_setopt,
    .sock_getopt = cw_vnet_getopt,
    .sock_local = cw_vnet_local,
    .sock_peer = cw_vnet_peer,
    .poll_open = cw_vnet_poll_open,
    .poll_close = cw_vnet_poll_close,
    .edge = 1,
    .poll_set = cw_vnet_poll_set,
    .poll_wait = cw_vnet_poll_wait,
    .poll_fd = cw_vnet_poll_fd,
    .poll_wake = cw_vnet_poll_wake,
    .lookup = cw_vnet_lookup,
    .lookup_cancel = cw_vnet_lookup_cancel,
    .short_is_empty = 0, /* max_read and max_write cut short on purpose */
    .sock_peek = cw_vnet_peek,
};

struct cw_vnet *cw_vnet_new(uint64_t seed, int64_t wall_s) {
  struct cw_vnet *net = cw_calloc(1, sizeof(*net));
  if (!net) {
    return NULL;
  }
  net->platform = vnet_table;
  net->platform.ctx = net;
  net->wall_start_s = wall_s;
  net->rng = seed;
  net->window = CW_VNET_DEFAULT_WINDOW;
  net->next_port = CW_VNET_FIRST_PORT;
  /* The maps hold what a test says itself; their order shows nowhere. */
  uint64_t other = seed;
  const uint64_t keys[2] = {cw_rand_next(&other), cw_rand_next(&other)};
  cw_map_init(&net->bound, CW_VNET_MAX_SOCKETS, keys);
  cw_map_init(&net->routes, CW_VNET_MAX_NAMES, keys);
  cw_map_init(&net->names, CW_VNET_MAX_NAMES, keys);
  cw_idtab_init(&net->lookups);
  cw_list_init(&net->answers);
  cw_list_init(&net->pollers);
  return net;
}

static int route_free(void *data, struct cw_slice key, void *value) {
  (void)data;
  (void)key;
  cw_free(value);
  return 1;
}

void cw_vnet_free(struct cw_vnet *net) {
  if (!net) {
    return;
  }
  for (uint32_t i = 0; net->nfds > 0 && i < net->socks_cap; i++) {
    struct cw_vnet_sock *s = cw_vnet_sock_get(net, CW_VNET_FIRST_FD + (int)i);
    if (s) {
      cw_vnet_sock_free(net, s);
    }
  }
  cw_vnet_pollers_fini(net);
  cw_vnet_names_fini(net);
  cw_map_each(&net->routes, route_free, NULL);
  cw_map_fini(&net->routes);
  cw_map_fini(&net->bound);
  cw_free(net->socks);
  cw_free(net);
}

const struct cw_platform *cw_vnet_platform(struct cw_vnet *net) {
  return &net->platform;
}

void cw_vnet_window(struct cw_vnet *net, uint32_t n) {
  if (n > CW_VNET_MAX_WINDOW) {
    n = CW_VNET_MAX_WINDOW;
  }
  net->window = n > 0 ? n : CW_VNET_DEFAULT_WINDOW;
}

void cw_vnet_max_read(struct cw_vnet *net, uint32_t n) {
  net->max_read = n;
}

void cw_vnet_max_write(struct cw_vnet *net, uint32_t n) {
  net->max_write = n;
}

void cw_vnet_latency_us(struct cw_vnet *net, int64_t us) {
  net->latency_us = cw_vnet_time_add(us > 0 ? us : 0, 0);
}

int64_t cw_vnet_now_us(const struct cw_vnet *net) {
  return net->now_us;
}

void cw_vnet_advance_us(struct cw_vnet *net, int64_t us) {
  cw_vnet_run_until(net, cw_vnet_time_add(net->now_us, us > 0 ? us : 0));
}

int cw_vnet_open_sockets(const struct cw_vnet *net) {
  return (int)net->nfds;
}
