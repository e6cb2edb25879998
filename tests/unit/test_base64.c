/* Base64: RFC 4648. */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/base64.h"
#include "oom/failing.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* RFC 4648, 10, and bytes that use the last two digits. */
static const struct {
  const char *bytes;
  size_t len;
  const char *text;
} rows[] = {{"", 0, ""},
            {"f", 1, "Zg=="},
            {"fo", 2, "Zm8="},
            {"foo", 3, "Zm9v"},
            {"foob", 4, "Zm9vYg=="},
            {"fooba", 5, "Zm9vYmE="},
            {"foobar", 6, "Zm9vYmFy"},
            {"\0", 1, "AA=="},
            {"\0\0\0", 3, "AAAA"},
            {"\xff\xff\xff", 3, "////"},
            {"\xfb\xef\xbe", 3, "++++"},
            {"Aladdin:open sesame", 19, "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}};

Test(base64, both_ways) {
  for (size_t i = 0; i < LEN(rows); i++) {
    struct cw_buf buf;
    cw_buf_init(&buf, 100);
    cr_assert_eq(cw_buf_add_str(&buf, "> "), CW_OK);
    struct cw_slice bytes = cw_slice(rows[i].bytes, rows[i].len);
    cr_assert_eq(cw_base64_add(&buf, bytes), CW_OK);
    cr_expect_str_eq(buf.ptr + 2, rows[i].text);
    cw_buf_clear(&buf);
    cr_assert_eq(cw_buf_add_str(&buf, "> "), CW_OK);
    cr_assert_eq(cw_base64_decode(&buf, cw_slice_str(rows[i].text)), CW_OK);
    cr_expect_eq(buf.len, 2 + rows[i].len);
    cr_expect_eq(memcmp(buf.ptr + 2, rows[i].bytes, rows[i].len), 0);
    cw_buf_fini(&buf);
  }
}

Test(base64, every_byte_and_length) {
  unsigned char bytes[256];
  for (size_t i = 0; i < sizeof(bytes); i++) {
    bytes[i] = (unsigned char)(i * 167 + 13);
  }
  for (size_t len = 0; len <= sizeof(bytes); len++) {
    struct cw_buf text, back;
    cw_buf_init(&text, 400);
    cw_buf_init(&back, len); /* to the byte */
    cr_assert_eq(cw_base64_add(&text, cw_slice(bytes, len)), CW_OK);
    cr_assert_eq(text.len, (len + 2) / 3 * 4);
    cr_assert_eq(cw_base64_decode(&back, cw_buf_slice(&text)), CW_OK);
    cr_assert(cw_slice_eq(cw_buf_slice(&back), cw_slice(bytes, len)));
    cw_buf_fini(&text);
    cw_buf_fini(&back);
  }
}

Test(base64, refused) {
  static const char *const texts[] = {
      "Z",      "Zg",    "Zg=",       "Zm8",     "====", "=",
      "Zg==\n", " Zg==", "Zm9v Zg==", "Z===",    "Zg=a", "Zg==Zg==",
      "Zh==",   "Zm9=",  "Zm9v====",  "Zm-v",    "Zm_v", "Zm9\xc3",
      "=Zm9",   "Z=m9",  "Zm9vYmF=",  "Zm9vZg=A"};
  for (size_t i = 0; i < LEN(texts); i++) {
    struct cw_buf buf;
    cw_buf_init(&buf, 100);
    cr_assert_eq(cw_buf_add_str(&buf, "kept"), CW_OK);
    cr_expect_eq(cw_base64_decode(&buf, cw_slice_str(texts[i])),
                 CWE_BAD_FUNCTION_ARGUMENT, "%s", texts[i]);
    cr_expect_str_eq(buf.ptr, "kept", "%s", texts[i]);
    cw_buf_fini(&buf);
  }
  struct cw_buf buf;
  cw_buf_init(&buf, 100);
  cr_expect_eq(cw_base64_decode(&buf, cw_slice("Zm\0v", 4)),
               CWE_BAD_FUNCTION_ARGUMENT);
  cw_buf_fini(&buf);
}

Test(base64, ceiling) {
  struct cw_buf buf;
  cw_buf_init(&buf, 7);
  cr_expect_eq(cw_base64_add(&buf, cw_slice_str("foo")), CW_OK);
  cr_expect_eq(cw_base64_add(&buf, cw_slice_str("f")), CWE_TOO_LARGE);
  cr_expect_str_eq(buf.ptr, "Zm9v");
  cr_expect_eq(cw_base64_decode(&buf, cw_slice_str("Zm9v")), CW_OK);
  cr_expect_eq(cw_base64_decode(&buf, cw_slice_str("Zg==")), CWE_TOO_LARGE);
  cr_expect_str_eq(buf.ptr, "Zm9vfoo");
  cw_buf_fini(&buf);
}

Test(base64, no_memory) {
  struct cw_buf buf;
  failing_start(1);
  cw_buf_init(&buf, 100);
  enum cw_code added = cw_base64_add(&buf, cw_slice_str("foo"));
  failing_stop();
  cr_expect_eq(added, CWE_OUT_OF_MEMORY);
  failing_start(1);
  enum cw_code decoded = cw_base64_decode(&buf, cw_slice_str("Zm9v"));
  failing_stop();
  cr_expect_eq(decoded, CWE_OUT_OF_MEMORY);
  cr_expect_eq(buf.len, 0);
}
