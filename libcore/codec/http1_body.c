/*
 * How it works. RFC 9112, 6.3, in its order: answers that never have a body;
 * Transfer-Encoding; Content-Length; else the body ends with the connection.
 * Two readers that disagree about where a body ends are the whole of request
 * and response smuggling, so what can be read in two ways is refused, and
 * where the RFC lets it pass, the connection is not used again.
 */
#include "codec/http1.h"

#include <string.h>

#include "base/scan.h"
#include "codec/printable.h"

static enum cw_code body_refuse(struct cw_slice value, const char *what,
                                struct cw_fail *fail) {
  return cw_fail(fail, CWE_WEIRD_SERVER_REPLY, "%s: \"%.*s\"", what,
                 cw_printable(value), value.ptr);
}

/* --- Transfer-Encoding ---------------------------------------------------- */

struct body_codings {
  bool present; /* a field was there, whatever it said */
  bool chunked;
};

/* One transfer coding of the list. No registered coding has parameters, and
   chunked must not have any (RFC 9112, 7.1). */
static enum cw_code body_add_coding(struct cw_slice coding,
                                    struct body_codings *codings,
                                    struct cw_h1_body *body,
                                    struct cw_fail *fail) {
  if (coding.len == 0) {
    return CW_OK; /* empty elements of a list (RFC 9110, 5.6.1) */
  }
  if (!cw_is_token(coding)) {
    return body_refuse(coding, "a transfer coding that is not a name", fail);
  }
  if (codings->chunked) {
    return body_refuse(coding, "a transfer coding behind chunked", fail);
  }
  if (cw_slice_ieq_str(coding, "identity")) {
    return CW_OK; /* of RFC 2616: no coding */
  }
  if (cw_slice_ieq_str(coding, "chunked")) {
    codings->chunked = true;
    return CW_OK;
  }
  if (body->ncodings == CW_H1_MAX_CODINGS) {
    return body_refuse(coding, "one transfer coding too many", fail);
  }
  body->codings[body->ncodings++] = coding;
  return CW_OK;
}

static enum cw_code body_read_codings(const struct cw_headers *headers,
                                      struct body_codings *codings,
                                      struct cw_h1_body *body,
                                      struct cw_fail *fail) {
  struct cw_slice value;
  size_t index = 0;
  while (cw_headers_next(headers, "Transfer-Encoding", &index, &value)) {
    codings->present = true;
    struct cw_slice coding;
    while (cw_slice_split(&value, ',', &coding)) {
      enum cw_code err =
          body_add_coding(cw_slice_trim(coding), codings, body, fail);
      if (err) {
        return err;
      }
    }
  }
  return CW_OK;
}

/* --- Content-Length ------------------------------------------------------- */

/* One Content-Length field. A list of equal numbers is what a proxy makes of
   repeated fields (RFC 9110, 8.6); anything else is an attack or a bug. */
static enum cw_code body_add_length(struct cw_slice value,
                                    struct cw_h1_body *body,
                                    struct cw_fail *fail) {
  struct cw_slice rest = value;
  do {
    size_t n = cw_slice_find(rest, ',');
    uint64_t length;
    if (!cw_scan_u64(cw_slice_trim(cw_slice(rest.ptr, n)), INT64_MAX,
                     &length)) {
      return body_refuse(value, "a Content-Length that is not a length", fail);
    }
    if (body->has_length && body->announced != length) {
      return body_refuse(value, "a Content-Length that differs from another",
                         fail);
    }
    body->has_length = true;
    body->announced = length;
    if (n == rest.len) {
      break;
    }
    rest = cw_slice(rest.ptr + n + 1, rest.len - n - 1);
  } while (true);
  return CW_OK;
}

static enum cw_code body_read_lengths(const struct cw_headers *headers,
                                      struct cw_h1_body *body,
                                      struct cw_fail *fail) {
  struct cw_slice value;
  size_t index = 0;
  while (cw_headers_next(headers, "Content-Length", &index, &value)) {
    enum cw_code err = body_add_length(value, body, fail);
    if (err) {
      return err;
    }
  }
  return CW_OK;
}

/* --- the decision --------------------------------------------------------- */

/* RFC 9112, 9.3. */
static bool body_ends_connection(const struct cw_headers *headers,
                                 int version) {
  if (cw_headers_has_token(headers, "Connection", "close")) {
    return true;
  }
  return version < 11 &&
         !cw_headers_has_token(headers, "Connection", "keep-alive");
}

/* What follows an answer without a body. 1xx and 204 must not announce one
   (RFC 9110, 8.6; RFC 9112, 6.1): if they do, its bytes may be coming. */
static void body_none(int status, bool coded, struct cw_h1_body *body) {
  bool never = status < 200 || status == 204;
  body->framing = CW_H1_BODY_NONE;
  if (never && (coded || (body->has_length && body->announced > 0))) {
    body->close = true;
  }
}

/* Rules 3 to 8 of RFC 9112, 6.3, codings and lengths having been read. */
static void body_frame(const struct body_codings *codings, int version,
                       struct cw_h1_body *body) {
  if (codings->present && (body->has_length || version < 11)) {
    /* 6.1: both at once, or a coding from a 1.0 server, means that somebody
       on the way framed the message differently. */
    body->close = true;
  }
  if (codings->chunked) {
    body->framing = CW_H1_BODY_CHUNKED;
  } else if (body->ncodings == 0 && body->has_length) {
    body->framing = CW_H1_BODY_LENGTH;
    body->length = body->announced;
  } else {
    body->framing = CW_H1_BODY_UNTIL_CLOSE;
    body->close = true;
  }
}

static bool body_is_never_there(int status, const char *method) {
  return status < 200 || status == 204 || status == 304 ||
         strcmp(method, "HEAD") == 0;
}

enum cw_code cw_h1_decide_body(const struct cw_headers *headers, int version,
                               int status, const char *method,
                               bool ignore_length, struct cw_h1_body *body,
                               struct cw_fail *fail) {
  *body = (struct cw_h1_body){.framing = CW_H1_BODY_NONE};
  if (strcmp(method, "CONNECT") == 0 && status >= 200 && status < 300) {
    return CW_OK; /* a tunnel: both fields are ignored (RFC 9110, 9.3.6) */
  }
  struct body_codings codings = {0};
  enum cw_code err = body_read_codings(headers, &codings, body, fail);
  if (!err && !ignore_length) {
    err = body_read_lengths(headers, body, fail);
  }
  if (err) {
    return err;
  }
  body->close = body_ends_connection(headers, version);
  if (body_is_never_there(status, method)) {
    body_none(status, codings.present, body);
  } else {
    body_frame(&codings, version, body);
  }
  return CW_OK;
}
