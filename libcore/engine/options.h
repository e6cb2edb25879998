/*
 * Options of an easy handle: storage, defaults and rules, all from the rows of
 * tbl/options.def. Nothing here knows what an option means.
 */
#ifndef CW_ENGINE_OPTIONS_H
#define CW_ENGINE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"
#include "curlew/easy.h"

enum cw_kind {
  cw_kind_bool,
  cw_kind_int,
  cw_kind_ms,
  cw_kind_seconds,
  cw_kind_bytes,
  cw_kind_enum,
  cw_kind_flags,
  cw_kind_str,
  cw_kind_secret,
  cw_kind_path,
  cw_kind_blob,
  cw_kind_list,
  cw_kind_object,
  cw_kind_callback,
  cw_kind_data
};

/* The rows, as indices of the storage: cw_opt_<name>. */
enum cw_opt {
#define option(name, ...) cw_opt_##name,
#define alias(name, ...)
#include "tbl/options.def"
#undef option
#undef alias
  cw_opt_count
};

enum {
  f_key = 1,
  f_key_tls = 2,
  f_key_proxy = 4,
  f_live = 8,
  f_noredir = 16,
  f_safe = 32
};

struct cw_option_row {
  const char *name;
  int number;
  enum cw_kind kind;
  int64_t initial, min, max;
  bool has_range;
  bool is_built;
  const char *feature;
  unsigned flags;
};

/* Bytes lent or copied, for POSTFIELDS and COPYPOSTFIELDS. */
struct cw_bytes {
  const char *ptr;
  char *owned; /* or NULL: borrowed */
  size_t len;
  bool has_len; /* else: up to the first NUL, or POSTFIELDSIZE */
};

union cw_value {
  int64_t i;
  char *s;
  void *p;
  cw_any_fn f;
  struct cw_slist *list;
  struct cw_blob *blob;
};

struct cw_options {
  union cw_value value[cw_opt_count];
  struct cw_bytes post;
  bool sends_mime; /* the body is mimepost's: it was chosen last */
  uint64_t touched[(cw_opt_count + 63) / 64]; /* set by the user */
  uint64_t serial; /* another one after each change; never 0 */
};

/* Which row, and by what factor, an option number means. */
struct cw_option_ref {
  enum cw_opt opt;
  enum cw_kind kind; /* of the name used, an alias may differ */
  int64_t scale, min, max;
  bool has_range, is_built;
  const char *name, *feature;
};
/* A constant, or NULL: no option has that number. */
const struct cw_option_ref *cw_option_find(int number);
const struct cw_option_row *cw_option_row(enum cw_opt opt);

/* options is zero, or was used and freed. */
void cw_options_init(struct cw_options *options);
/* Frees, wipes secrets; to be initialised again before use. */
void cw_options_fini(struct cw_options *options);
/* to is initialised. Sinks and sources are left out. CWE_OUT_OF_MEMORY: to
   holds what could be copied. */
CW_MUST_CHECK enum cw_code cw_options_copy(struct cw_options *to,
                                           const struct cw_options *from);

/* Setting by kind. CWE_UNKNOWN_OPTION, CWE_NOT_BUILT_IN,
   CWE_BAD_FUNCTION_ARGUMENT (kind or range), CWE_OUT_OF_MEMORY; the sentence
   in fail names the option. */
CW_MUST_CHECK enum cw_code cw_options_set_int(struct cw_options *options,
                                              int number, int64_t value,
                                              struct cw_fail *fail);
CW_MUST_CHECK enum cw_code cw_options_set_str(struct cw_options *options,
                                              int number, const char *s,
                                              size_t n, struct cw_fail *fail);
CW_MUST_CHECK enum cw_code cw_options_set_list(struct cw_options *options,
                                               int number,
                                               const struct cw_slist *list,
                                               struct cw_fail *fail);
CW_MUST_CHECK enum cw_code cw_options_set_blob(struct cw_options *options,
                                               int number,
                                               const struct cw_blob *blob,
                                               struct cw_fail *fail);
CW_MUST_CHECK enum cw_code cw_options_set_ptr(struct cw_options *options,
                                              int number, void *ptr,
                                              struct cw_fail *fail);
CW_MUST_CHECK enum cw_code cw_options_set_fn(struct cw_options *options,
                                             int number, cw_any_fn fn,
                                             struct cw_fail *fail);

static inline int64_t cw_opt_i(const struct cw_options *o, enum cw_opt opt) {
  return o->value[opt].i;
}
/* NULL: not set. */
static inline const char *cw_opt_s(const struct cw_options *o,
                                   enum cw_opt opt) {
  return o->value[opt].s;
}
static inline void *cw_opt_p(const struct cw_options *o, enum cw_opt opt) {
  return o->value[opt].p;
}
static inline cw_any_fn cw_opt_f(const struct cw_options *o, enum cw_opt opt) {
  return o->value[opt].f;
}
static inline const struct cw_slist *cw_opt_list(const struct cw_options *o,
                                                 enum cw_opt opt) {
  return o->value[opt].list;
}
static inline const struct cw_blob *cw_opt_blob(const struct cw_options *o,
                                                enum cw_opt opt) {
  return o->value[opt].blob;
}
static inline bool cw_opt_touched(const struct cw_options *o, enum cw_opt opt) {
  return (o->touched[opt / 64] >> (opt % 64)) & 1;
}

/* --- share.c: a share counts the handles that use it (NULL is allowed) ---- */

struct cw_share;
bool cw_share_is_valid(const struct cw_share *share);
void cw_share_join(struct cw_share *share);
void cw_share_part(struct cw_share *share);

#endif
