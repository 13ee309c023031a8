// SPDX-License-Identifier: Apache-2.0
//
// The code behind the tracepoints, which liblttng-ust's headers make of their description.
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "peers/lttng_events.h"
