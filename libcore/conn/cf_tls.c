/*
 * TLS as a filter, client and server.
 *
 * How it works: reading asks OpenSSL for plaintext right into the caller's
 * bytes until they are full or nothing more lies here; an error that comes
 * behind bytes is kept for the next read. Writing makes records of up to 16
 * KiB, small pieces put together into one, and sends them with one call at the
 * end. What the socket does not take then is kept and goes first next time:
 * the caller's bytes count as written, and "want" adds writing until it is
 * gone.
 */
#include "conn/cf_tls.h"

#include <stdio.h>

#include <openssl/err.h>

#include "base/mem.h"

/* --- connecting ---------------------------------------------------------- */

/* The user's ssl_ctx hook; its code becomes the result. */
static enum cw_code tls_ask_hook(struct cf_tls *tls, struct cw_fail *fail) {
  const struct cw_conn_user *user = &tls->f.conn->user;
  if (tls->server || !user->ssl_ctx) {
    return CW_OK;
  }
  enum cw_code err = user->ssl_ctx(user->data, tls->ctx);
  if (err != CW_OK && err != CW_AGAIN) {
    return cw_fail(fail, err, "stopped by the ssl_ctx callback");
  }
  return err;
}

static enum cw_code tls_step(struct cw_filter *f, struct cw_fail *fail) {
  struct cf_tls *tls = cf_tls_of(f);
  enum cw_code err = cw_filter_step(&f->next, fail);
  if (err == CW_OK && tls->state == TLS_NEW) {
    err = tls_ask_hook(tls, fail);
    if (err == CW_OK) {
      err = cf_tls_start(tls, fail);
    }
  }
  if (err == CW_OK && tls->state == TLS_HANDSHAKE) {
    err = cf_tls_handshake(tls, fail);
  }
  if (err == CW_OK && tls->state == TLS_BROKEN) {
    err = cw_fail(fail, CWE_SSL_CONNECT_ERROR, "the TLS handshake has failed");
  }
  return err;
}

/* --- reading ------------------------------------------------------------- */

/* SSL_read gave nothing: what does that mean? CW_OK: the end. */
static enum cw_code tls_read_stopped(struct cf_tls *tls, int why) {
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    return CW_AGAIN;
  }
  if (why == SSL_ERROR_ZERO_RETURN) {
    return CW_OK;
  }
  tls->state = TLS_BROKEN;
  if (tls->io.code != CW_OK) {
    ERR_clear_error();
    return cw_fail(&tls->late, tls->io.code, "%s", tls->io.detail);
  }
  if (tls->eof) {
    ERR_clear_error();
    return CW_OK; /* cut off; eof_is_clean tells */
  }
  char text[160];
  cf_tls_error_text(text, sizeof text);
  return cw_fail(&tls->late, CWE_RECV_ERROR, "TLS: %s", text);
}

static enum cw_code tls_read_late(struct cf_tls *tls, struct cw_fail *fail) {
  if (tls->late.code == CW_OK) {
    return CW_OK; /* the end, once more */
  }
  enum cw_code err = cw_fail(fail, tls->late.code, "%s", tls->late.detail);
  if (fail && fail->os_errno == 0) {
    fail->os_errno = tls->io.os_errno;
  }
  return err;
}

/* Sends what waits, without letting that stand in the way of reading: what the
   peer said before it closed is worth having. Writing has failed then. */
static void tls_flush_reading(struct cf_tls *tls) {
  if (!tls->out || tls->io.code != CW_OK) {
    return;
  }
  enum cw_code err = cf_tls_flush(tls);
  if (err != CW_OK && err != CW_AGAIN) {
    tls->write_failed = tls->io;
    cw_fail_clear(&tls->io);
    cw_chunk_unref(tls->out);
    tls->out = NULL;
  }
}

static enum cw_code tls_read(struct cw_filter *f, char *bytes, size_t n,
                             size_t *pnread, struct cw_fail *fail) {
  struct cf_tls *tls = cf_tls_of(f);
  if (tls->state != TLS_UP) {
    return tls_read_late(tls, fail);
  }
  cw_fail_clear(&tls->io);
  tls->got = false;
  tls_flush_reading(tls);
  enum cw_code err = CW_OK;
  ERR_clear_error();
  while (*pnread < n) {
    size_t one = 0;
    int ok = SSL_read_ex(tls->ssl, bytes + *pnread, n - *pnread, &one);
    if (!ok) {
      err = tls_read_stopped(tls, SSL_get_error(tls->ssl, 0));
      break;
    }
    *pnread += one;
    tls->got = true;
  }
  tls_flush_reading(tls);
  cf_tls_trim(tls);
  if (*pnread > 0 || err == CW_AGAIN) {
    return *pnread > 0 ? CW_OK : CW_AGAIN;
  }
  return err == CW_OK ? CW_OK : tls_read_late(tls, fail);
}

/* --- writing ------------------------------------------------------------- */

/* Where a write stands in its caller's pieces. */
struct tls_gather {
  const struct iovec *iov;
  int niov;
  size_t at; /* bytes of iov[0] that are done */
};

static void gather_skip(struct tls_gather *g, size_t n) {
  g->at += n;
  while (g->niov > 0 && g->at >= g->iov->iov_len) {
    g->at -= g->iov->iov_len;
    g->iov++;
    g->niov--;
  }
}

/* The bytes of the next record: as they lie if one piece fills it or is the
   last, else put together in stage. */
static struct cw_slice gather_record(const struct tls_gather *g, char *stage,
                                     size_t max) {
  const char *first = (const char *)g->iov->iov_base + g->at;
  size_t have = g->iov->iov_len - g->at;
  if (have >= max || g->niov == 1) {
    return cw_slice(first, have < max ? have : max);
  }
  struct tls_gather h = *g;
  size_t len = 0;
  while (h.niov > 0 && len < max) {
    have = h.iov->iov_len - h.at;
    size_t take = have < max - len ? have : max - len;
    memcpy(stage + len, (const char *)h.iov->iov_base + h.at, take);
    len += take;
    gather_skip(&h, take);
  }
  return cw_slice(stage, len);
}

/* Tells the socket what is waited for: by the user, and to send what is kept.
 */
static void tls_update_want(struct cf_tls *tls) {
  unsigned events = tls->wanted;
  if ((events & CW_READY_WRITE) && tls->write_wants_read) {
    events = CW_READY_READ;
  }
  if (tls->out && tls->state == TLS_UP) {
    events |= CW_READY_WRITE;
  }
  tls->f.next->type->want(tls->f.next, events);
}

static void tls_want(struct cw_filter *f, unsigned events) {
  struct cf_tls *tls = cf_tls_of(f);
  tls->wanted = events;
  tls_update_want(tls);
}

static enum cw_code tls_write_failed(struct cf_tls *tls, int why,
                                     struct cw_fail *fail) {
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    tls->write_wants_read = why == SSL_ERROR_WANT_READ;
    return CW_AGAIN;
  }
  tls->state = TLS_BROKEN;
  if (tls->io.code == CWE_OUT_OF_MEMORY) {
    return cw_fail_oom(fail);
  }
  char text[160];
  cf_tls_error_text(text, sizeof text);
  return cw_fail(fail, CWE_SEND_ERROR, "TLS: %s", text);
}

/* Encrypts as much as one chunk holds. */
static enum cw_code tls_encrypt(struct cf_tls *tls, struct tls_gather *g,
                                size_t *pnwritten, struct cw_fail *fail) {
  char stage[TLS_RECORD_BYTES];
  ERR_clear_error();
  while (g->niov > 0) {
    size_t room = cf_tls_out_room(tls);
    if (room <= 2 * TLS_RECORD_OVERHEAD) {
      break;
    }
    size_t max = room - TLS_RECORD_OVERHEAD;
    if (max<TLS_RECORD_BYTES && * pnwritten> 0) {
      break; /* a small record would cost more than another call */
    }
    max = max < TLS_RECORD_BYTES ? max : TLS_RECORD_BYTES;
    struct cw_slice record = gather_record(g, stage, max);
    size_t one = 0;
    if (!SSL_write_ex(tls->ssl, record.ptr, record.len, &one)) {
      return tls_write_failed(tls, SSL_get_error(tls->ssl, 0), fail);
    }
    *pnwritten += one;
    gather_skip(g, one);
  }
  return CW_OK;
}

static enum cw_code tls_io_failed(struct cf_tls *tls, enum cw_code err,
                                  struct cw_fail *fail) {
  err = cw_fail(fail, err, "%s", tls->io.detail);
  if (fail && fail->os_errno == 0) {
    fail->os_errno = tls->io.os_errno;
  }
  return err;
}

static enum cw_code tls_write(struct cw_filter *f, const struct iovec *iov,
                              int niov, size_t *pnwritten,
                              struct cw_fail *fail) {
  struct cf_tls *tls = cf_tls_of(f);
  if (tls->state != TLS_UP) {
    return cw_fail(fail, CWE_SEND_ERROR, "the TLS session has ended");
  }
  if (tls->write_failed.code != CW_OK) {
    tls->io = tls->write_failed;
    return tls_io_failed(tls, tls->io.code, fail);
  }
  cw_fail_clear(&tls->io);
  enum cw_code err = cf_tls_flush(tls); /* what was written before */
  if (err == CW_AGAIN) {
    return CW_AGAIN;
  }
  if (err != CW_OK) {
    return tls_io_failed(tls, err, fail);
  }
  tls->write_wants_read = false;
  tls->got = false;
  struct tls_gather g = {iov, niov, 0};
  gather_skip(&g, 0);
  err = tls_encrypt(tls, &g, pnwritten, fail);
  enum cw_code flushed = cf_tls_flush(tls);
  cf_tls_trim(tls);
  if (flushed != CW_OK && flushed != CW_AGAIN) {
    *pnwritten = 0;
    return tls_io_failed(tls, flushed, fail);
  }
  if (tls->out) {
    tls_update_want(tls);
  }
  return *pnwritten > 0 ? CW_OK : err;
}

/* --- the rest ------------------------------------------------------------ */

static enum cw_code tls_shutdown(struct cw_filter *f) {
  struct cf_tls *tls = cf_tls_of(f);
  if (tls->state == TLS_UP && !tls->eof) {
    cw_fail_clear(&tls->io);
    if (!(SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN)) {
      ERR_clear_error();
      (void)SSL_shutdown(tls->ssl); /* 0: said, not yet answered */
      ERR_clear_error();
    }
    if (cf_tls_flush(tls) == CW_AGAIN) {
      return CW_AGAIN;
    }
  }
  return f->next->type->shutdown(f->next);
}

static void tls_event(struct cw_filter *f) {
  struct cf_tls *tls = cf_tls_of(f);
  if (tls->out && tls->state == TLS_UP) {
    cw_fail_clear(&tls->io);
    tls_flush_reading(tls);
    tls_update_want(tls);
  }
}

static bool tls_pending(const struct cw_filter *f) {
  const struct cf_tls *tls = cf_tls_of(f);
  if (tls->state == TLS_NEW || tls->state == TLS_HANDSHAKE) {
    return false;
  }
  if (tls->state == TLS_BROKEN || tls->eof ||
      (SSL_get_shutdown(tls->ssl) & SSL_RECEIVED_SHUTDOWN)) {
    return true; /* the end, which may have come along with the last bytes */
  }
  return SSL_pending(tls->ssl) > 0 || tls->in ||
         f->next->type->pending(f->next);
}

static bool tls_query(const struct cw_filter *f, enum cw_filter_query what,
                      void *out) {
  const struct cf_tls *tls = cf_tls_of(f);
  switch (what) {
  case CW_QUERY_ALPN:
    *(const char **)out = tls->alpn;
    return true;
  case CW_QUERY_SSL:
    *(void **)out = tls->ssl;
    return true;
  case CW_QUERY_CLEAN_EOF:
    *(bool *)out =
        tls->ssl && (SSL_get_shutdown(tls->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
    return true;
  case CW_QUERY_CERTINFO:
    *(bool *)out = tls->certinfo;
    return true;
  default:
    return cw_filter_pass_query(f, what, out);
  }
}

/* What a hook put into the context may belong to one thread; so do chunks and
   the sessions of a pool. */
static bool tls_move(struct cw_filter *f, struct cw_loop *loop) {
  struct cf_tls *tls = cf_tls_of(f);
  if (tls->own_context || tls->server || tls->state != TLS_UP || tls->in ||
      tls->out) {
    return false;
  }
  if (!f->next->type->move || !f->next->type->move(f->next, loop)) {
    return false;
  }
  if (!loop) {
    tls->sessions = NULL; /* whoever takes it lends it some */
  }
  return true;
}

static void tls_close(struct cw_filter *f) {
  struct cf_tls *tls = cf_tls_of(f);
  SSL_free(tls->ssl);
  SSL_CTX_free(tls->ctx);
  cw_chunk_unref(tls->in);
  cw_chunk_unref(tls->out);
  cw_free(tls->session_key);
  cw_free(tls->host);
  cw_free(tls->pinned);
  cw_free(tls);
}

static const struct cw_filter_type tls_type = {
    .name = "tls",
    .phase = "tls",
    .step = tls_step,
    .read = tls_read,
    .write = tls_write,
    .shutdown = tls_shutdown,
    .want = tls_want,
    .event = tls_event,
    .pending = tls_pending,
    .query = tls_query,
    .move = tls_move,
    .close = tls_close,
};

bool cw_cf_is_tls(const struct cw_filter *f) {
  return f->type == &tls_type;
}

enum cw_code cw_cf_tls_end(struct cw_filter *f, bool say,
                           struct cw_fail *fail) {
  struct cf_tls *tls = cf_tls_of(f);
  cw_fail_clear(&tls->io);
  if (say && !(SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN)) {
    ERR_clear_error();
    (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
  }
  if (cf_tls_flush(tls) == CW_AGAIN) {
    tls_want(f, CW_READY_WRITE);
    return CW_AGAIN;
  }
  char byte;
  size_t n = 0;
  enum cw_code err = tls_read(f, &byte, 1, &n, fail);
  if (err == CW_AGAIN) {
    tls_want(f, CW_READY_READ);
    return CW_AGAIN;
  }
  /* Plain bytes that came along with the end would be taken for protected
     ones, or be lost. */
  bool is_clean = (SSL_get_shutdown(tls->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
  if (err || n > 0 || !is_clean || tls->in) {
    return cw_fail(fail, CWE_USE_SSL_FAILED,
                   "the server did not end TLS as it had promised");
  }
  tls->f.next->type->want(tls->f.next, 0);
  return CW_OK;
}

static struct cf_tls *tls_shell(struct cw_conn *conn) {
  struct cf_tls *tls = cw_calloc(1, sizeof *tls);
  if (tls) {
    tls->f.type = &tls_type;
    tls->f.conn = conn;
  }
  return tls;
}

/* --- a client's ---------------------------------------------------------- */

/* The host as it is verified: a name without its final dot, or an address
   without its zone. */
static bool tls_set_host(struct cf_tls *tls, const char *host) {
  struct cw_sockaddr addr;
  size_t len = strlen(host);
  tls->is_ip = cw_sockaddr_parse(host, 0, &addr);
  if (tls->is_ip) {
    len = cw_slice_find(cw_slice_str(host), '%');
  } else if (len > 1 && host[len - 1] == '.') {
    len--;
  }
  tls->host = cw_memdup0(host, len);
  return tls->host != NULL;
}

static bool tls_set_session_key(struct cf_tls *tls,
                                const unsigned char key[CW_TLS_KEY_BYTES],
                                const struct cw_conn_spec *spec) {
  uint64_t of = spec->sessions_of == CW_SESSIONS_OWN ? tls->f.conn->id
                                                     : spec->sessions_of;
  struct cw_buf buf;
  cw_buf_init(&buf, 1024);
  enum cw_code err = cw_buf_add(&buf, key, CW_TLS_KEY_BYTES);
  if (err == CW_OK) {
    err = cw_buf_addf(&buf, "%s:%d %llu", tls->f.conn->host, spec->port,
                      (unsigned long long)of);
  }
  if (err == CW_OK) {
    tls->session_key_len = buf.len;
    tls->session_key = cw_buf_take(&buf);
  }
  cw_buf_fini(&buf);
  return tls->session_key != NULL;
}

static enum cw_code tls_copy_config(struct cf_tls *tls,
                                    const struct cw_conn_spec *spec,
                                    struct cw_fail *fail) {
  const struct cw_tls_config *config = &spec->tls_config;
  tls->verify_peer = config->verify_peer;
  tls->verify_host = config->verify_host;
  tls->certinfo = config->certinfo;
  tls->pinned = config->pinned_key ? cw_strdup(config->pinned_key) : NULL;
  if (!tls_set_host(tls, spec->host) || (config->pinned_key && !tls->pinned)) {
    return cw_fail_oom(fail);
  }
  if (tls->host[0] == '.' && tls->verify_host) {
    /* OpenSSL would take it as "any name below". */
    return cw_fail(fail, CWE_PEER_FAILED_VERIFICATION,
                   "no certificate can be for \"%.80s\"", tls->host);
  }
  if (config->alpn && config->alpn[0] &&
      !cw_tls_alpn_wire(config->alpn, tls->alpn_wire, sizeof tls->alpn_wire,
                        &tls->alpn_wire_len)) {
    return cw_fail(fail, CWE_SSL_CONNECT_ERROR,
                   "not a list of protocol names: \"%.80s\"", config->alpn);
  }
  return CW_OK;
}

static enum cw_code tls_set_context(struct cf_tls *tls,
                                    const struct cw_conn_spec *spec,
                                    struct cw_fail *fail) {
  const struct cw_tls_config *config = &spec->tls_config;
  struct cw_tls_store *store = cw_pool_tls(tls->f.conn->pool);
  /* What a hook does to a context is for that connection alone. */
  bool share = !tls->f.conn->user.ssl_ctx;
  tls->own_context = !share;
  unsigned char key[CW_TLS_KEY_BYTES];
  enum cw_code err = cw_tls_config_key(config, key);
  if (err != CW_OK) {
    return cw_fail_oom(fail);
  }
  err = cw_tls_context(store, config, key, share, fail, &tls->ctx);
  if (err != CW_OK) {
    return err;
  }
  if ((share || spec->sessions_of) && config->session_cache) {
    if (!tls_set_session_key(tls, key, spec)) {
      return cw_fail_oom(fail);
    }
    /* One that has sessions of its own keeps them to itself. */
    tls->may_borrow = spec->sessions_of == 0;
    tls->sessions = spec->sessions && tls->may_borrow
                        ? spec->sessions
                        : cw_tls_store_sessions(store);
  }
  return CW_OK;
}

void cw_conn_lend_sessions(struct cw_conn *conn,
                           struct cw_tls_sessions *sessions) {
  if (conn->top->type != &tls_type || !cf_tls_of(conn->top)->may_borrow) {
    return;
  }
  cf_tls_of(conn->top)->sessions =
      sessions ? sessions : cw_tls_store_sessions(cw_pool_tls(conn->pool));
}

enum cw_code cw_cf_tls_new(struct cw_conn *conn,
                           const struct cw_conn_spec *spec,
                           struct cw_filter *next, struct cw_fail *fail,
                           struct cw_filter **pf) {
  struct cf_tls *tls = tls_shell(conn);
  if (!tls) {
    return cw_fail_oom(fail);
  }
  enum cw_code err = tls_copy_config(tls, spec, fail);
  if (err == CW_OK) {
    err = tls_set_context(tls, spec, fail);
  }
  if (err != CW_OK) {
    tls_close(&tls->f);
    return err;
  }
  tls->f.next = next;
  *pf = &tls->f;
  return CW_OK;
}

enum cw_code cw_cf_tls_new_server(struct cw_conn *conn, SSL_CTX *ctx,
                                  struct cw_filter *next,
                                  struct cw_filter **pf) {
  struct cf_tls *tls = tls_shell(conn);
  if (!tls) {
    return CWE_OUT_OF_MEMORY;
  }
  tls->server = true;
  tls->host = cw_strdup("the client");
  if (!tls->host) {
    tls_close(&tls->f);
    return CWE_OUT_OF_MEMORY;
  }
  SSL_CTX_up_ref(ctx);
  tls->ctx = ctx;
  tls->f.next = next;
  *pf = &tls->f;
  return CW_OK;
}

struct cw_slist *cw_conn_certinfo(const struct cw_conn *conn, size_t index) {
  bool wanted = false;
  SSL *ssl = cw_conn_ssl(conn);
  if (!ssl || !conn->top->type->query(conn->top, CW_QUERY_CERTINFO, &wanted) ||
      !wanted) {
    return NULL;
  }
  STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
  if (chain && index < (size_t)sk_X509_num(chain)) {
    return cw_tls_cert_list(sk_X509_value(chain, (int)index));
  }
  /* A resumed session keeps the first certificate only. */
  X509 *cert = SSL_get0_peer_certificate(ssl);
  return !chain && cert && index == 0 ? cw_tls_cert_list(cert) : NULL;
}
