/*
 * The rows of libcore/tbl as arrays, for the program that writes what is
 * generated from them. Every array ends with a row whose name is NULL. Cells
 * that are words in the tables are strings here.
 */
#ifndef GEN_ROWS_H
#define GEN_ROWS_H

#include <stdint.h>
#include <stdio.h>

/* Bits of the schemes and flags columns of options.def. */
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
  s_telnet = 1024
};
enum {
  f_key = 1,
  f_key_tls = 2,
  f_key_proxy = 4,
  f_live = 8,
  f_noredir = 16,
  f_safe = 32
};

/* An option or an alias (target is not NULL then). */
struct option_row {
  const char *name;
  int64_t number;
  const char *kind;
  int64_t preset;
  int64_t min;
  int64_t max;
  const char *group;
  unsigned schemes;
  const char *feature;
  unsigned flags;
  const char *target;
  int64_t scale;
  const char *prose;
};

struct constant_row {
  const char *name;
  const char *group;
  const char *c_name;
  int64_t value;
  const char *prose;
};

struct group_row {
  const char *name;
  const char *where;
  const char *prose;
};

/* Errors, infos and schemes; kind is "" where there is none. */
struct number_row {
  const char *name;
  int64_t number;
  const char *kind;
  const char *prose;
};

struct callback_row {
  const char *name;
  const char *fn_option;
  const char *data_option;
  const char *shape;
  const char *holds;
  int may_pend;
  const char *method;
  const char *stop_code;
  const char *feature;
  const char *prose;
};

struct feature_row {
  const char *name;
  const char *built;
  const char *prose;
};

struct scheme_row {
  const char *name;
  int64_t port;
  const char *feature;
  const char *prose;
};

struct api_row {
  const char *name;
  const char *object;
  const char *inside;
  const char *prose;
};

extern const struct option_row options[];
extern const struct option_row moptions[];
extern const struct constant_row constants[];
extern const struct group_row groups[];
extern const struct number_row errors[];
extern const struct number_row merrors[];
extern const struct number_row uerrors[];
extern const struct number_row sherrors[];
extern const struct number_row infos[];
extern const struct callback_row callbacks[];
extern const struct callback_row mcallbacks[];
extern const struct feature_row features[];
extern const struct scheme_row schemes[];
extern const struct api_row apis[];

/* Whether two words are the same. */
int is_same(const char *a, const char *b);
/* The row of that name, or NULL. */
const struct option_row *find_option(const struct option_row *rows,
                                     const char *name);
const struct feature_row *find_feature(const char *name);
const struct group_row *find_group(const char *name);
/* Whether a feature may be there: its row does not say 0. */
int is_built(const char *feature);
/* The annotation of a callback of that shape, NULL for an unknown shape. */
const char *shape_type(const char *shape);

/* Writes s in upper case. */
void put_upper(FILE *out, const char *s);
/* Writes s with what Markdown would read inside a table cell escaped. */
void put_cell(FILE *out, const char *s);
/* Writes the words of the schemes or flags bits, joined by ", ". */
void put_schemes(FILE *out, unsigned schemes);
void put_flags(FILE *out, unsigned flags);

/* Looks for what a table must not hold; each finding goes to stderr with its
   file and row. Returns how many there were. */
int check_tables(void);

/* One output each; they cannot fail but for the stream. */
void write_codes(FILE *out);
void write_options(FILE *out);
void write_options_md(FILE *out);
void write_errors_md(FILE *out);
void write_infos_md(FILE *out);
void write_callbacks_md(FILE *out);
void write_types(FILE *out);

#endif
