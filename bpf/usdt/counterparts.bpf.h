/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of evidence, and the counterparts that its rows name: who waited for whom, who raced with whom.
 */
#ifndef MAPAUDIT_COUNTERPARTS_BPF_H
#define MAPAUDIT_COUNTERPARTS_BPF_H

#include "usdt/stack_names.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct wire_evidence_key);
	__type(value, struct wire_evidence);
} evidence SEC(".maps");

/* Adds to a row of the table; false when it has no place. */
static __always_inline int add_evidence(const struct wire_evidence_key *key, __u64 count, __u64 total_ns, __u64 max_ns,
					__u64 now)
{
	struct wire_evidence fresh = {}, *row = bpf_map_lookup_elem(&evidence, key);

	if (!row) {
		fresh.first_ns = now;
		bpf_map_update_elem(&evidence, key, &fresh, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&evidence, key);
		if (!row)
			return 0;
	}
	__sync_fetch_and_add(&row->count, count);
	__sync_fetch_and_add(&row->total_ns, total_ns);
	if (max_ns > row->max_ns)
		row->max_ns = max_ns;
	if (now > row->last_ns)
		row->last_ns = now;
	return 1;
}

/* The event itself is counted with its operation: a row that finds no place loses no count. */
static __always_inline void account(struct wire_ledger *ledger, int placed)
{
	if (!placed)
		__sync_fetch_and_add(&ledger->evidence_dropped, 1);
}

/*
 * A thread that others waited for or raced with, by map. It publishes the stack that it was in, and they add events
 * that name it, in either order and at the same time. An event whose stack is not there yet is pending here. Each side
 * does its own part before a full barrier and looks at the other's after it; whoever finds both moves the counts.
 */
struct counterpart_key {
	__u32 domain;
	__u32 map;
	__u32 tid;  /* 0: whoever holds the lock shared */
	__u32 kind; /* WIRE_WAITING or WIRE_RACING */
};
#define PENDING 8 /* callers told apart; events of further ones stay without the counterpart's stack */
struct pending {
	__u64 caller; /* hash of the next three; 0: free. Once taken, a row stays its caller's */
	__u64 stack;
	__u32 tid;
	__u16 detail;
	__u16 ready; /* the three are there */
	__u64 count;
	__u64 total_ns;
	__u64 max_ns;
};
struct counterpart {
	__u64 stack; /* the latest that it published; 0: none yet */
	__u64 time_ns;
	struct pending rows[PENDING];
};
__u64 no_counterpart[sizeof(struct counterpart) /
		     sizeof(__u64)]; /* an array, so that the skeleton need not know the type */

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct counterpart_key);
	__type(value, struct counterpart);
} counterparts SEC(".maps");

static __always_inline struct counterpart *counterpart_of(const struct counterpart_key *who)
{
	struct counterpart *counterpart = bpf_map_lookup_elem(&counterparts, who);

	if (!counterpart) {
		bpf_map_update_elem(&counterparts, who, no_counterpart, BPF_NOEXIST);
		counterpart = bpf_map_lookup_elem(&counterparts, who);
	}
	return counterpart;
}

/* Moves the events that are pending for a counterpart to rows with the stack that it published. */
static __always_inline void resolve_pending(const struct counterpart_key *who, struct counterpart *counterpart,
					    __u64 now)
{
	struct wire_evidence_key key = {};

	key.kind = (__u16)who->kind;
	key.domain = who->domain;
	key.map = who->map;
	key.other_tid = who->tid;
	for (int i = 0; i < PENDING; i++) {
		struct pending *row = &counterpart->rows[i];
		struct wire_evidence *unknown;
		__u64 count, total_ns;

		if (!row->ready || !row->count)
			continue;
		count = __sync_lock_test_and_set(&row->count, 0);
		total_ns = __sync_lock_test_and_set(&row->total_ns, 0);
		if (!count)
			continue;
		key.stack = row->stack;
		key.tid = row->tid;
		key.detail = row->detail;
		key.other_stack = 0;
		unknown = bpf_map_lookup_elem(&evidence, &key);
		key.other_stack = counterpart->stack;
		/* The table of counterparts forgets the oldest, also while somebody still writes to it. */
		if (!unknown || unknown->count < count || !add_evidence(&key, count, total_ns, row->max_ns, now))
			continue;
		__sync_fetch_and_add(&unknown->count, -count);
		__sync_fetch_and_add(&unknown->total_ns, -total_ns);
	}
}

/* Records that an event, counted without its counterpart's stack, is to be given that stack once it is published. */
static __always_inline void add_pending(struct counterpart *counterpart, const struct wire_evidence_key *key, __u64 ns)
{
	__u64 caller = mix(mix(key->stack, key->tid), key->detail) | 1;

	for (int i = 0; i < PENDING; i++) {
		struct pending *row = &counterpart->rows[i];
		__u64 seen = row->caller;

		if (seen == 0)
			seen = __sync_val_compare_and_swap(&row->caller, 0, caller);
		if (seen == 0) {
			row->stack = key->stack;
			row->tid = key->tid;
			row->detail = key->detail;
			*(volatile __u16 *)&row->ready = 1;
		} else if (seen != caller) {
			continue;
		}
		if (ns > row->max_ns)
			row->max_ns = ns;
		__sync_fetch_and_add(&row->total_ns, ns);
		__sync_fetch_and_add(&row->count, 1);
		return;
	}
}

/*
 * Adds one event whose counterpart is `who`. That has published its stack, or will. One from before `since` belongs to
 * an earlier meeting and is not taken.
 */
static __always_inline int add_meeting(struct counterpart_key *who, struct wire_evidence_key *key, __u64 ns,
				       __u64 since, __u64 now)
{
	struct counterpart *counterpart = counterpart_of(who);
	int placed;

	if (counterpart && counterpart->stack && counterpart->time_ns >= since) {
		key->other_stack = counterpart->stack;
		return add_evidence(key, 1, ns, ns, now);
	}
	placed = add_evidence(key, 1, ns, ns, now);
	if (!counterpart || !placed)
		return placed;
	add_pending(counterpart, key, ns);
	if (*(volatile __u64 *)&counterpart->time_ns >= since)
		resolve_pending(who, counterpart, now);
	return placed;
}

/* The stack that a counterpart was in, for the events that are pending and for those to come. */
static __always_inline void publish_stack(const struct counterpart_key *who, __u64 stack, __u64 now)
{
	struct counterpart *counterpart = counterpart_of(who);

	if (!counterpart)
		return;
	counterpart->stack = stack;
	__sync_lock_test_and_set(&counterpart->time_ns, now);
	resolve_pending(who, counterpart, now);
}

#endif /* MAPAUDIT_COUNTERPARTS_BPF_H */
