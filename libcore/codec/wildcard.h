/*
 * Shell patterns, as in "*.tar.gz" or "[0-9]?-log". No I/O, no memory.
 *
 *   *        any run of bytes, also none
 *   ?        one byte
 *   [abc]    one byte of the set; a-z is a range, [:alpha:] a class
 *   [!abc]   one byte that is not in the set; ^ is the same as !
 *   \x       x itself, outside and inside of a set
 *
 * What POSIX leaves open is decided here:
 * - A set without its end, with a class that does not exist, or of more than
 *   CW_WILDCARD_MAX_SET_BYTES is no set: its '[' stands for itself. So does a
 *   backslash at the end of the pattern.
 * - ']' right behind the opening (or behind ! or ^) is a member, '-' first or
 *   last is one too, and so are the three bytes of a range that runs backwards:
 *   "[][-!^]" holds ']', '[', '-', '!' and '^'.
 * - Bytes are compared, upper and lower case differ, and a leading dot is
 *   nothing particular.
 * - Classes are those of ASCII: alnum, alpha, blank, cntrl, digit, graph,
 *   lower, print, punct, space, upper, xdigit.
 */
#ifndef CW_CODEC_WILDCARD_H
#define CW_CODEC_WILDCARD_H

#include <stdbool.h>

#include "base/slice.h"

/* A set is read again for each byte that is compared with it, and a '[' that
   begins none is searched for its end each time. */
#define CW_WILDCARD_MAX_SET_BYTES 256

/* Whether the whole name matches. Each byte of the name is compared with each
   item of the pattern once at most, whatever is in them: a pattern of many
   stars cannot be made to take long. */
bool cw_wildcard_match(struct cw_slice pattern, struct cw_slice name);
/* Whether the text has a '*', a '?' or a '[' that no backslash takes the
   meaning from: without one it is a plain name. */
bool cw_wildcard_is_pattern(struct cw_slice text);

#endif
