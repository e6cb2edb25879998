/*
 * How it works: behind a comma, a token that '=' follows is a parameter of the
 * challenge before it, and any other token is the scheme of the next one. A
 * parameter that is malformed makes all that follows part of its challenge.
 * What stands behind a scheme and is no parameter is a token68, which only its
 * scheme understands; it is skipped up to the comma.
 */
#include "codec/challenge.h"

#include "base/scan.h"
#include "codec/lex.h"

static void skip_commas(struct cw_slice *s) {
  cw_lex_skip_space(s);
  while (s->len > 0 && s->ptr[0] == ',') {
    cw_lex_drop(s, 1);
    cw_lex_skip_space(s);
  }
}

/* A token and '=': no scheme, whatever comes behind it. */
static bool begins_param(struct cw_slice s) {
  bool has_name = cw_lex_take_token(&s).len > 0;
  cw_lex_skip_space(&s);
  return has_name && s.len > 0 && s.ptr[0] == '=';
}

/* Behind a parameter there is a comma or the end. */
static bool at_end_of_param(struct cw_slice s) {
  cw_lex_skip_space(&s);
  return s.len == 0 || s.ptr[0] == ',';
}

/* "name = value" at the front of *s, which stays as it is if there is none. */
static bool take_param(struct cw_slice *s, struct cw_auth_param *param) {
  struct cw_slice at = *s;
  param->name = cw_lex_take_token(&at);
  cw_lex_skip_space(&at);
  if (param->name.len == 0 || at.len == 0 || at.ptr[0] != '=') {
    return false;
  }
  cw_lex_drop(&at, 1);
  cw_lex_skip_space(&at);
  param->quoted = at.len > 0 && at.ptr[0] == '"';
  if (param->quoted) {
    if (!cw_lex_take_quoted(&at, &param->value)) {
      return false;
    }
  } else {
    param->value = cw_lex_take_token(&at);
    if (param->value.len == 0) {
      return false;
    }
  }
  if (!at_end_of_param(at)) {
    return false;
  }
  *s = at;
  return true;
}

bool cw_auth_param_next(struct cw_slice *rest, struct cw_auth_param *param) {
  skip_commas(rest);
  return take_param(rest, param);
}

enum cw_code cw_auth_param_value(const struct cw_auth_param *param,
                                 struct cw_buf *value) {
  if (!param->quoted) {
    return cw_buf_add_slice(value, param->value);
  }
  enum cw_code err = CW_OK;
  struct cw_slice text = param->value;
  for (size_t i = 0; !err && i < text.len; i++) {
    if (text.ptr[i] == '\\' && i + 1 < text.len) {
      i++;
    }
    err = cw_buf_add_char(value, text.ptr[i]);
  }
  return err;
}

/* Up to the comma that ends it; a quote in it means that it is no token68 and
   where it ends is anybody's guess. */
static bool skip_token68(struct cw_slice *s) {
  while (s->len > 0 && s->ptr[0] != ',') {
    if (s->ptr[0] == '"') {
      return false;
    }
    cw_lex_drop(s, 1);
  }
  return true;
}

bool cw_challenge_next(struct cw_slice *rest, struct cw_challenge *challenge) {
  struct cw_auth_param param;
  skip_commas(rest);
  if (begins_param(*rest)) {
    return false;
  }
  challenge->scheme = cw_lex_take_token(rest);
  if (challenge->scheme.len == 0) {
    return false;
  }
  cw_lex_skip_space(rest);
  const char *first = rest->ptr;
  bool is_good = take_param(rest, &param) || skip_token68(rest);
  const char *end = rest->ptr;
  while (is_good) {
    skip_commas(rest);
    if (!take_param(rest, &param)) {
      is_good = !begins_param(*rest);
      break;
    }
    end = rest->ptr;
  }
  if (!is_good) {
    cw_lex_drop(rest, rest->len);
    end = rest->ptr;
  }
  challenge->params = cw_slice(first, (size_t)(end - first));
  return true;
}
