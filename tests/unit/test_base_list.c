#include <criterion/criterion.h>

#include "base/list.h"

struct item {
  int value;
  struct cw_node node;
};

static struct item *item_of(struct cw_node *node) {
  return CW_CONTAINER(node, struct item, node);
}

Test(base_list, order_of_both_ends) {
  struct cw_list list;
  struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
  cw_list_init(&list);
  cr_assert_null(cw_list_first(&list));
  cr_assert_null(cw_list_take_head(&list));
  cw_list_add_tail(&list, &items[1].node);
  cw_list_add_tail(&list, &items[2].node);
  cw_list_add_head(&list, &items[0].node);
  cr_assert_eq(list.count, 3);
  int expected = 1;
  for (struct cw_node *n = cw_list_first(&list); n;
       n = cw_list_next(&list, n)) {
    cr_assert_eq(item_of(n)->value, expected++);
  }
  cr_assert_eq(expected, 4);
  cr_assert_eq(item_of(cw_list_take_head(&list))->value, 1);
  cr_assert_eq(list.count, 2);
}

Test(base_list, a_node_knows_whether_it_is_linked) {
  struct cw_list list;
  struct item item = {0};
  cw_list_init(&list);
  cr_assert_not(cw_node_is_linked(&item.node));
  cw_list_remove(&list, &item.node);
  cr_assert_eq(list.count, 0);
  cw_list_add_tail(&list, &item.node);
  cr_assert(cw_node_is_linked(&item.node));
  cr_assert_null(cw_list_next(&list, &item.node));
  cw_list_remove(&list, &item.node);
  cw_list_remove(&list, &item.node);
  cr_assert_not(cw_node_is_linked(&item.node));
  cr_assert_eq(list.count, 0);
  cw_list_add_head(&list, &item.node);
  cr_assert_eq(cw_list_first(&list), &item.node);
}

Test(base_list, removal_from_the_middle_joins_the_neighbours) {
  struct cw_list list;
  struct item a = {0};
  struct item b = {0};
  struct item c = {0};
  cw_list_init(&list);
  cw_list_add_tail(&list, &a.node);
  cw_list_add_tail(&list, &b.node);
  cw_list_add_tail(&list, &c.node);
  cw_list_remove(&list, &b.node);
  cr_assert_eq(cw_list_next(&list, &a.node), &c.node);
  cr_assert_null(cw_list_next(&list, &c.node));
  cr_assert_eq(list.count, 2);
}
