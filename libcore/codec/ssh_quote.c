#include "codec/ssh_quote.h"

#include "base/scan.h"
#include "codec/date.h"

enum arguments {
  NO_PATH,      /* pwd */
  ONE_PATH,     /* rm path */
  TWO_PATHS,    /* rename old new */
  MODE_PATH,    /* chmod 644 path */
  NUMBER_PATH,  /* chown 1000 path */
  SECONDS_PATH, /* mtime date path */
};

struct command {
  const char *name;
  enum cw_ssh_verb verb;
  enum arguments arguments;
};

static const struct command commands[] = {
    {"pwd", CW_SSH_PWD, NO_PATH},
    {"rename", CW_SSH_RENAME, TWO_PATHS},
    {"rm", CW_SSH_RM, ONE_PATH},
    {"rmdir", CW_SSH_RMDIR, ONE_PATH},
    {"mkdir", CW_SSH_MKDIR, ONE_PATH},
    {"chmod", CW_SSH_CHMOD, MODE_PATH},
    {"chown", CW_SSH_CHOWN, NUMBER_PATH},
    {"chgrp", CW_SSH_CHGRP, NUMBER_PATH},
    {"ln", CW_SSH_SYMLINK, TWO_PATHS},
    {"symlink", CW_SSH_SYMLINK, TWO_PATHS},
    {"atime", CW_SSH_ATIME, SECONDS_PATH},
    {"mtime", CW_SSH_MTIME, SECONDS_PATH},
    {"statvfs", CW_SSH_STATVFS, ONE_PATH},
};

static enum cw_code wrong(const char **pwhy, const char *why) {
  *pwhy = why;
  return CWE_QUOTE_ERROR;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t';
}

static void skip_spaces(struct cw_slice *rest) {
  while (rest->len > 0 && is_space(*rest->ptr)) {
    rest->ptr++;
    rest->len--;
  }
}

static char take(struct cw_slice *rest) {
  char c = *rest->ptr;
  rest->ptr++;
  rest->len--;
  return c;
}

static enum cw_code take_quoted(struct cw_slice *rest, struct cw_buf *out,
                                const char **pwhy) {
  while (rest->len > 0) {
    char c = take(rest);
    if (c == '"') {
      return rest->len == 0 || is_space(*rest->ptr)
                 ? CW_OK
                 : wrong(pwhy, "something follows a closing quote");
    }
    if (c == '\\') {
      if (rest->len == 0) {
        break;
      }
      c = take(rest);
      if (c != '"' && c != '\'' && c != '\\') {
        return wrong(pwhy, "a backslash stands before an ordinary character");
      }
    }
    enum cw_code err = cw_buf_add_char(out, c);
    if (err) {
      return err;
    }
  }
  return wrong(pwhy, "a quoted argument has no end");
}

/* One argument, quoted or up to a space; empty ones are an error. */
static enum cw_code take_argument(struct cw_slice *rest, struct cw_buf *out,
                                  const char **pwhy) {
  enum cw_code err = CW_OK;
  skip_spaces(rest);
  if (rest->len > 0 && *rest->ptr == '"') {
    take(rest);
    err = take_quoted(rest, out, pwhy);
  } else {
    while (!err && rest->len > 0 && !is_space(*rest->ptr)) {
      err = cw_buf_add_char(out, take(rest));
    }
  }
  if (!err && out->len == 0) {
    err = wrong(pwhy, "an argument is missing or empty");
  }
  return err;
}

static bool scan_octal(struct cw_slice s, uint64_t *pvalue) {
  *pvalue = 0;
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] < '0' || s.ptr[i] > '7') {
      return false;
    }
    *pvalue = *pvalue * 8 + (uint64_t)(s.ptr[i] - '0');
  }
  return s.len > 0 && s.len <= 5 && *pvalue <= 07777;
}

/* A date as in HTTP, or seconds since 1970. */
static bool scan_time(struct cw_slice s, int64_t now_s, uint64_t *pvalue) {
  int64_t seconds = 0;
  if (cw_scan_u64(s, UINT32_MAX, pvalue)) {
    return true;
  }
  if (!cw_date_parse(s, now_s, &seconds) || seconds < 0 ||
      seconds > UINT32_MAX) {
    return false; /* SFTP 3 has 32 bits for it */
  }
  *pvalue = (uint64_t)seconds;
  return true;
}

static enum cw_code take_number(struct cw_slice *rest, enum arguments kind,
                                int64_t now_s, struct cw_ssh_quote *q,
                                const char **pwhy) {
  enum cw_code err = take_argument(rest, &q->other, pwhy);
  struct cw_slice s = cw_buf_slice(&q->other);
  if (err) {
    return err;
  }
  bool good = true;
  if (kind == MODE_PATH) {
    good = scan_octal(s, &q->number);
    *pwhy = "the mode is no octal number up to 7777";
  } else if (kind == NUMBER_PATH) {
    good = cw_scan_u64(s, UINT32_MAX, &q->number);
    *pwhy = "the user or group is no number";
  } else {
    good = scan_time(s, now_s, &q->number);
    *pwhy = "the time is neither a date nor a number of seconds";
  }
  cw_buf_clear(&q->other);
  return good ? CW_OK : CWE_QUOTE_ERROR;
}

static enum cw_code take_arguments(struct cw_slice *rest, enum arguments kind,
                                   int64_t now_s, struct cw_ssh_quote *q,
                                   const char **pwhy) {
  enum cw_code err = CW_OK;
  if (kind >= MODE_PATH) {
    err = take_number(rest, kind, now_s, q, pwhy);
  }
  if (!err && kind != NO_PATH) {
    err = take_argument(rest, &q->path, pwhy);
  }
  if (!err && kind == TWO_PATHS) {
    err = take_argument(rest, &q->other, pwhy);
  }
  skip_spaces(rest);
  return !err && rest->len > 0 ? wrong(pwhy, "there is an argument too many")
                               : err;
}

enum cw_code cw_ssh_quote_parse(struct cw_slice line, int64_t now_s,
                                struct cw_ssh_quote *q, const char **pwhy) {
  *q = (struct cw_ssh_quote){0};
  cw_buf_init(&q->path, CW_SSH_QUOTE_MAX_BYTES);
  cw_buf_init(&q->other, CW_SSH_QUOTE_MAX_BYTES);
  if (line.len > CW_SSH_QUOTE_MAX_BYTES) {
    return wrong(pwhy, "it is longer than 64 KiB");
  }
  if (cw_has_line_end(line)) {
    return wrong(pwhy, "it holds a NUL byte or a line end");
  }
  skip_spaces(&line);
  if (line.len > 0 && *line.ptr == '*') {
    q->may_fail = true;
    take(&line);
    skip_spaces(&line);
  }
  struct cw_slice name = {line.ptr, 0};
  while (line.len > 0 && !is_space(*line.ptr)) {
    take(&line);
    name.len++;
  }
  for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    if (cw_slice_ieq_str(name, commands[i].name)) {
      q->verb = commands[i].verb;
      return take_arguments(&line, commands[i].arguments, now_s, q, pwhy);
    }
  }
  return wrong(pwhy, "SFTP has no such command");
}

void cw_ssh_quote_fini(struct cw_ssh_quote *q) {
  cw_buf_fini(&q->path);
  cw_buf_fini(&q->other);
}
