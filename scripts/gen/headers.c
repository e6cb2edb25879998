/* The public headers codes.h and options.h. */
#include "rows.h"

#include <string.h>

static void open_header(FILE *out, const char *guard, const char *purpose) {
  fprintf(out,
          "/*\n * %s\n * Written by scripts/gen/run from libcore/tbl; change "
          "the rows there.\n */\n"
          "#ifndef CURLEW_%s_H\n#define CURLEW_%s_H\n"
          "/* clang-format off */\n\n",
          purpose, guard, guard);
}

static void put_codes(FILE *out, const char *tag, const char *prefix,
                      const struct number_row *rows) {
  fprintf(out, "enum cw_%s {\n", tag);
  for (const struct number_row *row = rows; row->name; row++) {
    fprintf(out, "  /* %s */\n  %s", row->prose, prefix);
    put_upper(out, row->name);
    fprintf(out, " = %lld%s\n", (long long)row->number, row[1].name ? "," : "");
  }
  fputs("};\n\n", out);
}

void write_codes(FILE *out) {
  open_header(out, "CODES",
              "The codes that calls return; numbers below 200 are libcurl's.");
  put_codes(out, "code", "CWE_", errors);
  put_codes(out, "mcode", "CWM_", merrors);
  put_codes(out, "ucode", "CWUE_", uerrors);
  put_codes(out, "shcode", "CWSHE_", sherrors);
  fputs("#endif\n", out);
}

static void put_members(FILE *out, const char *prefix,
                        const struct option_row *rows) {
  for (const struct option_row *row = rows; row->name; row++) {
    fprintf(out, "  %s", prefix);
    put_upper(out, row->name);
    fprintf(out, " = %lld%s\n", (long long)row->number, row[1].name ? "," : "");
  }
  fputs("};\n\n", out);
}

static void put_infos(FILE *out) {
  fputs("/* What cw_easy_getinfo reads, see docs/infos.md. */\n"
        "enum cw_info {\n",
        out);
  for (const struct number_row *row = infos; row->name; row++) {
    fputs("  CWINFO_", out);
    put_upper(out, row->name);
    fprintf(out, " = %lld%s\n", (long long)row->number, row[1].name ? "," : "");
  }
  fputs("};\n\n", out);
}

static void put_slots(FILE *out) {
  fputs("/* The callbacks of an easy handle, see docs/callbacks.md. */\n"
        "enum cw_slot {\n  CW_SLOT_NONE,\n",
        out);
  for (const struct callback_row *row = callbacks; row->name; row++) {
    fputs("  CW_SLOT_", out);
    put_upper(out, row->name);
    fputs(",\n", out);
  }
  fputs("  CW_SLOT_COUNT\n};\n\n", out);
}

/* A long, as the functions with "..." read it: an enumerator would pass an
   int. */
static void put_constant(FILE *out, const struct constant_row *row) {
  char value[32];
  snprintf(value, sizeof(value), row->value < 0 ? "(%lldL)" : "%lldL",
           (long long)row->value);
  fprintf(out, "#define %s %s /* %s */\n", row->c_name, value, row->prose);
}

static void put_constants(FILE *out) {
  for (const struct group_row *group = groups; group->name; group++) {
    if (!is_same(group->where, "options")) {
      continue;
    }
    fprintf(out, "/* %s */\n", group->prose);
    for (const struct constant_row *row = constants; row->name; row++) {
      if (is_same(row->group, group->name)) {
        put_constant(out, row);
      }
    }
    putc('\n', out);
  }
}

void write_options(FILE *out) {
  open_header(out, "OPTIONS", "Options, infos, callbacks and their constants.");
  fputs("/* Options of an easy handle, see docs/options.md. */\n"
        "enum cw_option {\n",
        out);
  put_members(out, "CWOPT_", options);
  fputs("/* Options of a multi handle, see docs/options.md. */\n"
        "enum cw_moption {\n",
        out);
  put_members(out, "CWMOPT_", moptions);
  put_infos(out);
  put_slots(out);
  put_constants(out);
  fputs("#endif\n", out);
}
