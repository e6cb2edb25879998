/*
 * The request head. Users' credentials are left out after a redirect to another
 * host.
 */
#include <stdio.h>

#include "curlew/easy.h"
#include "proto/http1.h"

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
    err = cw_h1_add_request_line(&h->tx.head, cw_slice_str(x->request.method),
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
  return cw_head_add_own(x, &h->tx.head, "Host", value);
}

static enum cw_code add_body_size(struct cw_exchange *x, struct cw_http1 *h) {
  const struct cw_request *r = &x->request;
  struct cw_slice coding;
  if (cw_head_user_value(r, "Transfer-Encoding", &coding)) {
    h->tx.chunked = cw_slice_ieq_str(coding, "chunked");
    if (h->tx.chunked && r->version < 11) {
      return cw_fail(x->fail, CWE_UPLOAD_FAILED,
                     "chunked coding needs HTTP/1.1");
    }
    if (h->tx.chunked) {
      return CW_OK;
    }
  }
  if (r->body_size >= 0) {
    return cw_head_add_number(x, &h->tx.head, "Content-Length", r->body_size);
  }
  if (r->version < 11) {
    return cw_fail(x->fail, CWE_UPLOAD_FAILED,
                   "a body of unknown size needs HTTP/1.1");
  }
  h->tx.chunked = true;
  return cw_head_add_own(x, &h->tx.head, "Transfer-Encoding", "chunked");
}

/* Bodies above this wait for 100 (Continue) where the user did not decide. */
#define EXPECT_ABOVE_BYTES (1024 * 1024)

static enum cw_code add_expect(struct cw_exchange *x, struct cw_http1 *h) {
  const struct cw_request *r = &x->request;
  struct cw_slice value;
  if (cw_head_user_value(r, "Expect", &value)) {
    h->expects_100 = cw_slice_ieq_str(value, "100-continue");
    return CW_OK;
  }
  if (r->version < 11 || r->expect_100_us <= 0 ||
      (r->body_size >= 0 && r->body_size <= EXPECT_ABOVE_BYTES) ||
      cw_head_user_has(r, "Expect")) {
    return CW_OK;
  }
  h->expects_100 = true;
  x->response.expected_100 = true;
  return cw_head_add_own(x, &h->tx.head, "Expect", "100-continue");
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
    err = cw_head_add_own(x, &h->tx.head, "Content-Range", value);
  }
  if (!err) {
    err = add_body_size(x, h);
  }
  if (!err && r->content_type_wins) {
    err = cw_head_add(x, &h->tx.head, "Content-Type", r->content_type);
  } else if (!err) {
    err = cw_head_add_own(x, &h->tx.head, "Content-Type", r->content_type);
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

static enum cw_code judge_users(struct cw_exchange *x, struct cw_slice name,
                                bool *pskip) {
  const struct cw_request *r = &x->request;
  const struct cw_http1 *h = x->state;
  *pskip = (!r->same_host && is_credential(name)) ||
           (r->content_type_wins && cw_slice_ieq_str(name, "Content-Type")) ||
           /* both together is what request smuggling is made of */
           (h->tx.chunked && cw_slice_ieq_str(name, "Content-Length"));
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
  struct cw_buf *head = &h->tx.head;
  const struct cw_head_field own[] = {
      {"Proxy-Authorization", r->proxy_authorization},
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
  if (!err) {
    err = cw_head_add_all(x, head, own, sizeof(own) / sizeof(own[0]));
  }
  if (!err) {
    err = cw_head_add_time(x, head);
  }
  if (!err) {
    err = add_body_fields(x, h);
  }
  if (!err) {
    err = cw_head_add_list(x, head, r->headers, judge_users);
  }
  if (!err) {
    err = cw_head_add_list(x, head, r->proxy_headers, judge_users);
  }
  return cw_head_end(x, head, err, "the request head");
}
