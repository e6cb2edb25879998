/* Names and sentences of the error codes, all of them rows of errors.def. */
#include "curlew/error.h"
#include "curlew/url.h"

static const char *code_prose(int code) {
  switch (code) {
#define error(name, number, prose) \
  case number:                     \
    return prose;
#define merror(name, number, prose)
#define uerror(name, number, prose)
#include "tbl/errors.def"
#undef error
#undef merror
#undef uerror
  default:
    return "unknown error";
  }
}

static const char *code_name(int code) {
  switch (code) {
#define error(name, number, prose) \
  case number:                     \
    return #name;
#define merror(name, number, prose)
#define uerror(name, number, prose)
#include "tbl/errors.def"
#undef error
#undef merror
#undef uerror
  default:
    return "unknown";
  }
}

static const char *mcode_prose(int code) {
  switch (code) {
#define error(name, number, prose)
#define merror(name, number, prose) \
  case number:                      \
    return prose;
#define uerror(name, number, prose)
#include "tbl/errors.def"
#undef error
#undef merror
#undef uerror
  default:
    return "unknown error";
  }
}

static const char *ucode_prose(int code) {
  switch (code) {
#define error(name, number, prose)
#define merror(name, number, prose)
#define uerror(name, number, prose) \
  case number:                      \
    return prose;
#include "tbl/errors.def"
#undef error
#undef merror
#undef uerror
  default:
    return "unknown error";
  }
}

const char *cw_easy_strerror(enum cw_code code) {
  return code_prose((int)code);
}

const char *cw_easy_errname(enum cw_code code) {
  return code_name((int)code);
}

const char *cw_multi_strerror(enum cw_mcode code) {
  return mcode_prose((int)code);
}

const char *cw_url_strerror(enum cw_ucode code) {
  return ucode_prose((int)code);
}
