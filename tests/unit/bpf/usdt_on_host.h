/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program behind the usdt source's probes, compiled for the host.
 */
#ifndef MAPAUDIT_USDT_ON_HOST_H
#define MAPAUDIT_USDT_ON_HOST_H

#include <bpf/bpf_helpers.h>

#include "wire.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the loader sets. The maps are resized beside this. */
struct usdt_sizes {
    __u32 cells; /* of each lane, the others' included */
    __u32 others;
    __u32 slots; /* a power of two */
    __u32 pages, pages_for_others;
    __u32 extras;
    __u32 per_thread;
};

extern const struct stub_map usdt_maps[];

void usdt_load(const struct usdt_sizes* sizes);

/* One hit of a probe, whose cookie the kernel has: its arguments, and the stack pointer. */
void usdt_hit(const __u64 arguments[6], const void* sp);

/* The pieces, one by one. */
__u32 usdt_take(struct wire_domain* domain, __u32 block, __u64 first, __u32 count, __u64* missed);
__u32 usdt_add_chunk(__u32 cpu, __u32 from, __u32 count, __u32 domain);
__u32 usdt_cell_of(__u64 key);
__u32 usdt_new_page(__u32 index);
__u32 usdt_next_cell(void);
__u32 usdt_next_other_page(void);
__u32 usdt_bucket_of(__u64 value);
/* As publish_stack() and add_meeting() of counterparts.bpf.h, for a thread that others waited for. */
void usdt_publish(__u32 map, __u32 tid, __u64 stack);
int usdt_meet(__u32 map, __u32 tid, __u64 own_stack, __u64 ns, __u64 since);

#ifdef __cplusplus
}
#endif

#endif /* MAPAUDIT_USDT_ON_HOST_H */
