/* See rig.h. */
#include "support/rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY "a body of some length"

const struct rig_slot rig_slots[] = {
    {CW_SLOT_RESOLVER_START, CWE_ABORTED_BY_CALLBACK},
    {CW_SLOT_OPENSOCKET, CWE_COULDNT_CONNECT},
    {CW_SLOT_SOCKOPT, CWE_ABORTED_BY_CALLBACK},
    {CW_SLOT_SSL_CTX, CWE_SSL_CERTPROBLEM},
    {CW_SLOT_PREREQ, CWE_ABORTED_BY_CALLBACK},
    {CW_SLOT_READ, CWE_ABORTED_BY_CALLBACK},
    {CW_SLOT_TRAILER, CWE_ABORTED_BY_CALLBACK},
    {CW_SLOT_HEADER, CWE_WRITE_ERROR},
    {CW_SLOT_SEEK, CWE_SEND_FAIL_REWIND},
    {CW_SLOT_IOCTL, CWE_SEND_FAIL_REWIND},
    {CW_SLOT_WRITE, CWE_WRITE_ERROR},
    {CW_SLOT_XFERINFO, CWE_ABORTED_BY_CALLBACK},
    {CW_SLOT_PROGRESS, CWE_ABORTED_BY_CALLBACK},
    {CW_SLOT_DEBUG, CWE_ABORTED_BY_CALLBACK},
    {CW_SLOT_CONV_FROM_NETWORK, CWE_CONV_FAILED},
    {CW_SLOT_CONV_TO_NETWORK, CWE_CONV_FAILED},
    {CW_SLOT_CONV_FROM_UTF8, CWE_CONV_FAILED},
    {CW_SLOT_INTERLEAVE, CWE_WRITE_ERROR},
    {CW_SLOT_CHUNK_BGN, CWE_CHUNK_FAILED},
    {CW_SLOT_CHUNK_END, CWE_CHUNK_FAILED},
    {CW_SLOT_FNMATCH, CWE_CHUNK_FAILED},
    {CW_SLOT_HSTSREAD, CWE_ABORTED_BY_CALLBACK},
};
const size_t rig_nslots = sizeof(rig_slots) / sizeof(rig_slots[0]);

const struct rig_slot rig_ssh_slots[RIG_SSH_SLOTS] = {
    {CW_SLOT_SSH_KEY, CWE_PEER_FAILED_VERIFICATION},
    {CW_SLOT_SSH_HOSTKEY, CWE_PEER_FAILED_VERIFICATION},
};

static const struct {
  const char *name;
  bool may_pend;
} rows[] = {
    {"none", false},
#define callback(name, fn, data, c_type, shape, holds, may_pend, ...) \
  {#name, may_pend},
#define mcallback(...)
#include "tbl/callbacks.def"
#undef callback
#undef mcallback
};

const char *rig_slot_name(enum cw_slot slot) {
  return rows[slot].name;
}

bool rig_may_pend(enum cw_slot slot) {
  return rows[slot].may_pend;
}

static void note(struct rig *rig, enum cw_slot slot) {
  char line[40];
  int n = snprintf(line, sizeof(line), "%s\n", rows[slot].name);
  size_t len = (size_t)n;
  struct bytes *log = &rig->log;
  bool same = log->len >= len && strcmp(log->ptr + log->len - len, line) == 0 &&
              (log->len == len || log->ptr[log->len - len - 1] == '\n');
  if (!same) {
    bytes_add(log, line, len);
  }
}

static bool is_special(const struct rig *rig, enum cw_slot slot) {
  return rig->act && rig->slot == slot && rig->calls[slot] + 1 == rig->nth;
}

static int64_t called(struct rig *rig, enum cw_slot slot, int64_t ok,
                      int64_t stop) {
  bool special = is_special(rig, slot);
  note(rig, slot);
  rig->calls[slot]++;
  if (!special) {
    return ok;
  }
  rig->acted++;
  return rig->act(rig, ok, stop);
}

/* --- the callbacks -------------------------------------------------------- */

static size_t on_write(char *bytes, size_t size, size_t n, void *data) {
  struct rig *rig = data;
  bytes_add(&rig->got.body, bytes, size * n);
  return (size_t)called(rig, CW_SLOT_WRITE, (int64_t)n, 0);
}

static size_t on_header(char *bytes, size_t size, size_t n, void *data) {
  struct rig *rig = data;
  bytes_add(&rig->got.head, bytes, size * n);
  return (size_t)called(rig, CW_SLOT_HEADER, (int64_t)n, 0);
}

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  struct rig *rig = data;
  size_t left = strlen(BODY) - rig->given;
  n = size * n < left ? size * n : left;
  n = n < 8 ? n : 8;
  memcpy(bytes, &BODY[rig->given], n);
  rig->given += n;
  return (size_t)called(rig, CW_SLOT_READ, (int64_t)n, CW_READFUNC_ABORT);
}

static int on_seek(void *data, int64_t offset, int origin) {
  struct rig *rig = data;
  cr_assert(offset == 0 && origin == SEEK_SET);
  rig->given = 0;
  return (int)called(rig, CW_SLOT_SEEK, CW_SEEKFUNC_OK, CW_SEEKFUNC_FAIL);
}

static int on_ioctl(CW *easy, int cmd, void *data) {
  struct rig *rig = data;
  cr_assert(easy == rig->easy && cmd == CW_IOCMD_RESTARTREAD);
  rig->given = 0;
  return (int)called(rig, CW_SLOT_IOCTL, CW_IOE_OK, CW_IOE_FAILRESTART);
}

static int on_trailer(struct cw_slist **list, void *data) {
  *list = cw_slist_append(*list, "X-Sum: 42");
  cr_assert_not_null(*list);
  return (int)called(data, CW_SLOT_TRAILER, CW_TRAILERFUNC_OK,
                     CW_TRAILERFUNC_ABORT);
}

static int on_xferinfo(void *data, int64_t dltotal, int64_t dlnow,
                       int64_t ultotal, int64_t ulnow) {
  cr_assert(dltotal >= 0 && dlnow >= 0 && ultotal >= 0 && ulnow >= 0);
  return (int)called(data, CW_SLOT_XFERINFO, 0, 1);
}

static int on_progress(void *data, double dltotal, double dlnow, double ultotal,
                       double ulnow) {
  cr_assert(dltotal >= 0 && dlnow >= 0 && ultotal >= 0 && ulnow >= 0);
  return (int)called(data, CW_SLOT_PROGRESS, 0, 1);
}

static int on_debug(CW *easy, int kind, char *bytes, size_t n, void *data) {
  struct rig *rig = data;
  cr_assert(easy == rig->easy && kind >= 0 && kind <= 6 && bytes);
  (void)n;
  return (int)called(rig, CW_SLOT_DEBUG, 0, 1);
}

static const struct cw_platform *platform_of(const struct rig *rig) {
  return rig->w.net ? cw_vnet_platform(rig->w.net) : cw_platform_real();
}

static int64_t make_fd(struct rig *rig) {
  const struct cw_platform *p = platform_of(rig);
  int fd = -1;
  cr_assert_eq(p->sock_open(p->ctx, AF_INET, SOCK_STREAM, 0, &fd), 0);
  rig->opened++;
  return fd;
}

static int on_opensocket(void *data, int purpose, struct cw_sockaddr *address) {
  struct rig *rig = data;
  cr_assert(purpose == CW_SOCKTYPE_IPCXN && address->family == AF_INET);
  /* A socket that is to come later is not made now. */
  bool later = is_special(rig, CW_SLOT_OPENSOCKET) && rig->makes_fd;
  int64_t fd = later ? 0 : make_fd(rig);
  int64_t result = called(rig, CW_SLOT_OPENSOCKET, fd, CW_SOCKET_BAD);
  if (!later && result == CW_SOCKET_BAD) {
    const struct cw_platform *p = platform_of(rig);
    cr_assert_eq(p->sock_close(p->ctx, (int)fd), 0);
    rig->closed++;
  }
  return (int)result;
}

static int on_closesocket(void *data, int fd) {
  struct rig *rig = data;
  const struct cw_platform *p = platform_of(rig);
  cr_assert_eq(p->sock_close(p->ctx, fd), 0);
  rig->closed++;
  return (int)called(rig, CW_SLOT_CLOSESOCKET, 0, 1);
}

static int on_sockopt(void *data, int fd, int purpose) {
  cr_assert(fd >= 0 && purpose == CW_SOCKTYPE_IPCXN);
  return (int)called(data, CW_SLOT_SOCKOPT, CW_SOCKOPT_OK, CW_SOCKOPT_ERROR);
}

static int on_ssl_ctx(CW *easy, void *ctx, void *data) {
  struct rig *rig = data;
  cr_assert(easy == rig->easy && ctx);
  return (int)called(rig, CW_SLOT_SSL_CTX, CW_OK, CWE_SSL_CERTPROBLEM);
}

static int on_resolve(struct cw_resolver_start *resolver, void *reserved,
                      void *data) {
  struct rig *rig = data;
  cr_assert(!reserved && strcmp(resolver->host, rig->host) == 0);
  return (int)called(rig, CW_SLOT_RESOLVER_START, 0, 1);
}

static int on_prereq(void *data, char *peer_ip, char *local_ip, int peer_port,
                     int local_port) {
  struct rig *rig = data;
  cr_assert(strcmp(peer_ip, rig->ip) == 0 && peer_port > 0);
  cr_assert(*local_ip && local_port > 0);
  return (int)called(rig, CW_SLOT_PREREQ, CW_PREREQFUNC_OK,
                     CW_PREREQFUNC_ABORT);
}

/* Not converted: what is given and shown here is ASCII. */
static int on_from_network(char *bytes, size_t n, void *data) {
  cr_assert(bytes && n > 0);
  return (int)called(data, CW_SLOT_CONV_FROM_NETWORK, CW_OK, 1);
}

static int on_to_network(char *bytes, size_t n, void *data) {
  cr_assert(bytes && n > 0);
  return (int)called(data, CW_SLOT_CONV_TO_NETWORK, CW_OK, 1);
}

static int on_from_utf8(char *bytes, size_t n, void *data) {
  cr_assert(bytes && n > 0);
  return (int)called(data, CW_SLOT_CONV_FROM_UTF8, CW_OK, 1);
}

static size_t on_interleave(char *bytes, size_t size, size_t n, void *data) {
  cr_assert(size == 1 && n == 6 && memcmp(bytes + 4, "hi", 2) == 0);
  return (size_t)called(data, CW_SLOT_INTERLEAVE, (int64_t)n, 0);
}

static long on_chunk_bgn(const struct cw_fileinfo *info, void *data,
                         int remains) {
  cr_assert(strcmp(info->filename, "a.txt") == 0 && remains == 1);
  return (long)called(data, CW_SLOT_CHUNK_BGN, CW_CHUNK_BGN_FUNC_OK,
                      CW_CHUNK_BGN_FUNC_FAIL);
}

static long on_chunk_end(void *data) {
  return (long)called(data, CW_SLOT_CHUNK_END, CW_CHUNK_END_FUNC_OK,
                      CW_CHUNK_END_FUNC_FAIL);
}

static int on_fnmatch(void *data, const char *pattern, const char *name) {
  cr_assert_str_eq(pattern, "*.txt");
  bool matches = strcmp(name, "a.txt") == 0;
  return (int)called(data, CW_SLOT_FNMATCH,
                     matches ? CW_FNMATCHFUNC_MATCH : CW_FNMATCHFUNC_NOMATCH,
                     CW_FNMATCHFUNC_FAIL);
}

/* Two entries: those that are known already are nothing else than one. */
static int on_hstsread(CW *easy, struct cw_hstsentry *entry, void *data) {
  struct rig *rig = data;
  cr_assert(easy == rig->easy && entry->namelen > 20);
  memcpy(entry->name, "other.example", sizeof("other.example"));
  strcpy(entry->expire, "unlimited");
  bool more = rig->calls[CW_SLOT_HSTSREAD] < 2;
  return (int)called(rig, CW_SLOT_HSTSREAD, more ? CWSTS_OK : CWSTS_DONE,
                     CWSTS_FAIL);
}

static int on_ssh_key(CW *easy, const struct cw_khkey *known,
                      const struct cw_khkey *found, int match, void *data) {
  struct rig *rig = data;
  cr_assert(easy == rig->easy && !known && found->len > 0);
  cr_assert_eq(match, CWKHMATCH_MISSING);
  return (int)called(rig, CW_SLOT_SSH_KEY, CWKHSTAT_FINE, CWKHSTAT_REJECT);
}

static int on_ssh_hostkey(void *data, int keytype, const char *key, size_t n) {
  cr_assert(keytype > 0 && key && n > 0);
  return (int)called(data, CW_SLOT_SSH_HOSTKEY, CWKHMATCH_OK,
                     CWKHMATCH_MISMATCH);
}

static const struct {
  enum cw_slot slot;
  enum cw_option fn, data;
  cw_any_fn callback;
} callbacks[] = {
    {CW_SLOT_WRITE, CWOPT_WRITEFUNCTION, CWOPT_WRITEDATA, (cw_any_fn)on_write},
    {CW_SLOT_HEADER, CWOPT_HEADERFUNCTION, CWOPT_HEADERDATA,
     (cw_any_fn)on_header},
    {CW_SLOT_READ, CWOPT_READFUNCTION, CWOPT_READDATA, (cw_any_fn)on_read},
    {CW_SLOT_SEEK, CWOPT_SEEKFUNCTION, CWOPT_SEEKDATA, (cw_any_fn)on_seek},
    {CW_SLOT_IOCTL, CWOPT_IOCTLFUNCTION, CWOPT_IOCTLDATA, (cw_any_fn)on_ioctl},
    {CW_SLOT_TRAILER, CWOPT_TRAILERFUNCTION, CWOPT_TRAILERDATA,
     (cw_any_fn)on_trailer},
    {CW_SLOT_XFERINFO, CWOPT_XFERINFOFUNCTION, CWOPT_XFERINFODATA,
     (cw_any_fn)on_xferinfo},
    {CW_SLOT_PROGRESS, CWOPT_PROGRESSFUNCTION, CWOPT_XFERINFODATA,
     (cw_any_fn)on_progress},
    {CW_SLOT_DEBUG, CWOPT_DEBUGFUNCTION, CWOPT_DEBUGDATA, (cw_any_fn)on_debug},
    {CW_SLOT_SOCKOPT, CWOPT_SOCKOPTFUNCTION, CWOPT_SOCKOPTDATA,
     (cw_any_fn)on_sockopt},
    {CW_SLOT_OPENSOCKET, CWOPT_OPENSOCKETFUNCTION, CWOPT_OPENSOCKETDATA,
     (cw_any_fn)on_opensocket},
    {CW_SLOT_CLOSESOCKET, CWOPT_CLOSESOCKETFUNCTION, CWOPT_CLOSESOCKETDATA,
     (cw_any_fn)on_closesocket},
    {CW_SLOT_SSL_CTX, CWOPT_SSL_CTX_FUNCTION, CWOPT_SSL_CTX_DATA,
     (cw_any_fn)on_ssl_ctx},
    {CW_SLOT_RESOLVER_START, CWOPT_RESOLVER_START_FUNCTION,
     CWOPT_RESOLVER_START_DATA, (cw_any_fn)on_resolve},
    {CW_SLOT_PREREQ, CWOPT_PREREQFUNCTION, CWOPT_PREREQDATA,
     (cw_any_fn)on_prereq},
    {CW_SLOT_CONV_FROM_NETWORK, CWOPT_CONV_FROM_NETWORK_FUNCTION,
     CWOPT_CONV_DATA, (cw_any_fn)on_from_network},
    {CW_SLOT_CONV_TO_NETWORK, CWOPT_CONV_TO_NETWORK_FUNCTION, CWOPT_CONV_DATA,
     (cw_any_fn)on_to_network},
    {CW_SLOT_CONV_FROM_UTF8, CWOPT_CONV_FROM_UTF8_FUNCTION, CWOPT_CONV_DATA,
     (cw_any_fn)on_from_utf8},
    {CW_SLOT_INTERLEAVE, CWOPT_INTERLEAVEFUNCTION, CWOPT_INTERLEAVEDATA,
     (cw_any_fn)on_interleave},
    {CW_SLOT_CHUNK_BGN, CWOPT_CHUNK_BGN_FUNCTION, CWOPT_CHUNK_DATA,
     (cw_any_fn)on_chunk_bgn},
    {CW_SLOT_CHUNK_END, CWOPT_CHUNK_END_FUNCTION, CWOPT_CHUNK_DATA,
     (cw_any_fn)on_chunk_end},
    {CW_SLOT_FNMATCH, CWOPT_FNMATCH_FUNCTION, CWOPT_FNMATCH_DATA,
     (cw_any_fn)on_fnmatch},
    {CW_SLOT_HSTSREAD, CWOPT_HSTSREADFUNCTION, CWOPT_HSTSREADDATA,
     (cw_any_fn)on_hstsread},
    {CW_SLOT_SSH_KEY, CWOPT_SSH_KEYFUNCTION, CWOPT_SSH_KEYDATA,
     (cw_any_fn)on_ssh_key},
    {CW_SLOT_SSH_HOSTKEY, CWOPT_SSH_HOSTKEYFUNCTION, CWOPT_SSH_HOSTKEYDATA,
     (cw_any_fn)on_ssh_hostkey},
};

/* --- pending -------------------------------------------------------------- */

static void on_answer(void *data) {
  struct rig *rig = data;
  int64_t answer = rig->makes_fd ? make_fd(rig) : rig->answer;
  cr_expect_eq(cw_easy_callback_done(rig->easy, rig->slot, answer), CW_OK,
               "%s: callback_done", rig_slot_name(rig->slot));
  cr_expect_eq(cw_easy_callback_done(rig->easy, rig->slot, answer),
               CWE_BAD_FUNCTION_ARGUMENT, "%s: a second callback_done",
               rig_slot_name(rig->slot));
}

int64_t rig_pend(struct rig *rig, int64_t result, int64_t ms) {
  uint64_t id;
  rig->answer = result;
  cr_assert_eq(
      cw_multi_timer_start(cw_easy_multi(rig->easy), ms, on_answer, rig, &id),
      CWM_OK);
  return CW_CALLBACK_PENDING;
}

/* --- the transfers -------------------------------------------------------- */

static void set_on(CW *easy, enum cw_option option) {
  cr_assert_eq(cw_easy_setopt(easy, option, 1L), CW_OK);
}

static void options_http(CW *easy) {
  struct cw_slist *headers = cw_slist_append(NULL, "Expect:");
  cr_assert_not_null(headers);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPHEADER, headers), CW_OK);
  cw_slist_free_all(headers);
  set_on(easy, CWOPT_UPLOAD);
  set_on(easy, CWOPT_FOLLOWLOCATION);
}

static void options_hsts(CW *easy) {
  options_http(easy);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HSTS_CTRL, (long)CWHSTS_ENABLE),
               CW_OK);
}

static void options_tunnel(CW *easy) {
  options_http(easy);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_PROXY, "o.example:8080"), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_PROXYUSERPWD, "me:secret"), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_PROXYAUTH, (long)CWAUTH_DIGEST),
               CW_OK);
}

static void options_wildcard(CW *easy) {
  set_on(easy, CWOPT_WILDCARDMATCH);
}

static void options_rtsp(CW *easy) {
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_RTSP_REQUEST, (long)CW_RTSPREQ_SETUP),
               CW_OK);
  cr_assert_eq(
      cw_easy_setopt(easy, CWOPT_RTSP_STREAM_URI, "rtsp://h.example/a"), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_RTSP_TRANSPORT,
                              "RTP/AVP/TCP;unicast;interleaved=0-1"),
               CW_OK);
}

/* Who comes in is up to the test. */
static void options_ssh(CW *easy) {
  (void)easy;
}

static const struct transfer {
  const char *url;
  void (*options)(CW *easy);
  const char *script;
} http = {"https://h.example/a", options_http,
          "listen 10.0.0.1 443 tls good\n"
          "accept\n"
          "expect \"PUT /a HTTP/1.1\"\n"
          "chunked \"" BODY "\"\n"
          "trailer \"X-Sum: 42\"\n"
          "answer 307 \"\" \"Location: /b\"\n"
          "expect \"PUT /b HTTP/1.1\"\n"
          "chunked \"" BODY "\"\n"
          "trailer \"X-Sum: 42\"\n"
          "answer 200 \"done\"\n"},
  wildcard = {"ftp://h.example/*.txt", options_wildcard,
              "listen 10.0.0.1 21\n"
              "accept\n"
              "send \"220 hi\\r\\n\"\n"
              "line \"USER anonymous\"\nsend \"331 who\\r\\n\"\n"
              "line \"PASS ftp@example.com\"\nsend \"230 in\\r\\n\"\n"
              "line \"PWD\"\nsend \"257 \\\"/\\\" is it\\r\\n\"\n"
              "line \"TYPE A\"\nsend \"200 ok\\r\\n\"\n"
              "line \"FEAT\"\nsend \"500 what\\r\\n\"\n"
              "line \"EPSV\"\nsend \"229 here (|||2000|)\\r\\n\"\n"
              "line \"LIST\"\nsend \"150 so\\r\\n226 all\\r\\n\"\n"
              "line \"TYPE I\"\nsend \"200 ok\\r\\n\"\n"
              "line \"SIZE a.txt\"\nsend \"213 4\\r\\n\"\n"
              "line \"EPSV\"\nsend \"229 here (|||2001|)\\r\\n\"\n"
              "line \"RETR a.txt\"\nsend \"150 so\\r\\n226 all\\r\\n\"\n"
              "listen 10.0.0.1 2000\n"
              "accept\n"
              "send \"-rw-r--r-- 1 u g 4 Jan  1  2020 a.txt\\r\\n\"\n"
              "send \"-rw-r--r-- 1 u g 4 Jan  1  2020 b.bin\\r\\n\"\n"
              "close\n"
              "listen 10.0.0.1 2001\n"
              "accept\n"
              "send \"done\"\n"
              "close\n"},
  rtsp = {"rtsp://h.example/", options_rtsp,
          "listen 10.0.0.1 554\n"
          "accept\n"
          "expect \"SETUP rtsp://h.example/a RTSP/1.0\"\n"
          "send \"RTSP/1.0 200 OK\\r\\nCSeq: 1\\r\\nSession: 4711\\r\\n\"\n"
          "send \"Transport: RTP/AVP/TCP;interleaved=0-1\\r\\n\"\n"
          "send \"Content-Length: 4\\r\\n\\r\\n$\\x00\\0\\x02hi\"\n"
          "send \"$\\x01\\0\\x02hidone\"\n"},
  hsts = {"https://h.example/a", options_hsts, NULL},
  ssh = {NULL, options_ssh, NULL},
  tunnel = {"https://h.example/a", options_tunnel,
            "listen 10.0.0.2 8080\n"
            "accept\n"
            "expect \"CONNECT h.example:443 HTTP/1.1\"\n"
            "answer 407 \"who?\" \"Proxy-Authenticate: Digest realm=r, "
            "nonce=n\"\n"
            "expect \"CONNECT h.example:443 HTTP/1.1\"\n"
            "send \"HTTP/1.1 200 ok\\r\\nX-Proxy: 1\\r\\n\\r\\n\"\n"
            "tls good\n"
            "expect \"PUT /a HTTP/1.1\"\n"
            "chunked \"" BODY "\"\n"
            "trailer \"X-Sum: 42\"\n"
            "answer 200 \"done\"\n"};

/* In which of them a callback is called. */
static const struct transfer *transfer_of(enum cw_slot slot) {
  switch (slot) {
  case CW_SLOT_INTERLEAVE:
    return &rtsp;
  case CW_SLOT_CHUNK_BGN:
  case CW_SLOT_CHUNK_END:
  case CW_SLOT_FNMATCH:
    return &wildcard;
  case CW_SLOT_HSTSREAD:
    return &hsts;
  case CW_SLOT_SSH_KEY:
  case CW_SLOT_SSH_HOSTKEY:
    return &ssh;
  default:
    return &http;
  }
}

/* --- the run -------------------------------------------------------------- */

/* These stand aside where another callback is looked at. */
static bool is_conversion(enum cw_slot slot) {
  return slot == CW_SLOT_CONV_FROM_NETWORK || slot == CW_SLOT_CONV_TO_NETWORK ||
         slot == CW_SLOT_CONV_FROM_UTF8;
}

static void install(struct rig *rig) {
  for (size_t i = 0; i < sizeof(callbacks) / sizeof(callbacks[0]); i++) {
    enum cw_slot slot = callbacks[i].slot;
    bool left_out = (slot == CW_SLOT_SEEK && rig->use_ioctl) ||
                    (slot == CW_SLOT_IOCTL && !rig->use_ioctl) ||
                    (is_conversion(slot) && slot != rig->slot) ||
                    (slot == CW_SLOT_SSH_HOSTKEY && slot != rig->slot) ||
                    (slot == CW_SLOT_SSH_HOSTKEY && slot != rig->slot) ||
                    (slot == CW_SLOT_XFERINFO && rig->use_progress) ||
                    (slot == CW_SLOT_PROGRESS && !rig->use_progress);
    if (!left_out) {
      cr_assert_eq(
          cw_easy_set_fn(rig->easy, callbacks[i].fn, callbacks[i].callback),
          CW_OK);
      cr_assert_eq(cw_easy_set_ptr(rig->easy, callbacks[i].data, rig), CW_OK);
    }
  }
}

static void set_up(struct rig *rig, void (*options)(CW *easy)) {
  rig->given = 0;
  bytes_clear(&rig->got.body);
  bytes_clear(&rig->got.head);
  bytes_clear(&rig->log);
  install(rig);
  options(rig->easy);
  set_on(rig->easy, CWOPT_VERBOSE);
  cr_assert_eq(cw_easy_setopt(rig->easy, CWOPT_NOPROGRESS, 0L), CW_OK);
  if (is_conversion(rig->slot)) { /* a converter may not wait in a trace */
    cr_assert_eq(cw_easy_setopt(rig->easy, CWOPT_VERBOSE, 0L), CW_OK);
    cr_assert_eq(cw_easy_setopt(rig->easy, CWOPT_CERTINFO, 1L), CW_OK);
  }
}

void rig_open(struct rig *rig) {
  const struct transfer *t = rig->tunnels ? &tunnel : transfer_of(rig->slot);
  rig->host = rig->tunnels ? "o.example" : "h.example";
  rig->ip = rig->tunnels ? "10.0.0.2" : "10.0.0.1";
  world_init(&rig->w);
  world_script(&rig->w, t->script ? t->script : http.script);
  rig->easy = world_easy(&rig->w, t->url);
  set_up(rig, t->options);
}

void rig_open_real(struct rig *rig, const char *url, const char *ca) {
  rig->host = "localhost";
  rig->ip = "127.0.0.1";
  world_init_real(&rig->w);
  rig->easy = world_easy(&rig->w, url);
  if (ca) {
    struct cw_blob blob = {(void *)(uintptr_t)ca, strlen(ca), CW_BLOB_COPY};
    cr_assert_eq(cw_easy_setopt(rig->easy, CWOPT_CAINFO_BLOB, &blob), CW_OK);
  }
  cr_assert_eq(
      cw_easy_setopt(rig->easy, CWOPT_IPRESOLVE, (long)CW_IPRESOLVE_V4), CW_OK);
  set_up(rig, transfer_of(rig->slot)->options);
}

void rig_run(struct rig *rig) {
  cr_assert_eq(cw_multi_add_handle(rig->w.multi, rig->easy), CWM_OK);
  for (int i = 0; i < 100000; i++) {
    if (!world_turn(&rig->w)) {
      world_trouble(&rig->w, "%s: nothing happens any more",
                    rig_slot_name(rig->slot));
      return;
    }
    struct cw_msg *msg = cw_multi_info_read(rig->w.multi, NULL);
    if (msg) {
      cr_assert_eq(msg->easy, rig->easy);
      rig->told = true;
      rig->code = msg->result;
    }
    if (msg || cw_multi_count(rig->w.multi, "transfers") == 0) {
      return;
    }
  }
  world_trouble(&rig->w, "%s: the transfer never ends",
                rig_slot_name(rig->slot));
}

const char *rig_close(struct rig *rig) {
  /* Sockets go through closesocket, whose data is the rig, until here. */
  cw_easy_cleanup(rig->easy);
  rig->easy = NULL;
  const char *trouble = world_end(&rig->w);
  cr_expect_eq(rig->opened, rig->closed, "%s: %d sockets opened, %d closed",
               rig_slot_name(rig->slot), rig->opened, rig->closed);
  got_free(&rig->got);
  bytes_free(&rig->log);
  return trouble;
}
