/* Where the file is and what is known of it: the URL's path, commands of the
   user's, CWD, MDTM, TYPE, SIZE. RFC 959, RFC 3659, RFC 1738 section 3.2. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "codec/date.h"
#include "curlew/options.h"
#include "proto/ftp.h"

static const struct cw_ask_ftp *ask_of(const struct cw_exchange *x) {
  return x->request.ftp;
}

static bool is_ok(const struct cw_ftp *f) {
  return f->reply.code / 100 == 2;
}

/* --- the plan ------------------------------------------------------------ */

static enum cw_code check_text(struct cw_exchange *x, const char *what,
                               const char *text) {
  if (text && cw_has_line_end(cw_slice_str(text))) {
    return cw_fail(x->fail, CWE_URL_MALFORMAT,
                   "%s holds a line end, which would begin another command "
                   "of FTP",
                   what);
  }
  return CW_OK;
}

static enum cw_code check_list(struct cw_exchange *x, const char *what,
                               const struct cw_slist *list) {
  enum cw_code err = CW_OK;
  for (; list && !err; list = list->next) {
    err = check_text(x, what, list->data);
  }
  return err;
}

static enum cw_code check_texts(struct cw_exchange *x) {
  const struct cw_ask_ftp *ask = ask_of(x);
  const struct {
    const char *what, *text;
  } texts[] = {{"the user name", x->request.user},
               {"the password", x->request.password},
               {"the option ftp_account", ask->account},
               {"the option ftp_alternative_to_user", ask->alternative_to_user},
               {"the option customrequest", ask->custom}};
  enum cw_code err = CW_OK;
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !err; i++) {
    err = check_text(x, texts[i].what, texts[i].text);
  }
  if (!err) {
    err = check_list(x, "the option quote", ask->quote);
  }
  if (!err) {
    err = check_list(x, "the option prequote", ask->prequote);
  }
  return err ? err : check_list(x, "the option postquote", ask->postquote);
}

/* Adds a part of the path, decoded, to buf. */
static enum cw_code add_decoded(struct cw_exchange *x, struct cw_buf *buf,
                                struct cw_slice part) {
  size_t before = buf->len;
  enum cw_ucode bad = cw_uri_decode(part, false, buf);
  if (bad == CWUE_OUT_OF_MEMORY) {
    return cw_fail_oom(x->fail);
  }
  if (bad) {
    return cw_fail(x->fail, CWE_URL_MALFORMAT,
                   "the path of the URL is longer than %d bytes",
                   CW_FTP_MAX_PATH_BYTES);
  }
  if (buf->len > before &&
      cw_has_line_end(cw_slice(buf->ptr + before, buf->len - before))) {
    return cw_fail(x->fail, CWE_URL_MALFORMAT,
                   "the path of the URL holds a line end or a NUL byte, which "
                   "would end the command of FTP");
  }
  return CW_OK;
}

static enum cw_code add_char(struct cw_exchange *x, struct cw_buf *buf,
                             char c) {
  return cw_buf_add_char(buf, c) ? cw_fail_oom(x->fail) : CW_OK;
}

/* One CWD a directory. An empty part at the front is the root. */
static enum cw_code plan_parts(struct cw_exchange *x, struct cw_ftp *f,
                               struct cw_slice dirs) {
  struct cw_slice part;
  enum cw_code err = CW_OK;
  bool is_first = true;
  while (!err && cw_slice_split(&dirs, '/', &part)) {
    if (part.len > 0) {
      err = add_decoded(x, &f->dir, part);
    } else if (is_first) {
      err = add_char(x, &f->dir, '/');
    }
    if (!err && (part.len > 0 || is_first)) {
      err = add_char(x, &f->dir, '\0');
    }
    is_first = false;
  }
  return err;
}

/* One CWD for all. */
static enum cw_code plan_single(struct cw_exchange *x, struct cw_ftp *f,
                                struct cw_slice dirs) {
  enum cw_code err =
      dirs.len > 0 ? add_decoded(x, &f->dir, dirs) : add_char(x, &f->dir, '/');
  return err ? err : add_char(x, &f->dir, '\0');
}

/* ";type=a" at the end of the path (RFC 1738, 3.2.2). */
static struct cw_slice take_type(struct cw_ftp *f, struct cw_slice path) {
  static const char mark[] = ";type=";
  size_t n = sizeof(mark) - 1;
  if (path.len <= n ||
      !cw_slice_istarts(cw_slice(path.ptr + path.len - n - 1, n + 1), mark)) {
    return path;
  }
  char type = cw_to_lower(path.ptr[path.len - 1]);
  f->type = type == 'a' ? 'A' : 'I';
  f->by_name = type == 'd';
  f->names_only = f->names_only || f->by_name;
  return cw_slice(path.ptr, path.len - n - 1);
}

/* f->dir and f->file from a path without its first slash. */
static enum cw_code split_path(struct cw_exchange *x, struct cw_ftp *f,
                               struct cw_slice path) {
  size_t slash = path.len;
  while (slash > 0 && path.ptr[slash - 1] != '/') {
    slash--;
  }
  int method = ask_of(x)->file_method;
  struct cw_slice file = cw_slice(path.ptr + slash, path.len - slash);
  struct cw_slice dirs = cw_slice(path.ptr, slash > 0 ? slash - 1 : 0);
  if (x->request.upload && file.len == 0) {
    return cw_fail(
        x->fail, CWE_URL_MALFORMAT,
        "an upload over FTP needs a file name at the end of the URL");
  }
  if (method == CWFTPMETHOD_NOCWD) {
    return add_decoded(x, &f->file, path);
  }
  enum cw_code err = add_decoded(x, &f->file, file);
  if (err || slash == 0) {
    return err;
  }
  return method == CWFTPMETHOD_SINGLECWD ? plan_single(x, f, dirs)
                                         : plan_parts(x, f, dirs);
}

/* URLs of FTP have no query (RFC 1738, 3.2.2): a question mark is one of the
   path, as in a pattern. NULL: out of memory. */
static const char *whole_path(struct cw_exchange *x) {
  const struct cw_uri *uri = x->request.uri;
  const char *path = uri->path ? uri->path : "";
  if (!uri->query) {
    return path;
  }
  size_t n = strlen(path) + 1 + strlen(uri->query);
  char *whole = cw_arena_alloc(&x->arena, n + 1);
  if (whole) {
    (void)snprintf(whole, n + 1, "%s?%s", path, uri->query);
  }
  return whole;
}

enum cw_code cw_ftp_plan(struct cw_exchange *x, struct cw_ftp *f) {
  const char *whole = whole_path(x);
  cw_buf_clear(&f->dir);
  cw_buf_clear(&f->file);
  f->dir_at = 0;
  f->type = ask_of(x)->text ? 'A' : 'I';
  f->names_only = ask_of(x)->names_only;
  f->by_name = false;
  if (!whole) {
    return cw_fail_oom(x->fail);
  }
  struct cw_slice path = take_type(f, cw_slice_str(whole));
  if (f->type == 'A' && x->request.upload) {
    x->reader.crlf = true;
  }
  if (path.len > 0) {
    path = cw_slice(path.ptr + 1, path.len - 1);
  }
  enum cw_code err = check_texts(x);
  if (!err) {
    err = split_path(x, f, path);
  }
  return err ? err : cw_ftp_each_plan(x, f);
}

/* With nocwd the whole path is the name: one that ends in "/" is a listing. */
bool cw_ftp_is_listing(const struct cw_ftp *f) {
  return f->by_name || f->file.len == 0 || f->file.ptr[f->file.len - 1] == '/';
}

/* --- before the file ----------------------------------------------------- */

enum cw_code cw_ftp_enter_ask(struct cw_exchange *x, struct cw_ftp *f) {
  enum cw_code err = CW_OK;
  if (f->link->entry) {
    err = x->host->entry_path(x->host_data, f->link->entry);
  }
  if (!err) {
    err = x->host->prereq(x->host_data);
  }
  if (!err) {
    cw_ftp_go(f, CW_FTP_entry);
  }
  return err;
}

static bool is_verb(const char *command, const char *verb) {
  size_t n = strlen(verb);
  return cw_slice_istarts(cw_slice_str(command), verb) &&
         (command[n] == ' ' || command[n] == '\0');
}

static bool moves(const char *command) {
  return is_verb(command, "CWD") || is_verb(command, "XCWD") ||
         is_verb(command, "CDUP") || is_verb(command, "XCUP") ||
         is_verb(command, "REIN") || is_verb(command, "SMNT");
}

static bool moves_any(const struct cw_slist *list) {
  for (; list; list = list->next) {
    if (moves(list->data + (list->data[0] == '*'))) {
      return true;
    }
  }
  return false;
}

/* Sends the next of the user's commands, or goes on. '*': it may fail. */
static enum cw_code send_command(struct cw_exchange *x, struct cw_ftp *f,
                                 enum cw_ftp_state next) {
  if (!f->command) {
    cw_ftp_go(f, next);
    return CW_OK;
  }
  const char *text = f->command->data;
  f->may_fail = text[0] == '*';
  text += f->may_fail;
  f->command = f->command->next;
  if (is_verb(text, "TYPE")) {
    f->link->type = 0; /* what it is now is the user's affair */
  }
  if (moves(text)) {
    f->moved = f->link->is_lost = true;
  }
  return cw_ftp_send(x, f, "%s", text);
}

static enum cw_code judge_command(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->reply.code >= 400 && !f->may_fail) {
    return cw_ftp_refused(x, f, CWE_QUOTE_ERROR, "a command was refused");
  }
  return CW_OK;
}

enum cw_code cw_ftp_enter_quote(struct cw_exchange *x, struct cw_ftp *f) {
  return send_command(x, f, CW_FTP_cwd);
}

enum cw_code cw_ftp_reply_quote(struct cw_exchange *x, struct cw_ftp *f) {
  return judge_command(x, f);
}

enum cw_code cw_ftp_enter_prequote(struct cw_exchange *x, struct cw_ftp *f) {
  return send_command(x, f,
                      ask_of(x)->use_pret && !ask_of(x)->port ? CW_FTP_pret
                      : ask_of(x)->port                       ? CW_FTP_active
                                                              : CW_FTP_passive);
}

enum cw_code cw_ftp_reply_prequote(struct cw_exchange *x, struct cw_ftp *f) {
  return judge_command(x, f);
}

enum cw_code cw_ftp_enter_postquote(struct cw_exchange *x, struct cw_ftp *f) {
  /* Who cannot go back to where the login led must not be taken up by somebody
     who begins there. */
  const struct cw_ftp_link *link = f->link;
  bool is_away = link->cwd || link->is_lost || moves_any(f->command);
  x->reusable = x->reusable && (link->entry || !is_away);
  return send_command(x, f, f->is_wild ? CW_FTP_each : CW_FTP_finished);
}

enum cw_code cw_ftp_reply_postquote(struct cw_exchange *x, struct cw_ftp *f) {
  return judge_command(x, f);
}

/* --- the directory ------------------------------------------------------- */

/* The connection is where the URL's directory is already, or still there where
   the login led to, or must go back there first; an absolute path needs no way
   back. What the user quotes begins from there. */
enum cw_code cw_ftp_enter_entry(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_ftp_link *link = f->link;
  struct cw_slice dir = cw_buf_slice(&f->dir);
  f->command = ask_of(x)->quote;
  f->dir_at = 0;
  if (!f->command && !link->is_lost &&
      cw_slice_eq(dir, cw_slice(link->cwd, link->cwd_len))) {
    f->dir_at = f->dir.len;
    cw_ftp_go(f, CW_FTP_quote);
    return CW_OK;
  }
  bool moved = link->cwd || link->is_lost;
  bool is_absolute = dir.len > 0 && dir.ptr[0] == '/';
  if (moved && link->entry && !is_absolute) {
    return cw_ftp_send(x, f, "CWD %s", link->entry);
  }
  cw_ftp_go(f, CW_FTP_quote);
  return CW_OK;
}

enum cw_code cw_ftp_reply_entry(struct cw_exchange *x, struct cw_ftp *f) {
  if (!is_ok(f)) {
    return cw_ftp_refused(x, f, CWE_REMOTE_ACCESS_DENIED,
                          "there is no way back to the first directory");
  }
  cw_free(f->link->cwd);
  f->link->cwd = NULL;
  f->link->cwd_len = 0;
  f->link->is_lost = false;
  cw_ftp_go(f, CW_FTP_quote);
  return CW_OK;
}

/* The part that is next, NULL: all were entered. */
static const char *next_dir(const struct cw_ftp *f) {
  return f->dir_at < f->dir.len ? f->dir.ptr + f->dir_at : NULL;
}

static enum cw_code note_directory(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_ftp_link *link = f->link;
  char *cwd = f->dir.len > 0 ? cw_memdup0(f->dir.ptr, f->dir.len) : NULL;
  if (f->dir.len > 0 && !cwd) {
    return cw_fail_oom(x->fail);
  }
  cw_free(link->cwd);
  link->cwd = cwd;
  link->cwd_len = f->dir.len;
  link->is_lost = f->moved;
  return CW_OK;
}

enum cw_code cw_ftp_enter_cwd(struct cw_exchange *x, struct cw_ftp *f) {
  const char *dir = next_dir(f);
  if (dir) {
    f->link->is_lost = true; /* until the last one was entered */
    return cw_ftp_send(x, f, "CWD %s", dir);
  }
  cw_ftp_go(f, CW_FTP_mdtm);
  return note_directory(x, f);
}

enum cw_code cw_ftp_reply_cwd(struct cw_exchange *x, struct cw_ftp *f) {
  int create = ask_of(x)->create_dirs;
  if (is_ok(f)) {
    f->dir_at += strlen(next_dir(f)) + 1;
    f->made_dir = false;
    return CW_OK;
  }
  if (create != CWFTP_CREATE_DIR_NONE && !f->made_dir) {
    cw_ftp_go(f, CW_FTP_mkd);
    return CW_OK;
  }
  f->made_dir = false;
  return cw_ftp_refused(x, f, CWE_REMOTE_ACCESS_DENIED,
                        "the directory cannot be entered");
}

enum cw_code cw_ftp_enter_mkd(struct cw_exchange *x, struct cw_ftp *f) {
  f->made_dir = true;
  return cw_ftp_send(x, f, "MKD %s", next_dir(f));
}

/* With _RETRY somebody else may have been faster: CWD decides. */
enum cw_code cw_ftp_reply_mkd(struct cw_exchange *x, struct cw_ftp *f) {
  if (!is_ok(f) && ask_of(x)->create_dirs != CWFTP_CREATE_DIR_RETRY) {
    return cw_ftp_refused(x, f, CWE_REMOTE_ACCESS_DENIED,
                          "the directory cannot be made");
  }
  cw_ftp_go(f, CW_FTP_cwd);
  return CW_OK;
}

/* --- facts --------------------------------------------------------------- */

enum cw_code cw_ftp_enter_mdtm(struct cw_exchange *x, struct cw_ftp *f) {
  if (!x->request.wants_time || cw_ftp_is_listing(f) || x->request.upload) {
    cw_ftp_go(f, CW_FTP_type);
    return CW_OK;
  }
  return cw_ftp_send(x, f, "MDTM %s", f->file.ptr);
}

enum cw_code cw_ftp_reply_mdtm(struct cw_exchange *x, struct cw_ftp *f) {
  int64_t time_s = 0;
  /* A server that does not say is asked for the file all the same. */
  if (f->reply.code == 213 &&
      cw_ftp_parse_time(cw_ftp_reply_text(f), &time_s)) {
    x->response.last_modified_s = time_s;
  }
  cw_ftp_go(f, CW_FTP_type);
  return CW_OK;
}

/* Listings are text (RFC 959, 3.1.1). */
enum cw_code cw_ftp_enter_type(struct cw_exchange *x, struct cw_ftp *f) {
  char type = cw_ftp_is_listing(f) && !x->request.upload ? 'A' : f->type;
  if (f->link->type == type) {
    cw_ftp_go(f, CW_FTP_size);
    return CW_OK;
  }
  f->link->type = type;
  return cw_ftp_send(x, f, "TYPE %c", type);
}

enum cw_code cw_ftp_reply_type(struct cw_exchange *x, struct cw_ftp *f) {
  if (!is_ok(f)) {
    f->link->type = 0;
    return cw_ftp_refused(x, f, CWE_FTP_COULDNT_SET_TYPE,
                          "the type was refused");
  }
  cw_ftp_go(f, CW_FTP_size);
  return CW_OK;
}

/* Whether the size of the remote file matters. Of text it is another than that
   of what comes. */
static bool wants_size(const struct cw_exchange *x, const struct cw_ftp *f) {
  const struct cw_request *r = &x->request;
  if (r->upload) {
    return r->resume_from < 0;
  }
  return !cw_ftp_is_listing(f) && f->type == 'I' && !r->ignore_length;
}

enum cw_code cw_ftp_enter_size(struct cw_exchange *x, struct cw_ftp *f) {
  if (!wants_size(x, f)) {
    cw_ftp_go(f, CW_FTP_judge);
    return CW_OK;
  }
  return cw_ftp_send(x, f, "SIZE %s", f->file.ptr);
}

enum cw_code cw_ftp_reply_size(struct cw_exchange *x, struct cw_ftp *f) {
  int64_t size = 0;
  if (f->reply.code == 550 && !x->request.upload && x->request.head_only) {
    return cw_ftp_refused(x, f, CWE_REMOTE_FILE_NOT_FOUND,
                          "the file is not there");
  }
  if (f->reply.code == 213 && cw_ftp_parse_size(cw_ftp_reply_text(f), &size)) {
    f->size = size;
  }
  cw_ftp_go(f, CW_FTP_judge);
  return CW_OK;
}

/* --- how much of it ------------------------------------------------------ */

/* "a-b", "a-" or "-n". */
static enum cw_code use_range(struct cw_exchange *x, struct cw_ftp *f,
                              const char *range) {
  struct cw_slice text = cw_slice_str(range);
  uint64_t first = 0, last = INT64_MAX;
  bool from_end = text.len > 0 && text.ptr[0] == '-';
  bool has_first = !from_end && cw_scan_take_u64(&text, INT64_MAX, &first);
  if (text.len == 0 || text.ptr[0] != '-' || (!from_end && !has_first)) {
    return cw_fail(x->fail, CWE_RANGE_ERROR,
                   "the range \"%.40s\" is none of FTP's: one pair of bytes",
                   range);
  }
  text = cw_slice(text.ptr + 1, text.len - 1);
  bool has_last = text.len > 0;
  if ((has_last && !cw_scan_u64(text, INT64_MAX, &last)) ||
      (from_end && !has_last) || (has_last && !from_end && last < first)) {
    return cw_fail(x->fail, CWE_RANGE_ERROR, "the range \"%.40s\" is empty",
                   range);
  }
  if (!from_end) {
    f->offset = (int64_t)first;
    f->left = has_last ? (int64_t)(last - first) + 1 : -1;
    return CW_OK;
  }
  if (f->size < 0) {
    return cw_fail(x->fail, CWE_RANGE_ERROR,
                   "the end of the file is not known: the FTP server gives no "
                   "size");
  }
  f->offset = f->size > (int64_t)last ? f->size - (int64_t)last : 0;
  return CW_OK;
}

static enum cw_code judge_download(struct cw_exchange *x, struct cw_ftp *f) {
  const struct cw_request *r = &x->request;
  enum cw_code err = CW_OK;
  if (cw_ftp_is_listing(f)) {
    /* Servers ignore REST here; with a wildcard both are of its files. */
    return f->take || !(ask_of(x)->range || r->resume_from != 0)
               ? CW_OK
               : cw_fail(x->fail, CWE_RANGE_ERROR,
                         "a part was asked for of a listing, which comes whole "
                         "only");
  }
  if (ask_of(x)->range) {
    err = use_range(x, f, ask_of(x)->range);
  } else if (r->resume_from < 0 && f->size >= 0) {
    f->offset = f->size + r->resume_from > 0 ? f->size + r->resume_from : 0;
  } else if (r->resume_from > 0) {
    f->offset = r->resume_from;
  }
  if (!err && f->size >= 0 && f->offset > f->size) {
    return cw_fail(x->fail, CWE_BAD_DOWNLOAD_RESUME,
                   "byte %lld was asked for of a file of %lld bytes",
                   (long long)f->offset, (long long)f->size);
  }
  if (!err && f->size >= 0) {
    int64_t rest = f->size - f->offset;
    f->left = f->left < 0 || f->left > rest ? rest : f->left;
    x->response.content_length = f->left;
  }
  return err;
}

/* An upload goes on behind what is there. */
static enum cw_code judge_upload(struct cw_exchange *x, struct cw_ftp *f) {
  const struct cw_request *r = &x->request;
  int64_t from = r->resume_from;
  if (from < 0) {
    from = f->size > 0 ? f->size : 0;
  }
  f->offset = from;
  return from > 0 ? x->host->resume_upload(x->host_data, from) : CW_OK;
}

static bool is_nothing_left(const struct cw_exchange *x,
                            const struct cw_ftp *f) {
  const struct cw_request *r = &x->request;
  return r->upload
             ? f->offset > 0 && r->body_size >= 0 && f->offset >= r->body_size
             : !cw_ftp_is_listing(f) && f->offset > 0 && f->left == 0;
}

static enum cw_code give_line(struct cw_exchange *x, struct cw_ftp *f,
                              const char *name, const char *value) {
  cw_buf_clear(&f->line);
  if (cw_buf_addf(&f->line, "%s: %s\r\n", name, value)) {
    return cw_fail_oom(x->fail);
  }
  return x->host->header(x->host_data, cw_buf_slice(&f->line));
}

/* Without a body: the facts as header lines, one a call of this state. The
   callback may pend, so what was given is counted in dir_at. */
static enum cw_code give_facts(struct cw_exchange *x, struct cw_ftp *f) {
  char text[CW_DATE_BYTES];
  enum cw_code err = CW_OK;
  if (f->dir_at == 0 && x->response.last_modified_s >= 0) {
    cw_date_format(x->response.last_modified_s, text);
    err = give_line(x, f, "Last-Modified", text);
  }
  f->dir_at = err ? f->dir_at : 1;
  if (!err && f->size >= 0) {
    (void)snprintf(text, sizeof(text), "%lld", (long long)f->size);
    err = give_line(x, f, "Content-Length", text);
  }
  return err;
}

enum cw_code cw_ftp_enter_judge(struct cw_exchange *x, struct cw_ftp *f) {
  const struct cw_request *r = &x->request;
  if (r->head_only && !cw_ftp_is_listing(f)) {
    x->response.content_length = f->size;
    if (!f->tried_other) {
      f->tried_other = true;
      f->dir_at = 0;
    }
    enum cw_code err = give_facts(x, f);
    if (err) {
      return err;
    }
  }
  enum cw_code err = r->upload ? judge_upload(x, f) : judge_download(x, f);
  if (!err && !r->upload) {
    err = x->host->head_done(x->host_data);
  }
  if (!err && !r->upload && r->max_body_bytes > 0 && f->left >= 0 &&
      (uint64_t)f->left > r->max_body_bytes) {
    return cw_fail(x->fail, CWE_FILESIZE_EXCEEDED,
                   "the file of %lld bytes is larger than maxfilesize, %llu",
                   (long long)f->left, (unsigned long long)r->max_body_bytes);
  }
  if (err) {
    return err;
  }
  bool no_bytes =
      !f->take && (r->head_only || x->ignore_body || is_nothing_left(x, f));
  f->command = no_bytes ? ask_of(x)->postquote : ask_of(x)->prequote;
  cw_ftp_go(f, no_bytes  ? CW_FTP_postquote
               : f->take ? CW_FTP_feat
                         : CW_FTP_prequote);
  x->reusable = no_bytes;
  return CW_OK;
}
