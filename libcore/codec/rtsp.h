/*
 * RTSP 1.0 (RFC 2326) on the wire, as far as it is not HTTP's: which message
 * begins in a stream of answers, requests of the server and interleaved
 * messages, and what Transport and Session say. No I/O. Heads are read by
 * codec/http1.h.
 */
#ifndef CW_CODEC_RTSP_H
#define CW_CODEC_RTSP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* '$', channel, length in two bytes (RFC 2326, 10.12). */
#define CW_RTSP_FRAME_HEAD 4
#define CW_RTSP_MAX_FRAME  (CW_RTSP_FRAME_HEAD + 65535)
/* The first line of a server's request, with its line end: a line without an
   end is not waited for. */
#define CW_RTSP_MAX_REQUEST_LINE 8192

/* The channels that a Transport answer announced. */
struct cw_rtsp_channels {
  uint32_t bits[8];
  bool any;
};
bool cw_rtsp_has_channel(const struct cw_rtsp_channels *channels, int channel);

enum cw_rtsp_kind {
  CW_RTSP_MORE,    /* too few bytes to say */
  CW_RTSP_FRAME,   /* a whole interleaved message: len, channel, announced */
  CW_RTSP_ANSWER,  /* a status line begins */
  CW_RTSP_REQUEST, /* the server asks: len of its first line, method */
  CW_RTSP_EMPTY,   /* len bytes of empty lines */
  CW_RTSP_JUNK     /* len bytes that belong to nothing */
};
struct cw_rtsp_unit {
  enum cw_rtsp_kind kind;
  size_t len;
  int channel;
  bool announced;
  struct cw_slice method;
};
/* What stands at the front of in, between two messages. lost: junk came before,
   so that only an announced channel's '$' or a status line is believed; a '$'
   of any channel begins a frame otherwise. However in is cut, the same units
   come out, but for how junk is divided. CW_RTSP_MORE only where in is shorter
   than CW_RTSP_MAX_FRAME. */
void cw_rtsp_next(const struct cw_rtsp_channels *channels, bool lost,
                  struct cw_slice in, struct cw_rtsp_unit *unit);

/* Adds the channels of "interleaved=a-b" in a Transport header (RFC 2326,
   12.39); false, nothing added: such a parameter that cannot be read. */
bool cw_rtsp_add_channels(struct cw_slice transport,
                          struct cw_rtsp_channels *channels);
/* The session identifier, without the parameters behind it (RFC 2326, 12.37);
   empty where there is none. */
struct cw_slice cw_rtsp_session_id(struct cw_slice value);

#endif
