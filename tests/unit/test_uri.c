/*
 * URLs: RFC 3986, and what libcurl documents of its parser (curl_url_set,
 * curl_url_get, URL-SYNTAX). Tables of cases; a row says everything that is
 * expected of it.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/uri.h"
#include "oom/failing.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* "s=http h=a p=/" and so on: what is absent is not in it. */
static void describe(const struct cw_uri *uri, char *out, size_t cap) {
  const struct {
    const char *key;
    const char *part;
  } parts[] = {{"s", uri->scheme},  {"u", uri->user}, {"pw", uri->password},
               {"o", uri->options}, {"h", uri->host}, {"z", uri->zoneid},
               {"port", uri->port}, {"p", uri->path}, {"q", uri->query},
               {"f", uri->fragment}};
  size_t len = 0;
  out[0] = '\0';
  for (size_t i = 0; i < LEN(parts); i++) {
    if (parts[i].part) {
      int n = snprintf(out + len, cap - len, "%s%s=%s", len > 0 ? " " : "",
                       parts[i].key, parts[i].part);
      len += (size_t)n;
      cr_assert_lt(len, cap);
    }
  }
}

static char *text_of(const struct cw_uri *uri, unsigned flags) {
  struct cw_buf buf;
  cw_buf_init(&buf, CW_URI_MAX_BYTES);
  cr_assert_eq(cw_uri_add_text(uri, flags, &buf), CWUE_OK);
  char *text = cw_buf_take(&buf);
  cr_assert_not_null(text);
  return text;
}

/* --- accepted ----------------------------------------------------------- */

#define GUESS  CWU_GUESS_SCHEME
#define ANY    CWU_NON_SUPPORT_SCHEME
#define SPACE  CWU_ALLOW_SPACE
#define ENCODE CWU_URLENCODE

struct accepted {
  const char *text;
  unsigned flags;
  const char *parts;
};
static const struct accepted accepted[] = {
    /* the shape of a URL */
    {"http://a", 0, "s=http h=a p=/"},
    {"http://a/", 0, "s=http h=a p=/"},
    {"http://a/b?c#d", 0, "s=http h=a p=/b q=c f=d"},
    {"http://a?c", 0, "s=http h=a p=/ q=c"},
    {"http://a#d", 0, "s=http h=a p=/ f=d"},
    {"http://a?", 0, "s=http h=a p=/ q="},
    {"http://a#", 0, "s=http h=a p=/ f="},
    {"http://a/?#", 0, "s=http h=a p=/ q= f="},
    {"http://a/b?c?d#e#f?g", 0, "s=http h=a p=/b q=c?d f=e#f?g"},
    {"http://a/b#c?d", 0, "s=http h=a p=/b f=c?d"},
    {"http://a/b:c@d", 0, "s=http h=a p=/b:c@d"},
    {"http://a?b@c", 0, "s=http h=a p=/ q=b@c"},
    {"http://a#b@c", 0, "s=http h=a p=/ f=b@c"},
    {"http://a/b;c=d", 0, "s=http h=a p=/b;c=d"},
    {"http://a/%41%zz%", 0, "s=http h=a p=/%41%zz%"},
    {"http://a/b\\c", 0, "s=http h=a p=/b\\c"},
    {"http://a/\xc3\xa4?\xc3\xb6", 0, "s=http h=a p=/\xc3\xa4 q=\xc3\xb6"},
    {"ftp://a/b;type=i", 0, "s=ftp h=a p=/b;type=i"},
    {"ftp://a/%2fetc", 0, "s=ftp h=a p=/%2fetc"},
    /* schemes and slashes */
    {"HTTP://A.B/C", 0, "s=http h=a.b p=/C"},
    {"hTtPs://a", 0, "s=https h=a p=/"},
    {"http:/a/b", 0, "s=http h=a p=/b"},
    {"http:///a/b", 0, "s=http h=a p=/b"},
    {"x+y-z.1://a/b", ANY, "s=x+y-z.1 h=a p=/b"},
    {"XYZ:/a/b", ANY, "s=xyz h=a p=/b"},
    {"sftp://a/~/b", 0, "s=sftp h=a p=/~/b"},
    {"wss://a/b", 0, "s=wss h=a p=/b"},
    {"a234567890123456789012345678901234567890://h/", ANY,
     "s=a234567890123456789012345678901234567890 h=h p=/"},
    /* an authority that may be empty */
    {"xyz://", ANY | CWU_NO_AUTHORITY, "s=xyz h= p=/"},
    {"xyz:///a", ANY | CWU_NO_AUTHORITY, "s=xyz h= p=/a"},
    {"xyz://?a", ANY | CWU_NO_AUTHORITY, "s=xyz h= p=/ q=a"},
    {"xyz://h/a", ANY | CWU_NO_AUTHORITY, "s=xyz h=h p=/a"},
    {"http:///p", CWU_NO_AUTHORITY, "s=http h=p p=/"},
    /* no scheme */
    {"a/b", CWU_DEFAULT_SCHEME, "s=https h=a p=/b"},
    {"ftp.a", CWU_DEFAULT_SCHEME, "s=https h=ftp.a p=/"},
    {"ftp.a", CWU_DEFAULT_SCHEME | GUESS, "s=https h=ftp.a p=/"},
    {"a:80/b", CWU_DEFAULT_SCHEME, "s=https h=a port=80 p=/b"},
    {"http://a", CWU_DEFAULT_SCHEME, "s=http h=a p=/"},
    {"a", GUESS, "s=http h=a p=/"},
    {"localhost:80", GUESS, "s=http h=localhost port=80 p=/"},
    {"a?b", GUESS, "s=http h=a p=/ q=b"},
    {"a#b", GUESS, "s=http h=a p=/ f=b"},
    {"ftp.a", GUESS, "s=ftp h=ftp.a p=/"},
    {"FTP.A/b", GUESS, "s=ftp h=ftp.a p=/b"},
    {"ftp.", GUESS, "s=ftp h=ftp. p=/"},
    {"ftp", GUESS, "s=http h=ftp p=/"},
    {"ftps.a", GUESS, "s=http h=ftps.a p=/"},
    {"a.ftp.b", GUESS, "s=http h=a.ftp.b p=/"},
    {"dict.a", GUESS, "s=dict h=dict.a p=/"},
    {"ldap.a", GUESS, "s=ldap h=ldap.a p=/"},
    {"imap.a", GUESS, "s=imap h=imap.a p=/"},
    {"smtp.a", GUESS, "s=smtp h=smtp.a p=/"},
    {"pop3.a", GUESS, "s=pop3 h=pop3.a p=/"},
    {"u:p@ftp.a", GUESS, "s=ftp u=u pw=p h=ftp.a p=/"},
    {"u:p;o@smtp.a", GUESS, "s=smtp u=u pw=p o=o h=smtp.a p=/"},
    {"[::1]:80/a", GUESS, "s=http h=[::1] port=80 p=/a"},
    /* logins */
    {"http://u@a", 0, "s=http u=u h=a p=/"},
    {"http://u:p@a", 0, "s=http u=u pw=p h=a p=/"},
    {"http://u:@a", 0, "s=http u=u pw= h=a p=/"},
    {"http://:p@a", 0, "s=http u= pw=p h=a p=/"},
    {"http://:@a", 0, "s=http u= pw= h=a p=/"},
    {"http://@a", 0, "s=http u= h=a p=/"},
    {"http://u:p:q@a", 0, "s=http u=u pw=p:q h=a p=/"},
    {"http://u;o:p@a", 0, "s=http u=u;o pw=p h=a p=/"},
    {"http://u%40:p%3A@a", 0, "s=http u=u%40 pw=p%3A h=a p=/"},
    {"http://a@b@c", 0, "s=http u=a%40b h=c p=/"},
    {"http://a:b@c:d@e", 0, "s=http u=a pw=b%40c:d h=e p=/"},
    {"http://u/@a", 0, "s=http h=u p=/@a"},
    {"http://good:80@evil", 0, "s=http u=good pw=80 h=evil p=/"},
    {"http://good\\@evil", 0, "s=http u=good\\ h=evil p=/"},
    {"imap://u:p;o@a", 0, "s=imap u=u pw=p o=o h=a p=/"},
    {"imap://u;o:p@a", 0, "s=imap u=u pw=p o=o h=a p=/"},
    {"imap://u;o@a", 0, "s=imap u=u o=o h=a p=/"},
    {"imap://;o@a", 0, "s=imap u= o=o h=a p=/"},
    {"imap://u;@a", 0, "s=imap u=u o= h=a p=/"},
    {"imap://u:p;o:x;y@a", 0, "s=imap u=u pw=p o=o:x;y h=a p=/"},
    {"imap://u;o:p;q@a", 0, "s=imap u=u pw=p%3Bq o=o h=a p=/"},
    {"http://a/u@b", CWU_DISALLOW_USER, "s=http h=a p=/u@b"},
    /* ports */
    {"http://a:80", 0, "s=http h=a port=80 p=/"},
    {"http://a:00080/", 0, "s=http h=a port=80 p=/"},
    {"http://a:0/", 0, "s=http h=a port=0 p=/"},
    {"http://a:65535/", 0, "s=http h=a port=65535 p=/"},
    {"http://a:/b", 0, "s=http h=a p=/b"},
    {"http://[::1]:/", 0, "s=http h=[::1] p=/"},
    {"http://a:80?b", 0, "s=http h=a port=80 p=/ q=b"},
    /* host names */
    {"http://a_b-c~d.e|f/", 0, "s=http h=a_b-c~d.e|f p=/"},
    {"http://-a/", 0, "s=http h=-a p=/"},
    {"http://a./", 0, "s=http h=a. p=/"},
    {"http://A.B.:80/", 0, "s=http h=a.b. port=80 p=/"},
    {"http://\xc3\xa4.A/", 0, "s=http h=\xc3\xa4.a p=/"},
    {"http://%C3%A4.a/", 0, "s=http h=\xc3\xa4.a p=/"},
    {"http://exa%4Dple.com/", 0, "s=http h=example.com p=/"},
    {"http://a%2eb/", 0, "s=http h=a.b p=/"},
    /* IPv4 */
    {"http://127.0.0.1/", 0, "s=http h=127.0.0.1 p=/"},
    {"http://127.1/", 0, "s=http h=127.0.0.1 p=/"},
    {"http://0x7f.1/", 0, "s=http h=127.0.0.1 p=/"},
    {"http://0X7F000001/", 0, "s=http h=127.0.0.1 p=/"},
    {"http://0177.0.0.01/", 0, "s=http h=127.0.0.1 p=/"},
    {"http://2130706433/", 0, "s=http h=127.0.0.1 p=/"},
    {"http://%31%32%37.1/", 0, "s=http h=127.0.0.1 p=/"},
    {"http://00/", 0, "s=http h=0.0.0.0 p=/"},
    {"http://4294967295/", 0, "s=http h=255.255.255.255 p=/"},
    {"http://1.16777215/", 0, "s=http h=1.255.255.255 p=/"},
    {"http://1.2.65535/", 0, "s=http h=1.2.255.255 p=/"},
    {"http://4294967296/", 0, "s=http h=4294967296 p=/"},
    {"http://040000000000/", 0, "s=http h=040000000000 p=/"},
    {"http://037777777777/", 0, "s=http h=255.255.255.255 p=/"},
    {"http://0x100000000/", 0, "s=http h=0x100000000 p=/"},
    {"http://1.16777216/", 0, "s=http h=1.16777216 p=/"},
    {"http://1.2.65536/", 0, "s=http h=1.2.65536 p=/"},
    {"http://1.2.3.256/", 0, "s=http h=1.2.3.256 p=/"},
    {"http://256.1/", 0, "s=http h=256.1 p=/"},
    {"http://1.2.3.4./", 0, "s=http h=1.2.3.4. p=/"},
    {"http://1.2.3.4.5/", 0, "s=http h=1.2.3.4.5 p=/"},
    {"http://1..2/", 0, "s=http h=1..2 p=/"},
    {"http://08.1/", 0, "s=http h=08.1 p=/"},
    {"http://0x.1/", 0, "s=http h=0x.1 p=/"},
    {"http://0x/", 0, "s=http h=0x p=/"},
    {"http://1.2.3.4a/", 0, "s=http h=1.2.3.4a p=/"},
    /* IPv6: RFC 4291, 2.2 and RFC 5952 */
    {"http://[::]/", 0, "s=http h=[::] p=/"},
    {"http://[::1]:8/", 0, "s=http h=[::1] port=8 p=/"},
    {"http://[1::]/", 0, "s=http h=[1::] p=/"},
    {"http://[FE80::A]/", 0, "s=http h=[fe80::a] p=/"},
    {"http://[0:0:0:0:0:0:0:1]/", 0, "s=http h=[::1] p=/"},
    {"http://[2001:0db8:0:0:1:0:0:1]/", 0, "s=http h=[2001:db8::1:0:0:1] p=/"},
    {"http://[1:0:0:2:0:0:0:3]/", 0, "s=http h=[1:0:0:2::3] p=/"},
    {"http://[1:0:2:3:4:5:6:7]/", 0, "s=http h=[1:0:2:3:4:5:6:7] p=/"},
    {"http://[1:2:3:4:5:6:7::]/", 0, "s=http h=[1:2:3:4:5:6:7:0] p=/"},
    {"http://[::2:3:4:5:6:7:8]/", 0, "s=http h=[0:2:3:4:5:6:7:8] p=/"},
    {"http://[::ffff:1.2.3.4]/", 0, "s=http h=[::ffff:1.2.3.4] p=/"},
    {"http://[::FFFF:102:304]/", 0, "s=http h=[::ffff:1.2.3.4] p=/"},
    {"http://[1:2:3:4:5:6:1.2.3.4]/", 0, "s=http h=[1:2:3:4:5:6:102:304] p=/"},
    {"http://[fe80::1%25eth0]/", 0, "s=http h=[fe80::1] z=eth0 p=/"},
    {"http://[fe80::1%eth0]/", 0, "s=http h=[fe80::1] z=eth0 p=/"},
    {"http://[fe80::1%25]/", 0, "s=http h=[fe80::1] z=25 p=/"},
    {"http://[fe80::1%252]/", 0, "s=http h=[fe80::1] z=2 p=/"},
    {"http://[fe80::1%25a.b-c_d~e]/", 0, "s=http h=[fe80::1] z=a.b-c_d~e p=/"},
    {"http://[fe80::1%25abcdefghijklmno]/", 0,
     "s=http h=[fe80::1] z=abcdefghijklmno p=/"},
    /* dot segments */
    {"http://a/b/./c/../d", 0, "s=http h=a p=/b/d"},
    {"http://a/b/%2e/c/%2E%2e/d", 0, "s=http h=a p=/b/d"},
    {"http://a/b/.%2e/.%2E/c", 0, "s=http h=a p=/c"},
    {"http://a/b/./c/../d", CWU_PATH_AS_IS, "s=http h=a p=/b/./c/../d"},
    {"http://a/%2e%2e/b", CWU_PATH_AS_IS, "s=http h=a p=/%2e%2e/b"},
    {"http://a/..", 0, "s=http h=a p=/"},
    {"http://a/../../b", 0, "s=http h=a p=/b"},
    {"http://a/.", 0, "s=http h=a p=/"},
    {"http://a/b/..", 0, "s=http h=a p=/"},
    {"http://a/b/c/..", 0, "s=http h=a p=/b/"},
    {"http://a/b/.", 0, "s=http h=a p=/b/"},
    {"http://a/b//../c", 0, "s=http h=a p=/b/c"},
    {"http://a//b//c", 0, "s=http h=a p=//b//c"},
    {"http://a/.../b", 0, "s=http h=a p=/.../b"},
    {"http://a/..b/.c/d./e..", 0, "s=http h=a p=/..b/.c/d./e.."},
    {"http://a/%2e%2eb/%2", 0, "s=http h=a p=/%2e%2eb/%2"},
    {"http://a?../b", 0, "s=http h=a p=/ q=../b"},
    {"http://a/b?/../c#/../d", 0, "s=http h=a p=/b q=/../c f=/../d"},
    /* spaces and encoding */
    {"http://a/b c?d e#f g", SPACE, "s=http h=a p=/b c q=d e f=f g"},
    {"http://a/b c?d e#f g", SPACE | ENCODE,
     "s=http h=a p=/b%20c q=d+e f=f%20g"},
    {"http://u x:p y@a/", SPACE | ENCODE, "s=http u=u%20x pw=p%20y h=a p=/"},
    {"http://a/\xc3\xa4?\xc3\xb6#\xff", ENCODE,
     "s=http h=a p=/%C3%A4 q=%C3%B6 f=%FF"},
    {"http://a/%20%c3+&=", ENCODE, "s=http h=a p=/%20%c3+&="},
    /* file: RFC 8089 */
    {"file:///etc/x", 0, "s=file p=/etc/x"},
    {"file:/etc/x", 0, "s=file p=/etc/x"},
    {"file://localhost/x", 0, "s=file p=/x"},
    {"FILE://LocalHost/x", 0, "s=file p=/x"},
    {"file://127.0.0.1/x", 0, "s=file p=/x"},
    {"file:///", 0, "s=file p=/"},
    {"file:////x", 0, "s=file p=//x"},
    {"file:///C:/x", 0, "s=file p=/C:/x"},
    {"file:///a/../b?q#f", 0, "s=file p=/b q=q f=f"},
    {"file:///u@h:80", 0, "s=file p=/u@h:80"},
};

static void parse_again(const struct cw_uri *uri, const char *parts) {
  char *text = text_of(uri, CWU_GET_EMPTY);
  struct cw_uri again;
  cw_uri_init(&again);
  enum cw_ucode err = cw_uri_parse(
      &again, text, ANY | SPACE | CWU_PATH_AS_IS | CWU_NO_AUTHORITY);
  cr_expect_eq(err, CWUE_OK, "%s: %d", text, (int)err);
  char got[512];
  describe(&again, got, sizeof(got));
  cr_expect_str_eq(got, parts, "round trip of %s: %s", text, got);
  cw_free(text);
  cw_uri_fini(&again);
}

Test(uri, accepted) {
  for (size_t i = 0; i < LEN(accepted); i++) {
    const struct accepted *row = &accepted[i];
    struct cw_uri uri;
    cw_uri_init(&uri);
    enum cw_ucode err = cw_uri_parse(&uri, row->text, row->flags);
    cr_expect_eq(err, CWUE_OK, "%s: %d", row->text, (int)err);
    char got[512];
    describe(&uri, got, sizeof(got));
    cr_expect_str_eq(got, row->parts, "%s: %s", row->text, got);
    if (!err) {
      parse_again(&uri, row->parts);
    }
    cw_uri_fini(&uri);
  }
}

/* --- refused ------------------------------------------------------------ */

struct refused {
  const char *text;
  unsigned flags;
  enum cw_ucode code;
};
static const struct refused refused[] = {
    {"", 0, CWUE_MALFORMED_INPUT},
    {"", GUESS, CWUE_MALFORMED_INPUT},
    /* schemes */
    {"a/b", 0, CWUE_BAD_SCHEME},
    {"/b", 0, CWUE_BAD_SCHEME},
    {"//a/b", 0, CWUE_BAD_SCHEME},
    {":80", 0, CWUE_BAD_SCHEME},
    {"1http://a", 0, CWUE_BAD_SCHEME},
    {"+a://b", ANY, CWUE_BAD_SCHEME},
    {"ht tp://a", 0, CWUE_BAD_SCHEME},
    {"ht%74p://a", 0, CWUE_BAD_SCHEME},
    {" http://a", SPACE, CWUE_BAD_SCHEME},
    {"h\xc3\xa4://a", ANY, CWUE_BAD_SCHEME},
    {"a2345678901234567890123456789012345678901://h/", ANY, CWUE_BAD_SCHEME},
    {"xyz://a", 0, CWUE_UNSUPPORTED_SCHEME},
    {"localhost:80", 0, CWUE_UNSUPPORTED_SCHEME},
    {"javascript:alert(1)", 0, CWUE_UNSUPPORTED_SCHEME},
    {"httpx://a", 0, CWUE_UNSUPPORTED_SCHEME},
    {"h:/a", GUESS, CWUE_UNSUPPORTED_SCHEME},
    /* slashes */
    {"http:a", 0, CWUE_BAD_SLASHES},
    {"http:", 0, CWUE_BAD_SLASHES},
    {"http:////a", 0, CWUE_BAD_SLASHES},
    {"http:\\\\a", 0, CWUE_BAD_SLASHES},
    {"mailto:a@b", ANY, CWUE_BAD_SLASHES},
    {"localhost:80", ANY, CWUE_BAD_SLASHES},
    /* hosts that are not there */
    {"http://", 0, CWUE_NO_HOST},
    {"http:///", 0, CWUE_NO_HOST},
    {"http://?a", 0, CWUE_NO_HOST},
    {"http://#a", 0, CWUE_NO_HOST},
    {"http://:80", 0, CWUE_NO_HOST},
    {"http://u@", 0, CWUE_NO_HOST},
    {"http://u@:80/", 0, CWUE_NO_HOST},
    {"http://", CWU_NO_AUTHORITY, CWUE_NO_HOST},
    {"xyz://", ANY, CWUE_NO_HOST},
    {"xyz://:80/", ANY | CWU_NO_AUTHORITY, CWUE_NO_HOST},
    {"xyz://u@/", ANY | CWU_NO_AUTHORITY, CWUE_NO_HOST},
    {"//a/b", GUESS, CWUE_NO_HOST},
    {"/b", GUESS, CWUE_NO_HOST},
    {"?b", GUESS, CWUE_NO_HOST},
    {":80", GUESS, CWUE_NO_HOST},
    /* ports */
    {"http://a:65536/", 0, CWUE_BAD_PORT_NUMBER},
    {"http://a:99999999999999999999/", 0, CWUE_BAD_PORT_NUMBER},
    {"http://a:8a/", 0, CWUE_BAD_PORT_NUMBER},
    {"http://a:-1/", 0, CWUE_BAD_PORT_NUMBER},
    {"http://a:+1/", 0, CWUE_BAD_PORT_NUMBER},
    {"http://a: 1/", SPACE, CWUE_BAD_PORT_NUMBER},
    {"http://a:80:90/", 0, CWUE_BAD_PORT_NUMBER},
    {"http://a:0x50/", 0, CWUE_BAD_PORT_NUMBER},
    {"http://a:%38/", 0, CWUE_BAD_PORT_NUMBER},
    {"http://::1/", 0, CWUE_BAD_PORT_NUMBER},
    {"http://::1]/", 0, CWUE_BAD_PORT_NUMBER},
    {"http://[::1]80/", 0, CWUE_BAD_PORT_NUMBER},
    {"http://[::1]a/", 0, CWUE_BAD_PORT_NUMBER},
    {"h:", GUESS, CWUE_BAD_PORT_NUMBER},
    {"1http://a", GUESS | ANY, CWUE_BAD_PORT_NUMBER},
    {"h:", CWU_DEFAULT_SCHEME, CWUE_BAD_PORT_NUMBER},
    /* host names */
    {"http://a b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a b/", SPACE, CWUE_BAD_HOSTNAME},
    {"http://a\tb/", 0, CWUE_BAD_HOSTNAME},
    {"http://a\x7f/", 0, CWUE_BAD_HOSTNAME},
    {"http://a\r\n/", 0, CWUE_BAD_HOSTNAME},
    {"http://a%00b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a%0d%0ab/", 0, CWUE_BAD_HOSTNAME},
    {"http://a%20b/", SPACE, CWUE_BAD_HOSTNAME},
    {"http://a%2fb/", 0, CWUE_BAD_HOSTNAME},
    {"http://a%40b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a%3a80/", 0, CWUE_BAD_HOSTNAME},
    {"http://a%25b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a%/", 0, CWUE_BAD_HOSTNAME},
    {"http://a%zz/", 0, CWUE_BAD_HOSTNAME},
    {"http://%5b%3a%3a1%5d/", 0, CWUE_BAD_HOSTNAME},
    {"http://%5b::1%5d/", 0, CWUE_BAD_PORT_NUMBER},
    {"http://a\\b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a!b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a$b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a&b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a'b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a(b)/", 0, CWUE_BAD_HOSTNAME},
    {"http://a*b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a+b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a,b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a;b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a<b>/", 0, CWUE_BAD_HOSTNAME},
    {"http://a=b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a^b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a`b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a{b}/", 0, CWUE_BAD_HOSTNAME},
    {"http://a\"b/", 0, CWUE_BAD_HOSTNAME},
    {"http://a[::1]/", 0, CWUE_BAD_PORT_NUMBER},
    /* IPv6 */
    {"http://[]/", 0, CWUE_BAD_IPV6},
    {"http://[::1/", 0, CWUE_BAD_IPV6},
    {"http://[:]/", 0, CWUE_BAD_IPV6},
    {"http://[:1::2]/", 0, CWUE_BAD_IPV6},
    {"http://[1:2]/", 0, CWUE_BAD_IPV6},
    {"http://[1::2::3]/", 0, CWUE_BAD_IPV6},
    {"http://[1:::2]/", 0, CWUE_BAD_IPV6},
    {"http://[:::]/", 0, CWUE_BAD_IPV6},
    {"http://[1:2:3:4:5:6:7:8:9]/", 0, CWUE_BAD_IPV6},
    {"http://[1:2:3:4::5:6:7:8]/", 0, CWUE_BAD_IPV6},
    {"http://[1:2:3:4:5:6:7:]/", 0, CWUE_BAD_IPV6},
    {"http://[00001::]/", 0, CWUE_BAD_IPV6},
    {"http://[::g]/", 0, CWUE_BAD_IPV6},
    {"http://[::0x1]/", 0, CWUE_BAD_IPV6},
    {"http://[::1.2.3.400]/", 0, CWUE_BAD_IPV6},
    {"http://[::1.2.3]/", 0, CWUE_BAD_IPV6},
    {"http://[::01.2.3.4]/", 0, CWUE_BAD_IPV6},
    {"http://[1.2.3.4::]/", 0, CWUE_BAD_IPV6},
    {"http://[1.2.3.4]/", 0, CWUE_BAD_IPV6},
    {"http://[1:2:3:4:5:6:7:1.2.3.4]/", 0, CWUE_BAD_IPV6},
    {"http://[v1.a]/", 0, CWUE_BAD_IPV6},
    {"http://[fe80::1%]/", 0, CWUE_BAD_IPV6},
    {"http://[fe80::1%25a b]/", SPACE, CWUE_BAD_IPV6},
    {"http://[fe80::1%25a%41]/", 0, CWUE_BAD_IPV6},
    {"http://[fe80::1%25a/b]/", 0, CWUE_BAD_IPV6},
    {"http://[fe80::1%25abcdefghijklmnop]/", 0, CWUE_BAD_IPV6},
    /* logins */
    {"http://u@a/", CWU_DISALLOW_USER, CWUE_USER_NOT_ALLOWED},
    {"http://@a/", CWU_DISALLOW_USER, CWUE_USER_NOT_ALLOWED},
    {"http://u x@a/", 0, CWUE_BAD_USER},
    {"http://u\x01@a/", SPACE, CWUE_BAD_USER},
    {"http://u:p x@a/", 0, CWUE_BAD_PASSWORD},
    {"imap://u:p\n;o@a/", 0, CWUE_BAD_PASSWORD},
    {"imap://u;o x@a/", 0, CWUE_BAD_LOGIN},
    /* bytes that have no place in a URL */
    {"http://a/b c", 0, CWUE_BAD_PATH},
    {"http://a/b\nc", SPACE, CWUE_BAD_PATH},
    {"http://a/b\x7f", SPACE | ENCODE, CWUE_BAD_PATH},
    {"http://a/?b c", 0, CWUE_BAD_QUERY},
    {"http://a/?\x1f", SPACE, CWUE_BAD_QUERY},
    {"http://a/#b c", 0, CWUE_BAD_FRAGMENT},
    {"http://a/#\t", SPACE, CWUE_BAD_FRAGMENT},
    /* files of other machines */
    {"file://a/b", 0, CWUE_BAD_FILE_URL},
    {"file://localhost", 0, CWUE_BAD_FILE_URL},
    {"file://localhost.a/b", 0, CWUE_BAD_FILE_URL},
    {"file://localhost:80/b", 0, CWUE_BAD_FILE_URL},
    {"file://u@localhost/b", 0, CWUE_BAD_FILE_URL},
    {"file://", 0, CWUE_BAD_FILE_URL},
    {"file:", 0, CWUE_BAD_FILE_URL},
    {"file:a", 0, CWUE_BAD_FILE_URL},
    {"file:///a b", 0, CWUE_BAD_PATH},
};

Test(uri, refused) {
  for (size_t i = 0; i < LEN(refused); i++) {
    const struct refused *row = &refused[i];
    struct cw_uri uri;
    cw_uri_init(&uri);
    cr_assert_eq(cw_uri_parse(&uri, "http://u:p@kept:1/p?q#f", 0), CWUE_OK);
    enum cw_ucode err = cw_uri_parse(&uri, row->text, row->flags);
    cr_expect_eq(err, row->code, "%s: %d, not %d", row->text, (int)err,
                 (int)row->code);
    char got[512];
    describe(&uri, got, sizeof(got));
    cr_expect_str_eq(got, "s=http u=u pw=p h=kept port=1 p=/p q=q f=f",
                     "%s changed what was there: %s", row->text, got);
    cw_uri_fini(&uri);
  }
}

Test(uri, limits) {
  char *text = calloc(1, CW_URI_MAX_BYTES + 2);
  cr_assert_not_null(text);
  struct cw_uri uri;
  cw_uri_init(&uri);
  memset(text, 'a', CW_URI_MAX_BYTES);
  memcpy(text, "http://a/", 9);
  cr_expect_eq(cw_uri_parse(&uri, text, 0), CWUE_OK);
  text[CW_URI_MAX_BYTES] = 'a';
  cr_expect_eq(cw_uri_parse(&uri, text, 0), CWUE_MALFORMED_INPUT);
  cr_expect_eq(cw_uri_follow(&uri, text, 0), CWUE_MALFORMED_INPUT);
  cr_expect_eq(cw_uri_set(&uri, CWUPART_PATH, text, 0), CWUE_MALFORMED_INPUT);
  text[9 + 100000] = '\0';
  memset(text + 7, 'a', 100000);
  text[7 + CW_URI_MAX_HOST_BYTES] = '/';
  cr_expect_eq(cw_uri_parse(&uri, text, 0), CWUE_OK);
  text[7 + CW_URI_MAX_HOST_BYTES] = 'a';
  text[8 + CW_URI_MAX_HOST_BYTES] = '/';
  cr_expect_eq(cw_uri_parse(&uri, text, 0), CWUE_BAD_HOSTNAME);
  cw_uri_fini(&uri);
  free(text);
}

/* --- resolution --------------------------------------------------------- */

struct resolved {
  const char *base;
  const char *reference;
  unsigned flags;
  const char *text; /* NULL: refused with code */
  enum cw_ucode code;
};
#define RFC  "http://a/b/c/d;p?q"
#define WILD (CWU_ALLOW_SPACE | CWU_URLENCODE)
static const struct resolved resolved[] = {
    /* RFC 3986, 5.4.1: normal */
    {RFC, "g:h", 0, NULL, CWUE_UNSUPPORTED_SCHEME},
    {RFC, "g:h", ANY, NULL, CWUE_BAD_SLASHES}, /* not one we could fetch */
    {RFC, "g://h", ANY, "g://h/", 0},
    {RFC, "g", 0, "http://a/b/c/g", 0},
    {RFC, "./g", 0, "http://a/b/c/g", 0},
    {RFC, "g/", 0, "http://a/b/c/g/", 0},
    {RFC, "/g", 0, "http://a/g", 0},
    {RFC, "//g", 0, "http://g/", 0},
    {RFC, "?y", 0, "http://a/b/c/d;p?y", 0},
    {RFC, "g?y", 0, "http://a/b/c/g?y", 0},
    {RFC, "#s", 0, "http://a/b/c/d;p?q#s", 0},
    {RFC, "g#s", 0, "http://a/b/c/g#s", 0},
    {RFC, "g?y#s", 0, "http://a/b/c/g?y#s", 0},
    {RFC, ";x", 0, "http://a/b/c/;x", 0},
    {RFC, "g;x", 0, "http://a/b/c/g;x", 0},
    {RFC, "g;x?y#s", 0, "http://a/b/c/g;x?y#s", 0},
    {RFC, "", 0, "http://a/b/c/d;p?q", 0},
    {RFC, ".", 0, "http://a/b/c/", 0},
    {RFC, "./", 0, "http://a/b/c/", 0},
    {RFC, "..", 0, "http://a/b/", 0},
    {RFC, "../", 0, "http://a/b/", 0},
    {RFC, "../g", 0, "http://a/b/g", 0},
    {RFC, "../..", 0, "http://a/", 0},
    {RFC, "../../", 0, "http://a/", 0},
    {RFC, "../../g", 0, "http://a/g", 0},
    /* 5.4.2: abnormal */
    {RFC, "../../../g", 0, "http://a/g", 0},
    {RFC, "../../../../g", 0, "http://a/g", 0},
    {RFC, "/./g", 0, "http://a/g", 0},
    {RFC, "/../g", 0, "http://a/g", 0},
    {RFC, "g.", 0, "http://a/b/c/g.", 0},
    {RFC, ".g", 0, "http://a/b/c/.g", 0},
    {RFC, "g..", 0, "http://a/b/c/g..", 0},
    {RFC, "..g", 0, "http://a/b/c/..g", 0},
    {RFC, "./../g", 0, "http://a/b/g", 0},
    {RFC, "./g/.", 0, "http://a/b/c/g/", 0},
    {RFC, "g/./h", 0, "http://a/b/c/g/h", 0},
    {RFC, "g/../h", 0, "http://a/b/c/h", 0},
    {RFC, "g;x=1/./y", 0, "http://a/b/c/g;x=1/y", 0},
    {RFC, "g;x=1/../y", 0, "http://a/b/c/y", 0},
    {RFC, "g?y/./x", 0, "http://a/b/c/g?y/./x", 0},
    {RFC, "g?y/../x", 0, "http://a/b/c/g?y/../x", 0},
    {RFC, "g#s/./x", 0, "http://a/b/c/g#s/./x", 0},
    {RFC, "g#s/../x", 0, "http://a/b/c/g#s/../x", 0},
    {RFC, "http:g", 0, NULL, CWUE_BAD_SLASHES}, /* strict */
    /* what stays and what goes */
    {"http://u:p@a:81/b", "/c", 0, "http://u:p@a:81/c", 0},
    {"http://u:p@a:81/b", "c", 0, "http://u:p@a:81/c", 0},
    {"http://u:p@a:81/b", "?c", 0, "http://u:p@a:81/b?c", 0},
    {"http://u:p@a:81/b", "//a:81/c", 0, "http://a:81/c", 0},
    {"http://u:p@a:81/b", "//c/d", 0, "http://c/d", 0},
    {"http://u:p@a:81/b", "http://a:81/c", 0, "http://a:81/c", 0},
    {"http://a/b#f", "c", 0, "http://a/c", 0},
    {"http://a/b#f", "", 0, "http://a/b", 0},
    {"http://a/b?q#f", "#g", 0, "http://a/b?q#g", 0},
    {"http://a", "b", 0, "http://a/b", 0},
    {"http://a?b/c", "d", 0, "http://a/d", 0},
    {"http://[fe80::1%25eth0]:90/b", "c", 0, "http://[fe80::1%25eth0]:90/c", 0},
    {"imap://u:p;o@a/b", "c", 0, "imap://u:p;o@a/c", 0},
    {"https://a/", "ftp://b", 0, "ftp://b/", 0},
    {"https://a/", "//b", 0, "https://b/", 0},
    {"https://a/", "///b/c", 0, "https://b/c", 0},
    {"https://a/", "////b/c", 0, NULL, CWUE_BAD_SLASHES},
    {"https://a/", "//", 0, NULL, CWUE_NO_HOST},
    {"https://a/", "\\\\b\\c", 0, "https://a/\\\\b\\c", 0},
    {"https://a/b/", "localhost:80", GUESS, "https://a/b/localhost:80", 0},
    {"https://a/b/", "localhost:80", 0, NULL, CWUE_UNSUPPORTED_SCHEME},
    {"https://a/b/", "./c:80", 0, "https://a/b/c:80", 0},
    {"https://a/b/", "../c", CWU_PATH_AS_IS, "https://a/b/../c", 0},
    {"https://a/", "//u@b/", CWU_DISALLOW_USER, NULL, CWUE_USER_NOT_ALLOWED},
    {"https://a/b", "c d", 0, NULL, CWUE_BAD_PATH},
    {"https://a/b", "c d?e f#g h", WILD, "https://a/c%20d?e+f#g%20h", 0},
    {"https://a/b", "?\xc3\xa9", WILD, "https://a/b?%C3%A9", 0},
    {"https://a/b c?d e", "#f", WILD, "https://a/b%20c?d+e#f", 0},
    {"https://a/b c?d e", "#f", 0, "https://a/b c?d e#f", 0},
    {"https://a/b c/d", "e", WILD, "https://a/b%20c/e", 0},
    {"https://a/b", "c\r\nX: y", WILD, NULL, CWUE_BAD_PATH},
    {"https://a/b", "//c\nd/", WILD, NULL, CWUE_BAD_HOSTNAME},
    {"file:///a/b", "c", 0, "file:///a/c", 0},
    {"file:///a/b", "/c", 0, "file:///c", 0},
    {"file:///a/b", "//localhost/c", 0, "file:///c", 0},
    {"file:///a/b", "//h/c", 0, NULL, CWUE_BAD_FILE_URL},
    {"xyz://a/b", "c", 0, "xyz://a/c", 0},
    {"xyz://a/b", "//c", 0, "xyz://c/", 0},
};

Test(uri, resolved) {
  for (size_t i = 0; i < LEN(resolved); i++) {
    const struct resolved *row = &resolved[i];
    struct cw_uri uri;
    cw_uri_init(&uri);
    cr_assert_eq(cw_uri_parse(&uri, row->base, ANY | SPACE), CWUE_OK);
    char *before = text_of(&uri, CWU_GET_EMPTY);
    enum cw_ucode err = cw_uri_follow(&uri, row->reference, row->flags);
    cr_expect_eq(err, row->code, "%s + %s: %d", row->base, row->reference,
                 (int)err);
    char *text = text_of(&uri, CWU_GET_EMPTY);
    const char *expected = row->text ? row->text : before;
    cr_expect_str_eq(text, expected, "%s + %s: %s", row->base, row->reference,
                     text);
    cw_free(text);
    cw_free(before);
    cw_uri_fini(&uri);
  }
}

Test(uri, follow_needs_a_whole_url) {
  struct cw_uri uri;
  cw_uri_init(&uri);
  cr_expect_eq(cw_uri_follow(&uri, "a", 0), CWUE_NO_SCHEME);
  cr_assert_eq(cw_uri_set(&uri, CWUPART_SCHEME, "http", 0), CWUE_OK);
  cr_expect_eq(cw_uri_follow(&uri, "a", 0), CWUE_NO_HOST);
  cr_assert_eq(cw_uri_set(&uri, CWUPART_HOST, "h", 0), CWUE_OK);
  cr_expect_eq(cw_uri_follow(&uri, "a", 0), CWUE_OK);
  cr_expect_str_eq(uri.path, "/a");
  cr_expect_eq(cw_uri_follow(&uri, NULL, 0), CWUE_OK, "NULL is empty");
  cr_expect_str_eq(uri.path, "/a");
  cw_uri_fini(&uri);
}

/* --- text --------------------------------------------------------------- */

struct written {
  const char *text;
  unsigned parse_flags;
  unsigned flags;
  const char *expected;
};
static const struct written written[] = {
    {"http://a?", 0, 0, "http://a/"},
    {"http://a?", 0, CWU_GET_EMPTY, "http://a/?"},
    {"http://a#", 0, CWU_GET_EMPTY, "http://a/#"},
    {"http://a/b?#", 0, CWU_GET_EMPTY, "http://a/b?#"},
    {"https://a/", 0, CWU_DEFAULT_PORT, "https://a:443/"},
    {"https://a:1/", 0, CWU_DEFAULT_PORT, "https://a:1/"},
    {"xyz://a/", ANY, CWU_DEFAULT_PORT, "xyz://a/"},
    {"https://a:443/", 0, 0, "https://a:443/"},
    {"https://a:443/", 0, CWU_NO_DEFAULT_PORT, "https://a/"},
    {"https://a:0443/", 0, CWU_NO_DEFAULT_PORT, "https://a/"},
    {"https://a:80/", 0, CWU_NO_DEFAULT_PORT, "https://a:80/"},
    {"https://u:p@a/b#f", 0, CW_URI_NO_CREDENTIALS, "https://a/b#f"},
    {"imap://u:p;o@a/", 0, CW_URI_NO_CREDENTIALS, "imap://a/"},
    {"https://u:p@a/b?q#f", 0, CW_URI_NO_FRAGMENT, "https://u:p@a/b?q"},
    {"https://a/#", 0, CW_URI_NO_FRAGMENT | CWU_GET_EMPTY, "https://a/"},
    {"ftp.a/b", GUESS, 0, "ftp://ftp.a/b"},
    {"ftp.a/b", GUESS, CWU_NO_GUESS_SCHEME, "ftp.a/b"},
    {"ftp://ftp.a/b", GUESS, CWU_NO_GUESS_SCHEME, "ftp://ftp.a/b"},
    {"a/b", CWU_DEFAULT_SCHEME, CWU_NO_GUESS_SCHEME, "https://a/b"},
    {"http://\xc3\xa4/\xc3\xb6", 0, 0, "http://\xc3\xa4/\xc3\xb6"},
    {"http://\xc3\xa4/\xc3\xb6", 0, CWU_URLENCODE, "http://%C3%A4/%C3%B6"},
    {"http://a/", 0, CWU_PUNYCODE | CWU_PUNY2IDN, "http://a/"},
    {"http://[::1%25x]:1/", 0, 0, "http://[::1%25x]:1/"},
};

Test(uri, written) {
  for (size_t i = 0; i < LEN(written); i++) {
    const struct written *row = &written[i];
    struct cw_uri uri;
    cw_uri_init(&uri);
    cr_assert_eq(cw_uri_parse(&uri, row->text, row->parse_flags), CWUE_OK);
    char *text = text_of(&uri, row->flags);
    cr_expect_str_eq(text, row->expected, "%s", row->text);
    cw_free(text);
    cw_uri_fini(&uri);
  }
}

Test(uri, text_of_what_is_not_whole) {
  struct cw_uri uri;
  struct cw_buf buf;
  cw_uri_init(&uri);
  cw_buf_init(&buf, 12);
  cr_expect_eq(cw_uri_add_text(&uri, 0, &buf), CWUE_NO_HOST);
  cr_assert_eq(cw_uri_set(&uri, CWUPART_HOST, "h", 0), CWUE_OK);
  cr_expect_eq(cw_uri_add_text(&uri, 0, &buf), CWUE_NO_SCHEME);
  cr_expect_eq(buf.len, 0);
  cr_expect_eq(cw_uri_add_text(&uri, CWU_DEFAULT_SCHEME, &buf), CWUE_OK);
  cr_expect_str_eq(buf.ptr, "https://h/");
  cr_expect_eq(cw_uri_add_text(&uri, CWU_DEFAULT_SCHEME, &buf), CWUE_TOO_LARGE);
  cr_expect_str_eq(buf.ptr, "https://h/");
  cw_buf_clear(&buf);
  /* An empty host that came in by itself must not reach a known scheme. */
  cr_assert_eq(cw_uri_set(&uri, CWUPART_HOST, "", CWU_NO_AUTHORITY), CWUE_OK);
  cr_expect_eq(cw_uri_add_text(&uri, CWU_DEFAULT_SCHEME, &buf), CWUE_NO_HOST);
  /* To another one it may, but alone. */
  cr_assert_eq(cw_uri_set(&uri, CWUPART_SCHEME, "xyz", ANY), CWUE_OK);
  cr_expect_eq(cw_uri_add_text(&uri, 0, &buf), CWUE_OK);
  cr_expect_str_eq(buf.ptr, "xyz:///");
  cr_assert_eq(cw_uri_set(&uri, CWUPART_PORT, "1", 0), CWUE_OK);
  cr_expect_eq(cw_uri_add_text(&uri, 0, &buf), CWUE_NO_HOST);
  cw_buf_fini(&buf);
  cw_uri_fini(&uri);
}

/* --- parts -------------------------------------------------------------- */

struct got {
  const char *text;
  enum cw_url_part part;
  unsigned flags;
  enum cw_ucode code;
  const char *expected;
};
#define FULL "https://u%41:p%3a@a:443/b%20?c+d%2B#e%20"
static const struct got gots[] = {
    {FULL, CWUPART_URL, CWU_URLDECODE, 0, FULL},
    {FULL, CWUPART_SCHEME, 0, 0, "https"},
    {FULL, CWUPART_USER, 0, 0, "u%41"},
    {FULL, CWUPART_USER, CWU_URLDECODE, 0, "uA"},
    {FULL, CWUPART_PASSWORD, 0, 0, "p%3a"},
    {FULL, CWUPART_PASSWORD, CWU_URLDECODE, 0, "p:"},
    {FULL, CWUPART_OPTIONS, 0, CWUE_NO_OPTIONS, NULL},
    {FULL, CWUPART_HOST, 0, 0, "a"},
    {FULL, CWUPART_PORT, 0, 0, "443"},
    {FULL, CWUPART_PORT, CWU_NO_DEFAULT_PORT, CWUE_NO_PORT, NULL},
    {FULL, CWUPART_PATH, 0, 0, "/b%20"},
    {FULL, CWUPART_PATH, CWU_URLDECODE, 0, "/b "},
    {FULL, CWUPART_QUERY, 0, 0, "c+d%2B"},
    {FULL, CWUPART_QUERY, CWU_URLDECODE, 0, "c d+"},
    {FULL, CWUPART_FRAGMENT, CWU_URLDECODE, 0, "e "},
    {FULL, CWUPART_ZONEID, 0, CWUE_NO_ZONEID, NULL},
    {FULL, (enum cw_url_part)11, 0, CWUE_UNKNOWN_PART, NULL},
    {"http://a", CWUPART_USER, 0, CWUE_NO_USER, NULL},
    {"http://a", CWUPART_PASSWORD, 0, CWUE_NO_PASSWORD, NULL},
    {"http://a", CWUPART_PORT, 0, CWUE_NO_PORT, NULL},
    {"http://a", CWUPART_PORT, CWU_DEFAULT_PORT, 0, "80"},
    {"http://a", CWUPART_PATH, 0, 0, "/"},
    {"http://a", CWUPART_QUERY, CWU_GET_EMPTY, CWUE_NO_QUERY, NULL},
    {"http://a?", CWUPART_QUERY, 0, CWUE_NO_QUERY, NULL},
    {"http://a?", CWUPART_QUERY, CWU_GET_EMPTY, 0, ""},
    {"http://a#", CWUPART_FRAGMENT, 0, CWUE_NO_FRAGMENT, NULL},
    {"http://a#", CWUPART_FRAGMENT, CWU_GET_EMPTY, 0, ""},
    {"http://@a", CWUPART_USER, 0, 0, ""},
    {"http://a/%00", CWUPART_PATH, CWU_URLDECODE, CWUE_URLDECODE, NULL},
    {"http://a/%1f", CWUPART_PATH, CWU_URLDECODE, CWUE_URLDECODE, NULL},
    {"http://a/%1f", CWUPART_PATH, 0, 0, "/%1f"},
    {"http://a/%4%zz", CWUPART_PATH, CWU_URLDECODE, 0, "/%4%zz"},
    {"http://[::1%25x]", CWUPART_HOST, 0, 0, "[::1]"},
    {"http://[::1%25x]", CWUPART_ZONEID, 0, 0, "x"},
    {"imap://u;o@a", CWUPART_OPTIONS, 0, 0, "o"},
    {"http://\xc3\xa4", CWUPART_HOST, 0, 0, "\xc3\xa4"},
    {"http://\xc3\xa4", CWUPART_HOST, CWU_URLENCODE, 0, "%C3%A4"},
    {"http://\xc3\xa4", CWUPART_HOST, CWU_PUNYCODE, CWUE_LACKS_IDN, NULL},
    {"http://\xc3\xa4", CWUPART_URL, CWU_PUNYCODE, CWUE_LACKS_IDN, NULL},
    {"http://a.xn--4ca", CWUPART_HOST, CWU_PUNY2IDN, CWUE_LACKS_IDN, NULL},
    {"http://a.xn--4ca", CWUPART_HOST, CWU_PUNYCODE, 0, "a.xn--4ca"},
    {"file:///a", CWUPART_HOST, 0, CWUE_NO_HOST, NULL},
};

Test(uri, got) {
  for (size_t i = 0; i < LEN(gots); i++) {
    const struct got *row = &gots[i];
    struct cw_uri uri;
    cw_uri_init(&uri);
    cr_assert_eq(cw_uri_parse(&uri, row->text, 0), CWUE_OK);
    char *part = uri.path;
    enum cw_ucode err = cw_uri_get(&uri, row->part, row->flags, &part);
    cr_expect_eq(err, row->code, "%s part %d: %d", row->text, (int)row->part,
                 (int)err);
    if (row->expected) {
      cr_expect_str_eq(part, row->expected, "%s part %d", row->text,
                       (int)row->part);
    } else {
      cr_expect_null(part);
    }
    cw_free(part);
    cw_uri_fini(&uri);
  }
}

Test(uri, guessed_scheme_can_be_hidden) {
  struct cw_uri uri;
  cw_uri_init(&uri);
  char *part;
  cr_assert_eq(cw_uri_parse(&uri, "ftp.a", GUESS), CWUE_OK);
  cr_expect(uri.guessed_scheme);
  cr_expect_eq(cw_uri_get(&uri, CWUPART_SCHEME, CWU_NO_GUESS_SCHEME, &part),
               CWUE_NO_SCHEME);
  cr_assert_eq(cw_uri_set(&uri, CWUPART_SCHEME, "ftp", 0), CWUE_OK);
  cr_expect_not(uri.guessed_scheme);
  cr_assert_eq(cw_uri_parse(&uri, "ftp.a", GUESS), CWUE_OK);
  cr_assert_eq(cw_uri_set(&uri, CWUPART_SCHEME, NULL, 0), CWUE_OK);
  cr_expect_not(uri.guessed_scheme);
  cr_expect_eq(cw_uri_get(&uri, CWUPART_SCHEME, 0, &part), CWUE_NO_SCHEME);
  cr_assert_eq(cw_uri_get(&uri, CWUPART_SCHEME, CWU_DEFAULT_SCHEME, &part),
               CWUE_OK);
  cr_expect_str_eq(part, "https");
  cw_free(part);
  cw_uri_fini(&uri);
}

struct set {
  enum cw_url_part part;
  const char *value;
  unsigned flags;
  enum cw_ucode code;
  const char *expected; /* the URL then */
};
#define BASE "http://u:p@h:99/p?q#f"
static const struct set sets[] = {
    {CWUPART_SCHEME, "FTP", 0, 0, "ftp://u:p@h:99/p?q#f"},
    {CWUPART_SCHEME, "xyz", 0, CWUE_UNSUPPORTED_SCHEME, BASE},
    {CWUPART_SCHEME, "xyz", ANY, 0, "xyz://u:p@h:99/p?q#f"},
    {CWUPART_SCHEME, "", ANY, CWUE_BAD_SCHEME, BASE},
    {CWUPART_SCHEME, "1a", ANY, CWUE_BAD_SCHEME, BASE},
    {CWUPART_SCHEME, "a b", ANY, CWUE_BAD_SCHEME, BASE},
    {CWUPART_SCHEME, "http:", ANY, CWUE_BAD_SCHEME, BASE},
    {CWUPART_USER, "x", 0, 0, "http://x:p@h:99/p?q#f"},
    {CWUPART_USER, "", 0, 0, "http://:p@h:99/p?q#f"},
    {CWUPART_USER, NULL, 0, 0, "http://:p@h:99/p?q#f"},
    {CWUPART_USER, "a%20b", 0, 0, "http://a%20b:p@h:99/p?q#f"},
    {CWUPART_USER, "a%20b", ENCODE, 0, "http://a%2520b:p@h:99/p?q#f"},
    {CWUPART_USER, "a b", 0, 0, "http://a%20b:p@h:99/p?q#f"},
    {CWUPART_USER, "a:b@/?#;", 0, 0, "http://a%3Ab%40%2F%3F%23;:p@h:99/p?q#f"},
    {CWUPART_USER, "a:b@/\n", ENCODE, 0, "http://a%3Ab%40%2F%0A:p@h:99/p?q#f"},
    {CWUPART_USER, "a\n", 0, CWUE_BAD_USER, BASE},
    {CWUPART_PASSWORD, "x:y", 0, 0, "http://u:x:y@h:99/p?q#f"},
    {CWUPART_PASSWORD, "x@evil/", 0, 0, "http://u:x%40evil%2F@h:99/p?q#f"},
    {CWUPART_PASSWORD, "\x7f", 0, CWUE_BAD_PASSWORD, BASE},
    {CWUPART_PASSWORD, NULL, 0, 0, "http://u@h:99/p?q#f"},
    {CWUPART_OPTIONS, "o", 0, 0, BASE}, /* not a scheme with options */
    {CWUPART_OPTIONS, "\r", 0, CWUE_BAD_LOGIN, BASE},
    {CWUPART_HOST, "X.y", 0, 0, "http://u:p@x.y:99/p?q#f"},
    {CWUPART_HOST, "", 0, CWUE_BAD_HOSTNAME, BASE},
    {CWUPART_HOST, "a/b", 0, CWUE_BAD_HOSTNAME, BASE},
    {CWUPART_HOST, "h:80", 0, CWUE_BAD_HOSTNAME, BASE},
    {CWUPART_HOST, "a@b", 0, CWUE_BAD_HOSTNAME, BASE},
    {CWUPART_HOST, "::1", 0, CWUE_BAD_HOSTNAME, BASE},
    {CWUPART_HOST, "a b", ENCODE, CWUE_BAD_HOSTNAME, BASE},
    {CWUPART_HOST, "a%41", 0, 0, "http://u:p@aa:99/p?q#f"},
    {CWUPART_HOST, "a%41", ENCODE, CWUE_BAD_HOSTNAME, BASE},
    {CWUPART_HOST, "127.1", 0, 0, "http://u:p@127.0.0.1:99/p?q#f"},
    {CWUPART_HOST, "[::0%25x]", 0, 0, "http://u:p@[::%25x]:99/p?q#f"},
    {CWUPART_HOST, "[::1", 0, CWUE_BAD_IPV6, BASE},
    {CWUPART_PORT, "080", 0, 0, "http://u:p@h:80/p?q#f"},
    {CWUPART_PORT, "65536", 0, CWUE_BAD_PORT_NUMBER, BASE},
    {CWUPART_PORT, "", 0, CWUE_BAD_PORT_NUMBER, BASE},
    {CWUPART_PORT, " 8", 0, CWUE_BAD_PORT_NUMBER, BASE},
    {CWUPART_PORT, "8/", 0, CWUE_BAD_PORT_NUMBER, BASE},
    {CWUPART_PORT, NULL, 0, 0, "http://u:p@h/p?q#f"},
    {CWUPART_PATH, "/x", 0, 0, "http://u:p@h:99/x?q#f"},
    {CWUPART_PATH, "x/y", 0, 0, "http://u:p@h:99/x/y?q#f"},
    {CWUPART_PATH, "", 0, 0, "http://u:p@h:99/?q#f"},
    {CWUPART_PATH, NULL, 0, 0, "http://u:p@h:99/?q#f"},
    {CWUPART_PATH, "/a?b#c", 0, 0, "http://u:p@h:99/a%3Fb%23c?q#f"},
    {CWUPART_PATH, "/a b", 0, 0, "http://u:p@h:99/a%20b?q#f"},
    {CWUPART_PATH, "/a b", SPACE, 0, "http://u:p@h:99/a b?q#f"},
    {CWUPART_PATH, "/a b/%?", ENCODE, 0, "http://u:p@h:99/a%20b/%25%3F?q#f"},
    {CWUPART_PATH, "/a/../b", 0, 0, "http://u:p@h:99/b?q#f"},
    {CWUPART_PATH, "/a/../b", CWU_PATH_AS_IS, 0, "http://u:p@h:99/a/../b?q#f"},
    {CWUPART_PATH, "/a\r\nb", 0, CWUE_BAD_PATH, BASE},
    {CWUPART_QUERY, "a=b", 0, 0, "http://u:p@h:99/p?a=b#f"},
    {CWUPART_QUERY, "a#b", 0, 0, "http://u:p@h:99/p?a%23b#f"},
    {CWUPART_QUERY, "a b&c=", ENCODE, 0, "http://u:p@h:99/p?a+b%26c%3D#f"},
    {CWUPART_QUERY, "a=b=c&", ENCODE | CWU_APPENDQUERY, 0,
     "http://u:p@h:99/p?q&a=b%3Dc%26#f"},
    {CWUPART_QUERY, "a=b", CWU_APPENDQUERY, 0, "http://u:p@h:99/p?q&a=b#f"},
    {CWUPART_QUERY, "", 0, 0, "http://u:p@h:99/p#f"},
    {CWUPART_QUERY, NULL, 0, 0, "http://u:p@h:99/p#f"},
    {CWUPART_QUERY, "\x01", 0, CWUE_BAD_QUERY, BASE},
    {CWUPART_FRAGMENT, "a#b c", 0, 0, "http://u:p@h:99/p?q#a#b%20c"},
    {CWUPART_FRAGMENT, "a#", ENCODE, 0, "http://u:p@h:99/p?q#a%23"},
    {CWUPART_FRAGMENT, NULL, 0, 0, "http://u:p@h:99/p?q"},
    {CWUPART_FRAGMENT, "\n", 0, CWUE_BAD_FRAGMENT, BASE},
    {CWUPART_ZONEID, "x", 0, 0, BASE}, /* the host has no zones */
    {CWUPART_ZONEID, "a]b", 0, CWUE_BAD_IPV6, BASE},
    {CWUPART_ZONEID, "", 0, CWUE_BAD_IPV6, BASE},
    {CWUPART_URL, "https://x", 0, 0, "https://x/"},
    {CWUPART_URL, "/z", 0, 0, "http://u:p@h:99/z"},
    {CWUPART_URL, "", 0, 0, "http://u:p@h:99/p?q"},
    {CWUPART_URL, "//[", 0, CWUE_BAD_IPV6, BASE},
    {(enum cw_url_part)11, "x", 0, CWUE_UNKNOWN_PART, BASE},
    {(enum cw_url_part)11, NULL, 0, CWUE_UNKNOWN_PART, BASE},
};

Test(uri, set) {
  for (size_t i = 0; i < LEN(sets); i++) {
    const struct set *row = &sets[i];
    struct cw_uri uri;
    cw_uri_init(&uri);
    cr_assert_eq(cw_uri_parse(&uri, BASE, 0), CWUE_OK);
    enum cw_ucode err = cw_uri_set(&uri, row->part, row->value, row->flags);
    const char *value = row->value ? row->value : "NULL";
    cr_expect_eq(err, row->code, "%d %s: %d", (int)row->part, value, (int)err);
    char *text = text_of(&uri, 0);
    cr_expect_str_eq(text, row->expected, "%d %s: %s", (int)row->part, value,
                     text);
    cw_free(text);
    cw_uri_fini(&uri);
  }
}

Test(uri, append_query) {
  struct cw_uri uri;
  cw_uri_init(&uri);
  const unsigned append = CWU_APPENDQUERY;
  cr_assert_eq(cw_uri_parse(&uri, "http://a/", 0), CWUE_OK);
  cr_assert_eq(cw_uri_set(&uri, CWUPART_QUERY, "a=1", append), CWUE_OK);
  cr_expect_str_eq(uri.query, "a=1");
  cr_assert_eq(cw_uri_set(&uri, CWUPART_QUERY, "b=2&", append), CWUE_OK);
  cr_expect_str_eq(uri.query, "a=1&b=2&");
  cr_assert_eq(cw_uri_set(&uri, CWUPART_QUERY, "c=3", append), CWUE_OK);
  cr_expect_str_eq(uri.query, "a=1&b=2&c=3");
  cw_uri_fini(&uri);
}

Test(uri, another_host_has_no_zone) {
  struct cw_uri uri;
  cw_uri_init(&uri);
  cr_assert_eq(cw_uri_parse(&uri, "http://[fe80::1%25eth0]/", 0), CWUE_OK);
  cr_assert_eq(cw_uri_set(&uri, CWUPART_HOST, "[fe80::2]", 0), CWUE_OK);
  cr_expect_null(uri.zoneid);
  cr_assert_eq(cw_uri_set(&uri, CWUPART_ZONEID, "lo", 0), CWUE_OK);
  cr_assert_eq(cw_uri_set(&uri, CWUPART_HOST, NULL, 0), CWUE_OK);
  cr_expect_null(uri.zoneid);
  cw_uri_fini(&uri);
}

Test(uri, options_are_kept_apart) {
  struct cw_uri uri;
  cw_uri_init(&uri);
  cr_assert_eq(cw_uri_parse(&uri, "imap://h/", 0), CWUE_OK);
  cr_assert_eq(cw_uri_set(&uri, CWUPART_USER, "a;b", 0), CWUE_OK);
  cr_assert_eq(cw_uri_set(&uri, CWUPART_PASSWORD, "c;d", 0), CWUE_OK);
  cr_assert_eq(cw_uri_set(&uri, CWUPART_OPTIONS, "AUTH=*", 0), CWUE_OK);
  char *text = text_of(&uri, 0);
  cr_expect_str_eq(text, "imap://a%3Bb:c%3Bd;AUTH=*@h/");
  cw_free(text);
  cw_uri_fini(&uri);
}

/* --- the rest ----------------------------------------------------------- */

static bool same_origin(const char *a, const char *b) {
  struct cw_uri ua, ub;
  cw_uri_init(&ua);
  cw_uri_init(&ub);
  cr_assert_eq(cw_uri_parse(&ua, a, ANY), CWUE_OK);
  cr_assert_eq(cw_uri_parse(&ub, b, ANY), CWUE_OK);
  bool same = cw_uri_same_origin(&ua, &ub);
  cr_expect_eq(same, cw_uri_same_origin(&ub, &ua));
  cw_uri_fini(&ua);
  cw_uri_fini(&ub);
  return same;
}

Test(uri, same_origin) {
  cr_expect(same_origin("http://a/b", "http://u:p@A:80/c?d#e"));
  cr_expect(same_origin("https://a:443", "HTTPS://a"));
  cr_expect(same_origin("http://127.1", "http://0x7f.0.0.1"));
  cr_expect(same_origin("http://[::1]", "http://[0:0::1]"));
  cr_expect(same_origin("xyz://a", "xyz://a"));
  cr_expect_not(same_origin("http://a", "https://a"));
  cr_expect_not(same_origin("http://a", "https://a:80"));
  cr_expect_not(same_origin("http://a", "http://a:81"));
  cr_expect_not(same_origin("http://a", "http://a.b"));
  cr_expect_not(same_origin("http://a", "http://a."));
  cr_expect_not(same_origin("http://[fe80::1%25a]", "http://[fe80::1%25b]"));
  cr_expect_not(same_origin("xyz://a:1", "xyz://a"));
}

Test(uri, port_number) {
  const struct {
    const char *text;
    int port;
  } rows[] = {{"http://a", 80},         {"https://a", 443}, {"ftp://a", 21},
              {"http://a:81", 81},      {"xyz://a", 0},     {"xyz://a:7", 7},
              {"file:///a", 0},         {"wss://a", 443},   {"rtsp://a", 554},
              {"http://a:65535", 65535}};
  for (size_t i = 0; i < LEN(rows); i++) {
    struct cw_uri uri;
    cw_uri_init(&uri);
    cr_assert_eq(cw_uri_parse(&uri, rows[i].text, ANY), CWUE_OK);
    cr_expect_eq(cw_uri_port(&uri), rows[i].port, "%s", rows[i].text);
    cw_uri_fini(&uri);
  }
}

Test(uri, host_is_ip) {
  static const char *const yes[] = {
      "1.2.3.4", "0.0.0.0", "255.255.255.255", "::",
      "[::1]",   "fe80::1", "[::ffff:1.2.3.4]"};
  static const char *const no[] = {
      "",         "a",           "1.2.3",     "1.2.3.4.",  "1.2.3.256", "127.1",
      "01.2.3.4", "0x1.2.3.4",   "[1.2.3.4]", "1.2.3.4.5", "[",         "[]",
      "[::1",     "[fe80::1%1]", ":",         "1.2..4",    "1.2.3.a"};
  for (size_t i = 0; i < LEN(yes); i++) {
    cr_expect(cw_host_is_ip(yes[i]), "%s", yes[i]);
  }
  for (size_t i = 0; i < LEN(no); i++) {
    cr_expect_not(cw_host_is_ip(no[i]), "%s", no[i]);
  }
  cr_expect_not(cw_host_is_ip(NULL));
}

Test(uri, percent) {
  struct cw_buf buf;
  cw_buf_init(&buf, 1000);
  cr_assert_eq(cw_uri_encode(cw_slice("aZ09-._~ /%\0\xff", 13), &buf), CW_OK);
  cr_expect_str_eq(buf.ptr, "aZ09-._~%20%2F%25%00%FF");
  struct cw_buf back;
  cw_buf_init(&back, 1000);
  cr_assert_eq(cw_uri_decode(cw_buf_slice(&buf), false, &back), CWUE_OK);
  cr_expect(
      cw_slice_eq(cw_buf_slice(&back), cw_slice("aZ09-._~ /%\0\xff", 13)));
  cr_expect_eq(cw_uri_decode(cw_buf_slice(&buf), true, &back), CWUE_URLDECODE);
  cr_expect_eq(back.len, 13, "a failure must add nothing");
  cw_buf_clear(&back);
  cr_assert_eq(cw_uri_decode(cw_slice_str("%4g%4%%41%e"), true, &back),
               CWUE_OK);
  cr_expect_str_eq(back.ptr, "%4g%4%A%e");
  cw_buf_fini(&buf);
  cw_buf_fini(&back);
  cw_buf_init(&buf, 5);
  cr_expect_eq(cw_uri_encode(cw_slice_str("a/b"), &buf), CW_OK);
  cr_expect_eq(cw_uri_encode(cw_slice_str("/"), &buf), CWE_TOO_LARGE);
  cr_expect_str_eq(buf.ptr, "a%2Fb");
  cr_expect_eq(cw_uri_decode(cw_slice_str("x"), false, &buf), CWUE_TOO_LARGE);
  cw_buf_fini(&buf);
}

Test(uri, copy) {
  struct cw_uri a, b;
  cw_uri_init(&a);
  cw_uri_init(&b);
  cr_assert_eq(cw_uri_parse(&a, "imap://u:p;o@[::1%25x]:1/p?#f", 0), CWUE_OK);
  cr_assert_eq(cw_uri_parse(&b, "http://other/?q", 0), CWUE_OK);
  cr_assert_eq(cw_uri_copy(&b, &a), CWUE_OK);
  cw_uri_fini(&a);
  char got[200];
  describe(&b, got, sizeof(got));
  cr_expect_str_eq(got, "s=imap u=u pw=p o=o h=[::1] z=x port=1 p=/p q= f=f");
  cw_uri_fini(&b);
  describe(&b, got, sizeof(got));
  cr_expect_str_eq(got, "");
}

/* --- the public handle -------------------------------------------------- */

Test(url, handle) {
  CWU *url = cw_url();
  cr_assert_not_null(url);
  char *part = NULL;
  cr_expect_eq(cw_url_set(url, CWUPART_URL, "a", 0), CWUE_BAD_SCHEME);
  cr_expect_eq(cw_url_set(url, CWUPART_URL, "http://a/b", 0), CWUE_OK);
  cr_expect_eq(cw_url_set(url, CWUPART_URL, "c", 0), CWUE_OK);
  CWU *copy = cw_url_dup(url);
  cr_assert_not_null(copy);
  cw_url_cleanup(url);
  cr_expect_eq(cw_url_get(copy, CWUPART_URL, &part, 0), CWUE_OK);
  cr_expect_str_eq(part, "http://a/c");
  cw_free(part);
  cr_expect_str_eq(cw_url_uri(copy)->host, "a");
  cr_expect_eq(cw_url_set(copy, CWUPART_URL, NULL, 0), CWUE_OK);
  cr_expect_eq(cw_url_get(copy, CWUPART_URL, &part, 0), CWUE_NO_HOST);
  cr_expect_null(part);
  cw_url_cleanup(copy);
}

Test(url, made_of_parts) {
  CWU *url = cw_url();
  cr_assert_not_null(url);
  char *part = NULL;
  cr_expect_eq(cw_url_set(url, CWUPART_HOST, "a", 0), CWUE_OK);
  cr_expect_eq(cw_url_get(url, CWUPART_URL, &part, 0), CWUE_NO_SCHEME);
  cr_expect_eq(cw_url_set(url, CWUPART_SCHEME, "https", 0), CWUE_OK);
  cr_expect_eq(cw_url_set(url, CWUPART_QUERY, "b", 0), CWUE_OK);
  cr_expect_eq(cw_url_get(url, CWUPART_URL, &part, 0), CWUE_OK);
  cr_expect_str_eq(part, "https://a/?b");
  cw_free(part);
  cw_url_cleanup(url);
}

Test(url, bad_arguments) {
  char *part = NULL;
  cr_expect_eq(cw_url_get(NULL, CWUPART_URL, &part, 0), CWUE_BAD_HANDLE);
  cr_expect_eq(cw_url_set(NULL, CWUPART_URL, "x", 0), CWUE_BAD_HANDLE);
  cr_expect_null(cw_url_dup(NULL));
  cw_url_cleanup(NULL);
  CWU *url = cw_url();
  cr_assert_not_null(url);
  cr_expect_eq(cw_url_get(url, CWUPART_URL, NULL, 0), CWUE_BAD_PARTPOINTER);
  cw_url_cleanup(url);
}

/* --- want of memory ----------------------------------------------------- */

#define LONG "http://u%20x:p@[fe80::1%25eth0]:80/a b/../c?d e#f g"

/* A URL of long parts, so that buffers grow more than once. */
static bool oom_scenario(void) {
  struct cw_uri uri, copy;
  cw_uri_init(&uri);
  cw_uri_init(&copy);
  char *text = NULL;
  enum cw_ucode err = cw_uri_parse(&uri, LONG, WILD);
  cr_assert(err == CWUE_OK || !uri.scheme);
  if (!err) {
    err = cw_uri_copy(&copy, &uri);
  }
  if (!err) {
    err = cw_uri_follow(&uri, "x/y z?q", WILD);
    cr_assert_str_eq(uri.path, err ? "/c" : "/x/y%20z");
  }
  if (!err) {
    err = cw_uri_follow(&uri, "//h%41st/p", WILD);
    cr_assert_str_eq(uri.host, err ? "[fe80::1]" : "hast");
  }
  if (!err) {
    err = cw_uri_set(&uri, CWUPART_QUERY, "a b", WILD | CWU_APPENDQUERY);
    cr_assert(err ? !uri.query : strcmp(uri.query, "a+b") == 0);
  }
  if (!err) {
    err = cw_uri_set(&uri, CWUPART_HOST, "[::1%25lo]", 0);
    cr_assert_str_eq(uri.host, err ? "hast" : "[::1]");
  }
  if (!err) {
    err = cw_uri_get(&uri, CWUPART_URL, 0, &text);
    cr_assert(err ? !text : strcmp(text, "http://[::1%25lo]/p?a+b") == 0);
  }
  cw_free(text);
  cw_uri_fini(&uri);
  cw_uri_fini(&copy);
  cr_assert(err == CWUE_OK || err == CWUE_OUT_OF_MEMORY, "%d", (int)err);
  return err == CWUE_OK;
}

static bool oom_handle(void) {
  CWU *url = cw_url();
  bool good = url && !cw_url_set(url, CWUPART_URL, "http://a/b", 0);
  CWU *copy = good ? cw_url_dup(url) : NULL;
  cw_url_cleanup(url);
  cw_url_cleanup(copy);
  return copy;
}

static void sweep(bool (*scenario)(void), long at_least) {
  for (long n = 1;; n++) {
    failing_start(n);
    bool good = scenario();
    cr_assert_eq(failing_live(), 0, "leak when request %ld fails", n);
    long made = failing_allocations();
    failing_stop();
    if (made < n) {
      cr_assert(good);
      cr_assert_geq(n, at_least, "only %ld requests", n);
      break;
    }
    cr_assert_not(good, "request %ld failed and nobody said so", n);
  }
}

Test(uri, every_allocation_fails_once) {
  sweep(oom_scenario, 40);
}

Test(url, every_allocation_fails_once) {
  sweep(oom_handle, 8);
}
