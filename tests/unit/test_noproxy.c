/* The list of hosts that are reached without the proxy. */
#include <criterion/criterion.h>

#include "engine/easy.h"

static const struct {
  const char *list, *host;
  bool has;
} rows[] = {
    /* names, and what is below them */
    {"example.com", "example.com", true},
    {"example.com", "EXAMPLE.com", true},
    {"example.com", "www.example.com", true},
    {"example.com", "a.b.example.com", true},
    {"example.com", "notexample.com", false},
    {"example.com", "example.com.org", false},
    {"example.com", "example.co", false},
    {"example.com", "com", false},
    {".example.com", "example.com", true},
    {".example.com", "www.example.com", true},
    {".example.com", "notexample.com", false},
    {"example.com.", "www.example.com", true},
    {"example.com", "www.example.com.", true},
    {"www.example.com", "example.com", false},
    {"localhost", "localhost", true},
    /* lists */
    {"", "example.com", false},
    {",", "example.com", false},
    {" , ,", "example.com", false},
    {".", "example.com", false},
    {"a.test,example.com", "example.com", true},
    {"a.test, example.com ,b.test", "example.com", true},
    {"a.test example.com", "example.com", true},
    {"a.test\texample.com", "example.com", true},
    {"a.test,b.test", "example.com", false},
    {"*", "example.com", true},
    {"*", "10.0.0.1", true},
    {" * ", "example.com", true},
    {"a.test,*", "example.com", true},
    {"*.example.com", "www.example.com", false},
    /* addresses and networks */
    {"10.0.0.1", "10.0.0.1", true},
    {"10.0.0.1", "10.0.0.11", false},
    {"0.0.1", "10.0.0.1", false},
    {"10.0.0.1/32", "10.0.0.1", true},
    {"10.0.0.1/32", "10.0.0.2", false},
    {"10.0.0.0/24", "10.0.0.255", true},
    {"10.0.0.0/24", "10.0.1.0", false},
    {"10.0.0.77/24", "10.0.0.1", true},
    {"192.168.0.0/16", "192.168.99.1", true},
    {"192.168.0.0/16", "192.169.0.1", false},
    {"10.0.0.0/9", "10.127.0.1", true},
    {"10.0.0.0/9", "10.128.0.1", false},
    {"0.0.0.0/0", "8.8.8.8", true},
    {"10.0.0.0/33", "10.0.0.0", false},
    {"10.0.0.0/", "10.0.0.0", false},
    {"10.0.0.0/-1", "10.0.0.0", false},
    {"10.0.0.0/8x", "10.0.0.0", false},
    {"10.0.0.0/8/9", "10.0.0.0", false},
    {"/8", "10.0.0.0", false},
    {"10.0.0/8", "10.0.0.0", false},
    {"10.0.0.0/8", "ten.example", false},
    {"0.0.0.0/0", "::1", false},
    {"::1", "[::1]", true},
    {"[::1]", "[::1]", true},
    {"::1", "[::2]", false},
    {"0:0::1", "[::1]", true},
    {"fd00::/8", "[fd12::3]", true},
    {"fd00::/8", "[fe00::3]", false},
    {"fd00::/127", "[fd00::1]", true},
    {"fd00::/127", "[fd00::2]", false},
    {"fd00::/128", "[fd00::]", true},
    {"fd00::/129", "[fd00::]", false},
    {"::/0", "[fd00::1]", true},
    {"::/0", "10.0.0.1", false},
};

Test(noproxy, rows) {
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    cr_expect_eq(cw_noproxy_has(rows[i].list, rows[i].host), rows[i].has,
                 "\"%s\" and %s", rows[i].list, rows[i].host);
  }
}

Test(noproxy, an_entry_longer_than_any_address) {
  char list[5000];
  memset(list, '1', sizeof(list) - 1);
  list[sizeof(list) - 1] = '\0';
  cr_expect(!cw_noproxy_has(list, "10.0.0.1"));
  cr_expect(!cw_noproxy_has(list, "a.test"));
  cr_expect(cw_noproxy_has(list, list));
}
