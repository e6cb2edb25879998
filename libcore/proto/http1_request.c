/*
 * The request head.
 *
 * How it works: headers of our own come in a fixed order, each through
 * add_own, which leaves out what the user set or removed by a header of the
 * same name; the user's own follow in their order. Users' credentials are left
 * out after a redirect to another host.
 */
#include <stdio.h>
#include <string.h>

#include "codec/date.h"
#include "curlew/easy.h"
#include "proto/http1.h"

/* Whether the user said something about that header. */
static bool user_has(const struct cw_request *r, const char *name) {
  size_t n = strlen(name);
  for (const struct cw_slist *l = r->headers; l; l = l->next) {
    struct cw_slice s = cw_slice_str(l->data);
    if (s.len > n && cw_slice_istarts(s, name) &&
        (s.ptr[n] == ':' || s.ptr[n] == ';')) {
      return true;
    }
  }
  return false;
}

/* The value the user gave that header; false: none. */
static bool user_value(const struct cw_request *r, const char *name,
                       struct cw_slice *value) {
  for (const struct cw_slist *l = r->headers; l; l = l->next) {
    enum cw_h1_custom what;
    struct cw_slice key;
    if (cw_h1_parse_custom(l->data, &what, &key, value, NULL) == CW_OK &&
        what == CW_H1_SET && cw_slice_ieq_str(key, name)) {
      return true;
    }
  }
  return false;
}

static enum cw_code add_own(struct cw_exchange *x, struct cw_http1 *h,
                            const char *name, const char *value) {
  if (!value || user_has(&x->request, name)) {
    return CW_OK;
  }
  return cw_h1_add_field(&h->head, cw_slice_str(name), cw_slice_str(value),
                         x->fail);
}

static enum cw_code add_target(struct cw_exchange *x, struct cw_buf *target) {
  const struct cw_request *r = &x->request;
  if (r->target) {
    return cw_buf_add_str(target, r->target);
  }
  const struct cw_uri *uri = r->uri;
  enum cw_code err = cw_buf_add_str(target, uri->path ? uri->path : "/");
  if (!err && uri->query) {
    err = cw_buf_add_char(target, '?');
    if (!err) {
      err = cw_buf_add_str(target, uri->query);
    }
  }
  return err;
}

static enum cw_code add_request_line(struct cw_exchange *x,
                                     struct cw_http1 *h) {
  cw_buf_clear(&h->target);
  enum cw_code err = add_target(x, &h->target);
  if (!err) {
    err = cw_h1_add_request_line(&h->head, cw_slice_str(x->request.method),
                                 cw_buf_slice(&h->target), x->request.version,
                                 x->fail);
  }
  return err;
}

/* RFC 9110, 7.2: Host comes first; the port only where it is not the
   scheme's. */
static enum cw_code add_host(struct cw_exchange *x, struct cw_http1 *h) {
  const struct cw_uri *uri = x->request.uri;
  char value[512];
  struct cw_uri plain = *uri;
  plain.port = NULL;
  int port = cw_uri_port(uri);
  int n;
  if (port != cw_uri_port(&plain)) {
    n = snprintf(value, sizeof(value), "%s:%d", uri->host, port);
  } else {
    n = snprintf(value, sizeof(value), "%s", uri->host);
  }
  if (n < 0 || (size_t)n >= sizeof(value)) {
    return cw_fail(x->fail, CWE_URL_MALFORMAT, "the host name is too long");
  }
  return add_own(x, h, "Host", value);
}

static enum cw_code add_time_condition(struct cw_exchange *x,
                                       struct cw_http1 *h) {
  static const char *const names[] = {NULL, "If-Modified-Since",
                                      "If-Unmodified-Since", "Last-Modified"};
  int condition = x->request.time_condition;
  if (condition < 1 || condition > 3) {
    return CW_OK;
  }
  char date[CW_DATE_BYTES];
  cw_date_format(x->request.time_value_s, date);
  return add_own(x, h, names[condition], date);
}

static enum cw_code add_body_size(struct cw_exchange *x, struct cw_http1 *h) {
  const struct cw_request *r = &x->request;
  struct cw_slice coding;
  if (user_value(r, "Transfer-Encoding", &coding)) {
    h->chunked_out = cw_slice_ieq_str(coding, "chunked");
    if (h->chunked_out && r->version < 11) {
      return cw_fail(x->fail, CWE_UPLOAD_FAILED,
                     "chunked coding needs HTTP/1.1");
    }
    if (h->chunked_out) {
      return CW_OK;
    }
  }
  if (r->body_size >= 0) {
    char value[24];
    (void)snprintf(value, sizeof(value), "%lld", (long long)r->body_size);
    return add_own(x, h, "Content-Length", value);
  }
  if (r->version < 11) {
    return cw_fail(x->fail, CWE_UPLOAD_FAILED,
                   "a body of unknown size needs HTTP/1.1");
  }
  h->chunked_out = true;
  return add_own(x, h, "Transfer-Encoding", "chunked");
}

/* Bodies above this wait for 100 (Continue) where the user did not decide. */
#define EXPECT_ABOVE_BYTES (1024 * 1024)

static enum cw_code add_expect(struct cw_exchange *x, struct cw_http1 *h) {
  const struct cw_request *r = &x->request;
  struct cw_slice value;
  if (user_value(r, "Expect", &value)) {
    h->expects_100 = cw_slice_ieq_str(value, "100-continue");
    return CW_OK;
  }
  if (r->version < 11 || r->expect_100_us <= 0 ||
      (r->body_size >= 0 && r->body_size <= EXPECT_ABOVE_BYTES) ||
      user_has(r, "Expect")) {
    return CW_OK;
  }
  h->expects_100 = true;
  x->response.expected_100 = true;
  return add_own(x, h, "Expect", "100-continue");
}

static enum cw_code add_body_fields(struct cw_exchange *x, struct cw_http1 *h) {
  const struct cw_request *r = &x->request;
  if (!r->has_body) {
    return CW_OK;
  }
  enum cw_code err = CW_OK;
  if (r->upload_offset > 0 && r->upload_total >= 0) {
    char value[80];
    (void)snprintf(value, sizeof(value), "bytes %lld-%lld/%lld",
                   (long long)r->upload_offset,
                   (long long)(r->upload_total - 1),
                   (long long)r->upload_total);
    err = add_own(x, h, "Content-Range", value);
  }
  if (!err) {
    err = add_body_size(x, h);
  }
  if (!err && r->content_type_wins) {
    err = cw_h1_add_field(&h->head, cw_slice_str("Content-Type"),
                          cw_slice_str(r->content_type), x->fail);
  } else if (!err) {
    err = add_own(x, h, "Content-Type", r->content_type);
  }
  if (!err) {
    err = add_expect(x, h);
  }
  return err;
}

/* Headers that carry credentials stay at the host they were meant for. */
static bool is_credential(struct cw_slice name) {
  return cw_slice_ieq_str(name, "Authorization") ||
         cw_slice_ieq_str(name, "Cookie") || cw_slice_ieq_str(name, "Host");
}

static enum cw_code add_users(struct cw_exchange *x, struct cw_http1 *h) {
  const struct cw_request *r = &x->request;
  for (const struct cw_slist *l = r->headers; l; l = l->next) {
    enum cw_h1_custom what;
    struct cw_slice name, value;
    enum cw_code err =
        cw_h1_parse_custom(l->data, &what, &name, &value, x->fail);
    if (err) {
      return err;
    }
    if (what == CW_H1_REMOVE || (!r->same_host && is_credential(name))) {
      continue;
    }
    if (r->content_type_wins && cw_slice_ieq_str(name, "Content-Type")) {
      continue;
    }
    if (cw_slice_ieq_str(name, "Content-Length") && h->chunked_out) {
      continue; /* both together is what request smuggling is made of */
    }
    err = cw_h1_add_field(&h->head, name, value, x->fail);
    if (err) {
      return err;
    }
  }
  return CW_OK;
}

/* After a redirect elsewhere a Host of the user's is not said, but ours is. */
static enum cw_code add_host_line(struct cw_exchange *x, struct cw_http1 *h) {
  if (x->request.same_host) {
    return add_host(x, h);
  }
  const struct cw_slist *headers = x->request.headers;
  x->request.headers = NULL;
  enum cw_code err = add_host(x, h);
  x->request.headers = headers;
  return err;
}

enum cw_code cw_http1_write_head(struct cw_exchange *x, struct cw_http1 *h) {
  const struct cw_request *r = &x->request;
  const struct {
    const char *name, *value;
  } own[] = {
      {"Authorization", r->authorization},
      {"Range", r->range},
      {"If-Range", r->if_range},
      {"User-Agent", r->user_agent},
      {"Accept", "*/*"},
      {"Accept-Encoding", r->accept_encoding},
      {"Referer", r->referer},
      {"Cookie", r->cookie},
      {"TE", r->te},
      {"Connection", r->te ? "TE" : NULL},
  };
  enum cw_code err = add_request_line(x, h);
  if (!err) {
    err = add_host_line(x, h);
  }
  for (size_t i = 0; !err && i < sizeof(own) / sizeof(own[0]); i++) {
    err = add_own(x, h, own[i].name, own[i].value);
  }
  if (!err) {
    err = add_time_condition(x, h);
  }
  if (!err) {
    err = add_body_fields(x, h);
  }
  if (!err) {
    err = add_users(x, h);
  }
  if (!err) {
    err = cw_buf_add_str(&h->head, "\r\n");
  }
  if (err == CWE_TOO_LARGE) {
    return cw_fail(x->fail, err, "the request head is larger than %d bytes",
                   CW_HTTP1_MAX_HEAD_OUT);
  }
  return err == CWE_OUT_OF_MEMORY ? cw_fail_oom(x->fail) : err;
}
