/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Operations on the maps of a Go program, added up by map, caller and kind while a window is open. Two tables take
 * turns, as with growths.
 */
#ifndef MAPAUDIT_GO_OPERATIONS_BPF_H
#define MAPAUDIT_GO_OPERATIONS_BPF_H

#include "go/go_growth.bpf.h"

struct calls_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct wire_go_calls_key);
	__type(value, struct wire_go_calls);
};
struct calls_table calls_even SEC(".maps");
struct calls_table calls_odd SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct calls_table);
} calls SEC(".maps") = {
	.values = {[0] = &calls_even, [1] = &calls_odd},
};

/* Calls that found no row in the table, by place and kind, since the attach. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct wire_go_calls_key);
	__type(value, struct wire_go_calls);
} call_spills SEC(".maps");

__u64 calls_full;  /* as table_full */
__u64 window_open; /* set and cleared by the auditor: what the probes see before and after is not counted */

#if defined(__TARGET_ARCH_x86)

/* One operation, as its probe finds it. */
struct operation {
	struct wire_go_calls_key key;
	__u64 type;
	struct wire_go_hmap head;
};

static __always_inline void find_operation(const struct wire_regs *regs, __u64 cookie, struct operation *out)
{
	__u64 in_ax = regs->ax, in_bx = regs->bx, in_cx = regs->cx, words[2] = {};
	__u32 places = cookie >> WIRE_GO_PLACES_SHIFT & 3;

	/* Or the compiler chooses between addresses in the context, and the verifier rejects the access. */
	asm volatile("" : "+r"(in_ax), "+r"(in_bx), "+r"(in_cx));
	if (places == WIRE_GO_ITERATOR) {
		bpf_probe_read_user(words, sizeof(words), (void *)(in_ax + 16));
		out->type = words[0];
		out->key.map = words[1];
	} else {
		out->type = places == WIRE_GO_TYPE_MAP ? in_ax : in_bx;
		out->key.map = places == WIRE_GO_TYPE_MAP ? in_bx : places == WIRE_GO_MAP_TYPE ? in_ax : in_cx;
	}
	out->key.process = process_of(cookie);
	out->key.op = cookie >> WIRE_GO_OP_SHIFT & 0xf;
	/* In the prologue nothing has been pushed yet: the way back is on top of the stack. */
	bpf_probe_read_user(&out->key.from, sizeof(out->key.from), (void *)regs->sp);
	if (out->key.map && !read_any_head(&out->head, out->key.map, cookie))
		out->key.map = 0;
	out->key.seed = out->head.seed;
}

/* Keeps the way to a place that uses maps, the first time. At the probe rbp is still the caller's. */
static __always_inline void introduce_caller(struct wire_regs *regs, const struct wire_go_site_key *key)
{
	struct wire_go_site *site = bpf_map_lookup_elem(&sites, key);

	if (site || bpf_map_update_elem(&sites, key, no_site, BPF_NOEXIST))
		return;
	site = bpf_map_lookup_elem(&sites, key);
	if (!site)
		return;
	site->frames[0] = regs->ip;
	site->frames[1] = key->caller;
	bpf_get_stack(regs, &site->frames[2], sizeof(site->frames) - 2 * sizeof(__u64), BPF_F_USER_STACK | 1);
}

static __always_inline struct wire_go_calls *new_calls(void *table, const struct operation *operation, __u64 *full)
{
	struct wire_go_calls fresh = {};

	fresh.type = operation->type;
	fresh.log2 = operation->head.log2_buckets;
	fresh.first_ns = bpf_ktime_get_ns();
	if (bpf_map_update_elem(table, &operation->key, &fresh, BPF_NOEXIST) == -E2BIG && full)
		*full = 1;
	return bpf_map_lookup_elem(table, &operation->key);
}

/* The row of a new key, or where there is no room for it one by place alone. Null: not even that. */
static __always_inline struct wire_go_calls *first_calls(struct wire_regs *regs, struct operation *operation,
							 void *table)
{
	struct wire_go_site_key place = {.caller = operation->key.from, .process = operation->key.process};
	struct wire_go_calls *row = 0;

	introduce_caller(regs, &place);
	if (operation->key.map && on_own_stack(regs, operation->key.map)) {
		operation->key.map = 0;
		operation->key.seed = 0;
		row = bpf_map_lookup_elem(table, &operation->key);
	}
	if (!row && !calls_full)
		row = new_calls(table, operation, &calls_full);
	if (row)
		return row;
	operation->key.map = 0;
	operation->key.seed = 0;
	row = bpf_map_lookup_elem(&call_spills, &operation->key);
	return row ? row : new_calls(&call_spills, operation, 0);
}

/* The operation's row, for `calls` of it. Null: there is none to be had. */
static __always_inline struct wire_go_calls *count_calls(struct wire_regs *regs, struct operation *operation,
							 __u64 count)
{
	struct wire_go_calls *row;
	__u32 now_on = turn;
	void *table = bpf_map_lookup_elem(&calls, &now_on);

	if (!table)
		return 0;
	row = bpf_map_lookup_elem(table, &operation->key);
	if (!row)
		row = first_calls(regs, operation, table);
	if (!row)
		return 0;
	row->size = operation->head.count;
	__sync_fetch_and_add(&row->calls, count);
	return row;
}

/* And in the ledger. */
static __always_inline struct wire_go_calls *count_operation(struct wire_regs *regs, struct operation *operation,
							     struct wire_go_ledger *ledger)
{
	struct wire_go_calls *row = count_calls(regs, operation, 1);

	if (!row) {
		lose(ledger, WIRE_GO_LOST_CALLS);
		return 0;
	}
	__sync_fetch_and_add(&ledger->handled, 1);
	return row;
}

#endif

#endif /* MAPAUDIT_GO_OPERATIONS_BPF_H */
