/*
 * Sinks and sources: where body bytes go to and come from without any
 * callback. They are objects with a count of references; a transfer that uses
 * one (CWOPT_SINK, CWOPT_SOURCE) holds a reference. One transfer at a time
 * uses a given sink. Not thread-safe.
 */
#ifndef CURLEW_SINK_H
#define CURLEW_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "curlew/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cw_sink;
struct cw_source;

/* Writes to fd, which stays the caller's. A non-blocking descriptor that would
   block makes the transfer wait; a blocking one holds up the loop. A pipe
   whose reader is gone raises SIGPIPE, as any write to it does.
   CWE_BAD_FUNCTION_ARGUMENT: fd is not open. */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_sink_fd(int fd, struct cw_sink **psink);

/* Flags of cw_sink_file. */
enum {
  /* Publish only by cw_sink_publish, not when the transfer succeeded. */
  CW_SINK_FILE_MANUAL = 1,
  /* Keep the temporary file when it is not published (to resume later). */
  CW_SINK_FILE_KEEP_PARTIAL = 2,
  /* Go on behind the bytes of a temporary file that is there already. */
  CW_SINK_FILE_RESUME = 4,
  /* Write the final name itself, no temporary file; a failure leaves what was
     written. */
  CW_SINK_FILE_DIRECT = 8,
  /* fsync before the rename. */
  CW_SINK_FILE_SYNC = 16
};
/* A file published atomically: bytes go to "<path>.part" beside the target
   (created 0666 less umask), which is renamed when the transfer succeeded and
   removed when it did not. Opened at the first byte or at success; with RESUME
   a file that is there is opened when the transfer starts. The temporary file
   is locked while it is used: CWE_WRITE_ERROR with EBUSY where another
   transfer, of this process or another, writes it. Missing folders are an
   error. After it was published or discarded the next transfer starts anew;
   bytes by hand need cw_sink_restart first. CWE_BAD_FUNCTION_ARGUMENT: an
   unknown flag, an empty path, or one that ends in a slash. */
CW_EXTERN CW_MUST_CHECK enum cw_code
cw_sink_file(const char *path, unsigned flags, struct cw_sink **psink);
/* A buffer of at most max_bytes (CWE_TOO_LARGE past that). */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_sink_buffer(size_t max_bytes,
                                                    struct cw_sink **psink);
/* A digest: "md5", "sha1", "sha224", "sha256", "sha384", "sha512",
   "blake2b", "blake2s". CWE_BAD_FUNCTION_ARGUMENT for another name. */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_sink_digest(const char *algorithm,
                                                    struct cw_sink **psink);
/* Counts the bytes (cw_sink_bytes) and drops them; so does null, which is for
   those who do not care. */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_sink_count(struct cw_sink **psink);
CW_EXTERN CW_MUST_CHECK enum cw_code cw_sink_null(struct cw_sink **psink);
/* Every byte to all of n (2 to 8) different sinks; takes references of its
   own. Tees may be nested four deep. Nothing in a tee is resumed by a transfer:
   the other members would miss the first bytes. CWE_BAD_FUNCTION_ARGUMENT. */
CW_EXTERN CW_MUST_CHECK enum cw_code
cw_sink_tee(struct cw_sink *const *sinks, size_t n, struct cw_sink **psink);

/* One reference more; returns sink. Making one gives the first. */
CW_EXTERN struct cw_sink *cw_sink_ref(struct cw_sink *sink);
/* NULL is allowed. The last one out discards what was not published. */
CW_EXTERN void cw_sink_unref(struct cw_sink *sink);

/* Feeds bytes by hand, all of them or an error; cw_sink_bytes tells how many
   were taken before it. CWE_RECURSIVE_API_CALL: a transfer is using the sink.
   CWE_WRITE_ERROR: a descriptor would block, or as cw_sink_error says. */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_sink_write(struct cw_sink *sink,
                                                   const void *bytes, size_t n);
/* Ends a file sink: renames, or removes (keep decides). Other kinds: OK.
   Publishing twice is OK. While a transfer uses the sink, publish is
   CWE_RECURSIVE_API_CALL and discard happens when the transfer is over.
   CWE_WRITE_ERROR: it was discarded, a write had failed, or the file could not
   be closed or renamed; only the rename may be tried again. */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_sink_publish(struct cw_sink *sink);
CW_EXTERN void cw_sink_discard(struct cw_sink *sink);
/* Starts over: truncates, empties, zeroes; a sink that cannot (fd) fails with
   CWE_SEND_FAIL_REWIND once it has taken bytes. */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_sink_restart(struct cw_sink *sink);
/* Bytes taken since the last restart. */
CW_EXTERN uint64_t cw_sink_bytes(const struct cw_sink *sink);
/* File sinks with RESUME: the bytes that are in the partial file already, which
   cw_sink_bytes does not count; 0 after a restart and for other kinds. */
CW_EXTERN uint64_t cw_sink_resume_offset(const struct cw_sink *sink);
/* Buffer sinks: the content, borrowed until the next write. NULL otherwise. */
CW_EXTERN const char *cw_sink_data(const struct cw_sink *sink, size_t *plen);
/* Digest sinks: the raw digest of what was taken so far, into out of at least
   64 bytes; *plen is its length. CWE_BAD_FUNCTION_ARGUMENT for other kinds. */
CW_EXTERN CW_MUST_CHECK enum cw_code
cw_sink_digest_value(const struct cw_sink *sink, unsigned char out[64],
                     size_t *plen);
/* The kind, a constant: "fd", "file", "buffer", "digest", ... */
CW_EXTERN const char *cw_sink_kind(const struct cw_sink *sink);
/* The sentence of the last failure ("" if none), owned by the sink, and its
   errno value. */
CW_EXTERN const char *cw_sink_error(const struct cw_sink *sink, int *perrno);

/* --- sources ---------------------------------------------------------- */

/* Reads fd from where it stands, which is offset 0; it stays the caller's. */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_source_fd(int fd,
                                                  struct cw_source **psource);
/* Opened at once: CWE_FILE_COULDNT_READ_FILE, also for what is no regular file.
   Its size is known. */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_source_file(const char *path,
                                                    struct cw_source **psource);
/* A copy of n bytes. */
CW_EXTERN CW_MUST_CHECK enum cw_code
cw_source_memory(const void *bytes, size_t n, struct cw_source **psource);
/* n times the same byte. */
CW_EXTERN CW_MUST_CHECK enum cw_code
cw_source_fill(unsigned char byte, uint64_t n, struct cw_source **psource);

/* As of sinks. */
CW_EXTERN struct cw_source *cw_source_ref(struct cw_source *source);
/* NULL is allowed. */
CW_EXTERN void cw_source_unref(struct cw_source *source);
/* Total bytes, or -1 if it is not known. */
CW_EXTERN int64_t cw_source_size(const struct cw_source *source);
/* Reads up to n bytes; *pnread 0 with CW_OK is the end; CW_AGAIN: not now. */
CW_EXTERN CW_MUST_CHECK enum cw_code
cw_source_read(struct cw_source *source, void *bytes, size_t n, size_t *pnread);
/* To an absolute offset; CWE_SEND_FAIL_REWIND where that cannot be. */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_source_seek(struct cw_source *source,
                                                    uint64_t offset);

#ifdef __cplusplus
}
#endif
#endif
