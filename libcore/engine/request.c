/*
 * From options to a request: the URL of this hop, the method, the body, and
 * the strings that go into the head. Strings that have to be made live in the
 * exchange's arena and go with it.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "curlew/url.h"
#include "engine/ask.h"
#include "engine/conv.h"
#include "engine/multi.h"
#include "engine/scheme.h"

static const struct cw_options *opts(const struct cw_easy *easy) {
  return &easy->options;
}

/* --- URL
 * ------------------------------------------------------------------------ */

static enum cw_code bad_url(struct cw_easy *easy, enum cw_ucode bad) {
  enum cw_code code = CWE_URL_MALFORMAT;
  if (bad == CWUE_OUT_OF_MEMORY) {
    return cw_fail_oom(&easy->fail);
  }
  if (bad == CWUE_UNSUPPORTED_SCHEME) {
    code = CWE_UNSUPPORTED_PROTOCOL;
  } else if (bad == CWUE_USER_NOT_ALLOWED) {
    code = CWE_LOGIN_DENIED;
  }
  return cw_fail(&easy->fail, code, "the URL cannot be used: %s",
                 cw_url_strerror(bad));
}

static unsigned url_flags(const struct cw_easy *easy) {
  unsigned flags = CWU_GUESS_SCHEME | CWU_NON_SUPPORT_SCHEME;
  if (cw_opt_i(opts(easy), cw_opt_path_as_is)) {
    flags |= CWU_PATH_AS_IS;
  }
  if (cw_opt_i(opts(easy), cw_opt_disallow_username_in_url)) {
    flags |= CWU_DISALLOW_USER;
  }
  return flags;
}

static enum cw_ucode parse_with_default(struct cw_easy *easy, const char *url,
                                        unsigned flags) {
  const char *scheme = cw_opt_s(opts(easy), cw_opt_default_protocol);
  if (!scheme || strstr(url, "://")) {
    return cw_uri_parse(&easy->t.uri, url, flags);
  }
  struct cw_buf buf;
  cw_buf_init(&buf, CW_URI_MAX_BYTES);
  enum cw_ucode bad = CWUE_OUT_OF_MEMORY;
  if (cw_buf_addf(&buf, "%s://%s", scheme, url) == CW_OK) {
    bad = cw_uri_parse(&easy->t.uri, buf.ptr, flags);
  }
  cw_buf_fini(&buf);
  return bad;
}

static enum cw_code check_scheme(struct cw_easy *easy) {
  const char *name = easy->t.uri.scheme;
  const struct cw_scheme_row *row = cw_scheme_of(name);
  if (!row) {
    return cw_fail(&easy->fail, CWE_UNSUPPORTED_PROTOCOL,
                   "the scheme %.40s is not known", name);
  }
  easy->proto = cw_proto_find(row->name);
  if (!row->is_built || !easy->proto) {
    return cw_fail(&easy->fail, CWE_UNSUPPORTED_PROTOCOL,
                   "the scheme %s is not built in: it needs %s", row->name,
                   row->feature);
  }
  if (!cw_scheme_is_allowed(row, cw_opt_s(opts(easy), cw_opt_protocols_str),
                            cw_opt_i(opts(easy), cw_opt_protocols))) {
    return cw_fail(&easy->fail, CWE_UNSUPPORTED_PROTOCOL,
                   "the scheme %s is not allowed by the option protocols_str",
                   row->name);
  }
  return CW_OK;
}

static enum cw_code check_host(struct cw_easy *easy) {
  const char *host = easy->t.uri.host;
  if (!easy->proto->needs_connection) {
    return CW_OK;
  }
  if (!host || !*host) {
    return cw_fail(&easy->fail, CWE_URL_MALFORMAT, "the URL has no host");
  }
  for (const char *c = host; *c; c++) {
    if ((unsigned char)*c >= 0x80) {
      return cw_fail(&easy->fail, CWE_URL_MALFORMAT,
                     "international host names are not built in: they need "
                     "libidn2");
    }
  }
  return CW_OK;
}

static enum cw_code override_port(struct cw_easy *easy) {
  int64_t port = cw_opt_i(opts(easy), cw_opt_port);
  if (port == 0 || easy->t.redirects > 0 ||
      (port == 80 && easy->t.hsts_upgraded)) {
    return CW_OK;
  }
  char text[8];
  (void)snprintf(text, sizeof(text), "%d", (int)port);
  enum cw_ucode bad = cw_uri_set(&easy->t.uri, CWUPART_PORT, text, 0);
  return bad ? bad_url(easy, bad) : CW_OK;
}

enum cw_code cw_request_prepare_url(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  if (t->redirects == 0 && !t->uri.scheme) {
    const struct cw_url *curlu = cw_opt_p(opts(easy), cw_opt_curlu);
    const char *url = cw_opt_s(opts(easy), cw_opt_url);
    enum cw_ucode bad;
    if (curlu) {
      bad = cw_uri_copy(&t->uri, &curlu->uri);
    } else if (url) {
      bad = parse_with_default(easy, url, url_flags(easy));
    } else {
      return cw_fail(&easy->fail, CWE_URL_MALFORMAT, "no URL was set");
    }
    if (bad) {
      return bad_url(easy, bad);
    }
    if (!t->uri.scheme) {
      return cw_fail(&easy->fail, CWE_URL_MALFORMAT, "the URL has no scheme");
    }
  }
  enum cw_code err = check_scheme(easy);
  if (!err) {
    err = check_host(easy);
  }
  if (!err) {
    err = override_port(easy);
  }
  /* The object of CWOPT_CURLU may change without any option being set. */
  bool is_kept =
      !err && t->redirects == 0 && !cw_opt_p(opts(easy), cw_opt_curlu);
  easy->uri_serial = is_kept ? opts(easy)->serial : 0;
  return err;
}

/* --- method and body
 * --------------------------------------------------------------- */

static bool sends_fields(const struct cw_easy *easy) {
  return opts(easy)->post.ptr != NULL;
}

static const char *choose_method(struct cw_easy *easy) {
  const struct cw_options *o = opts(easy);
  const struct cw_transfer *t = &easy->t;
  const char *custom = cw_conv_s(easy, cw_opt_customrequest);
  if (custom && !t->method_changed) {
    return custom;
  }
  if (cw_opt_i(o, cw_opt_nobody)) {
    return "HEAD";
  }
  if (t->body_dropped) {
    return "GET";
  }
  if (cw_opt_i(o, cw_opt_upload)) {
    return "PUT";
  }
  return cw_opt_i(o, cw_opt_post) ? "POST" : "GET";
}

struct cw_slice cw_request_fields(const struct cw_easy *easy) {
  const struct cw_bytes *post = &opts(easy)->post;
  int64_t size = cw_opt_i(opts(easy), cw_opt_postfieldsize_large);
  size_t len = post->len;
  if (!post->ptr) {
    return cw_slice(NULL, 0);
  }
  if (size >= 0 && !post->owned) {
    len = (size_t)size;
  } else if (!post->has_len) {
    len = strlen(post->ptr);
  }
  return cw_slice(post->ptr, len);
}

static void use_fields(struct cw_easy *easy) {
  struct cw_request *r = &easy->x.request;
  r->body_memory = cw_conv_fields(easy);
  r->body_size = (int64_t)r->body_memory.len;
  cw_reader_init_none(&easy->x.reader);
}

static void use_reader(struct cw_easy *easy, int64_t size) {
  struct cw_request *r = &easy->x.request;
  struct cw_source *source = cw_opt_p(opts(easy), cw_opt_source);
  if (source && size < 0) {
    size = cw_source_size(source);
  }
  r->body_size = size;
  cw_reader_init(&easy->x.reader, source ? NULL : cw_hook_read, easy, source,
                 size, &easy->fail);
  easy->x.reader.crlf = cw_opt_i(opts(easy), cw_opt_crlf) != 0;
  if (easy->x.reader.crlf) {
    r->body_size = -1; /* what goes out is longer than what was announced */
  }
}

/* Resuming an upload: the bytes that are there already are left out. */
static enum cw_code resume_upload(struct cw_easy *easy) {
  struct cw_request *r = &easy->x.request;
  int64_t offset = cw_opt_i(opts(easy), cw_opt_resume_from_large);
  if (offset <= 0 || easy->proto->seeks_itself) {
    return CW_OK;
  }
  if (r->body_size < 0) {
    easy->x.reader.skip = (uint64_t)offset;
    return CW_OK;
  }
  if (offset >= r->body_size) {
    return cw_fail(&easy->fail, CWE_PARTIAL_FILE,
                   "nothing is left to upload: offset %lld of %lld bytes",
                   (long long)offset, (long long)r->body_size);
  }
  r->upload_offset = offset;
  r->upload_total = r->body_size;
  r->body_size -= offset;
  easy->x.reader.skip = easy->t.upload_seeked ? 0 : (uint64_t)offset;
  if (easy->t.upload_seeked) {
    easy->x.reader.size -= offset;
  }
  return CW_OK;
}

static enum cw_code choose_body(struct cw_easy *easy) {
  const struct cw_options *o = opts(easy);
  struct cw_request *r = &easy->x.request;
  cw_reader_fini(&easy->x.reader);
  cw_reader_init_none(&easy->x.reader);
  r->upload = cw_opt_i(o, cw_opt_upload) != 0 && !easy->t.body_dropped;
  bool post = cw_opt_i(o, cw_opt_post) && !easy->t.body_dropped && !r->upload;
  if (cw_opt_i(o, cw_opt_nobody)) {
    return CW_OK;
  }
  r->has_body = r->upload || post;
  if (!r->has_body) {
    return CW_OK;
  }
  if (post && o->sends_mime) {
    return cw_mime_use(easy);
  }
  r->content_type = post ? "application/x-www-form-urlencoded" : NULL;
  if (post && sends_fields(easy)) {
    use_fields(easy);
    return CW_OK;
  }
  use_reader(easy, cw_opt_i(o, post ? cw_opt_postfieldsize_large
                                    : cw_opt_infilesize_large));
  return r->upload ? resume_upload(easy) : CW_OK;
}

/* --- strings
 * -------------------------------------------------------------------------- */

static enum cw_code keep(struct cw_easy *easy, struct cw_buf *buf,
                         const char **pstr) {
  *pstr = cw_arena_dup(&easy->x.arena, cw_buf_slice(buf));
  return *pstr ? CW_OK : cw_fail_oom(&easy->fail);
}

/* For protocols that log in by themselves. */
static enum cw_code fill_login(struct cw_easy *easy) {
  struct cw_request *r = &easy->x.request;
  struct cw_buf user, password;
  if (!cw_scheme_has(easy->t.uri.scheme, sc_login)) {
    return CW_OK;
  }
  cw_buf_init(&user, CW_LOGIN_MAX_BYTES);
  cw_buf_init(&password, CW_LOGIN_MAX_BYTES);
  enum cw_code err = cw_login_get(easy, CW_AUTH_SERVER, &user, &password);
  if (!err && user.len > 0) {
    err = keep(easy, &user, &r->user);
  }
  if (!err && (user.len > 0 || password.len > 0)) {
    err = keep(easy, &password, &r->password);
  }
  cw_buf_wipe(&user);
  cw_buf_wipe(&password);
  return err;
}

static enum cw_code make_range(struct cw_easy *easy) {
  const struct cw_options *o = opts(easy);
  struct cw_request *r = &easy->x.request;
  const char *range = cw_opt_s(o, cw_opt_range);
  int64_t offset = cw_opt_i(o, cw_opt_resume_from_large);
  struct cw_sink *sink = cw_opt_p(o, cw_opt_sink);
  struct cw_buf buf;
  cw_buf_init(&buf, 8192);
  enum cw_code err = CW_OK;
  if (offset == 0 && sink) {
    offset = (int64_t)cw_sink_resume_offset(sink);
  }
  r->resume_from = offset;
  if (range) {
    err = cw_buf_addf(&buf, "bytes=%s", range);
  } else if (offset > 0 && !r->upload) {
    err = cw_buf_addf(&buf, "bytes=%lld-", (long long)offset);
  } else {
    return CW_OK;
  }
  if (err == CWE_TOO_LARGE) {
    err = cw_fail(&easy->fail, CWE_RANGE_ERROR, "the range is too long");
  } else if (!err) {
    err = keep(easy, &buf, &r->range);
    r->if_range = cw_opt_s(o, cw_opt_if_range);
  }
  cw_buf_fini(&buf);
  return err;
}

static void fill_plain(struct cw_easy *easy) {
  const struct cw_options *o = opts(easy);
  struct cw_request *r = &easy->x.request;
  const char *encoding = cw_opt_s(o, cw_opt_accept_encoding);
  r->uri = &easy->t.uri;
  r->method = easy->t.method = choose_method(easy);
  r->target = cw_opt_s(o, cw_opt_request_target);
  r->version =
      cw_opt_i(o, cw_opt_http_version) == CW_HTTP_VERSION_1_0 ? 10 : 11;
  r->head_only = cw_opt_i(o, cw_opt_nobody) != 0;
  r->headers = cw_conv_list(easy, cw_opt_httpheader);
  r->same_host =
      easy->t.same_host || cw_opt_i(o, cw_opt_unrestricted_auth) != 0;
  r->user_agent = cw_conv_s(easy, cw_opt_useragent);
  r->referer =
      easy->t.referer ? easy->t.referer : cw_conv_s(easy, cw_opt_referer);
  r->accept_encoding = encoding && !*encoding ? cw_writer_codings() : encoding;
  r->cookie = r->same_host ? cw_conv_s(easy, cw_opt_cookie) : NULL;
  r->te = cw_opt_i(o, cw_opt_transfer_encoding) ? "gzip" : NULL;
  r->time_condition = (int)cw_opt_i(o, cw_opt_timecondition);
  r->wants_time = r->time_condition != CW_TIMECOND_NONE ||
                  cw_opt_i(o, cw_opt_filetime) != 0;
  r->time_value_s = cw_opt_i(o, cw_opt_timevalue_large);
  r->expect_100_us =
      easy->t.no_expect ? 0 : cw_opt_i(o, cw_opt_expect_100_timeout_ms) * 1000;
}

static void fill_limits(struct cw_easy *easy) {
  const struct cw_options *o = opts(easy);
  struct cw_request *r = &easy->x.request;
  r->decode_content = cw_opt_s(o, cw_opt_accept_encoding) &&
                      cw_opt_i(o, cw_opt_http_content_decoding);
  r->decode_transfer = cw_opt_i(o, cw_opt_http_transfer_decoding) != 0;
  r->ignore_length = cw_opt_i(o, cw_opt_ignore_content_length) != 0;
  r->allow_http09 = cw_opt_i(o, cw_opt_http09_allowed) != 0;
  r->max_decode_ratio = (uint64_t)cw_opt_i(o, cw_opt_max_decode_ratio);
  r->max_body_bytes = (uint64_t)cw_opt_i(o, cw_opt_maxfilesize_large);
  r->upload_ask_bytes = (size_t)cw_opt_i(o, cw_opt_upload_buffersize);
  r->receive_bytes = (size_t)cw_opt_i(o, cw_opt_buffersize);
  r->keep_sending = cw_opt_i(o, cw_opt_keep_sending_on_error) != 0;
}

static enum cw_code make_writer(struct cw_easy *easy) {
  struct cw_exchange *x = &easy->x;
  struct cw_pipe_host host = {.data = easy,
                              .deliver = cw_hook_deliver,
                              .chunks = x->chunks,
                              .fail = &easy->fail};
  cw_writer_fini(&x->writer);
  enum cw_code err = cw_writer_init(&x->writer, &host);
  struct cw_sink *sink = cw_opt_p(opts(easy), cw_opt_sink);
  if (!err && sink) {
    err = cw_writer_set_sink(&x->writer, sink);
  }
  return err;
}

enum cw_code cw_request_ready_writer(struct cw_easy *easy) {
  easy->x.request = (struct cw_request){.body_size = -1, .upload_total = -1};
  cw_arena_reset(&easy->x.arena);
  easy->x.chunks = cw_loop_chunks(easy->multi->loop);
  return easy->x.chunks ? make_writer(easy) : cw_fail_oom(&easy->fail);
}

enum cw_code cw_request_next_body(void *data) {
  struct cw_easy *easy = data;
  struct cw_exchange *x = &easy->x;
  x->response.content_length = x->response.last_modified_s = -1;
  x->response.body_received = 0;
  x->ignore_body = false;
  easy->t.condition_unmet = false;
  return make_writer(easy);
}

static enum cw_code make_exchange(struct cw_easy *easy) {
  struct cw_exchange *x = &easy->x;
  if (easy->x_ready && x->proto != easy->proto) {
    x->proto->fini(x);
    easy->x_ready = false;
  }
  if (easy->x_ready) {
    return CW_OK;
  }
  x->proto = easy->proto;
  x->host = &cw_exchange_hooks;
  x->host_data = easy;
  x->fail = &easy->fail;
  enum cw_code err = x->proto->init(x);
  easy->x_ready = !err;
  return err;
}

static void update_rate(struct cw_easy *easy, struct cw_rate *rate,
                        enum cw_opt opt) {
  uint64_t limit = (uint64_t)cw_opt_i(opts(easy), opt);
  if (rate->limit != limit) {
    cw_rate_init(rate, limit, cw_transfer_now(easy));
  }
}

void cw_request_update_rates(struct cw_easy *easy) {
  update_rate(easy, &easy->x.receive_rate, cw_opt_max_recv_speed_large);
  update_rate(easy, &easy->x.send_rate, cw_opt_max_send_speed_large);
}

void cw_request_forget(struct cw_easy *easy) {
  struct cw_exchange *x = &easy->x;
  x->request = (struct cw_request){.body_size = -1, .upload_total = -1};
  x->response = (struct cw_response){
      .content_length = -1, .retry_after_s = -1, .last_modified_s = -1};
}

enum cw_code cw_request_fill(struct cw_easy *easy) {
  struct cw_exchange *x = &easy->x;
  enum cw_code err = make_exchange(easy);
  if (err) {
    return err;
  }
  x->chunks = cw_loop_chunks(easy->multi->loop);
  if (!x->chunks) {
    return cw_fail_oom(&easy->fail);
  }
  x->traced = cw_traces(easy);
  x->want = 0;
  x->wait_until_us = 0;
  x->more = x->ignore_body = x->stop_sending = x->sent_all = false;
  x->reusable = x->waiting_100 = x->bound = false;
  cw_request_forget(easy);
  easy->t.body_is_text = false;
  cw_request_update_rates(easy);
  cw_arena_reset(&x->arena);
  fill_plain(easy);
  fill_limits(easy);
  err = choose_body(easy);
  if (!err) {
    err = make_writer(easy);
  }
  if (!err) {
    err = fill_login(easy);
  }
  if (!err) {
    err = make_range(easy);
  }
  if (!err) {
    err = cw_ask_fill(easy);
  }
  if (!err) {
    err = cw_proxy_fill(easy);
  }
  if (!err && easy->proto->has_fields) {
    err = cw_auth_fill(easy);
  }
  return err;
}
