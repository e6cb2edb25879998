/*
 * What is said to a proxy. Of a request that is forwarded: its target, and
 * fields. Of a tunnel what the connection asks: what CONNECT says, and what the
 * answer means. The answer's head is shown as any other, unless
 * suppress_connect_headers is set.
 */
#include <string.h>

#include "codec/http1.h"
#include "conn/conn.h"
#include "curlew/url.h"
#include "engine/auth.h"
#include "engine/conv.h"

static const struct cw_options *opts(const struct cw_easy *easy) {
  return &easy->options;
}

static bool is_unified(const struct cw_easy *easy) {
  return cw_opt_i(opts(easy), cw_opt_headeropt) == CWHEADER_UNIFIED;
}

/* The application's fields that go to the proxy. */
static const struct cw_slist *fields_of(const struct cw_easy *easy) {
  return cw_conv_list(easy, is_unified(easy) ? cw_opt_httpheader
                                             : cw_opt_proxyheader);
}

/* Of fields that were meant for the server those that are for nobody else, or
   speak of a body. */
static bool is_for_server(struct cw_slice name) {
  static const char *const names[] = {
      "Authorization",    "Cookie",       "Host",
      "Content-Length",   "Content-Type", "Transfer-Encoding",
      "Content-Encoding", "Expect"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (cw_slice_ieq_str(name, names[i])) {
      return true;
    }
  }
  return false;
}

static enum cw_code next_field(struct cw_easy *easy, const struct cw_slist *l,
                               enum cw_h1_custom *pwhat, struct cw_slice *name,
                               struct cw_slice *value) {
  enum cw_code err =
      cw_h1_parse_custom(l->data, pwhat, name, value, &easy->fail);
  if (!err && is_unified(easy) && is_for_server(*name)) {
    *pwhat = CW_H1_REMOVE;
    *name = cw_slice("", 0);
  }
  return err;
}

/* Whether the application said something about that field. */
static bool is_given(struct cw_easy *easy, const char *wanted) {
  for (const struct cw_slist *l = fields_of(easy); l; l = l->next) {
    enum cw_h1_custom what;
    struct cw_slice name, value;
    if (next_field(easy, l, &what, &name, &value) == CW_OK &&
        cw_slice_ieq_str(name, wanted)) {
      return true;
    }
  }
  return false;
}

static enum cw_code add_own(struct cw_easy *easy, const char *name,
                            const char *value, struct cw_buf *head) {
  return value && !is_given(easy, name)
             ? cw_h1_add_field(head, cw_slice_str(name), cw_slice_str(value),
                               &easy->fail)
             : CW_OK;
}

static enum cw_code add_given(struct cw_easy *easy, struct cw_buf *head) {
  for (const struct cw_slist *l = fields_of(easy); l; l = l->next) {
    enum cw_h1_custom what;
    struct cw_slice name, value;
    enum cw_code err = next_field(easy, l, &what, &name, &value);
    if (!err && what != CW_H1_REMOVE) {
      err = cw_h1_add_field(head, name, value, &easy->fail);
    }
    if (err) {
      return err;
    }
  }
  return CW_OK;
}

static enum cw_code hook_head(void *data, const char *target,
                              struct cw_buf *head) {
  struct cw_easy *easy = data;
  const char *login = NULL;
  int version =
      cw_opt_i(opts(easy), cw_opt_proxytype) == CWPROXY_HTTP_1_0 ? 10 : 11;
  enum cw_code err = cw_auth_fill_connect(easy, target, &login);
  if (!err) {
    err = cw_h1_add_request_line(head, cw_slice_str("CONNECT"),
                                 cw_slice_str(target), version, &easy->fail);
  }
  const struct {
    const char *name, *value;
  } own[] = {{"Host", target},
             {"Proxy-Authorization", login},
             {"User-Agent", cw_conv_s(easy, cw_opt_useragent)}};
  for (size_t i = 0; !err && i < sizeof(own) / sizeof(own[0]); i++) {
    err = add_own(easy, own[i].name, own[i].value, head);
  }
  if (!err) {
    err = add_given(easy, head);
  }
  if (!err) {
    err = cw_buf_add_str(head, "\r\n");
  }
  easy->t.request_bytes += err ? 0 : head->len;
  return err;
}

static enum cw_code hook_line(void *data, struct cw_slice line) {
  struct cw_easy *easy = data;
  if (cw_opt_i(opts(easy), cw_opt_suppress_connect_headers)) {
    return cw_trace(easy, CW_DEBUG_HEADER_IN, line.ptr, line.len);
  }
  return cw_exchange_hooks.header(easy, line);
}

static enum cw_code hook_answer(void *data, int status,
                                const struct cw_headers *headers,
                                bool *pagain) {
  struct cw_easy *easy = data;
  easy->t.connect_status = status;
  return cw_auth_judge_connect(easy, status, headers, pagain);
}

void cw_proxy_hooks(const struct cw_easy *easy, struct cw_conn_user *user) {
  if (cw_proxy_tunnels(easy)) {
    user->connect_head = hook_head;
    user->connect_line = hook_line;
    user->connect_answer = hook_answer;
  }
}

/* --- a forwarded request ------------------------------------------------- */

/* RFC 1738, 3.2.2: how a proxy is to move the file. */
static enum cw_code add_transfer_mode(struct cw_easy *easy,
                                      struct cw_buf *text) {
  const char *path = easy->t.uri.path;
  if (!cw_opt_i(opts(easy), cw_opt_proxy_transfer_mode) ||
      strcmp(easy->t.uri.scheme, "ftp") != 0 ||
      (path && strstr(path, ";type="))) {
    return CW_OK;
  }
  return cw_buf_addf(text, ";type=%c",
                     cw_opt_i(opts(easy), cw_opt_transfertext) ? 'a' : 'i');
}

static enum cw_code fill_target(struct cw_easy *easy) {
  struct cw_request *r = &easy->x.request;
  struct cw_buf text;
  cw_buf_init(&text, CW_URI_MAX_BYTES);
  enum cw_code err = CW_OK;
  if (cw_uri_add_text(&easy->t.uri, CW_URI_NO_CREDENTIALS | CW_URI_NO_FRAGMENT,
                      &text) != CWUE_OK) {
    err = CWE_OUT_OF_MEMORY;
  }
  if (!err) {
    err = add_transfer_mode(easy, &text);
  }
  if (!err) {
    r->target = cw_arena_dup(&easy->x.arena, cw_buf_slice(&text));
    err = r->target ? CW_OK : CWE_OUT_OF_MEMORY;
  }
  cw_buf_fini(&text);
  return err ? cw_fail_oom(&easy->fail) : CW_OK;
}

enum cw_code cw_proxy_fill(struct cw_easy *easy) {
  struct cw_request *r = &easy->x.request;
  if (!cw_proxy_forwards(easy)) {
    return CW_OK;
  }
  if (!is_unified(easy)) {
    r->proxy_headers = cw_conv_list(easy, cw_opt_proxyheader);
  }
  return r->target ? CW_OK : fill_target(easy);
}
