/*
 * Pins: receive buffers kept beyond their callback. A pin may outlive its
 * handle, so what counts them is an object of its own.
 */
#ifndef CW_ENGINE_PIN_H
#define CW_ENGINE_PIN_H

#include <stddef.h>
#include <stdint.h>

struct cw_pin_count {
  uint32_t refs;
  size_t bytes;
};

/* NULL is allowed. */
void cw_pin_count_unref(struct cw_pin_count *count);

#endif
