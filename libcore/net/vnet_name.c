/*
 * Names of the virtual network.
 *
 * How it works: a lookup takes its answer with it when it starts, so a name
 * may be told anew while somebody waits, and answering needs no memory. Due
 * lookups go to a list that poll_wait empties, since that is where answers may
 * be reported; the clock may also be moved by others.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "net/vnet_internal.h"

/* RFC 1035, 2.3.4: 255 octets on the wire, so no name is longer than that. */
#define CW_VNET_NAME_BYTES 255

struct cw_vnet_name {
  int64_t delay_us;
  int os_error;
  unsigned count;
  struct cw_sockaddr addrs[];
};

struct cw_vnet_lookup {
  uint64_t id;
  struct cw_vnet_event event;
  struct cw_node node; /* in the answers that are due */
  cw_lookup_fn done;
  void *data;
  int os_error;
  size_t count;
  struct cw_sockaddr addrs[];
};

/* Names are compared without case and without the root's dot. False: too long
   or empty. */
static bool name_key(const char *name, char key[CW_VNET_NAME_BYTES + 1],
                     struct cw_slice *pkey) {
  size_t len = strnlen(name, CW_VNET_NAME_BYTES + 1);
  if (len > 1 && name[len - 1] == '.') {
    len--;
  }
  if (len == 0 || len > CW_VNET_NAME_BYTES) {
    return false;
  }
  for (size_t i = 0; i < len; i++) {
    key[i] = cw_to_lower(name[i]);
  }
  *pkey = cw_slice(key, len);
  return true;
}

enum cw_code cw_vnet_name(struct cw_vnet *net, const char *name,
                          const char *const *ips, unsigned n, int64_t delay_ms,
                          int os_error) {
  char bytes[CW_VNET_NAME_BYTES + 1];
  struct cw_slice key;
  if (!name || !name_key(name, bytes, &key) || os_error < 0 ||
      (n > 0 && (!ips || os_error != 0))) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  if (n > CW_VNET_MAX_ADDRS) {
    return CWE_TOO_LARGE;
  }
  struct cw_vnet_name *record =
      cw_calloc(1, sizeof(*record) + n * sizeof(record->addrs[0]));
  if (!record) {
    return CWE_OUT_OF_MEMORY;
  }
  enum cw_code code = CW_OK;
  record->delay_us = cw_vnet_ms_us(delay_ms);
  record->os_error = n == 0 && os_error == 0 ? ENOENT : os_error;
  record->count = n;
  for (unsigned i = 0; i < n; i++) {
    if (!ips[i] || !cw_vnet_addr_parse(ips[i], 0, &record->addrs[i])) {
      code = CWE_BAD_FUNCTION_ARGUMENT;
      goto out;
    }
  }
  void *old = NULL;
  code = cw_map_put(&net->names, key, record, &old);
  if (code == CW_OK) {
    record = old;
  }
out:
  cw_free(record);
  return code;
}

static void on_due(struct cw_vnet *net, struct cw_vnet_event *event) {
  struct cw_vnet_lookup *lookup =
      CW_CONTAINER(event, struct cw_vnet_lookup, event);
  cw_list_add_tail(&net->answers, &lookup->node);
}

static bool family_fits(int wanted, const struct cw_sockaddr *addr) {
  return wanted == AF_UNSPEC || wanted == addr->family;
}

int cw_vnet_lookup(void *ctx, const char *name, int family, cw_lookup_fn done,
                   void *data, uint64_t *pid) {
  struct cw_vnet *net = ctx;
  char bytes[CW_VNET_NAME_BYTES + 1];
  struct cw_slice key;
  const struct cw_vnet_name *record = NULL;
  if (name_key(name, bytes, &key)) {
    record = cw_map_get(&net->names, key);
  }
  if (net->lookups.count >= CW_VNET_MAX_LOOKUPS) {
    return ENOBUFS;
  }
  unsigned count = record ? record->count : 0;
  struct cw_vnet_lookup *lookup =
      cw_calloc(1, sizeof(*lookup) + count * sizeof(lookup->addrs[0]));
  if (!lookup || cw_idtab_add(&net->lookups, lookup, &lookup->id) != CW_OK) {
    cw_free(lookup);
    return ENOMEM;
  }
  for (unsigned i = 0; i < count; i++) {
    if (family_fits(family, &record->addrs[i])) {
      lookup->addrs[lookup->count++] = record->addrs[i];
    }
  }
  lookup->os_error = record ? record->os_error : ENOENT;
  if (lookup->os_error == 0 && lookup->count == 0) {
    lookup->os_error = ENOENT;
  }
  lookup->done = done;
  lookup->data = data;
  lookup->event.run = on_due;
  int64_t delay = record ? record->delay_us : 0;
  cw_vnet_event_set(net, &lookup->event, cw_vnet_time_add(net->now_us, delay));
  *pid = lookup->id;
  return 0;
}

void cw_vnet_lookup_cancel(void *ctx, uint64_t id) {
  struct cw_vnet *net = ctx;
  struct cw_vnet_lookup *lookup = cw_idtab_take(&net->lookups, id);
  if (lookup) {
    cw_vnet_event_cancel(net, &lookup->event);
    cw_list_remove(&net->answers, &lookup->node);
    cw_free(lookup);
  }
}

bool cw_vnet_answer_lookups(struct cw_vnet *net) {
  bool any = false;
  for (struct cw_node *node = cw_list_take_head(&net->answers); node;
       node = cw_list_take_head(&net->answers)) {
    struct cw_vnet_lookup *lookup =
        CW_CONTAINER(node, struct cw_vnet_lookup, node);
    (void)cw_idtab_take(&net->lookups, lookup->id);
    lookup->done(lookup->data, lookup->os_error, lookup->addrs, lookup->count);
    cw_free(lookup);
    any = true;
  }
  return any;
}

static int name_free(void *data, struct cw_slice key, void *value) {
  (void)data;
  (void)key;
  cw_free(value);
  return 1;
}

void cw_vnet_names_fini(struct cw_vnet *net) {
  for (uint64_t id = cw_idtab_next(&net->lookups, 0); id != 0;
       id = cw_idtab_next(&net->lookups, 0)) {
    cw_vnet_lookup_cancel(net, id);
  }
  cw_idtab_fini(&net->lookups);
  cw_map_each(&net->names, name_free, NULL);
  cw_map_fini(&net->names);
}
