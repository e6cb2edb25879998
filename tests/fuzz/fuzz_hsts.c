/* The header of HSTS, and a file of it: what is written reads back as it is.
   The first line is a header, the rest a file. */
#include <stdint.h>
#include <stdlib.h>

#include "engine/hsts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define NOW INT64_C(2000000000)

static void check(bool good) {
  if (!good) {
    abort();
  }
}

static struct cw_hsts *read_file(struct cw_slice text) {
  static const uint64_t seed[2] = {1, 2};
  struct cw_hsts *hsts = cw_hsts_new(seed, NULL);
  check(hsts != NULL);
  enum cw_code err = cw_hsts_merge_text(hsts, text, NOW);
  check(err == CW_OK || err == CWE_TOO_LARGE);
  return hsts;
}

static void write_file(const struct cw_hsts *hsts, struct cw_buf *text) {
  size_t count = 0;
  cw_buf_init(text, CW_HSTS_MAX_FILE_BYTES);
  check(cw_hsts_add_text(hsts, text, &count) == CW_OK);
}

static void check_file(struct cw_slice text) {
  struct cw_buf once, twice;
  struct cw_hsts *hsts = read_file(text);
  write_file(hsts, &once);
  struct cw_hsts *again = read_file(cw_buf_slice(&once));
  write_file(again, &twice);
  check(cw_slice_eq(cw_buf_slice(&once), cw_buf_slice(&twice)));
  struct cw_slice rest = cw_buf_slice(&once);
  struct cw_slice line, host;
  while (rest.len > 0 && cw_slice_split(&rest, '\n', &line)) {
    struct cw_hsts_policy policy;
    check(cw_hsts_parse_line(line, &host, &policy));
    check(cw_hsts_knows(hsts, host, NOW));
    char name[CW_HSTS_MAX_NAME_BYTES];
    check(cw_hsts_normalise(host, name));
    check(cw_slice_eq_str(host, name));
  }
  cw_buf_fini(&once);
  cw_buf_fini(&twice);
  cw_hsts_free(hsts);
  cw_hsts_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  struct cw_slice all = cw_slice(n > 0 ? (const char *)bytes : "", n);
  size_t cut = cw_slice_find(all, '\n');
  struct cw_hsts_policy policy;
  if (cw_hsts_parse_header(cw_slice(all.ptr, cut), NOW, &policy)) {
    check(policy.expires_s >= NOW);
  }
  if (cut < n) {
    check_file(cw_slice(all.ptr + cut + 1, n - cut - 1));
  }
  return 0;
}
