/*
 * URLs. The first byte chooses the flags; the rest up to a newline is a URL,
 * what follows a reference. Whatever is accepted must come back the same from
 * its own text, keep its form when its parts are set again, and leave the base
 * alone when a reference is refused.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const unsigned choices[] = {
    0,
    CWU_NON_SUPPORT_SCHEME,
    CWU_GUESS_SCHEME,
    CWU_DEFAULT_SCHEME,
    CWU_ALLOW_SPACE | CWU_URLENCODE,
    CWU_ALLOW_SPACE | CWU_NON_SUPPORT_SCHEME,
    CWU_NON_SUPPORT_SCHEME | CWU_NO_AUTHORITY,
    CWU_PATH_AS_IS | CWU_GUESS_SCHEME | CWU_ALLOW_SPACE,
};

/* What a text of ours may need to be read again. */
#define AGAIN \
  (CWU_NON_SUPPORT_SCHEME | CWU_ALLOW_SPACE | CWU_PATH_AS_IS | CWU_NO_AUTHORITY)

static void check(int good, const char *what, const char *text) {
  if (!good) {
    fprintf(stderr, "%s: %s\n", what, text);
    abort();
  }
}

static int same_part(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

static int same_uri(const struct cw_uri *a, const struct cw_uri *b) {
  return same_part(a->scheme, b->scheme) && same_part(a->user, b->user) &&
         same_part(a->password, b->password) &&
         same_part(a->options, b->options) && same_part(a->host, b->host) &&
         same_part(a->port, b->port) && same_part(a->path, b->path) &&
         same_part(a->query, b->query) && same_part(a->fragment, b->fragment) &&
         same_part(a->zoneid, b->zoneid);
}

static char *text_of(const struct cw_uri *uri) {
  char *text;
  enum cw_ucode err = cw_uri_get(uri, CWUPART_URL, CWU_GET_EMPTY, &text);
  check(err == CWUE_OK, "no text", uri->scheme);
  return text;
}

static void check_text(const struct cw_uri *uri) {
  char *text = text_of(uri);
  struct cw_uri again;
  cw_uri_init(&again);
  check(cw_uri_parse(&again, text, AGAIN) == CWUE_OK, "not parsed again", text);
  check(same_uri(uri, &again), "another after parsing again", text);
  check(cw_uri_same_origin(uri, &again), "another origin", text);
  cw_uri_fini(&again);
  cw_free(text);
}

/* Every part with every kind of get; then set as it came. */
static void check_parts(const struct cw_uri *uri) {
  struct cw_uri copy;
  cw_uri_init(&copy);
  check(cw_uri_copy(&copy, uri) == CWUE_OK, "not copied", uri->scheme);
  for (int part = CWUPART_SCHEME; part <= CWUPART_ZONEID; part++) {
    char *value;
    if (cw_uri_get(uri, (enum cw_url_part)part, CWU_URLDECODE, &value) ==
        CWUE_OK) {
      cw_free(value);
    }
    if (cw_uri_get(uri, (enum cw_url_part)part, CWU_GET_EMPTY, &value) !=
        CWUE_OK) {
      continue;
    }
    enum cw_ucode err =
        part == CWUPART_HOST && value[0] == '['
            ? CWUE_OK /* it would drop the zone */
            : cw_uri_set(&copy, (enum cw_url_part)part, value, AGAIN);
    check(err == CWUE_OK, "part not taken back", value);
    cw_free(value);
  }
  char *text = text_of(uri);
  check(same_uri(uri, &copy), "another after setting its parts", text);
  cw_free(text);
  cw_uri_fini(&copy);
}

static void check_follow(const struct cw_uri *base, const char *reference,
                         unsigned flags) {
  struct cw_uri uri;
  cw_uri_init(&uri);
  check(cw_uri_copy(&uri, base) == CWUE_OK, "not copied", base->scheme);
  if (cw_uri_follow(&uri, reference, flags) == CWUE_OK) {
    check_text(&uri);
  } else {
    check(same_uri(&uri, base), "changed by a bad reference", reference);
  }
  cw_uri_fini(&uri);
}

/* Raw text put into each part must stay in it. */
static void check_set(const struct cw_uri *base, const char *value,
                      unsigned flags) {
  static const enum cw_url_part parts[] = {CWUPART_USER,  CWUPART_PASSWORD,
                                           CWUPART_HOST,  CWUPART_PATH,
                                           CWUPART_QUERY, CWUPART_FRAGMENT};
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    struct cw_uri uri;
    cw_uri_init(&uri);
    check(cw_uri_copy(&uri, base) == CWUE_OK, "not copied", base->scheme);
    /* A password without a user comes back with an empty one. */
    if (parts[i] == CWUPART_PASSWORD && !uri.user) {
      check(cw_uri_set(&uri, CWUPART_USER, "", 0) == CWUE_OK, "no user", "");
    }
    /* A file has neither login nor host to show; with an empty host there may
       be no text. */
    if (cw_uri_set(&uri, parts[i], value, flags) == CWUE_OK &&
        strcmp(uri.scheme, "file") != 0 && uri.host[0] != '\0') {
      check_text(&uri);
    }
    cw_uri_fini(&uri);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  if (n < 1) {
    return 0;
  }
  unsigned flags = choices[bytes[0] % 8];
  char *text = malloc(n);
  if (!text) {
    return 0;
  }
  memcpy(text, bytes + 1, n - 1);
  text[n - 1] = '\0';
  char *reference = strchr(text, '\n');
  if (reference) {
    *reference++ = '\0';
  }
  struct cw_uri uri;
  cw_uri_init(&uri);
  if (cw_uri_parse(&uri, text, flags) == CWUE_OK) {
    check(uri.path && uri.path[0] == '/', "no path", text);
    check_text(&uri);
    check_parts(&uri);
    if (reference) {
      check_follow(&uri, reference, flags);
      check_set(&uri, reference, flags);
    }
  }
  cw_uri_fini(&uri);
  free(text);
  return 0;
}
