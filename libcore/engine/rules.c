/*
 * Rules that one option's value sets for itself or for others, beyond what its
 * row can say: enums take only the values of their group; parts of a value
 * that are not built in are refused, not ignored; options that choose the
 * request method take each other's place, the last one wins.
 */
#include "engine/rules.h"

#include <string.h>

struct constant_row {
  const char *group;
  int64_t value;
};

static const struct constant_row constants[] = {
#define constant(group_, name_, c_name_, value_, prose_) \
  {#group_, INT64_C(value_)},
#include "tbl/constants.def"
#undef constant
};

static const char *const groups[] = {
#define option(name_, number_, kind_, default_, min_, max_, group_, ...) \
#group_,
#define alias(...)
#include "tbl/options.def"
#undef option
#undef alias
};

static bool is_in_group(const char *group, int64_t value) {
  for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
    if (constants[i].value == value && strcmp(constants[i].group, group) == 0) {
      return true;
    }
  }
  return false;
}

static enum cw_code not_built(const char *name, const char *what,
                              const char *feature, struct cw_fail *fail) {
  return cw_fail(fail, CWE_NOT_BUILT_IN,
                 "option %s: %s is not built in: it needs %s", name, what,
                 feature);
}

static enum cw_code check_auth(const char *name, int64_t value,
                               struct cw_fail *fail) {
  const int64_t built =
      CWAUTH_BASIC | CWAUTH_BEARER | CWAUTH_DIGEST | CWAUTH_DIGEST_IE;
  if (value != 0 && !(value & built)) {
    return not_built(name, "what was named of it", "ntlm or gssapi", fail);
  }
  return CW_OK;
}

/* TLS 1.0 to 1.3 or the default, for the lowest and the highest version. */
static bool is_tls_version(int64_t version) {
  return version == 0 || version == CW_SSLVERSION_TLSv1 ||
         (version >= CW_SSLVERSION_TLSv1_0 && version <= CW_SSLVERSION_TLSv1_3);
}

static enum cw_code check_sslversion(int64_t value, struct cw_fail *fail) {
  if (value < 0 || !is_tls_version(value & 0xffff) ||
      !is_tls_version(value >> 16)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "option sslversion: %lld names no version of TLS",
                   (long long)value);
  }
  return CW_OK;
}

enum cw_code cw_rules_check(enum cw_opt opt, int64_t value,
                            struct cw_fail *fail) {
  const struct cw_option_row *row = cw_option_row(opt);
  if (row->kind == cw_kind_enum && !is_in_group(groups[opt], value)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "option %s: %lld is not one of its values", row->name,
                   (long long)value);
  }
  switch (opt) {
  case cw_opt_http_version:
    return value > CW_HTTP_VERSION_1_1
               ? not_built(row->name, "a version above HTTP/1.1", "http2", fail)
               : CW_OK;
  case cw_opt_httpauth:
  case cw_opt_proxyauth:
    return check_auth(row->name, value, fail);
  case cw_opt_proxytype:
    return value > CWPROXY_HTTP_1_0
               ? not_built(row->name, "a type other than HTTP",
                           value <= CWPROXY_HTTPS2 ? "https_proxy" : "socks",
                           fail)
               : CW_OK;
  case cw_opt_sslversion:
    return check_sslversion(value, fail);
  default:
    return CW_OK;
  }
}

static void choose(struct cw_options *options, bool nobody, bool post,
                   bool upload) {
  options->value[cw_opt_nobody].i = nobody;
  options->value[cw_opt_post].i = post;
  options->value[cw_opt_upload].i = upload;
  options->sends_mime = false;
}

/* Unset, it leaves a request that has another body alone. */
static void choose_mime(struct cw_options *options, bool is_set) {
  if (is_set || options->sends_mime) {
    choose(options, false, is_set, false);
    options->sends_mime = is_set;
  }
}

void cw_rules_apply(struct cw_options *options, enum cw_opt opt,
                    int64_t value) {
  switch (opt) {
  case cw_opt_httpget:
    if (value) {
      choose(options, false, false, false);
    }
    break;
  case cw_opt_post:
    if (value) {
      choose(options, false, true, false);
    }
    break;
  case cw_opt_upload:
    if (value) {
      choose(options, false, false, true);
    }
    break;
  case cw_opt_nobody:
    if (value) {
      choose(options, true, false, false);
    }
    break;
  case cw_opt_postfields:
    choose(options, false, value != 0, false);
    break;
  case cw_opt_mimepost:
    choose_mime(options, value != 0);
    break;
  default:
    break;
  }
}
