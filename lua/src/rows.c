#include "rows.h"

#include <errno.h>
#include <string.h>

const struct lcw_option lcw_options[] = {
#define option(name, number, kind, default_, min, max, group, schemes, \
               feature, ...)                                           \
  {#name, number, k_##kind, #group, 0, 1, default_, #feature},
#define alias(name, number, kind, target, scale, min, max, feature, prose) \
  {#name, number, k_##kind, "none", opt_##target, scale, 0, #feature},
#include "tbl/options.def"
#undef option
#undef alias
};
const size_t lcw_noptions = sizeof(lcw_options) / sizeof(lcw_options[0]);

const struct lcw_option lcw_moptions[] = {
#define moption(name, number, kind, default_, min, max, feature, prose) \
  {#name, number, k_##kind, "none", 0, 1, default_, #feature},
#include "tbl/moptions.def"
#undef moption
};
const size_t lcw_nmoptions = sizeof(lcw_moptions) / sizeof(lcw_moptions[0]);

const struct lcw_constant lcw_constants[] = {
#define constant(group, name, c_name, value, prose) \
  {#group, #name, #c_name, value},
#include "tbl/constants.def"
#undef constant
};
const size_t lcw_nconstants = sizeof(lcw_constants) / sizeof(lcw_constants[0]);

const struct lcw_info lcw_infos[] = {
#define info(name, number, kind, prose) {#name, number, info_##kind},
#include "tbl/infos.def"
#undef info
};
const size_t lcw_ninfos = sizeof(lcw_infos) / sizeof(lcw_infos[0]);

enum {
#define error(name, number, prose) code_##name = (number),
#define merror(...)
#define uerror(...)
#include "tbl/errors.def"
#undef error
#undef merror
#undef uerror
  code_none_ = -1
};

const struct lcw_callback lcw_callbacks[] = {
    {"none", "none", 0, 0, shape_nothing, "nothing", hold_none, false, "none",
     0, "ok", "core"},
#define callback(name, fn, data, c_type, shape, holds, pend, method, stop, \
                 feature, prose)                                           \
  {#name,        #fn,  opt_##fn, opt_##data,  shape_##shape, #shape,       \
   hold_##holds, pend, #method,  code_##stop, #stop,         #feature},
#define mcallback(...)
#include "tbl/callbacks.def"
#undef callback
#undef mcallback
};
const size_t lcw_ncallbacks = sizeof(lcw_callbacks) / sizeof(lcw_callbacks[0]);

const struct lcw_callback lcw_mcallbacks[mslot_count] = {
#define callback(...)
#define mcallback(name, fn, data, c_type, shape, method, feature, prose) \
  {#name,     #fn,   mopt_##fn, mopt_##data, shape_##shape, #shape,      \
   hold_none, false, #method,   0,           "ok",          #feature},
#include "tbl/callbacks.def"
#undef callback
#undef mcallback
};

static const struct lcw_error easy_errors[] = {
#define error(name, number, prose) {#name, number},
#define merror(...)
#define uerror(...)
#include "tbl/errors.def"
#undef error
#undef merror
#undef uerror
};

static const struct lcw_error multi_errors[] = {
#define error(...)
#define merror(name, number, prose) {#name, number},
#define uerror(...)
#include "tbl/errors.def"
#undef error
#undef merror
#undef uerror
};

static const struct lcw_error url_errors[] = {
#define error(...)
#define merror(...)
#define uerror(name, number, prose) {#name, number},
#include "tbl/errors.def"
#undef error
#undef merror
#undef uerror
};

static const struct lcw_error share_errors[] = {
#define sherror(name, number, prose) {#name, number},
#include "tbl/share.def"
#undef sherror
};

static const struct lcw_error os_messages[] = {
#define errno_row(name, prose) {prose, name},
#include "tbl/errnos.def"
#undef errno_row
};
static const struct lcw_error os_names[] = {
#define errno_row(name, prose) {#name, name},
#include "tbl/errnos.def"
#undef errno_row
};

static const char *find_name(const struct lcw_error *rows, size_t n, int code) {
  for (size_t i = 0; i < n; i++) {
    if (rows[i].code == code) {
      return rows[i].name;
    }
  }
  return "unknown";
}

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

const char *lcw_errname(const char *category, int code) {
  if (strcmp(category, "os") == 0) {
    return find_name(os_names, COUNT(os_names), code);
  }
  if (strcmp(category, "multi") == 0) {
    return find_name(multi_errors, COUNT(multi_errors), code);
  }
  if (strcmp(category, "url") == 0) {
    return find_name(url_errors, COUNT(url_errors), code);
  }
  if (strcmp(category, "share") == 0) {
    return find_name(share_errors, COUNT(share_errors), code);
  }
  return find_name(easy_errors, COUNT(easy_errors), code);
}

const char *lcw_strerror(const char *category, int code) {
  if (strcmp(category, "os") == 0) {
    return lcw_os_message(code);
  }
  if (strcmp(category, "multi") == 0) {
    return cw_multi_strerror((enum cw_mcode)code);
  }
  if (strcmp(category, "url") == 0) {
    return cw_url_strerror((enum cw_ucode)code);
  }
  if (strcmp(category, "share") == 0) {
    return cw_share_strerror((enum cw_shcode)code);
  }
  return cw_easy_strerror((enum cw_code)code);
}

const char *lcw_os_message(int number) {
  return find_name(os_messages, COUNT(os_messages), number);
}

bool lcw_constant_value(const char *group, const char *name, int64_t *pvalue) {
  for (size_t i = 0; i < lcw_nconstants; i++) {
    const struct lcw_constant *row = &lcw_constants[i];
    if (strcmp(row->group, group) == 0 && strcmp(row->name, name) == 0) {
      *pvalue = row->value;
      return true;
    }
  }
  return false;
}

const char *lcw_constant_name(const char *group, int64_t value) {
  for (size_t i = 0; i < lcw_nconstants; i++) {
    const struct lcw_constant *row = &lcw_constants[i];
    if (row->value == value && strcmp(row->group, group) == 0) {
      return row->name;
    }
  }
  return NULL;
}

enum cw_slot lcw_slot_of_fn(int number) {
  for (size_t i = 1; i < lcw_ncallbacks; i++) {
    if (lcw_callbacks[i].fn_option == number) {
      return (enum cw_slot)i;
    }
  }
  return CW_SLOT_NONE;
}

size_t lcw_edits(const char *a, const char *b) {
  size_t row[64];
  size_t na = strlen(a);
  size_t nb = strlen(b);
  if (na >= 64 || nb >= 64) {
    return 64;
  }
  for (size_t j = 0; j <= nb; j++) {
    row[j] = j;
  }
  for (size_t i = 1; i <= na; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= nb; j++) {
      size_t change = diagonal + (a[i - 1] != b[j - 1]);
      size_t best = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;
      diagonal = row[j];
      row[j] = change < best ? change : best;
    }
  }
  return row[nb];
}
