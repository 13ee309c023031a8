/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracepoints of measured_lttng: one as an operation begins, one as it ends. liblttng-ust's own headers read this
 * file several times over, each time with other macros; hence no plain include guard.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER mapaudit_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "peers/lttng_events.h"

#if !defined(MAPAUDIT_BENCH_LTTNG_EVENTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define MAPAUDIT_BENCH_LTTNG_EVENTS_H

#include <lttng/tracepoint.h>
#include <stdint.h>

/* What the per-operation probes say of an operation, less its latency, which is the difference of two timestamps. */
LTTNG_UST_TRACEPOINT_EVENT_CLASS(mapaudit_bench, operation, LTTNG_UST_TP_ARGS(uint32_t, map, uint8_t, op),
                                 LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint32_t, map, map)
                                                         lttng_ust_field_integer(uint8_t, op, op)))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(mapaudit_bench, operation, mapaudit_bench, entry,
                                    LTTNG_UST_TP_ARGS(uint32_t, map, uint8_t, op))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(mapaudit_bench, operation, mapaudit_bench, exit,
                                    LTTNG_UST_TP_ARGS(uint32_t, map, uint8_t, op))

#endif

#include <lttng/tracepoint-event.h>
