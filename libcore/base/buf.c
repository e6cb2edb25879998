/*
 * How it works: cap counts the bytes of the block without the one kept for the
 * NUL, so "len + n <= cap" is the whole test of the common case. The block
 * doubles, which makes adding n bytes in pieces cost a constant per byte, but
 * never past the ceiling.
 */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>

#include "base/mem.h"

#define FIRST_CAP 63 /* with its NUL: one cache line */

void cw_buf_init(struct cw_buf *buf, size_t ceiling) {
  *buf = (struct cw_buf){0};
  /* One byte of the address space stays for the NUL. */
  buf->ceiling = ceiling < SIZE_MAX ? ceiling : SIZE_MAX - 1;
}

void cw_buf_fini(struct cw_buf *buf) {
  cw_free(buf->ptr);
  cw_buf_init(buf, buf->ceiling);
}

void cw_buf_wipe(struct cw_buf *buf) {
  /* All of the block: what was cut off or dropped is still in it. */
  cw_wipe(buf->ptr, buf->cap);
  cw_buf_fini(buf);
}

void cw_buf_truncate(struct cw_buf *buf, size_t len) {
  if (len <= buf->len && buf->ptr) {
    buf->len = len;
    buf->ptr[len] = '\0';
  }
}

void cw_buf_clear(struct cw_buf *buf) {
  cw_buf_truncate(buf, 0);
}

static enum cw_code grow(struct cw_buf *buf, size_t n) {
  if (n > buf->ceiling - buf->len) {
    return CWE_TOO_LARGE;
  }
  size_t need = buf->len + n;
  size_t cap = buf->ceiling;
  if (buf->cap < buf->ceiling / 2) {
    cap = 2 * buf->cap + 1; /* with the NUL: a power of two */
  }
  if (cap < FIRST_CAP) {
    cap = FIRST_CAP < buf->ceiling ? FIRST_CAP : buf->ceiling;
  }
  if (cap < need) {
    cap = need;
  }
  char *ptr = cw_realloc(buf->ptr, cap + 1);
  if (!ptr) {
    return CWE_OUT_OF_MEMORY;
  }
  buf->ptr = ptr;
  buf->cap = cap;
  ptr[buf->len] = '\0';
  return CW_OK;
}

enum cw_code cw_buf_reserve(struct cw_buf *buf, size_t n) {
  if (buf->ptr && n <= buf->cap - buf->len) {
    return CW_OK;
  }
  return grow(buf, n);
}

enum cw_code cw_buf_add(struct cw_buf *buf, const void *bytes, size_t n) {
  enum cw_code err = cw_buf_reserve(buf, n);
  if (err) {
    return err;
  }
  if (n > 0) {
    memcpy(buf->ptr + buf->len, bytes, n);
    buf->len += n;
    buf->ptr[buf->len] = '\0';
  }
  return CW_OK;
}

enum cw_code cw_buf_add_str(struct cw_buf *buf, const char *s) {
  return cw_buf_add(buf, s, strlen(s));
}

enum cw_code cw_buf_add_slice(struct cw_buf *buf, struct cw_slice s) {
  return cw_buf_add(buf, s.ptr, s.len);
}

enum cw_code cw_buf_add_char(struct cw_buf *buf, char c) {
  if (buf->len == buf->cap) {
    enum cw_code err = grow(buf, 1);
    if (err) {
      return err;
    }
  }
  buf->ptr[buf->len++] = c;
  buf->ptr[buf->len] = '\0';
  return CW_OK;
}

enum cw_code cw_buf_addf(struct cw_buf *buf, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  enum cw_code err = cw_buf_vaddf(buf, fmt, ap);
  va_end(ap);
  return err;
}

/* Prints into the room that is there; only what does not fit is printed
   twice. */
enum cw_code cw_buf_vaddf(struct cw_buf *buf, const char *fmt, va_list ap) {
  enum cw_code err = cw_buf_reserve(buf, 0);
  if (err) {
    return err;
  }
  size_t room = buf->cap - buf->len;
  va_list again;
  va_copy(again, ap);
  int n = vsnprintf(buf->ptr + buf->len, room + 1, fmt, ap);
  if (n < 0) {
    err = CWE_BAD_FUNCTION_ARGUMENT;
    goto out;
  }
  if ((size_t)n > room) {
    err = grow(buf, (size_t)n);
    if (err) {
      goto out;
    }
    /* An argument that changes between the two calls is cut, not overrun. */
    n = vsnprintf(buf->ptr + buf->len, (size_t)n + 1, fmt, again);
  }
  buf->len += (size_t)n;
out:
  buf->ptr[buf->len] = '\0';
  va_end(again);
  return err;
}

void cw_buf_drop_front(struct cw_buf *buf, size_t n) {
  if (n >= buf->len) {
    cw_buf_clear(buf);
  } else if (n > 0) {
    memmove(buf->ptr, buf->ptr + n, buf->len - n + 1);
    buf->len -= n;
  }
}

struct cw_slice cw_buf_slice(const struct cw_buf *buf) {
  return cw_slice(buf->ptr, buf->len);
}

char *cw_buf_take(struct cw_buf *buf) {
  char *ptr = buf->ptr ? buf->ptr : cw_memdup0(NULL, 0);
  cw_buf_init(buf, buf->ceiling);
  return ptr;
}
