/* Files of known hosts: whatever they hold, a key that was added is known
   afterwards, unless the file revokes it, and what others say stays. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/known_hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static enum cw_known_match find(struct cw_slice file,
                                const struct cw_known_host *host) {
  struct cw_buf known;
  enum cw_known_match match;
  cw_buf_init(&known, 65536);
  if (cw_known_hosts_find(file, host, &match, &known) != CW_OK) {
    abort();
  }
  cw_buf_fini(&known);
  return match;
}

/* Adding one leaves every byte in its place; replacing, what other hosts have.
 */
static void check_edit(struct cw_slice file, struct cw_slice edited,
                       bool replace, const struct cw_known_host *host) {
  struct cw_known_host other = *host;
  other.host = "other.test";
  if (find(file, &other) != find(edited, &other)) {
    abort();
  }
  if (!replace &&
      (edited.len < file.len || memcmp(edited.ptr, file.ptr, file.len) != 0)) {
    abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  static const char raw[] = "\0\0\0\13ssh-ed25519key";
  struct cw_known_host host = {
      "h.test", n % 2 ? 22 : 2222, {raw, sizeof(raw) - 1}};
  struct cw_slice file = cw_slice(n > 0 ? (const char *)bytes : "", n);
  struct cw_buf known, out;
  enum cw_known_match match;
  cw_buf_init(&known, 65536);
  cw_buf_init(&out, n + 4096);
  if (cw_known_hosts_find(file, &host, &match, &known) != CW_OK ||
      cw_known_hosts_edit(file, &host, n % 3 == 0, &out) != CW_OK) {
    abort();
  }
  check_edit(file, cw_buf_slice(&out), n % 3 == 0, &host);
  bool revoked = match == CW_KNOWN_REVOKED;
  cw_buf_clear(&known);
  if (cw_known_hosts_find(cw_buf_slice(&out), &host, &match, &known) != CW_OK ||
      (match != CW_KNOWN_OK && !revoked)) {
    abort();
  }
  cw_buf_clear(&known);
  (void)!cw_known_hosts_types(file, &host, &known);
  cw_buf_fini(&known);
  cw_buf_fini(&out);
  return 0;
}
