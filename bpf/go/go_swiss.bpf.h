/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Growth of Swiss maps: those of programs built by Go 1.24 or later.
 */
#ifndef MAPAUDIT_GO_SWISS_BPF_H
#define MAPAUDIT_GO_SWISS_BPF_H

#include "go/go_growth.bpf.h"

/*
 * A table that is full is replaced by one of twice its capacity or, when it has reached the largest, by two, for which
 * the directory doubles where a single entry leads to it ((*table).rehash; (*Map).installTableSplit).
 */
static __always_inline int of_table(struct growth *growth, const struct wire_regs *regs, __u32 probe,
				    const struct wire_go_swiss_map *head)
{
	struct wire_go_swiss_table table;
	int before, after;

	if (!head->entries || bpf_probe_read_user(&table, sizeof(table), (void *)regs->ax) || table.depth > head->depth)
		return 0;
	before = log2_groups(table.capacity);
	after = probe == WIRE_GO_SWISS_SPLIT ? before + 1 : log2_groups((__u16)regs->di);
	if (before < 0 || after < before)
		return 0;
	growth->added = (1ull << after) - (1ull << before);
	if (head->depth == 0) {
		growth->log2_before = before;
		growth->log2_after = after;
		return 1;
	}
	growth->log2_before = growth->log2_after = WIRE_GO_LARGEST_TABLE_LOG2 + head->depth;
	if (probe == WIRE_GO_SWISS_SPLIT && table.depth == head->depth)
		++growth->log2_after;
	return 1;
}

/*
 * The assignment calls growToTable itself, a table's methods by way of rehash, which has a frame of its own: too large
 * for the compiler to inline.
 */
static __always_inline void on_swiss_grow(struct wire_regs *regs, __u32 probe, __u32 process,
					  struct wire_go_ledger *ledger, __u64 now)
{
	const int to_table = probe == WIRE_GO_SWISS_TO_TABLE;
	struct growth growth = {.key = {.process = process}};
	struct wire_go_swiss_map head;
	__u64 frame = regs->bp, in_ax = regs->ax, in_cx = regs->cx;

	/* Or the compiler chooses between two addresses in the context, and the verifier rejects the access. */
	asm volatile("" : "+r"(in_ax), "+r"(in_cx));
	growth.key.map = to_table ? in_ax : in_cx;
	growth.added = growth.log2_after = 1;
	if (!read_swiss_map(&head, growth.key.map) ||
	    (to_table ? head.entries != 0 : !of_table(&growth, regs, probe, &head))) {
		lose(ledger, WIRE_GO_LOST_UNREADABLE);
		return;
	}
	growth.key.seed = (__u32)head.seed;
	growth.type = regs->bx;
	growth.size = head.used;
	growth.skipped = to_table ? 0 : 1;
	if (!to_table)
		bpf_probe_read_user(&frame, sizeof(frame), (void *)regs->bp);
	bpf_probe_read_user(&growth.key.caller, sizeof(growth.key.caller), (void *)(frame + 8));
	count_growth(regs, &growth, ledger, now);
}

/* ---- the error that ends the program ---- */

/*
 * As of a classic map (find_map in go.bpf.c), one frame further up: rbp is still that of the function that passed on to
 * runtime.fatal. The operation's arguments are type and map, of (*Map).Delete map and type, of an iteration the
 * iterator.
 */
static __always_inline void find_swiss_map(const struct wire_regs *regs, struct wire_go_fatal *out)
{
	__u64 frame = 0, words[2] = {};

	if (bpf_probe_read_user(&frame, sizeof(frame), (void *)regs->bp) ||
	    bpf_probe_read_user(words, sizeof(words), (void *)(frame + 16)))
		return;
	if (is_map_type(words[1])) {
		if (read_swiss_head(&out->head, words[0])) {
			out->type = words[1];
			out->map = words[0];
		}
		return;
	}
	if (!is_map_type(words[0]) &&
	    (bpf_probe_read_user(words, sizeof(words), (void *)(words[0] + 16)) || !is_map_type(words[0])))
		return;
	if (!read_swiss_head(&out->head, words[1]))
		return;
	out->type = words[0];
	out->map = words[1];
}

#endif /* MAPAUDIT_GO_SWISS_BPF_H */
