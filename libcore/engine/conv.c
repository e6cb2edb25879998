/*
 * How it works: every conversion happens where the bytes lie, in memory that
 * stays while the callback pends, and is counted as done when it was answered.
 * So a step that is taken again finds what is done already, and nothing is
 * converted twice.
 */
#include "engine/conv.h"

#include <string.h>

#include "base/mem.h"
#include "codec/http1.h"
#include "engine/guard.h"
#include "engine/multi.h"

enum kind {
  TEXT,
  LIST,
  FIELDS
};
enum spoken {
  HTTP = 1, /* and RTSP, which is made of the same head */
  FTP = 2,
  PROXY = 4 /* what CONNECT says, and what a forwarded request has beside */
};

/* What the application gives as text and what goes out as it stands. What says
   where to and how (URL, ranges, codings) is the API's own text: ASCII. */
static const struct row {
  enum cw_opt opt;
  enum kind kind;
  unsigned spoken;
} rows[] = {
    {cw_opt_customrequest, TEXT, HTTP | FTP},
    {cw_opt_username, TEXT, HTTP | FTP},
    {cw_opt_password, TEXT, HTTP | FTP},
    {cw_opt_userpwd, TEXT, HTTP | FTP},
    {cw_opt_xoauth2_bearer, TEXT, HTTP},
    {cw_opt_useragent, TEXT, HTTP | PROXY},
    {cw_opt_referer, TEXT, HTTP},
    {cw_opt_cookie, TEXT, HTTP},
    {cw_opt_httpheader, LIST, HTTP | PROXY},
    {cw_opt_proxyheader, LIST, PROXY},
    {cw_opt_proxyusername, TEXT, PROXY},
    {cw_opt_proxypassword, TEXT, PROXY},
    {cw_opt_proxyuserpwd, TEXT, PROXY},
    {cw_opt_postfields, FIELDS, HTTP},
    {cw_opt_ftp_account, TEXT, FTP},
    {cw_opt_ftp_alternative_to_user, TEXT, FTP},
    {cw_opt_quote, LIST, FTP},
    {cw_opt_prequote, LIST, FTP},
    {cw_opt_postquote, LIST, FTP},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

enum progress {
  MAKING,
  READY,
  SPENT
};

struct text {
  char *bytes; /* with a NUL behind */
  size_t len;
  struct cw_slist *list;
};

struct cw_conv {
  enum progress progress;
  size_t at;                /* the row that is being converted */
  struct cw_slist *list_at; /* the line of its list */
  struct text text[ROWS];   /* NULL: not set, or not of this protocol */
  struct cw_buf line;       /* what cw_conv_line shows */
};

/* --- the callbacks ------------------------------------------------------- */

static enum cw_opt option_of(enum cw_slot slot) {
  return slot == CW_SLOT_CONV_FROM_NETWORK ? cw_opt_conv_from_network_function
         : slot == CW_SLOT_CONV_TO_NETWORK ? cw_opt_conv_to_network_function
                                           : cw_opt_conv_from_utf8_function;
}

static cw_conv_fn function_of(const struct cw_easy *easy, enum cw_slot slot) {
  return (cw_conv_fn)cw_opt_f(&easy->options, option_of(slot));
}

/* Also while an answer is due or there, though it was unset meanwhile. */
static bool is_wanted(const struct cw_easy *easy, enum cw_slot slot) {
  if (function_of(easy, slot)) {
    return true;
  }
  for (int i = 0; i < CW_HOLDS; i++) {
    if (easy->pend[i].state != CW_PEND_NONE && easy->pend[i].slot == slot) {
      return true;
    }
  }
  return false;
}

static enum cw_code failed(struct cw_easy *easy, enum cw_slot slot, size_t n) {
  return cw_fail(&easy->fail, CWE_CONV_FAILED,
                 "the %s callback could not convert %zu bytes",
                 cw_slot_name(slot), n);
}

/* Converts n bytes where they lie. */
static enum cw_code convert(struct cw_easy *easy, enum cw_slot slot,
                            char *bytes, size_t n) {
  int64_t result = 0;
  if (n == 0) {
    return CW_OK;
  }
  enum cw_call how = cw_call_begin(easy, slot, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    cw_conv_fn fn = function_of(easy, slot);
    result =
        fn ? fn(bytes, n, cw_opt_p(&easy->options, cw_opt_conv_data)) : CW_OK;
    enum cw_code err = cw_call_end(easy, slot, &result);
    if (err) {
      return err;
    }
  }
  return result == CW_OK ? CW_OK : failed(easy, slot, n);
}

/* A NUL would hide what is behind it from whoever reads the text. */
static enum cw_code convert_text(struct cw_easy *easy, char *text, size_t n) {
  enum cw_code err = convert(easy, CW_SLOT_CONV_TO_NETWORK, text, n);
  if (!err && memchr(text, '\0', n)) {
    return cw_fail(&easy->fail, CWE_CONV_FAILED,
                   "the conv_to_network callback made a NUL byte of a text "
                   "of %zu bytes",
                   n);
  }
  return err;
}

enum cw_code cw_conv_trailers(struct cw_easy *easy, struct cw_slist **pat) {
  bool wanted = is_wanted(easy, CW_SLOT_CONV_TO_NETWORK);
  while (wanted && *pat) {
    /* Its length is not known any more once it is converted wrongly, but then
       the transfer ends. */
    enum cw_code err = convert_text(easy, (*pat)->data, strlen((*pat)->data));
    if (err) {
      return err;
    }
    *pat = (*pat)->next;
  }
  return CW_OK;
}

/* --- the request --------------------------------------------------------- */

static struct cw_conv *conv_of(struct cw_easy *easy) {
  if (!easy->conv) {
    easy->conv = cw_calloc(1, sizeof(*easy->conv));
    if (easy->conv) {
      /* A line of a head and one of an FTP server: the parsers' ceilings. */
      cw_buf_init(&easy->conv->line, CW_H1_MAX_HEAD_BYTES);
    }
  }
  return easy->conv;
}

static void forget_texts(struct cw_conv *conv) {
  for (size_t i = 0; i < ROWS; i++) {
    if (conv->text[i].bytes) {
      cw_wipe(conv->text[i].bytes, conv->text[i].len);
    }
    cw_free(conv->text[i].bytes);
    cw_slist_free_all(conv->text[i].list);
    conv->text[i] = (struct text){0};
  }
  conv->progress = MAKING;
  conv->at = 0;
  conv->list_at = NULL;
}

void cw_conv_forget(struct cw_easy *easy) {
  if (easy->conv) {
    forget_texts(easy->conv);
    cw_buf_wipe(&easy->conv->line);
    cw_free(easy->conv);
    easy->conv = NULL;
  }
}

static enum cw_code copy_list(struct cw_easy *easy, struct text *text,
                              const struct cw_slist *from) {
  for (; from; from = from->next) {
    struct cw_slist *longer = cw_slist_append(text->list, from->data);
    if (!longer) {
      cw_slist_free_all(text->list);
      text->list = NULL;
      return cw_fail_oom(&easy->fail);
    }
    text->list = longer;
  }
  return CW_OK;
}

static enum cw_code make_list(struct cw_easy *easy, struct cw_conv *conv,
                              const struct row *row) {
  struct text *text = &conv->text[conv->at];
  if (!text->list) {
    enum cw_code err =
        copy_list(easy, text, cw_opt_list(&easy->options, row->opt));
    if (err) {
      return err;
    }
    conv->list_at = text->list;
  }
  return cw_conv_trailers(easy, &conv->list_at);
}

static struct cw_slice given(const struct cw_easy *easy,
                             const struct row *row) {
  if (row->kind == FIELDS) {
    return cw_opt_i(&easy->options, cw_opt_post) ? cw_request_fields(easy)
                                                 : cw_slice(NULL, 0);
  }
  return cw_slice_str(cw_opt_s(&easy->options, row->opt));
}

static enum cw_code make_text(struct cw_easy *easy, struct cw_conv *conv,
                              const struct row *row) {
  struct text *text = &conv->text[conv->at];
  if (!text->bytes) {
    struct cw_slice from = given(easy, row);
    if (!from.ptr) {
      return CW_OK;
    }
    text->bytes = cw_memdup0(from.ptr, from.len);
    text->len = from.len;
    if (!text->bytes) {
      return cw_fail_oom(&easy->fail);
    }
  }
  return row->kind == FIELDS
             ? convert(easy, CW_SLOT_CONV_TO_NETWORK, text->bytes, text->len)
             : convert_text(easy, text->bytes, text->len);
}

static unsigned spoken_by(const struct cw_easy *easy) {
  unsigned proxy = cw_proxy_uri(easy) ? PROXY : 0;
  return proxy | (easy->proto->has_fields        ? HTTP
                  : easy->proto == &cw_proto_ftp ? FTP
                                                 : 0);
}

enum cw_code cw_conv_request(struct cw_easy *easy) {
  struct cw_conv *conv = easy->conv;
  if (conv && conv->progress == SPENT) {
    forget_texts(conv);
  }
  if (!is_wanted(easy, CW_SLOT_CONV_TO_NETWORK) ||
      (conv && conv->progress == READY)) {
    return CW_OK;
  }
  conv = conv_of(easy);
  if (!conv) {
    return cw_fail_oom(&easy->fail);
  }
  for (; conv->at < ROWS; conv->at++) {
    const struct row *row = &rows[conv->at];
    if (!(row->spoken & spoken_by(easy))) {
      continue;
    }
    enum cw_code err = row->kind == LIST ? make_list(easy, conv, row)
                                         : make_text(easy, conv, row);
    if (err) {
      return err;
    }
  }
  conv->progress = READY;
  return CW_OK;
}

void cw_conv_spent(struct cw_easy *easy) {
  if (easy->conv && easy->conv->progress == READY) {
    easy->conv->progress = SPENT;
  }
}

/* NULL: the option is used as it was given. */
static const struct text *made(const struct cw_easy *easy, enum cw_opt opt) {
  const struct cw_conv *conv = easy->conv;
  for (size_t i = 0; conv && conv->progress != MAKING && i < ROWS; i++) {
    if (rows[i].opt == opt) {
      /* Another tunnel may be made in the middle of a request. */
      if (conv->progress == SPENT && !(rows[i].spoken & PROXY)) {
        return NULL;
      }
      return conv->text[i].bytes || conv->text[i].list ? &conv->text[i] : NULL;
    }
  }
  return NULL;
}

const char *cw_conv_s(const struct cw_easy *easy, enum cw_opt opt) {
  const struct text *text = made(easy, opt);
  return text ? text->bytes : cw_opt_s(&easy->options, opt);
}

const struct cw_slist *cw_conv_list(const struct cw_easy *easy,
                                    enum cw_opt opt) {
  const struct text *text = made(easy, opt);
  return text ? text->list : cw_opt_list(&easy->options, opt);
}

struct cw_slice cw_conv_fields(const struct cw_easy *easy) {
  const struct text *text = made(easy, cw_opt_postfields);
  return text ? cw_slice(text->bytes, text->len) : cw_request_fields(easy);
}

/* --- what is shown ------------------------------------------------------- */

enum cw_code cw_conv_line(struct cw_easy *easy, struct cw_slice *pline) {
  struct cw_transfer *t = &easy->t;
  if (t->line_conv == CW_LINE_PLAIN) {
    if (!function_of(easy, CW_SLOT_CONV_FROM_NETWORK)) {
      return CW_OK;
    }
    struct cw_conv *conv = conv_of(easy);
    if (!conv) {
      return cw_fail_oom(&easy->fail);
    }
    cw_buf_clear(&conv->line);
    if (cw_buf_add_slice(&conv->line, *pline)) {
      return cw_fail_oom(&easy->fail);
    }
    t->line_conv = CW_LINE_COPIED;
  }
  if (t->line_conv == CW_LINE_COPIED) {
    enum cw_code err = convert(easy, CW_SLOT_CONV_FROM_NETWORK,
                               easy->conv->line.ptr, easy->conv->line.len);
    if (err) {
      return err;
    }
    t->line_conv = CW_LINE_CONVERTED;
  }
  *pline = cw_buf_slice(&easy->conv->line);
  return CW_OK;
}

/* The names in "Subject:..." and "Issuer:..."; the word before the colon is the
   library's. */
static char *name_in(char *line) {
  static const char *const labels[] = {"Subject:", "Issuer:"};
  for (size_t i = 0; i < 2; i++) {
    size_t n = strlen(labels[i]);
    if (strncmp(line, labels[i], n) == 0) {
      return line + n;
    }
  }
  return NULL;
}

enum cw_code cw_conv_cert(struct cw_easy *easy, struct cw_slist **pat) {
  bool wanted = is_wanted(easy, CW_SLOT_CONV_FROM_UTF8);
  for (; *pat; *pat = (*pat)->next) {
    char *name = wanted ? name_in((*pat)->data) : NULL;
    enum cw_code err =
        name ? convert(easy, CW_SLOT_CONV_FROM_UTF8, name, strlen(name))
             : CW_OK;
    if (err) {
      return err;
    }
  }
  return CW_OK;
}

/* --- bodies that are text ------------------------------------------------ */

static enum cw_code body_in(void *data, char *bytes, size_t n) {
  struct cw_easy *easy = data;
  return cw_may_deliver(easy)
             ? convert(easy, CW_SLOT_CONV_FROM_NETWORK, bytes, n)
             : CW_AGAIN;
}

static enum cw_code body_out(void *data, char *bytes, size_t n) {
  return convert(data, CW_SLOT_CONV_TO_NETWORK, bytes, n);
}

enum cw_code cw_hook_text_body(void *data) {
  struct cw_easy *easy = data;
  if (easy->x.request.upload) {
    if (function_of(easy, CW_SLOT_CONV_TO_NETWORK)) {
      easy->x.reader.convert = body_out;
      easy->x.reader.convert_data = easy;
    }
    return CW_OK;
  }
  if (easy->t.body_is_text || !function_of(easy, CW_SLOT_CONV_FROM_NETWORK)) {
    return CW_OK;
  }
  easy->t.body_is_text = true;
  return cw_writer_add_convert(&easy->x.writer, body_in, easy);
}

/* --- the trace ----------------------------------------------------------- */

/* A trace does not wait, so a callback that does is an error here; while one
   pends for what is received, the head is shown as it went out. */
enum cw_code cw_conv_trace(struct cw_easy *easy, const char *bytes, size_t n) {
  cw_conv_fn fn = function_of(easy, CW_SLOT_CONV_FROM_NETWORK);
  if (!fn || n == 0 || !cw_traces(easy) ||
      easy->pend[cw_hold_recv].state != CW_PEND_NONE || easy->doomed ||
      easy->leaving || easy->cancelled) {
    return cw_trace(easy, CW_DEBUG_HEADER_OUT, bytes, n);
  }
  char *copy = cw_memdup0(bytes, n);
  if (!copy) {
    return cw_fail_oom(&easy->fail);
  }
  cw_call_enter(easy);
  int result = fn(copy, n, cw_opt_p(&easy->options, cw_opt_conv_data));
  cw_call_leave(easy);
  enum cw_code err = CW_OK;
  if (result == CW_CALLBACK_PENDING) {
    err = cw_fail(&easy->fail, CWE_CONV_FAILED,
                  "the conv_from_network callback cannot wait where it "
                  "converts the head for the debug callback");
  } else if (result != CW_OK) {
    err = failed(easy, CW_SLOT_CONV_FROM_NETWORK, n);
  }
  if (!err) {
    err = cw_trace(easy, CW_DEBUG_HEADER_OUT, copy, n);
  }
  cw_wipe(copy, n);
  cw_free(copy);
  return err;
}
