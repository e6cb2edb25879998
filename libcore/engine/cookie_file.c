/* Files of cookies: Netscape's form, and lines as servers send them. */
#include <errno.h>
#include <stdio.h>

#include "base/file.h"
#include "codec/cookie.h"
#include "engine/cookies.h"

/* The value of a line "Set-Cookie: ..."; false: it is another one. */
static bool is_field(struct cw_slice line, struct cw_slice *pfield) {
  static const char mark[] = "Set-Cookie:";
  size_t n = sizeof(mark) - 1;
  if (!cw_slice_istarts(line, mark)) {
    return false;
  }
  *pfield = cw_slice_trim(cw_slice(line.ptr + n, line.len - n));
  return true;
}

bool cw_cookies_add_text(struct cw_cookies *cookies, struct cw_slice line,
                         int64_t now_s, enum cw_code *perr) {
  struct cw_slice field;
  struct cw_cookie cookie;
  const char *why = NULL;
  if (!is_field(line, &field)) {
    return cw_cookies_add_line(cookies, line, now_s, perr);
  }
  *perr = CW_OK;
  if (!cw_cookie_parse(field, now_s, &cookie) ||
      !cw_cookie_may_be_domain(cookie.domain)) {
    return false;
  }
  struct cw_cookie_place place = {
      .host = cookie.domain, .path = cw_slice("/", 1), .secure = true};
  *perr = cw_cookies_set(cookies, field, &place, now_s, &why);
  return why == NULL;
}

static bool ends_with_session(struct cw_slice line, int64_t now_s) {
  struct cw_slice field;
  struct cw_cookie cookie;
  bool is_cookie = is_field(line, &field)
                       ? cw_cookie_parse(field, now_s, &cookie)
                       : cw_cookie_parse_line(line, &cookie);
  return is_cookie && cookie.expires_s == 0;
}

static enum cw_code load_lines(struct cw_cookies *cookies, struct cw_slice text,
                               bool no_session, int64_t now_s) {
  struct cw_slice line;
  enum cw_code err = CW_OK;
  while (!err && cw_slice_split(&text, '\n', &line)) {
    if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
      line.len--;
    }
    if (no_session && ends_with_session(line, now_s)) {
      continue;
    }
    (void)cw_cookies_add_text(cookies, line, now_s, &err); /* or a comment */
  }
  return err;
}

enum cw_code cw_cookies_load(struct cw_cookies *cookies, const char *path,
                             bool no_session, int64_t now_s,
                             struct cw_fail *fail) {
  struct cw_buf text;
  int os_errno = 0;
  if (!*path) {
    return CW_OK;
  }
  cw_buf_init(&text, CW_COOKIES_MAX_FILE_BYTES);
  enum cw_code err = cw_file_read(path, &text, &os_errno);
  if (err == CWE_READ_ERROR && os_errno == ENOENT) {
    err = CW_OK; /* it is there after the first time */
  } else if (err == CWE_READ_ERROR) {
    err = cw_fail_os(fail, err, os_errno, "the cookie file %.180s", path);
  } else if (err == CWE_TOO_LARGE) {
    err = cw_fail(fail, err, "the cookie file %.180s has more than %d bytes",
                  path, CW_COOKIES_MAX_FILE_BYTES);
  } else if (!err) {
    err = load_lines(cookies, cw_buf_slice(&text), no_session, now_s);
  }
  cw_buf_wipe(&text);
  return err == CWE_OUT_OF_MEMORY ? cw_fail_oom(fail) : err;
}

static enum cw_code format(struct cw_cookies *cookies, int64_t now_s,
                           struct cw_buf *text) {
  struct cw_slist *list = NULL;
  enum cw_code err = cw_cookies_list(cookies, now_s, &list);
  if (!err) {
    err = cw_buf_add_str(text, "# Netscape HTTP Cookie File\n\n");
  }
  for (const struct cw_slist *l = list; l && !err; l = l->next) {
    err = cw_buf_addf(text, "%s\n", l->data);
  }
  cw_cookies_free_list(list);
  return err;
}

enum cw_code cw_cookies_save(struct cw_cookies *cookies, const char *path,
                             int64_t now_s, struct cw_fail *fail) {
  struct cw_buf text;
  int os_errno = 0;
  cw_buf_init(&text, CW_COOKIES_MAX_FILE_BYTES);
  enum cw_code err = format(cookies, now_s, &text);
  if (!err && cw_slice_eq_str(cw_slice_str(path), "-")) {
    err =
        fwrite(text.ptr, 1, text.len, stdout) == text.len && fflush(stdout) == 0
            ? CW_OK
            : cw_fail(fail, CWE_WRITE_ERROR,
                      "the cookies cannot be written to standard output");
  } else if (!err) {
    err = cw_file_replace(path, cw_buf_slice(&text), &os_errno);
    if (err == CWE_WRITE_ERROR) {
      (void)cw_fail_os(fail, err, os_errno, "the cookie file %.180s", path);
    }
  }
  cw_buf_wipe(&text);
  return err == CWE_OUT_OF_MEMORY ? cw_fail_oom(fail) : err;
}
