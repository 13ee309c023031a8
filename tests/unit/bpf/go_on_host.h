/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs of the go source, compiled for the host.
 */
#ifndef MAPAUDIT_GO_ON_HOST_H
#define MAPAUDIT_GO_ON_HOST_H

#include <bpf/bpf_helpers.h>

#include "wire_go.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct stub_map go_maps[];

/* As the auditor leaves them, with a window open. */
void go_load(void);
void go_open_window(int open);

/* The registers that Go's probes look at. */
struct go_registers {
    __u64 ax, bx, cx, di, goroutine, ip, sp, bp, flags;
};

/* One hit of a program, whose probe the kernel's cookie names. */
void go_hit(const struct go_registers* regs);
void go_operation(const struct go_registers* regs);
void go_begin(const struct go_registers* regs);
void go_end(const struct go_registers* regs);

/* Who is inside a map; false where nobody ever was. */
struct go_users {
    __u64 writer, reader, readers, conflicts;
};
int go_users_of(__u64 map, struct go_users* out);

#ifdef __cplusplus
}
#endif

#endif /* MAPAUDIT_GO_ON_HOST_H */
