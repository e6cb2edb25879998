/* What VERBOSE shows: to the debug callback, or in libcurl's form to stderr. */
#include <stdarg.h>
#include <stdio.h>

#include "engine/guard.h"

/* A longer line is cut. libcurl: 2048 with its line end. */
#define TEXT_BYTES 2048

static enum cw_code trace_default(struct cw_easy *easy, int kind,
                                  const char *bytes, size_t n) {
  static const char *const prefix[] = {"* ", "< ", "> "};
  if (kind > CW_DEBUG_HEADER_OUT) {
    return CW_OK;
  }
  FILE *out = cw_opt_p(&easy->options, cw_opt_stderr);
  if (!out) {
    out = stderr;
  }
  struct cw_slice rest = cw_slice(bytes, n);
  while (rest.len > 0) {
    size_t end = cw_slice_find(rest, '\n');
    size_t take = end < rest.len ? end + 1 : rest.len;
    (void)fwrite(prefix[kind], 1, 2, out);
    (void)fwrite(rest.ptr, 1, take, out);
    rest = cw_slice(rest.ptr + take, rest.len - take);
  }
  return CW_OK;
}

enum cw_code cw_trace(struct cw_easy *easy, int kind, const char *bytes,
                      size_t n) {
  if (!cw_traces(easy) || easy->doomed) {
    return CW_OK; /* who has closed the handle hears no more of it */
  }
  cw_debug_fn fn = (cw_debug_fn)cw_opt_f(&easy->options, cw_opt_debugfunction);
  if (!fn) {
    return trace_default(easy, kind, bytes, n);
  }
  cw_call_enter(easy);
  int result = fn(easy, kind, (char *)(uintptr_t)bytes, n,
                  cw_opt_p(&easy->options, cw_opt_debugdata));
  cw_call_leave(easy);
  if (result != 0 && !easy->cancelled) {
    easy->cancelled = cw_fail(&easy->fail, CWE_ABORTED_BY_CALLBACK,
                              "the debug callback stopped the transfer");
  }
  return result == 0 ? CW_OK : CWE_ABORTED_BY_CALLBACK;
}

void cw_tracef(struct cw_easy *easy, const char *fmt, ...) {
  if (!cw_traces(easy)) {
    return;
  }
  char text[TEXT_BYTES];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
  va_end(ap);
  if (n < 0) {
    return;
  }
  size_t len = (size_t)n < sizeof(text) - 2 ? (size_t)n : sizeof(text) - 2;
  text[len] = '\n';
  /* A refusal is kept in easy->cancelled and ends the transfer soon. */
  (void)!cw_trace(easy, CW_DEBUG_TEXT, text, len + 1);
}
