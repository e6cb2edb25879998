/* The public suffix list, as libpsl has it built in: constant, for all threads.
 */
#include <libpsl.h>

#include "engine/cookies.h"

bool cw_psl_accepts(const char *host, const char *domain) {
  return psl_is_cookie_domain_acceptable(psl_builtin(), host, domain) != 0;
}

bool cw_psl_is_suffix(const char *domain) {
  return psl_is_public_suffix(psl_builtin(), domain) != 0;
}
