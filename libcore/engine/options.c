/*
 * How it works: one value of eight bytes a row. The table of rows, its
 * aliases and their numbers are X-macro expansions; the place of a number is
 * looked for once and remembered. Setters share one check
 * (find) and differ in how they store.
 */
#include "engine/options.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "engine/rules.h"
#include "pipe/mime.h"

enum {
#define feature(name, built, library, prose) built_##name = (built),
#include "tbl/features.def"
#undef feature
};

static const struct cw_option_row rows[] = {
#define option(name_, number_, kind_, default_, min_, max_, group_, schemes_, \
               feature_, flags_, prose_)                                      \
  {.name = #name_,                                                            \
   .number = (number_),                                                       \
   .kind = cw_kind_##kind_,                                                   \
   .initial = (default_),                                                     \
   .min = (min_),                                                             \
   .max = (max_),                                                             \
   .has_range = (min_) != (max_),                                             \
   .is_built = built_##feature_,                                              \
   .feature = #feature_,                                                      \
   .flags = (flags_)},
#define alias(...)
#include "tbl/options.def"
#undef option
#undef alias
};

/* Every name with its number, options and aliases alike. */
static const struct cw_named {
  int number;
  struct cw_option_ref ref;
} names[] = {
#define option(name_, number_, kind_, default_, min_, max_, group_, schemes_, \
               feature_, flags_, prose_)                                      \
  {(number_),                                                                 \
   {.opt = cw_opt_##name_,                                                    \
    .kind = cw_kind_##kind_,                                                  \
    .scale = 1,                                                               \
    .min = (min_),                                                            \
    .max = (max_),                                                            \
    .has_range = (min_) != (max_),                                            \
    .is_built = built_##feature_,                                             \
    .name = #name_,                                                           \
    .feature = #feature_}},
#define alias(name_, number_, kind_, target_, scale_, min_, max_, feature_, \
              prose_)                                                       \
  {(number_),                                                               \
   {.opt = cw_opt_##target_,                                                \
    .kind = cw_kind_##kind_,                                                \
    .scale = (scale_),                                                      \
    .min = (min_),                                                          \
    .max = (max_),                                                          \
    .has_range = (min_) != (max_),                                          \
    .is_built = built_##feature_,                                           \
    .name = #name_,                                                         \
    .feature = #feature_}},
#include "tbl/options.def"
#undef option
#undef alias
};

/* libcurl's numbers are a class (steps of 10000) and a small offset, ours have
   a class of their own: a direct index costs less than a search. */
#define CLASS_SIZE  400
#define CLASS_COUNT 6

static bool option_at(int number, size_t *pindex) {
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (names[i].number == number) {
      *pindex = i;
      return true;
    }
  }
  return false;
}

const struct cw_option_ref *cw_option_find(int number) {
  /* A cache of places: written by whoever asks first; every thread would
     write the same value, so a relaxed atomic is enough. */
  static _Atomic(unsigned short) places[CLASS_COUNT][CLASS_SIZE];
  int class_index = number / 10000;
  int offset = number % 10000;
  if (number < 0 || class_index >= CLASS_COUNT || offset >= CLASS_SIZE) {
    return NULL;
  }
  size_t index = places[class_index][offset];
  if (index > 0) {
    return &names[index - 1].ref;
  }
  if (!option_at(number, &index)) {
    return NULL;
  }
  places[class_index][offset] = (unsigned short)(index + 1);
  return &names[index].ref;
}

const struct cw_option_row *cw_option_row(enum cw_opt opt) {
  return &rows[opt];
}

static bool is_number(enum cw_kind kind) {
  return kind <= cw_kind_flags;
}

static bool is_string(enum cw_kind kind) {
  return kind == cw_kind_str || kind == cw_kind_secret || kind == cw_kind_path;
}

void cw_options_init(struct cw_options *options) {
  uint64_t serial = options->serial;
  memset(options, 0, sizeof(*options));
  options->serial = serial + 1;
  for (size_t i = 0; i < cw_opt_count; i++) {
    if (is_number(rows[i].kind)) {
      options->value[i].i = rows[i].initial;
    }
  }
}

static void free_blob(struct cw_blob *blob) {
  if (blob) {
    if (blob->flags & CW_BLOB_COPY) {
      cw_wipe(blob->data, blob->len);
      cw_free(blob->data);
    }
    cw_free(blob);
  }
}

static void free_post(struct cw_options *options) {
  cw_free(options->post.owned);
  options->post = (struct cw_bytes){0};
}

static void free_value(struct cw_options *options, enum cw_opt opt) {
  union cw_value *value = &options->value[opt];
  switch (rows[opt].kind) {
  case cw_kind_secret:
    cw_wipe_free(value->s);
    value->s = NULL;
    break;
  case cw_kind_str:
  case cw_kind_path:
    cw_free(value->s);
    value->s = NULL;
    break;
  case cw_kind_list:
    cw_slist_free_all(value->list);
    value->list = NULL;
    break;
  case cw_kind_blob:
    free_blob(value->blob);
    value->blob = NULL;
    break;
  case cw_kind_object:
    if (opt == cw_opt_sink) {
      cw_sink_unref(value->p);
    } else if (opt == cw_opt_source) {
      cw_source_unref(value->p);
    } else if (opt == cw_opt_mimepost) {
      cw_mime_free(value->p);
    } else if (opt == cw_opt_share) {
      cw_share_part(value->p);
    }
    value->p = NULL;
    break;
  default:
    break;
  }
}

void cw_options_fini(struct cw_options *options) {
  for (size_t i = 0; i < cw_opt_count; i++) {
    free_value(options, (enum cw_opt)i);
  }
  free_post(options);
}

static struct cw_slist *copy_list(const struct cw_slist *list, bool *pok) {
  struct cw_slist *copy = NULL;
  struct cw_slist **tail = &copy;
  *pok = true;
  for (; list; list = list->next) {
    struct cw_slist *one = cw_slist_append(NULL, list->data);
    if (!one) {
      cw_slist_free_all(copy);
      *pok = false;
      return NULL;
    }
    *tail = one;
    tail = &one->next;
  }
  return copy;
}

static struct cw_blob *copy_blob(const struct cw_blob *blob) {
  struct cw_blob *copy = cw_malloc(sizeof(*copy));
  if (!copy) {
    return NULL;
  }
  *copy = *blob;
  if (blob->flags & CW_BLOB_COPY) {
    copy->data = cw_memdup0(blob->data, blob->len);
    if (!copy->data) {
      cw_free(copy);
      return NULL;
    }
  }
  return copy;
}

static bool copy_value(struct cw_options *to, const struct cw_options *from,
                       enum cw_opt opt) {
  const union cw_value *value = &from->value[opt];
  enum cw_kind kind = rows[opt].kind;
  bool ok = true;
  if (is_string(kind)) {
    to->value[opt].s = value->s ? cw_strdup(value->s) : NULL;
    return !value->s || to->value[opt].s;
  }
  if (kind == cw_kind_list) {
    to->value[opt].list = copy_list(value->list, &ok);
    return ok;
  }
  if (kind == cw_kind_blob) {
    to->value[opt].blob = value->blob ? copy_blob(value->blob) : NULL;
    return !value->blob || to->value[opt].blob;
  }
  if (opt == cw_opt_share) {
    cw_share_join(value->p);
  }
  if (opt == cw_opt_mimepost) {
    to->value[opt].p = value->p ? cw_mime_ref(value->p) : NULL;
  } else if (opt != cw_opt_sink && opt != cw_opt_source) {
    to->value[opt] = *value;
  }
  return true;
}

enum cw_code cw_options_copy(struct cw_options *to,
                             const struct cw_options *from) {
  for (size_t i = 0; i < cw_opt_count; i++) {
    if (!copy_value(to, from, (enum cw_opt)i)) {
      return CWE_OUT_OF_MEMORY;
    }
  }
  memcpy(to->touched, from->touched, sizeof(to->touched));
  to->post = from->post;
  to->sends_mime = from->sends_mime;
  if (from->post.owned) {
    to->post.owned = cw_memdup0(from->post.owned, from->post.len);
    to->post.ptr = to->post.owned;
    if (!to->post.owned) {
      to->post = (struct cw_bytes){0};
      return CWE_OUT_OF_MEMORY;
    }
  }
  return CW_OK;
}

/* --- setting ----------------------------------------------------------------
 */

static void touch(struct cw_options *options, enum cw_opt opt) {
  options->touched[opt / 64] |= UINT64_C(1) << (opt % 64);
  options->serial++;
}

/* What a setter is for: which kinds, and what it is called in a sentence. */
struct taker {
  bool (*fits)(enum cw_kind kind);
  const char *value;
};

static bool is_list(enum cw_kind kind) {
  return kind == cw_kind_list;
}

static bool is_blob(enum cw_kind kind) {
  return kind == cw_kind_blob;
}

static bool is_pointer(enum cw_kind kind) {
  return kind == cw_kind_object || kind == cw_kind_data;
}

static bool is_callback(enum cw_kind kind) {
  return kind == cw_kind_callback;
}

static const struct taker takes_number = {is_number, "a number"};
static const struct taker takes_string = {is_string, "a string"};
static const struct taker takes_list = {is_list, "a list"};
static const struct taker takes_blob = {is_blob, "a blob"};
static const struct taker takes_pointer = {is_pointer, "a pointer"};
static const struct taker takes_callback = {is_callback, "a function"};

/* Puts a value that is owned from now on in the place of the old one. */
static void replace(struct cw_options *options, enum cw_opt opt,
                    union cw_value value) {
  free_value(options, opt);
  options->value[opt] = value;
  touch(options, opt);
}

static enum cw_code find(int number, const struct taker *taker,
                         const struct cw_option_ref **pref,
                         struct cw_fail *fail) {
  const struct cw_option_ref *ref = cw_option_find(number);
  *pref = ref;
  if (!ref) {
    return cw_fail(fail, CWE_UNKNOWN_OPTION, "no option has the number %d",
                   number);
  }
  if (!ref->is_built) {
    return cw_fail(fail, CWE_NOT_BUILT_IN,
                   "option %s is not built in: it needs %s", ref->name,
                   ref->feature);
  }
  if (!taker->fits(ref->kind)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "option %s does not take %s", ref->name, taker->value);
  }
  return CW_OK;
}

enum cw_code cw_options_set_int(struct cw_options *options, int number,
                                int64_t value, struct cw_fail *fail) {
  const struct cw_option_ref *ref = NULL;
  enum cw_code err = find(number, &takes_number, &ref, fail);
  if (err) {
    return err;
  }
  if (ref->kind == cw_kind_bool) {
    value = value != 0;
  }
  if (ref->has_range && (value < ref->min || value > ref->max)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "option %s: %lld is not within %lld to %lld", ref->name,
                   (long long)value, (long long)ref->min, (long long)ref->max);
  }
  err = cw_rules_check(ref->opt, value, fail);
  if (err) {
    return err;
  }
  options->value[ref->opt].i = value * ref->scale;
  touch(options, ref->opt);
  cw_rules_apply(options, ref->opt, value);
  return CW_OK;
}

static enum cw_code set_post(struct cw_options *options, bool copied,
                             const char *s, size_t n, bool has_len,
                             struct cw_fail *fail) {
  char *owned = NULL;
  if (s && copied) {
    owned = cw_memdup0(s, n);
    if (!owned) {
      return cw_fail_oom(fail);
    }
  }
  free_post(options);
  options->post.ptr = owned ? owned : s;
  options->post.owned = owned;
  options->post.len = n;
  options->post.has_len = has_len;
  touch(options, cw_opt_postfields);
  cw_rules_apply(options, cw_opt_postfields, s != NULL);
  return CW_OK;
}

enum cw_code cw_options_set_str(struct cw_options *options, int number,
                                const char *s, size_t n, struct cw_fail *fail) {
  const struct cw_option_ref *ref = NULL;
  enum cw_code err = find(number, &takes_string, &ref, fail);
  if (err) {
    return err;
  }
  if (ref->opt == cw_opt_postfields) {
    return set_post(options, number != CWOPT_POSTFIELDS, s, n, true, fail);
  }
  if (s && memchr(s, 0, n)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "option %s: the string holds a NUL byte", ref->name);
  }
  char *copy = s ? cw_memdup0(s, n) : NULL;
  if (s && !copy) {
    return cw_fail_oom(fail);
  }
  replace(options, ref->opt, (union cw_value){.s = copy});
  return CW_OK;
}

enum cw_code cw_options_set_list(struct cw_options *options, int number,
                                 const struct cw_slist *list,
                                 struct cw_fail *fail) {
  const struct cw_option_ref *ref = NULL;
  enum cw_code err = find(number, &takes_list, &ref, fail);
  if (err) {
    return err;
  }
  bool ok;
  struct cw_slist *copy = copy_list(list, &ok);
  if (!ok) {
    return cw_fail_oom(fail);
  }
  replace(options, ref->opt, (union cw_value){.list = copy});
  return CW_OK;
}

enum cw_code cw_options_set_blob(struct cw_options *options, int number,
                                 const struct cw_blob *blob,
                                 struct cw_fail *fail) {
  const struct cw_option_ref *ref = NULL;
  enum cw_code err = find(number, &takes_blob, &ref, fail);
  if (err) {
    return err;
  }
  struct cw_blob *copy = blob && blob->data ? copy_blob(blob) : NULL;
  if (blob && blob->data && !copy) {
    return cw_fail_oom(fail);
  }
  replace(options, ref->opt, (union cw_value){.blob = copy});
  return CW_OK;
}

enum cw_code cw_options_set_ptr(struct cw_options *options, int number,
                                void *ptr, struct cw_fail *fail) {
  const struct cw_option_ref *ref = NULL;
  enum cw_code err = find(number, &takes_pointer, &ref, fail);
  if (err) {
    return err;
  }
  if (ref->opt == cw_opt_share && ptr && !cw_share_is_valid(ptr)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "option share: not a share handle");
  }
  if (ref->opt == cw_opt_share) {
    cw_share_join(ptr);
  } else if (ref->opt == cw_opt_sink && ptr) {
    cw_sink_ref(ptr);
  } else if (ref->opt == cw_opt_source && ptr) {
    cw_source_ref(ptr);
  } else if (ref->opt == cw_opt_mimepost && ptr) {
    cw_mime_ref(ptr);
  }
  replace(options, ref->opt, (union cw_value){.p = ptr});
  cw_rules_apply(options, ref->opt, ptr != NULL);
  return CW_OK;
}

enum cw_code cw_options_set_fn(struct cw_options *options, int number,
                               cw_any_fn fn, struct cw_fail *fail) {
  const struct cw_option_ref *ref = NULL;
  enum cw_code err = find(number, &takes_callback, &ref, fail);
  if (err) {
    return err;
  }
  options->value[ref->opt].f = fn;
  touch(options, ref->opt);
  return CW_OK;
}
