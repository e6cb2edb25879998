/*
 * Ids with a generation, in place of pointers.
 *
 * An id is 64 bits: slot in the low half, generation in the high half. A slot
 * that is used again has another generation, so an id that outlived its
 * object finds nothing instead of a stranger. 0 is never a valid id.
 */
#ifndef CW_BASE_IDTAB_H
#define CW_BASE_IDTAB_H

#include <stddef.h>
#include <stdint.h>

#include "curlew/error.h"

struct cw_idtab_slot;

struct cw_idtab {
  struct cw_idtab_slot *slots;
  uint32_t nslots;
  uint32_t free_head; /* index + 1 of the first free slot, 0 for none */
  uint32_t count;
};

void cw_idtab_init(struct cw_idtab *tab);
/* Frees the table, not the objects. */
void cw_idtab_fini(struct cw_idtab *tab);
/* CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_idtab_add(struct cw_idtab *tab, void *object,
                                        uint64_t *pid);
/* The object, or NULL for an id that is not, or no longer, in the table. */
void *cw_idtab_get(const struct cw_idtab *tab, uint64_t id);
/* As get, and the id is invalid from now on. */
void *cw_idtab_take(struct cw_idtab *tab, uint64_t id);
/* The id after id in slot order (0: the first), or 0 at the end. Safe while
   objects come and go between the calls. */
uint64_t cw_idtab_next(const struct cw_idtab *tab, uint64_t id);

#endif
