/*
 * How it works: a growing array of slots. Free slots form a stack, so the one
 * freed last, which is still in the cache, is used next. Taking an id raises
 * the generation of its slot. A slot whose generations are used up is retired
 * and never comes back: 16 bytes lost after two thousand million uses, and in
 * return no id is ever given out twice.
 */
#include "base/idtab.h"

#include <stdbool.h>

#include "base/mem.h"

#define FIRST_SLOTS    8
#define MAX_SLOTS      (UINT32_C(1) << 30)
#define MAX_GENERATION UINT32_C(0x7fffffff) /* ids stay positive as int64_t */
#define IN_USE         UINT32_MAX

struct cw_idtab_slot {
  void *object;
  uint32_t generation; /* from 1 on; of the present or the next object */
  uint32_t next_free;  /* index + 1, 0 at the end; IN_USE: not free */
};

void cw_idtab_init(struct cw_idtab *tab) {
  *tab = (struct cw_idtab){0};
}

void cw_idtab_fini(struct cw_idtab *tab) {
  cw_free(tab->slots);
  cw_idtab_init(tab);
}

static enum cw_code grow(struct cw_idtab *tab) {
  uint32_t n = tab->nslots > 0 ? 2 * tab->nslots : FIRST_SLOTS;
  if (n > MAX_SLOTS) {
    return CWE_OUT_OF_MEMORY;
  }
  struct cw_idtab_slot *slots = cw_realloc(tab->slots, n * sizeof(*slots));
  if (!slots) {
    return CWE_OUT_OF_MEMORY;
  }
  /* Pushed from the last to the first, so that low slots are used first. */
  for (uint32_t i = n; i > tab->nslots; i--) {
    slots[i - 1] = (struct cw_idtab_slot){NULL, 1, tab->free_head};
    tab->free_head = i;
  }
  tab->slots = slots;
  tab->nslots = n;
  return CW_OK;
}

static uint64_t id_of(const struct cw_idtab *tab, uint32_t index) {
  return (uint64_t)tab->slots[index].generation << 32 | index;
}

enum cw_code cw_idtab_add(struct cw_idtab *tab, void *object, uint64_t *pid) {
  if (tab->free_head == 0) {
    enum cw_code err = grow(tab);
    if (err) {
      return err;
    }
  }
  uint32_t index = tab->free_head - 1;
  struct cw_idtab_slot *slot = &tab->slots[index];
  tab->free_head = slot->next_free;
  slot->next_free = IN_USE;
  slot->object = object;
  tab->count++;
  *pid = id_of(tab, index);
  return CW_OK;
}

static struct cw_idtab_slot *find(const struct cw_idtab *tab, uint64_t id) {
  uint32_t index = (uint32_t)id;
  if (index >= tab->nslots) {
    return NULL;
  }
  struct cw_idtab_slot *slot = &tab->slots[index];
  bool live = slot->next_free == IN_USE && slot->generation == id >> 32;
  return live ? slot : NULL;
}

void *cw_idtab_get(const struct cw_idtab *tab, uint64_t id) {
  struct cw_idtab_slot *slot = find(tab, id);
  return slot ? slot->object : NULL;
}

void *cw_idtab_take(struct cw_idtab *tab, uint64_t id) {
  struct cw_idtab_slot *slot = find(tab, id);
  if (!slot) {
    return NULL;
  }
  void *object = slot->object;
  slot->object = NULL;
  slot->next_free = 0;
  tab->count--;
  if (slot->generation < MAX_GENERATION) {
    slot->generation++;
    slot->next_free = tab->free_head;
    tab->free_head = (uint32_t)id + 1;
  }
  return object;
}

uint64_t cw_idtab_next(const struct cw_idtab *tab, uint64_t id) {
  uint64_t index = id == 0 ? 0 : (id & UINT32_MAX) + 1;
  for (; index < tab->nslots; index++) {
    if (tab->slots[index].next_free == IN_USE) {
      return id_of(tab, (uint32_t)index);
    }
  }
  return 0;
}
