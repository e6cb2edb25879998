/*
 * What a file of known hosts says of a host, and what becomes of it when a key
 * is added or takes the place of others, as text; see README.md.
 */
#ifndef TESTS_WIRE_KNOWN_HOSTS_H
#define TESTS_WIRE_KNOWN_HOSTS_H

#include "../wire/transcript.h"
#include "codec/base64.h"
#include "codec/known_hosts.h"

static inline void wire_known_match(struct cw_buf *out, struct cw_slice file,
                                    const struct cw_known_host *host) {
  static const char *const names[] = {"ok", "mismatch", "missing", "revoked"};
  enum cw_known_match match;
  struct cw_buf known, types;
  cw_buf_init(&known, WIRE_MAX_TRANSCRIPT);
  cw_buf_init(&types, WIRE_MAX_TRANSCRIPT);
  wire_must(cw_known_hosts_find(file, host, &match, &known));
  wire_must(cw_known_hosts_types(file, host, &types));
  wire_add(out, names[match]);
  if (match == CW_KNOWN_MISMATCH) {
    wire_add(out, " ");
    wire_must(cw_base64_add(out, cw_buf_slice(&known)));
  }
  wire_add(out, "\ntypes ");
  wire_add_bytes(out, cw_buf_slice(&types));
  wire_add(out, "\n");
  cw_buf_fini(&known);
  cw_buf_fini(&types);
}

static inline void wire_known_edit(struct cw_buf *out, struct cw_slice file,
                                   const struct cw_known_host *host,
                                   bool replace) {
  struct cw_buf made;
  struct cw_slice rest, line;
  cw_buf_init(&made, WIRE_MAX_TRANSCRIPT);
  wire_must(cw_known_hosts_edit(file, host, replace, &made));
  wire_add(out, replace ? "replaced\n" : "added\n");
  rest = cw_slice(made.ptr, made.len - 1); /* it ends in a line end */
  while (cw_slice_split(&rest, '\n', &line)) {
    wire_add(out, " ");
    wire_add_bytes(out, line);
    wire_add(out, "\n");
  }
  cw_buf_fini(&made);
}

/* The whole of input, in a block of its own. */
static inline void wire_known_hosts(struct cw_buf *out, struct cw_slice input,
                                    const struct cw_known_host *host) {
  char *block = malloc(input.len > 0 ? input.len : 1);
  if (!block) {
    abort();
  }
  memcpy(block, input.ptr, input.len);
  struct cw_slice file = cw_slice(block, input.len);
  wire_known_match(out, file, host);
  wire_known_edit(out, file, host, false);
  wire_known_edit(out, file, host, true);
  free(block);
}

#endif
