/*
 * What every row of options.def promises, tested row by row: default, setting
 * and reading back, range, kind, what is not built in, reset, copies, what may
 * change while a transfer runs, and what makes another connection necessary.
 * And every row of infos.def: that it can be read with its type.
 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/peer.h"

enum {
  s_all = 1,
  s_http = 2,
  s_ftp = 4,
  s_ssh = 8,
  s_rtsp = 16,
  s_ws = 32,
  s_file = 64,
  s_tls = 128,
  s_mail = 256,
  s_tftp = 512,
  s_telnet = 1024,
  f_key = 1,
  f_key_tls = 2,
  f_key_proxy = 4,
  f_live = 8,
  f_noredir = 16,
  f_safe = 32
};

enum row_kind {
  rk_bool,
  rk_int,
  rk_ms,
  rk_seconds,
  rk_bytes,
  rk_enum,
  rk_flags,
  rk_str,
  rk_secret,
  rk_path,
  rk_blob,
  rk_list,
  rk_object,
  rk_callback,
  rk_data
};

struct row {
  const char *name;
  enum cw_option option;
  enum row_kind kind;
  int64_t preset, scale, min, max;
  const char *group, *feature;
  unsigned flags;
  const char *target; /* of an alias */
};

static const struct row rows[] = {
#define option(name_, number_, kind_, preset_, min_, max_, group_, schemes_, \
               feature_, flags_, prose_)                                     \
  {#name_,     (enum cw_option)(number_),                                    \
   rk_##kind_, preset_,                                                      \
   1,          min_,                                                         \
   max_,       #group_,                                                      \
   #feature_,  flags_,                                                       \
   NULL},
#define alias(name_, number_, kind_, target_, scale_, min_, max_, feature_, \
              prose_)                                                       \
  {#name_,     (enum cw_option)(number_),                                   \
   rk_##kind_, 0,                                                           \
   scale_,     min_,                                                        \
   max_,       "none",                                                      \
   #feature_,  0,                                                           \
   #target_},
#include "tbl/options.def"
#undef option
#undef alias
};
#define ROWS_END (rows + sizeof(rows) / sizeof(rows[0]))

static const struct {
  const char *group;
  int64_t value;
} constants[] = {
#define constant(group_, name_, c_name_, value_, prose_) \
  {#group_, INT64_C(value_)},
#include "tbl/constants.def"
#undef constant
};

static bool is_number(const struct row *r) {
  return r->kind <= rk_flags;
}

static bool is_string(const struct row *r) {
  return r->kind >= rk_str && r->kind <= rk_path;
}

static bool is_pointer(const struct row *r) {
  return r->kind == rk_object || r->kind == rk_data;
}

static bool is_built(const struct row *r) {
  return cw_feature(r->feature) != 0;
}

static const struct row *target_of(const struct row *r) {
  for (const struct row *t = rows; t < ROWS_END; t++) {
    if (r->target && strcmp(t->name, r->target) == 0) {
      return t;
    }
  }
  cr_assert_null(r->target, "%s is an alias of nothing", r->name);
  return r;
}

/* --- one value of each kind ----------------------------------------------- */

static struct cw_sink *sink;
static struct cw_source *source;
static struct cw_mime *mime;
static struct cw_slist *list;
static char object[256]; /* as large as an error buffer */
static CW *easy;

static void setup(void) {
  cr_assert_eq(cw_sink_null(&sink), CW_OK);
  cr_assert_eq(cw_source_memory("x", 1, &source), CW_OK);
  mime = cw_mime_init(NULL);
  cr_assert_not_null(mime);
  list = cw_slist_append(NULL, "first: 1");
  list = cw_slist_append(list, "second: 2");
  cr_assert_not_null(list);
  easy = cw_easy_init();
  cr_assert_not_null(easy);
}

static void teardown(void) {
  cw_easy_cleanup(easy);
  cw_sink_unref(sink);
  cw_source_unref(source);
  cw_mime_free(mime);
  cw_slist_free_all(list);
}

TestSuite(options, .init = setup, .fini = teardown);

static void some_function(void) {
}

static void *pointer_for(const struct row *r) {
  if (strcmp(r->name, "sink") == 0) {
    return sink;
  }
  if (strcmp(r->name, "mimepost") == 0) {
    return mime;
  }
  if (strcmp(r->name, "share") == 0) {
    static CWSH *share; /* reachable until the end */
    share = share ? share : cw_share_init();
    return share;
  }
  return strcmp(r->name, "source") == 0 ? (void *)source : object;
}

/* The nth value that might be allowed and is not the default; false: no more.
 */
static bool candidate(const struct row *r, size_t n, int64_t *pvalue) {
  int64_t preset = target_of(r)->preset / r->scale;
  if (r->kind == rk_bool) {
    *pvalue = !preset;
    return n == 0;
  }
  if (r->kind == rk_enum) {
    for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
      if (strcmp(constants[i].group, r->group) == 0 &&
          constants[i].value != preset && n-- == 0) {
        *pvalue = constants[i].value;
        return true;
      }
    }
    return false;
  }
  const int64_t values[] = {r->min != r->max ? r->max : CWAUTH_BEARER,
                            r->min != r->max ? r->min : 1, 2};
  *pvalue = n < 3 ? values[n] : 0;
  return n < 3;
}

static enum cw_code set_number(CW *handle, const struct row *r,
                               int64_t *pvalue) {
  enum cw_code err = CWE_BAD_FUNCTION_ARGUMENT;
  int64_t preset = target_of(r)->preset / r->scale;
  for (size_t n = 0; err && candidate(r, n, pvalue); n++) {
    if (*pvalue == preset) {
      continue;
    }
    err = cw_easy_set_int(handle, r->option, *pvalue);
    if (err == CWE_RECURSIVE_API_CALL) {
      return err;
    }
  }
  return err;
}

/* Sets another value than the default. */
/* Most take any text; cookielist is a command. */
static const char *text_for(const struct row *r) {
  return r->option == CWOPT_COOKIELIST ? "SESS" : "a text";
}

static enum cw_code set_some(CW *handle, const struct row *r) {
  int64_t value;
  struct cw_blob blob = {object, 5, CW_BLOB_COPY};
  if (is_number(r)) {
    return set_number(handle, r, &value);
  }
  if (is_string(r)) {
    return cw_easy_set_str(handle, r->option, text_for(r), strlen(text_for(r)));
  }
  switch (r->kind) {
  case rk_blob:
    return cw_easy_set_blob(handle, r->option, &blob);
  case rk_list:
    return cw_easy_set_list(handle, r->option, list);
  case rk_callback:
    return cw_easy_set_fn(handle, r->option, some_function);
  default:
    return cw_easy_set_ptr(handle, r->option, pointer_for(r));
  }
}

static enum cw_code set_default(CW *handle, const struct row *r) {
  if (is_number(r)) {
    return cw_easy_set_int(handle, r->option, target_of(r)->preset / r->scale);
  }
  if (is_string(r)) {
    return cw_easy_set_str(handle, r->option, NULL, 0);
  }
  switch (r->kind) {
  case rk_blob:
    return cw_easy_set_blob(handle, r->option, NULL);
  case rk_list:
    return cw_easy_set_list(handle, r->option, NULL);
  case rk_callback:
    return cw_easy_set_fn(handle, r->option, NULL);
  default:
    return cw_easy_set_ptr(handle, r->option, NULL);
  }
}

static void expect_default(CW *handle, const struct row *r) {
  int64_t number = -12345;
  const char *text = "?";
  size_t n = 0;
  const struct cw_slist *entries = list;
  void *ptr = object;
  if (is_number(r)) {
    cr_expect_eq(cw_easy_get_int(handle, r->option, &number), CW_OK, "%s",
                 r->name);
    cr_expect_eq(number, target_of(r)->preset / r->scale, "%s is %lld", r->name,
                 (long long)number);
  } else if (is_string(r)) {
    cr_expect_eq(cw_easy_get_str(handle, r->option, &text, &n), CW_OK, "%s",
                 r->name);
    cr_expect_null(text, "%s is set", r->name);
  } else if (r->kind == rk_list) {
    cr_expect_eq(cw_easy_get_list(handle, r->option, &entries), CW_OK, "%s",
                 r->name);
    cr_expect_null(entries, "%s is set", r->name);
  } else if (is_pointer(r)) {
    cr_expect_eq(cw_easy_get_ptr(handle, r->option, &ptr), CW_OK, "%s",
                 r->name);
    cr_expect_null(ptr, "%s is set", r->name);
  }
}

/* That it has the value of set_some. */
static void expect_some(CW *handle, const struct row *r) {
  int64_t number = 0;
  const char *text = NULL;
  size_t n = 0;
  const struct cw_slist *entries = NULL;
  void *ptr = NULL;
  if (is_number(r)) {
    cr_expect_eq(cw_easy_get_int(handle, r->option, &number), CW_OK);
    cr_expect_neq(number, target_of(r)->preset / r->scale, "%s", r->name);
  } else if (is_string(r)) {
    cr_expect_eq(cw_easy_get_str(handle, r->option, &text, &n), CW_OK);
    cr_expect(text && n == strlen(text_for(r)) &&
                  memcmp(text, text_for(r), n) == 0,
              "%s", r->name);
  } else if (r->kind == rk_list) {
    cr_expect_eq(cw_easy_get_list(handle, r->option, &entries), CW_OK);
    cr_expect(entries && entries != list && entries->next &&
                  strcmp(entries->next->data, "second: 2") == 0,
              "%s", r->name);
  } else if (is_pointer(r)) {
    cr_expect_eq(cw_easy_get_ptr(handle, r->option, &ptr), CW_OK);
    cr_expect_eq(ptr, pointer_for(r), "%s", r->name);
  }
}

/* --- the rules ------------------------------------------------------------ */

Test(options, defaults_are_those_of_the_rows) {
  for (const struct row *r = rows; r < ROWS_END; r++) {
    expect_default(easy, r);
  }
}

Test(options, set_and_read_back_and_unset) {
  for (const struct row *r = rows; r < ROWS_END; r++) {
    if (is_built(r)) {
      cr_expect_eq(set_some(easy, r), CW_OK, "%s: %s", r->name,
                   cw_easy_detail(easy));
      expect_some(easy, r);
      cr_expect_eq(set_default(easy, r), CW_OK, "%s: %s", r->name,
                   cw_easy_detail(easy));
      expect_default(easy, r);
      cr_assert_eq(cw_easy_reset(easy), CW_OK);
    }
  }
}

Test(options, numbers_through_the_variable_arguments) {
  for (const struct row *r = rows; r < ROWS_END; r++) {
    int64_t value = 0, got = 0;
    if (!is_built(r) || !is_number(r) || set_number(easy, r, &value)) {
      continue;
    }
    cr_assert_eq(cw_easy_reset(easy), CW_OK);
    enum cw_code err = (int)r->option < 10000
                           ? cw_easy_setopt(easy, r->option, (long)value)
                           : cw_easy_setopt(easy, r->option, value);
    cr_expect_eq(err, CW_OK, "%s", r->name);
    cr_expect_eq(cw_easy_get_int(easy, r->option, &got), CW_OK);
    cr_expect_eq(got, value, "%s", r->name);
  }
}

static void expect_refusal(const struct row *r, enum cw_code err,
                           enum cw_code want, const char *word) {
  cr_expect_eq(err, want, "%s: %s", r->name, cw_easy_errname(err));
  cr_expect(strstr(cw_easy_detail(easy), r->name), "%s: \"%s\"", r->name,
            cw_easy_detail(easy));
  cr_expect(strstr(cw_easy_detail(easy), word), "%s: \"%s\" lacks \"%s\"",
            r->name, cw_easy_detail(easy), word);
}

Test(options, out_of_range_is_refused_and_changes_nothing) {
  int ranges = 0;
  for (const struct row *r = rows; r < ROWS_END; r++) {
    if (!is_built(r) || !is_number(r) || r->min == r->max) {
      continue;
    }
    ranges++;
    if (r->min > INT64_MIN) {
      expect_refusal(r, cw_easy_set_int(easy, r->option, r->min - 1),
                     CWE_BAD_FUNCTION_ARGUMENT, r->name);
    }
    if (r->max < INT64_MAX) {
      expect_refusal(r, cw_easy_set_int(easy, r->option, r->max + 1),
                     CWE_BAD_FUNCTION_ARGUMENT, r->name);
    }
    cr_expect_eq(cw_easy_set_int(easy, r->option, r->min), CW_OK, "%s: %s",
                 r->name, cw_easy_detail(easy));
    cr_expect_eq(cw_easy_set_int(easy, r->option, r->max), CW_OK, "%s: %s",
                 r->name, cw_easy_detail(easy));
    cr_assert_eq(cw_easy_reset(easy), CW_OK);
    expect_default(easy, r);
  }
  cr_assert_gt(ranges, 20);
}

Test(options, values_outside_of_the_group_are_refused) {
  int enums = 0;
  for (const struct row *r = rows; r < ROWS_END; r++) {
    if (is_built(r) && r->kind == rk_enum) {
      enums++;
      expect_refusal(r, cw_easy_set_int(easy, r->option, 987654),
                     CWE_BAD_FUNCTION_ARGUMENT, "987654");
      expect_default(easy, r);
    }
  }
  cr_assert_gt(enums, 3);
}

Test(options, another_kind_is_refused) {
  struct cw_blob blob = {object, 5, CW_BLOB_COPY};
  for (const struct row *r = rows; r < ROWS_END; r++) {
    if (!is_built(r) || (r->target && r->option == target_of(r)->option)) {
      continue; /* two names of one number: the sentence has the first */
    }
    enum cw_code bad = CWE_BAD_FUNCTION_ARGUMENT;
    if (!is_number(r)) {
      expect_refusal(r, cw_easy_set_int(easy, r->option, 1), bad, "number");
      int64_t number;
      cr_expect_eq(cw_easy_get_int(easy, r->option, &number), bad, "%s",
                   r->name);
    }
    if (!is_string(r)) {
      expect_refusal(r, cw_easy_set_str(easy, r->option, "x", 1), bad,
                     "string");
      const char *text;
      size_t n;
      cr_expect_eq(cw_easy_get_str(easy, r->option, &text, &n), bad, "%s",
                   r->name);
    }
    if (r->kind != rk_list) {
      expect_refusal(r, cw_easy_set_list(easy, r->option, list), bad, "list");
      const struct cw_slist *entries;
      cr_expect_eq(cw_easy_get_list(easy, r->option, &entries), bad, "%s",
                   r->name);
    }
    if (r->kind != rk_blob) {
      expect_refusal(r, cw_easy_set_blob(easy, r->option, &blob), bad, "blob");
    }
    if (r->kind != rk_callback) {
      expect_refusal(r, cw_easy_set_fn(easy, r->option, some_function), bad,
                     "function");
    }
    if (!is_pointer(r)) {
      expect_refusal(r, cw_easy_set_ptr(easy, r->option, object), bad,
                     "pointer");
      void *ptr;
      cr_expect_eq(cw_easy_get_ptr(easy, r->option, &ptr), bad, "%s", r->name);
    }
    expect_default(easy, r);
  }
}

Test(options, what_is_not_built_in_says_what_it_needs) {
  for (const struct row *r = rows; r < ROWS_END; r++) {
    if (!is_built(r)) {
      expect_refusal(r, set_some(easy, r), CWE_NOT_BUILT_IN, r->feature);
      expect_default(easy, r);
    }
  }
}

Test(options, unknown_numbers) {
  cr_assert_eq(cw_easy_set_int(easy, (enum cw_option)9999, 1),
               CWE_UNKNOWN_OPTION);
  cr_assert(strstr(cw_easy_detail(easy), "9999"), "%s", cw_easy_detail(easy));
  cr_assert_eq(cw_easy_setopt(easy, (enum cw_option)19999, object),
               CWE_UNKNOWN_OPTION);
  int64_t number;
  cr_assert_eq(cw_easy_get_int(easy, (enum cw_option)9999, &number),
               CWE_UNKNOWN_OPTION);
  cr_assert_eq(cw_easy_setopt(NULL, CWOPT_URL, "x"), CWE_BAD_FUNCTION_ARGUMENT);
}

Test(options, strings_with_a_nul_are_refused) {
  for (const struct row *r = rows; r < ROWS_END; r++) {
    if (is_built(r) && is_string(r) &&
        strcmp(target_of(r)->name, "postfields") != 0) {
      expect_refusal(r, cw_easy_set_str(easy, r->option, "a\0b", 3),
                     CWE_BAD_FUNCTION_ARGUMENT, "NUL");
      expect_default(easy, r);
    }
  }
}

/* Options that choose the method take each other's place. */
static bool is_method(const struct row *r) {
  static const char *const names[] = {"httpget", "post", "nobody", "postfields",
                                      "upload"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (strcmp(target_of(r)->name, names[i]) == 0) {
      return true;
    }
  }
  return false;
}

static void set_all(CW *handle) {
  for (const struct row *r = rows; r < ROWS_END; r++) {
    if (is_built(r) && !is_method(r) && !r->target) {
      cr_assert_eq(set_some(handle, r), CW_OK, "%s", r->name);
    }
  }
}

Test(options, reset_restores_all) {
  set_all(easy);
  cr_assert_eq(cw_easy_reset(easy), CW_OK);
  for (const struct row *r = rows; r < ROWS_END; r++) {
    if (strcmp(r->name, "share") == 0) {
      expect_some(easy, r);
      continue;
    }
    expect_default(easy, r);
  }
}

Test(options, a_copy_has_all_but_sinks_and_sources) {
  set_all(easy);
  CW *copy = cw_easy_duphandle(easy);
  cr_assert_not_null(copy);
  cw_easy_cleanup(easy);
  easy = copy;
  for (const struct row *r = rows; r < ROWS_END; r++) {
    bool left_out =
        strcmp(r->name, "sink") == 0 || strcmp(r->name, "source") == 0;
    if (left_out) {
      expect_default(easy, r);
    } else if (is_built(r) && !is_method(r) && !r->target) {
      expect_some(easy, r);
    }
  }
}

Test(options, an_alias_sets_its_target) {
  int aliases = 0;
  for (const struct row *r = rows; r < ROWS_END; r++) {
    int64_t value = 0, target = 0;
    if (!r->target || !is_built(r) || !is_number(r)) {
      continue;
    }
    aliases++;
    cr_assert_eq(set_number(easy, r, &value), CW_OK, "%s", r->name);
    cr_assert_eq(cw_easy_get_int(easy, target_of(r)->option, &target), CW_OK);
    cr_expect_eq(target, value * r->scale, "%s", r->name);
    cr_assert_eq(cw_easy_reset(easy), CW_OK);
  }
  cr_assert_gt(aliases, 5);
}

/* --- while a transfer runs ------------------------------------------------ */

Test(options, only_live_ones_change_while_the_transfer_runs) {
  struct world w;
  world_init(&w);
  w.lenient = true;
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\ndrain\n");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, "http://h.example/"), CW_OK);
  cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_OK);
  world_settle(&w);
  for (const struct row *r = rows; r < ROWS_END; r++) {
    if (!is_built(r)) {
      continue;
    }
    bool live = target_of(r)->flags & f_live;
    enum cw_code err = set_some(easy, r);
    cr_expect_eq(err, live ? CW_OK : CWE_RECURSIVE_API_CALL, "%s: %s", r->name,
                 cw_easy_errname(err));
    cr_expect(live || strstr(cw_easy_detail(easy), r->name), "%s: \"%s\"",
              r->name, cw_easy_detail(easy));
    if (live) {
      cr_expect_eq(set_default(easy, r), CW_OK, "%s", r->name);
    }
  }
  cr_assert_eq(cw_easy_reset(easy), CWE_RECURSIVE_API_CALL);
  cr_assert_eq(cw_multi_remove_handle(w.multi, easy), CWM_OK);
  const char *trouble = world_end(&w);
  cr_assert_str_empty(trouble, "%s", trouble);
}

/* --- which connection serves ---------------------------------------------- */

static const char *perform_and_ask_why(struct world *w) {
  (void)world_perform(w, easy);
  return cw_easy_why_new_connection(easy);
}

static int64_t connects(void) {
  int64_t n = -1;
  cr_assert_eq(cw_easy_info_int(easy, CWINFO_NUM_CONNECTS, &n), CW_OK);
  return n;
}

Test(options, rows_of_the_key_make_another_connection_and_say_so) {
  struct world w;
  struct got got;
  int keys = 0;
  world_init(&w);
  world_script(&w, "listen 10.0.0.1 443 tls good\naccept many\n"
                   "expect \"GET / HTTP/1.1\"\nanswer 200 \"\"\nagain\n");
  cw_easy_cleanup(easy);
  easy = world_easy(&w, "https://h.example/");
  got_collect(&got, easy);
  cr_assert_eq(world_perform(&w, easy), CW_OK, "%s", cw_easy_detail(easy));
  w.lenient = true; /* with odd values not every handshake succeeds */
  for (const struct row *r = rows; r < ROWS_END; r++) {
    bool blob = strcmp(r->name, "cainfo_blob") == 0;
    if (!is_built(r) || !(r->flags & (f_key | f_key_tls)) || r->target ||
        blob) {
      continue;
    }
    keys++;
    cr_assert_eq(set_some(easy, r), CW_OK, "%s", r->name);
    const char *why = perform_and_ask_why(&w);
    cr_expect(strstr(why, r->name), "%s: \"%s\"", r->name, why);
    cr_assert_eq(set_default(easy, r), CW_OK, "%s", r->name);
    cr_expect_eq(world_perform(&w, easy), CW_OK, "after %s: %s", r->name,
                 cw_easy_detail(easy));
    cr_expect_eq(connects(), 0, "after %s", r->name);
  }
  cr_assert_gt(keys, 20);
  cw_easy_cleanup(easy);
  easy = NULL;
  got_free(&got);
  const char *trouble = world_end(&w);
  cr_assert_str_empty(trouble, "%s", trouble);
}

/* --- facts ---------------------------------------------------------------- */

enum info_kind {
  ik_str,
  ik_long,
  ik_double,
  ik_off_t,
  ik_list,
  ik_ptr,
  ik_socket
};

static const struct {
  const char *name;
  enum cw_info info;
  enum info_kind kind;
} infos[] = {
#define info(name_, number_, kind_, prose_) \
  {#name_, (enum cw_info)(number_), ik_##kind_},
#include "tbl/infos.def"
#undef info
};

static void read_info(size_t i) {
  union {
    const char *s;
    long l;
    double d;
    int64_t o;
    struct cw_slist *list;
    void *p;
    int fd;
  } value;
  const char *name = infos[i].name;
  memset(&value, 0x5a, sizeof(value));
  cr_expect_eq(cw_easy_getinfo(easy, infos[i].info, &value), CW_OK, "%s", name);
  char kept[300] = "";
  if (infos[i].kind == ik_str && value.s) {
    snprintf(kept, sizeof(kept), "%s", value.s); /* good until the next call */
    value.s = kept;
  }
  int64_t number = 0;
  double real = 0;
  const char *text = NULL;
  switch (infos[i].kind) {
  case ik_str:
    cr_expect_eq(cw_easy_info_str(easy, infos[i].info, &text), CW_OK, "%s",
                 name);
    cr_expect(text && value.s ? strcmp(text, value.s) == 0 : text == value.s,
              "%s", name);
    break;
  case ik_double:
    cr_expect_eq(cw_easy_info_double(easy, infos[i].info, &real), CW_OK, "%s",
                 name);
    cr_expect_eq(real, value.d, "%s", name);
    break;
  case ik_long:
  case ik_off_t:
  case ik_socket:
    cr_expect_eq(cw_easy_info_int(easy, infos[i].info, &number), CW_OK, "%s",
                 name);
    cr_expect_eq(number,
                 infos[i].kind == ik_long    ? value.l
                 : infos[i].kind == ik_off_t ? value.o
                                             : value.fd,
                 "%s", name);
    break;
  case ik_list:
    cw_slist_free_all(value.list);
    break;
  default:
    cr_expect_neq(value.o, INT64_C(0x5a5a5a5a5a5a5a5a), "%s", name);
    break;
  }
}

static void read_all(void) {
  for (size_t i = 0; i < sizeof(infos) / sizeof(infos[0]); i++) {
    read_info(i);
  }
}

Test(options, every_fact_can_be_read_with_its_type) {
  read_all();
  struct world w;
  struct got got;
  world_init(&w);
  world_script(&w, "listen 10.0.0.1 443 tls good\naccept\n"
                   "expect \"GET /a HTTP/1.1\"\nanswer 200 \"hello\" "
                   "\"Content-Type: text/plain\"\n");
  cw_easy_cleanup(easy);
  easy = world_easy(&w, "https://h.example/a");
  got_collect(&got, easy);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CERTINFO, 1L), CW_OK);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  read_all();
  struct cw_certinfo *certs = NULL;
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_CERTINFO, &certs), CW_OK);
  cr_assert(certs && certs->count >= 1 && certs->lists[0]);
  int64_t number;
  cr_assert_eq(cw_easy_info_int(easy, CWINFO_EFFECTIVE_URL, &number),
               CWE_UNKNOWN_OPTION);
  cr_assert_eq(cw_easy_getinfo(easy, (enum cw_info)0x2fffff, &number),
               CWE_UNKNOWN_OPTION);
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_TOTAL_TIME, NULL),
               CWE_BAD_FUNCTION_ARGUMENT);
  cw_easy_cleanup(easy);
  easy = NULL;
  got_free(&got);
  const char *trouble = world_end(&w);
  cr_assert_str_empty(trouble, "%s", trouble);
}
