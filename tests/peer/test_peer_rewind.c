/* Bodies that start over without a callback of the application: the default
   reader's file, and sources. What callbacks answer is in the .peer files. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "support/peer.h"

static const char redirected[] =
    "accept\nexpect \"PUT /a HTTP/1.1\"\nbody \"hello\"\n"
    "answer 307 \"\" \"Location: /b\"\n"
    "expect \"PUT /b HTTP/1.1\"\nbody \"hello\"\n"
    "answer 308 \"\" \"Location: /c\"\n"
    "expect \"PUT /c HTTP/1.1\"\nbody \"hello\"\nanswer 200 \"\"\n";
static const char asked[] =
    "accept\nexpect \"PUT /a HTTP/1.1\"\nbody \"hello\"\n"
    "answer 401 \"\" \"WWW-Authenticate: Digest realm=r, nonce=n\"\n"
    "expect \"PUT /a HTTP/1.1\"\nbody \"hello\"\nanswer 200 \"\"\n";
static const char once[] =
    "accept\nexpect \"PUT /a HTTP/1.1\"\nbody \"hello\"\n"
    "answer 307 \"\" \"Location: /b\"\nwait-close\n";

static void upload(const char *script, FILE *file, struct cw_source *source,
                   enum cw_code want) {
  struct world w;
  world_init(&w);
  world_script(&w, script);
  CW *easy = world_easy(&w, "http://h.example/a");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_UPLOAD, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_INFILESIZE_LARGE, INT64_C(5)), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_FOLLOWLOCATION, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_USERPWD, "me:secret"), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPAUTH, (long)CWAUTH_ANY), CW_OK);
  if (source) {
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_SOURCE, source), CW_OK);
  } else {
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_READDATA, file), CW_OK);
  }
  enum cw_code code = world_perform(&w, easy);
  cr_expect_eq(code, want, "%s", cw_easy_detail(easy));
  cw_easy_cleanup(easy);
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
}

static void from_file(const char *script) {
  FILE *file = tmpfile();
  cr_assert_not_null(file);
  cr_assert_geq(fputs("hello", file), 0);
  rewind(file);
  upload(script, file, NULL, CW_OK);
  fclose(file);
}

static void from_memory(const char *script) {
  struct cw_source *source = NULL;
  cr_assert_eq(cw_source_memory("hello", 5, &source), CW_OK);
  upload(script, NULL, source, CW_OK);
  cw_source_unref(source);
}

Test(rewind, a_file_behind_redirects) {
  from_file(redirected);
}

Test(rewind, a_file_and_digest) {
  from_file(asked);
}

Test(rewind, a_source_behind_redirects) {
  from_memory(redirected);
}

Test(rewind, a_source_and_digest) {
  from_memory(asked);
}

Test(rewind, a_pipe_cannot) {
  int ends[2];
  cr_assert_eq(pipe(ends), 0);
  cr_assert_eq(write(ends[1], "hello", 5), 5);
  close(ends[1]);
  FILE *file = fdopen(ends[0], "rb");
  cr_assert_not_null(file);
  upload(once, file, NULL, CWE_SEND_FAIL_REWIND);
  fclose(file);
}
