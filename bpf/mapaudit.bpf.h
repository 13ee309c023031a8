/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs need before their first line: helpers, the structs on the wire, and the saved registers of a
 * uprobe hit in a layout of our own. The kernel's pt_regs by way of vmlinux.h would be relocated against kernel BTF,
 * and not load where there is none; the user ABI below does not change.
 */
#ifndef MAPAUDIT_BPF_H
#define MAPAUDIT_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "wire.h"

#if defined(__TARGET_ARCH_x86)
struct wire_regs {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#define WIRE_ARG0(regs) ((regs)->di)
#define WIRE_ARG1(regs) ((regs)->si)
#define WIRE_ARG2(regs) ((regs)->dx)
#define WIRE_ARG3(regs) ((regs)->cx)
#define WIRE_ARG4(regs) ((regs)->r8)
#define WIRE_ARG5(regs) ((regs)->r9)
#elif defined(__TARGET_ARCH_arm64)
struct wire_regs {
	__u64 x[31], sp, pc, pstate;
};
#define WIRE_ARG0(regs) ((regs)->x[0])
#define WIRE_ARG1(regs) ((regs)->x[1])
#define WIRE_ARG2(regs) ((regs)->x[2])
#define WIRE_ARG3(regs) ((regs)->x[3])
#define WIRE_ARG4(regs) ((regs)->x[4])
#define WIRE_ARG5(regs) ((regs)->x[5])
#else
#error "build with -D__TARGET_ARCH_x86 or -D__TARGET_ARCH_arm64"
#endif

#endif /* MAPAUDIT_BPF_H */
