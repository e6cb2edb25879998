/*
 * How it works. Names and values lie one behind the other in one buffer, each
 * with a NUL behind it, and an array of offsets says where. Offsets, because
 * the buffer moves when it grows; 32 bits are enough, because its ceiling is
 * held below that. Look-up walks the array: a response has a dozen fields, and
 * a peer that sends thousands is stopped by max_count.
 */
#include "codec/headers.h"

#include <stdint.h>

#include "base/mem.h"

#define HEADERS_FIRST_CAP 16

void cw_headers_init(struct cw_headers *headers, size_t max_count,
                     size_t max_bytes) {
  *headers = (struct cw_headers){.max_count = max_count};
  cw_buf_init(&headers->bytes, max_bytes < INT32_MAX ? max_bytes : INT32_MAX);
}

void cw_headers_fini(struct cw_headers *headers) {
  cw_buf_fini(&headers->bytes);
  cw_free(headers->entries);
  headers->entries = NULL;
  headers->count = 0;
  headers->cap = 0;
}

void cw_headers_clear(struct cw_headers *headers) {
  cw_buf_clear(&headers->bytes);
  headers->count = 0;
}

/* Room for one more entry. */
static enum cw_code headers_grow(struct cw_headers *headers) {
  if (headers->count < headers->cap) {
    return CW_OK;
  }
  size_t cap = headers->cap ? headers->cap * 2 : HEADERS_FIRST_CAP;
  if (cap > SIZE_MAX / sizeof(*headers->entries)) {
    return CWE_OUT_OF_MEMORY;
  }
  struct cw_header_entry *entries =
      cw_realloc(headers->entries, cap * sizeof(*entries));
  if (!entries) {
    return CWE_OUT_OF_MEMORY;
  }
  headers->entries = entries;
  headers->cap = cap;
  return CW_OK;
}

/* Adds s and a NUL; *poff is where s lies. */
static enum cw_code headers_put(struct cw_headers *headers, struct cw_slice s,
                                uint32_t *poff) {
  *poff = (uint32_t)headers->bytes.len;
  enum cw_code err = cw_buf_add(&headers->bytes, s.ptr, s.len);
  return err ? err : cw_buf_add_char(&headers->bytes, '\0');
}

enum cw_code cw_headers_add(struct cw_headers *headers, struct cw_slice name,
                            struct cw_slice value, int origin) {
  if (headers->count >= headers->max_count) {
    return CWE_TOO_LARGE;
  }
  size_t ceiling = headers->bytes.ceiling;
  if (name.len > ceiling || value.len > ceiling) {
    return CWE_TOO_LARGE;
  }
  enum cw_code err = headers_grow(headers);
  if (err) {
    return err;
  }
  size_t before = headers->bytes.len;
  struct cw_header_entry entry = {.name_len = (uint32_t)name.len,
                                  .value_len = (uint32_t)value.len,
                                  .origin = origin};
  err = cw_buf_reserve(&headers->bytes, name.len + value.len + 2);
  if (err) {
    return err;
  }
  err = headers_put(headers, name, &entry.name_off);
  if (!err) {
    err = headers_put(headers, value, &entry.value_off);
  }
  if (err) {
    cw_buf_truncate(&headers->bytes, before);
    return err;
  }
  headers->entries[headers->count++] = entry;
  return CW_OK;
}

static struct cw_slice headers_name(const struct cw_headers *headers,
                                    const struct cw_header_entry *entry) {
  return cw_slice(headers->bytes.ptr + entry->name_off, entry->name_len);
}

static struct cw_slice headers_value(const struct cw_headers *headers,
                                     const struct cw_header_entry *entry) {
  return cw_slice(headers->bytes.ptr + entry->value_off, entry->value_len);
}

bool cw_headers_at(const struct cw_headers *headers, size_t index,
                   struct cw_slice *name, struct cw_slice *value,
                   int *porigin) {
  if (index >= headers->count) {
    return false;
  }
  const struct cw_header_entry *entry = &headers->entries[index];
  *name = headers_name(headers, entry);
  *value = headers_value(headers, entry);
  if (porigin) {
    *porigin = entry->origin;
  }
  return true;
}

bool cw_headers_next(const struct cw_headers *headers, const char *name,
                     size_t *pindex, struct cw_slice *value) {
  struct cw_slice wanted = cw_slice_str(name);
  for (size_t i = *pindex; i < headers->count; i++) {
    const struct cw_header_entry *entry = &headers->entries[i];
    if (entry->name_len == wanted.len &&
        cw_slice_ieq(headers_name(headers, entry), wanted)) {
      *value = headers_value(headers, entry);
      *pindex = i + 1;
      return true;
    }
  }
  *pindex = headers->count;
  return false;
}

bool cw_headers_get(const struct cw_headers *headers, const char *name,
                    struct cw_slice *value) {
  size_t index = 0;
  return cw_headers_next(headers, name, &index, value);
}

/* The length of the list element at the front of s: up to a comma that is not
   inside a quoted string (RFC 9110, 5.6.4), so that the text of a parameter is
   never taken for a member of the list. */
static size_t headers_element(struct cw_slice s) {
  bool quoted = false;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted && c == '\\') {
      i++; /* a quoted pair; past the end the loop ends */
    } else if (!quoted && c == ',') {
      return i;
    }
  }
  return s.len;
}

static bool headers_list_has(struct cw_slice list, struct cw_slice token) {
  while (list.len > 0) {
    size_t n = headers_element(list);
    struct cw_slice member = cw_slice(list.ptr, n);
    member.len = cw_slice_find(member, ';');
    if (cw_slice_ieq(cw_slice_trim(member), token)) {
      return true;
    }
    size_t used = n < list.len ? n + 1 : n;
    list = cw_slice(list.ptr + used, list.len - used);
  }
  return false;
}

bool cw_headers_has_token(const struct cw_headers *headers, const char *name,
                          const char *token) {
  struct cw_slice wanted = cw_slice_str(token);
  struct cw_slice value;
  size_t index = 0;
  while (cw_headers_next(headers, name, &index, &value)) {
    if (headers_list_has(value, wanted)) {
      return true;
    }
  }
  return false;
}
