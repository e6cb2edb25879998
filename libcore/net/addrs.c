#include <string.h>

#include "base/mem.h"
#include "net/resolve_impl.h"

struct cw_addrs *cw_addrs_new(size_t count) {
  struct cw_addrs *addrs = NULL;
  if (count <= SIZE_MAX / sizeof(addrs->addr[0]) - 1) {
    addrs = cw_calloc(1, sizeof(*addrs) + count * sizeof(addrs->addr[0]));
  }
  if (addrs) {
    addrs->refs = 1;
    addrs->count = count;
  }
  return addrs;
}

struct cw_addrs *cw_addrs_ref(struct cw_addrs *addrs) {
  addrs->refs++;
  return addrs;
}

void cw_addrs_unref(struct cw_addrs *addrs) {
  if (addrs && --addrs->refs == 0) {
    cw_free(addrs);
  }
}

static bool is_in(const struct cw_sockaddr *addr, int family) {
  return family == AF_UNSPEC || addr->family == family;
}

/* Whether cw_addrs_for would change nothing. */
static bool fits(const struct cw_addrs *addrs, int family, int port) {
  for (size_t i = 0; i < addrs->count; i++) {
    char text[CW_ADDR_TEXT_BYTES];
    int has_port;
    cw_sockaddr_text(&addrs->addr[i], text, &has_port);
    if (!is_in(&addrs->addr[i], family) || has_port != port) {
      return false;
    }
  }
  return true;
}

/* Fisher and Yates. A world without randomness leaves the order as it is. */
static void shuffle_addrs(struct cw_resolver *resolver,
                          struct cw_addrs *addrs) {
  const struct cw_platform *p = cw_loop_platform(resolver->loop);
  for (size_t i = addrs->count; i > 1; i--) {
    uint32_t number;
    if (p->random(p->ctx, &number, sizeof(number))) {
      return;
    }
    size_t j = number % i;
    struct cw_sockaddr swap = addrs->addr[i - 1];
    addrs->addr[i - 1] = addrs->addr[j];
    addrs->addr[j] = swap;
  }
}

struct cw_addrs *cw_addrs_for(struct cw_resolver *resolver,
                              struct cw_addrs *addrs, int family, int port,
                              bool shuffle) {
  if (!shuffle && addrs->count && fits(addrs, family, port)) {
    return cw_addrs_ref(addrs);
  }
  struct cw_addrs *copy = cw_addrs_new(addrs->count);
  if (!copy) {
    return NULL;
  }
  copy->count = 0;
  for (size_t i = 0; i < addrs->count; i++) {
    if (is_in(&addrs->addr[i], family)) {
      struct cw_sockaddr *to = &copy->addr[copy->count++];
      *to = addrs->addr[i];
      cw_sockaddr_set_port(to, port);
    }
  }
  if (copy->count == 0) {
    cw_addrs_unref(copy);
    return NULL;
  }
  if (shuffle) {
    shuffle_addrs(resolver, copy);
  }
  return copy;
}
