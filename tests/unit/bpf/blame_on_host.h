/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two programs of blame, compiled for the host; their tables are one set, as the loader shares them.
 */
#ifndef MAPAUDIT_BLAME_ON_HOST_H
#define MAPAUDIT_BLAME_ON_HOST_H

#include <bpf/bpf_helpers.h>

#include "wire.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct stub_map blame_maps[];

void blame_load(void);

/* A perf event's overflow on the current task, with `period` events. */
void blame_sample(__u64 period);

/* The scheduler switches from the current task to another. */
void blame_switch(__u32 from, int still_runnable, __u32 to);

/* scan() of blame.bpf.h: 0: it has no block, 1: it cannot be told, else its block's address. */
__u64 blame_scan(__u32 domain, __u32 tid, __u32 most);

#ifdef __cplusplus
}
#endif

#endif /* MAPAUDIT_BLAME_ON_HOST_H */
