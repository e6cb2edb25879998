/*
 * What the tables must hold beside what the compiler sees. A finding names the
 * file and the row.
 */
#include "rows.h"

#include <string.h>

static int findings;

static void find(const char *file, const char *row, const char *what) {
  fprintf(stderr, "libcore/tbl/%s: %s: %s\n", file, row, what);
  findings++;
}

static int is_word_of(const char *word, const char *const *words) {
  for (; *words; words++) {
    if (is_same(word, *words)) {
      return 1;
    }
  }
  return 0;
}

/* Lower case, since the table's names become names in C and in Lua, and an
   upper-case one may be a macro of the system. */
static int is_name(const char *s) {
  if (!*s) {
    return 0;
  }
  return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

/* dot: prose is a sentence; else it stands inside one and has no full stop. */
static void check_prose(const char *file, const char *row, const char *prose,
                        int dot) {
  size_t n = strlen(prose);
  if (!n) {
    find(file, row, "no prose");
  } else if (dot && prose[n - 1] != '.') {
    find(file, row, "the prose does not end with a full stop");
  } else if (!dot && prose[n - 1] == '.') {
    find(file, row, "the prose ends with a full stop");
  }
  if (strstr(prose, "  ") || strstr(prose, "*/")) {
    find(file, row, "the prose holds two spaces or the end of a comment");
  }
}

/* The order of the kinds is that of the ranges of numbers. */
static void check_kind(const char *file, const struct option_row *row) {
  static const char *const numbers[] = {"bool", "int",   "ms",    "seconds",
                                        "enum", "bytes", "flags", NULL};
  static const char *const large[] = {"bytes", "seconds", NULL};
  static const char *const pointers[] = {"str",  "secret", "path", "list",
                                         "data", "object", NULL};
  static const char *const callback[] = {"callback", NULL};
  static const char *const blob[] = {"blob", NULL};
  static const char *const own[] = {"int",    "ms",   "seconds", "bytes",
                                    "bool",   "enum", "flags",   "str",
                                    "object", "data", NULL};
  static const char *const *const kinds[] = {numbers, pointers, callback,
                                             large,   blob,     own};
  int64_t range = row->number / 10000;
  if (row->number < 1 || range > 5) {
    find(file, row->name, "the number is out of range");
  } else if (!is_word_of(row->kind, kinds[range])) {
    find(file, row->name, "the kind does not fit the range of the number");
  }
}

static int is_number_kind(const char *kind) {
  static const char *const kinds[] = {"bool",  "int",  "ms",    "seconds",
                                      "bytes", "enum", "flags", NULL};
  return is_word_of(kind, kinds);
}

static void check_range(const char *file, const struct option_row *row) {
  if (row->min > row->max) {
    find(file, row->name, "min is above max");
  }
  int ranged = row->min != 0 || row->max != 0;
  if (ranged && !row->target &&
      (row->preset < row->min || row->preset > row->max)) {
    find(file, row->name, "the default is out of range");
  }
  if (!is_number_kind(row->kind) && (ranged || row->preset != 0)) {
    find(file, row->name, "a default or a range without a number");
  }
  if (is_same(row->kind, "bool") && row->preset != 0 && row->preset != 1) {
    find(file, row->name, "the default of a bool is 0 or 1");
  }
}

static int has_value(const char *group, int64_t value) {
  for (const struct constant_row *row = constants; row->name; row++) {
    if (is_same(row->group, group) && row->value == value) {
      return 1;
    }
  }
  return 0;
}

static void check_group_of(const char *file, const struct option_row *row) {
  int wants = is_same(row->kind, "enum") || is_same(row->kind, "flags");
  if (wants && !find_group(row->group)) {
    find(file, row->name, "the group is not in groups.def");
  } else if (!wants && !is_same(row->group, "none")) {
    find(file, row->name, "a group, but the kind is neither enum nor flags");
  }
  if (is_same(row->kind, "enum") && !has_value(row->group, row->preset)) {
    find(file, row->name, "the default is no value of the group");
  }
}

static void check_alias(const char *file, const struct option_row *rows,
                        const struct option_row *row) {
  const struct option_row *target = find_option(rows, row->target);
  if (!target || target->target) {
    find(file, row->name, "the target is no option");
  } else if (is_number_kind(row->kind) != is_number_kind(target->kind)) {
    find(file, row->name, "the target is of another kind");
  }
  if (row->scale < 1) {
    find(file, row->name, "the scale is below 1");
  } else if (target && target->max > 0 && row->max > target->max / row->scale) {
    find(file, row->name, "max times scale is above the target's max");
  }
}

/* An alias may have the number of its target: two names of one thing. */
static int is_twin(const struct option_row *a, const struct option_row *b) {
  return (a->target && is_same(a->target, b->name)) ||
         (b->target && is_same(b->target, a->name));
}

static void check_unique(const char *file, const struct option_row *rows) {
  for (const struct option_row *a = rows; a->name; a++) {
    for (const struct option_row *b = a + 1; b->name; b++) {
      if (is_same(a->name, b->name)) {
        find(file, b->name, "the name is there twice");
      }
      if (a->number == b->number && !is_twin(a, b)) {
        find(file, b->name, "the number is there twice");
      }
    }
  }
}

static void check_options(const char *file, const struct option_row *rows) {
  check_unique(file, rows);
  for (const struct option_row *row = rows; row->name; row++) {
    if (!is_name(row->name)) {
      find(file, row->name, "the name is not lower case");
    }
    check_kind(file, row);
    check_range(file, row);
    check_group_of(file, row);
    if (!find_feature(row->feature)) {
      find(file, row->name, "the feature is not in features.def");
    }
    if (row->target) {
      check_alias(file, rows, row);
    }
    check_prose(file, row->name, row->prose, 1);
  }
}

static void check_numbers(const char *file, const struct number_row *rows,
                          int dot) {
  for (const struct number_row *a = rows; a->name; a++) {
    for (const struct number_row *b = a + 1; b->name; b++) {
      if (is_same(a->name, b->name) || a->number == b->number) {
        find(file, b->name, "the name or the number is there twice");
      }
    }
    if (!is_name(a->name)) {
      find(file, a->name, "the name is not lower case");
    }
    check_prose(file, a->name, a->prose, dot);
  }
}

/* The upper bits of an info's number are its type, as in libcurl. */
static void check_infos(void) {
  static const char *const kinds[] = {"",     "str",    "long", "double",
                                      "list", "socket", "off_t"};
  check_numbers("infos.def", infos, 1);
  for (const struct number_row *row = infos; row->name; row++) {
    int64_t type = row->number >> 20;
    int fits = type >= 1 && type <= 6 && is_same(row->kind, kinds[type]);
    if (!fits && !(type == 4 && is_same(row->kind, "ptr"))) {
      find("infos.def", row->name, "the kind does not fit the number");
    }
  }
}

static int is_error(const char *name) {
  for (const struct number_row *row = errors; row->name; row++) {
    if (is_same(row->name, name)) {
      return 1;
    }
  }
  return 0;
}

static void check_callback(const struct callback_row *row,
                           const struct option_row *rows) {
  const char *file = "callbacks.def";
  const struct option_row *fn = find_option(rows, row->fn_option);
  const struct option_row *data = find_option(rows, row->data_option);
  if (!fn || !is_same(fn->kind, "callback")) {
    find(file, row->name, "fn_option is no option of kind callback");
  }
  if (!data || !is_same(data->kind, "data")) {
    find(file, row->name, "data_option is no option of kind data");
  }
  if (fn && rows == options && !is_same(fn->feature, row->feature)) {
    find(file, row->name, "its option waits for another feature");
  }
  if (!is_error(row->stop_code)) {
    find(file, row->name, "stop_code is not in errors.def");
  }
  if (!shape_type(row->shape)) {
    find(file, row->name, "the shape has no annotation in types.c");
  }
  check_prose(file, row->name, row->prose, 1);
}

/* Each option of kind callback must have a row that calls it. */
static void check_called(const struct option_row *rows,
                         const struct callback_row *calls) {
  for (const struct option_row *row = rows; row->name; row++) {
    int called = !is_same(row->kind, "callback") || !is_built(row->feature);
    for (const struct callback_row *call = calls; call->name; call++) {
      called |= is_same(call->fn_option, row->name);
    }
    if (!called) {
      find("callbacks.def", row->name, "no row for this option");
    }
  }
}

static void check_callbacks(void) {
  for (const struct callback_row *row = callbacks; row->name; row++) {
    check_callback(row, options);
  }
  for (const struct callback_row *row = mcallbacks; row->name; row++) {
    check_callback(row, moptions);
  }
  check_called(options, callbacks);
  check_called(moptions, mcallbacks);
}

static void check_constants(void) {
  const char *file = "constants.def";
  for (const struct constant_row *a = constants; a->name; a++) {
    if (!find_group(a->group)) {
      find(file, a->c_name, "the group is not in groups.def");
    }
    for (const struct constant_row *b = a + 1; b->name; b++) {
      if (is_same(a->c_name, b->c_name) ||
          (is_same(a->group, b->group) && is_same(a->name, b->name))) {
        find(file, b->c_name, "the name is there twice");
      }
    }
    check_prose(file, a->c_name, a->prose, 0);
  }
  for (const struct group_row *row = groups; row->name; row++) {
    if (!is_same(row->where, "options") && !is_same(row->where, "header")) {
      find("groups.def", row->name, "where is neither options nor header");
    }
    check_prose("groups.def", row->name, row->prose, 1);
  }
}

static void check_rest(void) {
  static const char *const inside[] = {"yes", "live", "deferred", "no", NULL};
  for (const struct feature_row *row = features; row->name; row++) {
    check_prose("features.def", row->name, row->prose, 0);
  }
  for (const struct scheme_row *row = schemes; row->name; row++) {
    if (!find_feature(row->feature)) {
      find("schemes.def", row->name, "the feature is not in features.def");
    }
    if (row->port < 0 || row->port > 65535) {
      find("schemes.def", row->name, "the port is out of range");
    }
    check_prose("schemes.def", row->name, row->prose, 0);
  }
  for (const struct api_row *row = apis; row->name; row++) {
    if (!is_word_of(row->inside, inside)) {
      find("api.def", row->name, "inside is yes, live, deferred or no");
    }
    check_prose("api.def", row->name, row->prose, 0);
  }
}

int check_tables(void) {
  findings = 0;
  check_options("options.def", options);
  check_options("moptions.def", moptions);
  check_numbers("errors.def", errors, 0);
  check_numbers("errors.def", merrors, 0);
  check_numbers("errors.def", uerrors, 0);
  check_numbers("share.def", sherrors, 0);
  check_infos();
  check_constants();
  check_callbacks();
  check_rest();
  return findings;
}
