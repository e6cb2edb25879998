/*
 * Heads as HTTP/1 and RTSP have them: the fields of a request, and the lines of
 * an answer on their way from what was received to the host.
 *
 * Fields of our own come in a fixed order, each left out where the user set or
 * removed it by a header of the same name; the user's own follow in their
 * order.
 */
#ifndef CW_PROTO_HEAD_H
#define CW_PROTO_HEAD_H

#include "codec/http1.h"
#include "proto/rx.h"

/* --- of requests ---------------------------------------------------------- */

/* Whether the user said something about that header. */
bool cw_head_user_has(const struct cw_request *r, const char *name);
/* The value the user gave that header; false: none. */
bool cw_head_user_value(const struct cw_request *r, const char *name,
                        struct cw_slice *value);

/* "Name: value", whatever the user said. cw_h1_add_field's codes, as all below;
   CWE_OUT_OF_MEMORY and CWE_TOO_LARGE without a sentence: cw_head_end says it.
 */
CW_MUST_CHECK enum cw_code cw_head_add(struct cw_exchange *x,
                                       struct cw_buf *head, const char *name,
                                       const char *value);
/* The same unless value is NULL or the user has that header. */
CW_MUST_CHECK enum cw_code cw_head_add_own(struct cw_exchange *x,
                                           struct cw_buf *head,
                                           const char *name, const char *value);
struct cw_head_field {
  const char *name, *value;
};
CW_MUST_CHECK enum cw_code cw_head_add_all(struct cw_exchange *x,
                                           struct cw_buf *head,
                                           const struct cw_head_field *fields,
                                           size_t n);
/* A size or number as cw_head_add_own. */
CW_MUST_CHECK enum cw_code cw_head_add_number(struct cw_exchange *x,
                                              struct cw_buf *head,
                                              const char *name, int64_t value);
/* The field of CWOPT_TIMECONDITION, if there is one. */
CW_MUST_CHECK enum cw_code cw_head_add_time(struct cw_exchange *x,
                                            struct cw_buf *head);
/* A list of users' fields. judge, which may be NULL, says what of them must not
   go: an error, or *pskip. CWE_BAD_FUNCTION_ARGUMENT: what is no field. */
typedef enum cw_code (*cw_head_judge)(struct cw_exchange *x,
                                      struct cw_slice name, bool *pskip);
CW_MUST_CHECK enum cw_code cw_head_add_list(struct cw_exchange *x,
                                            struct cw_buf *head,
                                            const struct cw_slist *list,
                                            cw_head_judge judge);
/* Ends a head, called what in a sentence: the empty line, or, err not CW_OK,
   the sentence for err where it has none yet. */
CW_MUST_CHECK enum cw_code cw_head_end(struct cw_exchange *x,
                                       struct cw_buf *head, enum cw_code err,
                                       const char *what);

/* --- of answers ----------------------------------------------------------- */

struct cw_head_in {
  struct cw_h1_parser parser;
  struct cw_h1_line line;
  bool waits;   /* line was parsed and the host has not taken it yet */
  bool decided; /* what the head means was decided */
  bool is_http; /* the version of its status line is one of HTTP */
};

/* protocol: "HTTP" or "RTSP". */
void cw_head_in_init(struct cw_head_in *in, const char *protocol);
void cw_head_in_fini(struct cw_head_in *in);
/* Ready for the next head, or with fields_only for trailers. */
void cw_head_in_reset(struct cw_head_in *in, bool fields_only);

static inline bool cw_head_is_interim(int status) {
  return status >= 100 && status < 200;
}
/* Each interim answer is small; without end they keep a client for ever.
   CWE_RECV_ERROR. */
CW_MUST_CHECK enum cw_code cw_head_end_interim(struct cw_exchange *x);

/* The next line of a head that is nobody's business: parsed, unless the last
   one waits still, and waits then. cw_h1_next_line's codes; CW_AGAIN: bytes are
   lacking. */
CW_MUST_CHECK enum cw_code cw_head_next(struct cw_exchange *x, struct cw_rx *rx,
                                        struct cw_head_in *in, size_t *ptaken);
/* The lines of an answer, to x->headers and to the host, until its head or its
   trailers end. origin: CW_HEADER_FIELD, or _TRAILER. Before the line that ends
   a final head goes to the host, decide is called, once unless it answers
   CW_AGAIN. Codes of cw_head_next, of decide, of the host; CWE_TOO_LARGE,
   CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code
cw_head_lines(struct cw_exchange *x, struct cw_rx *rx, struct cw_head_in *in,
              int origin, enum cw_code (*decide)(struct cw_exchange *x));

/* Last-Modified of the answer, where the request wants to know it. */
void cw_head_note_time(struct cw_exchange *x);

#endif
