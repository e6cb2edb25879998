/* codec/known_hosts: what a file says of a host, and how it is changed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/known_hosts.h"

/* A key: the length and the name of its type, then one byte that differs. */
static struct cw_slice key(const char *type, char id) {
  static char keys[4][64];
  static unsigned next;
  char *k = keys[next++ % 4];
  size_t n = strlen(type);
  memset(k, 0, 3);
  k[3] = (char)n;
  memcpy(k + 4, type, n);
  k[4 + n] = id;
  return cw_slice(k, n + 5);
}

static const char *text(struct cw_slice k) {
  static char texts[4][128];
  static unsigned next;
  struct cw_buf buf;
  cw_buf_init(&buf, 128);
  cr_assert_eq(cw_base64_add(&buf, k), CW_OK);
  char *out = texts[next++ % 4];
  snprintf(out, 128, "%s", buf.ptr);
  cw_buf_fini(&buf);
  return out;
}

static enum cw_known_match ask(const char *file, const char *host, int port,
                               struct cw_slice k) {
  struct cw_known_host h = {host, port, k};
  enum cw_known_match match;
  struct cw_buf known;
  cw_buf_init(&known, 1024);
  cr_assert_eq(cw_known_hosts_find(cw_slice_str(file), &h, &match, &known),
               CW_OK);
  cr_assert_eq(match == CW_KNOWN_MISMATCH, known.len > 0 &&
                                               match != CW_KNOWN_OK &&
                                               match != CW_KNOWN_REVOKED);
  cw_buf_fini(&known);
  return match;
}

/* hosts, with the key of id 'a' behind it. */
static enum cw_known_match by(const char *hosts, const char *host, int port) {
  char file[512];
  struct cw_slice k = key("ssh-ed25519", 'a');
  snprintf(file, sizeof(file), "# comment\n\n%s ssh-ed25519 %s of mine\n",
           hosts, text(k));
  return ask(file, host, port, k);
}

Test(known_hosts, names_and_patterns) {
  cr_assert_eq(by("h.test", "h.test", 22), CW_KNOWN_OK);
  cr_assert_eq(by("a,h.test,b", "H.TEST", 22), CW_KNOWN_OK);
  cr_assert_eq(by("h.test", "h.test", 2222), CW_KNOWN_MISSING);
  cr_assert_eq(by("[h.test]:2222", "h.test", 2222), CW_KNOWN_OK);
  cr_assert_eq(by("[h.test]:2222", "h.test", 22), CW_KNOWN_MISSING);
  cr_assert_eq(by("*.test", "h.test", 22), CW_KNOWN_OK);
  cr_assert_eq(by("?.t*t", "h.test", 22), CW_KNOWN_OK);
  cr_assert_eq(by("*.test,!h.test", "h.test", 22), CW_KNOWN_MISSING);
  cr_assert_eq(by("!h.test,*.test", "g.test", 22), CW_KNOWN_OK);
  cr_assert_eq(by("h.tes", "h.test", 22), CW_KNOWN_MISSING);
  cr_assert_eq(by("*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", 22),
               CW_KNOWN_MISSING);
}

/* HMAC-SHA1 of h.test with the bytes 0 to 19 as salt. */
#define HASHED                       \
  "|1|AAECAwQFBgcICQoLDA0ODxAREhM=|" \
  "A9gqtyzNFMKwwLCp73LQ6QUxtn0="

Test(known_hosts, hashed_names) {
  cr_assert_eq(
      by("|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         "h.test", 22),
      CW_KNOWN_MISSING);
  cr_assert_eq(by("|1|HASHSALT", "h.test", 22), CW_KNOWN_MISSING);
  cr_assert_eq(by("|1|", "h.test", 22), CW_KNOWN_MISSING);
  cr_assert_eq(by(HASHED, "h.test", 22), CW_KNOWN_OK);
  cr_assert_eq(by(HASHED, "g.test", 22), CW_KNOWN_MISSING);
}

Test(known_hosts, other_keys_are_a_mismatch_of_any_type) {
  char file[512];
  struct cw_slice a = key("ssh-ed25519", 'a'), b = key("ssh-ed25519", 'b');
  struct cw_slice r = key("ssh-rsa", 'r');
  snprintf(file, sizeof(file), "h ssh-rsa %s\nh ssh-ed25519 %s\n", text(r),
           text(b));
  struct cw_known_host h = {"h", 22, a};
  enum cw_known_match match;
  struct cw_buf known;
  cw_buf_init(&known, 1024);
  cr_assert_eq(cw_known_hosts_find(cw_slice_str(file), &h, &match, &known),
               CW_OK);
  cr_assert_eq(match, CW_KNOWN_MISMATCH);
  cr_assert(cw_slice_eq(cw_buf_slice(&known), b), "the one of the same type");
  cw_buf_clear(&known);
  cr_assert_eq(cw_known_hosts_types(cw_slice_str(file), &h, &known), CW_OK);
  cr_assert_str_eq(known.ptr, "ssh-rsa,ssh-ed25519,");
  cw_buf_fini(&known);
  snprintf(file, sizeof(file), "h ssh-rsa %s\n", text(r));
  cr_assert_eq(ask(file, "h", 22, a), CW_KNOWN_MISMATCH);
}

Test(known_hosts, markers) {
  char file[512];
  struct cw_slice a = key("ssh-ed25519", 'a');
  snprintf(file, sizeof(file), "h ssh-ed25519 %s\n@revoked * ssh-ed25519 %s\n",
           text(a), text(a));
  cr_assert_eq(ask(file, "h", 22, a), CW_KNOWN_REVOKED);
  snprintf(file, sizeof(file), "@cert-authority * ssh-ed25519 %s\n", text(a));
  cr_assert_eq(ask(file, "h", 22, a), CW_KNOWN_MISSING);
  snprintf(file, sizeof(file),
           "h 2048 35 1234\nh\nh x\nh ssh-ed25519 ?\n"
           "h ssh-rsa %s\n",
           text(a));
  cr_assert_eq(ask(file, "h", 22, a), CW_KNOWN_MISSING, "what is not a key");
}

static void edit(const char *file, bool replace, struct cw_slice k,
                 const char *expected) {
  struct cw_known_host h = {"h", 22, k};
  struct cw_buf out;
  cw_buf_init(&out, 4096);
  cr_assert_eq(cw_known_hosts_edit(cw_slice_str(file), &h, replace, &out),
               CW_OK);
  cr_assert_str_eq(out.ptr, expected);
  cw_buf_fini(&out);
}

Test(known_hosts, edits_touch_nothing_else) {
  char file[600], expected[900];
  struct cw_slice a = key("ssh-ed25519", 'a'), b = key("ssh-ed25519", 'b');
  snprintf(expected, sizeof(expected), "h ssh-ed25519 %s\n", text(a));
  edit("", false, a, expected);
  snprintf(expected, sizeof(expected), "# no end\nh ssh-ed25519 %s\n", text(a));
  edit("# no end", true, a, expected);
  snprintf(file, sizeof(file),
           "# c\ng,h,i ssh-ed25519 %s mine\nh ssh-ed25519 %s\n"
           "* ssh-ed25519 %s\nh ssh-rsa AAAA\n",
           text(b), text(b), text(b));
  snprintf(expected, sizeof(expected),
           "# c\ng,i ssh-ed25519 %s mine\n* ssh-ed25519 %s\nh ssh-rsa AAAA\n"
           "h ssh-ed25519 %s\n",
           text(b), text(b), text(a));
  edit(file, true, a, expected);
}
