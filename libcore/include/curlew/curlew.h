/* Everything the library offers. */
#ifndef CURLEW_CURLEW_H
#define CURLEW_CURLEW_H

#include "curlew/callback.h"
#include "curlew/easy.h"
#include "curlew/error.h"
#include "curlew/mime.h"
#include "curlew/multi.h"
#include "curlew/platform.h"
#include "curlew/share.h"
#include "curlew/sink.h"
#include "curlew/stream.h"
#include "curlew/url.h"
#include "curlew/vnet.h"

#endif
