/*
 * The conversion callbacks. What the application gives as text is in its own
 * character set and is brought to the network's once, before the request is
 * made; what it is shown is brought to its own. What the library says by itself
 * is ASCII and is left alone.
 */
#ifndef CW_ENGINE_CONV_H
#define CW_ENGINE_CONV_H

#include "engine/easy.h"

/* Converts the options that this request sends as text; from then on the
   functions below give them. CW_AGAIN: a callback pends; call again.
   CWE_CONV_FAILED. */
CW_MUST_CHECK enum cw_code cw_conv_request(struct cw_easy *easy);
/* The request is made of them: the next one converts anew. They stay where they
   are until then. */
void cw_conv_spent(struct cw_easy *easy);
/* An option of type string or list, converted where that was done. */
const char *cw_conv_s(const struct cw_easy *easy, enum cw_opt opt);
const struct cw_slist *cw_conv_list(const struct cw_easy *easy,
                                    enum cw_opt opt);
/* POSTFIELDS likewise. */
struct cw_slice cw_conv_fields(const struct cw_easy *easy);

/* A header line, or a line of an FTP server, as the application is shown it:
 *pline is changed. Good until the next line. */
CW_MUST_CHECK enum cw_code cw_conv_line(struct cw_easy *easy,
                                        struct cw_slice *pline);
/* The lines of a list from *pat on, where they lie; *pat: the next one. */
CW_MUST_CHECK enum cw_code cw_conv_trailers(struct cw_easy *easy,
                                            struct cw_slist **pat);
/* The same for a certificate: its names, which are UTF-8. */
CW_MUST_CHECK enum cw_code cw_conv_cert(struct cw_easy *easy,
                                        struct cw_slist **pat);
/* Of struct cw_exchange_host. */
enum cw_code cw_hook_text_body(void *data);
/* The trace of what was sent as a head: a copy is converted, at once. */
CW_MUST_CHECK enum cw_code cw_conv_trace(struct cw_easy *easy,
                                         const char *bytes, size_t n);

#endif
