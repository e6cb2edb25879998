#include "proto/body.h"

enum cw_code cw_body_give(struct cw_exchange *x, struct cw_chunk *chunk,
                          size_t n, size_t *ptaken) {
  struct cw_piece piece = {chunk->bytes + chunk->start, n, chunk};
  size_t taken = 0;
  enum cw_code err = cw_writer_write(&x->writer, &piece, &taken);
  taken = err ? taken : n;
  chunk->start += taken;
  x->response.body_received += taken;
  *ptaken = taken;
  return err;
}

enum cw_code cw_body_fresh(struct cw_exchange *x, struct cw_chunk **pchunk) {
  if (*pchunk && (*pchunk)->refs > 1) {
    cw_chunk_unref(*pchunk);
    *pchunk = NULL;
  }
  if (!*pchunk) {
    *pchunk = cw_chunk_take(x->chunks);
    if (!*pchunk) {
      return cw_fail_oom(x->fail);
    }
  }
  (*pchunk)->start = (*pchunk)->end = 0;
  return CW_OK;
}

enum cw_code cw_body_fill(struct cw_exchange *x, struct cw_chunk **pchunk,
                          size_t lead, size_t tail, bool *peof) {
  struct cw_chunk *chunk = *pchunk;
  if (!chunk) {
    chunk = *pchunk = cw_chunk_take(x->chunks);
    if (!chunk) {
      return cw_fail_oom(x->fail);
    }
  }
  size_t room = chunk->cap - lead - tail;
  if (room > x->request.upload_ask_bytes) {
    room = x->request.upload_ask_bytes;
  }
  size_t n = 0;
  enum cw_code err =
      cw_reader_read(&x->reader, chunk->bytes + lead, room, &n, peof);
  if (!err) {
    chunk->start = lead;
    chunk->end = lead + n;
  }
  return err;
}
