/*
 * How it works. Between two messages one byte tells them apart: '$' begins an
 * interleaved message, 'R' may begin a status line, a capital letter the
 * method of a request. What is none of these is junk, and behind junk nothing
 * is believed that random bytes could be: a frame only on a channel that the
 * server announced, since its length would swallow the answer.
 */
#include "codec/rtsp.h"

#include "base/scan.h"

#define RTSP_PREFIX_BYTES 5
static const char rtsp_prefix[RTSP_PREFIX_BYTES + 1] = "RTSP/";
/* "RTSP/1.0" */
#define RTSP_VERSION_BYTES 8
/* Longest method of RFC 2326 is GET_PARAMETER; extensions get some room. */
#define RTSP_MAX_METHOD_BYTES 32

bool cw_rtsp_has_channel(const struct cw_rtsp_channels *channels, int channel) {
  return channel >= 0 && channel < 256 &&
         (channels->bits[channel / 32] >> (channel % 32)) & 1;
}

/* How in begins compared with the prefix of a status line: 1: it is one, 0: it
   is none, -1: it may become one. */
static int rtsp_status(struct cw_slice in) {
  size_t n = in.len < RTSP_PREFIX_BYTES ? in.len : RTSP_PREFIX_BYTES;
  if (memcmp(in.ptr, rtsp_prefix, n) != 0) {
    return 0;
  }
  return n == RTSP_PREFIX_BYTES ? 1 : -1;
}

/* --- frames ----------------------------------------------------------------
 */

static void next_frame(const struct cw_rtsp_channels *channels,
                       struct cw_slice in, struct cw_rtsp_unit *unit) {
  const unsigned char *b = (const unsigned char *)in.ptr;
  if (in.len < CW_RTSP_FRAME_HEAD) {
    return;
  }
  size_t len = CW_RTSP_FRAME_HEAD + ((size_t)b[2] << 8 | b[3]);
  if (in.len < len) {
    return;
  }
  unit->kind = CW_RTSP_FRAME;
  unit->len = len;
  unit->channel = b[1];
  unit->announced = cw_rtsp_has_channel(channels, b[1]);
}

/* --- requests --------------------------------------------------------------
 */

static bool is_method_char(char c) {
  return (c >= 'A' && c <= 'Z') || c == '_';
}

/* "METHOD uri RTSP/1.x" without its line end. */
static bool is_request_line(struct cw_slice line, size_t method) {
  if (line.len < method + 1 + 1 + 1 + RTSP_VERSION_BYTES) {
    return false;
  }
  const char *version = line.ptr + line.len - RTSP_VERSION_BYTES;
  return version[-1] == ' ' &&
         memcmp(version, rtsp_prefix, RTSP_PREFIX_BYTES) == 0 &&
         version[5] == '1' && version[6] == '.' &&
         cw_is_digit((unsigned char)version[7]);
}

static void next_request(struct cw_slice in, struct cw_rtsp_unit *unit) {
  size_t method = 0;
  while (method < in.len && method <= RTSP_MAX_METHOD_BYTES &&
         is_method_char(in.ptr[method])) {
    method++;
  }
  if (method > RTSP_MAX_METHOD_BYTES ||
      (method < in.len && (method == 0 || in.ptr[method] != ' '))) {
    unit->kind = CW_RTSP_JUNK;
    unit->len = 1;
    return;
  }
  size_t seen =
      in.len < CW_RTSP_MAX_REQUEST_LINE ? in.len : CW_RTSP_MAX_REQUEST_LINE;
  size_t end = cw_slice_find(cw_slice(in.ptr, seen), '\n');
  if (end == seen && seen < CW_RTSP_MAX_REQUEST_LINE) {
    return;
  }
  struct cw_slice line = cw_slice(in.ptr, end);
  if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
    line.len--;
  }
  bool good = end < seen && is_request_line(line, method);
  unit->kind = good ? CW_RTSP_REQUEST : CW_RTSP_JUNK;
  unit->len = good ? end + 1 : 1;
  unit->method = cw_slice(in.ptr, method);
}

/* --- junk ------------------------------------------------------------------
 */

/* Whether in may go on behind junk: 1, 0, or -1 with too few bytes to say. */
static int is_found_again(const struct cw_rtsp_channels *channels,
                          struct cw_slice in) {
  if (in.ptr[0] != '$') {
    /* The end of a request line is no status line: a blank must follow. */
    int status = rtsp_status(in);
    return status > 0 && in.len <= RTSP_VERSION_BYTES ? -1
           : status > 0 ? in.ptr[RTSP_VERSION_BYTES] == ' '
                        : status;
  }
  if (in.len < 2) {
    return -1;
  }
  return cw_rtsp_has_channel(channels, (unsigned char)in.ptr[1]);
}

/* The junk at the front; false: none, in goes on as a message would. */
static bool next_junk(const struct cw_rtsp_channels *channels,
                      struct cw_slice in, struct cw_rtsp_unit *unit) {
  size_t i = 0;
  int found = 0;
  while (i < in.len && found == 0) {
    found = is_found_again(channels, cw_slice(in.ptr + i, in.len - i));
    i += found == 0;
  }
  if (i == 0 && found != 0) {
    return found < 0;
  }
  unit->kind = CW_RTSP_JUNK;
  unit->len = i;
  return true;
}

static bool next_empty(struct cw_slice in, struct cw_rtsp_unit *unit) {
  size_t i = 0;
  while (i < in.len && (in.ptr[i] == '\r' || in.ptr[i] == '\n')) {
    i++;
  }
  unit->len = i;
  unit->kind = i > 0 ? CW_RTSP_EMPTY : CW_RTSP_MORE;
  return i > 0;
}

void cw_rtsp_next(const struct cw_rtsp_channels *channels, bool lost,
                  struct cw_slice in, struct cw_rtsp_unit *unit) {
  *unit = (struct cw_rtsp_unit){.kind = CW_RTSP_MORE};
  if (in.len == 0 || (lost && next_junk(channels, in, unit)) ||
      next_empty(in, unit)) {
    return;
  }
  if (in.ptr[0] == '$') {
    next_frame(channels, in, unit);
    return;
  }
  int status = rtsp_status(in);
  if (status > 0) {
    unit->kind = CW_RTSP_ANSWER;
  } else if (status == 0) {
    next_request(in, unit);
  }
}

/* --- header values ---------------------------------------------------------
 */

/* "a" or "a-b". */
static bool read_channels(struct cw_slice value, uint64_t *pfirst,
                          uint64_t *plast) {
  value = cw_slice_trim(value);
  if (!cw_scan_take_u64(&value, 255, pfirst)) {
    return false;
  }
  *plast = *pfirst;
  if (value.len == 0) {
    return true;
  }
  return value.ptr[0] == '-' &&
         cw_scan_u64(cw_slice(value.ptr + 1, value.len - 1), 255, plast) &&
         *plast >= *pfirst;
}

static bool add_parameter(struct cw_slice parameter,
                          struct cw_rtsp_channels *channels) {
  static const char name[] = "interleaved=";
  uint64_t first, last;
  parameter = cw_slice_trim(parameter);
  if (!cw_slice_istarts(parameter, name)) {
    return true;
  }
  size_t n = sizeof(name) - 1;
  if (!read_channels(cw_slice(parameter.ptr + n, parameter.len - n), &first,
                     &last)) {
    return false;
  }
  for (uint64_t c = first; c <= last; c++) {
    channels->bits[c / 32] |= UINT32_C(1) << (c % 32);
  }
  channels->any = true;
  return true;
}

bool cw_rtsp_add_channels(struct cw_slice transport,
                          struct cw_rtsp_channels *channels) {
  struct cw_rtsp_channels sum = *channels;
  struct cw_slice one, parameter;
  while (cw_slice_split(&transport, ',', &one)) {
    while (cw_slice_split(&one, ';', &parameter)) {
      if (!add_parameter(parameter, &sum)) {
        return false;
      }
    }
  }
  *channels = sum;
  return true;
}

struct cw_slice cw_rtsp_session_id(struct cw_slice value) {
  value = cw_slice_trim(value);
  size_t n = 0;
  while (n < value.len && value.ptr[n] != ';' && value.ptr[n] != ' ' &&
         value.ptr[n] != '\t') {
    n++;
  }
  return cw_slice(value.ptr, n);
}
