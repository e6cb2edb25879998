/* The reference pages under docs/, in Markdown. */
#include "rows.h"

#include <string.h>

enum {
  MAX_ROWS = 1000
};

static void put_notice(FILE *out, const char *title) {
  fprintf(out,
          "# %s\n\n<!-- Written by scripts/gen/run from libcore/tbl; change "
          "the rows there. -->\n\n",
          title);
}

/* Fills sorted with rows by name; returns how many. */
static int sort_rows(const struct option_row *rows,
                     const struct option_row **sorted) {
  int n = 0;
  for (; rows[n].name && n < MAX_ROWS; n++) {
    int at = n;
    for (; at > 0 && strcmp(sorted[at - 1]->name, rows[n].name) > 0; at--) {
      sorted[at] = sorted[at - 1];
    }
    sorted[at] = &rows[n];
  }
  return n;
}

static void put_range(FILE *out, const struct option_row *row) {
  if (row->min == 0 && row->max == 0) {
    return;
  }
  int no_min = row->min == INT64_MIN;
  int no_max = row->max == INT64_MAX;
  if (no_min && no_max) {
    fputs("any", out);
  } else if (no_max) {
    fprintf(out, "from %lld on", (long long)row->min);
  } else {
    fprintf(out, "%lld to %lld", (long long)row->min, (long long)row->max);
  }
}

static int is_wordy(const char *kind) {
  return is_same(kind, "enum") || is_same(kind, "flags");
}

static void put_values(FILE *out, const struct option_row *row) {
  if (is_wordy(row->kind) && !is_same(row->group, "none")) {
    fprintf(out, "[%s](#%s)", row->group, row->group);
  } else {
    put_range(out, row);
  }
}

static const char *const unset_kinds[] = {"str",  "secret",   "path",
                                          "blob", "list",     "object",
                                          "data", "callback", NULL};

static void put_preset(FILE *out, const struct option_row *row) {
  for (const char *const *kind = unset_kinds; *kind; kind++) {
    if (is_same(row->kind, *kind)) {
      fputs("unset", out);
      return;
    }
  }
  fprintf(out, "%lld", (long long)row->preset);
}

static void put_target(FILE *out, const struct option_row *row) {
  fprintf(out, "`%s`", row->target);
  if (row->scale != 1) {
    fprintf(out, " × %lld", (long long)row->scale);
  }
}

/* The columns that options of an easy handle alone have. */
static void put_easy_cells(FILE *out, const struct option_row *row) {
  fputs(" | ", out);
  put_schemes(out, row->schemes);
  fputs(" | ", out);
  if (row->target) {
    put_target(out, row);
  } else {
    put_flags(out, row->flags);
  }
}

static void put_option(FILE *out, const struct option_row *row, int is_easy) {
  fprintf(out, "| `%s` | %s | ", row->name, row->kind);
  if (!row->target) {
    put_preset(out, row);
  }
  fputs(" | ", out);
  put_values(out, row);
  if (is_easy) {
    put_easy_cells(out, row);
  }
  fputs(" | ", out);
  put_cell(out, row->prose);
  fputs(" |\n", out);
}

static void put_built_options(FILE *out, const struct option_row *rows,
                              int is_easy) {
  const struct option_row *sorted[MAX_ROWS];
  int n = sort_rows(rows, sorted);
  fprintf(out, "| option | kind | default | values |%s meaning |\n",
          is_easy ? " schemes | flags |" : "");
  fprintf(out, "|---|---|---|---|%s---|\n", is_easy ? "---|---|" : "");
  for (int i = 0; i < n; i++) {
    if (is_built(sorted[i]->feature)) {
      put_option(out, sorted[i], is_easy);
    }
  }
}

static void put_waiting_options(FILE *out, const struct option_row *rows) {
  const struct option_row *sorted[MAX_ROWS];
  int n = sort_rows(rows, sorted);
  fputs("| option | kind | waits for | meaning |\n|---|---|---|---|\n", out);
  for (int i = 0; i < n; i++) {
    if (is_built(sorted[i]->feature)) {
      continue;
    }
    fprintf(out, "| `%s` | %s | %s: %s | ", sorted[i]->name, sorted[i]->kind,
            sorted[i]->feature, find_feature(sorted[i]->feature)->prose);
    put_cell(out, sorted[i]->prose);
    fputs(" |\n", out);
  }
}

static void put_groups(FILE *out) {
  for (const struct group_row *group = groups; group->name; group++) {
    fprintf(out, "### %s\n\n%s\n\n| name | in C | value | meaning |\n",
            group->name, group->prose);
    fputs("|---|---|---|---|\n", out);
    for (const struct constant_row *row = constants; row->name; row++) {
      if (is_same(row->group, group->name)) {
        fprintf(out, "| `%s` | `%s` | %lld | ", row->name, row->c_name,
                (long long)row->value);
        put_cell(out, row->prose);
        fputs(" |\n", out);
      }
    }
    putc('\n', out);
  }
}

static const char options_intro[] =
    "An option has the name and number of libcurl's, `CURLOPT_X` being "
    "`CWOPT_X`\nin C and `x` in Lua; numbers from 50000 on are options of our "
    "own.\n\n"
    "Kinds: `ms`, `seconds` and `bytes` are integers in that unit; `secret` "
    "is a\nstring that is wiped and never traced; `data` is the companion "
    "value of a\ncallback; `object` is a pointer in C and an object in "
    "Lua.\n\n"
    "Flags: `key` must be equal for a connection to be used again, `key_tls` "
    "over\nTLS, `key_proxy` through a proxy; `live` may change while the "
    "transfer runs;\n`noredir` is dropped when a redirect leads to another "
    "host; `safe` is allowed\nin a restricted configuration. An option that "
    "stands for another has that\none's name in the place of flags.\n\n";

void write_options_md(FILE *out) {
  put_notice(out, "Options");
  fputs(options_intro, out);
  fputs("## Of an easy handle\n\n", out);
  put_built_options(out, options, 1);
  fputs("\n## Of a multi handle\n\n", out);
  put_built_options(out, moptions, 0);
  fputs("\n## Not built in\n\nSetting one of these is `not_built_in`.\n\n",
        out);
  put_waiting_options(out, options);
  fputs("\nOf a multi handle:\n\n", out);
  put_waiting_options(out, moptions);
  fputs("\n## Values\n\n", out);
  put_groups(out);
}

static void put_numbers(FILE *out, const char *prefix,
                        const struct number_row *rows) {
  fputs("| name | in C | number | meaning |\n|---|---|---|---|\n", out);
  for (const struct number_row *row = rows; row->name; row++) {
    fprintf(out, "| `%s` | `%s", row->name, prefix);
    put_upper(out, row->name);
    fprintf(out, "` | %lld | ", (long long)row->number);
    put_cell(out, row->prose);
    fputs(" |\n", out);
  }
}

void write_errors_md(FILE *out) {
  put_notice(out, "Errors");
  fputs("Numbers below 200 are libcurl's. In Lua an error has `category`, "
        "`name` and\n`code`; see the guide.\n\n## Category easy\n\n",
        out);
  put_numbers(out, "CWE_", errors);
  fputs("\n## Category multi\n\n", out);
  put_numbers(out, "CWM_", merrors);
  fputs("\n## Category url\n\n", out);
  put_numbers(out, "CWUE_", uerrors);
  fputs("\n## Category share\n\n", out);
  put_numbers(out, "CWSHE_", sherrors);
}

void write_infos_md(FILE *out) {
  put_notice(out, "Infos");
  fputs("What `cw_easy_getinfo` in C and `easy:getinfo` or `easy.info` in "
        "Lua read.\n\n| info | kind | number | meaning |\n|---|---|---|---|\n",
        out);
  for (const struct number_row *row = infos; row->name; row++) {
    fprintf(out, "| `%s` | %s | %lld | ", row->name, row->kind,
            (long long)row->number);
    put_cell(out, row->prose);
    fputs(" |\n", out);
  }
}

static void put_callback(FILE *out, const struct callback_row *row) {
  fprintf(out, "| `%s` | `%s`, `%s` | `%s` | %s | %s | %s | ", row->name,
          row->fn_option, row->data_option, row->method,
          row->may_pend ? "yes" : "no", row->holds,
          is_same(row->stop_code, "ok") ? "nothing" : row->stop_code);
  put_cell(out, row->prose);
  if (!is_built(row->feature)) {
    fprintf(out, " Not built in: waits for %s.", row->feature);
  }
  fputs(" |\n", out);
}

void write_callbacks_md(FILE *out) {
  fputs("| callback | option, companion | method | may yield | holds up | "
        "`false` makes | meaning |\n|---|---|---|---|---|---|---|\n",
        out);
  for (const struct callback_row *row = callbacks; row->name; row++) {
    put_callback(out, row);
  }
  fputs("\nOf a multi handle:\n\n"
        "| callback | option, companion | method | meaning |\n"
        "|---|---|---|---|\n",
        out);
  for (const struct callback_row *row = mcallbacks; row->name; row++) {
    fprintf(out, "| `%s` | `%s`, `%s` | `%s` | ", row->name, row->fn_option,
            row->data_option, row->method);
    put_cell(out, row->prose);
    if (!is_built(row->feature)) {
      fprintf(out, " Not built in: waits for %s.", row->feature);
    }
    fputs(" |\n", out);
  }
}
