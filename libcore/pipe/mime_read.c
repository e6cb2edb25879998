/*
 * Reading a multipart body.
 *
 * How it works: the root keeps which level the reader is in, each level which
 * part. Heads and tails are slices that are copied out in any cuts; contents go
 * straight into the caller's buffer, except where a coding changes them, then
 * by way of the stage. A callback is shown the caller's buffer only at its very
 * start: if it pends, the same call comes again with the same buffer and must
 * find the same place (what came before it in that pass was handed over).
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "pipe/mime.h"
#include "pipe/source.h"

enum cw_code cw_mime_begin(struct cw_mime *mime, struct cw_easy *easy,
                           struct cw_fail *fail) {
  if (mime->holder) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "the multipart body is a part of another one");
  }
  if (mime->user && mime->user != easy) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "another transfer is sending this multipart body");
  }
  mime->user = easy;
  return CW_OK;
}

void cw_mime_part_stop(struct cw_mimepart *part) {
  if (part->source && part->source->user == part) {
    part->source->user = NULL;
  }
  if (part->kind == CW_MIME_FILE) {
    cw_source_unref(part->source);
    part->source = NULL;
    part->began = false;
  }
}

static void stop_all(struct cw_mime *mime) {
  for (struct cw_mimepart *p = mime->first; p; p = p->next) {
    cw_mime_part_stop(p);
    if (p->parts) {
      stop_all(p->parts);
    }
  }
}

void cw_mime_end(struct cw_mime *mime, const struct cw_easy *easy) {
  if (mime->user != easy) {
    return;
  }
  stop_all(mime);
  mime->user = NULL; /* the stage stays: a pending callback may look at it */
}

/* --- back to the start -----------------------------------------------------
 */

static enum cw_code cannot(const struct cw_mimepart *part, const char *why,
                           const struct cw_mime_host *host) {
  return cw_fail(host->fail, CWE_SEND_FAIL_REWIND,
                 "the body has to be sent again, and %s of part \"%.40s\" %s",
                 part->kind == CW_MIME_CALLBACK ? "the seek callback"
                                                : "the source",
                 cw_mime_label(part), why);
}

static enum cw_code rewind_callback(struct cw_mimepart *part,
                                    const struct cw_mime_host *host) {
  int64_t result = CW_SEEKFUNC_FAIL;
  if (!part->seek) {
    return cannot(part, "is not set", host);
  }
  enum cw_code err = host->seek(host->data, part->seek, part->arg, &result);
  if (err) {
    return err;
  }
  return result == CW_SEEKFUNC_OK ? CW_OK : cannot(part, "failed", host);
}

static enum cw_code rewind_part(struct cw_mimepart *part,
                                const struct cw_mime_host *host) {
  enum cw_code err = CW_OK;
  if (part->began && part->kind == CW_MIME_CALLBACK) {
    err = rewind_callback(part, host);
  }
  if (!err) {
    cw_mime_part_stop(part);
    part->began = false;
    part->given = 0;
    part->coder = (struct cw_mime_coder){.coding = part->coding};
  }
  return err;
}

static enum cw_code rewind_all(struct cw_mime *mime,
                               const struct cw_mime_host *host) {
  enum cw_code err = CW_OK;
  for (struct cw_mimepart *p = mime->first; p && !err; p = p->next) {
    err = p->parts ? rewind_all(p->parts, host) : rewind_part(p, host);
  }
  mime->at = NULL;
  return err;
}

enum cw_code cw_mime_rewind(struct cw_mime *mime,
                            const struct cw_mime_host *host) {
  enum cw_code err = rewind_all(mime, host);
  mime->now = mime;
  mime->in_body = mime->ended = false;
  mime->text = cw_slice("", 0);
  if (mime->stage) {
    memset(mime->stage, 0, sizeof(*mime->stage));
  }
  return err;
}

/* --- the content of a part -------------------------------------------------
 */

static enum cw_code open_file(struct cw_mimepart *part,
                              const struct cw_mime_host *host) {
  enum cw_code err = cw_source_file(part->path, &part->source);
  if (err == CWE_OUT_OF_MEMORY) {
    return cw_fail_oom(host->fail);
  }
  if (err) {
    return cw_fail_os(host->fail, CWE_READ_ERROR, errno,
                      "cannot open the file %s", part->path);
  }
  return CW_OK;
}

static enum cw_code start_source(struct cw_mimepart *part,
                                 const struct cw_mime_host *host) {
  struct cw_source *source = part->source;
  if (source->user && source->user != part) {
    return cw_fail(host->fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "the source of part \"%.40s\" is being read by another "
                   "transfer",
                   cw_mime_label(part));
  }
  if (cw_source_seek(source, 0) != CW_OK) {
    return cannot(part, "cannot go back to its start", host);
  }
  source->user = part;
  return CW_OK;
}

static enum cw_code start_part(struct cw_mimepart *part,
                               const struct cw_mime_host *host) {
  enum cw_code err = CW_OK;
  if (part->kind == CW_MIME_FILE && !part->source) {
    err = open_file(part, host);
  }
  if (!err && part->source) {
    err = start_source(part, host);
  }
  part->began = !err;
  return err;
}

static enum cw_code too_short(const struct cw_mimepart *part,
                              const struct cw_mime_host *host) {
  return cw_fail(host->fail, CWE_READ_ERROR,
                 "part \"%.40s\"%s%.80s ended after %llu of the %lld bytes "
                 "announced",
                 cw_mime_label(part), part->path ? ", the file " : "",
                 part->path ? part->path : "", (unsigned long long)part->given,
                 (long long)part->size);
}

static enum cw_code ask(struct cw_mimepart *part,
                        const struct cw_mime_host *host, char *bytes, size_t n,
                        size_t *pnread) {
  if (part->kind == CW_MIME_CALLBACK) {
    return host->read(host->data, part->read, part->arg, bytes, n, pnread);
  }
  enum cw_code err = cw_source_read(part->source, bytes, n, pnread);
  if (!err || err == CW_AGAIN) {
    return err;
  }
  return cw_fail(host->fail, CWE_READ_ERROR, "part \"%.40s\": %s",
                 cw_mime_label(part), part->source->fail.detail);
}

/* Before coding. *pnread 0: the end. */
static enum cw_code read_raw(struct cw_mimepart *part,
                             const struct cw_mime_host *host, char *bytes,
                             size_t n, size_t *pnread) {
  *pnread = 0;
  if (part->kind == CW_MIME_EMPTY) {
    return CW_OK;
  }
  if (part->size >= 0) {
    uint64_t left = (uint64_t)part->size - part->given;
    n = n < left ? n : (size_t)left;
  }
  if (n == 0) {
    return CW_OK;
  }
  enum cw_code err = part->began ? CW_OK : start_part(part, host);
  if (!err) {
    err = ask(part, host, bytes, n, pnread);
  }
  if (err) {
    *pnread = 0;
    return err;
  }
  part->given += *pnread;
  if (*pnread == 0 && part->size >= 0) {
    return too_short(part, host);
  }
  if (part->coding == CW_MIME_7BIT &&
      !cw_mime_is_7bit(cw_slice(bytes, *pnread))) {
    return cw_fail(host->fail, CWE_READ_ERROR,
                   "part \"%.40s\" is to be 7bit and has a byte above 127",
                   cw_mime_label(part));
  }
  return CW_OK;
}

static void code(struct cw_mime_stage *stage, struct cw_mimepart *part) {
  size_t used = 0;
  stage->at = 0;
  cw_mime_encode(&part->coder, cw_slice(stage->raw, stage->nraw),
                 stage->raw_end, stage->coded, sizeof(stage->coded), &used,
                 &stage->ncoded);
  stage->nraw -= used;
  memmove(stage->raw, stage->raw + used, stage->nraw);
}

/* By way of the stage, which is empty again at the end of a part. */
static enum cw_code read_coded(struct cw_mime *root, struct cw_mimepart *part,
                               const struct cw_mime_host *host, char *bytes,
                               size_t n, size_t *pnread) {
  struct cw_mime_stage *stage = root->stage;
  if (!stage) {
    stage = root->stage = cw_calloc(1, sizeof(*stage));
    if (!stage) {
      return cw_fail_oom(host->fail);
    }
  }
  while (stage->at == stage->ncoded) {
    if (!stage->raw_end) {
      size_t got = 0;
      enum cw_code err = read_raw(part, host, stage->raw + stage->nraw,
                                  sizeof(stage->raw) - stage->nraw, &got);
      if (err) {
        return err;
      }
      stage->nraw += got;
      stage->raw_end = got == 0;
    }
    if (stage->raw_end && stage->nraw == 0) {
      *stage = (struct cw_mime_stage){.nraw = 0};
      *pnread = 0;
      return CW_OK;
    }
    code(stage, part);
  }
  size_t left = stage->ncoded - stage->at;
  *pnread = n < left ? n : left;
  memcpy(bytes, stage->coded + stage->at, *pnread);
  stage->at += *pnread;
  return CW_OK;
}

/* --- from part to part ------------------------------------------------------
 */

static size_t copy_text(struct cw_mime *root, char *bytes, size_t n) {
  size_t take = n < root->text.len ? n : root->text.len;
  memcpy(bytes, root->text.ptr, take);
  root->text.ptr += take;
  root->text.len -= take;
  return take;
}

/* The level that was being read is complete: back to the one around it. */
static void leave_level(struct cw_mime *root) {
  const struct cw_mimepart *holder = root->now->holder;
  if (!holder) {
    root->ended = true;
    return;
  }
  root->now = holder->mime;
}

/* The next head or tail. A level whose tail was said has at past its end. */
static void next_text(struct cw_mime *root, struct cw_mimepart *part) {
  if (part) {
    root->now->at = part;
    root->text = cw_buf_slice(&part->head);
    root->in_body = true;
    return;
  }
  root->text = cw_slice_str(root->now->tail);
  leave_level(root);
}

/* The content of now->at ended, or goes on one level down. */
static void advance(struct cw_mime *root) {
  const struct cw_mimepart *at = root->now->at;
  root->in_body = false;
  next_text(root, at ? at->next : root->now->first);
}

static void enter_level(struct cw_mime *root) {
  root->now = root->now->at->parts;
  root->now->at = NULL;
  advance(root);
}

static bool wants_start(const struct cw_mimepart *part) {
  return part->kind == CW_MIME_CALLBACK && part->coding < CW_MIME_BASE64;
}

/* Some of the content of now->at; *pnread 0: it ended. */
static enum cw_code read_body(struct cw_mime *root,
                              const struct cw_mime_host *host, char *bytes,
                              size_t n, size_t *pnread) {
  struct cw_mimepart *part = root->now->at;
  return part->coding < CW_MIME_BASE64
             ? read_raw(part, host, bytes, n, pnread)
             : read_coded(root, part, host, bytes, n, pnread);
}

enum cw_code cw_mime_read(struct cw_mime *mime, const struct cw_mime_host *host,
                          char *bytes, size_t n, size_t *pnread) {
  *pnread = 0;
  while (*pnread < n) {
    if (mime->text.len > 0) {
      *pnread += copy_text(mime, bytes + *pnread, n - *pnread);
      continue;
    }
    if (mime->ended) {
      return CW_OK;
    }
    if (!mime->in_body) {
      advance(mime);
      continue;
    }
    if (mime->now->at->kind == CW_MIME_PARTS) {
      enter_level(mime);
      continue;
    }
    if (*pnread > 0 && wants_start(mime->now->at)) {
      return CW_OK;
    }
    size_t got = 0;
    enum cw_code err =
        read_body(mime, host, bytes + *pnread, n - *pnread, &got);
    if (err) {
      return err == CW_AGAIN && *pnread > 0 ? CW_OK : err;
    }
    *pnread += got;
    if (got == 0) {
      cw_mime_part_stop(mime->now->at);
      advance(mime);
    }
  }
  return CW_OK;
}

int cw_mime_fd_wanted(const struct cw_mime *mime) {
  const struct cw_mimepart *at = mime->now ? mime->now->at : NULL;
  return at && at->source ? cw_source_fd_wanted(at->source) : -1;
}
