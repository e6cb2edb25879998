/* Lua files embedded at build time (cmake/lua.cmake writes the array). */
#ifndef LCW_EMBED_H
#define LCW_EMBED_H

#include <stddef.h>

struct lcw_embedded {
  const char *name; /* "curlew.http"; NULL ends the array */
  const char *path; /* "curlew/http.lua", for messages */
  const unsigned char *bytes;
  size_t n;
};

extern const struct lcw_embedded lcw_embedded[];

#endif
