/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Growths of a Go program's maps, added up by map and caller.
 *
 * A busy program grows maps a hundred thousand times a second: a growth is added to a row here and handed over with
 * the others at the interval. Two tables take turns, so that one can be read and emptied while nobody writes to it; see
 * `turn` in go_heads.bpf.h.
 */
#ifndef MAPAUDIT_GO_GROWTH_BPF_H
#define MAPAUDIT_GO_GROWTH_BPF_H

#include "go/go_heads.bpf.h"

#define E2BIG 7 /* a hash table is full */

struct growth_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct wire_go_growth_key);
	__type(value, struct wire_go_growth);
};
struct growth_table growths_even SEC(".maps");
struct growth_table growths_odd SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct growth_table);
} growths SEC(".maps") = {
	.values = {[0] = &growths_even, [1] = &growths_odd},
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct wire_go_site_key);
	__type(value, struct wire_go_site);
} sites SEC(".maps");
__u64 no_site[sizeof(struct wire_go_site) / sizeof(__u64)]; /* an array: the skeleton need not know the type */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct wire_go_site_key);
	__type(value, struct wire_go_spill);
} spills SEC(".maps");

__u64 table_full; /* so that nobody looks for room in it until it is exchanged: the auditor clears it then */

#if defined(__TARGET_ARCH_x86)

/* One growth, of a map of either design. */
struct growth {
	struct wire_go_growth_key key;
	__u64 type, size, added; /* added: buckets */
	__u8 log2_before, log2_after;
	__u8 skipped; /* frames of the stack between the probe and what called the map's assignment */
};

/* Keeps the way to a place that grows maps, the first time. */
static __always_inline void introduce(struct wire_regs *regs, const struct growth *growth,
				      const struct wire_go_site_key *key)
{
	struct wire_go_site *site = bpf_map_lookup_elem(&sites, key);

	if (site || bpf_map_update_elem(&sites, key, no_site, BPF_NOEXIST))
		return;
	site = bpf_map_lookup_elem(&sites, key);
	if (site)
		bpf_get_stack(regs, site->frames, sizeof(site->frames), BPF_F_USER_STACK | growth->skipped);
}

/* Where no row can be had by map. */
static __always_inline int spill(struct wire_regs *regs, const struct growth *growth,
				 const struct wire_go_site_key *key, __u64 now)
{
	struct wire_go_spill *row = bpf_map_lookup_elem(&spills, key);

	if (!row) {
		struct wire_go_spill fresh = {};

		introduce(regs, growth, key);
		bpf_map_update_elem(&spills, key, &fresh, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&spills, key);
		if (!row)
			return 0;
	}
	if (!row->first_ns)
		row->first_ns = now;
	row->type = growth->type;
	row->last_ns = now;
	__sync_fetch_and_add(growth->added ? &row->doublings : &row->same_size, 1);
	__sync_fetch_and_add(&row->buckets_added, growth->added);
	return 1;
}

static __always_inline int add_to_row(struct wire_go_growth *row, const struct growth *growth, __u64 now)
{
	if (!row)
		return 0;
	row->size = growth->size;
	row->last_ns = now;
	row->last_log2 = growth->log2_after;
	__sync_fetch_and_add(growth->added ? &row->doublings : &row->same_size, 1);
	__sync_fetch_and_add(&row->buckets_added, growth->added);
	return 1;
}

static __always_inline struct wire_go_growth *new_row(void *table, const struct growth *growth, __u64 now)
{
	struct wire_go_growth fresh = {};

	fresh.type = growth->type;
	fresh.first_ns = now;
	fresh.first_log2 = growth->log2_before;
	if (bpf_map_update_elem(table, &growth->key, &fresh, BPF_NOEXIST) == -E2BIG)
		table_full = 1;
	return bpf_map_lookup_elem(table, &growth->key);
}

static __always_inline void count_growth(struct wire_regs *regs, const struct growth *growth,
					 struct wire_go_ledger *ledger, __u64 now)
{
	struct wire_go_site_key place = {.process = growth->key.process};
	struct wire_go_growth *row = 0;
	__u32 now_on = turn;
	void *table = bpf_map_lookup_elem(&growths, &now_on);
	int counted;

	if (!table) {
		lose(ledger, WIRE_GO_LOST_TABLES);
		return;
	}
	counted = add_to_row(bpf_map_lookup_elem(table, &growth->key), growth, now);
	if (!counted) {
		place.caller = growth->key.caller;
		if (!table_full && !on_own_stack(regs, growth->key.map)) {
			introduce(regs, growth, &place);
			row = new_row(table, growth, now);
		}
		counted = add_to_row(row, growth, now) || spill(regs, growth, &place, now);
	}
	if (counted)
		__sync_fetch_and_add(&ledger->handled, 1);
	else
		lose(ledger, WIRE_GO_LOST_TABLES);
}

#endif

#endif /* MAPAUDIT_GO_GROWTH_BPF_H */
