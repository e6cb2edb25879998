/*
 * How a transfer gets its connection: an idle one with an equal key, or a new
 * one after its addresses were found. A transfer that may not open another
 * connection yet (limits per host and in all) waits in the multi's list and is
 * woken, in order, when one becomes free.
 */
#include <string.h>

#include "engine/conv.h"
#include "engine/multi.h"
#include "engine/scheme.h"
#include "engine/states.h"

static const struct cw_options *opts(const struct cw_easy *easy) {
  return &easy->options;
}

/* --- queued
 * -------------------------------------------------------------------------------
 */

static bool may_open(struct cw_easy *easy) {
  struct cw_multi *multi = easy->multi;
  struct cw_slice key = cw_buf_slice(&easy->t.key);
  int64_t total = multi->option[cw_mopt_max_total_connections].i;
  int64_t host = multi->option[cw_mopt_max_host_connections].i;
  if (host > 0 &&
      cw_pool_count_to(multi->pool, key) + cw_multi_opening_to(multi, key) >=
          (uint64_t)host) {
    return false;
  }
  if (total > 0 &&
      cw_pool_count(multi->pool) + multi->opening.count >= (uint64_t)total) {
    return cw_pool_close_one_idle(multi->pool);
  }
  return true;
}

static bool take_idle(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  if (t->fresh || cw_opt_i(opts(easy), cw_opt_fresh_connect)) {
    return false;
  }
  struct cw_pool *pool = easy->multi->pool;
  struct cw_slice key = cw_buf_slice(&t->key);
  int64_t idle_us = cw_opt_i(opts(easy), cw_opt_maxage_conn) * 1000000;
  int64_t age_us = cw_opt_i(opts(easy), cw_opt_maxlifetime_conn) * 1000000;
  struct cw_parked *parked = cw_share_conns(easy);
  t->conn_id = cw_pool_take_idle(pool, key, idle_us, age_us);
  /* One more for this multi, as a new one would be. */
  if (!t->conn_id && parked && may_open(easy)) {
    t->conn_id = cw_parked_take(parked, pool, key, idle_us, age_us);
  }
  struct cw_conn *conn = cw_pool_get(pool, t->conn_id);
  if (!conn) {
    t->conn_id = 0;
    return false;
  }
  struct cw_conn_user user = cw_conn_hooks(easy);
  cw_conn_set_user(conn, &user);
  cw_conn_lend_sessions(conn, cw_share_sessions(easy));
  t->conn_reused = true;
  return true;
}

static void wait_for_connection(struct cw_easy *easy) {
  if (!cw_node_is_linked(&easy->t.waiting)) {
    cw_list_add_tail(&easy->multi->waiting, &easy->t.waiting);
  }
}

/* What HSTS made of a URL is of this transfer only. */
static enum cw_code prepare_url(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  bool upgraded = false;
  enum cw_code err = cw_request_prepare_url(easy);
  if (!err) {
    err = cw_hsts_upgrade(easy, &t->uri, &upgraded);
  }
  if (!err && upgraded) {
    t->hsts_upgraded = true;
    err = cw_request_prepare_url(easy); /* may it be https? */
  }
  if (t->hsts_upgraded) {
    easy->uri_serial = easy->key_serial = 0;
  }
  return err;
}

enum cw_code cw_step_queued(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  if (!cw_node_is_linked(&t->waiting)) {
    t->times.hop = cw_transfer_now(easy);
    enum cw_code err = cw_hsts_start(easy);
    if (!err) {
      err = prepare_url(easy);
    }
    if (!err) {
      err = cw_proxy_choose(easy);
    }
    if (err) {
      return err;
    }
  }
  if (!easy->proto->needs_connection) {
    t->times.queued = cw_transfer_now(easy);
    cw_transfer_set_state(easy, cw_state_opening);
    return CW_OK;
  }
  enum cw_code err = cw_key_make(easy);
  if (err) {
    return err;
  }
  t->conn_reused = t->conn_noted = false;
  if (take_idle(easy)) {
    cw_tracef(easy, "reusing connection to %s", t->uri.host);
    cw_list_remove(&easy->multi->waiting, &t->waiting);
    t->times.queued = cw_transfer_now(easy);
    cw_transfer_set_state(easy, cw_state_opening);
    return CW_OK;
  }
  if (!may_open(easy)) {
    wait_for_connection(easy);
    return CW_AGAIN;
  }
  cw_list_remove(&easy->multi->waiting, &t->waiting);
  cw_list_add_tail(&easy->multi->opening, &t->opening);
  cw_key_explain(easy,
                 cw_pool_similar_key(easy->multi->pool, cw_buf_slice(&t->key)));
  t->times.queued = cw_transfer_now(easy);
  t->resolve_asked = t->resolver_told = false;
  cw_transfer_set_state(easy, cw_state_resolving);
  return CW_OK;
}

/* --- connecting
 * --------------------------------------------------------------------------------
 */

static void fill_tls(struct cw_easy *easy, struct cw_tls_config *tls) {
  const struct cw_options *o = opts(easy);
  int64_t version = cw_opt_i(o, cw_opt_sslversion);
  tls->verify_peer = cw_opt_i(o, cw_opt_ssl_verifypeer) != 0;
  tls->verify_host = cw_opt_i(o, cw_opt_ssl_verifyhost) != 0;
  tls->ca_file = cw_opt_s(o, cw_opt_cainfo);
  tls->ca_path = cw_opt_s(o, cw_opt_capath);
  tls->ca_blob = cw_opt_blob(o, cw_opt_cainfo_blob);
  tls->crl_file = cw_opt_s(o, cw_opt_crlfile);
  tls->cert_file = cw_opt_s(o, cw_opt_sslcert);
  tls->cert_type = cw_opt_s(o, cw_opt_sslcerttype);
  tls->cert_blob = cw_opt_blob(o, cw_opt_sslcert_blob);
  tls->key_file = cw_opt_s(o, cw_opt_sslkey);
  tls->key_type = cw_opt_s(o, cw_opt_sslkeytype);
  tls->key_blob = cw_opt_blob(o, cw_opt_sslkey_blob);
  tls->key_password = cw_opt_s(o, cw_opt_keypasswd);
  tls->ciphers = cw_opt_s(o, cw_opt_ssl_cipher_list);
  tls->ciphers13 = cw_opt_s(o, cw_opt_tls13_ciphers);
  tls->curves = cw_opt_s(o, cw_opt_ssl_ec_curves);
  tls->sigalgs = cw_opt_s(o, cw_opt_ssl_signature_algorithms);
  tls->pinned_key = cw_opt_s(o, cw_opt_pinnedpublickey);
  tls->min_version = (int)(version & 0xffff);
  tls->max_version = (int)(version >> 16);
  tls->session_cache = cw_opt_i(o, cw_opt_ssl_sessionid_cache) != 0;
  tls->certinfo = cw_opt_i(o, cw_opt_certinfo) != 0;
  tls->alpn = cw_opt_i(o, cw_opt_ssl_enable_alpn) ? easy->proto->alpn : NULL;
}

static void fill_socket(struct cw_easy *easy, struct cw_socket_options *s) {
  const struct cw_options *o = opts(easy);
  s->nodelay = cw_opt_i(o, cw_opt_tcp_nodelay) != 0;
  s->keepalive = cw_opt_i(o, cw_opt_tcp_keepalive) != 0;
  s->keepidle_s = (int)cw_opt_i(o, cw_opt_tcp_keepidle);
  s->keepintvl_s = (int)cw_opt_i(o, cw_opt_tcp_keepintvl);
  s->keepcnt = (int)cw_opt_i(o, cw_opt_tcp_keepcnt);
  s->interface = cw_opt_s(o, cw_opt_interface);
  s->local_port = (int)cw_opt_i(o, cw_opt_localport);
  s->local_port_range = (int)cw_opt_i(o, cw_opt_localportrange);
}

static int64_t connect_deadline(const struct cw_easy *easy) {
  int64_t limit = cw_opt_i(opts(easy), cw_opt_connecttimeout_ms) * 1000;
  return limit > 0 ? easy->t.times.queued + limit : 0;
}

void cw_spec_fill(struct cw_easy *easy, struct cw_conn_spec *spec) {
  const struct cw_options *o = opts(easy);
  spec->happy_eyeballs_us =
      cw_opt_i(o, cw_opt_happy_eyeballs_timeout_ms) * 1000;
  spec->close_hook = (struct cw_close_hook){
      (cw_closesocket_fn)cw_opt_f(o, cw_opt_closesocketfunction),
      cw_opt_p(o, cw_opt_closesocketdata)};
  fill_socket(easy, &spec->socket);
  fill_tls(easy, &spec->tls_config);
}

/* Where the connection leads by way of a proxy. */
struct way {
  char proxy[512];
  char tunnel_to[CW_AUTHORITY_BYTES];
};

static enum cw_code fill_way(struct cw_easy *easy, struct way *way,
                             struct cw_conn_spec *spec) {
  const struct cw_uri *proxy = cw_proxy_uri(easy);
  struct cw_target target;
  if (!proxy) {
    return CW_OK;
  }
  (void)cw_host_bare(cw_slice_str(proxy->host), way->proxy, sizeof(way->proxy));
  spec->proxy = way->proxy;
  spec->proxy_port = cw_proxy_port(easy);
  if (!cw_proxy_tunnels(easy)) {
    spec->tls = false;
    return CW_OK;
  }
  enum cw_code err = cw_target_find(easy, &target);
  if (!err) {
    err = cw_conv_request(easy); /* CONNECT is made of it, too */
  }
  cw_target_text(&target, way->tunnel_to);
  spec->tunnel_to = way->tunnel_to;
  /* The answer's head may be part of the body (CWOPT_HEADER). */
  return err ? err : cw_request_ready_writer(easy);
}

static enum cw_code make_connection(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  struct way way;
  char host[512];
  if (!cw_host_bare(cw_slice_str(t->uri.host), host, sizeof(host))) {
    return CWE_URL_MALFORMAT;
  }
  struct cw_conn_spec spec = {
      .host = host,
      .port = cw_uri_port(&t->uri),
      .tls = cw_scheme_has(t->uri.scheme, sc_tls),
      .sessions_of = easy->proto->owns_tls_sessions ? CW_SESSIONS_OWN : 0,
      .sessions = cw_share_sessions(easy),
      .addrs = t->addrs,
      .deadline_us = connect_deadline(easy),
      .key = cw_buf_slice(&t->key),
  };
  cw_spec_fill(easy, &spec);
  enum cw_code err = fill_way(easy, &way, &spec);
  if (err) {
    return err;
  }
  struct cw_conn_user user = cw_conn_hooks(easy);
  t->connects++;
  cw_list_remove(&easy->multi->opening, &t->opening);
  return cw_conn_new(easy->multi->pool, &spec, &user, &easy->fail, &t->conn_id);
}

/* The proxy ended the connection with its question: the answer goes on another
   one. How often is bounded by the rounds of authentication. */
static enum cw_code connect_again(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  cw_tracef(easy, "%s: once more on another connection", easy->fail.detail);
  cw_fail_clear(&easy->fail);
  cw_conn_close(easy->multi->pool, t->conn_id);
  t->conn_id = 0;
  t->line_stage = 0;
  t->line_taken = 0;
  t->line_conv = CW_LINE_PLAIN;
  return CW_OK;
}

enum cw_code cw_step_connecting(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  if (t->conn_id == 0) {
    enum cw_code err = make_connection(easy);
    if (err) {
      return err;
    }
  }
  struct cw_conn *conn = cw_pool_get(easy->multi->pool, t->conn_id);
  if (!conn) {
    return cw_fail(&easy->fail, CWE_COULDNT_CONNECT,
                   "the connection was closed meanwhile");
  }
  enum cw_code err = cw_conn_step(conn, &easy->fail);
  if (err && err != CW_AGAIN && cw_conn_says_again(conn)) {
    return connect_again(easy);
  }
  if (err) {
    return err;
  }
  cw_addrs_unref(t->addrs);
  t->addrs = NULL;
  cw_transfer_set_state(easy, cw_state_opening);
  return CW_OK;
}
