/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Probes with one event a hit: the single operations, growth, conflicts, creation and destruction.
 */
#ifndef MAPAUDIT_EVENTS_BPF_H
#define MAPAUDIT_EVENTS_BPF_H

#include "usdt/evidence.bpf.h"

/* ---- one operation, one hit ---- */

/* The cell of a map on this CPU's lane, with the lane claimed; null (and nothing claimed) where that cannot be had. */
static __always_inline struct wire_cell *claim_cell(__u32 cpu, __u32 domain, __u32 map, struct wire_lane **claimed,
						    __u32 *where)
{
	__u32 tid = per_thread ? current_tid() : 0;
	struct wire_lane *lane;
	struct wire_cell *cell;
	__u32 index;

	lane = bpf_map_lookup_elem(&lanes, &cpu);
	if (!lane || __sync_val_compare_and_swap(&lane->busy, 0, 1) != 0)
		return 0;
	index = cell_of(wire_key(domain, map, tid));
	*where = index += cpu * cells_per_lane;
	cell = bpf_map_lookup_elem(&cells, &index);
	if (!cell) {
		__sync_lock_test_and_set(&lane->busy, 0);
		return 0;
	}
	*claimed = lane;
	return cell;
}

static __always_inline int on_operation(struct wire_regs *regs, __u32 domain, __u32 which)
{
	__u32 cpu = bpf_get_smp_processor_id(), map = (__u32)WIRE_ARG0(regs);
	__u64 latency = WIRE_ARG1(regs), wait = WIRE_ARG2(regs), flags = WIRE_ARG3(regs);
	struct wire_ledger *ledger = this_ledger();
	struct wire_lane *lane = 0;
	struct wire_cell *cell;
	struct wire_cell_op *op;
	__u32 index = 0;
	int own;

	if (!ledger)
		return 0;
	cell = claim_cell(cpu, domain, map, &lane, &index);
	if (!cell || !lane) {
		lose(ledger, WIRE_LOST_BUSY, 1);
		return 0;
	}
	op = &cell->op[which];
	own = add_time(op, latency, bucket_of(latency), index);
	if (own && flags & MAPAUDIT_REC_MIGRATED)
		op->migrations++;
	if (own && wait)
		add_wait(index, which, wait);
	if (own || add_to_other(cpu * cells_per_lane, domain, which, latency, 0)) {
		__sync_fetch_and_add(&ledger->fired, 1);
		__sync_fetch_and_add(&ledger->handled, 1);
	} else {
		op->lost++;
		lose(ledger, WIRE_LOST_NO_PAGE, 1);
	}
	__sync_lock_test_and_set(&lane->busy, 0);
	return 0;
}

/* ---- rare events ---- */

static __always_inline int on_grow(struct wire_regs *regs, __u32 domain)
{
	__u32 cpu = bpf_get_smp_processor_id(), map = (__u32)WIRE_ARG0(regs);
	__u64 old_buckets = WIRE_ARG1(regs), new_buckets = WIRE_ARG2(regs), duration = WIRE_ARG3(regs);
	struct wire_ledger *ledger = this_ledger();
	struct wire_lane *lane = 0;
	struct wire_cell *cell;
	struct wire_grow *out;
	__u32 counted = 0, index = 0;

	if (!ledger)
		return 0;
	add_growth(regs, domain, ledger);
	cell = claim_cell(cpu, domain, map, &lane, &index);
	if (cell && lane) {
		struct wire_cell_op *op = &cell->op[MAPAUDIT_OP_GROW];

		if (add_time(op, duration, bucket_of(duration), index)) {
			op->buckets_grown += (__s64)(new_buckets - old_buckets);
			__sync_fetch_and_add(&ledger->fired, 1);
			__sync_fetch_and_add(&ledger->handled, 1);
			counted = 1;
		}
		__sync_lock_test_and_set(&lane->busy, 0);
	}
	out = bpf_ringbuf_reserve(&events, sizeof(*out), 0);
	if (!out) {
		__sync_fetch_and_add(&ledger->events_dropped, 1);
		if (!counted)
			lose(ledger, WIRE_LOST_RING, 1);
		return 0;
	}
	describe(&out->event, WIRE_EVENT_GROW, domain, map);
	out->old_buckets = old_buckets;
	out->new_buckets = new_buckets;
	out->duration_ns = duration;
	out->reason = (__u32)WIRE_ARG4(regs);
	out->part = (__u32)WIRE_ARG5(regs);
	out->counted = counted;
	out->number = (__u32)(WIRE_ARG5(regs) >> 32);
	if (!counted) {
		__sync_fetch_and_add(&ledger->fired, 1);
		__sync_fetch_and_add(&ledger->spilled, 1);
	}
	bpf_ringbuf_submit(out, wakeup(&events));
	return 0;
}

static __always_inline int on_conflict(struct wire_regs *regs, __u32 domain)
{
	__u32 cpu = bpf_get_smp_processor_id(), map = (__u32)WIRE_ARG0(regs), kind = (__u32)WIRE_ARG1(regs);
	struct wire_ledger *ledger = this_ledger();
	struct wire_lane *lane = 0;
	struct wire_conflict *out;
	struct wire_cell *cell;
	__u32 counted = 0, index = 0;

	if (!ledger || add_race(regs, domain, ledger))
		return 0;
	cell = claim_cell(cpu, domain, map, &lane, &index);
	if (cell && lane) {
		cell->op[kind == MAPAUDIT_CONFLICT_WRITE_WRITE ? MAPAUDIT_OP_ASSIGN : MAPAUDIT_OP_LOOKUP].conflicts++;
		counted = 1;
		__sync_lock_test_and_set(&lane->busy, 0);
	}
	__sync_fetch_and_add(&ledger->fired, 1);
	out = bpf_ringbuf_reserve(&events, sizeof(*out), 0);
	if (!out) {
		__sync_fetch_and_add(&ledger->events_dropped, 1);
		__sync_fetch_and_add(counted ? &ledger->handled : &ledger->lost[WIRE_LOST_RING], 1);
		return 0;
	}
	describe(&out->event, WIRE_EVENT_CONFLICT, domain, map);
	out->kind = kind;
	out->other_tid = (__u32)WIRE_ARG2(regs);
	out->counted = counted;
	out->reserved = 0;
	__sync_fetch_and_add(counted ? &ledger->handled : &ledger->spilled, 1);
	bpf_ringbuf_submit(out, wakeup(&events));
	return 0;
}

static __always_inline int on_evacuate(struct wire_regs *regs, __u32 domain)
{
	struct wire_evacuate *out = bpf_ringbuf_reserve(&events, sizeof(*out), 0);
	struct wire_ledger *ledger = this_ledger();

	if (!out) {
		if (ledger)
			__sync_fetch_and_add(&ledger->events_dropped, 1);
		return 0;
	}
	describe(&out->event, WIRE_EVENT_EVACUATE, domain, (__u32)WIRE_ARG0(regs));
	out->done = WIRE_ARG1(regs);
	out->total = WIRE_ARG2(regs);
	out->part = (__u32)WIRE_ARG3(regs);
	out->reserved = 0;
	bpf_ringbuf_submit(out, wakeup(&events));
	return 0;
}

static __always_inline int on_create(struct wire_regs *regs, __u32 domain)
{
	struct wire_create *out = bpf_ringbuf_reserve(&events, sizeof(*out), 0);
	struct wire_ledger *ledger = this_ledger();

	if (!out) {
		if (ledger)
			__sync_fetch_and_add(&ledger->events_dropped, 1);
		return 0;
	}
	describe(&out->event, WIRE_EVENT_CREATE, domain, (__u32)WIRE_ARG0(regs));
	if (bpf_probe_read_user(&out->desc, sizeof(out->desc), (void *)WIRE_ARG1(regs))) {
		bpf_ringbuf_discard(out, BPF_RB_NO_WAKEUP);
		if (ledger)
			__sync_fetch_and_add(&ledger->events_dropped, 1);
		return 0;
	}
	bpf_ringbuf_submit(out, wakeup(&events));
	return 0;
}

static __always_inline int on_destroy(struct wire_regs *regs, __u32 domain)
{
	struct wire_destroy *out = bpf_ringbuf_reserve(&events, sizeof(*out), 0);
	struct wire_ledger *ledger = this_ledger();

	if (!out) {
		if (ledger)
			__sync_fetch_and_add(&ledger->events_dropped, 1);
		return 0;
	}
	describe(&out->event, WIRE_EVENT_DESTROY, domain, (__u32)WIRE_ARG0(regs));
	out->size = WIRE_ARG1(regs);
	out->buckets = WIRE_ARG2(regs);
	out->grows = WIRE_ARG3(regs);
	bpf_ringbuf_submit(out, wakeup(&events));
	return 0;
}

#endif /* MAPAUDIT_EVENTS_BPF_H */
