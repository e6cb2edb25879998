/* Commands of SFTP: what is accepted has the arguments that its verb needs. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/ssh_quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  struct cw_ssh_quote q;
  const char *why = NULL;
  enum cw_code err =
      cw_ssh_quote_parse(cw_slice(bytes, n), 1700000000, &q, &why);
  if (err && (err != CWE_QUOTE_ERROR || !why)) {
    abort();
  }
  bool two = q.verb == CW_SSH_RENAME || q.verb == CW_SSH_SYMLINK;
  if (!err && ((q.verb != CW_SSH_PWD && q.path.len == 0) ||
               (two && q.other.len == 0))) {
    abort();
  }
  cw_ssh_quote_fini(&q);
  return 0;
}
