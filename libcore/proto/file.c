/*
 * file:// URLs: reading and writing of local files, as an exchange without a
 * connection. RFC 8089.
 *
 * Reading gives the headers that libcurl makes up (Content-Length,
 * Accept-ranges, Last-Modified) and then the body, with ranges and resuming;
 * writing truncates, or appends when resuming.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "codec/date.h"
#include "codec/range.h"
#include "curlew/easy.h"
#include "proto/body.h"

#define BUDGET_BYTES (4 * 1024 * 1024)

struct file_state {
  int fd;
  int64_t left; /* bytes to read; -1: until the end */
  int line;     /* headers given so far */
  char lines[4][80];
  int nlines;
  struct cw_chunk *chunk;
  size_t unwritten; /* upload: bytes of chunk not written yet */
  bool upload_eof;
  bool head_done;
};

static enum cw_code file_init(struct cw_exchange *x) {
  struct file_state *s = cw_calloc(1, sizeof(*s));
  if (!s) {
    return cw_fail_oom(x->fail);
  }
  s->fd = -1;
  x->state = s;
  return CW_OK;
}

static void file_stop(struct cw_exchange *x) {
  struct file_state *s = x->state;
  cw_chunk_unref(s->chunk);
  s->chunk = NULL;
  if (s->fd >= 0) {
    (void)close(s->fd);
    s->fd = -1;
  }
}

static void file_fini(struct cw_exchange *x) {
  if (x->state) {
    file_stop(x);
    cw_free(x->state);
    x->state = NULL;
  }
}

static enum cw_code decode_path(struct cw_exchange *x, char **ppath) {
  struct cw_buf buf;
  cw_buf_init(&buf, 65536);
  const char *path = x->request.uri->path;
  *ppath = NULL;
  enum cw_ucode bad =
      cw_uri_decode(cw_slice_str(path ? path : ""), false, &buf);
  if (!bad && buf.ptr && memchr(buf.ptr, 0, buf.len)) {
    bad = CWUE_URLDECODE;
  }
  if (bad) {
    cw_buf_fini(&buf);
    return cw_fail(x->fail, CWE_URL_MALFORMAT,
                   "the path of the file URL holds a NUL byte or is too long");
  }
  *ppath = cw_buf_take(&buf);
  return *ppath ? CW_OK : cw_fail_oom(x->fail);
}

/* Where to begin and how much to read, from range or resume. */
static enum cw_code choose_part(struct cw_exchange *x, struct file_state *s,
                                int64_t size) {
  int64_t first = 0;
  switch (cw_range_choose(x->request.range, x->request.resume_from, size,
                          &first, &s->left)) {
  case CW_PART_BAD_RANGE:
    return cw_fail(x->fail, CWE_RANGE_ERROR, "file:// takes one range, not %s",
                   x->request.range);
  case CW_PART_BEHIND_END:
    return cw_fail(x->fail, CWE_BAD_DOWNLOAD_RESUME,
                   "offset %lld is behind the end of the file, %lld",
                   (long long)first, (long long)size);
  case CW_PART_OK:
    break;
  }
  if (first > 0 && lseek(s->fd, first, SEEK_SET) < 0) {
    return cw_fail_os(x->fail, CWE_BAD_DOWNLOAD_RESUME, errno,
                      "cannot seek in the file");
  }
  return CW_OK;
}

static void make_headers(struct cw_exchange *x, struct file_state *s,
                         const struct stat *st) {
  char date[CW_DATE_BYTES];
  cw_date_format((int64_t)st->st_mtime, date);
  (void)snprintf(s->lines[0], sizeof(s->lines[0]), "Content-Length: %lld\r\n",
                 (long long)s->left);
  (void)snprintf(s->lines[1], sizeof(s->lines[1]), "Accept-ranges: bytes\r\n");
  (void)snprintf(s->lines[2], sizeof(s->lines[2]), "Last-Modified: %s\r\n",
                 date);
  (void)snprintf(s->lines[3], sizeof(s->lines[3]), "\r\n");
  s->nlines = 4;
  x->response.content_length = s->left;
  x->response.last_modified_s = (int64_t)st->st_mtime;
}

/* The condition of CWOPT_TIMECONDITION, decided here as a server would. */
static bool condition_unmet(const struct cw_exchange *x,
                            const struct stat *st) {
  int64_t mtime = (int64_t)st->st_mtime;
  switch (x->request.time_condition) {
  case 1:
    return mtime <= x->request.time_value_s;
  case 2:
    return mtime > x->request.time_value_s;
  default:
    return false;
  }
}

static enum cw_code open_read(struct cw_exchange *x, struct file_state *s,
                              const char *path) {
  s->fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (s->fd < 0 || fstat(s->fd, &st) != 0) {
    return cw_fail_os(x->fail, CWE_FILE_COULDNT_READ_FILE, errno,
                      "cannot open %.180s", path);
  }
  if (S_ISDIR(st.st_mode)) {
    return cw_fail_os(x->fail, CWE_FILE_COULDNT_READ_FILE, EISDIR,
                      "cannot read %.180s", path);
  }
  enum cw_code err = CW_OK;
  s->left = -1;
  if (S_ISREG(st.st_mode)) {
    err = choose_part(x, s, (int64_t)st.st_size);
    if (!err) {
      make_headers(x, s, &st);
    }
  }
  if (!err && condition_unmet(x, &st)) {
    x->response.status = 304;
    s->left = 0;
  }
  if (!err && x->request.max_body_bytes > 0 && s->left > 0 &&
      (uint64_t)s->left > x->request.max_body_bytes) {
    return cw_fail(x->fail, CWE_FILESIZE_EXCEEDED,
                   "the file of %lld bytes is larger than maxfilesize, %llu",
                   (long long)s->left,
                   (unsigned long long)x->request.max_body_bytes);
  }
  if (!err && x->request.max_body_bytes > 0) {
    err = cw_writer_add_limit(&x->writer, CW_PHASE_LIMIT_DECODED,
                              x->request.max_body_bytes);
  }
  return err;
}

static enum cw_code open_write(struct cw_exchange *x, struct file_state *s,
                               const char *path) {
  bool append = x->request.resume_from != 0;
  s->fd =
      open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC),
           0644);
  if (s->fd < 0) {
    return cw_fail_os(x->fail, CWE_WRITE_ERROR, errno, "cannot write %.180s",
                      path);
  }
  if (x->request.resume_from > 0) {
    x->reader.skip = (uint64_t)x->request.resume_from;
  } else if (x->request.resume_from < 0) {
    struct stat st;
    if (fstat(s->fd, &st) != 0) {
      return cw_fail_os(x->fail, CWE_WRITE_ERROR, errno, "cannot stat %.180s",
                        path);
    }
    x->reader.skip = (uint64_t)st.st_size;
  }
  return CW_OK;
}

static enum cw_code file_open(struct cw_exchange *x) {
  struct file_state *s = x->state;
  file_stop(x);
  *s = (struct file_state){.fd = -1};
  cw_headers_clear(&x->headers);
  char *path;
  enum cw_code err = decode_path(x, &path);
  if (!err) {
    err = x->request.upload ? open_write(x, s, path) : open_read(x, s, path);
  }
  cw_free(path);
  return err;
}

/* Writes what the chunk holds, all of it. */
static enum cw_code flush(struct cw_exchange *x, struct file_state *s) {
  while (cw_chunk_len(s->chunk) > 0) {
    ssize_t n =
        write(s->fd, s->chunk->bytes + s->chunk->start, cw_chunk_len(s->chunk));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return cw_fail_os(x->fail, CWE_SEND_ERROR, errno,
                        "cannot write to the file");
    }
    s->chunk->start += (size_t)n;
    x->response.body_sent += (uint64_t)n;
  }
  return CW_OK;
}

static enum cw_code file_send(struct cw_exchange *x) {
  struct file_state *s = x->state;
  uint64_t start = x->response.body_sent;
  x->want = 0;
  while (x->request.upload && !s->upload_eof) {
    enum cw_code err = cw_body_fill(x, &s->chunk, 0, 0, &s->upload_eof);
    if (!err) {
      err = flush(x, s);
    }
    if (err) {
      return err;
    }
    if (x->response.body_sent - start > BUDGET_BYTES) {
      x->more = true;
      return CW_AGAIN;
    }
  }
  if (s->chunk) {
    cw_chunk_unref(s->chunk);
    s->chunk = NULL;
  }
  x->sent_all = true;
  return CW_OK;
}

static enum cw_code keep_header(struct cw_exchange *x, const char *line) {
  struct cw_slice value = cw_slice_str(line);
  struct cw_slice name;
  if (!cw_slice_split(&value, ':', &name) || value.len == 0) {
    return CW_OK;
  }
  return cw_headers_add(&x->headers, name,
                        cw_slice_trim(cw_slice(value.ptr, value.len - 2)),
                        CW_HEADER_FIELD);
}

static enum cw_code give_headers(struct cw_exchange *x, struct file_state *s) {
  if (!s->head_done) {
    for (int i = 0; i < s->nlines - 1; i++) {
      enum cw_code err = keep_header(x, s->lines[i]);
      if (err) {
        return cw_fail_oom(x->fail);
      }
    }
    enum cw_code err = x->host->head_done(x->host_data);
    if (err) {
      return err;
    }
    s->head_done = true;
  }
  while (s->line < s->nlines) {
    enum cw_code err =
        x->host->header(x->host_data, cw_slice_str(s->lines[s->line]));
    if (err) {
      return err;
    }
    s->line++;
  }
  return CW_OK;
}

/* CW_OK with an empty chunk: the end. */
static enum cw_code read_file(struct cw_exchange *x, struct file_state *s) {
  size_t room = s->chunk->cap;
  if (room > x->request.receive_bytes) {
    room = x->request.receive_bytes;
  }
  if (s->left >= 0 && room > (uint64_t)s->left) {
    room = (size_t)s->left;
  }
  ssize_t n = 0;
  do {
    n = room ? read(s->fd, s->chunk->bytes, room) : 0;
  } while (n < 0 && errno == EINTR);
  if (n < 0) {
    return cw_fail_os(x->fail, CWE_FILE_COULDNT_READ_FILE, errno,
                      "cannot read the file");
  }
  if (n == 0 && s->left > 0) {
    return cw_fail(x->fail, CWE_PARTIAL_FILE, "the file ended %lld bytes early",
                   (long long)s->left);
  }
  s->chunk->end = (size_t)n;
  if (s->left > 0) {
    s->left -= n;
  }
  return cw_body_trace(x, CW_DEBUG_DATA_IN, s->chunk->bytes, (size_t)n);
}

/* Gives on what the chunk holds, then reads; sets *pend at the end. */
static enum cw_code give_body(struct cw_exchange *x, struct file_state *s,
                              bool *pend) {
  if (!s->chunk || cw_chunk_len(s->chunk) == 0) {
    enum cw_code err = cw_body_fresh(x, &s->chunk);
    if (!err) {
      err = read_file(x, s);
    }
    if (err) {
      return err;
    }
    *pend = cw_chunk_len(s->chunk) == 0;
    if (*pend) {
      return CW_OK;
    }
  }
  size_t taken;
  return cw_body_give(x, s->chunk, cw_chunk_len(s->chunk), &taken);
}

static enum cw_code file_receive(struct cw_exchange *x) {
  struct file_state *s = x->state;
  if (x->request.upload) {
    /* Asked while it is being sent: there is no early answer. */
    return x->sent_all ? CW_OK : CW_AGAIN;
  }
  enum cw_code err = give_headers(x, s);
  /* All may have been read and wait in the chunk for a receiver that paused. */
  bool has_rest = s->chunk && cw_chunk_len(s->chunk) > 0;
  bool end =
      x->request.head_only || x->ignore_body || (s->left == 0 && !has_rest);
  uint64_t start = x->response.body_received;
  while (!err && !end) {
    err = give_body(x, s, &end);
    if (!err && x->response.body_received - start > BUDGET_BYTES) {
      x->more = true;
      return CW_AGAIN;
    }
  }
  return err ? err : cw_writer_finish(&x->writer);
}

const struct cw_proto cw_proto_file = {
    .name = "file",
    .needs_connection = false,
    .seeks_itself = true,
    .init = file_init,
    .fini = file_fini,
    .open = file_open,
    .send = file_send,
    .receive = file_receive,
    .stop = file_stop,
};
