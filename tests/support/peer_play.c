/*
 * The client's side of a .peer file. A file is scenarios, each begun by
 * "== what it shows"; lines up to the first "listen" or "accept" are the
 * client's, run in order:
 *
 *   only-plain              not to be played in pieces (it counts or times)
 *   window N                of the connections made from here on
 *   route IP PORT ERRNO MS  refused, timedout, unreachable, silent or ok
 *   set OPTION VALUE        a number, names of constants joined by |, a string;
 *                           lists grow by one entry each; "unset OPTION"
 *   reads TEXT | reads-bytes N   a read callback that gives this, by 7 bytes
 *                           or as much as is wanted
 *   seek WHAT | ioctl WHAT  a callback: ok, fail, cantseek
 *   sink buffer | sink digest    takes the body in place of the callback
 *   trailers TEXT           a trailer callback, once for each trailer
 *   do URL [CODE]           runs a transfer; CODE by name, ok if not named
 *   body TEXT | body-bytes N | no-head TEXT | head TEXT   what it delivered
 *   detail TEXT             its sentence holds TEXT
 *   info NAME VALUE | phase NAME | why TEXT
 *   took MS | took-under MS     of virtual time
 *   reset                   of the options
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/peer.h"

enum opt_kind {
  ok_bool,
  ok_int,
  ok_ms,
  ok_seconds,
  ok_bytes,
  ok_enum,
  ok_flags,
  ok_str,
  ok_secret,
  ok_path,
  ok_blob,
  ok_list,
  ok_object,
  ok_callback,
  ok_data
};

static const struct {
  const char *name;
  int number;
  enum opt_kind kind;
  const char *group;
} options[] = {
#define option(name_, number_, kind_, default_, min_, max_, group_, ...) \
  {#name_, number_, ok_##kind_, #group_},
#define alias(name_, number_, kind_, ...) {#name_, number_, ok_##kind_, "none"},
#include "tbl/options.def"
#undef option
#undef alias
};

static const struct {
  const char *group, *name;
  int64_t value;
} constants[] = {
#define constant(group_, name_, c_name_, value_, prose_) \
  {#group_, #name_, INT64_C(value_)},
#include "tbl/constants.def"
#undef constant
};

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
  int number;
  enum info_kind kind;
} infos[] = {
#define info(name_, number_, kind_, prose_) {#name_, number_, ik_##kind_},
#include "tbl/infos.def"
#undef info
};

static const struct {
  const char *name;
  enum cw_code code;
} codes[] = {
#define error(name_, number_, prose_) {#name_, (enum cw_code)(number_)},
#define merror(...)
#define uerror(...)
#include "tbl/errors.def"
#undef error
#undef merror
#undef uerror
};

struct play {
  struct world *w;
  CW *easy;
  struct got got;
  const struct line *line;
  /* of the read callback */
  struct bytes upload;
  size_t given, most;
  int seek, ioctl;
  struct cw_slist *list[sizeof(options) / sizeof(options[0])];
  struct cw_slist *trailers;
  struct cw_sink *sink;
  int64_t took;
};

#define SAY(p, ...) play_trouble(p, __VA_ARGS__)

__attribute__((format(printf, 2, 3))) static void
play_trouble(struct play *p, const char *fmt, ...) {
  char text[2000];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  world_trouble(p->w, "line %d: %s", p->line->number, text);
}

static const char *word(const struct play *p, size_t i) {
  cr_assert_lt(i, p->line->nwords, "line %d lacks a word", p->line->number);
  return p->line->word[i].ptr;
}

static size_t word_len(const struct play *p, size_t i) {
  return p->line->word[i].len;
}

static int64_t number(const struct play *p, size_t i) {
  return strtoll(word(p, i), NULL, 10);
}

/* --- options -------------------------------------------------------------- */

static size_t find_option(const struct play *p) {
  for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
    if (strcmp(options[i].name, word(p, 1)) == 0) {
      return i;
    }
  }
  cr_assert_fail("line %d: no option %s", p->line->number, word(p, 1));
  return 0;
}

static int64_t constant_of(const struct play *p, const char *group,
                           const char *name, size_t n) {
  for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
    if (strcmp(constants[i].group, group) == 0 &&
        strlen(constants[i].name) == n &&
        memcmp(constants[i].name, name, n) == 0) {
      return constants[i].value;
    }
  }
  cr_assert_fail("line %d: %.*s is not in the group %s", p->line->number,
                 (int)n, name, group);
  return 0;
}

static int64_t value_of(const struct play *p, const char *group) {
  const char *s = word(p, 2);
  if (*s == '-' || (*s >= '0' && *s <= '9')) {
    return number(p, 2);
  }
  int64_t value = 0;
  for (;;) {
    size_t n = strcspn(s, "|");
    value |= constant_of(p, group, s, n);
    if (s[n] == '\0') {
      return value;
    }
    s += n + 1;
  }
}

static enum cw_code set_value(struct play *p, size_t i) {
  enum cw_option option = (enum cw_option)options[i].number;
  switch (options[i].kind) {
  case ok_str:
  case ok_secret:
  case ok_path:
    return cw_easy_set_str(p->easy, option, word(p, 2), word_len(p, 2));
  case ok_list: {
    struct cw_slist *grown = cw_slist_append(p->list[i], word(p, 2));
    cr_assert_not_null(grown);
    p->list[i] = grown;
    return cw_easy_set_list(p->easy, option, grown);
  }
  default:
    return cw_easy_set_int(p->easy, option, value_of(p, options[i].group));
  }
}

static void do_set(struct play *p) {
  size_t i = find_option(p);
  enum cw_code err = set_value(p, i);
  if (err) {
    SAY(p, "set %s: %s: %s", word(p, 1), cw_easy_errname(err),
        cw_easy_detail(p->easy));
  }
}

static void do_unset(struct play *p) {
  size_t i = find_option(p);
  enum cw_option option = (enum cw_option)options[i].number;
  enum cw_code err;
  if (options[i].kind == ok_list) {
    cw_slist_free_all(p->list[i]);
    p->list[i] = NULL;
    err = cw_easy_set_list(p->easy, option, NULL);
  } else {
    err = cw_easy_set_str(p->easy, option, NULL, 0);
  }
  if (err) {
    SAY(p, "unset %s: %s", word(p, 1), cw_easy_errname(err));
  }
}

static void do_reset(struct play *p) {
  cr_assert_eq(cw_easy_reset(p->easy), CW_OK);
  got_free(&p->got);
  got_collect(&p->got, p->easy);
}

/* --- callbacks ------------------------------------------------------------ */

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  struct play *p = data;
  size_t left = p->upload.len - p->given;
  n *= size;
  n = n < left ? n : left;
  n = n < p->most ? n : p->most;
  memcpy(bytes, p->upload.ptr + p->given, n);
  p->given += n;
  return n;
}

static int on_seek(void *data, int64_t offset, int origin) {
  struct play *p = data;
  if (origin == SEEK_SET && p->seek == CW_SEEKFUNC_OK) {
    p->given = (size_t)offset;
  }
  return p->seek;
}

static int on_ioctl(CW *easy, int cmd, void *data) {
  struct play *p = data;
  (void)easy;
  if (cmd != CW_IOCMD_RESTARTREAD) {
    return CW_IOE_UNKNOWNCMD;
  }
  p->given = p->ioctl == CW_IOE_OK ? 0 : p->given;
  return p->ioctl;
}

static int on_trailer(struct cw_slist **list, void *data) {
  struct play *p = data;
  for (struct cw_slist *l = p->trailers; l; l = l->next) {
    struct cw_slist *grown = cw_slist_append(*list, l->data);
    cr_assert_not_null(grown);
    *list = grown;
  }
  return CW_TRAILERFUNC_OK;
}

static void install(struct play *p, enum cw_option fn, cw_any_fn callback,
                    enum cw_option data) {
  cr_assert_eq(cw_easy_set_fn(p->easy, fn, callback), CW_OK);
  cr_assert_eq(cw_easy_set_ptr(p->easy, data, p), CW_OK);
}

static void do_reads(struct play *p) {
  bytes_clear(&p->upload);
  bytes_add(&p->upload, word(p, 1), word_len(p, 1));
  p->given = 0;
  p->most = 7;
  install(p, CWOPT_READFUNCTION, (cw_any_fn)on_read, CWOPT_READDATA);
}

static void do_reads_bytes(struct play *p) {
  bytes_clear(&p->upload);
  for (int64_t i = number(p, 1); i > 0; i--) {
    bytes_add(&p->upload, "u", 1);
  }
  p->given = 0;
  p->most = (size_t)-1;
  install(p, CWOPT_READFUNCTION, (cw_any_fn)on_read, CWOPT_READDATA);
}

static void do_seek(struct play *p) {
  const char *what = word(p, 1);
  p->seek = strcmp(what, "ok") == 0     ? CW_SEEKFUNC_OK
            : strcmp(what, "fail") == 0 ? CW_SEEKFUNC_FAIL
                                        : CW_SEEKFUNC_CANTSEEK;
  install(p, CWOPT_SEEKFUNCTION, (cw_any_fn)on_seek, CWOPT_SEEKDATA);
}

static void do_ioctl(struct play *p) {
  p->ioctl = strcmp(word(p, 1), "ok") == 0 ? CW_IOE_OK : CW_IOE_FAILRESTART;
  install(p, CWOPT_IOCTLFUNCTION, (cw_any_fn)on_ioctl, CWOPT_IOCTLDATA);
}

static void do_trailers(struct play *p) {
  p->trailers = cw_slist_append(p->trailers, word(p, 1));
  install(p, CWOPT_TRAILERFUNCTION, (cw_any_fn)on_trailer, CWOPT_TRAILERDATA);
}

static void do_sink(struct play *p) {
  enum cw_code err = strcmp(word(p, 1), "buffer") == 0
                         ? cw_sink_buffer(1 << 24, &p->sink)
                         : cw_sink_digest(word(p, 1), &p->sink);
  cr_assert_eq(err, CW_OK);
  cr_assert_eq(cw_easy_set_ptr(p->easy, CWOPT_SINK, p->sink), CW_OK);
}

static void do_sink_has(struct play *p) {
  cr_assert_eq(cw_sink_write(p->sink, word(p, 1), word_len(p, 1)), CW_OK);
}

/* --- the world ------------------------------------------------------------ */

static void do_route(struct play *p) {
  const char *what = word(p, 3);
  int os_error = strcmp(what, "refused") == 0       ? ECONNREFUSED
                 : strcmp(what, "timedout") == 0    ? ETIMEDOUT
                 : strcmp(what, "unreachable") == 0 ? EHOSTUNREACH
                 : strcmp(what, "silent") == 0      ? -1
                                                    : 0;
  cr_assert_eq(cw_vnet_route(p->w->net, word(p, 1), (int)number(p, 2), os_error,
                             number(p, 4)),
               CW_OK);
}

static void do_window(struct play *p) {
  cw_vnet_window(p->w->net, (uint32_t)number(p, 1));
}

static void do_name(struct play *p) {
  cr_assert_eq(
      cw_vnet_name(p->w->net, word(p, 1), NULL, 0, number(p, 2), ETIMEDOUT),
      CW_OK);
}

static void do_idle(struct play *p) {
  cw_vnet_advance_us(p->w->net, number(p, 1) * 1000);
  world_settle(p->w);
}

static void do_only_plain(struct play *p) {
  (void)p;
}

static enum cw_code code_of(const struct play *p, const char *name) {
  for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
    if (strcmp(codes[i].name, name) == 0) {
      return codes[i].code;
    }
  }
  cr_assert_fail("line %d: no code %s", p->line->number, name);
  return CW_OK;
}

static void do_do(struct play *p) {
  enum cw_code want = p->line->nwords > 2 ? code_of(p, word(p, 2)) : CW_OK;
  cr_assert_eq(cw_easy_set_str(p->easy, CWOPT_URL, word(p, 1), word_len(p, 1)),
               CW_OK);
  bytes_clear(&p->got.body);
  bytes_clear(&p->got.head);
  int64_t start = world_ms(p->w);
  enum cw_code code = world_perform(p->w, p->easy);
  p->took = world_ms(p->w) - start;
  if (code != want) {
    SAY(p, "%s in place of %s: %s", cw_easy_errname(code),
        cw_easy_errname(want), cw_easy_detail(p->easy));
  }
  if ((code == CW_OK) != (cw_easy_detail(p->easy)[0] == '\0')) {
    SAY(p, "%s, and the sentence \"%s\"", cw_easy_errname(code),
        cw_easy_detail(p->easy));
  }
}

/* --- what came ------------------------------------------------------------ */

static void do_body(struct play *p) {
  const struct bytes *body = &p->got.body;
  const char *ptr = body->ptr;
  size_t n = body->len;
  if (p->sink) {
    ptr = cw_sink_data(p->sink, &n);
  }
  if (n != word_len(p, 1) || (n > 0 && memcmp(ptr, word(p, 1), n) != 0)) {
    SAY(p, "body of %zu bytes: \"%.*s\"", n, (int)(n < 300 ? n : 300), ptr);
  }
}

static void do_body_bytes(struct play *p) {
  if (p->got.body.len != (size_t)number(p, 1)) {
    SAY(p, "body of %zu bytes", p->got.body.len);
  }
}

static void do_head(struct play *p) {
  if (!strstr(p->got.head.ptr, word(p, 1))) {
    SAY(p, "no \"%s\" in the head\n%s", word(p, 1), p->got.head.ptr);
  }
}

static void do_no_head(struct play *p) {
  if (strstr(p->got.head.ptr, word(p, 1))) {
    SAY(p, "\"%s\" in the head\n%s", word(p, 1), p->got.head.ptr);
  }
}

static void do_detail(struct play *p) {
  if (!strstr(cw_easy_detail(p->easy), word(p, 1))) {
    SAY(p, "no \"%s\" in the sentence \"%s\"", word(p, 1),
        cw_easy_detail(p->easy));
  }
}

static void do_why(struct play *p) {
  if (!strstr(cw_easy_why_new_connection(p->easy), word(p, 1))) {
    SAY(p, "why a new connection: \"%s\"", cw_easy_why_new_connection(p->easy));
  }
}

static void do_phase(struct play *p) {
  if (strcmp(cw_easy_phase(p->easy), word(p, 1)) != 0) {
    SAY(p, "phase %s", cw_easy_phase(p->easy));
  }
}

static void do_took(struct play *p) {
  if (p->took != number(p, 1)) {
    SAY(p, "took %lld ms", (long long)p->took);
  }
}

static void do_took_under(struct play *p) {
  if (p->took >= number(p, 1)) {
    SAY(p, "took %lld ms", (long long)p->took);
  }
}

static void read_info(struct play *p, size_t i, char *out, size_t n) {
  enum cw_info info = (enum cw_info)infos[i].number;
  int64_t value = 0;
  const char *s = NULL;
  switch (infos[i].kind) {
  case ik_str:
    cr_assert_eq(cw_easy_info_str(p->easy, info, &s), CW_OK);
    snprintf(out, n, "%s", s ? s : "(unset)");
    break;
  case ik_long:
  case ik_off_t:
  case ik_socket:
    cr_assert_eq(cw_easy_info_int(p->easy, info, &value), CW_OK);
    snprintf(out, n, "%lld", (long long)value);
    break;
  default:
    cr_assert_fail("line %d: no text of info %s", p->line->number,
                   infos[i].name);
  }
}

static void do_info(struct play *p) {
  char text[1000] = "";
  for (size_t i = 0; i < sizeof(infos) / sizeof(infos[0]); i++) {
    if (strcmp(infos[i].name, word(p, 1)) == 0) {
      read_info(p, i, text, sizeof(text));
      if (strcmp(text, word(p, 2)) != 0) {
        SAY(p, "info %s is %s", word(p, 1), text);
      }
      return;
    }
  }
  cr_assert_fail("line %d: no info %s", p->line->number, word(p, 1));
}

static const struct {
  const char *name;
  void (*fn)(struct play *p);
} verbs[] = {
    {"only-plain", do_only_plain},
    {"window", do_window},
    {"route", do_route},
    {"slow-name", do_name},
    {"idle", do_idle},
    {"set", do_set},
    {"unset", do_unset},
    {"reset", do_reset},
    {"reads", do_reads},
    {"reads-bytes", do_reads_bytes},
    {"seek", do_seek},
    {"ioctl", do_ioctl},
    {"trailers", do_trailers},
    {"sink", do_sink},
    {"sink-has", do_sink_has},
    {"do", do_do},
    {"body", do_body},
    {"body-bytes", do_body_bytes},
    {"head", do_head},
    {"no-head", do_no_head},
    {"detail", do_detail},
    {"why", do_why},
    {"phase", do_phase},
    {"took", do_took},
    {"took-under", do_took_under},
    {"info", do_info},
};

static void play_line(struct play *p) {
  for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
    if (strcmp(verbs[i].name, word(p, 0)) == 0) {
      verbs[i].fn(p);
      return;
    }
  }
  cr_assert_fail("line %d: no such verb: %s", p->line->number, word(p, 0));
}

static void play_free(struct play *p) {
  cw_easy_cleanup(p->easy);
  got_free(&p->got);
  bytes_free(&p->upload);
  for (size_t i = 0; i < sizeof(p->list) / sizeof(p->list[0]); i++) {
    cw_slist_free_all(p->list[i]);
  }
  cw_slist_free_all(p->trailers);
  cw_sink_unref(p->sink);
}

const char *peer_play(struct world *w, struct lines *lines) {
  size_t n = 0;
  while (n < lines->n && strcmp(lines->line[n].word[0].ptr, "listen") != 0 &&
         strcmp(lines->line[n].word[0].ptr, "accept") != 0) {
    n++;
  }
  struct lines servers = {lines->line + n, lines->n - n};
  world_lines(w, &servers);
  struct play *p = calloc(1, sizeof(*p));
  cr_assert_not_null(p);
  p->w = w;
  p->easy = world_easy(w, "");
  got_collect(&p->got, p->easy);
  for (size_t i = 0; i < n && !w->trouble[0]; i++) {
    p->line = &lines->line[i];
    play_line(p);
  }
  play_free(p);
  free(p);
  return world_end(w);
}
