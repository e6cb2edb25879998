/*
 * What is known of a transfer. How it works: the number of an info says what
 * type it has (its class); each class has one table of rows {number, reader}.
 * The rows of tbl/infos.def and these readers are held against each other by a
 * test.
 */
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "engine/multi.h"
#include "engine/scheme.h"

#define CLASS_MASK   0xf00000
#define CLASS_STR    0x100000
#define CLASS_LONG   0x200000
#define CLASS_DOUBLE 0x300000
#define CLASS_LIST   0x400000 /* lists and other pointers */
#define CLASS_SOCKET 0x500000
#define CLASS_OFF_T  0x600000

/* --- times: microseconds since the start
 * ----------------------------------------- */

struct time_row {
  enum cw_info in_us, in_s;
  size_t offset; /* of the moment in struct cw_times */
};

#define MOMENT(name) offsetof(struct cw_times, name)
static const struct time_row time_rows[] = {
    {CWINFO_TOTAL_TIME_T, CWINFO_TOTAL_TIME, MOMENT(end)},
    {CWINFO_NAMELOOKUP_TIME_T, CWINFO_NAMELOOKUP_TIME, MOMENT(resolved)},
    {CWINFO_CONNECT_TIME_T, CWINFO_CONNECT_TIME, MOMENT(connected)},
    {CWINFO_APPCONNECT_TIME_T, CWINFO_APPCONNECT_TIME, MOMENT(secured)},
    {CWINFO_PRETRANSFER_TIME_T, CWINFO_PRETRANSFER_TIME, MOMENT(opened)},
    {CWINFO_STARTTRANSFER_TIME_T, CWINFO_STARTTRANSFER_TIME,
     MOMENT(first_byte)},
    {CWINFO_POSTTRANSFER_TIME_T, CWINFO_POSTTRANSFER_TIME_T, MOMENT(sent)},
    {CWINFO_QUEUE_TIME_T, CWINFO_QUEUE_TIME_T, MOMENT(queued)},
};

static int64_t total_us(const struct cw_easy *easy) {
  const struct cw_times *times = &easy->t.times;
  if (times->end) {
    return times->end - times->start;
  }
  return easy->multi ? cw_transfer_now(easy) - times->start : 0;
}

static int64_t moment_us(const struct cw_easy *easy, size_t offset) {
  const struct cw_times *times = &easy->t.times;
  int64_t moment;
  if (offset == MOMENT(end)) {
    return total_us(easy);
  }
  memcpy(&moment, (const char *)times + offset, sizeof(moment));
  return moment ? moment - times->start : 0;
}

static bool read_time(const struct cw_easy *easy, enum cw_info info,
                      int64_t *pus) {
  if (info == CWINFO_REDIRECT_TIME_T || info == CWINFO_REDIRECT_TIME) {
    *pus = easy->t.times.redirects;
    return true;
  }
  for (size_t i = 0; i < sizeof(time_rows) / sizeof(time_rows[0]); i++) {
    if (time_rows[i].in_us == info || time_rows[i].in_s == info) {
      *pus = moment_us(easy, time_rows[i].offset);
      return true;
    }
  }
  return false;
}

/* --- counts
 * ------------------------------------------------------------------------ */

typedef int64_t (*int_fn)(struct cw_easy *easy);

static int64_t speed(const struct cw_easy *easy, uint64_t bytes) {
  int64_t us = total_us(easy);
  return us > 0 ? (int64_t)((double)bytes * 1e6 / (double)us) : 0;
}
static int64_t size_down(struct cw_easy *easy) {
  return (int64_t)easy->x.response.body_received;
}
static int64_t size_up(struct cw_easy *easy) {
  return (int64_t)easy->x.response.body_sent;
}
static int64_t size_delivered(struct cw_easy *easy) {
  struct cw_sink *sink = cw_opt_p(&easy->options, cw_opt_sink);
  return (int64_t)(sink ? cw_sink_bytes(sink) : easy->t.delivered);
}
static int64_t speed_down(struct cw_easy *easy) {
  return speed(easy, easy->x.response.body_received);
}
static int64_t speed_up(struct cw_easy *easy) {
  return speed(easy, easy->x.response.body_sent);
}
static int64_t length_down(struct cw_easy *easy) {
  return easy->x.response.content_length;
}
static int64_t length_up(struct cw_easy *easy) {
  return easy->x.request.has_body ? easy->x.request.body_size : -1;
}
static int64_t status(struct cw_easy *easy) {
  return easy->x.response.status;
}
static int64_t http_version(struct cw_easy *easy) {
  switch (easy->x.response.version) {
  case 10:
    return CW_HTTP_VERSION_1_0;
  case 11:
    return CW_HTTP_VERSION_1_1;
  default:
    return 0;
  }
}
static int64_t retry_after(struct cw_easy *easy) {
  int64_t seconds = easy->x.response.retry_after_s;
  return seconds > 0 ? seconds : 0;
}
static int64_t redirects(struct cw_easy *easy) {
  return easy->t.redirects;
}
static int64_t condition_unmet(struct cw_easy *easy) {
  return easy->t.condition_unmet;
}
static int64_t file_time(struct cw_easy *easy) {
  return cw_opt_i(&easy->options, cw_opt_filetime)
             ? easy->x.response.last_modified_s
             : -1;
}
static int64_t request_size(struct cw_easy *easy) {
  return (int64_t)(easy->t.request_bytes +
                   (easy->t.counted ? 0 : easy->x.response.request_bytes));
}
static int64_t header_size(struct cw_easy *easy) {
  return (int64_t)easy->t.header_bytes;
}
static int64_t connect_status(struct cw_easy *easy) {
  return easy->t.connect_status;
}
static int64_t auth_avail(struct cw_easy *easy) {
  return easy->t.auth[CW_AUTH_SERVER].avail;
}
static int64_t auth_used(struct cw_easy *easy) {
  return easy->t.auth[CW_AUTH_SERVER].used;
}
static int64_t proxy_auth_avail(struct cw_easy *easy) {
  return easy->t.auth[CW_AUTH_PROXY].avail;
}
static int64_t proxy_auth_used(struct cw_easy *easy) {
  return easy->t.auth[CW_AUTH_PROXY].used;
}
static int64_t used_proxy(struct cw_easy *easy) {
  return easy->t.used_proxy;
}
static int64_t primary_port(struct cw_easy *easy) {
  return easy->t.primary_port;
}
static int64_t local_port(struct cw_easy *easy) {
  return easy->t.local_port;
}
static int64_t connects(struct cw_easy *easy) {
  return easy->t.connects;
}
static int64_t conn_id(struct cw_easy *easy) {
  return easy->t.conn_number;
}
static int64_t xfer_id(struct cw_easy *easy) {
  return (int64_t)easy->t.xfer_id;
}
static int64_t os_errno(struct cw_easy *easy) {
  return easy->t.os_errno;
}
static int64_t verify_result(struct cw_easy *easy) {
  return easy->t.ssl_verify_result;
}
static int64_t protocol(struct cw_easy *easy) {
  return easy->t.uri.scheme ? cw_scheme_bit(easy->t.uri.scheme) : 0;
}
static int64_t rtsp_client_cseq(struct cw_easy *easy) {
  int64_t next = cw_opt_i(&easy->options, cw_opt_rtsp_client_cseq);
  return next > 0 ? next : 1;
}
static int64_t rtsp_server_cseq(struct cw_easy *easy) {
  return cw_opt_i(&easy->options, cw_opt_rtsp_server_cseq);
}
static int64_t rtsp_cseq_recv(struct cw_easy *easy) {
  return easy->rtsp_cseq_recv;
}
static int64_t nothing(struct cw_easy *easy) {
  (void)easy;
  return 0;
}
static int64_t active_socket(struct cw_easy *easy) {
  struct cw_conn *conn =
      easy->multi ? cw_pool_get(easy->multi->pool, easy->t.conn_id) : NULL;
  struct cw_conn_info info;
  if (!conn) {
    return CW_SOCKET_BAD;
  }
  cw_conn_info(conn, &info);
  return info.fd;
}

static const struct int_row {
  enum cw_info info;
  int_fn read;
} int_rows[] = {
    {CWINFO_RESPONSE_CODE, status},
    {CWINFO_HTTP_CONNECTCODE, connect_status},
    {CWINFO_HTTP_VERSION, http_version},
    {CWINFO_PROTOCOL, protocol},
    {CWINFO_RETRY_AFTER, retry_after},
    {CWINFO_REDIRECT_COUNT, redirects},
    {CWINFO_CONDITION_UNMET, condition_unmet},
    {CWINFO_FILETIME, file_time},
    {CWINFO_FILETIME_T, file_time},
    {CWINFO_REQUEST_SIZE, request_size},
    {CWINFO_HEADER_SIZE, header_size},
    {CWINFO_HTTPAUTH_AVAIL, auth_avail},
    {CWINFO_HTTPAUTH_USED, auth_used},
    {CWINFO_PROXYAUTH_AVAIL, proxy_auth_avail},
    {CWINFO_PROXYAUTH_USED, proxy_auth_used},
    {CWINFO_RTSP_CLIENT_CSEQ, rtsp_client_cseq},
    {CWINFO_RTSP_SERVER_CSEQ, rtsp_server_cseq},
    {CWINFO_RTSP_CSEQ_RECV, rtsp_cseq_recv},
    {CWINFO_PRIMARY_PORT, primary_port},
    {CWINFO_LOCAL_PORT, local_port},
    {CWINFO_NUM_CONNECTS, connects},
    {CWINFO_OS_ERRNO, os_errno},
    {CWINFO_LASTSOCKET, active_socket},
    {CWINFO_USED_PROXY, used_proxy},
    {CWINFO_PROXY_ERROR, nothing},
    {CWINFO_SSL_VERIFYRESULT, verify_result},
    {CWINFO_PROXY_SSL_VERIFYRESULT, nothing},
    {CWINFO_SIZE_DOWNLOAD_T, size_down},
    {CWINFO_SIZE_UPLOAD_T, size_up},
    {CWINFO_SIZE_DELIVERED, size_delivered},
    {CWINFO_SPEED_DOWNLOAD_T, speed_down},
    {CWINFO_SPEED_UPLOAD_T, speed_up},
    {CWINFO_CONTENT_LENGTH_DOWNLOAD_T, length_down},
    {CWINFO_CONTENT_LENGTH_UPLOAD_T, length_up},
    {CWINFO_EARLYDATA_SENT_T, nothing},
    {CWINFO_CONN_ID, conn_id},
    {CWINFO_XFER_ID, xfer_id},
    {CWINFO_ACTIVESOCKET, active_socket},
};

/* The same facts as floating-point numbers. */
static const struct int_row double_rows[] = {
    {CWINFO_SIZE_DOWNLOAD, size_down},
    {CWINFO_SIZE_UPLOAD, size_up},
    {CWINFO_SPEED_DOWNLOAD, speed_down},
    {CWINFO_SPEED_UPLOAD, speed_up},
    {CWINFO_CONTENT_LENGTH_DOWNLOAD, length_down},
    {CWINFO_CONTENT_LENGTH_UPLOAD, length_up},
};

enum cw_code cw_easy_info_int(CW *easy, enum cw_info info, int64_t *pvalue) {
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  if (((int)info & CLASS_MASK) == CLASS_OFF_T &&
      read_time(easy, info, pvalue)) {
    return CW_OK;
  }
  for (size_t i = 0; i < sizeof(int_rows) / sizeof(int_rows[0]); i++) {
    if (int_rows[i].info == info) {
      *pvalue = int_rows[i].read(easy);
      return CW_OK;
    }
  }
  return CWE_UNKNOWN_OPTION;
}

enum cw_code cw_easy_info_double(CW *easy, enum cw_info info, double *pvalue) {
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  int64_t us;
  if (((int)info & CLASS_MASK) != CLASS_DOUBLE) {
    return CWE_UNKNOWN_OPTION;
  }
  if (read_time(easy, info, &us)) {
    *pvalue = (double)us / 1e6;
    return CW_OK;
  }
  for (size_t i = 0; i < sizeof(double_rows) / sizeof(double_rows[0]); i++) {
    if (double_rows[i].info == info) {
      *pvalue = (double)double_rows[i].read(easy);
      return CW_OK;
    }
  }
  return CWE_UNKNOWN_OPTION;
}

/* --- strings
 * -------------------------------------------------------------------------- */

typedef const char *(*str_fn)(struct cw_easy *easy);

static const char *effective_url(struct cw_easy *easy) {
  struct cw_buf text;
  if (!easy->t.uri.scheme) {
    return cw_opt_s(&easy->options, cw_opt_url);
  }
  cw_buf_init(&text, CW_URI_MAX_BYTES);
  enum cw_ucode bad = cw_uri_add_text(&easy->t.uri, 0, &text);
  cw_free(easy->effective_url);
  easy->effective_url = bad ? NULL : cw_buf_take(&text);
  cw_buf_fini(&text);
  return easy->effective_url;
}
static const char *effective_method(struct cw_easy *easy) {
  return easy->t.method;
}
static const char *referer(struct cw_easy *easy) {
  return easy->x.request.referer;
}
static const char *scheme(struct cw_easy *easy) {
  return easy->t.uri.scheme;
}
static const char *content_type(struct cw_easy *easy) {
  struct cw_slice value;
  return cw_headers_get(&easy->x.headers, "Content-Type", &value) ? value.ptr
                                                                  : NULL;
}
static const char *redirect_url(struct cw_easy *easy) {
  return easy->t.redirect_to;
}
static const char *private_value(struct cw_easy *easy) {
  return cw_opt_p(&easy->options, cw_opt_private);
}
static const char *primary_ip(struct cw_easy *easy) {
  return easy->t.primary_ip;
}
static const char *local_ip(struct cw_easy *easy) {
  return easy->t.local_ip;
}
static const char *cainfo(struct cw_easy *easy) {
  return cw_opt_s(&easy->options, cw_opt_cainfo);
}
static const char *capath(struct cw_easy *easy) {
  return cw_opt_s(&easy->options, cw_opt_capath);
}
static const char *rtsp_session_id(struct cw_easy *easy) {
  return cw_opt_s(&easy->options, cw_opt_rtsp_session_id);
}
static const char *entry_path(struct cw_easy *easy) {
  return easy->t.entry_path;
}

static const struct {
  enum cw_info info;
  str_fn read;
} str_rows[] = {
    {CWINFO_EFFECTIVE_URL, effective_url},
    {CWINFO_EFFECTIVE_METHOD, effective_method},
    {CWINFO_REFERER, referer},
    {CWINFO_SCHEME, scheme},
    {CWINFO_CONTENT_TYPE, content_type},
    {CWINFO_REDIRECT_URL, redirect_url},
    {CWINFO_PRIVATE, private_value},
    {CWINFO_PRIMARY_IP, primary_ip},
    {CWINFO_LOCAL_IP, local_ip},
    {CWINFO_CAINFO, cainfo},
    {CWINFO_CAPATH, capath},
    {CWINFO_FTP_ENTRY_PATH, entry_path},
    {CWINFO_RTSP_SESSION_ID, rtsp_session_id},
};

enum cw_code cw_easy_info_str(CW *easy, enum cw_info info, const char **pstr) {
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  for (size_t i = 0; i < sizeof(str_rows) / sizeof(str_rows[0]); i++) {
    if (str_rows[i].info == info) {
      *pstr = str_rows[i].read(easy);
      return CW_OK;
    }
  }
  return CWE_UNKNOWN_OPTION;
}

/* --- lists and pointers
 * ------------------------------------------------------------------ */

enum cw_code cw_easy_info_list(CW *easy, enum cw_info info,
                               struct cw_slist **plist) {
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  *plist = NULL;
  if (info == CWINFO_COOKIELIST) {
    return cw_cookies_all(easy, plist);
  }
  return info == CWINFO_SSL_ENGINES ? CW_OK : CWE_UNKNOWN_OPTION;
}

static void *ssl_of(struct cw_easy *easy) {
  struct cw_conn *conn =
      easy->multi ? cw_pool_get(easy->multi->pool, easy->t.conn_id) : NULL;
  return conn ? cw_conn_ssl(conn) : NULL;
}

static enum cw_code read_pointer(struct cw_easy *easy, enum cw_info info,
                                 void **pptr) {
  switch (info) {
  case CWINFO_CERTINFO:
    easy->certs.count = easy->t.ncertinfo;
    easy->certs.lists = easy->t.certinfo;
    *pptr = &easy->certs;
    return CW_OK;
  case CWINFO_TLS_SESSION:
  case CWINFO_TLS_SSL_PTR:
    *pptr = ssl_of(easy);
    return CW_OK;
  default:
    return cw_easy_info_list(easy, info, (struct cw_slist **)pptr);
  }
}

enum cw_code cw_easy_getinfo(CW *easy, enum cw_info info, ...) {
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  va_list ap;
  va_start(ap, info);
  void *out = va_arg(ap, void *);
  va_end(ap);
  if (!out) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  int64_t number = 0;
  enum cw_code err;
  switch ((int)info & CLASS_MASK) {
  case CLASS_STR:
    return cw_easy_info_str(easy, info, out);
  case CLASS_DOUBLE:
    return cw_easy_info_double(easy, info, out);
  case CLASS_LIST:
    return read_pointer(easy, info, out);
  case CLASS_OFF_T:
    return cw_easy_info_int(easy, info, out);
  case CLASS_LONG:
    err = cw_easy_info_int(easy, info, &number);
    *(long *)out = err ? *(long *)out : (long)number;
    return err;
  case CLASS_SOCKET:
    err = cw_easy_info_int(easy, info, &number);
    *(int *)out = err ? *(int *)out : (int)number;
    return err;
  default:
    return CWE_UNKNOWN_OPTION;
  }
}
