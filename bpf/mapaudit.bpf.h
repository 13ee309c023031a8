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
#define WIRE_SP(regs) ((regs)->sp)

static __always_inline void wire_registers(const struct wire_regs *regs, struct wire_stack *out)
{
	out->ip = regs->ip;
	out->sp = regs->sp;
	out->bp = regs->bp;
	out->saved[0] = regs->bx;
	out->saved[1] = regs->r12;
	out->saved[2] = regs->r13;
	out->saved[3] = regs->r14;
	out->saved[4] = regs->r15;
	for (int i = 5; i < 10; i++)
		out->saved[i] = 0;
	out->link = 0;
}
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
#define WIRE_SP(regs) ((regs)->sp)

static __always_inline void wire_registers(const struct wire_regs *regs, struct wire_stack *out)
{
	out->ip = regs->pc;
	out->sp = regs->sp;
	out->bp = regs->x[29];
	for (int i = 0; i < 10; i++)
		out->saved[i] = regs->x[19 + i];
	out->link = regs->x[30];
}
#else
#error "build with -D__TARGET_ARCH_x86 or -D__TARGET_ARCH_arm64"
#endif

#endif /* MAPAUDIT_BPF_H */
