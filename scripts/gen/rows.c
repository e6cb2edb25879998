/* The arrays themselves, and the small questions that all outputs ask. */
#include "rows.h"

#include <string.h>

#define option(name, number, kind, preset, min, max, group, schemes, feature, \
               flags, prose)                                                  \
  {#name,   number,   #kind, preset, min, max,  #group,                       \
   schemes, #feature, flags, NULL,   0,   prose},
#define alias(name, number, kind, target, scale, min, max, feature, prose) \
  {#name, number,   #kind, 0,       min,   max,  "none",                   \
   0,     #feature, 0,     #target, scale, prose},
const struct option_row options[] = {
#include "tbl/options.def"
    {0}};
#undef option
#undef alias

#define moption(name, number, kind, preset, min, max, feature, prose) \
  {#name, number,   #kind, preset, min, max,  "none",                 \
   0,     #feature, 0,     NULL,   0,   prose},
const struct option_row moptions[] = {
#include "tbl/moptions.def"
    {0}};
#undef moption

#define constant(group, name, c_name, value, prose) \
  {#name, #group, #c_name, value, prose},
const struct constant_row constants[] = {
#include "tbl/constants.def"
    {0}};
#undef constant

#define group(name, where, prose) {#name, #where, prose},
const struct group_row groups[] = {
#include "tbl/groups.def"
    {0}};
#undef group

#define error(name, number, prose) {#name, number, "", prose},
#define merror(name, number, prose)
#define uerror(name, number, prose)
const struct number_row errors[] = {
#include "tbl/errors.def"
    {0}};
#undef error
#undef merror
#define error(name, number, prose)
#define merror(name, number, prose) {#name, number, "", prose},
const struct number_row merrors[] = {
#include "tbl/errors.def"
    {0}};
#undef merror
#undef uerror
#define merror(name, number, prose)
#define uerror(name, number, prose) {#name, number, "", prose},
const struct number_row uerrors[] = {
#include "tbl/errors.def"
    {0}};
#undef error
#undef merror
#undef uerror

#define sherror(name, number, prose) {#name, number, "", prose},
const struct number_row sherrors[] = {
#include "tbl/share.def"
    {0}};
#undef sherror

#define info(name, number, kind, prose) {#name, number, #kind, prose},
const struct number_row infos[] = {
#include "tbl/infos.def"
    {0}};
#undef info

#define callback(name, fn, data, type, shape, holds, pend, method, code, \
                 feature, prose)                                         \
  {#name, #fn, #data, #shape, #holds, pend, #method, #code, #feature, prose},
#define mcallback(...)
const struct callback_row callbacks[] = {
#include "tbl/callbacks.def"
    {0}};
#undef callback
#undef mcallback
#define callback(name, fn, data, type, shape, holds, pend, method, code, \
                 feature, prose)
#define mcallback(name, fn, data, type, shape, method, feature, prose) \
  {#name, #fn, #data, #shape, "none", 0, #method, "ok", #feature, prose},
const struct callback_row mcallbacks[] = {
#include "tbl/callbacks.def"
    {0}};
#undef callback
#undef mcallback

#define feature(name, built, library, prose) {#name, #built, prose},
const struct feature_row features[] = {
#include "tbl/features.def"
    {0}};
#undef feature

#define scheme(name, port, feature, flags, prose) \
  {#name, port, #feature, prose},
const struct scheme_row schemes[] = {
#include "tbl/schemes.def"
    {0}};
#undef scheme

#define api(name, object, inside, prose) {#name, #object, #inside, prose},
const struct api_row apis[] = {
#include "tbl/api.def"
    {0}};
#undef api

int is_same(const char *a, const char *b) {
  return strcmp(a, b) == 0;
}

const struct option_row *find_option(const struct option_row *rows,
                                     const char *name) {
  for (const struct option_row *row = rows; row->name; row++) {
    if (is_same(row->name, name)) {
      return row;
    }
  }
  return NULL;
}

const struct feature_row *find_feature(const char *name) {
  for (const struct feature_row *row = features; row->name; row++) {
    if (is_same(row->name, name)) {
      return row;
    }
  }
  return NULL;
}

const struct group_row *find_group(const char *name) {
  for (const struct group_row *row = groups; row->name; row++) {
    if (is_same(row->name, name)) {
      return row;
    }
  }
  return NULL;
}

int is_built(const char *feature) {
  const struct feature_row *row = find_feature(feature);
  return row && !is_same(row->built, "0");
}

void put_upper(FILE *out, const char *s) {
  for (; *s; s++) {
    putc(*s >= 'a' && *s <= 'z' ? *s - 'a' + 'A' : *s, out);
  }
}

void put_cell(FILE *out, const char *s) {
  for (; *s; s++) {
    if (strchr("|*<", *s)) {
      putc('\\', out);
    }
    putc(*s, out);
  }
}

static void put_bits(FILE *out, unsigned bits, const char *const *names) {
  const char *glue = "";
  for (unsigned i = 0; names[i]; i++) {
    if (bits & (1u << i)) {
      fprintf(out, "%s%s", glue, names[i]);
      glue = ", ";
    }
  }
}

void put_schemes(FILE *out, unsigned bits) {
  static const char *const names[] = {"all",  "http", "ftp",    "ssh",
                                      "rtsp", "ws",   "file",   "tls",
                                      "mail", "tftp", "telnet", NULL};
  put_bits(out, bits, names);
}

void put_flags(FILE *out, unsigned bits) {
  static const char *const names[] = {"key",     "key_tls", "key_proxy", "live",
                                      "noredir", "safe",    NULL};
  put_bits(out, bits, names);
}
