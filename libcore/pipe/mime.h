/*
 * A multipart body as a tree, and the reader over it.
 *
 * Invariants: a tree is changed only while user is NULL; levels are at most
 * CW_MIME_MAX_DEPTH, so functions may call themselves; between cw_mime_begin
 * and cw_mime_end it is user's alone. What is between the contents (delimiters
 * and heads) is made by cw_mime_prepare, so the size is exact beforehand.
 */
#ifndef CW_PIPE_MIME_H
#define CW_PIPE_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"
#include "codec/mime.h"
#include "codec/mime_coding.h"
#include "curlew/mime.h"

/* Names and headers of a part beyond this are CWE_TOO_LARGE: a name that came
   from elsewhere must not fill the memory. */
#define CW_MIME_MAX_HEAD_BYTES (1024 * 1024)

enum cw_mime_kind {
  CW_MIME_EMPTY,
  CW_MIME_SOURCE,
  CW_MIME_FILE,
  CW_MIME_CALLBACK,
  CW_MIME_PARTS
};

struct cw_mimepart {
  struct cw_mimepart *next;
  struct cw_mime *mime; /* that it is in */
  enum cw_mime_kind kind;
  char *name, *filename, *type;
  struct cw_slist *headers;
  enum cw_mime_coding coding;
  int64_t size;             /* of the content before coding; -1: not known */
  char *path;               /* of a file */
  struct cw_source *source; /* of a file while it is read */
  cw_read_fn read;
  cw_seek_fn seek;
  cw_free_fn free;
  void *arg;
  struct cw_mime *parts;
  /* of the running transfer */
  struct cw_buf head; /* the delimiter in front included */
  struct cw_mime_coder coder;
  bool began; /* the content was asked for */
  uint64_t given;
};

/* Where coded bytes are made. */
struct cw_mime_stage {
  char raw[4096];
  size_t nraw;
  bool raw_end;
  char coded[16384];
  size_t at, ncoded;
};

struct cw_mime {
  uint32_t refs;
  size_t nparts;
  struct cw_mimepart *first, *last;
  struct cw_mimepart *holder; /* whose content it is */
  struct cw_easy *user;       /* of a tree's root */
  char boundary[CW_MIME_BOUNDARY_BYTES];
  char tail[CW_MIME_BOUNDARY_BYTES + 10];
  /* how far the reader is; now, text and stage are the root's */
  struct cw_mimepart *at; /* the part whose turn it is, NULL: the first */
  struct cw_mime *now;
  bool in_body, ended;
  struct cw_slice text; /* of a head or tail, what is left */
  struct cw_mime_stage *stage;
};

/* How the application's callbacks are called; both may answer CW_AGAIN and are
   then called again with the same arguments. */
struct cw_mime_host {
  void *data;
  enum cw_code (*read)(void *data, cw_read_fn fn, void *arg, char *bytes,
                       size_t n, size_t *pnread);
  /* To offset 0. *presult: what the callback said. */
  enum cw_code (*seek)(void *data, cw_seek_fn fn, void *arg, int64_t *presult);
  /* Fills n random bytes; false: it could not. */
  bool (*random)(void *data, void *bytes, size_t n);
  struct cw_fail *fail;
};

/* One reference more; returns mime. Given back by cw_mime_free. */
struct cw_mime *cw_mime_ref(struct cw_mime *mime);
/* easy sends it from now on. CWE_BAD_FUNCTION_ARGUMENT: another one does, or it
   is a part of another tree. */
CW_MUST_CHECK enum cw_code
cw_mime_begin(struct cw_mime *mime, struct cw_easy *easy, struct cw_fail *fail);
/* Undoes begin; files are closed. Nothing happens if easy is not its user. */
void cw_mime_end(struct cw_mime *mime, const struct cw_easy *easy);
/* Back to the start, asking callbacks that were asked for bytes before. CW_OK,
   CW_AGAIN (call again), CWE_SEND_FAIL_REWIND, or what the host said. */
CW_MUST_CHECK enum cw_code cw_mime_rewind(struct cw_mime *mime,
                                          const struct cw_mime_host *host);
/* Makes boundaries and heads. form: the parts are fields of a form, so their
   disposition is form-data; backslash: see cw_mime_add_quoted. CWE_READ_ERROR:
   a file is not to be had. */
CW_MUST_CHECK enum cw_code cw_mime_prepare(struct cw_mime *mime, bool form,
                                           bool backslash,
                                           const struct cw_mime_host *host);
/* Of all of it as it will be sent, once prepared; -1: not known. */
int64_t cw_mime_size(const struct cw_mime *mime);
/* The next up to n bytes (n above 0). CW_OK with *pnread 0: the end. CW_AGAIN:
   blocked; a callback that pends was shown bytes, so the next call has the same
   ones. CWE_READ_ERROR: a part was shorter than was said, or cannot be read. */
CW_MUST_CHECK enum cw_code cw_mime_read(struct cw_mime *mime,
                                        const struct cw_mime_host *host,
                                        char *bytes, size_t n, size_t *pnread);
/* The descriptor to wait for after CW_AGAIN, or -1. */
int cw_mime_fd_wanted(const struct cw_mime *mime);

/* --- among the files of this module */

/* mime_text.c: regular files only. CWE_READ_ERROR with its sentence. */
CW_MUST_CHECK enum cw_code cw_mime_stat(const char *path, int64_t *psize,
                                        struct cw_fail *fail);
/* For sentences: the name of the field, of the file, or "". */
const char *cw_mime_label(const struct cw_mimepart *part);
/* Closes or lets go of what is read; the next read starts over. */
void cw_mime_part_stop(struct cw_mimepart *part);

#endif
