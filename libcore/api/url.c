/* The public URL handle: a struct cw_uri in a box. */
#include "curlew/url.h"

#include "base/mem.h"
#include "codec/uri.h"

CWU *cw_url(void) {
  CWU *url = cw_malloc(sizeof(*url));
  if (url) {
    cw_uri_init(&url->uri);
  }
  return url;
}

void cw_url_cleanup(CWU *url) {
  if (url) {
    cw_uri_fini(&url->uri);
    cw_free(url);
  }
}

CWU *cw_url_dup(const CWU *url) {
  CWU *copy = url ? cw_url() : NULL;
  if (copy && cw_uri_copy(&copy->uri, &url->uri)) {
    cw_url_cleanup(copy);
    copy = NULL;
  }
  return copy;
}

enum cw_ucode cw_url_get(const CWU *url, enum cw_url_part part, char **ppart,
                         unsigned flags) {
  if (!url) {
    return CWUE_BAD_HANDLE;
  }
  if (!ppart) {
    return CWUE_BAD_PARTPOINTER;
  }
  return cw_uri_get(&url->uri, part, flags, ppart);
}

enum cw_ucode cw_url_set(CWU *url, enum cw_url_part what, const char *part,
                         unsigned flags) {
  if (!url) {
    return CWUE_BAD_HANDLE;
  }
  return cw_uri_set(&url->uri, what, part, flags);
}
