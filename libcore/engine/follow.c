/*
 * What follows from an answer: redirects, a second try with credentials,
 * errors by status, ranges that were or were not honoured. RFC 9110, 15.
 *
 * judge is called when the final head is in, before its empty line is
 * delivered; next when the answer is complete and leads on.
 */
#include <string.h>

#include "base/mem.h"
#include "codec/range.h"
#include "curlew/url.h"
#include "engine/easy.h"
#include "engine/scheme.h"

static const struct cw_options *opts(const struct cw_easy *easy) {
  return &easy->options;
}

static bool is_redirect(int status) {
  return status >= 300 && status < 400 && status != 304;
}

static unsigned url_flags(const struct cw_easy *easy) {
  return CWU_NON_SUPPORT_SCHEME |
         (cw_opt_i(opts(easy), cw_opt_path_as_is) ? CWU_PATH_AS_IS : 0u);
}

/* --- judge
 * ------------------------------------------------------------------------ */

static enum cw_code note_redirect(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  struct cw_slice location;
  if (!is_redirect(easy->x.response.status) ||
      !cw_headers_get(&easy->x.headers, "Location", &location) ||
      location.len == 0) {
    return CW_OK;
  }
  struct cw_uri target;
  struct cw_buf text;
  cw_uri_init(&target);
  cw_buf_init(&text, CW_URI_MAX_BYTES);
  enum cw_ucode bad = cw_uri_copy(&target, &t->uri);
  if (!bad) {
    /* Stored headers are followed by a NUL byte. */
    bad = cw_uri_follow(&target, location.ptr,
                        url_flags(easy) | CWU_ALLOW_SPACE | CWU_URLENCODE);
  }
  if (!bad) {
    bad = cw_uri_add_text(&target, 0, &text);
  }
  enum cw_code err = CW_OK;
  if (bad == CWUE_OUT_OF_MEMORY) {
    err = cw_fail_oom(&easy->fail);
  } else if (bad && cw_opt_i(opts(easy), cw_opt_followlocation)) {
    err = cw_fail(&easy->fail, CWE_URL_MALFORMAT,
                  "the redirect leads to no usable URL: %s",
                  cw_url_strerror(bad));
  } else if (!bad) {
    t->redirect_to = cw_buf_take(&text);
    err = t->redirect_to ? CW_OK : cw_fail_oom(&easy->fail);
  }
  cw_buf_fini(&text);
  cw_uri_fini(&target);
  return err;
}

static enum cw_code not_resumable(struct cw_easy *easy) {
  return cw_fail(&easy->fail, CWE_RANGE_ERROR,
                 "the server sends the whole body in place of what is behind "
                 "byte %lld",
                 (long long)easy->x.request.resume_from);
}

enum cw_code cw_follow_restart(struct cw_easy *easy) {
  struct cw_sink *sink = cw_opt_p(opts(easy), cw_opt_sink);
  if (!easy->t.restart_due) {
    return CW_OK;
  }
  easy->t.restart_due = false;
  if (sink && cw_sink_restart(sink) == CW_OK) {
    return CW_OK;
  }
  return cw_fail(&easy->fail, CWE_RESUME_CHANGED,
                 "what is behind the URL has changed since the first part");
}

/* The whole body in place of the rest: it has changed (If-Range), or the server
   knows no ranges. A sink starts over, once the application has seen the head
   and lets the body come; a callback that took the first part cannot. */
static enum cw_code restart_changed(struct cw_easy *easy) {
  easy->t.restart_due = true;
  return cw_opt_p(opts(easy), cw_opt_sink) ? CW_OK : cw_follow_restart(easy);
}

static enum cw_code judge_partial(struct cw_easy *easy) {
  struct cw_slice value;
  struct cw_content_range range;
  int64_t from = easy->x.request.resume_from;
  if (!cw_headers_get(&easy->x.headers, "Content-Range", &value) ||
      !cw_content_range_parse(value, &range) || !range.satisfied) {
    return cw_headers_get(&easy->x.headers, "Content-Type", &value) &&
                   cw_slice_istarts(value, "multipart/byteranges")
               ? CW_OK
               : cw_fail(&easy->fail, CWE_RANGE_ERROR,
                         "206 without a valid Content-Range");
  }
  if (from > 0 && !cw_opt_s(opts(easy), cw_opt_range) &&
      range.first != (uint64_t)from) {
    return cw_fail(&easy->fail, CWE_RANGE_ERROR,
                   "asked for bytes from %lld on, got them from %llu on",
                   (long long)from, (unsigned long long)range.first);
  }
  easy->t.resumed = true;
  return CW_OK;
}

/* 416 to a resume at the very end: everything is there already. */
static bool is_complete_already(const struct cw_easy *easy) {
  struct cw_slice value;
  struct cw_content_range range;
  return cw_headers_get(&easy->x.headers, "Content-Range", &value) &&
         cw_content_range_parse(value, &range) && !range.satisfied &&
         range.has_total &&
         range.total == (uint64_t)easy->x.request.resume_from;
}

static enum cw_code judge_range(struct cw_easy *easy) {
  const struct cw_request *r = &easy->x.request;
  int status = easy->x.response.status;
  if (!r->range || r->upload || r->head_only) {
    return CW_OK;
  }
  bool resuming = r->resume_from > 0 && !cw_opt_s(opts(easy), cw_opt_range);
  if (status == 206) {
    return judge_partial(easy);
  }
  if (status == 416 && resuming && is_complete_already(easy)) {
    easy->x.ignore_body = true;
    easy->t.resumed = true;
    return CW_OK;
  }
  if (status >= 200 && status < 300) {
    if (r->if_range || (resuming && cw_opt_p(opts(easy), cw_opt_sink))) {
      return restart_changed(easy);
    }
    if (resuming) {
      return not_resumable(easy);
    }
  }
  return CW_OK;
}

static void judge_time(struct cw_easy *easy) {
  const struct cw_request *r = &easy->x.request;
  const struct cw_response *answer = &easy->x.response;
  if (answer->status == 304) {
    easy->t.condition_unmet = true;
  }
  if (!r->time_condition || answer->last_modified_s < 0 ||
      (easy->proto->has_fields && answer->status != 200)) {
    return;
  }
  bool older = answer->last_modified_s <= r->time_value_s;
  easy->t.condition_unmet =
      r->time_condition == CW_TIMECOND_IFUNMODSINCE ? !older : older;
  if (easy->t.condition_unmet) {
    easy->x.ignore_body = true;
  }
}

/* A status is for the application; redirects of RTSP lead to another server, on
   which nothing of the session is there, and are not followed. */
static enum cw_code judge_rtsp(struct cw_easy *easy) {
  enum cw_code err = cw_auth_judge(easy);
  easy->x.ignore_body = easy->t.auth_retry;
  judge_time(easy);
  return err;
}

enum cw_code cw_follow_judge(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  int status = easy->x.response.status;
  if (easy->proto == &cw_proto_rtsp) {
    return judge_rtsp(easy);
  }
  if (easy->proto != &cw_proto_http1) {
    easy->t.resumed = easy->x.request.resume_from > 0;
    judge_time(easy);
    return CW_OK;
  }
  cw_free(t->redirect_to);
  t->redirect_to = NULL;
  /* RFC 9110, 10.1.1: 417 says that Expect was the trouble. */
  t->expect_retry = status == 417 && easy->x.response.expected_100;
  enum cw_code err = cw_hsts_learn(easy);
  if (!err) {
    err = cw_auth_judge(easy);
  }
  if (!err && !(status == 407 && cw_proxy_forwards(easy))) {
    err = cw_cookies_note(easy); /* of the server; 407 is the proxy's */
  }
  if (!err) {
    err = note_redirect(easy);
  }
  if (err) {
    return err;
  }
  if (t->auth_retry || t->expect_retry ||
      (t->redirect_to && cw_opt_i(opts(easy), cw_opt_followlocation))) {
    easy->x.ignore_body = true;
    return CW_OK;
  }
  if (status >= 400 && cw_opt_i(opts(easy), cw_opt_failonerror) &&
      !(status == 416 && is_complete_already(easy))) {
    return cw_fail(&easy->fail, CWE_HTTP_RETURNED_ERROR,
                   "the server answered with status %d", status);
  }
  judge_time(easy);
  return judge_range(easy);
}

/* --- next
 * ----------------------------------------------------------------------------
 */

/* RFC 9110, 15.4: which method the next request has. */
static void change_method(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  int status = easy->x.response.status;
  int64_t keep = cw_opt_i(opts(easy), cw_opt_postredir);
  int64_t mode = cw_opt_i(opts(easy), cw_opt_followlocation);
  bool is_post = strcmp(t->method, "POST") == 0;
  bool is_head = strcmp(t->method, "HEAD") == 0;
  bool drop = false;
  if (status == 301) {
    drop = is_post && !(keep & CW_REDIR_POST_301);
  } else if (status == 302) {
    drop = is_post && !(keep & CW_REDIR_POST_302);
  } else if (status == 303) {
    drop = !is_head && !(is_post && (keep & CW_REDIR_POST_303));
  }
  bool custom = cw_opt_s(opts(easy), cw_opt_customrequest) != NULL;
  if (drop) {
    t->body_dropped = true;
  }
  if (custom &&
      (mode == CWFOLLOW_FIRSTONLY || (mode == CWFOLLOW_OBEYCODE && drop))) {
    t->method_changed = true;
  }
}

static enum cw_code check_target(struct cw_easy *easy,
                                 const struct cw_uri *target) {
  const struct cw_options *o = opts(easy);
  const char *names = cw_opt_s(o, cw_opt_redir_protocols_str);
  const struct cw_scheme_row *row = cw_scheme_of(target->scheme);
  if (!row ||
      !cw_scheme_is_allowed(row, names, cw_opt_i(o, cw_opt_redir_protocols))) {
    return cw_fail(&easy->fail, CWE_UNSUPPORTED_PROTOCOL,
                   "a redirect to the scheme %.40s is not allowed by the "
                   "option redir_protocols_str",
                   target->scheme);
  }
  bool told = names || cw_opt_touched(o, cw_opt_redir_protocols);
  if (!told && strcmp(easy->t.uri.scheme, "https") == 0 &&
      strcmp(target->scheme, "https") != 0) {
    return cw_fail(&easy->fail, CWE_UNSUPPORTED_PROTOCOL,
                   "a redirect from https to %.40s is not followed unless the "
                   "option redir_protocols_str allows it",
                   target->scheme);
  }
  return CW_OK;
}

static enum cw_code set_referer(struct cw_easy *easy) {
  if (!cw_opt_i(opts(easy), cw_opt_autoreferer)) {
    return CW_OK;
  }
  struct cw_buf text;
  cw_buf_init(&text, CW_URI_MAX_BYTES);
  enum cw_ucode bad = cw_uri_add_text(
      &easy->t.uri, CW_URI_NO_CREDENTIALS | CW_URI_NO_FRAGMENT, &text);
  cw_free(easy->t.referer);
  easy->t.referer = bad ? NULL : cw_buf_take(&text);
  cw_buf_fini(&text);
  return easy->t.referer ? CW_OK : cw_fail_oom(&easy->fail);
}

static enum cw_code go_to(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  struct cw_uri target;
  bool upgraded = false;
  cw_uri_init(&target);
  enum cw_ucode bad =
      cw_uri_parse(&target, t->redirect_to, url_flags(easy) | CWU_ALLOW_SPACE);
  enum cw_code err = bad == CWUE_OUT_OF_MEMORY ? cw_fail_oom(&easy->fail)
                     : bad ? cw_fail(&easy->fail, CWE_URL_MALFORMAT, "%s",
                                     cw_url_strerror(bad))
                           : CW_OK;
  if (!err) {
    err = cw_hsts_upgrade(easy, &target, &upgraded);
  }
  if (!err) {
    err = check_target(easy, &target);
  }
  if (!err) {
    err = set_referer(easy);
  }
  if (!err) {
    t->same_host = t->same_host && cw_uri_same_origin(&t->uri, &target);
    cw_uri_fini(&t->uri);
    t->uri = target;
    easy->uri_serial = easy->key_serial = 0;
    cw_uri_init(&target);
  }
  cw_uri_fini(&target);
  return err;
}

static enum cw_code redirect(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  int64_t limit = cw_opt_i(opts(easy), cw_opt_maxredirs);
  if (limit >= 0 && t->redirects >= limit) {
    return cw_fail(&easy->fail, CWE_TOO_MANY_REDIRECTS,
                   "more than %lld redirects", (long long)limit);
  }
  change_method(easy);
  enum cw_code err = go_to(easy);
  if (err) {
    return err;
  }
  cw_tracef(easy, "redirect to %s", t->redirect_to);
  t->redirects++;
  cw_auth_next_hop(easy);
  t->times.redirects += cw_transfer_now(easy) - t->times.hop;
  cw_free(t->redirect_to);
  t->redirect_to = NULL;
  return CW_OK;
}

enum cw_code cw_follow_next(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  enum cw_code err = CW_OK;
  if (t->auth_retry) {
    t->auth_retry = false;
  } else if (t->expect_retry) {
    t->expect_retry = false;
    t->no_expect = true;
  } else {
    err = redirect(easy);
  }
  t->counted = false;
  t->rewind_due =
      !t->body_dropped && easy->x.request.has_body && !t->auth_withheld;
  return err;
}
