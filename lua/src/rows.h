/*
 * The rows of libcore/tbl as the binding needs them. Nothing here knows Lua
 * values; everything that lists options, callbacks, infos, errors or constants
 * comes from these arrays.
 */
#ifndef LCW_ROWS_H
#define LCW_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curlew/curlew.h"

/* Numbers of all options by their row names: opt_url, opt_writefunction. */
enum lcw_opt {
#define option(name, number, ...) opt_##name = (number),
#define alias(name, number, ...)  opt_##name = (number),
#include "tbl/options.def"
#undef option
#undef alias
  opt_none_ = 0
};

enum lcw_mopt {
#define moption(name, number, ...) mopt_##name = (number),
#include "tbl/moptions.def"
#undef moption
  mopt_none_ = 0
};

/* How a value is taken and given back. */
enum lcw_kind {
  k_bool,
  k_int,
  k_ms,
  k_seconds,
  k_bytes,
  k_enum,
  k_flags,
  k_str,
  k_secret,
  k_path,
  k_blob,
  k_list,
  k_object,
  k_callback,
  k_data
};

struct lcw_option {
  const char *name;
  int number;
  enum lcw_kind kind;
  const char *group;   /* "none" where it has none */
  int target;          /* number of the option that an alias stores to, or 0 */
  int64_t scale;       /* of an alias */
  int64_t standard;    /* default of number kinds */
  const char *feature; /* of features.def */
};

struct lcw_constant {
  const char *group;
  const char *name;   /* short */
  const char *c_name; /* CW_WRITEFUNC_PAUSE */
  int64_t value;
};

/* How callbacks are called; the names are those of callbacks.def. */
enum lcw_shape {
  shape_view_to_count,
  shape_message_to_count,
  shape_line_to_count,
  shape_fill_to_count,
  shape_seek,
  shape_ioctl,
  shape_trailer,
  shape_four_integers,
  shape_four_floats,
  shape_kind_and_view,
  shape_socket,
  shape_address_to_fd,
  shape_fd,
  shape_ssl_ctx,
  shape_resolver,
  shape_peer_and_local,
  shape_ssh_key,
  shape_ssh_hostkey,
  shape_file_info,
  shape_nothing,
  shape_two_strings,
  shape_hsts_read,
  shape_hsts_write,
  shape_convert,
  shape_socket_wish,
  shape_timer_wish,
  shape_push,
  shape_notice,
  shape_count
};

/* Directions that a callback holds up; each has a coroutine of its own. */
enum lcw_hold {
  hold_recv,
  hold_send,
  hold_both,
  hold_none,
  hold_count
};

struct lcw_callback {
  const char *name;
  const char *option; /* "writefunction" */
  int fn_option, data_option;
  enum lcw_shape shape;
  const char *shape_name;
  enum lcw_hold hold;
  bool may_pend;
  const char *method;
  int stop_code;
  const char *stop_name;
  const char *feature;
};

enum lcw_info_kind {
  info_str,
  info_long,
  info_double,
  info_off_t,
  info_list,
  info_ptr,
  info_socket
};

struct lcw_info {
  const char *name;
  int number;
  enum lcw_info_kind kind;
};

struct lcw_error {
  const char *name;
  int code;
};

extern const struct lcw_option lcw_options[];
extern const size_t lcw_noptions;
extern const struct lcw_option lcw_moptions[];
extern const size_t lcw_nmoptions;
extern const struct lcw_constant lcw_constants[];
extern const size_t lcw_nconstants;
extern const struct lcw_info lcw_infos[];
extern const size_t lcw_ninfos;
/* Indexed by enum cw_slot; row 0 is no callback. */
extern const struct lcw_callback lcw_callbacks[];
extern const size_t lcw_ncallbacks;
/* The callbacks of a multi, by their rows. */
enum lcw_mslot {
#define callback(...)
#define mcallback(name, ...) mslot_##name,
#include "tbl/callbacks.def"
#undef callback
#undef mcallback
  mslot_count
};
extern const struct lcw_callback lcw_mcallbacks[mslot_count];

/* The name of a code of "easy", "multi" or "url" in lower case, of "os" as the
   system has it ("ECONNREFUSED"), or "unknown". */
const char *lcw_errname(const char *category, int code);
/* The sentence of a code of "easy", "multi", "url" or "os". */
const char *lcw_strerror(const char *category, int code);
/* What the system's error number means. */
const char *lcw_os_message(int number);
/* The value of a short name of a group. */
bool lcw_constant_value(const char *group, const char *name, int64_t *pvalue);
/* The short name of a value of a group, or NULL. */
const char *lcw_constant_name(const char *group, int64_t value);
/* The slot whose function or companion is that option, or CW_SLOT_NONE. */
enum cw_slot lcw_slot_of_fn(int option);
/* The number of edits from one name to the other; both under 64 bytes, else
   64. */
size_t lcw_edits(const char *a, const char *b);

#endif
