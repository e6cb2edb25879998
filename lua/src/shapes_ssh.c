/* The shapes of the callbacks that decide on a host key. */
#include <openssl/evp.h>

#include "shapes.h"

static void push_type(lua_State *L, int type) {
  const char *name = lcw_constant_name("khtype", type);
  lua_pushstring(L, name ? name : "unknown");
}

/* Base64 as it stands in known_hosts and, without padding, in fingerprints. */
static void push_base64(lua_State *L, const void *bytes, size_t n, bool pads) {
  luaL_Buffer b;
  size_t room = (n + 2) / 3 * 4 + 1;
  char *text = luaL_buffinitsize(L, &b, room);
  int len = EVP_EncodeBlock((unsigned char *)text, bytes, (int)n);
  while (!pads && len > 0 && text[len - 1] == '=') {
    len--;
  }
  luaL_pushresultsize(&b, (size_t)len);
}

static void push_key(lua_State *L, const struct cw_khkey *key) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  if (!key) {
    lua_pushnil(L);
    return;
  }
  lua_createtable(L, 0, 4);
  push_type(L, key->keytype);
  lua_setfield(L, -2, "type");
  lua_pushlstring(L, key->key, key->len);
  lua_setfield(L, -2, "raw");
  push_base64(L, key->key, key->len, true);
  lua_setfield(L, -2, "base64");
  if (EVP_Digest(key->key, key->len, digest, &n, EVP_sha256(), NULL)) {
    push_base64(L, digest, n, false);
    lua_setfield(L, -2, "sha256");
  }
}

int lcw_push_ssh_key(lua_State *L, struct lcw_call *call) {
  const char *match = lcw_constant_name("khmatch", call->i[0]);
  push_key(L, (const struct cw_khkey *)(const void *)call->s[0]);
  push_key(L, (const struct cw_khkey *)(const void *)call->s[1]);
  lua_pushstring(L, match ? match : "missing");
  return 3;
}

/* Nothing and true accept the key this once; only the names say more. */
int64_t lcw_judge_ssh_key(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CWKHSTAT_FINE : CWKHSTAT_REJECT;
  }
  return lcw_code_of(L, call, first, "khstat",
                     "a boolean, \"fine\", \"fine_add_to_file\", "
                     "\"fine_replace\", \"reject\" or \"defer\"");
}

int lcw_push_ssh_hostkey(lua_State *L, struct lcw_call *call) {
  push_type(L, (int)call->i[0]);
  lua_pushlstring(L, call->s[0], call->nbytes);
  return 2;
}

int64_t lcw_judge_ssh_hostkey(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CWKHMATCH_OK : CWKHMATCH_MISMATCH;
  }
  return lcw_code_of(L, call, first, "khmatch", "nothing or a boolean");
}
