/*
 * Types of the callbacks. One row of tbl/callbacks.def a type: which option
 * sets it, which option gives its companion value, whether it may pend.
 *
 * Rules common to all:
 * - They run on the thread that drives the transfer, inside the call that
 *   drives it. The companion pointer is passed on untouched.
 * - Buffers shown are not NUL-terminated and good until the callback returns;
 *   while a callback is pending they stay pinned.
 * - A callback whose row says so may return CW_CALLBACK_PENDING: its transfer
 *   waits at that point until cw_easy_callback_done.
 */
#ifndef CURLEW_CALLBACK_H
#define CURLEW_CALLBACK_H

#include <stddef.h>
#include <stdint.h>

#include "curlew/error.h"
#include "curlew/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cw_easy;
struct cw_multi;
typedef struct cw_easy CW;   /* libcurl's CURL */
typedef struct cw_multi CWM; /* libcurl's CURLM */

/* "The answer comes later", for every callback that may pend. */
#define CW_CALLBACK_PENDING 0x10000003

/* A list of strings; libcurl: curl_slist. Both fields belong to the list. The
   empty list is NULL. */
struct cw_slist {
  char *data;
  struct cw_slist *next;
};
/* Appends a copy of s and returns the list, which is a new one where list was
   NULL. NULL for want of memory, list unchanged then and still the caller's. */
CW_EXTERN struct cw_slist *cw_slist_append(struct cw_slist *list,
                                           const char *s);
/* Frees the whole list. NULL is allowed. */
CW_EXTERN void cw_slist_free_all(struct cw_slist *list);

/* Bytes of any kind that are not text. flags: CW_BLOB_COPY: copied when it is
   set; CW_BLOB_NOCOPY: data must stay as it is for as long as the option has
   it. */
struct cw_blob {
  void *data;
  size_t len;
  unsigned flags;
};
#define CW_BLOB_NOCOPY 0
#define CW_BLOB_COPY   1

/* --- data ------------------------------------------------------------ */

/* WRITEFUNCTION, HEADERFUNCTION. size is 1. Returns n when all was taken;
   CW_WRITEFUNC_PAUSE: nothing was, pause (cw_easy_pause goes on, and the same
   bytes come again); anything else: CWE_WRITE_ERROR. A header comes as one
   whole line with its line end. */
typedef size_t (*cw_write_fn)(char *bytes, size_t size, size_t n, void *data);
#define CW_WRITEFUNC_PAUSE 0x10000001
#define CW_WRITEFUNC_ERROR 0xFFFFFFFF

/* READFUNCTION. Stores up to size * n bytes and returns how many; 0 at the
   end. CW_READFUNC_ABORT: CWE_ABORTED_BY_CALLBACK; CW_READFUNC_PAUSE: nothing
   now, pause (cw_easy_pause goes on); more than size * n: CWE_READ_ERROR. */
typedef size_t (*cw_read_fn)(char *bytes, size_t size, size_t n, void *data);
#define CW_READFUNC_ABORT 0x10000000
#define CW_READFUNC_PAUSE 0x10000001

/* SEEKFUNCTION: the next read is to begin at offset. origin is SEEK_SET. Asked
   when a body has to be sent again, then offset is 0, and when an upload is
   resumed. CW_SEEKFUNC_FAIL: CWE_SEND_FAIL_REWIND, for a resumed upload
   CWE_READ_ERROR; CW_SEEKFUNC_CANTSEEK: get there by other means (the ioctl
   callback, or read and discard). */
typedef int (*cw_seek_fn)(void *data, int64_t offset, int origin);
#define CW_SEEKFUNC_OK       0
#define CW_SEEKFUNC_FAIL     1
#define CW_SEEKFUNC_CANTSEEK 2

/* IOCTLFUNCTION: CW_IOCMD_RESTARTREAD: the next read is to begin at 0. Asked
   only where no seek callback is set, or it cannot seek. Anything but
   CW_IOE_OK: CWE_SEND_FAIL_REWIND. */
typedef int (*cw_ioctl_fn)(CW *easy, int cmd, void *data);
#define CW_IOCMD_NOP         0
#define CW_IOCMD_RESTARTREAD 1
#define CW_IOE_OK            0
#define CW_IOE_UNKNOWNCMD    1
#define CW_IOE_FAILRESTART   2

/* TRAILERFUNCTION: after the last byte of a chunked upload. Appends
   "Name: value" to *list, which is empty at first and which the library frees
   whatever the result. CW_TRAILERFUNC_ABORT: CWE_ABORTED_BY_CALLBACK. */
typedef int (*cw_trailer_fn)(struct cw_slist **list, void *data);
#define CW_TRAILERFUNC_OK    0
#define CW_TRAILERFUNC_ABORT 1

/* --- watching -------------------------------------------------------- */

/* XFERINFOFUNCTION: bytes of the body, as received (before decoding) and as
   sent; a total that is not known is 0. Called at least once a second and at
   the end, with NOPROGRESS 0. Non-zero stops the transfer with
   CWE_ABORTED_BY_CALLBACK; CW_PROGRESSFUNC_CONTINUE does not, and shows the
   built-in meter as well. */
typedef int (*cw_xferinfo_fn)(void *data, int64_t dltotal, int64_t dlnow,
                              int64_t ultotal, int64_t ulnow);
/* PROGRESSFUNCTION: the same in floating point, used where no xferinfo is. */
typedef int (*cw_progress_fn)(void *data, double dltotal, double dlnow,
                              double ultotal, double ulnow);
#define CW_PROGRESSFUNC_CONTINUE 0x10000001

/* DEBUGFUNCTION, called with VERBOSE. kind is a CW_DEBUG_ value. It cannot
   pend. Non-zero stops with CWE_ABORTED_BY_CALLBACK. */
typedef int (*cw_debug_fn)(CW *easy, int kind, char *bytes, size_t n,
                           void *data);
#define CW_DEBUG_TEXT         0
#define CW_DEBUG_HEADER_IN    1
#define CW_DEBUG_HEADER_OUT   2
#define CW_DEBUG_DATA_IN      3
#define CW_DEBUG_DATA_OUT     4
#define CW_DEBUG_SSL_DATA_IN  5
#define CW_DEBUG_SSL_DATA_OUT 6

/* PREREQFUNCTION: connected, before each request. Text addresses, no brackets,
   "" and 0 where there is no network. CW_PREREQFUNC_ABORT:
   CWE_ABORTED_BY_CALLBACK. */
typedef int (*cw_prereq_fn)(void *data, char *peer_ip, char *local_ip,
                            int peer_port, int local_port);
#define CW_PREREQFUNC_OK    0
#define CW_PREREQFUNC_ABORT 1

/* --- sockets and names ----------------------------------------------- */

enum {
  CW_SOCKTYPE_IPCXN = 0,
  CW_SOCKTYPE_ACCEPT = 1
};
#define CW_SOCKET_BAD (-1)

/* OPENSOCKETFUNCTION: a descriptor for *address, which becomes the library's
   and is made non-blocking. May change *address; what is there afterwards is
   connected to. CW_SOCKET_BAD: refused, the next address is tried
   (CWE_COULDNT_CONNECT where none is left). purpose is a CW_SOCKTYPE_ value. */
typedef int (*cw_opensocket_fn)(void *data, int purpose,
                                struct cw_sockaddr *address);
/* CLOSESOCKETFUNCTION: closes fd itself; the result is ignored, and it cannot
   pend. Function and companion are taken over by the connection when that is
   made, and may be called after the handle is gone. */
typedef int (*cw_closesocket_fn)(void *data, int fd);
/* SOCKOPTFUNCTION: fd before it is bound and connected.
   CW_SOCKOPT_ALREADY_CONNECTED: it is connected, do not connect it.
   CW_SOCKOPT_ERROR: CWE_ABORTED_BY_CALLBACK; no other address is tried. */
typedef int (*cw_sockopt_fn)(void *data, int fd, int purpose);
#define CW_SOCKOPT_OK                0
#define CW_SOCKOPT_ERROR             1
#define CW_SOCKOPT_ALREADY_CONNECTED 2

/* SSL_CTX_FUNCTION: ctx is OpenSSL's SSL_CTX, good for the call. A code other
   than CW_OK ends the transfer with that very code. */
typedef int (*cw_ssl_ctx_fn)(CW *easy, void *ctx, void *data);

/* RESOLVER_START_FUNCTION: before each new lookup. resolver is good for the
   call (or while pending); reserved is NULL. 0: go on; anything else:
   CWE_ABORTED_BY_CALLBACK. */
struct cw_resolver_start {
  const char *host;
  int port;
  void *channel; /* c-ares' ares_channel, NULL on a virtual network */
  /* The callback may answer the question itself by filling in answers (family,
     addrlen, addr; ports are ignored) and nanswers; then no query is made. */
  struct cw_sockaddr *answers; /* room for max_answers, the library's */
  size_t nanswers;
  size_t max_answers;
};
typedef int (*cw_resolver_start_fn)(struct cw_resolver_start *resolver,
                                    void *reserved, void *data);

/* --- hosts and keys of SSH --------------------------------------------- */

/* A host key. Borrowed, good until the callback returns. */
struct cw_khkey {
  const char *key; /* len bytes as the server sends them, not text */
  size_t len;
  int keytype; /* a CWKHTYPE_ value */
};
/* SSH_KEYFUNCTION, called on each new SSH connection where SSH_KNOWNHOSTS is
   set and no pin decides. match is a CWKHMATCH_ value: the file has this key,
   has another one (known), or has none of that host (known is NULL). Returns a
   CWKHSTAT_ value: CWKHSTAT_FINE_ADD_TO_FILE accepts and writes it to the file,
   _FINE accepts this once, _FINE_REPLACE accepts and in the file it takes the
   place of the host's other keys of its type; _REJECT, _DEFER and any other:
   CWE_PEER_FAILED_VERIFICATION. Without the callback only CWKHMATCH_OK
   passes. */
typedef int (*cw_ssh_key_fn)(CW *easy, const struct cw_khkey *known,
                             const struct cw_khkey *found, int match,
                             void *data);
/* SSH_HOSTKEYFUNCTION: decides alone, whatever is known. CWKHMATCH_OK:
   accept; else CWE_PEER_FAILED_VERIFICATION. key is n bytes as sent. */
typedef int (*cw_ssh_hostkey_fn)(void *data, int keytype, const char *key,
                                 size_t n);

/* --- listings of FTP --------------------------------------------------- */

#define CW_FINFOFLAG_KNOWN_FILENAME   1u
#define CW_FINFOFLAG_KNOWN_FILETYPE   2u
#define CW_FINFOFLAG_KNOWN_TIME       4u
#define CW_FINFOFLAG_KNOWN_PERM       8u
#define CW_FINFOFLAG_KNOWN_UID        16u
#define CW_FINFOFLAG_KNOWN_GID        32u
#define CW_FINFOFLAG_KNOWN_SIZE       64u
#define CW_FINFOFLAG_KNOWN_HLINKCOUNT 128u
/* One entry of a listing. Borrowed: good until chunk_end has returned for it.
   Texts are as the server wrote them, NULL where the listing has none. */
struct cw_fileinfo {
  const char *filename;
  int filetype;   /* a CWFILETYPE_ value */
  int64_t time_s; /* since 1970, where CW_FINFOFLAG_KNOWN_TIME (MLSD) */
  unsigned perm;  /* 0 to 07777 */
  int uid, gid;
  int64_t size;
  int64_t hardlinks;
  struct {
    const char *time, *perm, *user, *group, *target;
  } strings;
  unsigned flags; /* CW_FINFOFLAG_ bits: which of the numbers are known */
};
/* CHUNK_BGN_FUNCTION, with WILDCARDMATCH: before each entry that matched;
   remains counts this one. CW_CHUNK_BGN_FUNC_SKIP: it is not fetched, chunk_end
   is called; CW_CHUNK_BGN_FUNC_FAIL: CWE_CHUNK_FAILED. */
typedef long (*cw_chunk_bgn_fn)(const struct cw_fileinfo *info, void *data,
                                int remains);
/* CHUNK_END_FUNCTION: the entry is done, fetched or not.
   CW_CHUNK_END_FUNC_FAIL: CWE_CHUNK_FAILED. */
typedef long (*cw_chunk_end_fn)(void *data);
/* FNMATCH_FUNCTION: decides whether name matches pattern.
   CW_FNMATCHFUNC_MATCH, CW_FNMATCHFUNC_NOMATCH; CW_FNMATCHFUNC_FAIL:
   CWE_CHUNK_FAILED. */
typedef int (*cw_fnmatch_fn)(void *data, const char *pattern, const char *name);

/* --- HSTS (RFC 6797) --------------------------------------------------- */

struct cw_hstsentry {
  char *name; /* the host; hstsread: room for namelen bytes and a NUL */
  size_t namelen;
  unsigned include_subdomains;
  char expire[18]; /* "YYYYMMDD HH:MM:SS" in UTC, or "unlimited" */
};
struct cw_index {
  size_t index; /* from 0 */
  size_t total;
};
/* HSTSREADFUNCTION, at the start of each transfer: fills in the next entry
   (CWSTS_OK, asked again), or says that there is none (CWSTS_DONE).
   CWSTS_FAIL: CWE_ABORTED_BY_CALLBACK. An empty name or one that is too long:
   CWE_BAD_FUNCTION_ARGUMENT. */
typedef int (*cw_hstsread_fn)(CW *easy, struct cw_hstsentry *entry, void *data);
/* HSTSWRITEFUNCTION: one call an entry, at cleanup, when the multi is closed
   and at cw_easy_hsts_flush. CWSTS_OK: the next; CWSTS_DONE: enough;
   CWSTS_FAIL: flush answers CWE_ABORTED_BY_CALLBACK. */
typedef int (*cw_hstswrite_fn)(CW *easy, struct cw_hstsentry *entry,
                               struct cw_index *index, void *data);

/* --- character sets ---------------------------------------------------- */

/* CONV_FROM_NETWORK_FUNCTION, CONV_TO_NETWORK_FUNCTION and
   CONV_FROM_UTF8_FUNCTION: converts n bytes where they lie; as many come out.
   n is above 0. Of CONV_FROM_UTF8_FUNCTION fewer may come out, with a NUL byte
   behind; bytes[n] is one already. A text (anything but form data and bodies)
   may not get a NUL byte by CONV_TO_NETWORK_FUNCTION. A code other than CW_OK
   ends the transfer with CWE_CONV_FAILED. While it pends, the bytes stay where
   they are until the answer or the end of the transfer. */
typedef int (*cw_conv_fn)(char *bytes, size_t n, void *data);

/* --- multi ----------------------------------------------------------- */

#define CW_POLL_NONE      0
#define CW_POLL_IN        1
#define CW_POLL_OUT       2
#define CW_POLL_INOUT     3
#define CW_POLL_REMOVE    4
#define CW_SOCKET_TIMEOUT (-1)
#define CW_CSELECT_IN     1
#define CW_CSELECT_OUT    2
#define CW_CSELECT_ERR    4

/* CWMOPT_SOCKETFUNCTION. Called when the wish for fd changes; what is a
   CW_POLL_ value, the whole of the wish. socketp is what cw_multi_assign
   attached, else NULL. easy is NULL: a connection is nobody's in particular.
   -1: the running call fails with CWM_ABORTED_BY_CALLBACK. */
typedef int (*cw_socket_fn)(CW *easy, int fd, int what, void *data,
                            void *socketp);
/* CWMOPT_TIMERFUNCTION. -1 ms: delete the timer; 0: act at once; else
   single-shot, in place of the timer before. "Act" is
   cw_multi_socket_action with CW_SOCKET_TIMEOUT, not from inside this callback.
   A result of -1 as above. */
typedef int (*cw_multi_timer_fn)(CWM *multi, long timeout_ms, void *data);
/* CWMOPT_NOTIFYFUNCTION: notification is a CWMNOTIFY_ value that
   cw_multi_notify_enable was called with; easy the transfer that ended, or NULL
   where it is of none in particular. Called at the end of cw_multi_perform,
   cw_multi_turn and cw_multi_socket_action, outside of any other callback: only
   those and cw_multi_cleanup are refused inside. */
typedef void (*cw_notify_fn)(CWM *multi, unsigned notification, CW *easy,
                             void *data);
/* CWMOPT_PUSHFUNCTION, which waits for HTTP/2: easy is a copy of parent for the
   stream that the server offers; a CW_PUSH_ value decides on it. */
struct cw_pushheaders;
typedef int (*cw_push_fn)(CW *parent, CW *easy, size_t num_headers,
                          struct cw_pushheaders *headers, void *data);

#ifdef __cplusplus
}
#endif
#endif
