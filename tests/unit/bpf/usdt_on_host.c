// SPDX-License-Identifier: Apache-2.0
#include "usdt_on_host.h"

/* The loader writes to what the programs declare as constants. Names that other programs have, too, are set apart. */
#define const
#define ledgers usdt_ledgers
#define scan usdt_scan
#define LICENSE usdt_license
#include "usdt/usdt.bpf.c"
#undef const

const struct stub_map usdt_maps[] = {
    STUB_MAP(slots),        STUB_MAP(cells),
    STUB_MAP(pages),        STUB_MAP(extras),
    STUB_MAP(lanes),        STUB_MAP(ledgers),
    STUB_MAP(threads),      STUB_MAP(domains),
    STUB_MAP(stacks_seen),  STUB_MAP(evidence),
    STUB_RING(events),      STUB_RING(stacks),
    STUB_MAP(counterparts), {},
};

void usdt_load(const struct usdt_sizes* sizes) {
    cells_per_lane = sizes->cells;
    slot_mask = sizes->slots - 1;
    other_cells = sizes->others;
    page_count = sizes->pages;
    pages_for_others = sizes->pages_for_others;
    extra_count = sizes->extras;
    per_thread = sizes->per_thread;
    pidns_device = pidns_inode = 0;
    next_cell = sizes->others;
    next_page = sizes->pages_for_others + 1;
    next_other_page = next_extra = 1;
}

void usdt_hit(const __u64 arguments[6], const void* sp) {
    struct wire_regs regs = {};

    regs.di = arguments[0];
    regs.si = arguments[1];
    regs.dx = arguments[2];
    regs.cx = arguments[3];
    regs.r8 = arguments[4];
    regs.r9 = arguments[5];
    regs.sp = (__u64)(unsigned long)sp;
    mapaudit_hit(&regs);
}

__u32 usdt_take(struct wire_domain* domain, __u32 block, __u64 first, __u32 count, __u64* missed) {
    return take(domain, block, first, count, missed);
}

__u32 usdt_add_chunk(__u32 cpu, __u32 from, __u32 count, __u32 domain) {
    return add_chunk(cpu, from, count, domain, 0);
}

__u32 usdt_cell_of(__u64 key) { return cell_of(key); }

__u32 usdt_new_page(__u32 index) { return new_page(index); }

__u32 usdt_next_cell(void) { return next_cell; }

__u32 usdt_next_other_page(void) { return next_other_page; }

__u32 usdt_bucket_of(__u64 value) { return bucket_of(value); }

void usdt_publish(__u32 map, __u32 tid, __u64 stack) {
    struct counterpart_key who = {.map = map, .tid = tid, .kind = WIRE_WAITING};

    publish_stack(&who, stack, bpf_ktime_get_ns());
}

int usdt_meet(__u32 map, __u32 tid, __u64 own_stack, __u64 ns, __u64 since) {
    struct counterpart_key who = {.map = map, .tid = tid, .kind = WIRE_WAITING};
    struct wire_evidence_key key = {.stack = own_stack, .map = map, .other_tid = tid, .kind = WIRE_WAITING};

    return add_meeting(&who, &key, ns, since, bpf_ktime_get_ns());
}
