/* Challenges and their answers: what is answered holds no control byte, and
   reads back as parameters; each challenge of a field alone is the same one.
   The first line is a challenge, the rest an Authentication-Info. */
#include <stdint.h>
#include <stdlib.h>

#include "../wire/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(bool good) {
  if (!good) {
    abort();
  }
}

static void check_answer(struct cw_slice value, const char *nonce) {
  struct cw_challenge one;
  struct cw_auth_param param;
  bool found = false;
  for (size_t i = 0; i < value.len; i++) {
    check((unsigned char)value.ptr[i] >= 0x20);
  }
  check(cw_challenge_next(&value, &one) && value.len == 0);
  while (cw_auth_param_next(&one.params, &param)) {
    if (cw_slice_ieq_str(param.name, "nonce")) {
      struct cw_buf back;
      cw_buf_init(&back, CW_DIGEST_MAX_VALUE_BYTES);
      check(cw_auth_param_value(&param, &back) == CW_OK);
      check(cw_slice_eq_str(cw_buf_slice(&back), nonce));
      cw_buf_fini(&back);
      found = true;
    }
  }
  check(found && one.params.len == 0);
}

static void answer(const struct cw_digest_challenge *c, bool body_known) {
  struct cw_digest_request r = {.user = cw_slice_str("us\"er"),
                                .password = cw_slice_str("secret"),
                                .method = cw_slice_str("PUT"),
                                .uri = cw_slice_str("/a?b"),
                                .body = cw_slice_str(body_known ? "body" : ""),
                                .body_known = body_known,
                                .cnonce = "0123",
                                .count = 1};
  struct cw_buf value;
  cw_buf_init(&value, CW_DIGEST_MAX_ANSWER_BYTES);
  enum cw_code err = cw_digest_answer(c, &r, &value);
  check((err == CW_OK) == cw_digest_can_answer(c, body_known));
  if (!err) {
    check_answer(cw_buf_slice(&value), c->nonce);
  }
  cw_buf_fini(&value);
}

/* What is inside of one is read alike without the others around it. */
static void check_alone(const struct cw_challenge *one) {
  size_t n = (size_t)(one->params.ptr + one->params.len - one->scheme.ptr);
  char *block = malloc(n);
  check(block != NULL);
  memcpy(block, one->scheme.ptr, n);
  struct cw_slice rest = cw_slice(block, n);
  struct cw_challenge again;
  check(cw_challenge_next(&rest, &again));
  check(cw_slice_eq(one->scheme, again.scheme));
  check(cw_slice_eq(one->params, again.params));
  free(block);
}

static void check_challenges(struct cw_slice value) {
  struct cw_challenge one;
  size_t before = value.len;
  struct cw_buf shown;
  cw_buf_init(&shown, WIRE_MAX_TRANSCRIPT);
  wire_challenges(&shown, value);
  cw_buf_fini(&shown);
  while (cw_challenge_next(&value, &one)) {
    check(value.len < before && one.scheme.len > 0);
    before = value.len;
    check_alone(&one);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  struct cw_digest_challenge c;
  struct cw_slice all = cw_slice(n > 0 ? (const char *)bytes : "", n);
  size_t cut = cw_slice_find(all, '\n');
  bool changed;
  check_challenges(cw_slice(all.ptr, cut));
  cw_digest_init(&c);
  check(cw_digest_parse(&c, cw_slice(all.ptr, cut)) == CW_OK);
  if (cut < n) {
    struct cw_slice info = cw_slice(all.ptr + cut + 1, n - cut - 1);
    check(cw_digest_parse_info(&c, info, &changed) == CW_OK);
    check(!changed || c.nonce);
  }
  answer(&c, false);
  answer(&c, true);
  cw_digest_fini(&c);
  return 0;
}
