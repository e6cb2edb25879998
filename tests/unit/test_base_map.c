#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "oom/failing.h"

static const uint64_t seed[2] = {1, 2};

static void guard_on(void) {
  failing_start(-1);
}

static void guard_off(void) {
  cr_assert_eq(failing_live(), 0);
  failing_stop();
}

TestSuite(base_map, .init = guard_on, .fini = guard_off);

/* The values are those of another implementation: CPython 3.11 hashes bytes
   by SipHash-1-3 with a zero key when PYTHONHASHSEED is 0. */
Test(base_map, the_hash_is_siphash_1_3) {
  const uint64_t zero[2] = {0, 0};
  char bytes[255];
  for (int i = 0; i < 255; i++) {
    bytes[i] = (char)i;
  }
  cr_assert_eq(cw_map_hash(zero, cw_slice_str("a")),
               UINT64_C(4644417185603328019));
  cr_assert_eq(cw_map_hash(zero, cw_slice_str("abc")),
               UINT64_C(13851880170939887858));
  cr_assert_eq(cw_map_hash(zero, cw_slice_str("12345678")),
               UINT64_C(3785724242978802311));
  cr_assert_eq(cw_map_hash(zero, cw_slice_str("content-length")),
               UINT64_C(2551976182517171234));
  cr_assert_eq(cw_map_hash(zero, cw_slice(bytes, 255)),
               UINT64_C(6755954963420408643));
  cr_assert_neq(cw_map_hash(seed, cw_slice_str("a")),
                cw_map_hash(zero, cw_slice_str("a")));
}

static struct cw_slice key_of(int i, char text[16]) {
  snprintf(text, 16, "key%d", i);
  return cw_slice_str(text);
}

static void fill(struct cw_map *map, int *values, int n) {
  char text[16];
  for (int i = 0; i < n; i++) {
    cr_assert_eq(cw_map_put(map, key_of(i, text), &values[i], NULL), CW_OK);
  }
}

Test(base_map, thousands_of_names) {
  static int values[5000];
  struct cw_map map;
  char text[16];
  cw_map_init(&map, 10000, seed);
  cr_assert_null(cw_map_get(&map, cw_slice_str("none")));
  cr_assert_null(cw_map_remove(&map, cw_slice_str("none")));
  fill(&map, values, 5000);
  for (int i = 0; i < 5000; i += 3) {
    cr_assert_eq(cw_map_remove(&map, key_of(i, text)), &values[i]);
  }
  for (int i = 0; i < 5000; i++) {
    cr_assert_eq(cw_map_get(&map, key_of(i, text)),
                 i % 3 == 0 ? NULL : &values[i]);
  }
  cr_assert_eq(map.count, 3333);
  cw_map_fini(&map);
  cr_assert_eq(map.count, 0);
  fill(&map, values, 1);
  cw_map_fini(&map);
}

Test(base_map, keys_are_bytes_and_are_copied) {
  struct cw_map map;
  int a = 0;
  int b = 0;
  void *old = &a;
  char text[4] = "a\0b";
  cw_map_init(&map, 10, seed);
  cr_assert_eq(cw_map_put(&map, cw_slice(text, 3), &a, &old), CW_OK);
  cr_assert_null(old);
  text[2] = 'c';
  cr_assert_null(cw_map_get(&map, cw_slice(text, 3)));
  cr_assert_eq(cw_map_get(&map, cw_slice("a\0b", 3)), &a);
  cr_assert_null(cw_map_get(&map, cw_slice("a", 1)));
  cr_assert_eq(cw_map_put(&map, cw_slice("a\0b", 3), &b, &old), CW_OK);
  cr_assert_eq(old, &a);
  cr_assert_eq(map.count, 1);
  cr_assert_eq(cw_map_put(&map, cw_slice(NULL, 0), &a, NULL), CW_OK);
  cr_assert_eq(cw_map_get(&map, cw_slice_str("")), &a);
  cw_map_fini(&map);
}

Test(base_map, the_ceiling_stops_new_names_only) {
  struct cw_map map;
  int values[4];
  cw_map_init(&map, 3, seed);
  fill(&map, values, 3);
  cr_assert_eq(cw_map_put(&map, cw_slice_str("more"), &values[3], NULL),
               CWE_TOO_LARGE);
  cr_assert_eq(cw_map_put(&map, cw_slice_str("key1"), &values[3], NULL), CW_OK);
  cr_assert_eq(cw_map_remove(&map, cw_slice_str("key0")), &values[0]);
  cr_assert_eq(cw_map_put(&map, cw_slice_str("more"), &values[3], NULL), CW_OK);
  cw_map_fini(&map);
}

struct walk {
  struct cw_map *map;
  int *values;
  int n;
  int seen;
  bool visited[200];
};

static int drop_odd(void *data, struct cw_slice key, void *value) {
  struct walk *walk = data;
  (void)key;
  walk->seen++;
  return ((int *)value - walk->values) % 2 != 0;
}

Test(base_map, each_removes_what_it_is_told_to) {
  static int values[200];
  struct cw_map map;
  char text[16];
  cw_map_init(&map, 1000, seed);
  fill(&map, values, 200);
  struct walk walk = {&map, values, 200, 0, {false}};
  cw_map_each(&map, drop_odd, &walk);
  cr_assert_eq(walk.seen, 200);
  cr_assert_eq(map.count, 100);
  for (int i = 0; i < 200; i++) {
    cr_assert_eq(cw_map_get(&map, key_of(i, text)), i % 2 ? NULL : &values[i]);
  }
  cw_map_fini(&map);
}

/* The first call removes every other entry, among them the ones that the walk
   would come to next, and itself, and puts one back. */
static int drop_all(void *data, struct cw_slice key, void *value) {
  struct walk *walk = data;
  char text[16];
  walk->seen++;
  if (walk->seen > 1) {
    cr_assert(cw_slice_eq_str(key, "back") || cw_slice_eq_str(key, "new"));
    return 0;
  }
  char own[16];
  cr_assert_lt(key.len, sizeof(own));
  memcpy(own, key.ptr, key.len);
  for (int i = 0; i < walk->n; i++) {
    cr_assert_eq(cw_map_remove(walk->map, key_of(i, text)), &walk->values[i]);
  }
  cr_assert_eq(memcmp(own, key.ptr, key.len), 0);
  cr_assert_eq(walk->map->count, 0);
  cr_assert_null(cw_map_get(walk->map, key));
  cr_assert_eq(cw_map_put(walk->map, cw_slice_str("back"), value, NULL), CW_OK);
  return 1;
}

Test(base_map, anything_may_be_removed_and_put_during_a_walk) {
  static int values[200];
  struct cw_map map;
  cw_map_init(&map, 1000, seed);
  fill(&map, values, 200);
  long live = failing_live();
  struct walk walk = {&map, values, 200, 0, {false}};
  cw_map_each(&map, drop_all, &walk);
  cr_assert_leq(walk.seen, 2);
  cr_assert_eq(map.count, 1);
  cr_assert_not_null(cw_map_get(&map, cw_slice_str("back")));
  cr_assert_eq(failing_live(), live - 199);
  cw_map_fini(&map);
}

static int walk_again(void *data, struct cw_slice key, void *value) {
  struct walk *walk = data;
  size_t index = (size_t)((int *)value - walk->values);
  cr_assert_not(walk->visited[index]);
  walk->visited[index] = true;
  struct walk inner = {walk->map, walk->values, 0, 0, {false}};
  int count = (int)walk->map->count;
  cw_map_each(walk->map, drop_odd, &inner);
  cr_assert_eq(inner.seen, count);
  (void)key;
  return 0;
}

Test(base_map, walks_nest) {
  static int values[50];
  struct cw_map map;
  cw_map_init(&map, 1000, seed);
  fill(&map, values, 50);
  struct walk walk = {&map, values, 50, 0, {false}};
  cw_map_each(&map, walk_again, &walk);
  cr_assert_eq(map.count, 25);
  for (int i = 0; i < 50; i += 2) {
    cr_assert(walk.visited[i]);
  }
  cw_map_fini(&map);
}

Test(base_map, each_failed_allocation_leaves_a_whole_map) {
  static int values[40];
  bool done = false;
  for (long n = 1; !done; n++) {
    failing_start(n);
    struct cw_map map;
    char text[16];
    bool had[40];
    cw_map_init(&map, 100, seed);
    for (int i = 0; i < 40; i++) {
      enum cw_code err = cw_map_put(&map, key_of(i, text), &values[i], NULL);
      cr_assert(err == CW_OK || err == CWE_OUT_OF_MEMORY);
      had[i] = err == CW_OK;
    }
    for (int i = 0; i < 40; i++) {
      cr_assert_eq(cw_map_get(&map, key_of(i, text)),
                   had[i] ? &values[i] : NULL);
    }
    cw_map_fini(&map);
    cr_assert_eq(failing_live(), 0);
    done = failing_allocations() < n;
  }
}
