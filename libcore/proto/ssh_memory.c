/*
 * The memory of a session: libssh2's, kept in a list, so that what it loses
 * (1.10: the host key at each exchange of keys but the last) goes with its
 * connection. Where there is none, libssh2 has many names for what follows, or
 * goes on and waits for what it could not keep: the session counts as broken.
 */
#include <stdalign.h>
#include <string.h>

#include "base/mem.h"
#include "proto/ssh.h"

struct block {
  alignas(max_align_t) struct cw_node node;
};

void *cw_ssh_alloc(size_t n, void **abstract) {
  struct cw_ssh *ssh = *abstract;
  struct block *block =
      n <= SIZE_MAX - sizeof(*block) ? cw_malloc(sizeof(*block) + n) : NULL;
  if (!block) {
    ssh->io_code = CWE_OUT_OF_MEMORY;
    return NULL;
  }
  block->node = (struct cw_node){NULL, NULL};
  cw_list_add_tail(&ssh->memory, &block->node);
  return block + 1;
}

void *cw_ssh_realloc(void *ptr, size_t n, void **abstract) {
  struct cw_ssh *ssh = *abstract;
  if (!ptr) {
    return cw_ssh_alloc(n, abstract);
  }
  struct block *block = (struct block *)ptr - 1;
  cw_list_remove(&ssh->memory, &block->node);
  struct block *moved = n <= SIZE_MAX - sizeof(*block)
                            ? cw_realloc(block, sizeof(*block) + n)
                            : NULL;
  struct block *kept = moved ? moved : block;
  cw_list_add_tail(&ssh->memory, &kept->node);
  if (!moved) {
    ssh->io_code = CWE_OUT_OF_MEMORY;
    return NULL;
  }
  return moved + 1;
}

void cw_ssh_free(void *ptr, void **abstract) {
  struct cw_ssh *ssh = *abstract;
  if (ptr) {
    struct block *block = (struct block *)ptr - 1;
    cw_list_remove(&ssh->memory, &block->node);
    cw_free(block);
  }
}

void cw_ssh_free_rest(struct cw_ssh *ssh) {
  struct cw_node *node = cw_list_take_head(&ssh->memory);
  while (node) {
    cw_free(CW_CONTAINER(node, struct block, node));
    node = cw_list_take_head(&ssh->memory);
  }
}
