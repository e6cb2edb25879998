/* The callbacks that decide on a host key. */
#include "engine/guard.h"

enum cw_code cw_hook_ssh_key(void *data, const struct cw_khkey *known,
                             const struct cw_khkey *found, int match,
                             int *pstat) {
  struct cw_easy *easy = data;
  cw_ssh_key_fn fn =
      (cw_ssh_key_fn)cw_opt_f(&easy->options, cw_opt_ssh_keyfunction);
  int64_t result = CWKHSTAT_REJECT;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_SSH_KEY, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    /* An application may have taken its callback back meanwhile. */
    result = fn ? fn(easy, known, found, match,
                     cw_opt_p(&easy->options, cw_opt_ssh_keydata))
                : CWKHSTAT_REJECT;
    enum cw_code err = cw_call_end(easy, CW_SLOT_SSH_KEY, &result);
    if (err) {
      return err;
    }
  }
  *pstat = result >= 0 && result <= CWKHSTAT_FINE_REPLACE ? (int)result
                                                          : CWKHSTAT_REJECT;
  return CW_OK;
}

enum cw_code cw_hook_ssh_hostkey(void *data, int type, const char *key,
                                 size_t n, bool *pgood) {
  struct cw_easy *easy = data;
  cw_ssh_hostkey_fn fn =
      (cw_ssh_hostkey_fn)cw_opt_f(&easy->options, cw_opt_ssh_hostkeyfunction);
  int64_t result = CWKHMATCH_MISMATCH;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_SSH_HOSTKEY, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    result =
        fn ? fn(cw_opt_p(&easy->options, cw_opt_ssh_hostkeydata), type, key, n)
           : CWKHMATCH_MISMATCH;
    enum cw_code err = cw_call_end(easy, CW_SLOT_SSH_HOSTKEY, &result);
    if (err) {
      return err;
    }
  }
  *pgood = result == CWKHMATCH_OK;
  return CW_OK;
}
