/*
 * Setting and reading options: the variable-argument form takes what the
 * number's class says, the others say it in their names.
 */
#include <stdarg.h>
#include <string.h>

#include "engine/guard.h"
#include "engine/options.h"

/* Whether the option may be set now. */
static enum cw_code may_set(struct cw_easy *easy, int number) {
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  cw_fail_clear(&easy->call_fail);
  if (!cw_easy_is_running(easy)) {
    cw_fail_clear(&easy->fail);
    return CW_OK;
  }
  const struct cw_option_ref *ref = cw_option_find(number);
  if (ref && !(cw_option_row(ref->opt)->flags & f_live)) {
    return cw_fail(&easy->call_fail, CWE_RECURSIVE_API_CALL,
                   "option %s cannot be set while the transfer runs",
                   ref->name);
  }
  return CW_OK;
}

/* A failure while a transfer runs must not take the place of the transfer's
   own. */
static struct cw_fail *fail_of(struct cw_easy *easy) {
  return cw_easy_is_running(easy) ? &easy->call_fail : &easy->fail;
}

static void after_set(struct cw_easy *easy) {
  if (cw_easy_is_running(easy)) {
    cw_transfer_wake(easy); /* a deadline may have moved */
  }
}

enum cw_code cw_easy_set_int(CW *easy, enum cw_option option, int64_t value) {
  enum cw_code err = may_set(easy, (int)option);
  if (!err) {
    err = cw_options_set_int(&easy->options, (int)option, value, fail_of(easy));
    after_set(easy);
  }
  return err;
}

enum cw_code cw_easy_set_str(CW *easy, enum cw_option option, const char *s,
                             size_t n) {
  enum cw_code err = may_set(easy, (int)option);
  if (!err) {
    err = cw_options_set_str(&easy->options, (int)option, s, n, fail_of(easy));
  }
  if (!err && option == CWOPT_COOKIEFILE) {
    easy->cookies_due = true;
  } else if (!err && option == CWOPT_COOKIELIST && s) {
    err = cw_cookies_command(easy, cw_opt_s(&easy->options, cw_opt_cookielist),
                             fail_of(easy));
  }
  return err;
}

enum cw_code cw_easy_set_list(CW *easy, enum cw_option option,
                              const struct cw_slist *list) {
  enum cw_code err = may_set(easy, (int)option);
  return err ? err
             : cw_options_set_list(&easy->options, (int)option, list,
                                   fail_of(easy));
}

enum cw_code cw_easy_set_blob(CW *easy, enum cw_option option,
                              const struct cw_blob *blob) {
  enum cw_code err = may_set(easy, (int)option);
  return err ? err
             : cw_options_set_blob(&easy->options, (int)option, blob,
                                   fail_of(easy));
}

enum cw_code cw_easy_set_ptr(CW *easy, enum cw_option option, void *ptr) {
  enum cw_code err = may_set(easy, (int)option);
  return err ? err
             : cw_options_set_ptr(&easy->options, (int)option, ptr,
                                  fail_of(easy));
}

enum cw_code cw_easy_set_fn(CW *easy, enum cw_option option, cw_any_fn fn) {
  enum cw_code err = may_set(easy, (int)option);
  return err ? err
             : cw_options_set_fn(&easy->options, (int)option, fn,
                                 fail_of(easy));
}

/* COPYPOSTFIELDS takes POSTFIELDSIZE bytes where that was set before. */
static enum cw_code set_post(CW *easy, enum cw_option option, const char *s) {
  int64_t size = cw_opt_i(&easy->options, cw_opt_postfieldsize_large);
  size_t n = 0;
  if (s && option == CWOPT_COPYPOSTFIELDS && size >= 0) {
    n = (size_t)size;
  } else if (s && option == CWOPT_COPYPOSTFIELDS) {
    n = strlen(s);
  }
  enum cw_code err = cw_easy_set_str(easy, option, s, n);
  if (!err && option == CWOPT_POSTFIELDS) {
    easy->options.post.has_len = false; /* up to the NUL, when it is sent */
  }
  return err;
}

static enum cw_code set_pointer(CW *easy, enum cw_option option,
                                enum cw_opt opt, enum cw_kind kind, void *ptr) {
  switch (kind) {
  case cw_kind_str:
  case cw_kind_secret:
  case cw_kind_path:
    if (opt == cw_opt_postfields) {
      return set_post(easy, option, ptr);
    }
    return cw_easy_set_str(easy, option, ptr, ptr ? strlen(ptr) : 0);
  case cw_kind_list:
    return cw_easy_set_list(easy, option, ptr);
  default:
    return cw_easy_set_ptr(easy, option, ptr);
  }
}

/* What a va_arg of an option of our own is: numbers are int64_t. */
static bool is_number(enum cw_kind kind) {
  return kind <= cw_kind_flags;
}

enum cw_code cw_easy_setopt(CW *easy, enum cw_option option, ...) {
  const struct cw_option_ref *ref = cw_option_find((int)option);
  int number = (int)option;
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  if (!ref) {
    (void)cw_fail(fail_of(easy), CWE_UNKNOWN_OPTION,
                  "no option has the number %d", number);
    return CWE_UNKNOWN_OPTION;
  }
  va_list ap;
  va_start(ap, option);
  enum cw_code err;
  if (number < 10000) {
    err = cw_easy_set_int(easy, option, va_arg(ap, long));
  } else if (number < 20000) {
    err = set_pointer(easy, option, ref->opt, ref->kind, va_arg(ap, void *));
  } else if (number < 30000) {
    err = cw_easy_set_fn(easy, option, va_arg(ap, cw_any_fn));
  } else if (number < 40000 || (number >= 50000 && is_number(ref->kind))) {
    err = cw_easy_set_int(easy, option, va_arg(ap, int64_t));
  } else if (number < 50000) {
    err = cw_easy_set_blob(easy, option, va_arg(ap, struct cw_blob *));
  } else {
    err = set_pointer(easy, option, ref->opt, ref->kind, va_arg(ap, void *));
  }
  va_end(ap);
  return err;
}

/* --- reading back ------------------------------------------------------------
 */

static enum cw_code find(const struct cw_easy *easy, enum cw_option option,
                         const struct cw_option_ref **pref) {
  if (!cw_easy_is_valid(easy)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  *pref = cw_option_find((int)option);
  return *pref ? CW_OK : CWE_UNKNOWN_OPTION;
}

enum cw_code cw_easy_get_int(const CW *easy, enum cw_option option,
                             int64_t *pvalue) {
  const struct cw_option_ref *ref = NULL;
  enum cw_code err = find(easy, option, &ref);
  if (err || !is_number(ref->kind)) {
    return err ? err : CWE_BAD_FUNCTION_ARGUMENT;
  }
  *pvalue = cw_opt_i(&easy->options, ref->opt) / ref->scale;
  return CW_OK;
}

enum cw_code cw_easy_get_str(const CW *easy, enum cw_option option,
                             const char **pstr, size_t *plen) {
  const struct cw_option_ref *ref = NULL;
  enum cw_code err = find(easy, option, &ref);
  if (err || ref->kind < cw_kind_str || ref->kind > cw_kind_path) {
    return err ? err : CWE_BAD_FUNCTION_ARGUMENT;
  }
  if (ref->opt == cw_opt_postfields) {
    *pstr = easy->options.post.ptr;
    *plen = easy->options.post.len;
    return CW_OK;
  }
  *pstr = cw_opt_s(&easy->options, ref->opt);
  *plen = *pstr ? strlen(*pstr) : 0;
  return CW_OK;
}

enum cw_code cw_easy_get_list(const CW *easy, enum cw_option option,
                              const struct cw_slist **plist) {
  const struct cw_option_ref *ref = NULL;
  enum cw_code err = find(easy, option, &ref);
  if (err || ref->kind != cw_kind_list) {
    return err ? err : CWE_BAD_FUNCTION_ARGUMENT;
  }
  *plist = cw_opt_list(&easy->options, ref->opt);
  return CW_OK;
}

enum cw_code cw_easy_get_ptr(const CW *easy, enum cw_option option,
                             void **pptr) {
  const struct cw_option_ref *ref = NULL;
  enum cw_code err = find(easy, option, &ref);
  if (err || (ref->kind != cw_kind_object && ref->kind != cw_kind_data)) {
    return err ? err : CWE_BAD_FUNCTION_ARGUMENT;
  }
  *pptr = cw_opt_p(&easy->options, ref->opt);
  return CW_OK;
}
