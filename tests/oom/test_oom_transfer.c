/*
 * Whole transfers while each allocation of the client fails in turn. The peers
 * are on a multi of their own, whose allocations do not count. A failing run
 * says so, ends, and leaves nothing behind; the first run that made fewer
 * requests than the one to fail has succeeded.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oom/sweep.h"
#include "support/peer.h"

#define MOST_TRANSFERS 3
#define MANY_TURNS     20000
#define MANY_RUNS      5000

struct scene {
  const char *script;
  size_t n; /* of transfers */
  /* Sets up transfer i; a code that is not CW_OK ends the run. */
  enum cw_code (*prepare)(CW *easy, size_t i, struct got *got);
  const char *body[MOST_TRANSFERS]; /* NULL: not looked at */
};

struct run {
  struct world w;
  CWM *client;
  CW *easy[MOST_TRANSFERS];
  struct got got[MOST_TRANSFERS];
  enum cw_code code[MOST_TRANSFERS];
  char detail[MOST_TRANSFERS][300];
  bool told[MOST_TRANSFERS];
  bool made; /* everything could be set up */
};

static struct run *now; /* for callbacks */
static char path[64], part[70] = "/nonexistent";

static CWSH *share; /* of the handles, or NULL */

static void close_share(void) {
  if (share) {
    cr_expect_eq(cw_share_cleanup(share), CWSHE_OK);
  }
  share = NULL;
}

static void note_message(struct run *run, const struct scene *scene,
                         const struct cw_msg *msg) {
  for (size_t i = 0; i < scene->n; i++) {
    if (msg->easy == run->easy[i]) {
      cr_assert(!run->told[i], "told twice");
      run->told[i] = true;
      run->code[i] = msg->result;
      snprintf(run->detail[i], sizeof(run->detail[i]), "%s",
               cw_easy_detail(msg->easy));
    }
  }
}

static bool all_told(const struct run *run, const struct scene *scene) {
  for (size_t i = 0; i < scene->n; i++) {
    if (!run->told[i]) {
      return false;
    }
  }
  return true;
}

static void drive(struct run *run, const struct scene *scene, long fail_at) {
  for (int i = 0; i < MANY_TURNS && !all_told(run, scene); i++) {
    failing_pause(false);
    (void)cw_multi_turn(run->client, 0, NULL);
    struct cw_msg *msg = cw_multi_info_read(run->client, NULL);
    while (msg) {
      note_message(run, scene, msg);
      msg = cw_multi_info_read(run->client, NULL);
    }
    failing_pause(true);
    (void)cw_multi_turn(run->w.multi, 0, NULL);
  }
  cr_assert(all_told(run, scene),
            "request %ld failed: a transfer never ends %s", fail_at,
            run->w.trouble);
}

/* The client's side up to the first turn; counted. */
static bool prepare(struct run *run, const struct scene *scene) {
  run->client = cw_multi_init_on(cw_vnet_platform(run->w.net));
  if (!run->client) {
    return false;
  }
  for (size_t i = 0; i < scene->n; i++) {
    run->easy[i] = cw_easy_init();
    enum cw_code err = run->easy[i]
                           ? scene->prepare(run->easy[i], i, &run->got[i])
                           : CWE_OUT_OF_MEMORY;
    if (err) {
      cr_assert_eq(err, CWE_OUT_OF_MEMORY, "%s", cw_easy_errname(err));
      return false;
    }
  }
  for (size_t i = 0; i < scene->n; i++) {
    enum cw_mcode err = cw_multi_add_handle(run->client, run->easy[i]);
    if (err) {
      cr_assert_eq(err, CWM_OUT_OF_MEMORY);
      return false;
    }
  }
  return true;
}

static bool says_memory(const struct run *run, size_t i) {
  /* A socket call may say so too: the network is in memory as well. */
  return run->code[i] == CWE_OUT_OF_MEMORY ||
         strstr(run->detail[i], "not enough memory") != NULL;
}

/* True: nothing failed and all came out right. */
static bool judge(struct run *run, const struct scene *scene, long fail_at) {
  size_t good = 0;
  for (size_t i = 0; run->made && i < scene->n; i++) {
    cr_expect(run->code[i] == CW_OK || says_memory(run, i),
              "request %ld failed, transfer %zu: %s: %s", fail_at, i,
              cw_easy_errname(run->code[i]), run->detail[i]);
    good += run->code[i] == CW_OK;
    if (run->code[i] == CW_OK && scene->body[i]) {
      cr_expect_str_eq(run->got[i].body.ptr, scene->body[i],
                       "request %ld failed, transfer %zu", fail_at, i);
    }
  }
  return good == scene->n;
}

static bool run_once(const struct scene *scene, long fail_at) {
  struct run *run = calloc(1, sizeof(*run));
  cr_assert_not_null(run);
  now = run;
  failing_start(fail_at);
  failing_pause(true);
  world_init(&run->w);
  run->w.lenient = true;
  world_script(&run->w, scene->script);
  failing_pause(false);
  run->made = prepare(run, scene);
  failing_pause(true);
  if (run->made) {
    drive(run, scene, fail_at);
  }
  bool good = judge(run, scene, fail_at);
  cr_expect_neq(access(part, F_OK), 0, "request %ld failed: %s is left",
                fail_at, part);
  for (size_t i = 0; i < scene->n; i++) {
    cw_easy_cleanup(run->easy[i]);
    got_free(&run->got[i]);
  }
  cr_expect_eq(cw_multi_cleanup(run->client), CWM_OK);
  close_share();
  const char *trouble = world_end(&run->w);
  cr_expect_str_empty(trouble, "request %ld failed: %s", fail_at, trouble);
  cr_expect_eq(failing_live(), 0, "request %ld failed: %ld blocks are left",
               fail_at, failing_live());
  free(run);
  return good;
}

static void sweep(const struct scene *scene) {
  for (long n = 1; n < MANY_RUNS; n++) {
    bool good = run_once(scene, n);
    long made = failing_allocations();
    failing_stop();
    if (made < n) {
      cr_assert(good, "the run in which nothing fails");
      cr_assert_gt(n, 20, "only %ld requests", n);
      return;
    }
  }
  cr_assert_fail("it never ends");
}

/* --- a GET ---------------------------------------------------------------- */

static enum cw_code collect(CW *easy, struct got *got, const char *url) {
  bytes_clear(&got->body);
  bytes_clear(&got->head);
  SET(easy, CWOPT_URL, url);
  SET(easy, CWOPT_WRITEFUNCTION, got_body);
  SET(easy, CWOPT_WRITEDATA, got);
  SET(easy, CWOPT_HEADERFUNCTION, got_head);
  SET(easy, CWOPT_HEADERDATA, got);
  return CW_OK;
}

static enum cw_code prepare_get(CW *easy, size_t i, struct got *got) {
  (void)i;
  SET(easy, CWOPT_USERPWD, "me:secret");
  SET(easy, CWOPT_USERAGENT, "test/1");
  SET(easy, CWOPT_RANGE, "0-");
  return collect(easy, got, "http://h.example/a?b=c");
}

Test(oom_transfer, get) {
  static const struct scene scene = {
      "accept many\nexpect \"GET /a?b=c HTTP/1.1\"\n"
      "answer 200 \"hello\" \"Set-Cookie: a=b\" \"X-Other: some header\"\n",
      1,
      prepare_get,
      {"hello"}};
  sweep(&scene);
}

static enum cw_code prepare_tls(CW *easy, size_t i, struct got *got) {
  (void)i;
  failing_pause(true);
  const char *pem = world_ca(&now->w);
  failing_pause(false);
  struct cw_blob blob = {(char *)(uintptr_t)pem, strlen(pem), CW_BLOB_COPY};
  SET(easy, CWOPT_CAINFO_BLOB, &blob);
  SET(easy, CWOPT_CERTINFO, 1L);
  return collect(easy, got, "https://h.example/");
}

Test(oom_transfer, get_over_tls) {
  static const struct scene scene = {
      "listen 10.0.0.1 443 tls good\naccept many\nexpect \"GET / HTTP/1.1\"\n"
      "answer 200 \"hello\"\n",
      1,
      prepare_tls,
      {"hello"}};
  sweep(&scene);
}

/* --- a chunked PUT with trailers ------------------------------------------ */

static size_t given;

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  static const char text[] = "a body of some length";
  (void)data;
  size_t left = sizeof(text) - 1 - given;
  n = size * n < left ? size * n : left;
  memcpy(bytes, text + given, n);
  given += n;
  return n;
}

static int on_trailer(struct cw_slist **list, void *data) {
  (void)data;
  failing_pause(true);
  *list = cw_slist_append(*list, "X-Sum: 42");
  failing_pause(false);
  cr_assert_not_null(*list);
  return CW_TRAILERFUNC_OK;
}

static enum cw_code prepare_put(CW *easy, size_t i, struct got *got) {
  (void)i;
  given = 0;
  struct cw_slist *headers = cw_slist_append(NULL, "Expect:");
  enum cw_code err = headers ? cw_easy_setopt(easy, CWOPT_HTTPHEADER, headers)
                             : CWE_OUT_OF_MEMORY;
  cw_slist_free_all(headers);
  if (err) {
    return err;
  }
  SET(easy, CWOPT_UPLOAD, 1L);
  SET(easy, CWOPT_READFUNCTION, on_read);
  SET(easy, CWOPT_TRAILERFUNCTION, on_trailer);
  return collect(easy, got, "http://h.example/up");
}

Test(oom_transfer, chunked_put_with_trailers) {
  static const struct scene scene = {
      "accept many\nexpect \"PUT /up HTTP/1.1\"\n"
      "chunked \"a body of some length\"\ntrailer \"X-Sum: 42\"\n"
      "answer 200 \"thanks\"\n",
      1,
      prepare_put,
      {"thanks"}};
  sweep(&scene);
}

/* --- three at once -------------------------------------------------------- */

static enum cw_code prepare_three(CW *easy, size_t i, struct got *got) {
  if (i == 0) {
    SET(easy, CWOPT_FOLLOWLOCATION, 1L);
    SET(easy, CWOPT_AUTOREFERER, 1L);
    return collect(easy, got, "http://h.example/a");
  }
  if (i == 1) {
    SET(easy, CWOPT_ACCEPT_ENCODING, "");
    return collect(easy, got, "http://h.example:81/z");
  }
  struct cw_sink *sink = NULL;
  enum cw_code err = cw_sink_file(path, 0, &sink);
  if (!err) {
    err = cw_easy_setopt(easy, CWOPT_SINK, sink);
  }
  cw_sink_unref(sink);
  return err ? err : collect(easy, got, "http://h.example:82/f");
}

Test(oom_transfer, redirect_gzip_and_file_at_once) {
  static const struct scene scene = {
      "listen 10.0.0.1 80\naccept many\nexpect \"GET /a HTTP/1.1\"\n"
      "answer 302 \"\" \"Location: http://o.example/b\"\n"
      "listen 10.0.0.2 80\naccept many\nexpect \"GET /b HTTP/1.1\"\n"
      "answer 200 \"moved\"\n"
      "listen 10.0.0.1 81\naccept many\nexpect \"GET /z HTTP/1.1\"\n"
      "answer-gzip \"packed packed\"\n"
      "listen 10.0.0.1 82\naccept many\nexpect \"GET /f HTTP/1.1\"\n"
      "answer 200 \"into a file\"\n",
      3,
      prepare_three,
      {"moved", "packed packed", NULL}};
  snprintf(path, sizeof(path), "/tmp/curlew-oom-%d", (int)getpid());
  snprintf(part, sizeof(part), "%s.part", path);
  sweep(&scene);
  cr_expect_eq(access(path, F_OK), 0, "the file was published in the end");
  unlink(path);
}

/* --- a login, a body that is rewound, several addresses ---------------------
 */

static enum cw_code set_list(CW *easy, enum cw_option option,
                             const char *entry) {
  struct cw_slist *list = cw_slist_append(NULL, entry);
  enum cw_code err =
      list ? cw_easy_setopt(easy, option, list) : CWE_OUT_OF_MEMORY;
  cw_slist_free_all(list);
  return err;
}

static int on_seek(void *data, int64_t offset, int origin) {
  (void)data, (void)origin;
  given = (size_t)offset;
  return CW_SEEKFUNC_OK;
}

static enum cw_code prepare_login(CW *easy, size_t i, struct got *got) {
  (void)i;
  given = 0;
  enum cw_code err =
      set_list(easy, CWOPT_RESOLVE, "made.up:80:fd00::9,10.0.0.9,10.0.0.1");
  if (!err) {
    err = set_list(easy, CWOPT_CONNECT_TO, "outside.example:80:made.up:80");
  }
  if (err) {
    return err;
  }
  SET(easy, CWOPT_USERNAME, "me");
  SET(easy, CWOPT_PASSWORD, "secret");
  SET(easy, CWOPT_HTTPAUTH, (long)CWAUTH_ANY);
  SET(easy, CWOPT_UPLOAD, 1L);
  SET(easy, CWOPT_INFILESIZE_LARGE, INT64_C(21));
  SET(easy, CWOPT_READFUNCTION, on_read);
  SET(easy, CWOPT_SEEKFUNCTION, on_seek);
  SET(easy, CWOPT_FOLLOWLOCATION, 1L);
  return collect(easy, got, "http://outside.example/in");
}

Test(oom_transfer, login_redirect_and_rewinding) {
  static const struct scene scene = {
      "accept many\nexpect \"PUT /in HTTP/1.1\"\n"
      "body \"a body of some length\"\n"
      "answer 401 \"\" \"WWW-Authenticate: Basic realm=x\"\n"
      "expect \"PUT /in HTTP/1.1\"\nbody \"a body of some length\"\n"
      "answer 307 \"\" \"Location: /there\"\n"
      "expect \"PUT /there HTTP/1.1\"\nbody \"a body of some length\"\n"
      "answer 200 \"done\"\n",
      1,
      prepare_login,
      {"done"}};
  sweep(&scene);
}

/* --- by way of a proxy ----------------------------------------------------
 */

static enum cw_code prepare_tunnel(CW *easy, size_t i, struct got *got) {
  enum cw_code err = prepare_tls(easy, i, got);
  if (!err) {
    err = set_list(easy, CWOPT_PROXYHEADER, "X-Proxy: 1");
  }
  if (err) {
    return err;
  }
  SET(easy, CWOPT_PROXY, "http://o.example:8080");
  SET(easy, CWOPT_PROXYUSERPWD, "me:secret");
  SET(easy, CWOPT_PROXYAUTH, (long)CWAUTH_DIGEST);
  SET(easy, CWOPT_USERAGENT, "test/1");
  return CW_OK;
}

/* The proxy closes once, and its second challenge is stale. */
Test(oom_transfer, https_through_a_tunnel_with_digest) {
  static const struct scene scene = {
      "listen 10.0.0.2 8080\n"
      "accept many\n"
      "expect \"CONNECT h.example:443 HTTP/1.1\"\n"
      "answer 407 \"who?\" \"Proxy-Authenticate: Digest realm=r, nonce=n\"\n"
      "expect \"CONNECT h.example:443 HTTP/1.1\"\n"
      "send \"HTTP/1.1 407 again\\r\\nTransfer-Encoding: chunked\\r\\n"
      "Proxy-Authenticate: Digest realm=r, nonce=m, stale=true\\r\\n\\r\\n"
      "3\\r\\nwho\\r\\n0\\r\\nX: y\\r\\n\\r\\n\"\n"
      "expect \"CONNECT h.example:443 HTTP/1.1\"\n"
      "send \"HTTP/1.1 200 ok\\r\\n"
      "Proxy-Authentication-Info: nextnonce=k\\r\\n\\r\\n\"\n"
      "tls good\n"
      "expect \"GET / HTTP/1.1\"\n"
      "answer 200 \"hello\"\n",
      1,
      prepare_tunnel,
      {"hello"}};
  sweep(&scene);
}

static enum cw_code prepare_forward(CW *easy, size_t i, struct got *got) {
  (void)i;
  SET(easy, CWOPT_PROXY, "px:pw@o.example:8080");
  SET(easy, CWOPT_PROXYAUTH, (long)CWAUTH_ANY);
  SET(easy, CWOPT_USERPWD, "me:secret");
  SET(easy, CWOPT_HTTPAUTH, (long)CWAUTH_DIGEST);
  SET(easy, CWOPT_NOPROXY, "a.test, 192.0.2.0/24");
  return collect(easy, got, "http://h.example/a");
}

Test(oom_transfer, proxy_and_server_want_a_login) {
  static const struct scene scene = {
      "listen 10.0.0.2 8080\n"
      "accept many\n"
      "expect \"GET http://h.example/a HTTP/1.1\"\n"
      "answer 407 \"who?\" \"Proxy-Authenticate: Digest realm=r, nonce=n\"\n"
      "expect \"GET http://h.example/a HTTP/1.1\"\n"
      "answer 401 \"who?\" \"WWW-Authenticate: Digest realm=r, nonce=n\"\n"
      "expect \"GET http://h.example/a HTTP/1.1\"\n"
      "answer 200 \"in\" \"Proxy-Authentication-Info: nextnonce=m\"\n",
      1,
      prepare_forward,
      {"in"}};
  sweep(&scene);
}

/* A copy of a handle is whole or is not there. */
static enum cw_code prepare_copy(CW *easy, size_t i, struct got *got) {
  (void)i;
  SET(easy, CWOPT_COPYPOSTFIELDS, "a=1");
  SET(easy, CWOPT_COOKIE, "c=d");
  enum cw_code err = set_list(easy, CWOPT_HTTPHEADER, "X-A: b");
  if (err) {
    return err;
  }
  CW *copy = cw_easy_duphandle(easy);
  if (!copy) {
    return CWE_OUT_OF_MEMORY;
  }
  const char *cookie = NULL;
  size_t n = 0;
  cr_expect_eq(cw_easy_get_str(copy, CWOPT_COOKIE, &cookie, &n), CW_OK);
  cr_expect_str_eq(cookie, "c=d");
  cw_easy_cleanup(copy);
  return collect(easy, got, "http://h.example/");
}

Test(oom_transfer, copies_and_posts) {
  static const struct scene scene = {
      "accept many\nexpect \"POST / HTTP/1.1\"\nheader \"X-A: b\"\n"
      "body \"a=1\"\nanswer 200 \"ok\"\n",
      1,
      prepare_copy,
      {"ok"}};
  sweep(&scene);
}

/* --- a multipart body -------------------------------------------------------
 */

static enum cw_code add_part(struct cw_mime *mime, const char *name,
                             struct cw_mimepart **ppart) {
  *ppart = cw_mime_addpart(mime);
  return *ppart ? cw_mime_name(*ppart, name) : CWE_OUT_OF_MEMORY;
}

static const char *attached;

static enum cw_code add_inner(struct cw_mimepart *outer) {
  struct cw_mime *inner = cw_mime_init(NULL);
  if (!inner) {
    return CWE_OUT_OF_MEMORY;
  }
  enum cw_code err = cw_mime_subparts(outer, inner);
  struct cw_mimepart *leaf = NULL;
  if (!err) {
    err = add_part(inner, "leaf", &leaf);
  }
  struct cw_slist *headers = err ? NULL : cw_slist_append(NULL, "X-Y: z");
  if (!err && !headers) {
    err = CWE_OUT_OF_MEMORY;
  }
  if (!err) {
    err = cw_mime_headers(leaf, headers, 0);
  }
  cw_slist_free_all(headers);
  return err ? err : cw_mime_filedata(leaf, attached);
}

static enum cw_code fill_tree(struct cw_mime *mime) {
  struct cw_mimepart *one = NULL;
  enum cw_code err = add_part(mime, "text", &one);
  if (!err) {
    err = cw_mime_data(one, "some text", 9);
  }
  if (!err) {
    err = cw_mime_encoder(one, "quoted-printable");
  }
  if (!err) {
    err = add_part(mime, "called", &one);
  }
  if (!err) {
    err = cw_mime_data_cb(one, 21, on_read, on_seek, NULL, NULL);
  }
  if (!err) {
    err = cw_mime_type(one, "a/b");
  }
  if (!err) {
    err = add_part(mime, "inner", &one);
  }
  return err ? err : add_inner(one);
}

static enum cw_code prepare_mime(CW *easy, size_t i, struct got *got) {
  (void)i;
  given = 0;
  struct cw_mime *mime = cw_mime_init(easy);
  if (!mime) {
    return CWE_OUT_OF_MEMORY;
  }
  enum cw_code err = fill_tree(mime);
  if (!err) {
    err = cw_easy_setopt(easy, CWOPT_MIMEPOST, mime);
  }
  if (!err) {
    err = set_list(easy, CWOPT_HTTPHEADER, "Expect:"); /* no time passes */
  }
  cw_mime_free(mime);
  if (err) {
    return err;
  }
  SET(easy, CWOPT_FOLLOWLOCATION, 1L);
  return collect(easy, got, "http://h.example/");
}

Test(oom_transfer, multipart_sent_twice) {
  static const struct scene scene = {
      "accept many\nexpect \"POST / HTTP/1.1\"\nchunked-bytes 750\n"
      "answer 307 \"\" \"Location: /there\"\n"
      "expect \"POST /there HTTP/1.1\"\nchunked-bytes 750\nanswer 200 "
      "\"done\"\n",
      1,
      prepare_mime,
      {"done"}};
  char dir[] = "/tmp/curlew-oom-XXXXXX", name[64];
  cr_assert_not_null(mkdtemp(dir));
  snprintf(name, sizeof(name), "%s/mime.txt", dir);
  FILE *f = fopen(name, "w");
  cr_assert_not_null(f);
  cr_assert_geq(fputs("in a file", f), 0);
  fclose(f);
  attached = name;
  sweep(&scene);
  unlink(name);
  rmdir(dir);
}

/* --- Digest and HSTS ------------------------------------------------------
 */

static enum cw_code prepare_digest(CW *easy, size_t i, struct got *got) {
  (void)i;
  SET(easy, CWOPT_USERPWD, "me:secret");
  SET(easy, CWOPT_HTTPAUTH, (long)CWAUTH_DIGEST);
  SET(easy, CWOPT_COPYPOSTFIELDS, "hello");
  return collect(easy, got, "http://h.example/d");
}

Test(oom_transfer, digest) {
  static const struct scene scene = {
      "accept many\nexpect \"POST /d HTTP/1.1\"\nbody \"\"\n"
      "answer 401 \"\" \"WWW-Authenticate: Basic realm=x, Digest realm=r, "
      "nonce=n, qop=auth-int, opaque=o, domain=\\\"/d /e\\\"\"\n"
      "expect \"POST /d HTTP/1.1\"\nbody \"hello\"\n"
      "answer 200 \"in\" \"Authentication-Info: nextnonce=m\"\n",
      1,
      prepare_digest,
      {"in"}};
  sweep(&scene);
}

static int on_hstsread(CW *easy, struct cw_hstsentry *entry, void *data) {
  (void)easy, (void)data;
  given++;
  if (given > 2) {
    return CWSTS_DONE;
  }
  memcpy(entry->name, given == 1 ? "h.example" : "o.example", 10);
  return CWSTS_OK;
}

static enum cw_code prepare_hsts(CW *easy, size_t i, struct got *got) {
  given = 0;
  enum cw_code err = prepare_tls(easy, i, got);
  if (err) {
    return err;
  }
  SET(easy, CWOPT_HSTS_CTRL, (long)CWHSTS_ENABLE);
  SET(easy, CWOPT_HSTSREADFUNCTION, on_hstsread);
  SET(easy, CWOPT_URL, "http://h.example/");
  return CW_OK;
}

Test(oom_transfer, hsts) {
  static const struct scene scene = {
      "listen 10.0.0.1 443 tls good\naccept many\nexpect \"GET / HTTP/1.1\"\n"
      "answer 200 \"hello\" \"Strict-Transport-Security: max-age=9\"\n",
      1,
      prepare_hsts,
      {"hello"}};
  sweep(&scene);
}

/* --- conversion ----------------------------------------------------------- */

static int turn_case(char *bytes, size_t n, void *data) {
  (void)data;
  for (size_t i = 0; i < n; i++) {
    bool is_letter = (bytes[i] >= 'a' && bytes[i] <= 'z') ||
                     (bytes[i] >= 'A' && bytes[i] <= 'Z');
    bytes[i] = is_letter ? (char)(bytes[i] ^ 0x20) : bytes[i];
  }
  return CW_OK;
}

static int see_nothing(CW *easy, int kind, char *bytes, size_t n, void *data) {
  (void)easy, (void)kind, (void)bytes, (void)n, (void)data;
  return 0;
}

static enum cw_code prepare_conversion(CW *easy, size_t i, struct got *got) {
  (void)i;
  SET(easy, CWOPT_CONV_TO_NETWORK_FUNCTION, turn_case);
  SET(easy, CWOPT_CONV_FROM_NETWORK_FUNCTION, turn_case);
  SET(easy, CWOPT_COPYPOSTFIELDS, "A=1");
  SET(easy, CWOPT_COOKIE, "C=D");
  SET(easy, CWOPT_VERBOSE, 1L);
  SET(easy, CWOPT_DEBUGFUNCTION, see_nothing);
  enum cw_code err = set_list(easy, CWOPT_HTTPHEADER, "x-a: B");
  return err ? err : collect(easy, got, "http://h.example/");
}

Test(oom_transfer, conversion) {
  static const struct scene scene = {
      "accept many\nexpect \"POST / HTTP/1.1\"\nheader \"X-A: b\"\n"
      "header \"Cookie: c=d\"\nbody \"a=1\"\nanswer 200 \"ok\"\n",
      1,
      prepare_conversion,
      {"ok"}};
  sweep(&scene);
}

/* --- a share of all kinds ------------------------------------------------- */

static enum cw_code open_share(void) {
  share = cw_share_init_on(cw_vnet_platform(now->w.net));
  enum cw_shcode err = share ? CWSHE_OK : CWSHE_NOMEM;
  for (int kind = CW_LOCK_DATA_COOKIE; !err && kind <= CW_LOCK_DATA_HSTS;
       kind++) {
    err = cw_share_setopt(share, CWSHOPT_SHARE, kind);
  }
  cr_assert(!err || err == CWSHE_NOMEM);
  return err ? CWE_OUT_OF_MEMORY : CW_OK;
}

static enum cw_code prepare_shared(CW *easy, size_t i, struct got *got) {
  static const char *const urls[] = {"https://h.example/", "http://o.example/"};
  enum cw_code err = i == 0 ? open_share() : CW_OK;
  if (err) {
    return err;
  }
  failing_pause(true);
  const char *pem = world_ca(&now->w);
  failing_pause(false);
  struct cw_blob blob = {(char *)(uintptr_t)pem, strlen(pem), CW_BLOB_COPY};
  SET(easy, CWOPT_CAINFO_BLOB, &blob);
  SET(easy, CWOPT_HSTS_CTRL, (long)CWHSTS_ENABLE);
  SET(easy, CWOPT_COOKIELIST, "h.example\tFALSE\t/\tFALSE\t0\tgiven\t1");
  SET(easy, CWOPT_SHARE, share);
  SET(easy, CWOPT_COOKIELIST, "h.example\tFALSE\t/\tFALSE\t0\tgiven\t2");
  return collect(easy, got, urls[i]);
}

Test(oom_transfer, with_a_share_of_all_kinds) {
  static const struct scene scene = {
      "listen 10.0.0.1 443 tls good\naccept many\n"
      "expect \"GET / HTTP/1.1\"\nheader \"Cookie: given=2\"\n"
      "answer 200 \"hello\" \"Set-Cookie: a=b; path=/\" "
      "\"Strict-Transport-Security: max-age=100\"\nagain\n"
      "listen 10.0.0.2 80\naccept many\nexpect \"GET / HTTP/1.1\"\n"
      "answer 200 \"other\" \"Set-Cookie: c=d\"\nagain\n",
      2,
      prepare_shared,
      {"hello", "other"}};
  sweep(&scene);
}
