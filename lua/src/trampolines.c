/*
 * What the core calls: each copies its arguments into the call of its
 * direction. Nothing here raises. Where no Lua may run (a finalizer frees the
 * handle, or the direction is busy with a callback that led here) the answer
 * is the one that changes nothing.
 */
#include <string.h>
#include <unistd.h>

#include "trampolines.h"

static size_t take(struct lcw_easy *self, enum cw_slot slot, char *bytes,
                   size_t n) {
  struct lcw_call *call = lcw_call_begin(self, slot);
  if (!call) {
    return CW_WRITEFUNC_ERROR;
  }
  call->bytes = bytes;
  call->nbytes = n;
  return (size_t)lcw_call_run(call);
}

static size_t on_write(char *bytes, size_t size, size_t n, void *data) {
  return take(data, CW_SLOT_WRITE, bytes, size * n);
}

static size_t on_interleave(char *bytes, size_t size, size_t n, void *data) {
  return take(data, CW_SLOT_INTERLEAVE, bytes, size * n);
}

static size_t on_header(char *bytes, size_t size, size_t n, void *data) {
  return take(data, CW_SLOT_HEADER, bytes, size * n);
}

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  struct lcw_easy *self = data;
  n *= size;
  if (self->nrest > 0) {
    size_t part = self->nrest < n ? self->nrest : n;
    memcpy(bytes, self->rest, part);
    self->rest += part;
    self->nrest -= part;
    return part;
  }
  struct lcw_call *call = lcw_call_begin(self, CW_SLOT_READ);
  if (!call) {
    return CW_READFUNC_ABORT;
  }
  call->bytes = bytes;
  call->nbytes = n;
  return (size_t)lcw_call_run(call);
}

static int on_seek(void *data, int64_t offset, int origin) {
  (void)origin; /* SEEK_SET, always */
  struct lcw_easy *self = data;
  self->nrest = 0;
  struct lcw_call *call = lcw_call_begin(self, CW_SLOT_SEEK);
  if (!call) {
    return CW_SEEKFUNC_FAIL;
  }
  call->i[0] = offset;
  return (int)lcw_call_run(call);
}

static int on_ioctl(CW *easy, int cmd, void *data) {
  (void)easy;
  struct lcw_easy *self = data;
  self->nrest = 0;
  struct lcw_call *call = lcw_call_begin(self, CW_SLOT_IOCTL);
  if (!call) {
    return CW_IOE_FAILRESTART;
  }
  call->i[0] = cmd;
  return (int)lcw_call_run(call);
}

static int on_trailer(struct cw_slist **list, void *data) {
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_TRAILER);
  if (!call) {
    return CW_TRAILERFUNC_ABORT;
  }
  call->ptr = list;
  return (int)lcw_call_run(call);
}

static int on_xferinfo(void *data, int64_t dltotal, int64_t dlnow,
                       int64_t ultotal, int64_t ulnow) {
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_XFERINFO);
  if (!call) {
    return 0;
  }
  call->i[0] = dltotal;
  call->i[1] = dlnow;
  call->i[2] = ultotal;
  call->i[3] = ulnow;
  return (int)lcw_call_run(call);
}

static int on_progress(void *data, double dltotal, double dlnow, double ultotal,
                       double ulnow) {
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_PROGRESS);
  if (!call) {
    return 0;
  }
  call->d[0] = dltotal;
  call->d[1] = dlnow;
  call->d[2] = ultotal;
  call->d[3] = ulnow;
  return (int)lcw_call_run(call);
}

static int on_debug(CW *easy, int kind, char *bytes, size_t n, void *data) {
  (void)easy;
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_DEBUG);
  if (!call) {
    return 0;
  }
  call->i[0] = kind;
  call->bytes = bytes;
  call->nbytes = n;
  return (int)lcw_call_run(call);
}

static int on_sockopt(void *data, int fd, int purpose) {
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_SOCKOPT);
  if (!call) {
    return CW_SOCKOPT_ERROR;
  }
  call->i[0] = purpose;
  call->i[1] = fd;
  return (int)lcw_call_run(call);
}

static int on_opensocket(void *data, int purpose, struct cw_sockaddr *address) {
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_OPENSOCKET);
  if (!call) {
    return CW_SOCKET_BAD;
  }
  call->i[0] = purpose;
  call->ptr = address;
  return (int)lcw_call_run(call);
}

const struct cw_platform *lcw_easy_platform(const struct lcw_easy *self) {
  return self->platform ? self->platform : cw_platform_real();
}

/* Lua has no close(2), so the socket is closed here unless the callback says
   that it saw to that. */
static int on_closesocket(void *data, int fd) {
  struct lcw_easy *self = data;
  struct lcw_call *call = lcw_call_begin(self, CW_SLOT_CLOSESOCKET);
  int64_t wanted = 1;
  if (call) {
    call->i[0] = fd;
    wanted = lcw_call_run(call);
  }
  if (wanted == 0) {
    return 0;
  }
  const struct cw_platform *platform = lcw_easy_platform(self);
  return platform->sock_close(platform->ctx, fd);
}

static int on_ssl_ctx(CW *easy, void *ctx, void *data) {
  (void)easy;
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_SSL_CTX);
  if (!call) {
    return CWE_ABORTED_BY_CALLBACK;
  }
  call->ptr = ctx;
  return (int)lcw_call_run(call);
}

static int on_resolver(struct cw_resolver_start *resolver, void *reserved,
                       void *data) {
  (void)reserved;
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_RESOLVER_START);
  if (!call) {
    return 1;
  }
  call->ptr = resolver;
  return (int)lcw_call_run(call);
}

static int on_prereq(void *data, char *peer_ip, char *local_ip, int peer_port,
                     int local_port) {
  struct lcw_call *call = lcw_call_begin(data, CW_SLOT_PREREQ);
  if (!call) {
    return CW_PREREQFUNC_ABORT;
  }
  call->s[0] = peer_ip;
  call->s[1] = local_ip;
  call->i[0] = peer_port;
  call->i[1] = local_port;
  return (int)lcw_call_run(call);
}

static int convert(struct lcw_easy *self, enum cw_slot slot, char *bytes,
                   size_t n) {
  struct lcw_call *call = lcw_call_begin(self, slot);
  if (!call) {
    return CWE_CONV_FAILED;
  }
  call->bytes = bytes;
  call->nbytes = n;
  return (int)lcw_call_run(call);
}

static int on_from_network(char *bytes, size_t n, void *data) {
  return convert(data, CW_SLOT_CONV_FROM_NETWORK, bytes, n);
}

static int on_to_network(char *bytes, size_t n, void *data) {
  return convert(data, CW_SLOT_CONV_TO_NETWORK, bytes, n);
}

static int on_from_utf8(char *bytes, size_t n, void *data) {
  return convert(data, CW_SLOT_CONV_FROM_UTF8, bytes, n);
}

static const cw_any_fn trampolines[CW_SLOT_COUNT] = {
    [CW_SLOT_WRITE] = (cw_any_fn)on_write,
    [CW_SLOT_HEADER] = (cw_any_fn)on_header,
    [CW_SLOT_READ] = (cw_any_fn)on_read,
    [CW_SLOT_SEEK] = (cw_any_fn)on_seek,
    [CW_SLOT_IOCTL] = (cw_any_fn)on_ioctl,
    [CW_SLOT_TRAILER] = (cw_any_fn)on_trailer,
    [CW_SLOT_XFERINFO] = (cw_any_fn)on_xferinfo,
    [CW_SLOT_PROGRESS] = (cw_any_fn)on_progress,
    [CW_SLOT_DEBUG] = (cw_any_fn)on_debug,
    [CW_SLOT_SOCKOPT] = (cw_any_fn)on_sockopt,
    [CW_SLOT_OPENSOCKET] = (cw_any_fn)on_opensocket,
    [CW_SLOT_CLOSESOCKET] = (cw_any_fn)on_closesocket,
    [CW_SLOT_SSL_CTX] = (cw_any_fn)on_ssl_ctx,
    [CW_SLOT_RESOLVER_START] = (cw_any_fn)on_resolver,
    [CW_SLOT_PREREQ] = (cw_any_fn)on_prereq,
    [CW_SLOT_SSH_KEY] = (cw_any_fn)lcw_on_ssh_key,
    [CW_SLOT_SSH_HOSTKEY] = (cw_any_fn)lcw_on_ssh_hostkey,
    [CW_SLOT_CHUNK_BGN] = (cw_any_fn)lcw_on_chunk_bgn,
    [CW_SLOT_CHUNK_END] = (cw_any_fn)lcw_on_chunk_end,
    [CW_SLOT_HSTSREAD] = (cw_any_fn)lcw_on_hstsread,
    [CW_SLOT_HSTSWRITE] = (cw_any_fn)lcw_on_hstswrite,
    [CW_SLOT_FNMATCH] = (cw_any_fn)lcw_on_fnmatch,
    [CW_SLOT_CONV_FROM_NETWORK] = (cw_any_fn)on_from_network,
    [CW_SLOT_CONV_TO_NETWORK] = (cw_any_fn)on_to_network,
    [CW_SLOT_CONV_FROM_UTF8] = (cw_any_fn)on_from_utf8,
    [CW_SLOT_INTERLEAVE] = (cw_any_fn)on_interleave,
};

cw_any_fn lcw_trampoline(enum cw_slot slot) {
  return trampolines[slot];
}

/* --- of a multi ---------------------------------------------------------- */

static int on_socket(CW *easy, int fd, int what, void *data, void *socketp) {
  (void)easy;
  (void)socketp; /* what was assigned is a Lua value */
  struct lcw_call *call =
      lcw_multi_call_begin(data, &lcw_mcallbacks[mslot_socket]);
  if (!call) {
    return 0;
  }
  call->i[0] = fd;
  call->i[1] = what;
  return (int)lcw_call_run(call);
}

static int on_timer(CWM *multi, long timeout_ms, void *data) {
  (void)multi;
  struct lcw_call *call =
      lcw_multi_call_begin(data, &lcw_mcallbacks[mslot_timer]);
  if (!call) {
    return 0;
  }
  call->i[0] = timeout_ms;
  return (int)lcw_call_run(call);
}

static void on_notify(CWM *multi, unsigned notification, CW *easy, void *data) {
  (void)multi;
  struct lcw_multi *self = data;
  struct lcw_call *call =
      lcw_multi_call_begin(self, &lcw_mcallbacks[mslot_notify]);
  if (!call) {
    return;
  }
  bool had_error = self->has_error;
  void *handle = NULL;
  if (easy) {
    (void)cw_easy_get_ptr(easy, CWOPT_PRIVATE, &handle);
  }
  call->i[0] = notification;
  call->ptr = handle;
  (void)lcw_call_run(call);
  self->unmentioned |= self->has_error && !had_error;
}

static const cw_any_fn of_multi[mslot_count] = {
    [mslot_socket] = (cw_any_fn)on_socket,
    [mslot_timer] = (cw_any_fn)on_timer,
    [mslot_notify] = (cw_any_fn)on_notify,
};

cw_any_fn lcw_mtrampoline(enum lcw_mslot slot) {
  return of_multi[slot];
}
