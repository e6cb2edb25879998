/*
 * Codecs whose input is one line: what they made of it, as text; see README.md.
 * Each adds what came out and, behind a colon, the line itself.
 */
#ifndef TESTS_WIRE_LINES_H
#define TESTS_WIRE_LINES_H

#include "../wire/transcript.h"
#include "codec/challenge.h"
#include "codec/cookie.h"
#include "codec/digest.h"
#include "codec/hsts.h"
#include "codec/wildcard.h"

/* 2023-11-14 22:13:20 UTC. */
#define WIRE_NOW INT64_C(1700000000)

static inline void wire_line_itself(struct cw_buf *out, struct cw_slice line) {
  wire_add(out, ": ");
  wire_add_bytes(out, line);
  wire_add(out, "\n");
}

static inline void wire_named(struct cw_buf *out, const char *name,
                              struct cw_slice value) {
  wire_must(cw_buf_addf(out, " %s=", name));
  wire_add_bytes(out, value);
}

/* --- HSTS ----------------------------------------------------------------- */

static inline void wire_hsts_header(struct cw_buf *out, struct cw_slice line) {
  struct cw_hsts_policy policy;
  if (cw_hsts_parse_header(line, WIRE_NOW, &policy)) {
    wire_must(cw_buf_addf(out, "%" PRId64 "%s", policy.expires_s - WIRE_NOW,
                          policy.subdomains ? " subdomains" : ""));
  } else {
    wire_add(out, "ignored");
  }
  wire_line_itself(out, line);
}

static inline void wire_hsts_line(struct cw_buf *out, struct cw_slice line) {
  struct cw_hsts_policy policy;
  struct cw_slice host;
  char name[CW_HSTS_MAX_NAME_BYTES];
  if (!cw_hsts_parse_line(line, &host, &policy)) {
    wire_add(out, "passed over");
  } else if (!cw_hsts_normalise(host, name)) {
    wire_add(out, "never kept");
  } else {
    wire_add_bytes(out, cw_slice_str(name));
    if (policy.expires_s == CW_HSTS_FOREVER) {
      wire_add(out, " for ever");
    } else {
      wire_must(cw_buf_addf(out, " until %" PRId64, policy.expires_s));
    }
    wire_add(out, policy.subdomains ? " subdomains" : "");
  }
  wire_line_itself(out, line);
}

/* --- challenges ----------------------------------------------------------- */

static inline void wire_params(struct cw_buf *out, struct cw_slice params) {
  struct cw_auth_param param;
  while (cw_auth_param_next(&params, &param)) {
    struct cw_buf value;
    cw_buf_init(&value, WIRE_MAX_TRANSCRIPT);
    wire_must(cw_buf_reserve(&value, 1));
    wire_must(cw_auth_param_value(&param, &value));
    wire_add(out, " [");
    wire_add_bytes(out, param.name);
    wire_add(out, "=");
    wire_add_bytes(out, cw_buf_slice(&value));
    wire_add(out, "]");
    cw_buf_fini(&value);
  }
  if (params.len > 0) {
    wire_add(out, " malformed ");
    wire_add_bytes(out, params);
  }
}

/* The response to it of Mufasa, whose password is "Circle of Life", as in RFC
   7616, 3.9.1. */
static inline void wire_response(struct cw_buf *out,
                                 const struct cw_digest_challenge *c) {
  struct cw_digest_request request = {
      .user = cw_slice_str("Mufasa"),
      .password = cw_slice_str("Circle of Life"),
      .method = cw_slice_str("GET"),
      .uri = cw_slice_str("/dir/index.html"),
      .body = cw_slice_str(""),
      .body_known = true,
      .cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
      .count = 1};
  struct cw_challenge answer;
  struct cw_auth_param param;
  struct cw_buf value;
  cw_buf_init(&value, CW_DIGEST_MAX_ANSWER_BYTES);
  if (cw_digest_answer(c, &request, &value)) {
    wire_add(out, " no answer\n");
  } else {
    struct cw_slice rest = cw_buf_slice(&value);
    if (!cw_challenge_next(&rest, &answer)) {
      abort();
    }
    while (cw_auth_param_next(&answer.params, &param)) {
      if (cw_slice_ieq_str(param.name, "response")) {
        wire_add(out, " response ");
        wire_add_bytes(out, param.value);
        wire_add(out, "\n");
      }
    }
  }
  cw_buf_fini(&value);
}

static inline void wire_digest(struct cw_buf *out, struct cw_slice line) {
  static const char *const names[] = {"none", "MD5", "SHA-256", "SHA-512-256"};
  struct cw_digest_challenge c;
  cw_digest_init(&c);
  wire_must(cw_digest_parse(&c, line));
  if (c.algorithm != CW_DIGEST_NONE) {
    wire_must(
        cw_buf_addf(out, " digest %s%s%s%s%s%s%s", names[c.algorithm],
                    c.sess ? "-sess" : "", c.qop_auth ? " auth" : "",
                    c.qop_auth_int ? " auth-int" : "", c.stale ? " stale" : "",
                    c.userhash ? " userhash" : "", c.utf8 ? " utf8" : ""));
    wire_named(out, "realm", cw_slice_str(c.realm));
    wire_named(out, "nonce", cw_slice_str(c.nonce));
    wire_add(out, "\n");
    wire_response(out, &c);
  }
  cw_digest_fini(&c);
}

static inline void wire_challenges(struct cw_buf *out, struct cw_slice line) {
  struct cw_slice rest = line;
  struct cw_challenge one;
  wire_add(out, "field");
  wire_line_itself(out, line);
  while (cw_challenge_next(&rest, &one)) {
    wire_add(out, " challenge ");
    wire_add_bytes(out, one.scheme);
    wire_params(out, one.params);
    wire_add(out, "\n");
  }
  if (rest.len > 0) {
    wire_add(out, " malformed ");
    wire_add_bytes(out, rest);
    wire_add(out, "\n");
  }
  wire_digest(out, line);
}

/* --- cookies -------------------------------------------------------------- */

static inline void wire_cookie_parts(struct cw_buf *out,
                                     const struct cw_cookie *cookie) {
  wire_add(out, "cookie");
  wire_named(out, "name", cookie->name);
  wire_named(out, "value", cookie->value);
  if (cookie->domain.len > 0) {
    wire_named(out, "domain", cookie->domain);
  }
  if (cookie->path.len > 0) {
    wire_named(out, "path", cookie->path);
  }
  if (cookie->expires_s != 0) {
    wire_must(cw_buf_addf(out, " expires=%" PRId64, cookie->expires_s));
  }
  wire_add(out, cookie->secure ? " secure" : "");
  wire_add(out, cookie->http_only ? " http_only" : "");
  wire_add(out, cookie->host_only ? " host_only" : "");
}

static inline void wire_set_cookie(struct cw_buf *out, struct cw_slice line) {
  struct cw_cookie cookie;
  if (cw_cookie_parse(line, WIRE_NOW, &cookie)) {
    wire_cookie_parts(out, &cookie);
  } else {
    wire_add(out, "ignored");
  }
  wire_line_itself(out, line);
}

static inline void wire_cookie_line(struct cw_buf *out, struct cw_slice line) {
  struct cw_cookie cookie;
  if (cw_cookie_parse_line(line, &cookie)) {
    wire_cookie_parts(out, &cookie);
  } else {
    wire_add(out, "passed over");
  }
  wire_line_itself(out, line);
}

/* --- patterns ------------------------------------------------------------- */

/* Pattern, tab, name. */
static inline void wire_wildcard(struct cw_buf *out, struct cw_slice line) {
  struct cw_slice name = line, pattern;
  if (!cw_slice_split(&name, '\t', &pattern)) {
    pattern = line;
  }
  name = name.ptr ? name : cw_slice("", 0);
  wire_add(out, cw_wildcard_match(pattern, name) ? "matches" : "does not");
  wire_add(out, cw_wildcard_is_pattern(pattern) ? "" : ", a plain name");
  wire_line_itself(out, line);
}

#endif
