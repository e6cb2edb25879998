/*
 * Prints one of the files that follow from libcore/tbl; scripts/gen/run says
 * which file is which. The tables are checked first, so nothing is ever
 * written from a table that is wrong.
 */
#include "rows.h"

struct mode {
  const char *name;
  void (*write)(FILE *out);
};

static const struct mode modes[] = {
    {"codes.h", write_codes},           {"options.h", write_options},
    {"options.md", write_options_md},   {"errors.md", write_errors_md},
    {"infos.md", write_infos_md},       {"callbacks.md", write_callbacks_md},
    {"curlew_options.lua", write_types}};

enum {
  N_MODES = sizeof(modes) / sizeof(modes[0])
};

static int usage(void) {
  fputs("usage: tables OUTPUT, one of:", stderr);
  for (int i = 0; i < N_MODES; i++) {
    fprintf(stderr, " %s", modes[i].name);
  }
  fputs("\n", stderr);
  return 2;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    return usage();
  }
  if (check_tables() > 0) {
    return 1;
  }
  for (int i = 0; i < N_MODES; i++) {
    if (is_same(argv[1], modes[i].name)) {
      modes[i].write(stdout);
      return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
    }
  }
  return usage();
}
