/*
 * What the files of the URL codec share; nobody else includes it.
 *
 * Functions that take a struct cw_uri *out may leave it half filled on failure:
 * it is a draft that its maker throws away, so that the caller's is unchanged.
 */
#ifndef CW_CODEC_URI_INT_H
#define CW_CODEC_URI_INT_H

#include "codec/uri.h"

/* Percent-encoding of three bytes for one at most. */
#define CW_URI_MAX_TEXT_BYTES ((size_t)3 * CW_URI_MAX_BYTES + 4096)

struct cw_scheme {
  const char *name;
  int port; /* 0: none */
  unsigned flags;
};
/* The row of that name, compared without case; NULL if there is none. */
const struct cw_scheme *cw_scheme_find(struct cw_slice name);
/* The same for the scheme of uri. */
const struct cw_scheme *cw_uri_scheme(const struct cw_uri *uri);

/* The length of the scheme in front of text, 0 if there is none. strict: any
   ':' ends one; else it must be followed by '/', so that "host:80" has none. */
size_t cw_uri_scheme_length(const char *text, bool strict);
/* RFC 3986, 3.1, at most CW_URI_MAX_SCHEME_BYTES. */
bool cw_uri_is_scheme(struct cw_slice name);

/* How a part is stored. */
struct cw_part_rule {
  enum cw_ucode bad;  /* the code for bytes it must not hold */
  const char *escape; /* bytes that would end the part, and so are encoded */
};
extern const struct cw_part_rule cw_rule_user, cw_rule_password,
    cw_rule_options, cw_rule_path, cw_rule_query, cw_rule_fragment;

/* Replaces *pslot by a copy of s. */
CW_MUST_CHECK enum cw_ucode cw_uri_store(char **pslot, struct cw_slice s);
/* The same in lower case. */
CW_MUST_CHECK enum cw_ucode cw_uri_store_lower(char **pslot, struct cw_slice s);
/* As they stand in a URL: control bytes are refused, spaces unless
   CWU_ALLOW_SPACE. */
CW_MUST_CHECK enum cw_ucode cw_uri_check(struct cw_slice s,
                                         const struct cw_part_rule *rule,
                                         unsigned flags);
/* How cw_uri_escape goes about it. */
#define CW_ESCAPE_SPACE (1u << 0) /* to %20 */
#define CW_ESCAPE_PLUS  (1u << 1) /* spaces to '+' */
#define CW_ESCAPE_HIGH  (1u << 2) /* bytes from 127 on */
/* Appends s with the bytes of escape and those of how percent-encoded. */
CW_MUST_CHECK enum cw_code cw_uri_escape(struct cw_buf *buf, struct cw_slice s,
                                         const char *escape, unsigned how);
/* Checks, escapes and stores a part found in a URL. */
CW_MUST_CHECK enum cw_ucode cw_uri_store_part(char **pslot, struct cw_slice s,
                                              const struct cw_part_rule *rule,
                                              unsigned flags);
/* CWE_TOO_LARGE and CWE_OUT_OF_MEMORY as URL codes. */
CW_MUST_CHECK enum cw_ucode cw_ucode_of(enum cw_code err);

/* Checks a host and puts it in *phost (and *pzone): names in lower case,
   addresses normalised. decode: percent-encoding is undone first. Both were
   NULL. CWUE_NO_HOST, CWUE_BAD_HOSTNAME, CWUE_BAD_IPV6. */
CW_MUST_CHECK enum cw_ucode cw_uri_parse_host(struct cw_slice text, bool decode,
                                              char **phost, char **pzone);
/* Whether it may stand behind the '%' of an IPv6 address. */
bool cw_uri_is_zoneid(struct cw_slice zone);
/* Decimal, 0 to 65535, stored without leading zeros; CWUE_BAD_PORT_NUMBER. */
CW_MUST_CHECK enum cw_ucode cw_uri_parse_port(struct cw_slice text,
                                              char **pport);

/* "user:password@host:port" into out; its scheme is set, or NULL and then
   taken from flags (guessed, default). has_scheme: it stood in the text. */
CW_MUST_CHECK enum cw_ucode cw_uri_parse_authority(struct cw_uri *out,
                                                   struct cw_slice authority,
                                                   bool has_scheme,
                                                   unsigned flags);
/* "/path?query#fragment" into out: what is behind the authority. */
CW_MUST_CHECK enum cw_ucode
cw_uri_parse_tail(struct cw_uri *out, struct cw_slice tail, unsigned flags);
/* Removes dot segments in place, "%2e" counts as a dot: RFC 3986, 5.2.4. *plen
   gets smaller or stays. path begins with '/'. */
void cw_path_remove_dots(char *path, size_t *plen);
/* "[...]" without the brackets: the eight groups of an IPv6 address. */
bool cw_ip6_parse(struct cw_slice text, unsigned groups[8]);
/* RFC 5952. Out holds CW_IP6_TEXT_BYTES; the length is returned. */
#define CW_IP6_TEXT_BYTES 48
size_t cw_ip6_format(const unsigned groups[8], char *out);

#endif
