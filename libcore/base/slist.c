#include <string.h>

#include "base/mem.h"
#include "curlew/callback.h"

struct cw_slist *cw_slist_append(struct cw_slist *list, const char *s) {
  if (!s) {
    return NULL;
  }
  struct cw_slist *node = cw_calloc(1, sizeof(*node));
  if (!node) {
    return NULL;
  }
  node->data = cw_strdup(s);
  if (!node->data) {
    cw_free(node);
    return NULL;
  }
  if (!list) {
    return node;
  }
  struct cw_slist *last = list;
  while (last->next) {
    last = last->next;
  }
  last->next = node;
  return list;
}

void cw_slist_free_all(struct cw_slist *list) {
  while (list) {
    struct cw_slist *next = list->next;
    cw_free(list->data);
    cw_free(list);
    list = next;
  }
}
