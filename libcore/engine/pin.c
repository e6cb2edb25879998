#include "engine/pin.h"

#include "base/mem.h"
#include "engine/easy.h"

struct cw_pin {
  struct cw_pin_count *count;
  struct cw_chunk *chunk; /* or NULL: a copy */
  char *copy;
  const char *bytes;
  size_t counted;
};

void cw_pin_count_unref(struct cw_pin_count *count) {
  if (count && --count->refs == 0) {
    cw_free(count);
  }
}

static enum cw_code take_count(struct cw_easy *easy, struct cw_pin *pin) {
  if (!easy->pins) {
    easy->pins = cw_calloc(1, sizeof(*easy->pins));
    if (!easy->pins) {
      return CWE_OUT_OF_MEMORY;
    }
    easy->pins->refs = 1;
  }
  int64_t limit = cw_opt_i(&easy->options, cw_opt_max_pinned_bytes);
  if (easy->pins->bytes + pin->counted > (uint64_t)limit) {
    return CWE_TOO_LARGE;
  }
  easy->pins->bytes += pin->counted;
  easy->pins->refs++;
  pin->count = easy->pins;
  return CW_OK;
}

/* Whether the bytes lie in the chunk that the running callback was shown. */
static bool lies_in(const struct cw_piece *shown, const char *bytes, size_t n) {
  return shown->chunk && bytes >= shown->ptr &&
         bytes + n <= shown->ptr + shown->len;
}

static enum cw_code keep_bytes(struct cw_easy *easy, struct cw_pin *pin,
                               const char *bytes, size_t n) {
  if (lies_in(&easy->shown, bytes, n)) {
    pin->chunk = cw_chunk_ref(easy->shown.chunk);
    pin->bytes = bytes;
    return CW_OK;
  }
  pin->copy = cw_memdup0(bytes, n);
  pin->bytes = pin->copy;
  return pin->copy ? CW_OK : CWE_OUT_OF_MEMORY;
}

enum cw_code cw_easy_pin(CW *easy, const char *bytes, size_t n,
                         struct cw_pin **ppin) {
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  struct cw_pin *pin = cw_calloc(1, sizeof(*pin));
  if (!pin) {
    return CWE_OUT_OF_MEMORY;
  }
  /* A pinned slice keeps its whole chunk: that is what it costs. */
  pin->counted = lies_in(&easy->shown, bytes, n) ? easy->shown.chunk->cap : n;
  enum cw_code err = take_count(easy, pin);
  if (!err) {
    err = keep_bytes(easy, pin, bytes, n);
  }
  if (err) {
    cw_pin_free(pin);
    return err;
  }
  *ppin = pin;
  return CW_OK;
}

const char *cw_pin_bytes(const struct cw_pin *pin) {
  return pin->bytes;
}

void cw_pin_free(struct cw_pin *pin) {
  if (!pin) {
    return;
  }
  if (pin->count) {
    pin->count->bytes -= pin->counted;
    cw_pin_count_unref(pin->count);
  }
  cw_chunk_unref(pin->chunk);
  cw_free(pin->copy);
  cw_free(pin);
}
