#include "base/list.h"

#include <assert.h>

void cw_list_init(struct cw_list *list) {
  list->head.prev = &list->head;
  list->head.next = &list->head;
  list->count = 0;
}

bool cw_node_is_linked(const struct cw_node *node) {
  return node->next != NULL;
}

static void link_after(struct cw_list *list, struct cw_node *at,
                       struct cw_node *node) {
  assert(!cw_node_is_linked(node));
  node->prev = at;
  node->next = at->next;
  at->next->prev = node;
  at->next = node;
  list->count++;
}

void cw_list_add_tail(struct cw_list *list, struct cw_node *node) {
  link_after(list, list->head.prev, node);
}

void cw_list_add_head(struct cw_list *list, struct cw_node *node) {
  link_after(list, &list->head, node);
}

void cw_list_remove(struct cw_list *list, struct cw_node *node) {
  if (!cw_node_is_linked(node)) {
    return;
  }
  assert(list->count > 0);
  node->prev->next = node->next;
  node->next->prev = node->prev;
  node->prev = NULL;
  node->next = NULL;
  list->count--;
}

struct cw_node *cw_list_take_head(struct cw_list *list) {
  struct cw_node *node = cw_list_first(list);
  if (node) {
    cw_list_remove(list, node);
  }
  return node;
}

struct cw_node *cw_list_first(const struct cw_list *list) {
  return cw_list_next(list, &list->head);
}

struct cw_node *cw_list_next(const struct cw_list *list,
                             const struct cw_node *node) {
  return node->next == &list->head ? NULL : node->next;
}
