/*
 * Bytes between OpenSSL and the filter below.
 *
 * How it works: one receive fills a whole chunk, from which OpenSSL takes its
 * five-byte headers and its records without another call. What it writes
 * gathers in a chunk that is sent once, when the call that made it ends; only
 * a handshake flight longer than a chunk is sent in between.
 *
 * A receive that left room in the chunk has emptied the socket. When the
 * caller has something by then, the next receive is not tried: it could only
 * say "not now".
 */
#include "conn/cf_tls.h"

static BIO_METHOD *bio_method;
static CRYPTO_ONCE bio_once = CRYPTO_ONCE_STATIC_INIT;

static void trim(struct cw_chunk **pchunk) {
  if (*pchunk && cw_chunk_len(*pchunk) == 0) {
    cw_chunk_unref(*pchunk);
    *pchunk = NULL;
  }
}

void cf_tls_trim(struct cf_tls *tls) {
  trim(&tls->in);
  trim(&tls->out);
}

static bool chunk_need(struct cf_tls *tls, struct cw_chunk **pchunk) {
  struct cw_chunk_pool *pool = cw_loop_chunks(tls->f.conn->loop);
  if (!*pchunk && pool) {
    *pchunk = cw_chunk_take(pool);
  }
  if (!*pchunk) {
    cw_fail_oom(&tls->io);
  }
  return *pchunk != NULL;
}

size_t cf_tls_out_room(const struct cf_tls *tls) {
  if (tls->out) {
    return cw_chunk_room(tls->out);
  }
  const struct cw_chunk_pool *pool = cw_loop_chunks(tls->f.conn->loop);
  /* Without a pool the write is to find out that there is no memory. */
  return pool ? cw_chunk_pool_cap(pool) : TLS_RECORD_BYTES;
}

enum cw_code cf_tls_flush(struct cf_tls *tls) {
  struct cw_filter *next = tls->f.next;
  while (tls->out && cw_chunk_len(tls->out) > 0) {
    struct iovec iov = {tls->out->bytes + tls->out->start,
                        cw_chunk_len(tls->out)};
    size_t n = 0;
    enum cw_code err = next->type->write(next, &iov, 1, &n, &tls->io);
    if (err != CW_OK) {
      return err;
    }
    tls->out->start += n;
  }
  trim(&tls->out);
  return CW_OK;
}

/* Receives into the empty chunk. CW_OK with nothing in it: the end. */
static enum cw_code bio_fill(struct cf_tls *tls) {
  if (tls->short_read && tls->got) {
    return CW_AGAIN;
  }
  if (!chunk_need(tls, &tls->in)) {
    return CWE_OUT_OF_MEMORY;
  }
  struct cw_chunk *in = tls->in;
  in->start = 0;
  in->end = 0;
  size_t n = 0;
  struct cw_filter *next = tls->f.next;
  enum cw_code err = next->type->read(next, in->bytes, in->cap, &n, &tls->io);
  if (err != CW_OK) {
    return err;
  }
  in->end = n;
  tls->eof = n == 0;
  tls->short_read = n < in->cap;
  return CW_OK;
}

static int bio_read(BIO *bio, char *bytes, size_t n, size_t *pnread) {
  struct cf_tls *tls = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  *pnread = 0;
  if (tls->eof) {
    return 0;
  }
  if (!tls->in || cw_chunk_len(tls->in) == 0) {
    enum cw_code err = bio_fill(tls);
    if (err == CW_AGAIN) {
      BIO_set_retry_read(bio);
    }
    if (err != CW_OK || tls->eof) {
      return 0;
    }
  }
  size_t have = cw_chunk_len(tls->in);
  size_t take = n < have ? n : have;
  memcpy(bytes, tls->in->bytes + tls->in->start, take);
  tls->in->start += take;
  *pnread = take;
  return 1;
}

/* Room for at least one byte more, by sending what is there if need be. */
static enum cw_code bio_make_room(struct cf_tls *tls) {
  if (tls->out && cw_chunk_room(tls->out) == 0) {
    enum cw_code err = cf_tls_flush(tls);
    if (err != CW_OK) {
      return err;
    }
  }
  return chunk_need(tls, &tls->out) ? CW_OK : CWE_OUT_OF_MEMORY;
}

static int bio_write(BIO *bio, const char *bytes, size_t n, size_t *pnwritten) {
  struct cf_tls *tls = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  *pnwritten = 0;
  while (*pnwritten < n) {
    enum cw_code err = bio_make_room(tls);
    if (err == CW_AGAIN && *pnwritten == 0) {
      BIO_set_retry_write(bio);
    }
    if (err != CW_OK) {
      break;
    }
    size_t room = cw_chunk_room(tls->out);
    size_t take = n - *pnwritten < room ? n - *pnwritten : room;
    memcpy(tls->out->bytes + tls->out->end, bytes + *pnwritten, take);
    tls->out->end += take;
    *pnwritten += take;
  }
  return *pnwritten > 0;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr) {
  (void)num;
  (void)ptr;
  const struct cf_tls *tls = BIO_get_data(bio);
  switch (cmd) {
  case BIO_CTRL_FLUSH:
    return 1; /* sent when the call ends */
  case BIO_CTRL_EOF:
    return tls && tls->eof;
  default:
    return 0;
  }
}

static int bio_create(BIO *bio) {
  BIO_set_init(bio, 1);
  return 1;
}

static void bio_make_method(void) {
  BIO_METHOD *m =
      BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "curlew filter");
  if (m && BIO_meth_set_read_ex(m, bio_read) &&
      BIO_meth_set_write_ex(m, bio_write) && BIO_meth_set_ctrl(m, bio_ctrl) &&
      BIO_meth_set_create(m, bio_create)) {
    bio_method = m;
  } else {
    BIO_meth_free(m);
  }
}

bool cf_tls_attach_bio(struct cf_tls *tls) {
  CRYPTO_THREAD_run_once(&bio_once, bio_make_method);
  BIO *bio = bio_method ? BIO_new(bio_method) : NULL;
  if (!bio) {
    return false;
  }
  BIO_set_data(bio, tls);
  SSL_set_bio(tls->ssl, bio, bio);
  return true;
}
