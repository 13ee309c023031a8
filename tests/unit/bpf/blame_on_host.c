// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf_perf_event.h>

#include "blame_on_host.h"

/*
 * The loader writes to what the programs declare as constants. Names that other programs have, too, are set apart, and
 * so are those of the two from one another.
 */
#define const
#define scan blame_scan
#define LICENSE blame_cpu_license
#include "blame/blame_cpu.bpf.c"
#undef LICENSE
#define LICENSE blame_sched_license
#include "blame/blame_sched.bpf.c"
#undef const

const struct stub_map blame_maps[] = {
    STUB_MAP(processes),
    STUB_MAP(registries),
    STUB_MAP(blocks),
    STUB_MAP(blames),
    STUB_MAP(rests),
    STUB_MAP(off_cpus),
    {},
};

void blame_load(void) { auditor_pidns_device = auditor_pidns_inode = 0; }

void blame_sample(__u64 period) {
    struct bpf_perf_event_data sample = {.sample_period = period};

    mapaudit_sample(&sample);
}

void blame_switch(__u32 from, int still_runnable, __u32 to) {
    struct task_struct previous = {.pid = (int)from, .__state = still_runnable ? TASK_RUNNING : 1};
    struct task_struct next = {.pid = (int)to};

    mapaudit_switch(0, &previous, &next);
}
