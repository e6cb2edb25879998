/*
 * Multipart bodies (RFC 7578, RFC 2046): a tree of parts that CWOPT_MIMEPOST
 * sends. Names are libcurl's (curl_mime_init is cw_mime_init).
 *
 * A tree is counted: cw_mime_init gives the first reference, each easy handle
 * that has it as CWOPT_MIMEPOST holds one (so does a copy of the handle), and
 * cw_mime_free gives the first one back. One transfer at a time sends a given
 * tree; while it does, the tree does not change (CWE_RECURSIVE_API_CALL).
 * Setters copy what they are given. A NULL part is CWE_BAD_FUNCTION_ARGUMENT;
 * CWE_OUT_OF_MEMORY leaves the part as it was. Not thread-safe.
 */
#ifndef CURLEW_MIME_H
#define CURLEW_MIME_H

#include "curlew/callback.h"
#include "curlew/sink.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cw_mime;
struct cw_mimepart;

/* For cw_mime_data: up to the NUL byte. */
#define CW_ZERO_TERMINATED ((size_t)-1)

/* Frees the companion of a part's callbacks, once. It may not call into the
   library. */
typedef void (*cw_free_fn)(void *arg);

/* An empty body. easy may be NULL and is not kept. NULL for want of memory. */
CW_EXTERN struct cw_mime *cw_mime_init(CW *easy);
/* Gives the caller's reference back. The tree is freed, and its free callbacks
   are called, when no easy handle has it any more. NULL is allowed; a tree that
   is a part of another one belongs to that and is left alone. */
CW_EXTERN void cw_mime_free(struct cw_mime *mime);
/* A new part, the last one; it belongs to mime and has no content yet. NULL for
   want of memory, past CW_MIME_MAX_PARTS parts, or while mime is being sent. */
CW_EXTERN struct cw_mimepart *cw_mime_addpart(struct cw_mime *mime);
#define CW_MIME_MAX_PARTS 100000
/* The easy handle whose transfer sends the tree now, or NULL. */
CW_EXTERN CW *cw_mime_easy(const struct cw_mime *mime);

/* NULL unsets each. The name of the field; what the receiver is to call the
   file; the media type (else by the file name, application/octet-stream for an
   unknown one, none for a field). CWE_BAD_FUNCTION_ARGUMENT: a type with a line
   end in it. */
CW_EXTERN enum cw_code cw_mime_name(struct cw_mimepart *part, const char *name);
CW_EXTERN enum cw_code cw_mime_filename(struct cw_mimepart *part,
                                        const char *filename);
CW_EXTERN enum cw_code cw_mime_type(struct cw_mimepart *part, const char *type);
/* "binary", "8bit", "7bit" (a byte above 127 is CWE_READ_ERROR), "base64",
   "quoted-printable" (its size is not known beforehand). Any other:
   CWE_BAD_FUNCTION_ARGUMENT. */
CW_EXTERN enum cw_code cw_mime_encoder(struct cw_mimepart *part,
                                       const char *encoding);
/* More header lines of the part, "Name: value", in place of what was set;
   Content-Type and Content-Disposition take the place of those that would be
   made. take: the list is the part's from now on, if it succeeds; else it is
   copied. CWE_BAD_FUNCTION_ARGUMENT: a line without a name, or with a line end
   in it. */
CW_EXTERN enum cw_code cw_mime_headers(struct cw_mimepart *part,
                                       struct cw_slist *headers, int take);

/* What the part holds; each takes the place of what was there. */

/* A copy of n bytes. NULL: nothing. */
CW_EXTERN enum cw_code cw_mime_data(struct cw_mimepart *part, const char *bytes,
                                    size_t n);
/* A regular file, opened when its turn comes and closed at its end. filename
   becomes the last component of path. Its size is what it is when the request
   starts: one that is shorter by then is CWE_READ_ERROR, what is appended is
   not sent. CWE_READ_ERROR: it is not there, or no regular file. */
CW_EXTERN enum cw_code cw_mime_filedata(struct cw_mimepart *part,
                                        const char *path);
/* A source, of which a reference is taken. */
CW_EXTERN enum cw_code cw_mime_source(struct cw_mimepart *part,
                                      struct cw_source *source);
/* Callbacks with one companion: read as READFUNCTION (pausing, pending and
   stopping included; a pending one is answered with slot CW_SLOT_READ), seek as
   SEEKFUNCTION (CW_SLOT_SEEK), free when the tree is freed or the part gets
   another content. size -1: not known. Not more than size bytes are asked for,
   and the end is not asked for once they came; fewer are CWE_READ_ERROR. seek
   is asked for offset 0 when the body has to be sent again and read was called
   before; NULL, CW_SEEKFUNC_FAIL and CW_SEEKFUNC_CANTSEEK are
   CWE_SEND_FAIL_REWIND. read NULL: the part has no content. */
CW_EXTERN enum cw_code cw_mime_data_cb(struct cw_mimepart *part, int64_t size,
                                       cw_read_fn read, cw_seek_fn seek,
                                       cw_free_fn free, void *arg);
/* Another tree, which becomes the part's (multipart/mixed, unless the type says
   otherwise). CWE_BAD_FUNCTION_ARGUMENT: it is somebody's already, this part is
   inside of it, or more than CW_MIME_MAX_DEPTH levels would come of it. */
CW_EXTERN enum cw_code cw_mime_subparts(struct cw_mimepart *part,
                                        struct cw_mime *parts);
#define CW_MIME_MAX_DEPTH 16

#ifdef __cplusplus
}
#endif
#endif
