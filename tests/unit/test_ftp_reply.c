/* Replies of FTP and what single ones hold; lines of text; ftpport. */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/ftp_reply.h"
#include "codec/ftp_text.h"

static enum cw_code feed(struct cw_ftp_reply *reply, const char *line) {
  struct cw_fail fail = {0};
  return cw_ftp_reply_line(reply, cw_slice_str(line), &fail);
}

Test(ftp_reply, one_line) {
  struct cw_ftp_reply reply;
  cw_ftp_reply_reset(&reply);
  cr_expect_eq(feed(&reply, "220 hi"), CW_OK);
  cr_expect(reply.is_complete);
  cr_expect_eq(reply.code, 220);
  cw_ftp_reply_reset(&reply);
  cr_expect_eq(feed(&reply, "220"), CW_OK);
  cr_expect(reply.is_complete);
}

Test(ftp_reply, several_lines) {
  static const char *const lines[] = {"211-a",  "211-b", " 211 c", "212 d",
                                      "2110 e", "",      "211 end"};
  struct cw_ftp_reply reply;
  cw_ftp_reply_reset(&reply);
  for (size_t i = 0; i < 7; i++) {
    cr_expect_eq(feed(&reply, lines[i]), CW_OK);
    cr_expect_eq(reply.is_complete, i == 6, "%s", lines[i]);
  }
}

Test(ftp_reply, none) {
  static const char *const bad[] = {
      "",      "2",     "22",    "22x hi", "2200",           "-20 x",
      " 20 x", "099 x", "700 x", "220x",   "HTTP/1.1 200 OK"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct cw_ftp_reply reply;
    cw_ftp_reply_reset(&reply);
    cr_expect_eq(feed(&reply, bad[i]), CWE_WEIRD_SERVER_REPLY, "%s", bad[i]);
  }
}

Test(ftp_reply, lines_without_end) {
  struct cw_ftp_reply reply;
  enum cw_code err = CW_OK;
  cw_ftp_reply_reset(&reply);
  int n = 0;
  for (; !err && n < 5000; n++) {
    err = feed(&reply, "220-x");
  }
  cr_expect_eq(err, CWE_WEIRD_SERVER_REPLY);
  cr_expect_eq(n, CW_FTP_MAX_LINES + 1);
}

Test(ftp_reply, pasv) {
  static const struct {
    const char *text;
    int port; /* 0: none */
  } all[] = {{"Entering Passive Mode (10,0,0,1,7,208)", 2000},
             {"=10,0,0,1,0,1", 1},
             {"10,0,0,1,255,255", 65535},
             {"3 of (10,0,0,1,7,208).", 2000},
             {"(10,0,0,1,0,0)", 0},
             {"(10,0,0,1,7)", 0},
             {"(10,0,0,256,7,208)", 0},
             {"(10, 0,0,1,7,208)", 0},
             {"", 0}};
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    unsigned char ip[4] = {0};
    int port = 0;
    bool good = cw_ftp_parse_pasv(cw_slice_str(all[i].text), ip, &port);
    cr_expect_eq(good, all[i].port != 0, "%s", all[i].text);
    cr_expect(!good || (port == all[i].port && ip[0] == 10 && ip[3] == 1), "%s",
              all[i].text);
  }
}

Test(ftp_reply, epsv) {
  static const struct {
    const char *text;
    int port;
  } all[] = {{"Entering (|||2000|)", 2000},
             {"(!!!1!)", 1},
             {"(|||65535|)", 65535},
             {"(|||65536|)", 0},
             {"(|||0|)", 0},
             {"(|||2000)", 0},
             {"(||2000|)", 0},
             {"(|||x|)", 0},
             {"(1112000 1)", 0},
             {"(||||)", 0},
             {"(", 0},
             {"", 0}};
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    int port = 0;
    bool good = cw_ftp_parse_epsv(cw_slice_str(all[i].text), &port);
    cr_expect_eq(good, all[i].port != 0, "%s", all[i].text);
    cr_expect(!good || port == all[i].port, "%s", all[i].text);
  }
}

Test(ftp_reply, facts) {
  int64_t value = 0;
  cr_expect(cw_ftp_parse_time(cw_slice_str("20240229123456"), &value));
  cr_expect_eq(value, 1709210096);
  cr_expect(cw_ftp_parse_time(cw_slice_str("19700101000000.123"), &value));
  cr_expect_eq(value, 0);
  cr_expect_not(cw_ftp_parse_time(cw_slice_str("2024022912345"), &value));
  cr_expect_not(cw_ftp_parse_time(cw_slice_str("20241329123456"), &value));
  cr_expect_not(cw_ftp_parse_time(cw_slice_str("20240229123456x"), &value));
  cr_expect(cw_ftp_parse_size(cw_slice_str("9223372036854775807"), &value));
  cr_expect_eq(value, INT64_MAX);
  cr_expect_not(cw_ftp_parse_size(cw_slice_str("9223372036854775808"), &value));
  cr_expect_not(cw_ftp_parse_size(cw_slice_str("none"), &value));
  cr_expect(cw_ftp_parse_opening(cw_slice_str("for f (12 bytes)."), &value));
  cr_expect_eq(value, 12);
  cr_expect_not(cw_ftp_parse_opening(cw_slice_str("for f (12 kB)"), &value));
}

Test(ftp_reply, directory) {
  struct cw_buf name;
  enum cw_code err = CW_OK;
  cw_buf_init(&name, 100);
  cr_expect(cw_ftp_parse_directory(cw_slice_str("\"/a \"\"b\"\"\" is it"),
                                   &name, &err));
  cr_expect_str_eq(name.ptr, "/a \"b\"");
  cw_buf_clear(&name);
  cr_expect_not(cw_ftp_parse_directory(cw_slice_str("\"/a"), &name, &err));
  cr_expect_not(cw_ftp_parse_directory(cw_slice_str("/a"), &name, &err));
  cw_buf_fini(&name);
}

/* Cut in two at every place, the same comes out. */
static void text_is(const char *in, const char *want) {
  size_t len = strlen(in);
  for (size_t cut = 0; cut <= len; cut++) {
    char out[100] = "", room[100];
    bool cr = false;
    const char *part[2] = {in, in + cut};
    size_t n[2] = {cut, len - cut};
    for (int i = 0; i < 2; i++) {
      int start = 0;
      memcpy(room + 1, part[i], n[i]);
      size_t left = cw_ftp_from_text(room + 1, n[i], &cr, &start);
      strncat(out, room + 1 + start, left);
    }
    strcat(out, cr ? "\r" : "");
    cr_expect_str_eq(out, want, "cut at %zu", cut);
  }
}

Test(ftp_text, line_ends) {
  text_is("a\r\nb\r\n", "a\nb\n");
  text_is("a\nb", "a\nb");
  text_is("a\r\rb\r", "a\r\rb\r");
  text_is("\r\r\n\n\r\n", "\r\n\n\n");
  text_is("", "");
}

Test(ftp_text, port) {
  static const struct {
    const char *text, *host;
    int first, last;
  } all[] = {{"-", "", 0, 0},
             {"192.168.10.16", "192.168.10.16", 0, 0},
             {"eth0", "eth0", 0, 0},
             {"[fd00::1]:5000", "fd00::1", 5000, 5000},
             {"fd00::1", "fd00::1", 0, 0},
             {"[fd00::1]", "fd00::1", 0, 0},
             {":5000-5010", "", 5000, 5010},
             {"-:5000", "", 5000, 5000},
             {"eth0:1-65535", "eth0", 1, 65535}};
  static const char *const bad[] = {"eth0:",      "eth0:x",    "eth0:5-4",
                                    "eth0:65536", "[fd00::1",  "[fd00::1]5",
                                    "eth0:1-",    "eth0:1-2-3"};
  struct cw_ftp_port port;
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    cr_expect(cw_ftp_port_parse(all[i].text, &port), "%s", all[i].text);
    cr_expect_str_eq(port.host, all[i].host, "%s", all[i].text);
    cr_expect(port.first == all[i].first && port.last == all[i].last, "%s",
              all[i].text);
  }
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    cr_expect_not(cw_ftp_port_parse(bad[i], &port), "%s", bad[i]);
  }
}
