/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs for Go share: the ledger, the probes' registers and cookies, and the heads of maps as they lie in
 * a program's memory.
 */
#ifndef MAPAUDIT_GO_HEADS_BPF_H
#define MAPAUDIT_GO_HEADS_BPF_H

#include "mapaudit.bpf.h"
#include "wire_go.h"

/*
 * Which of two tables is written to, of growths and of operations alike, so that what one reading finds of either is
 * what happened in one stretch of time. The auditor changes it, and then waits for the programs that saw it as it was.
 */
__u32 turn;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_go_ledger);
} ledgers SEC(".maps");

static __always_inline struct wire_go_ledger *this_ledger(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ledgers, &zero);
}

static __always_inline void lose(struct wire_go_ledger *ledger, enum wire_go_loss cause)
{
	__sync_fetch_and_add(&ledger->lost[cause], 1);
}

#if defined(__TARGET_ARCH_x86)

#define STACK_CHECK_TAKEN 0x41 /* CF, ZF: jbe jumps, the stack grows, and the prologue runs once more */

static __always_inline int comes_again(const struct wire_regs *regs, __u64 cookie)
{
	return cookie & WIRE_GO_STACK_CHECK && regs->flags & STACK_CHECK_TAKEN;
}

static __always_inline __u32 process_of(__u64 cookie)
{
	return (cookie >> WIRE_GO_PROCESS_SHIFT) & 0xffff;
}

static __always_inline __u64 goroutine_number(__u64 goroutine, __u64 cookie)
{
	__u64 number = 0;

	bpf_probe_read_user(&number, sizeof(number), (void *)(goroutine + (cookie >> WIRE_GO_GOID_SHIFT)));
	return number;
}

#define KIND_OFFSET 23 /* abi.Type.Kind_, in every version; the name says what kind it is in its low five bits */
#define KIND_MASK 0x1f
#define KIND_MAP 21

static __always_inline int is_map_type(__u64 type)
{
	__u8 kind = 0;

	return type && bpf_probe_read_user(&kind, sizeof(kind), (void *)(type + KIND_OFFSET)) == 0 &&
	       (kind & KIND_MASK) == KIND_MAP;
}

/* r14 is the goroutine, whose stack's bounds are its first two words. */
static __always_inline int on_own_stack(const struct wire_regs *regs, __u64 map)
{
	__u64 stack[2] = {};

	return bpf_probe_read_user(stack, sizeof(stack), (void *)regs->r14) == 0 &&
	       map - stack[0] < stack[1] - stack[0];
}

/* The map's head, if there is one at that address. */
static __always_inline int read_head(struct wire_go_hmap *head, __u64 map)
{
	return map && bpf_probe_read_user(head, sizeof(*head), (void *)map) == 0 &&
	       head->log2_buckets < WIRE_GO_LARGEST_LOG2 && !(head->flags & ~WIRE_GO_HMAP_FLAGS);
}

static __always_inline int read_swiss_map(struct wire_go_swiss_map *head, __u64 map)
{
	return map && bpf_probe_read_user(head, sizeof(*head), (void *)map) == 0 && head->writing <= 1 &&
	       head->depth < WIRE_GO_DEEPEST && (!head->entries || head->entries == 1ull << head->depth);
}

/* The logarithm of a table's groups, or -1: there is no table. */
static __always_inline int log2_groups(__u16 capacity)
{
	int log2;

#pragma unroll
	for (log2 = 0; log2 <= (int)WIRE_GO_LARGEST_TABLE_LOG2; ++log2)
		if (capacity == 1u << (log2 + WIRE_GO_GROUP_LOG2))
			return log2;
	return -1;
}

/* The map's head as a classic one's: what both have. */
static __always_inline int read_swiss_head(struct wire_go_hmap *out, __u64 map)
{
	struct wire_go_swiss_table table = {};
	struct wire_go_swiss_map head;
	__u64 first = 0;
	int log2 = 0;

	if (!read_swiss_map(&head, map))
		return 0;
	if (head.entries && head.depth)
		log2 = WIRE_GO_LARGEST_TABLE_LOG2 + head.depth;
	else if (head.entries && !bpf_probe_read_user(&first, sizeof(first), (void *)head.directory) &&
		 !bpf_probe_read_user(&table, sizeof(table), (void *)first))
		log2 = log2_groups(table.capacity);
	if (log2 < 0)
		return 0;
	out->count = head.used;
	out->log2_buckets = log2;
	out->seed = (__u32)head.seed;
	return 1;
}

/* The head of a map of either design. */
static __always_inline int read_any_head(struct wire_go_hmap *out, __u64 map, __u64 cookie)
{
	return cookie & WIRE_GO_SWISS ? read_swiss_head(out, map) : read_head(out, map);
}

#endif

#endif /* MAPAUDIT_GO_HEADS_BPF_H */
