/* TLS: our client against our server on the virtual network. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "support/certs.h"
#include "support/conn_kit.h"

static struct kit kit;
static struct server server;
static struct client client;
static struct cert *ca, *leaf;
static struct cw_stream_tls server_tls;
static struct cw_blob ca_blob;
static struct cw_addrs *addrs;
static struct cw_conn_spec spec;
static char folder[] = "/tmp/curlew-test-XXXXXX";
static char paths[16][128]; /* of files in it */
static int npaths;

static struct cw_blob blob_of(const void *bytes, size_t n) {
  struct cw_blob blob = {(void *)(uintptr_t)bytes, n, CW_BLOB_NOCOPY};
  return blob;
}

static void setup(void) {
  kit_open(&kit);
  client_init(&kit, &client);
  ca = cert_make(&(struct cert_wish){.cn = "Test CA", .is_ca = true}, NULL);
  leaf = cert_make(
      &(struct cert_wish){.cn = "a.example",
                          .names = "DNS:a.example,DNS:*.b.example,IP:10.0.0.1"},
      ca);
  server_tls.cert_pem = leaf->pem;
  server_tls.key_pem = leaf->key_pem;
  ca_blob = blob_of(ca->pem, strlen(ca->pem));
  addrs = kit_addrs("10.0.0.1", 443);
  spec = kit_spec(addrs, "a.example", 443);
  spec.tls = true;
  spec.tls_config.ca_blob = &ca_blob;
}

static void teardown(void) {
  client_fini(&client);
  server_close(&server);
  kit_close(&kit);
  cw_addrs_unref(addrs);
  cert_free(leaf);
  cert_free(ca);
  while (npaths > 0) {
    unlink(paths[--npaths]);
  }
  rmdir(folder);
}

TestSuite(tls, .init = setup, .fini = teardown);

static void serve(void) {
  server_open(&kit, &server, "10.0.0.1", 443, &server_tls);
  server.echo = true;
}

/* Another certificate for the server. */
static struct cert *serve_as(const struct cert_wish *wish,
                             const struct cert *issuer) {
  struct cert *cert = cert_make(wish, issuer);
  server_tls.cert_pem = cert->pem;
  server_tls.key_pem = cert->key_pem;
  serve();
  return cert;
}

static enum cw_code go(void) {
  return client_connect(&client, &spec);
}

static void expect_ok(void) {
  enum cw_code err = go();
  cr_assert_eq(err, CW_OK, "%d: %s", err, client.fail.detail);
}

static void expect_failure(enum cw_code code, const char *words) {
  enum cw_code err = go();
  cr_assert_eq(err, code, "%d: %s", err, client.fail.detail);
  cr_assert(strstr(client.fail.detail, words), "\"%s\" is not in \"%s\"", words,
            client.fail.detail);
}

static bool traced(const char *words) {
  return strstr(client.trace.ptr, words) != NULL;
}

static char *write_file(const char *name, const void *bytes, size_t n) {
  cr_assert_lt(npaths, 16);
  char *p = paths[npaths++];
  if (npaths == 1) {
    cr_assert_not_null(mkdtemp(folder));
  }
  snprintf(p, 128, "%s/%s", folder, name);
  FILE *f = fopen(p, "wb");
  cr_assert_not_null(f);
  cr_assert_eq(fwrite(bytes, 1, n, f), n);
  fclose(f);
  return p;
}

static char *write_text(const char *name, const char *text) {
  return write_file(name, text, strlen(text));
}

/* --- handshake ----------------------------------------------------------- */

Test(tls, handshake_and_echo) {
  serve();
  expect_ok();
  client_echo(&client, "secret");
  cr_assert_str_eq(SSL_get_version(cw_conn_ssl(client_conn(&client))),
                   "TLSv1.3");
  struct cw_conn_info info;
  cw_conn_info(client_conn(&client), &info);
  cr_assert_eq(info.tls_verify_result, 0);
  cr_assert_str_eq(info.alpn, "");
  cr_assert(traced("SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384"));
  cr_assert(traced("subject: CN = a.example"));
  cr_assert(traced("issuer: CN = Test CA"));
  cr_assert(traced("names: a.example, *.b.example, 10.0.0.1"));
  cr_assert(traced("expire date: 2099-12-31 23:59:59 UTC"));
  cr_assert(traced("SSL certificate verify ok."));
  cr_assert_gt(client.ssl_bytes, 100);
}

Test(tls, handshake_takes_time_that_is_told_apart) {
  cw_vnet_latency_us(kit.net, 1000);
  serve();
  expect_ok();
  struct cw_conn_info info;
  cw_conn_info(client_conn(&client), &info);
  cr_assert_gt(info.connected_us, info.created_us);
  cr_assert_gt(info.secured_us, info.connected_us);
}

Test(tls, phase_says_tls_and_the_deadline_holds) {
  struct server mute;
  server_open(&kit, &mute, "10.0.0.1", 443, NULL);
  mute.deaf = true;
  spec.deadline_us = cw_loop_now_us(kit.loop) + 2000000;
  expect_failure(CWE_OPERATION_TIMEDOUT, "a.example:443 timed out");
  cr_assert_str_eq(cw_conn_phase(client_conn(&client)), "tls");
  cr_assert_eq(cw_vnet_now_us(kit.net), 2000000);
  server_close(&mute);
}

Test(tls, handshake_byte_by_byte) {
  cw_vnet_max_read(kit.net, 1);
  cw_vnet_max_write(kit.net, 1);
  cw_vnet_window(kit.net, 7);
  serve();
  expect_ok();
  client_echo(&client, "slow");
}

Test(tls, tls_1_2_when_that_is_the_most) {
  spec.tls_config.max_version = 6;
  serve();
  expect_ok();
  client_echo(&client, "old");
  cr_assert_str_eq(SSL_get_version(cw_conn_ssl(client_conn(&client))),
                   "TLSv1.2");
}

Test(tls, versions_that_cannot_be) {
  spec.tls_config.min_version = 7;
  spec.tls_config.max_version = 6;
  expect_failure(CWE_SSL_CONNECT_ERROR, "no TLS version from 1.3 to 1.2");
}

Test(tls, servers_without_tls_are_told_apart_from_broken_ones) {
  struct server plain;
  server_open(&kit, &plain, "10.0.0.1", 443, NULL);
  plain.echo = true; /* what it says back is no server hello */
  expect_failure(CWE_SSL_CONNECT_ERROR, "the TLS handshake with a.example:443");
  server_close(&plain);
}

static void close_at_once(void *data, struct cw_stream *stream) {
  char bytes[1000];
  size_t n = 0;
  (void)data;
  if (cw_stream_read(stream, bytes, sizeof bytes, &n) == CW_OK) {
    cw_stream_close(stream);
  }
}

static void accept_and_close(void *data, struct cw_stream *stream) {
  cw_stream_watch(stream, close_at_once, data);
}

Test(tls, end_in_the_handshake_is_said_so) {
  struct cw_listener *listener = NULL;
  cr_assert_eq(kit_listen(&kit, "10.0.0.1", 443, NULL, accept_and_close, NULL,
                          &client.fail, &listener),
               CW_OK);
  expect_failure(CWE_SSL_CONNECT_ERROR, "the peer closed the connection");
}

Test(tls, alerts_are_told_in_words) {
  serve();
  spec.tls_config.max_version = 6;
  /* The server's key is EC, this suite wants RSA. */
  spec.tls_config.ciphers = "AES128-SHA256";
  expect_failure(CWE_SSL_CONNECT_ERROR, "alert \"handshake failure\"");
}

/* --- verification -------------------------------------------------------- */

Test(tls, unknown_issuer) {
  struct cert *other =
      cert_make(&(struct cert_wish){.cn = "Other CA", .is_ca = true}, NULL);
  ca_blob = blob_of(other->pem, strlen(other->pem));
  serve();
  expect_failure(CWE_PEER_FAILED_VERIFICATION,
                 "issuer is not known (CN = Test CA)");
  cr_assert(strstr(client.fail.detail, "a.example:443"));
  cr_assert(traced("SSL certificate problem"));
  struct cw_conn_info info;
  cw_conn_info(client_conn(&client), &info);
  cr_assert_neq(info.tls_verify_result, 0);
  /* The other side is told why. */
  kit_settle(&kit);
  cr_assert_eq(server.peer[0]->code, CWE_SSL_CONNECT_ERROR);
  cr_assert(strstr(server.peer[0]->detail, "unknown CA"), "%s",
            server.peer[0]->detail);
  cert_free(other);
}

Test(tls, expired) {
  struct cert *cert =
      serve_as(&(struct cert_wish){.cn = "a.example",
                                   .names = "DNS:a.example",
                                   .not_after = "20320229235958Z"},
               ca);
  expect_failure(CWE_PEER_FAILED_VERIFICATION,
                 "(CN = a.example) expired on 2032-02-29 23:59:58 UTC");
  cert_free(cert);
}

Test(tls, not_yet_valid) {
  struct cert *cert =
      serve_as(&(struct cert_wish){.names = "DNS:a.example",
                                   .not_before = "20400101000000Z"},
               ca);
  expect_failure(CWE_PEER_FAILED_VERIFICATION,
                 "is not valid before 2040-01-01 00:00:00 UTC");
  cert_free(cert);
}

Test(tls, self_signed) {
  struct cert *cert =
      serve_as(&(struct cert_wish){.cn = "me", .names = "DNS:a.example"}, NULL);
  expect_failure(CWE_PEER_FAILED_VERIFICATION,
                 "is self-signed and not trusted (CN = me)");
  cert_free(cert);
}

Test(tls, self_signed_is_fine_when_it_is_trusted) {
  struct cert *cert =
      serve_as(&(struct cert_wish){.cn = "me", .names = "DNS:a.example"}, NULL);
  ca_blob = blob_of(cert->pem, strlen(cert->pem));
  expect_ok();
  cert_free(cert);
}

Test(tls, wrong_name) {
  spec.host = "c.example";
  serve();
  expect_failure(CWE_PEER_FAILED_VERIFICATION,
                 "is not for c.example but for a.example, *.b.example, "
                 "10.0.0.1");
}

Test(tls, names_and_wildcards) {
  static const struct {
    const char *host;
    bool good;
  } row[] = {
      {"a.example", true},   {"A.EXAMPLE", true},   {"a.example.", true},
      {"x.b.example", true}, {"b.example", false},  {"x.y.b.example", false},
      {"10.0.0.1", true},    {"10.0.0.2", false},   {"xa.example", false},
      {".a.example", false}, {".b.example", false}, {"::1", false},
  };
  serve();
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    spec.host = row[i].host;
    cw_fail_clear(&client.fail);
    enum cw_code err = go();
    cr_assert_eq(err, row[i].good ? CW_OK : CWE_PEER_FAILED_VERIFICATION,
                 "%s: %d %s", row[i].host, err, client.fail.detail);
    client_close(&client);
  }
}

Test(tls, partial_wildcards_match_nothing) {
  struct cert *cert =
      serve_as(&(struct cert_wish){.names = "DNS:w*.b.example"}, ca);
  spec.host = "www.b.example";
  expect_failure(CWE_PEER_FAILED_VERIFICATION, "is not for www.b.example");
  cert_free(cert);
}

Test(tls, verification_off_lets_all_in) {
  struct cert *cert =
      serve_as(&(struct cert_wish){.not_after = "20010101000000Z"}, NULL);
  spec.tls_config.verify_peer = false;
  spec.tls_config.verify_host = false;
  expect_ok();
  client_echo(&client, "whoever you are");
  struct cw_conn_info info;
  cw_conn_info(client_conn(&client), &info);
  cr_assert_neq(info.tls_verify_result, 0, "it is known all the same");
  cert_free(cert);
}

Test(tls, name_is_checked_even_if_the_chain_is_not) {
  struct cert *cert =
      serve_as(&(struct cert_wish){.names = "DNS:a.example"}, NULL);
  spec.tls_config.verify_peer = false;
  expect_ok();
  client_close(&client);
  spec.host = "c.example";
  expect_failure(CWE_PEER_FAILED_VERIFICATION,
                 "is not for c.example but for a.example");
  cert_free(cert);
}

Test(tls, partial_wildcards_match_nothing_without_a_chain_either) {
  struct cert *cert =
      serve_as(&(struct cert_wish){.names = "DNS:w*.b.example"}, NULL);
  spec.tls_config.verify_peer = false;
  spec.host = "www.b.example";
  expect_failure(CWE_PEER_FAILED_VERIFICATION, "is not for www.b.example");
  cert_free(cert);
}

Test(tls, name_may_be_left_unchecked) {
  serve();
  spec.tls_config.verify_host = false;
  spec.host = "c.example";
  expect_ok();
}

Test(tls, ca_files) {
  serve();
  spec.tls_config.ca_blob = NULL;
  spec.tls_config.ca_file = write_text("ca.pem", ca->pem);
  expect_ok();
  client_close(&client);
  spec.tls_config.ca_file = "/nowhere/ca.pem";
  expect_failure(CWE_SSL_CACERT_BADFILE, "/nowhere/ca.pem");
  cw_fail_clear(&client.fail);
  spec.tls_config.ca_file = write_text("junk.pem", "not a certificate");
  expect_failure(CWE_SSL_CACERT_BADFILE, "junk.pem");
  cw_fail_clear(&client.fail);
  spec.tls_config.ca_file = NULL;
  spec.tls_config.ca_path = "/nowhere/certs";
  expect_failure(CWE_SSL_CACERT_BADFILE, "/nowhere/certs");
  cw_fail_clear(&client.fail);
  spec.tls_config.ca_path = NULL;
  spec.tls_config.ca_blob = &ca_blob;
  ca_blob = blob_of("junk", 4);
  expect_failure(CWE_SSL_CACERT_BADFILE, "the CA blob");
}

Test(tls, system_authorities_do_not_know_ours) {
  serve();
  spec.tls_config.ca_blob = NULL;
  expect_failure(CWE_PEER_FAILED_VERIFICATION, "issuer is not known");
}

Test(tls, ca_file_that_is_replaced_counts_at_once) {
  serve();
  struct cert *other =
      cert_make(&(struct cert_wish){.cn = "Other", .is_ca = true}, NULL);
  spec.tls_config.ca_blob = NULL;
  spec.tls_config.ca_file = write_text("swap.pem", ca->pem);
  expect_ok();
  client_close(&client);
  char *again = write_text("swap2.pem", other->pem);
  cr_assert_eq(rename(again, spec.tls_config.ca_file), 0);
  expect_failure(CWE_PEER_FAILED_VERIFICATION, "issuer is not known");
  cert_free(other);
}

Test(tls, revoked) {
  char *crl = cert_crl(ca, leaf);
  serve();
  spec.tls_config.crl_file = write_text("list.crl", crl);
  expect_failure(CWE_PEER_FAILED_VERIFICATION, "was revoked (CN = a.example)");
  free(crl);
}

Test(tls, crl_of_somebody_else_and_none) {
  struct cert *other = cert_make(&(struct cert_wish){.cn = "other"}, ca);
  char *crl = cert_crl(ca, other);
  serve();
  spec.tls_config.crl_file = write_text("list.crl", crl);
  expect_ok();
  client_close(&client);
  spec.tls_config.crl_file = "/nowhere/list.crl";
  expect_failure(CWE_SSL_CRL_BADFILE, "/nowhere/list.crl");
  free(crl);
  cert_free(other);
}

/* --- pins ---------------------------------------------------------------- */

Test(tls, pinned_hashes) {
  char *pin = cert_pin(leaf);
  char *wrong = cert_pin(ca);
  char both[200];
  serve();
  spec.tls_config.pinned_key = pin;
  expect_ok();
  client_close(&client);
  snprintf(both, sizeof both, "%s;%s", wrong, pin);
  spec.tls_config.pinned_key = both;
  expect_ok();
  client_close(&client);
  spec.tls_config.pinned_key = wrong;
  expect_failure(CWE_SSL_PINNEDPUBKEYNOTMATCH, pin);
  client_close(&client);
  cw_fail_clear(&client.fail);
  spec.tls_config.verify_peer = false;
  spec.tls_config.verify_host = false;
  expect_failure(CWE_SSL_PINNEDPUBKEYNOTMATCH, pin);
  free(pin);
  free(wrong);
}

Test(tls, pinned_files) {
  char *pem = cert_public_pem(leaf);
  char *wrong = cert_public_pem(ca);
  serve();
  spec.tls_config.pinned_key = write_text("pin.pem", pem);
  expect_ok();
  client_close(&client);
  unsigned char *der = NULL;
  int n = i2d_PUBKEY(leaf->key, &der);
  spec.tls_config.pinned_key = write_file("pin.der", der, (size_t)n);
  OPENSSL_free(der);
  expect_ok();
  client_close(&client);
  spec.tls_config.pinned_key = write_text("wrong.pem", wrong);
  expect_failure(CWE_SSL_PINNEDPUBKEYNOTMATCH, "wrong.pem");
  client_close(&client);
  cw_fail_clear(&client.fail);
  spec.tls_config.pinned_key = "/nowhere/pin.pem";
  expect_failure(CWE_SSL_PINNEDPUBKEYNOTMATCH, "/nowhere/pin.pem");
  free(pem);
  free(wrong);
}

Test(tls, pins_hold_for_resumed_sessions) {
  char *wrong = cert_pin(ca);
  serve();
  expect_ok();
  client_echo(&client, "x");
  client_close(&client);
  spec.tls_config.pinned_key = wrong;
  expect_failure(CWE_SSL_PINNEDPUBKEYNOTMATCH, "not one of those pinned");
  cr_assert(traced("SSL reusing session"));
  free(wrong);
}

/* --- ALPN, SNI ----------------------------------------------------------- */

Test(tls, alpn_takes_what_the_server_prefers) {
  server_tls.alpn = "h2,http/1.1";
  spec.tls_config.alpn = "http/1.1,h2";
  serve();
  expect_ok();
  struct cw_conn_info info;
  cw_conn_info(client_conn(&client), &info);
  cr_assert_str_eq(info.alpn, "h2");
  cr_assert(traced("ALPN: server accepted h2"));
}

Test(tls, alpn_without_agreement_is_no_error) {
  server_tls.alpn = "h2";
  spec.tls_config.alpn = "http/1.1";
  serve();
  expect_ok();
  struct cw_conn_info info;
  cw_conn_info(client_conn(&client), &info);
  cr_assert_str_eq(info.alpn, "");
  client_close(&client);
  spec.tls_config.alpn = "h2,,x";
  expect_failure(CWE_SSL_CONNECT_ERROR, "protocol names");
}

Test(tls, sni_is_the_name_and_never_an_address) {
  serve();
  spec.host = "x.b.example.";
  expect_ok();
  client_echo(&client, "x");
  cr_assert_str_eq(cw_stream_server_name(server.peer[0]->stream),
                   "x.b.example");
  client_close(&client);
  spec.host = "10.0.0.1";
  expect_ok();
  client_echo(&client, "x");
  cr_assert_null(cw_stream_server_name(server.peer[1]->stream));
}

/* --- sessions ------------------------------------------------------------ */

static bool resumed(void) {
  return SSL_session_reused(cw_conn_ssl(client_conn(&client)));
}

/* Connects, exchanges, closes. */
static bool visit(void) {
  expect_ok();
  client_echo(&client, "visit");
  bool was = resumed();
  client_close(&client);
  return was;
}

Test(tls, second_connection_resumes) {
  serve();
  cr_assert_not(visit());
  cr_assert(visit());
  cr_assert(visit());
  cr_assert(traced("SSL reusing session"));
}

Test(tls, tickets_of_tls_1_3_are_used_once) {
  struct client more[3];
  serve();
  cr_assert_not(visit()); /* brings two */
  for (int i = 0; i < 3; i++) {
    client_init(&kit, &more[i]);
    cr_assert_eq(client_connect(&more[i], &spec), CW_OK);
    SSL *ssl = cw_conn_ssl(client_conn(&more[i]));
    cr_assert_eq(SSL_session_reused(ssl), i < 2, "connection %d", i);
  }
  for (int i = 0; i < 3; i++) {
    client_fini(&more[i]);
  }
}

Test(tls, second_connection_resumes_with_tls_1_2) {
  spec.tls_config.max_version = 6;
  serve();
  cr_assert_not(visit());
  cr_assert(visit());
  cr_assert(visit());
}

Test(tls, sessions_do_not_cross_options_hosts_and_ports) {
  serve();
  cr_assert_not(visit());
  spec.host = "x.b.example";
  cr_assert_not(visit());
  spec.host = "a.example";
  spec.tls_config.verify_host = false;
  cr_assert_not(visit());
  spec.tls_config.verify_host = true;
  spec.port = 444;
  cr_assert_not(visit());
  spec.port = 443;
  cr_assert(visit());
  spec.tls_config.session_cache = false;
  cr_assert_not(visit());
  cr_assert_not(visit());
}

Test(tls, contexts_are_made_once_for_each_config) {
  serve();
  expect_ok();
  SSL_CTX *one = SSL_get_SSL_CTX(cw_conn_ssl(client_conn(&client)));
  struct client other;
  client_init(&kit, &other);
  cr_assert_eq(client_connect(&other, &spec), CW_OK);
  cr_assert_eq(SSL_get_SSL_CTX(cw_conn_ssl(client_conn(&other))), one);
  client_close(&other);
  spec.tls_config.curves = "P-256";
  cr_assert_eq(client_connect(&other, &spec), CW_OK);
  cr_assert_neq(SSL_get_SSL_CTX(cw_conn_ssl(client_conn(&other))), one);
  client_fini(&other);
}

/* --- the ssl_ctx hook ---------------------------------------------------- */

static int hook_calls, hook_pending;
static enum cw_code hook_code;

static enum cw_code on_ssl_ctx(void *data, void *ctx) {
  (void)data;
  hook_calls++;
  if (hook_pending > 0) {
    hook_pending--;
    return CW_AGAIN;
  }
  SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
  return hook_code;
}

Test(tls, ssl_ctx_hook_changes_one_connection_only) {
  client.user.ssl_ctx = on_ssl_ctx;
  hook_calls = 0;
  hook_pending = 2;
  hook_code = CW_OK;
  serve();
  expect_ok();
  cr_assert_eq(hook_calls, 3);
  cr_assert_str_eq(SSL_get_version(cw_conn_ssl(client_conn(&client))),
                   "TLSv1.2");
  client_close(&client);
  client.user.ssl_ctx = NULL;
  expect_ok();
  cr_assert_str_eq(SSL_get_version(cw_conn_ssl(client_conn(&client))),
                   "TLSv1.3");
  cr_assert_not(resumed());
}

Test(tls, code_of_the_ssl_ctx_hook_is_the_result) {
  client.user.ssl_ctx = on_ssl_ctx;
  hook_pending = 0;
  hook_code = CWE_SSL_CERTPROBLEM;
  serve();
  expect_failure(CWE_SSL_CERTPROBLEM, "ssl_ctx");
}

static int all_is_well(int ok, X509_STORE_CTX *store) {
  (void)ok;
  (void)store;
  return 1;
}

static enum cw_code on_ssl_ctx_verify(void *data, void *ctx) {
  (void)data;
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, all_is_well);
  return CW_OK;
}

Test(tls, verify_callback_of_the_hook_decides) {
  struct cert *cert =
      serve_as(&(struct cert_wish){.names = "DNS:z.example"}, NULL);
  client.user.ssl_ctx = on_ssl_ctx_verify;
  expect_ok();
  cert_free(cert);
}

/* --- client certificates ------------------------------------------------- */

static struct cert *mine;

static void serve_asking(void) {
  mine = cert_make(&(struct cert_wish){.cn = "me"}, ca);
  server_tls.client_ca_pem = ca->pem;
  serve();
}

static void expect_welcome(void) {
  expect_ok();
  client_echo(&client, "it is me");
  client_close(&client);
  spec.tls_config.cert_file = spec.tls_config.key_file = NULL;
  spec.tls_config.cert_type = spec.tls_config.key_type = NULL;
  spec.tls_config.cert_blob = spec.tls_config.key_blob = NULL;
  spec.tls_config.key_password = NULL;
}

Test(tls, client_certificates_from_files) {
  serve_asking();
  struct cw_tls_config *c = &spec.tls_config;
  c->cert_file = write_text("cert.pem", mine->pem);
  c->key_file = write_text("key.pem", mine->key_pem);
  expect_welcome();
  char both[8000];
  snprintf(both, sizeof both, "%s%s", mine->pem, mine->key_pem);
  c->cert_file = write_text("both.pem", both);
  expect_welcome();
  size_t n = 0, nkey = 0;
  unsigned char *der = cert_der(mine, &n);
  unsigned char *key_der = cert_key_der(mine, &nkey);
  c->cert_file = write_file("cert.der", der, n);
  c->key_file = write_file("key.der", key_der, nkey);
  c->cert_type = c->key_type = "DER";
  expect_welcome();
  free(der);
  free(key_der);
  char *locked = cert_key_pem_encrypted(mine, "open sesame");
  c->cert_file = write_text("cert.pem", mine->pem);
  c->key_file = write_text("locked.pem", locked);
  c->key_password = "open sesame";
  expect_welcome();
  free(locked);
  unsigned char *p12 = cert_p12(mine, "pw", &n);
  c->cert_file = write_file("cert.p12", p12, n);
  c->cert_type = "P12";
  c->key_password = "pw";
  expect_welcome();
  free(p12);
  cert_free(mine);
}

Test(tls, client_certificates_from_blobs) {
  serve_asking();
  struct cw_blob cert = blob_of(mine->pem, strlen(mine->pem));
  struct cw_blob key = blob_of(mine->key_pem, strlen(mine->key_pem));
  spec.tls_config.cert_blob = &cert;
  spec.tls_config.key_blob = &key;
  expect_welcome();
  size_t n = 0;
  unsigned char *p12 = cert_p12(mine, "pw", &n);
  cert = blob_of(p12, n);
  spec.tls_config.cert_blob = &cert;
  spec.tls_config.cert_type = "P12";
  spec.tls_config.key_password = "pw";
  expect_welcome();
  free(p12);
  cert_free(mine);
}

Test(tls, client_certificates_that_cannot_be_used) {
  serve_asking();
  struct cw_tls_config *c = &spec.tls_config;
  c->cert_file = "/nowhere/cert.pem";
  expect_failure(CWE_SSL_CERTPROBLEM, "/nowhere/cert.pem");
  cw_fail_clear(&client.fail);
  c->cert_file = write_text("cert.pem", mine->pem);
  expect_failure(CWE_SSL_CERTPROBLEM, "private key");
  cw_fail_clear(&client.fail);
  c->key_file = write_text("other.pem", leaf->key_pem);
  expect_failure(CWE_SSL_CERTPROBLEM, "private key");
  cw_fail_clear(&client.fail);
  char *locked = cert_key_pem_encrypted(mine, "open sesame");
  c->key_file = write_text("locked.pem", locked);
  expect_failure(CWE_SSL_CERTPROBLEM, "locked.pem");
  cw_fail_clear(&client.fail);
  c->key_password = "wrong";
  expect_failure(CWE_SSL_CERTPROBLEM, "locked.pem");
  cw_fail_clear(&client.fail);
  c->cert_type = "XYZ";
  expect_failure(CWE_SSL_CERTPROBLEM, "\"XYZ\" is no type");
  free(locked);
  cert_free(mine);
}

Test(tls, client_without_a_certificate_is_turned_away) {
  serve_asking();
  spec.tls_config.max_version = 6; /* with 1.3 it is told after the handshake */
  expect_failure(CWE_SSL_CONNECT_ERROR, "alert \"handshake failure\"");
  client_close(&client);
  cw_fail_clear(&client.fail);
  spec.tls_config.max_version = 0;
  expect_ok();
  char byte;
  size_t n = 0;
  cr_assert_eq(client_read(&client, &byte, 1, &n), CWE_RECV_ERROR);
  cr_assert(strstr(client.fail.detail, "certificate required"), "%s",
            client.fail.detail);
  cert_free(mine);
}

Test(tls, stranger_client_is_turned_away) {
  serve_asking();
  struct cert *other = cert_make(&(struct cert_wish){.cn = "stranger"}, NULL);
  struct cw_blob cert = blob_of(other->pem, strlen(other->pem));
  struct cw_blob key = blob_of(other->key_pem, strlen(other->key_pem));
  spec.tls_config.cert_blob = &cert;
  spec.tls_config.key_blob = &key;
  expect_ok();
  kit_settle(&kit);
  cr_assert_eq(server.peer[0]->code, CWE_PEER_FAILED_VERIFICATION, "%s",
               server.peer[0]->detail);
  cert_free(other);
  cert_free(mine);
}

/* --- algorithms ---------------------------------------------------------- */

Test(tls, algorithms_are_taken_and_nonsense_is_refused) {
  serve();
  spec.tls_config.ciphers13 = "TLS_CHACHA20_POLY1305_SHA256";
  spec.tls_config.curves = "P-256";
  spec.tls_config.sigalgs = "ECDSA+SHA256";
  expect_ok();
  cr_assert(traced("TLS_CHACHA20_POLY1305_SHA256"));
  client_close(&client);
  spec.tls_config.max_version = 6;
  spec.tls_config.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  expect_ok();
  cr_assert(traced("ECDHE-ECDSA-AES128-GCM-SHA256"));
  client_close(&client);
  spec.tls_config.ciphers = "NONSENSE";
  expect_failure(CWE_SSL_CIPHER, "NONSENSE");
  cw_fail_clear(&client.fail);
  spec.tls_config.ciphers = NULL;
  spec.tls_config.ciphers13 = "NONSENSE13";
  expect_failure(CWE_SSL_CIPHER, "NONSENSE13");
  cw_fail_clear(&client.fail);
  spec.tls_config.ciphers13 = NULL;
  spec.tls_config.curves = "P-0";
  expect_failure(CWE_SSL_CIPHER, "P-0");
  cw_fail_clear(&client.fail);
  spec.tls_config.curves = NULL;
  spec.tls_config.sigalgs = "NONE+NONE";
  expect_failure(CWE_SSL_CIPHER, "NONE+NONE");
}

/* --- bytes --------------------------------------------------------------- */

static char *pattern(size_t n) {
  char *bytes = malloc(n);
  cr_assert_not_null(bytes);
  for (size_t i = 0; i < n; i++) {
    bytes[i] = (char)(i * 31 + i / 253);
  }
  return bytes;
}

static void both_ways(size_t n) {
  char *bytes = pattern(n);
  struct peer *peer = server.peer[0];
  peer->echo = false;
  cr_assert_eq(client_write(&client, bytes, n), CW_OK, "%s",
               client.fail.detail);
  /* What the socket did not take goes without anybody's help. */
  for (int i = 0; i < 1000000 && peer->heard.len < n; i++) {
    kit_turn(&kit);
  }
  cr_assert_eq(peer->heard.len, n);
  cr_assert_eq(memcmp(peer->heard.ptr, bytes, n), 0);
  cw_buf_fini(&peer->heard);
  peer_say(peer, bytes, n);
  char *back = malloc(n);
  size_t got = 0;
  cr_assert_eq(client_read(&client, back, n, &got), CW_OK, "%s",
               client.fail.detail);
  cr_assert_eq(memcmp(back, bytes, n), 0);
  free(back);
  free(bytes);
}

Test(tls, ten_megabytes_both_ways) {
  serve();
  expect_ok();
  both_ways((size_t)10 << 20);
}

Test(tls, bytes_both_ways_one_at_a_time) {
  cw_vnet_max_read(kit.net, 1);
  cw_vnet_max_write(kit.net, 3);
  cw_vnet_window(kit.net, 100);
  serve();
  expect_ok();
  both_ways(40000);
}

Test(tls, bytes_both_ways_in_odd_pieces) {
  cw_vnet_max_read(kit.net, 4093);
  cw_vnet_max_write(kit.net, 5021);
  cw_vnet_window(kit.net, 9973);
  serve();
  expect_ok();
  both_ways((size_t)1 << 20);
}

Test(tls, pieces_of_one_write_become_one_record) {
  serve();
  expect_ok();
  kit_settle(&kit);
  client.ssl_bytes = 0;
  char a[] = "GET / HTTP/1.1\r\n", b[] = "\r\n", c[] = "body";
  struct iovec iov[] = {{a, 16}, {b, 0}, {b, 2}, {c, 4}};
  size_t n = 0;
  cr_assert_eq(cw_conn_write(client_conn(&client), iov, 4, &n, &client.fail),
               CW_OK);
  cr_assert_eq(n, 22);
  cr_assert_eq(client.ssl_bytes, 5, "one record header and no other message");
  char back[23] = "";
  cr_assert_eq(client_read(&client, back, 22, &n), CW_OK);
  cr_assert_str_eq(back, "GET / HTTP/1.1\r\n\r\nbody");
}

Test(tls, what_lies_decrypted_is_pending_and_wakes) {
  serve();
  expect_ok();
  client_echo(&client, "x");
  peer_say(server.peer[0], "0123456789", 10);
  char text[4];
  size_t n = 0;
  cr_assert_eq(client_read(&client, text, 4, &n), CW_OK);
  cr_assert(cw_conn_pending(client_conn(&client)));
  int before = client.wakes;
  cw_conn_want(client_conn(&client), CW_READY_READ);
  kit_settle(&kit);
  cr_assert_gt(client.wakes, before);
  char rest[6];
  cr_assert_eq(client_read(&client, rest, 6, &n), CW_OK);
  cr_assert_eq(memcmp(rest, "456789", 6), 0);
  cr_assert_not(cw_conn_pending(client_conn(&client)));
}

Test(tls, end_that_came_along_with_the_last_bytes_wakes) {
  serve();
  expect_ok();
  client_echo(&client, "x");
  server.peer[0]->finish = true;
  peer_say(server.peer[0], "last words", 10);
  kit_settle(&kit);
  char text[20];
  size_t n = 0;
  struct cw_conn *conn = client_conn(&client);
  cr_assert_eq(cw_conn_read(conn, text, sizeof text, &n, &client.fail), CW_OK);
  cr_assert_eq(n, 10);
  int before = client.wakes;
  cw_conn_want(conn, CW_READY_READ);
  kit_settle(&kit);
  cr_assert_gt(client.wakes, before);
  cr_assert_eq(cw_conn_read(conn, text, sizeof text, &n, &client.fail), CW_OK);
  cr_assert_eq(n, 0);
  /* And such a one is not kept. */
  cw_pool_put_idle(kit.pool, client.id);
  cr_assert_eq(cw_pool_count(kit.pool), 0);
}

Test(tls, finish_says_all_that_was_kept) {
  cw_vnet_window(kit.net, 1000);
  serve();
  expect_ok();
  kit_settle(&kit);
  struct peer *peer = server.peer[0];
  peer->echo = false;
  char bytes[20000];
  memset(bytes, 'x', sizeof bytes);
  cr_assert_eq(client_write(&client, bytes, sizeof bytes), CW_OK);
  struct cw_conn *conn = client_conn(&client);
  enum cw_code err = CW_AGAIN;
  for (int i = 0; i < 10000 && err == CW_AGAIN; i++) {
    err = cw_conn_finish(conn);
    cw_conn_want(conn, CW_READY_WRITE);
    kit_turn(&kit);
  }
  cr_assert_eq(err, CW_OK);
  client_close(&client);
  kit_settle(&kit);
  cr_assert_eq(peer->heard.len, sizeof bytes);
  cr_assert(peer->eof);
  cr_assert(cw_stream_detail(peer->stream)[0] == '\0');
}

/* The descriptor of the server's end of a connection whose other end has that
   descriptor and port. */
static int accepted_fd(int client_fd, int port) {
  for (int fd = client_fd - 10; fd < client_fd + 10; fd++) {
    struct cw_sockaddr addr;
    char ip[CW_ADDR_TEXT_BYTES];
    int peer_port = 0;
    if (fd != client_fd && cw_socket_peer(kit.loop, fd, &addr) == 0) {
      cw_sockaddr_text(&addr, ip, &peer_port);
      if (peer_port == port) {
        return fd;
      }
    }
  }
  return -1;
}

Test(tls, clean_end_and_cut) {
  serve();
  expect_ok();
  client_echo(&client, "x");
  server.peer[0]->finish = true;
  peer_say(server.peer[0], "last words", 10);
  char text[20];
  size_t n = 0;
  cr_assert_eq(client_read(&client, text, sizeof text, &n), CW_OK);
  cr_assert_eq(n, 10);
  cr_assert(cw_conn_eof_is_clean(client_conn(&client)));
  /* The other direction still works. */
  cr_assert_eq(client_write(&client, "and mine", 8), CW_OK);
  client_close(&client);

  expect_ok();
  client_echo(&client, "x");
  struct cw_conn_info info;
  cw_conn_info(client_conn(&client), &info);
  int fd = accepted_fd(info.fd, info.local_port);
  cr_assert_geq(fd, 0);
  cr_assert_eq(cw_socket_shutdown_send(kit.loop, fd), 0);
  cr_assert_eq(client_read(&client, text, sizeof text, &n), CW_OK);
  cr_assert_eq(n, 0);
  cr_assert_not(cw_conn_eof_is_clean(client_conn(&client)));
}

/* --- idle ---------------------------------------------------------------- */

Test(tls, tickets_that_come_while_idle_do_no_harm) {
  serve();
  expect_ok();
  uint64_t id = client.id;
  cw_pool_put_idle(kit.pool, id);
  client.id = 0;
  kit_settle(&kit);
  cr_assert_not_null(cw_pool_get(kit.pool, id), "tickets are no bytes");
  cr_assert_eq(cw_pool_take_idle(kit.pool, spec.key, 0, 0), id);
  client.id = id;
  cw_conn_set_user(client_conn(&client), &client.user);
  client_echo(&client, "still here");
  cw_pool_put_idle(kit.pool, id);
  client.id = 0;
  /* They were kept: the next connection resumes. */
  expect_ok();
  cr_assert(resumed());
  peer_say(server.peer[0], "x", 1);
  kit_settle(&kit);
  cr_assert_null(cw_pool_get(kit.pool, id), "a byte is a byte");
}

Test(tls, idle_one_closes_with_its_peer) {
  serve();
  expect_ok();
  client_echo(&client, "x");
  uint64_t id = client.id;
  cw_pool_put_idle(kit.pool, id);
  client.id = 0;
  cw_stream_close(server.peer[0]->stream);
  server.peer[0]->stream = NULL;
  kit_settle(&kit);
  cr_assert_null(cw_pool_get(kit.pool, id));
}

/* --- certinfo ------------------------------------------------------------ */

static bool has_line(const struct cw_slist *list, const char *start) {
  for (; list; list = list->next) {
    if (strncmp(list->data, start, strlen(start)) == 0) {
      return true;
    }
  }
  return false;
}

Test(tls, certinfo_lists_what_is_in_the_certificates) {
  char chain[8000];
  snprintf(chain, sizeof chain, "%s%s", leaf->pem, ca->pem);
  server_tls.cert_pem = chain;
  serve();
  expect_ok();
  cr_assert_null(cw_conn_certinfo(client_conn(&client), 0), "not asked for");
  client_close(&client);
  spec.tls_config.certinfo = true;
  spec.tls_config.session_cache = false;
  expect_ok();
  struct cw_slist *list = cw_conn_certinfo(client_conn(&client), 0);
  cr_assert(has_line(list, "Subject:CN = a.example"));
  cr_assert(has_line(list, "Issuer:CN = Test CA"));
  cr_assert(has_line(list, "Version:2"));
  cr_assert(has_line(list, "Start date:Jan  1 00:00:00 2000 GMT"));
  cr_assert(has_line(list, "Expire date:Dec 31 23:59:59 2099 GMT"));
  cr_assert(has_line(list, "Signature Algorithm:ecdsa-with-SHA256"));
  cr_assert(has_line(list, "X509v3 Subject Alternative Name:DNS:a.example"));
  cr_assert(has_line(list, "Cert:-----BEGIN CERTIFICATE-----\n"));
  cw_slist_free_all(list);
  list = cw_conn_certinfo(client_conn(&client), 1);
  cr_assert(has_line(list, "Subject:CN = Test CA"));
  cw_slist_free_all(list);
  cr_assert_null(cw_conn_certinfo(client_conn(&client), 2));
}

/* --- servers ------------------------------------------------------------- */

Test(tls, listeners_refuse_what_is_no_certificate) {
  struct cw_listener *listener = NULL;
  static const struct cw_stream_tls none = {0};
  cr_assert_eq(kit_listen(&kit, "10.0.0.1", 443, &none, accept_and_close, NULL,
                          &client.fail, &listener),
               CWE_SSL_CERTPROBLEM);
  cw_fail_clear(&client.fail);
  struct cw_stream_tls bad = {.cert_pem = "junk", .key_pem = leaf->key_pem};
  cr_assert_eq(kit_listen(&kit, "10.0.0.1", 443, &bad, accept_and_close, NULL,
                          &client.fail, &listener),
               CWE_SSL_CERTPROBLEM);
  cw_fail_clear(&client.fail);
  struct cw_stream_tls mix = {.cert_pem = leaf->pem, .key_pem = ca->key_pem};
  cr_assert_eq(kit_listen(&kit, "10.0.0.1", 443, &mix, accept_and_close, NULL,
                          &client.fail, &listener),
               CWE_SSL_CERTPROBLEM);
  cr_assert_neq(client.fail.detail[0], '\0');
}

Test(tls, server_refuses_renegotiation) {
  spec.tls_config.max_version = 6;
  serve();
  expect_ok();
  client_echo(&client, "x");
  SSL *ssl = cw_conn_ssl(client_conn(&client));
  SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
  cr_assert_eq(SSL_renegotiate(ssl), 1);
  char byte;
  size_t n = 0;
  enum cw_code err = client_write(&client, "y", 1);
  if (err == CW_OK) {
    err = client_read(&client, &byte, 1, &n);
  }
  cr_assert_neq(err, CW_OK);
}
