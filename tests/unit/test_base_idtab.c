#include <criterion/criterion.h>
#include <stdint.h>

#include "base/idtab.h"
#include "oom/failing.h"

static void guard_on(void) {
  failing_start(-1);
}

static void guard_off(void) {
  cr_assert_eq(failing_live(), 0);
  failing_stop();
}

TestSuite(base_idtab, .init = guard_on, .fini = guard_off);

static uint64_t add(struct cw_idtab *tab, void *object) {
  uint64_t id = 0;
  cr_assert_eq(cw_idtab_add(tab, object, &id), CW_OK);
  cr_assert_neq(id, 0);
  cr_assert_gt((int64_t)id, 0);
  return id;
}

Test(base_idtab, a_stale_id_finds_nothing_in_its_reused_slot) {
  struct cw_idtab tab;
  int a = 0;
  int b = 0;
  cw_idtab_init(&tab);
  uint64_t first = add(&tab, &a);
  cr_assert_eq(cw_idtab_take(&tab, first), &a);
  uint64_t second = add(&tab, &b);
  cr_assert_eq((uint32_t)second, (uint32_t)first);
  cr_assert_neq(second, first);
  cr_assert_null(cw_idtab_get(&tab, first));
  cr_assert_null(cw_idtab_take(&tab, first));
  cr_assert_eq(cw_idtab_get(&tab, second), &b);
  cr_assert_eq(tab.count, 1);
  cw_idtab_fini(&tab);
}

Test(base_idtab, ids_that_never_were_find_nothing) {
  struct cw_idtab tab;
  int a = 0;
  cw_idtab_init(&tab);
  cr_assert_null(cw_idtab_get(&tab, 0));
  cr_assert_null(cw_idtab_get(&tab, UINT64_C(1) << 32));
  cr_assert_eq(cw_idtab_next(&tab, 0), 0);
  uint64_t id = add(&tab, &a);
  cr_assert_null(cw_idtab_get(&tab, 0));
  cr_assert_null(cw_idtab_get(&tab, id + 1));
  cr_assert_null(cw_idtab_get(&tab, id + 1000));
  cr_assert_null(cw_idtab_get(&tab, UINT64_MAX));
  cr_assert_eq(cw_idtab_next(&tab, UINT64_MAX), 0);
  cw_idtab_fini(&tab);
}

Test(base_idtab, the_slot_freed_last_is_used_first) {
  struct cw_idtab tab;
  int object = 0;
  uint64_t ids[5];
  cw_idtab_init(&tab);
  for (int i = 0; i < 5; i++) {
    ids[i] = add(&tab, &object);
    cr_assert_eq((uint32_t)ids[i], (uint32_t)i);
  }
  cw_idtab_take(&tab, ids[1]);
  cw_idtab_take(&tab, ids[3]);
  cr_assert_eq((uint32_t)add(&tab, &object), 3);
  cr_assert_eq((uint32_t)add(&tab, &object), 1);
  cr_assert_eq((uint32_t)add(&tab, &object), 5);
  cw_idtab_fini(&tab);
}

Test(base_idtab, thousands_keep_their_objects) {
  static int objects[3000];
  static uint64_t ids[3000];
  struct cw_idtab tab;
  cw_idtab_init(&tab);
  for (int i = 0; i < 3000; i++) {
    ids[i] = add(&tab, &objects[i]);
  }
  for (int i = 0; i < 3000; i += 2) {
    cr_assert_eq(cw_idtab_take(&tab, ids[i]), &objects[i]);
  }
  cr_assert_eq(tab.count, 1500);
  int seen = 0;
  for (uint64_t id = 0; (id = cw_idtab_next(&tab, id)) != 0;) {
    cr_assert_eq(id, ids[2 * seen + 1]);
    cr_assert_eq(cw_idtab_get(&tab, id), &objects[2 * seen + 1]);
    seen++;
  }
  cr_assert_eq(seen, 1500);
  cw_idtab_fini(&tab);
}

Test(base_idtab, a_walk_goes_on_past_what_it_took) {
  struct cw_idtab tab;
  int object = 0;
  cw_idtab_init(&tab);
  for (int i = 0; i < 20; i++) {
    add(&tab, &object);
  }
  int seen = 0;
  for (uint64_t id = cw_idtab_next(&tab, 0); id != 0;
       id = cw_idtab_next(&tab, id)) {
    cw_idtab_take(&tab, id);
    seen++;
  }
  cr_assert_eq(seen, 20);
  cr_assert_eq(tab.count, 0);
  cw_idtab_fini(&tab);
}

/* The layout of a slot as idtab.c has it, to come near the end of its
   generations without two thousand million rounds. */
struct slot {
  void *object;
  uint32_t generation;
  uint32_t next_free;
};

Test(base_idtab, a_slot_out_of_generations_is_never_used_again) {
  struct cw_idtab tab;
  int object = 0;
  cw_idtab_init(&tab);
  uint64_t id = add(&tab, &object);
  cr_assert_eq(id >> 32, 1);
  cw_idtab_take(&tab, id);
  struct slot *slot = (struct slot *)(void *)tab.slots;
  cr_assert_eq(slot->generation, 2);
  slot->generation = 0x7ffffffe;
  uint64_t last_but_one = add(&tab, &object);
  cr_assert_eq((uint32_t)last_but_one, 0);
  cw_idtab_take(&tab, last_but_one);
  uint64_t last = add(&tab, &object);
  cr_assert_eq(last, UINT64_C(0x7fffffff) << 32);
  cr_assert_eq(cw_idtab_take(&tab, last), &object);
  cr_assert_null(cw_idtab_get(&tab, last));
  for (int i = 0; i < 30; i++) {
    cr_assert_neq((uint32_t)add(&tab, &object), 0);
  }
  cr_assert_null(cw_idtab_get(&tab, id));
  cr_assert_eq(cw_idtab_next(&tab, 0), UINT64_C(1) << 32 | 1);
  cr_assert_eq(tab.count, 30);
  cw_idtab_fini(&tab);
}

Test(base_idtab, want_of_memory_keeps_what_is_there) {
  struct cw_idtab tab;
  int object = 0;
  uint64_t id = 0;
  cw_idtab_init(&tab);
  failing_start(2);
  uint64_t first = add(&tab, &object);
  uint32_t n = tab.nslots;
  for (uint32_t i = 1; i < n; i++) {
    add(&tab, &object);
  }
  cr_assert_eq(cw_idtab_add(&tab, &object, &id), CWE_OUT_OF_MEMORY);
  cr_assert_eq(id, 0);
  cr_assert_eq(tab.count, n);
  cr_assert_eq(cw_idtab_get(&tab, first), &object);
  cr_assert_eq(cw_idtab_add(&tab, &object, &id), CW_OK);
  cw_idtab_fini(&tab);
}
