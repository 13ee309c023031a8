// SPDX-License-Identifier: Apache-2.0
#include "go_on_host.h"

/* A name that other programs have, too, is set apart. */
#define ledgers go_ledgers
#define LICENSE go_license
#include "go/go.bpf.c"

const struct stub_map go_maps[] = {
    STUB_MAP(ledgers), STUB_MAP(growths_even), STUB_MAP(growths_odd), STUB_MAP_OF_MAPS(growths), STUB_MAP(sites),
    STUB_MAP(spills),  STUB_MAP(calls_even),   STUB_MAP(calls_odd),   STUB_MAP_OF_MAPS(calls),   STUB_MAP(call_spills),
    STUB_MAP(inside),  STUB_MAP(used),         STUB_RING(conflicts),  STUB_RING(fatals),         {},
};

void go_load(void) {
    turn = 0;
    table_full = calls_full = span_overhead_ns = 0;
    window_open = 1;
}

void go_open_window(int open) { window_open = open; }

static struct wire_regs registers_of(const struct go_registers* from) {
    struct wire_regs regs = {};

    regs.ax = from->ax;
    regs.bx = from->bx;
    regs.cx = from->cx;
    regs.di = from->di;
    regs.r14 = from->goroutine;
    regs.ip = from->ip;
    regs.sp = from->sp;
    regs.bp = from->bp;
    regs.flags = from->flags;
    return regs;
}

void go_hit(const struct go_registers* from) {
    struct wire_regs regs = registers_of(from);

    mapaudit_go_hit(&regs);
}

void go_operation(const struct go_registers* from) {
    struct wire_regs regs = registers_of(from);

    mapaudit_go_operation(&regs);
}

void go_begin(const struct go_registers* from) {
    struct wire_regs regs = registers_of(from);

    mapaudit_go_begin(&regs);
}

void go_end(const struct go_registers* from) {
    struct wire_regs regs = registers_of(from);

    mapaudit_go_end(&regs);
}

int go_users_of(__u64 map, struct go_users* out) {
    struct used_key key = {.map = map};
    const struct used* found = bpf_map_lookup_elem(&used, &key);

    if (!found) return 0;
    out->writer = found->writer;
    out->reader = found->reader;
    out->readers = found->readers;
    out->conflicts = found->told;
    return 1;
}
