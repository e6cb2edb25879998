/*
 * An intrusive doubly linked list with a head. A node is in at most one list
 * and knows whether it is in one; a zeroed node is in none.
 */
#ifndef CW_BASE_LIST_H
#define CW_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct cw_node {
  struct cw_node *prev;
  struct cw_node *next; /* NULL: in no list */
};

struct cw_list {
  struct cw_node head;
  size_t count;
};

/* The object that holds the node as its member. */
#define CW_CONTAINER(node, type, member) \
  ((type *)(void *)((char *)(node)-offsetof(type, member)))

void cw_list_init(struct cw_list *list);
bool cw_node_is_linked(const struct cw_node *node);
/* The node must be in no list. */
void cw_list_add_tail(struct cw_list *list, struct cw_node *node);
void cw_list_add_head(struct cw_list *list, struct cw_node *node);
/* The node must be in this list or in none (then nothing happens). */
void cw_list_remove(struct cw_list *list, struct cw_node *node);
/* Unlinks and returns the first node; NULL if there is none. */
struct cw_node *cw_list_take_head(struct cw_list *list);
/* First node or NULL; the node after node or NULL. */
struct cw_node *cw_list_first(const struct cw_list *list);
struct cw_node *cw_list_next(const struct cw_list *list,
                             const struct cw_node *node);

#endif
