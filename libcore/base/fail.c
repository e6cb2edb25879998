#include "base/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct errno_row {
  int number;
  const char *name;
  const char *prose;
};

static const struct errno_row errno_rows[] = {
#define errno_row(name, prose) {name, #name, prose},
#include "tbl/errnos.def"
#undef errno_row
};

static const struct errno_row *find_errno(int os_errno) {
  for (size_t i = 0; i < sizeof(errno_rows) / sizeof(errno_rows[0]); i++) {
    if (errno_rows[i].number == os_errno) {
      return &errno_rows[i];
    }
  }
  return NULL;
}

const char *cw_os_message(int os_errno) {
  const struct errno_row *row = find_errno(os_errno);
  return row ? row->prose : "unknown system error";
}

const char *cw_os_name(int os_errno) {
  const struct errno_row *row = find_errno(os_errno);
  return row ? row->name : NULL;
}

void cw_fail_clear(struct cw_fail *fail) {
  *fail = (struct cw_fail){0};
}

static void mask_controls(char *s) {
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (c < 0x20 || c == 0x7f) {
      *s = '?';
    }
  }
}

/* Writes the sentence, cut so that the suffix fits behind it. */
static void record(struct cw_fail *fail, enum cw_code code, const char *suffix,
                   const char *fmt, va_list ap) {
  size_t n = strlen(suffix);
  fail->code = code;
  if (vsnprintf(fail->detail, sizeof(fail->detail) - n, fmt, ap) < 0) {
    fail->detail[0] = '\0';
  }
  mask_controls(fail->detail);
  memcpy(fail->detail + strlen(fail->detail), suffix, n + 1);
}

enum cw_code cw_fail(struct cw_fail *fail, enum cw_code code, const char *fmt,
                     ...) {
  if (fail && fail->code == CW_OK) {
    va_list ap;
    va_start(ap, fmt);
    record(fail, code, "", fmt, ap);
    va_end(ap);
  }
  return code;
}

enum cw_code cw_fail_os(struct cw_fail *fail, enum cw_code code, int os_errno,
                        const char *fmt, ...) {
  if (!fail || fail->code != CW_OK) {
    return code;
  }
  char suffix[CW_FAIL_DETAIL_BYTES / 2];
  const struct errno_row *row = find_errno(os_errno);
  if (row) {
    snprintf(suffix, sizeof(suffix), ": %s (%s)", row->prose, row->name);
  } else {
    snprintf(suffix, sizeof(suffix), ": %s (errno %d)", cw_os_message(os_errno),
             os_errno);
  }
  va_list ap;
  va_start(ap, fmt);
  record(fail, code, suffix, fmt, ap);
  va_end(ap);
  fail->os_errno = os_errno;
  return code;
}

enum cw_code cw_fail_oom(struct cw_fail *fail) {
  return cw_fail(fail, CWE_OUT_OF_MEMORY, "out of memory");
}
