/*
 * What one handle leaves in a share, another one finds: in the same multi, and
 * in another one on the same network.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oom/failing.h"
#include "support/locks.h"
#include "support/peer.h"

static struct world w;
static struct locks locks;
static CWM *other; /* the second multi; the servers are in w.multi */
static CWSH *share;
static int lookups;

static int counting_lookup(void *ctx, const char *name, int family,
                           cw_lookup_fn done, void *data, uint64_t *pid) {
  lookups++;
  return cw_vnet_platform(w.net)->lookup(ctx, name, family, done, data, pid);
}

static CWSH *open_share(int first, int last) {
  CWSH *opened = cw_share_init_on(&w.platform);
  cr_assert_not_null(opened);
  cr_assert(locks_set(&locks, opened));
  for (int kind = first; kind <= last; kind++) {
    cr_assert_eq(cw_share_setopt(opened, CWSHOPT_SHARE, kind), CWSHE_OK);
  }
  return opened;
}

static void setup(void) {
  failing_start(-1);
  locks_init(&locks);
  world_init(&w);
  lookups = 0;
  w.platform.lookup = counting_lookup;
  other = cw_multi_init_on(&w.platform);
  cr_assert_not_null(other);
}

static void teardown(void) {
  cr_expect_eq(cw_multi_cleanup(other), CWM_OK);
  if (share) {
    cr_expect_eq(cw_share_count(share, "handles"), 0);
    cr_expect_eq(cw_share_cleanup(share), CWSHE_OK);
  }
  world_settle(&w); /* peers hear the goodbyes of what was parked */
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
  cr_expect(locks_balance(&locks));
  cr_expect_eq(failing_live(), 0, "%ld blocks are left", failing_live());
  failing_stop();
  locks_fini(&locks);
}

TestSuite(peer_share, .init = setup, .fini = teardown);

static size_t ignore(char *bytes, size_t size, size_t n, void *data) {
  (void)bytes, (void)data;
  return size * n;
}

static CW *easy_of(const char *url) {
  CW *easy = world_easy(&w, url);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_WRITEFUNCTION, ignore), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SHARE, share), CW_OK);
  return easy;
}

static enum cw_code perform_in_other(CW *easy) {
  struct cw_msg *msg = NULL;
  cr_assert_eq(cw_multi_add_handle(other, easy), CWM_OK);
  for (int i = 0; i < 1000 && !msg; i++) {
    cr_assert_eq(cw_multi_turn(other, 0, NULL), CWM_OK);
    cr_assert_eq(cw_multi_turn(w.multi, 0, NULL), CWM_OK);
    msg = cw_multi_info_read(other, NULL);
  }
  cr_assert_not_null(msg, "it never ends");
  enum cw_code code = msg->result;
  cr_assert_eq(cw_multi_remove_handle(other, easy), CWM_OK);
  return code;
}

static long info(CW *easy, enum cw_info what) {
  int64_t value = -1;
  cr_assert_eq(cw_easy_info_int(easy, what, &value), CW_OK);
  return (long)value;
}

/* One transfer there with a handle of its own; the connections that it made. */
static long visit(bool in_other, const char *url) {
  CW *easy = easy_of(url);
  enum cw_code code =
      in_other ? perform_in_other(easy) : world_perform(&w, easy);
  cr_assert_eq(code, CW_OK, "%s: %s", url, cw_easy_detail(easy));
  long connects = info(easy, CWINFO_NUM_CONNECTS);
  cw_easy_cleanup(easy);
  return connects;
}

static const char serve_all[] =
    "accept many\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"hello\"\nagain\n";

/* --- names ---------------------------------------------------------------- */

Test(peer_share, a_name_is_asked_for_once) {
  share = open_share(CW_LOCK_DATA_DNS, CW_LOCK_DATA_DNS);
  world_script(&w, serve_all);
  visit(false, "http://h.example/");
  cr_expect_eq(lookups, 1);
  cr_expect_eq(visit(true, "http://h.example/"), 1);
  cr_expect_eq(lookups, 1, "the other multi found it");
  cr_expect_gt(locks.locked[CW_LOCK_DATA_DNS], 0);
}

Test(peer_share, without_one_each_multi_asks) {
  world_script(&w, serve_all);
  visit(false, "http://h.example/");
  visit(true, "http://h.example/");
  cr_expect_eq(lookups, 2);
}

Test(peer_share, a_name_asked_for_at_once_is_kept_by_each_that_asked) {
  share = open_share(CW_LOCK_DATA_DNS, CW_LOCK_DATA_DNS);
  world_script(&w, serve_all);
  CW *own = world_easy(&w, "http://h.example/");
  cr_assert_eq(cw_easy_setopt(own, CWOPT_WRITEFUNCTION, ignore), CW_OK);
  CW *gone = easy_of("http://h.example/");
  CW *shared = easy_of("http://h.example/");
  cr_assert_eq(cw_multi_add_handle(w.multi, own), CWM_OK);
  cr_assert_eq(cw_multi_add_handle(w.multi, gone), CWM_OK);
  cr_assert_eq(cw_multi_add_handle(w.multi, shared), CWM_OK);
  int running = 3;
  cr_assert_eq(cw_multi_turn(w.multi, 0, &running), CWM_OK);
  cr_expect_eq(lookups, 1, "it is one question");
  cr_assert_eq(cw_multi_remove_handle(w.multi, gone), CWM_OK);
  while (running > 0) {
    cr_assert_eq(cw_multi_turn(w.multi, -1, &running), CWM_OK);
  }
  cw_easy_cleanup(gone);
  cw_easy_cleanup(shared);
  visit(true, "http://h.example/");
  cr_expect_eq(lookups, 1, "the share has it");
  cr_assert_eq(cw_multi_remove_handle(w.multi, own), CWM_OK);
  cr_assert_eq(cw_easy_setopt(own, CWOPT_FRESH_CONNECT, 1L), CW_OK);
  cr_assert_eq(world_perform(&w, own), CW_OK);
  cr_expect_eq(lookups, 1, "the multi has it too");
  cw_easy_cleanup(own);
}

/* --- TLS sessions --------------------------------------------------------- */

static int note_resumed(CW *easy, int kind, char *bytes, size_t n, void *data) {
  static const char words[] = "SSL reusing session";
  (void)easy;
  if (kind == CW_DEBUG_TEXT && n >= sizeof(words) - 1 &&
      memcmp(bytes, words, sizeof(words) - 1) == 0) {
    ++*(int *)data;
  }
  return 0;
}

static int resumed(bool in_other, long version) {
  int count = 0;
  CW *easy = easy_of("https://h.example/");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SSLVERSION, version), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_VERBOSE, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_DEBUGFUNCTION, note_resumed), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_DEBUGDATA, &count), CW_OK);
  cr_assert_eq(in_other ? perform_in_other(easy) : world_perform(&w, easy),
               CW_OK);
  cr_assert_eq(info(easy, CWINFO_NUM_CONNECTS), 1);
  cw_easy_cleanup(easy);
  return count;
}

static void check_sessions(long version) {
  world_script(&w, "listen 10.0.0.1 443 tls good\naccept many\n"
                   "expect \"GET / HTTP/1.1\"\n"
                   "answer 200 \"hello\" \"Connection: close\"\nclose\n");
  cr_expect_eq(resumed(false, version), 0);
  cr_expect_eq(resumed(true, version), share ? 1 : 0);
  cr_expect_eq(resumed(true, version), 1);
  cr_expect_eq(resumed(false, version), 1);
}

Test(peer_share, a_tls_session_goes_on_in_the_other_multi) {
  share = open_share(CW_LOCK_DATA_SSL_SESSION, CW_LOCK_DATA_SSL_SESSION);
  check_sessions(CW_SSLVERSION_TLSv1_3);
  cr_expect_gt(locks.locked[CW_LOCK_DATA_SSL_SESSION], 0);
}

Test(peer_share, so_does_one_of_tls_1_2) {
  share = open_share(CW_LOCK_DATA_SSL_SESSION, CW_LOCK_DATA_SSL_SESSION);
  check_sessions(CW_SSLVERSION_TLSv1_2 | CW_SSLVERSION_MAX_TLSv1_2);
}

Test(peer_share, without_one_it_stays) {
  check_sessions(CW_SSLVERSION_TLSv1_3);
}

/* --- connections ---------------------------------------------------------- */

Test(peer_share, a_connection_goes_on_in_the_other_multi) {
  share = open_share(CW_LOCK_DATA_CONNECT, CW_LOCK_DATA_CONNECT);
  world_script(&w, serve_all);
  world_script(&w, "listen 10.0.0.1 443 tls good\naccept many\n"
                   "expect \"GET / HTTP/1.1\"\nanswer 200 \"hello\"\nagain\n");
  for (int i = 0; i < 3; i++) {
    cr_expect_eq(visit(false, "http://h.example/"), i == 0);
    cr_expect_eq(visit(true, "http://h.example/"), 0);
    cr_expect_eq(visit(false, "https://h.example/"), i == 0);
    cr_expect_eq(visit(true, "https://h.example/"), 0);
  }
  cr_expect_eq(w.accepted, 2);
  cr_expect_eq(cw_share_count(share, "connections_idle"), 2);
}

/* Turns the loop of the servers until then. */
static void until_ms(int64_t ms) {
  for (int i = 0; i < 100 && world_ms(&w) < ms; i++) {
    int left = (int)(ms - world_ms(&w));
    cr_assert_eq(cw_multi_turn(w.multi, left, NULL), CWM_OK);
  }
  cr_assert_eq(world_ms(&w), ms, "%lld ms", (long long)world_ms(&w));
}

/* What happens to a connection that is parked, and to the loop from which it
   came, does not hold up the clock. */
Test(peer_share, the_clock_goes_on_while_connections_are_parked) {
  share = open_share(CW_LOCK_DATA_CONNECT, CW_LOCK_DATA_CONNECT);
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"\"\n"
                   "delay 1000\nsend \"nobody asked for that\"\n"
                   "delay 4000\nclose\n"
                   "accept\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"\"\n");
  visit(true, "http://h.example/");
  cr_assert_eq(cw_share_count(share, "connections_idle"), 1);
  until_ms(6000);
  cr_expect_eq(visit(false, "http://h.example/"), 1);
}

Test(peer_share, a_parked_connection_that_died_is_noticed) {
  share = open_share(CW_LOCK_DATA_CONNECT, CW_LOCK_DATA_CONNECT);
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"\"\n"
                   "delay 10\nclose\n"
                   "accept\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"\"\n"
                   "delay 10\nreset\n"
                   "accept\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"\"\n"
                   "delay 10\nsend \"nobody asked for that\"\nwait-close\n"
                   "accept\nexpect \"POST / HTTP/1.1\"\nbody \"once\"\n"
                   "answer 200 \"\"\n");
  for (int i = 0; i < 3; i++) {
    cr_expect_eq(visit(i % 2, "http://h.example/"), 1, "visit %d", i);
    cr_assert_eq(cw_share_count(share, "connections_idle"), 1);
    until_ms(20 * (i + 1));
  }
  CW *easy = easy_of("http://h.example/");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_POSTFIELDS, "once"), CW_OK);
  cr_expect_eq(perform_in_other(easy), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect_eq(info(easy, CWINFO_NUM_CONNECTS), 1);
  cw_easy_cleanup(easy);
  cr_expect_eq(w.accepted, 4);
}

Test(peer_share, the_101st_takes_the_place_of_the_one_that_waits_longest) {
  enum {
    MANY = 100
  };
  CW *easy[MANY];
  share = open_share(CW_LOCK_DATA_CONNECT, CW_LOCK_DATA_CONNECT);
  world_script(&w, serve_all);
  world_script(&w, "listen 10.0.0.2 80\n"
                   "accept\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"\"\n"
                   "wait-close\n"
                   "accept\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"\"\n");
  cr_expect_eq(visit(false, "http://o.example/"), 1);
  for (int i = 0; i < MANY; i++) {
    easy[i] = easy_of("http://h.example/");
    cr_assert_eq(cw_multi_add_handle(w.multi, easy[i]), CWM_OK);
  }
  int running = MANY;
  while (running > 0) {
    cr_assert_eq(cw_multi_turn(w.multi, -1, &running), CWM_OK);
  }
  for (int i = 0; i < MANY; i++) {
    cw_easy_cleanup(easy[i]);
  }
  cr_expect_eq(w.accepted, MANY + 1);
  cr_expect_eq(cw_share_count(share, "connections_idle"), MANY);
  cr_expect_eq(visit(true, "http://h.example/"), 0);
  cr_expect_eq(visit(true, "http://o.example/"), 1, "it went");
}

static void turn_both(int n) {
  for (int i = 0; i < n; i++) {
    cr_assert_eq(cw_multi_turn(other, 0, NULL), CWM_OK);
    cr_assert_eq(cw_multi_turn(w.multi, 0, NULL), CWM_OK);
    cr_assert_leq(cw_multi_count(w.multi, "connections_open"), 1);
  }
}

Test(peer_share, a_multi_that_may_have_no_more_takes_none) {
  share = open_share(CW_LOCK_DATA_CONNECT, CW_LOCK_DATA_CONNECT);
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\ndelay 50\n"
                   "answer 200 \"\"\nexpect \"GET / HTTP/1.1\"\n"
                   "answer 200 \"\"\n"
                   "accept\nexpect \"GET / HTTP/1.1\"\ndelay 10\n"
                   "answer 200 \"\"\n");
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_MAX_HOST_CONNECTIONS, 1L),
               CWM_OK);
  CW *first = easy_of("http://h.example/");
  CW *second = easy_of("http://h.example/");
  CW *leaves_one = easy_of("http://h.example/");
  cr_assert_eq(cw_multi_add_handle(w.multi, first), CWM_OK);
  turn_both(10);
  cr_assert_eq(cw_multi_add_handle(other, leaves_one), CWM_OK);
  turn_both(10);
  cr_assert_eq(w.accepted, 2);
  until_ms(20);
  turn_both(10);
  cr_assert_eq(cw_share_count(share, "connections_idle"), 1);
  cr_assert_eq(cw_multi_count(w.multi, "connections_open"), 1);
  cr_assert_eq(cw_multi_add_handle(w.multi, second), CWM_OK);
  turn_both(10);
  cr_expect_eq(cw_share_count(share, "connections_idle"), 1, "not taken");
  until_ms(60);
  turn_both(10);
  cr_expect_eq(cw_multi_count(w.multi, "transfers"), 0);
  cr_expect_eq(cw_share_count(share, "connections_idle"), 2);
  cr_expect_eq(w.accepted, 2);
  cw_easy_cleanup(first);
  cw_easy_cleanup(second);
  cw_easy_cleanup(leaves_one);
}

/* --- cookies -------------------------------------------------------------- */

static char *cookies_of(CW *easy) {
  static char text[1000];
  struct cw_slist *list = NULL;
  text[0] = '\0';
  cr_assert_eq(cw_easy_info_list(easy, CWINFO_COOKIELIST, &list), CW_OK);
  for (const struct cw_slist *l = list; l; l = l->next) {
    size_t n = strlen(text);
    snprintf(text + n, sizeof(text) - n, "%s\n", l->data);
  }
  cw_slist_free_all(list);
  return text;
}

#define COOKIE(name, value) "h.example\tFALSE\t/\tFALSE\t0\t" name "\t" value
#define LINE(name, value)   COOKIE(name, value) "\n"

Test(peer_share, cookies_of_one_are_sent_by_the_other) {
  share = open_share(CW_LOCK_DATA_COOKIE, CW_LOCK_DATA_COOKIE);
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\nno-header Cookie\n"
                   "answer 200 \"\" \"Set-Cookie: a=1\"\n"
                   "accept\nexpect \"GET / HTTP/1.1\"\nheader \"Cookie: a=1\"\n"
                   "answer 200 \"\" \"Set-Cookie: b=2\"\n"
                   "expect \"GET / HTTP/1.1\"\n"
                   "header \"Cookie: a=1; b=2\"\nanswer 200 \"\"\n");
  visit(false, "http://h.example/");
  visit(true, "http://h.example/");
  visit(true, "http://h.example/");
  cr_expect_gt(locks.locked[CW_LOCK_DATA_COOKIE], 3);
}

Test(peer_share, a_handle_that_joins_has_the_cookies_of_the_share) {
  share = open_share(CW_LOCK_DATA_COOKIE, CW_LOCK_DATA_COOKIE);
  CW *one = easy_of("http://h.example/"), *two = easy_of("http://h.example/");
  cr_assert_eq(cw_easy_setopt(one, CWOPT_SHARE, NULL), CW_OK);
  cr_assert_eq(cw_easy_setopt(one, CWOPT_COOKIELIST, COOKIE("own", "0")),
               CW_OK);
  cr_assert_eq(cw_easy_setopt(two, CWOPT_COOKIELIST, COOKIE("a", "1")), CW_OK);
  cr_expect_str_eq(cookies_of(one), LINE("own", "0"));
  cr_assert_eq(cw_easy_setopt(one, CWOPT_SHARE, share), CW_OK);
  cr_expect_str_eq(cookies_of(one), LINE("a", "1"));
  CW *copy = cw_easy_duphandle(one);
  cr_assert_eq(cw_easy_setopt(copy, CWOPT_COOKIELIST, COOKIE("b", "2")), CW_OK);
  cr_expect_str_eq(cookies_of(one), LINE("a", "1") LINE("b", "2"));
  cr_assert_eq(cw_easy_setopt(one, CWOPT_COOKIELIST, "ALL"), CW_OK);
  cr_expect_str_eq(cookies_of(two), "");
  cr_assert_eq(cw_easy_setopt(one, CWOPT_SHARE, NULL), CW_OK);
  cr_expect_str_eq(cookies_of(one), LINE("own", "0"));
  cr_assert_eq(cw_easy_setopt(copy, CWOPT_SHARE, NULL), CW_OK);
  cr_expect_str_eq(cookies_of(copy), LINE("own", "0"));
  cw_easy_cleanup(one);
  cw_easy_cleanup(two);
  cw_easy_cleanup(copy);
}

static void write_file(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static const char *read_file(const char *path) {
  static char text[1000];
  FILE *f = fopen(path, "r");
  cr_assert_not_null(f, "%s", path);
  text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
  fclose(f);
  return text;
}

static const char *temporary(void) {
  static char paths[2][40];
  static int next;
  char *path = paths[next++ % 2];
  snprintf(path, sizeof(paths[0]), "/tmp/curlew-share-XXXXXX");
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  close(fd);
  return path;
}

Test(peer_share, a_cookie_file_is_read_into_the_share_and_the_jar_holds_it) {
  const char *file = temporary(), *jar = temporary();
  share = open_share(CW_LOCK_DATA_COOKIE, CW_LOCK_DATA_COOKIE);
  world_script(&w, "accept many\nexpect \"GET / HTTP/1.1\"\n"
                   "header \"Cookie: a=1\"\nanswer 200 \"\"\nagain\n");
  write_file(file, LINE("a", "1"));
  CW *reader = easy_of("http://h.example/");
  cr_assert_eq(cw_easy_setopt(reader, CWOPT_COOKIEFILE, file), CW_OK);
  cr_assert_eq(world_perform(&w, reader), CW_OK);
  cw_easy_cleanup(reader);
  visit(true, "http://h.example/");
  CW *writer = easy_of("http://h.example/");
  cr_assert_eq(cw_easy_setopt(writer, CWOPT_COOKIEJAR, jar), CW_OK);
  cr_assert_eq(cw_easy_setopt(writer, CWOPT_COOKIELIST, "FLUSH"), CW_OK);
  cr_expect(strstr(read_file(jar), LINE("a", "1")), "%s", read_file(jar));
  cr_assert_eq(cw_easy_setopt(writer, CWOPT_COOKIELIST, COOKIE("b", "2")),
               CW_OK);
  cw_easy_cleanup(writer);
  cr_expect(strstr(read_file(jar), LINE("b", "2")), "%s", read_file(jar));
  unlink(file);
  unlink(jar);
}

/* --- HSTS ----------------------------------------------------------------- */

static const char serve_hsts[] =
    "listen 10.0.0.1 443 tls good\naccept many\nexpect \"GET / HTTP/1.1\"\n"
    "answer 200 \"\" \"Strict-Transport-Security: max-age=100\"\nagain\n";

static CW *careful(const char *url, long ctrl) {
  CW *easy = easy_of(url);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HSTS_CTRL, ctrl), CW_OK);
  return easy;
}

static bool is_upgraded(CW *easy) {
  const char *url = NULL;
  cr_assert_eq(cw_easy_info_str(easy, CWINFO_EFFECTIVE_URL, &url), CW_OK);
  return strncmp(url, "https:", 6) == 0;
}

Test(peer_share, what_one_learned_by_hsts_holds_for_the_other) {
  share = open_share(CW_LOCK_DATA_HSTS, CW_LOCK_DATA_HSTS);
  world_script(&w, serve_hsts);
  world_script(&w, serve_all);
  CW *one = careful("https://h.example/", CWHSTS_ENABLE);
  CW *two = careful("http://h.example/", CWHSTS_ENABLE);
  CW *off = careful("http://h.example/", 0);
  cr_assert_eq(world_perform(&w, one), CW_OK);
  cr_assert_eq(perform_in_other(two), CW_OK);
  cr_expect(is_upgraded(two));
  cr_assert_eq(perform_in_other(off), CW_OK);
  cr_expect_not(is_upgraded(off), "each turns it on for itself");
  cr_assert_eq(cw_easy_setopt(two, CWOPT_SHARE, NULL), CW_OK);
  cr_assert_eq(perform_in_other(two), CW_OK);
  cr_expect_not(is_upgraded(two), "it has left");
  cr_expect_geq(locks.locked[CW_LOCK_DATA_HSTS], 3);
  cw_easy_cleanup(one);
  cw_easy_cleanup(two);
  cw_easy_cleanup(off);
}

Test(peer_share, a_file_of_hsts_is_read_into_the_share_and_written_from_it) {
  const char *file = temporary(), *to = temporary();
  share = open_share(CW_LOCK_DATA_HSTS, CW_LOCK_DATA_HSTS);
  world_script(&w, serve_hsts);
  write_file(file, "o.example \"20990101 00:00:00\"\n");
  CW *reader = careful("https://h.example/", CWHSTS_ENABLE);
  cr_assert_eq(cw_easy_setopt(reader, CWOPT_HSTS, file), CW_OK);
  cr_assert_eq(world_perform(&w, reader), CW_OK);
  CW *writer = careful("http://h.example/", CWHSTS_ENABLE);
  cr_assert_eq(cw_easy_setopt(writer, CWOPT_HSTS, to), CW_OK);
  cr_assert_eq(cw_easy_hsts_flush(writer), CW_OK);
  cr_expect(strstr(read_file(to), "\nh.example \""), "%s", read_file(to));
  cr_expect(strstr(read_file(to), "\no.example \""), "%s", read_file(to));
  cw_easy_cleanup(reader);
  cw_easy_cleanup(writer);
  unlink(file);
  unlink(to);
}

static bool nothing_is_locked(void) {
  bool held = false;
  for (int kind = 0; kind < LOCK_KINDS; kind++) {
    held |= locks.held[kind] != 0;
  }
  return !held;
}

static int give_h(CW *easy, struct cw_hstsentry *entry, void *data) {
  int *given = data;
  (void)easy;
  cr_expect(nothing_is_locked());
  snprintf(entry->name, entry->namelen, "h.example");
  return (*given)++ == 0 ? CWSTS_OK : CWSTS_DONE;
}

static int count_entries(CW *easy, struct cw_hstsentry *entry,
                         struct cw_index *index, void *data) {
  (void)easy, (void)entry;
  *(size_t *)data = index->total;
  cr_expect(nothing_is_locked());
  return CWSTS_OK;
}

Test(peer_share, callbacks_of_hsts_are_called_without_a_lock) {
  int given = 0;
  size_t total = 0;
  share = open_share(CW_LOCK_DATA_HSTS, CW_LOCK_DATA_HSTS);
  world_script(&w, serve_hsts);
  CW *one = careful("http://h.example/", CWHSTS_ENABLE);
  cr_assert_eq(cw_easy_setopt(one, CWOPT_HSTSREADFUNCTION, give_h), CW_OK);
  cr_assert_eq(cw_easy_setopt(one, CWOPT_HSTSREADDATA, &given), CW_OK);
  cr_assert_eq(cw_easy_setopt(one, CWOPT_HSTSWRITEFUNCTION, count_entries),
               CW_OK);
  cr_assert_eq(cw_easy_setopt(one, CWOPT_HSTSWRITEDATA, &total), CW_OK);
  cr_assert_eq(world_perform(&w, one), CW_OK);
  cr_expect(is_upgraded(one));
  cr_assert_eq(cw_easy_hsts_flush(one), CW_OK);
  cr_expect_eq(total, 1);
  cw_easy_cleanup(one);
}

/* --- the handle itself ---------------------------------------------------- */

Test(peer_share, does_not_change_while_it_is_used) {
  share = open_share(CW_LOCK_DATA_COOKIE, CW_LOCK_DATA_HSTS);
  CW *easy = easy_of("http://h.example/");
  for (int kind = CW_LOCK_DATA_COOKIE; kind <= CW_LOCK_DATA_HSTS; kind++) {
    cr_expect_eq(cw_share_setopt(share, CWSHOPT_SHARE, kind), CWSHE_IN_USE);
    cr_expect_eq(cw_share_setopt(share, CWSHOPT_UNSHARE, kind), CWSHE_IN_USE);
  }
  cr_expect_eq(cw_share_setopt(share, CWSHOPT_LOCKFUNC, NULL), CWSHE_IN_USE);
  cr_expect_eq(cw_share_setopt(share, CWSHOPT_USERDATA, NULL), CWSHE_IN_USE);
  cr_expect_eq(cw_share_cleanup(share), CWSHE_IN_USE);
  cr_expect_eq(cw_share_count(share, "handles"), 1);
  cw_easy_cleanup(easy);
  for (int kind = CW_LOCK_DATA_COOKIE; kind <= CW_LOCK_DATA_HSTS; kind++) {
    cr_expect_eq(cw_share_setopt(share, CWSHOPT_UNSHARE, kind), CWSHE_OK);
    cr_expect_eq(cw_share_setopt(share, CWSHOPT_UNSHARE, kind), CWSHE_OK);
    cr_expect_eq(cw_share_setopt(share, CWSHOPT_SHARE, kind), CWSHE_OK);
    cr_expect_eq(cw_share_setopt(share, CWSHOPT_SHARE, kind), CWSHE_OK);
  }
}

Test(peer_share, refuses_what_it_does_not_know) {
  static const int kinds[] = {-1, 0, CW_LOCK_DATA_SHARE, CW_LOCK_DATA_HSTS + 1,
                              1000};
  share = cw_share_init_on(&w.platform);
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    cr_expect_eq(cw_share_setopt(share, CWSHOPT_SHARE, kinds[i]),
                 CWSHE_BAD_OPTION);
    cr_expect_eq(cw_share_setopt(share, CWSHOPT_UNSHARE, kinds[i]),
                 CWSHE_BAD_OPTION);
  }
  cr_expect_eq(cw_share_setopt(share, (enum cw_shoption)0, 1),
               CWSHE_BAD_OPTION);
  cr_expect_eq(cw_share_setopt(share, (enum cw_shoption)6, 1),
               CWSHE_BAD_OPTION);
  cr_expect_eq(cw_share_setopt(NULL, CWSHOPT_SHARE, 2), CWSHE_INVALID);
  cr_expect_eq(cw_share_cleanup(NULL), CWSHE_INVALID);
  cr_expect_eq(cw_share_count(share, "no such"), -1);
  cr_expect_eq(cw_share_count(share, NULL), -1);
  cr_expect_null(cw_share_init_on(NULL));
  CW *easy = world_easy(&w, "http://h.example/");
  cr_expect_eq(cw_easy_setopt(easy, CWOPT_SHARE, easy),
               CWE_BAD_FUNCTION_ARGUMENT);
  cw_easy_cleanup(easy);
}

Test(peer_share, is_refused_in_another_world) {
  share = cw_share_init(); /* the kernel's */
  CW *easy = easy_of("http://h.example/");
  cr_expect_neq(cw_multi_add_handle(w.multi, easy), CWM_OK);
  cr_expect(strstr(cw_easy_detail(easy), "platform"), "%s",
            cw_easy_detail(easy));
  cw_easy_cleanup(easy);
}
