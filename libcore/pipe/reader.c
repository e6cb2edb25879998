/*
 * How it works: one function gets raw bytes from whichever of callback and
 * source there is and keeps the count. Around it: the first bytes are skipped,
 * by seeking where that works, and line ends are converted. For that the raw
 * bytes are read into the upper half of the caller's buffer and spread from
 * its start on; they at most double, so writing never overtakes reading, and
 * nothing has to be kept between two calls but whether a CR was last.
 */
#include "pipe/reader.h"

#include <string.h>

#include "curlew/sink.h"
#include "pipe/source.h"

void cw_reader_init_none(struct cw_reader *reader) {
  *reader = (struct cw_reader){.size = 0};
}

void cw_reader_init(struct cw_reader *reader, cw_ask_fn ask, void *ask_data,
                    struct cw_source *source, int64_t size,
                    struct cw_fail *fail) {
  *reader = (struct cw_reader){
      .ask = ask, .ask_data = ask_data, .size = size, .fail = fail};
  if (source && !ask) {
    reader->source = cw_source_ref(source);
    reader->size = size >= 0 ? size : cw_source_size(source);
  }
}

/* Gives the source back to whoever uses it next. */
static void release(struct cw_reader *reader) {
  if (reader->source && reader->source->user == reader) {
    reader->source->user = NULL;
  }
}

void cw_reader_fini(struct cw_reader *reader) {
  release(reader);
  cw_source_unref(reader->source);
  cw_reader_init_none(reader);
}

/* The source's sentence becomes the reader's, unless there is one already. */
static enum cw_code source_failed(struct cw_reader *reader, enum cw_code err) {
  if (reader->fail && reader->fail->code == CW_OK) {
    *reader->fail = reader->source->fail;
  }
  return err;
}

/* Puts the source to the first byte that is wanted, or to 0 if it cannot be
   put there and the bytes in front have to be read. */
static enum cw_code start_source(struct cw_reader *reader) {
  struct cw_source *source = reader->source;
  if (source->user && source->user != reader) {
    return cw_fail(reader->fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "another transfer is reading this source");
  }
  if (cw_source_seek(source, reader->skip) == CW_OK) {
    reader->given = reader->skip;
  } else {
    enum cw_code err = cw_source_seek(source, 0);
    if (err) {
      return source_failed(reader, err);
    }
  }
  source->user = reader;
  return CW_OK;
}

/* The end came. */
static enum cw_code at_end(struct cw_reader *reader) {
  unsigned long long given = reader->given;
  if (reader->size >= 0 && reader->given < (uint64_t)reader->size) {
    return cw_fail(reader->fail, CWE_READ_ERROR,
                   "the body ended after %llu of the %lld bytes announced",
                   given, (long long)reader->size);
  }
  if (reader->given < reader->skip) {
    return cw_fail(reader->fail, CWE_READ_ERROR,
                   "the body ended after %llu bytes, of which %llu were to be "
                   "skipped",
                   given, (unsigned long long)reader->skip);
  }
  reader->eof = true;
  return CW_OK;
}

static enum cw_code ask(struct cw_reader *reader, char *bytes, size_t n,
                        size_t *pnread) {
  if (!reader->ask) {
    if (!reader->source) {
      return CW_OK;
    }
    enum cw_code err = cw_source_read(reader->source, bytes, n, pnread);
    return err && err != CW_AGAIN ? source_failed(reader, err) : err;
  }
  enum cw_code err = reader->ask(reader->ask_data, bytes, n, pnread);
  if (!err && *pnread > n) {
    size_t claimed = *pnread;
    *pnread = 0;
    return cw_fail(reader->fail, CWE_READ_ERROR,
                   "the read callback claims %zu bytes in a buffer of %zu",
                   claimed, n);
  }
  if (err) {
    *pnread = 0;
  }
  return err;
}

/* The next raw bytes; the end sets reader->eof, in the same call where the
   announced size is reached. */
static enum cw_code read_raw(struct cw_reader *reader, char *bytes, size_t n,
                             size_t *pnread) {
  *pnread = 0;
  size_t want = n;
  if (reader->size >= 0) {
    uint64_t size = (uint64_t)reader->size;
    uint64_t left = reader->given < size ? size - reader->given : 0;
    want = want < left ? want : (size_t)left;
  }
  if (want == 0) {
    return at_end(reader);
  }
  enum cw_code err = ask(reader, bytes, want, pnread);
  if (err) {
    return err;
  }
  reader->given += *pnread;
  if (*pnread == 0 ||
      (reader->size >= 0 && reader->given >= (uint64_t)reader->size)) {
    return at_end(reader);
  }
  return CW_OK;
}

/* The caller's buffer takes the bytes that nobody wants. */
static enum cw_code skip(struct cw_reader *reader, char *bytes, size_t n) {
  while (reader->given < reader->skip && !reader->eof) {
    uint64_t left = reader->skip - reader->given;
    size_t nread;
    enum cw_code err =
        read_raw(reader, bytes, n < left ? n : (size_t)left, &nread);
    if (err) {
      return err;
    }
  }
  return CW_OK;
}

/* Spreads the nraw bytes at raw to out; a CR is put before an LF that has
   none. Returns how many there are now. */
static size_t spread(struct cw_reader *reader, const char *raw, size_t nraw,
                     char *out) {
  size_t n = 0;
  for (size_t i = 0; i < nraw; i++) {
    char c = raw[i];
    if (c == '\n' && !reader->last_cr) {
      out[n++] = '\r';
    }
    out[n++] = c;
    reader->last_cr = c == '\r';
  }
  return n;
}

/* The next raw bytes, converted. Those that a conversion waits for lie where
   they lay: the same buffer is offered again. */
static enum cw_code read_text(struct cw_reader *reader, char *raw, size_t room,
                              size_t *pnread) {
  size_t n = reader->held;
  enum cw_code err = n > 0 ? CW_OK : read_raw(reader, raw, room, &n);
  if (!err && reader->convert && n > 0) {
    reader->held = n;
    err = reader->convert(reader->convert_data, raw, n);
  }
  if (err) {
    *pnread = 0;
    return err;
  }
  reader->held = 0;
  *pnread = n;
  return CW_OK;
}

enum cw_code cw_reader_read(struct cw_reader *reader, char *bytes, size_t n,
                            size_t *pnread, bool *peof) {
  *pnread = 0;
  *peof = false;
  if (reader->source && !reader->started) {
    enum cw_code err = start_source(reader);
    if (err) {
      return err;
    }
    reader->started = true;
  }
  enum cw_code err = skip(reader, bytes, n);
  if (!err && (!reader->eof || reader->held > 0)) {
    size_t room = reader->crlf ? n / 2 : n;
    char *raw = bytes + (n - room);
    err = read_text(reader, raw, room, pnread);
    if (!err && reader->crlf) {
      *pnread = spread(reader, raw, *pnread, bytes);
    }
  }
  *peof = reader->eof && reader->held == 0;
  return err;
}

enum cw_code cw_reader_rewind(struct cw_reader *reader) {
  if (reader->source && reader->started) {
    enum cw_code err = cw_source_seek(reader->source, 0);
    if (err) {
      return source_failed(reader, err);
    }
  }
  reader->given = 0;
  reader->started = false;
  reader->last_cr = false;
  reader->eof = false;
  reader->held = 0;
  return CW_OK;
}
