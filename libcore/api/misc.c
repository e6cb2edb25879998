/* Global state, versions and strings. */
#include <ares.h>
#include <openssl/opensslv.h>
#include <pthread.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "codec/uri.h"
#include "curlew/easy.h"

/* --- global init: counted, thread-safe
 * ------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int users;

static enum cw_code init(const struct cw_mem_functions *functions) {
  enum cw_code err = CW_OK;
  (void)pthread_mutex_lock(&lock);
  if (users == 0) {
    if (functions) {
      cw_mem_set_functions(functions);
    }
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
      err = CWE_FAILED_INIT;
    }
  }
  if (!err) {
    users++;
  }
  (void)pthread_mutex_unlock(&lock);
  return err;
}

enum cw_code cw_global_init(long flags) {
  (void)flags; /* libcurl's bits choose what is always initialised here */
  return init(NULL);
}

enum cw_code cw_global_init_mem(long flags, void *(*alloc)(size_t n),
                                void *(*resize)(void *ptr, size_t n),
                                void (*release)(void *ptr)) {
  (void)flags;
  if (!alloc || !resize || !release) {
    return CWE_FAILED_INIT;
  }
  struct cw_mem_functions functions = {alloc, resize, release};
  return init(&functions);
}

void cw_global_cleanup(void) {
  (void)pthread_mutex_lock(&lock);
  if (users > 0 && --users == 0) {
    ares_library_cleanup();
  }
  (void)pthread_mutex_unlock(&lock);
}

/* --- versions and features
 * --------------------------------------------------------- */

static const struct {
  const char *name;
  int is_built;
} features[] = {
#define feature(name_, built_, library_, prose_) {#name_, (built_)},
#include "tbl/features.def"
#undef feature
};

const char *cw_version(void) {
  return "curlew/" CURLEW_VERSION " OpenSSL/" OPENSSL_VERSION_STR
         " zlib/" ZLIB_VERSION " c-ares/" ARES_VERSION_STR;
}

int cw_feature(const char *name) {
  for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
    if (name && strcmp(features[i].name, name) == 0) {
      return features[i].is_built;
    }
  }
  return 0;
}

const char *cw_feature_at(size_t index) {
  return index < sizeof(features) / sizeof(features[0]) ? features[index].name
                                                        : NULL;
}

/* --- strings
 * -------------------------------------------------------------------------- */

/* The longest text that is encoded or decoded. */
#define ESCAPE_BYTES (64 * 1024 * 1024)

char *cw_easy_escape(CW *easy, const char *s, int n) {
  (void)easy;
  if (!s || n < 0) {
    return NULL;
  }
  struct cw_buf buf;
  cw_buf_init(&buf, ESCAPE_BYTES);
  char *result = NULL;
  if (cw_uri_encode(cw_slice(s, n ? (size_t)n : strlen(s)), &buf) == CW_OK) {
    result = cw_buf_take(&buf);
  }
  cw_buf_fini(&buf);
  return result;
}

char *cw_easy_unescape(CW *easy, const char *s, int n, int *plen) {
  (void)easy;
  if (!s || n < 0) {
    return NULL;
  }
  struct cw_buf buf;
  cw_buf_init(&buf, ESCAPE_BYTES);
  char *result = NULL;
  if (cw_uri_decode(cw_slice(s, n ? (size_t)n : strlen(s)), false, &buf) ==
      CWUE_OK) {
    if (plen) {
      *plen = (int)buf.len;
    }
    result = cw_buf_take(&buf);
  }
  cw_buf_fini(&buf);
  return result;
}

void cw_free_str(void *ptr) {
  cw_free(ptr);
}
