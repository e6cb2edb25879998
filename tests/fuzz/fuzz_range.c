/* Ranges and Base64: bounds hold, and what is decoded encodes to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(bool good) {
  if (!good) {
    abort();
  }
}

static void check_range(const uint8_t *bytes, size_t n) {
  char *text = malloc(n + 1);
  if (!text) {
    return;
  }
  if (n > 0) {
    memcpy(text, bytes, n);
  }
  text[n] = '\0';
  bool many;
  int64_t first, last;
  if (cw_range_parse(text, &many, &first, &last)) {
    check(first >= -1 && last >= -1);
    check(many ? first == -1 && last == -1 : first >= 0 || last >= 0);
    check(first < 0 || last < 0 || first <= last);
    check(many == (strchr(text, ',') != NULL));
  }
  free(text);
}

static void check_base64(struct cw_slice text) {
  struct cw_buf raw, back;
  cw_buf_init(&raw, text.len);
  cw_buf_init(&back, text.len);
  enum cw_code err = cw_base64_decode(&raw, text);
  check(err == CW_OK || err == CWE_BAD_FUNCTION_ARGUMENT);
  if (!err) {
    check(cw_base64_add(&back, cw_buf_slice(&raw)) == CW_OK);
    check(cw_slice_eq(cw_buf_slice(&back), text));
  }
  cw_buf_fini(&raw);
  cw_buf_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  struct cw_slice text = cw_slice(bytes, n);
  struct cw_content_range cr;
  if (cw_content_range_parse(text, &cr)) {
    check(cr.satisfied || cr.has_total);
    check(!cr.satisfied || cr.first <= cr.last);
    check(!cr.satisfied || !cr.has_total || cr.last < cr.total);
  }
  check_range(bytes, n);
  check_base64(text);
  return 0;
}
