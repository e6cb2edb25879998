/*
 * Many transfers of all kinds while somebody pauses, cancels, removes, closes
 * and starts them at random: nothing crashes, hangs or leaks, each transfer is
 * told of at most once, and what says OK has all of its body.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom/failing.h"
#include "support/peer.h"

#define HANDLES 24
#define TURNS   700
#define SEEDS   25

static const char script[] =
    "listen 10.0.0.1 80\naccept many\nexpect \"GET / HTTP/1.1\"\n"
    "answer 200 \"hello\"\nagain\n"
    "listen 10.0.0.1 81\naccept many\nexpect \"GET / HTTP/1.1\"\n"
    "send \"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n\"\n"
    "delay 3\nsend \"2\\r\\nhe\\r\\n\"\ndelay 3\n"
    "send \"3\\r\\nllo\\r\\n0\\r\\n\\r\\n\"\nagain\n"
    "listen 10.0.0.1 82\naccept many\nexpect \"GET / HTTP/1.1\"\n"
    "answer 302 \"\" \"Location: http://h.example:81/\"\nagain\n"
    "listen 10.0.0.1 83\naccept many\nexpect \"GET / HTTP/1.1\"\n"
    "send \"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhe\"\n"
    "delay 2\nreset\n"
    "listen 10.0.0.1 443 tls good\naccept many\nexpect \"GET / HTTP/1.1\"\n"
    "answer-gzip \"hello\"\nagain\n"
    "listen 10.0.0.1 85\naccept many\nexpect \"GET / HTTP/1.1\"\nclose\n"
    "listen 10.0.0.1 86\naccept many\ndrain\n"
    "listen 10.0.0.1 87\naccept many\nexpect \"PUT / HTTP/1.1\"\n"
    "chunked \"some text to send\"\nanswer 200 \"hello\"\nagain\n"
    "listen 10.0.0.1 88\naccept many\nexpect \"PUT / HTTP/1.1\"\n"
    "chunked \"some text to send\"\n"
    "answer 307 \"\" \"Location: http://h.example:87/\"\nagain\n"
    "listen 10.0.0.1 89\naccept many\nexpect \"PUT / HTTP/1.1\"\n"
    "answer 403 \"no\"\ndrain\n";

static const char *const urls[] = {
    "http://h.example/",    "http://h.example:81/", "http://h.example:82/",
    "http://h.example:83/", "https://h.example/",   "http://h.example:85/",
    "http://h.example:86/", "http://v6.example/",   "http://none.example/",
    "http://h.example:99/", "http://h.example:87/", "http://h.example:88/",
    "http://h.example:89/"};
#define NURLS (sizeof(urls) / sizeof(urls[0]))

struct storm;

struct one {
  struct storm *storm;
  CW *easy; /* NULL: closed */
  struct bytes body;
  enum cw_slot pending;
  int64_t answer;
  size_t given; /* of an upload */
  bool added;
  int told;
};

struct storm {
  struct world w;
  uint64_t seed;
  struct one one[HANDLES];
  int ok, failed;
};

static unsigned dice(struct storm *s, unsigned sides) {
  s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(s->seed >> 33) % sides;
}

static void close_one(struct one *one) {
  cw_easy_cleanup(one->easy);
  one->easy = NULL;
  one->added = false;
  one->pending = CW_SLOT_NONE;
}

/* What a callback does, now and then, beside its work. */
static int64_t misbehave(struct one *one, enum cw_slot slot, int64_t ok) {
  switch (dice(one->storm, 40)) {
  case 0:
    one->pending = slot;
    one->answer = ok;
    return CW_CALLBACK_PENDING;
  case 1:
    (void)cw_easy_cancel(one->easy, CWE_CANCELLED);
    return ok;
  case 2:
    close_one(one);
    return ok;
  case 3:
    (void)cw_multi_remove_handle(one->storm->w.multi, one->easy);
    one->added = false;
    return ok;
  case 4:
    (void)cw_easy_pause(one->easy, CW_PAUSE_RECV);
    return ok;
  case 5:
    (void)cw_easy_setopt(one->easy, CWOPT_TIMEOUT_MS, 50L);
    return ok;
  default:
    return ok;
  }
}

static size_t on_write(char *bytes, size_t size, size_t n, void *data) {
  struct one *one = data;
  bytes_add(&one->body, bytes, size * n);
  return (size_t)misbehave(one, CW_SLOT_WRITE, (int64_t)n);
}

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  static const char text[] = "some text to send";
  struct one *one = data;
  size_t left = sizeof(text) - 1 - one->given;
  n = size * n < left ? size * n : left;
  n = n < 5 ? n : 5;
  memcpy(bytes, text + one->given, n);
  one->given += n;
  return (size_t)misbehave(one, CW_SLOT_READ, (int64_t)n);
}

static int on_seek(void *data, int64_t offset, int origin) {
  struct one *one = data;
  (void)origin;
  one->given = (size_t)offset;
  return (int)misbehave(one, CW_SLOT_SEEK, CW_SEEKFUNC_OK);
}

static size_t on_header(char *bytes, size_t size, size_t n, void *data) {
  (void)bytes, (void)size;
  return (size_t)misbehave(data, CW_SLOT_HEADER, (int64_t)n);
}

static int on_prereq(void *data, char *peer_ip, char *local_ip, int peer_port,
                     int local_port) {
  (void)peer_ip, (void)local_ip, (void)peer_port, (void)local_port;
  return (int)misbehave(data, CW_SLOT_PREREQ, CW_PREREQFUNC_OK);
}

static int on_sockopt(void *data, int fd, int purpose) {
  (void)fd, (void)purpose;
  return (int)misbehave(data, CW_SLOT_SOCKOPT, CW_SOCKOPT_OK);
}

static void set(CW *easy, enum cw_option fn, cw_any_fn callback,
                enum cw_option data, void *ptr) {
  cr_assert_eq(cw_easy_set_fn(easy, fn, callback), CW_OK);
  cr_assert_eq(cw_easy_set_ptr(easy, data, ptr), CW_OK);
}

static void open_one(struct storm *s, struct one *one) {
  one->storm = s;
  one->easy = world_easy(&s->w, urls[dice(s, NURLS)]);
  CW *easy = one->easy;
  set(easy, CWOPT_WRITEFUNCTION, (cw_any_fn)on_write, CWOPT_WRITEDATA, one);
  set(easy, CWOPT_HEADERFUNCTION, (cw_any_fn)on_header, CWOPT_HEADERDATA, one);
  set(easy, CWOPT_READFUNCTION, (cw_any_fn)on_read, CWOPT_READDATA, one);
  set(easy, CWOPT_SEEKFUNCTION, (cw_any_fn)on_seek, CWOPT_SEEKDATA, one);
  set(easy, CWOPT_PREREQFUNCTION, (cw_any_fn)on_prereq, CWOPT_PREREQDATA, one);
  set(easy, CWOPT_SOCKOPTFUNCTION, (cw_any_fn)on_sockopt, CWOPT_SOCKOPTDATA,
      one);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_FOLLOWLOCATION, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_ACCEPT_ENCODING, ""), CW_OK);
}

static void add_one(struct storm *s, struct one *one) {
  if (!one->easy) {
    open_one(s, one);
  }
  if (!one->added) {
    const char *url = urls[dice(s, NURLS)];
    cr_assert_eq(cw_easy_setopt(one->easy, CWOPT_URL, url), CW_OK);
    cr_assert_eq(cw_easy_setopt(one->easy, CWOPT_TIMEOUT_MS, 60L), CW_OK);
    long upload =
        strstr(url, ":87") || strstr(url, ":88") || strstr(url, ":89");
    cr_assert_eq(cw_easy_setopt(one->easy, CWOPT_HTTPGET, 1L), CW_OK);
    cr_assert_eq(cw_easy_setopt(one->easy, CWOPT_UPLOAD, upload), CW_OK);
    cr_assert_eq(cw_easy_setopt(one->easy, CWOPT_EXPECT_100_TIMEOUT_MS,
                                (long)dice(s, 20)),
                 CW_OK);
    bytes_clear(&one->body);
    one->given = 0;
    one->told = 0;
    one->pending = CW_SLOT_NONE;
    cr_assert_eq(cw_multi_add_handle(s->w.multi, one->easy), CWM_OK);
    one->added = true;
  }
}

static void disturb(struct storm *s) {
  struct one *one = &s->one[dice(s, HANDLES)];
  unsigned what = dice(s, 12);
  if (!one->easy || !one->added || what < 3) {
    add_one(s, one);
  } else if (what == 3) {
    close_one(one);
  } else if (what == 4) {
    (void)cw_multi_remove_handle(s->w.multi, one->easy);
    one->added = false;
  } else if (what == 5) {
    (void)cw_easy_cancel(one->easy, CWE_CANCELLED);
  } else if (what == 6) {
    (void)cw_easy_pause(one->easy, CW_PAUSE_ALL);
  } else if (what < 10) {
    (void)cw_easy_pause(one->easy, CW_PAUSE_CONT);
  }
}

static void answer_some(struct storm *s) {
  for (size_t i = 0; i < HANDLES; i++) {
    struct one *one = &s->one[i];
    if (one->easy && one->pending && dice(s, 3) == 0) {
      enum cw_slot slot = one->pending;
      one->pending = CW_SLOT_NONE;
      (void)cw_easy_callback_done(one->easy, slot, one->answer);
    }
  }
}

static void read_messages(struct storm *s) {
  struct cw_msg *msg = cw_multi_info_read(s->w.multi, NULL);
  for (; msg; msg = cw_multi_info_read(s->w.multi, NULL)) {
    struct one *one = NULL;
    for (size_t i = 0; i < HANDLES; i++) {
      one = s->one[i].easy == msg->easy ? &s->one[i] : one;
    }
    cr_assert(one && one->added, "a message of a handle that is not there");
    cr_assert_eq(++one->told, 1, "told twice");
    s->ok += msg->result == CW_OK;
    s->failed += msg->result != CW_OK;
    if (msg->result == CW_OK) {
      cr_expect(strcmp(one->body.ptr, "hello") == 0 ||
                    strcmp(one->body.ptr, "no") == 0,
                "%s", one->body.ptr);
    }
    (void)cw_multi_remove_handle(s->w.multi, one->easy);
    one->added = false;
  }
}

static void end_storm(struct storm *s, uint64_t seed) {
  for (size_t i = 0; i < HANDLES; i++) {
    if (s->one[i].easy && dice(s, 2)) {
      close_one(&s->one[i]);
    }
  }
  const char *trouble = world_end(&s->w);
  cr_expect_str_empty(trouble, "seed %d: %s", (int)seed, trouble);
  for (size_t i = 0; i < HANDLES; i++) {
    cw_easy_cleanup(s->one[i].easy);
    bytes_free(&s->one[i].body);
  }
  cr_expect_eq(failing_live(), 0, "seed %d: %ld blocks are left", (int)seed,
               failing_live());
}

static void run_storm(uint64_t seed, int *pok, int *pfailed) {
  struct storm *s = calloc(1, sizeof(*s));
  cr_assert_not_null(s);
  failing_start(-1);
  world_init(&s->w);
  s->w.lenient = true;
  s->seed = seed * 7919 + 1;
  world_script(&s->w, script);
  cw_vnet_max_read(s->w.net, dice(s, 2) ? 0 : 1 + dice(s, 50));
  cw_vnet_max_write(s->w.net, dice(s, 2) ? 0 : 1 + dice(s, 50));
  cw_vnet_latency_us(s->w.net, dice(s, 2) ? 0 : 500);
  if (dice(s, 2)) {
    long limit = 1 + (long)dice(s, 4);
    cr_assert_eq(
        cw_multi_setopt(s->w.multi, CWMOPT_MAX_TOTAL_CONNECTIONS, limit),
        CWM_OK);
  }
  for (int i = 0; i < TURNS; i++) {
    disturb(s);
    (void)cw_multi_turn(s->w.multi, (int)dice(s, 3), NULL);
    answer_some(s);
    read_messages(s);
  }
  *pok += s->ok;
  *pfailed += s->failed;
  end_storm(s, seed);
  failing_stop();
  free(s);
}

Test(peer_storm, at_random) {
  int ok = 0, failed = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    run_storm(seed, &ok, &failed);
  }
  cr_assert_gt(ok, 500, "%d", ok);
  cr_assert_gt(failed, 500, "%d", failed);
}
