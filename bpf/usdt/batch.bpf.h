/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The batch probes: up to MAPAUDIT_BATCH records a hit.
 */
#ifndef MAPAUDIT_BATCH_BPF_H
#define MAPAUDIT_BATCH_BPF_H

#include "usdt/cells.bpf.h"

/*
 * Which of the records [first, first + count) nobody has taken yet: returns how many to skip, and takes the rest.
 * `missed` becomes the number of records before `first` that never arrived.
 */
static __always_inline __u32 take(const struct wire_domain *domain, __u32 block, __u64 first, __u32 count,
				  __u64 *missed)
{
	__u32 index = domain->thread_base + block;
	__u64 end = first + count;
	__u64 *taken;
	__u64 old;

	if (block >= domain->thread_limit)
		return 0;
	taken = bpf_map_lookup_elem(&threads, &index);
	if (!taken)
		return 0;
	old = *(volatile __u64 *)taken;
	for (int i = 0; i < 4; i++) {
		__u64 below = old & ~WIRE_TAKEN_SEEN;
		__u64 seen;

		if (below >= end)
			return count;
		seen = __sync_val_compare_and_swap(taken, old, end | WIRE_TAKEN_SEEN);
		if (seen == old) {
			if (below >= first)
				return (__u32)(below - first);
			if (old & WIRE_TAKEN_SEEN)
				*missed = first - below;
			return 0;
		}
		old = seen;
	}
	/* The auditor moved it each time. What it has not read itself is a gap that the thread's next batch finds. */
	return count;
}

/* The lane was taken: hand the batch over whole. */
static __always_inline void spill(struct wire_ledger *ledger, __u32 domain, __u32 tid, __u32 cpu, __u64 records,
				  __u32 count)
{
	struct wire_spill *out = bpf_ringbuf_reserve(&events, sizeof(*out), 0);

	if (!out) {
		lose(ledger, WIRE_LOST_RING, count);
		return;
	}
	describe(&out->event, WIRE_EVENT_SPILL, domain, 0);
	out->event.cpu = cpu;
	out->event.tid = tid;
	out->count = count;
	if (bpf_probe_read_user(out->records, count * sizeof(struct mapaudit_record), (void *)records)) {
		bpf_ringbuf_discard(out, BPF_RB_NO_WAKEUP);
		lose(ledger, WIRE_LOST_UNREADABLE, count);
		return;
	}
	__sync_fetch_and_add(&ledger->fired, count);
	__sync_fetch_and_add(&ledger->spilled, count);
	bpf_ringbuf_submit(out, wakeup(&events));
}

#define CHUNK 32

/*
 * A record is two words: {map, latency} and {wait, bucket, op, flags}. The bits of the second one that are 0 for a
 * plain operation: a wait, any flag.
 */
#define UNUSUAL (0xffffffffull | 0xffull << 56)

static __always_inline const __u64 *words_of(const struct wire_lane *lane, __u32 at)
{
	return (const __u64 *)&lane->records[at];
}

static __always_inline __u32 op_of(__u64 tail)
{
	__u32 which = tail >> 48 & 0xff;

	asm volatile("" : "+r"(which)); /* as in count_value() */
	return which;
}

static __always_inline __u32 bucket_in(__u64 tail)
{
	return tail >> 32 & 0xffff;
}

/* The octave of its bucket, and the place in that. Each from the word itself, which takes fewer instructions. */
static __always_inline __u32 octave_in(__u64 tail)
{
	return tail >> 37 & 0x7ff;
}

static __always_inline __u32 place_in(__u64 tail)
{
	return tail >> 32 & (MAPAUDIT_SUB_BUCKETS - 1);
}

/* Whatever is not the plain case; false where nothing is left to be timed. */
static __always_inline int add_unusual(struct wire_cell_op *op, __u32 index, __u32 which, __u64 *latency, __u64 tail)
{
	__u32 flags = tail >> 56;
	__u64 wait = (__u32)tail;

	if (flags & MAPAUDIT_REC_SCALED) {
		*latency <<= MAPAUDIT_SCALED_SHIFT;
		wait <<= MAPAUDIT_SCALED_SHIFT;
	}
	if (flags & MAPAUDIT_REC_COUNT) {
		op->counted += *latency;
		if (wait)
			add_wait(index, which, wait);
		return 0;
	}
	if (flags & MAPAUDIT_REC_SAMPLED)
		op->sampled++;
	if (flags & MAPAUDIT_REC_MIGRATED)
		op->migrations++;
	if (wait)
		add_wait(index, which, wait);
	if (flags & MAPAUDIT_REC_GREW)
		add_grew(index, which, *latency, bucket_in(tail));
	return 1;
}

/* Adds record `at` of a lane to the cell at `index`, whatever it is. */
int __noinline add_record(__u32 cpu, __u32 at, __u32 index, __u32 domain)
{
	struct wire_lane *lane = bpf_map_lookup_elem(&lanes, &cpu);
	struct wire_cell *cell = bpf_map_lookup_elem(&cells, &index);
	__u32 first_cell = cpu * cells_per_lane, which;
	struct wire_cell_op *op;
	__u64 tail, latency;

	if (!lane)
		return 0;
	if (!cell || at >= MAPAUDIT_BATCH) {
		lane->uncounted++;
		return 0;
	}
	latency = words_of(lane, at)[0] >> 32;
	tail = words_of(lane, at)[1];
	which = op_of(tail);
	if (which >= MAPAUDIT_HOT_OPS || octave_in(tail) >= MAPAUDIT_OCTAVES) {
		lane->malformed++;
		lane->uncounted++;
		return 0;
	}
	op = &cell->op[which];
	if (tail & UNUSUAL && !add_unusual(op, index, which, &latency, tail))
		return 0;
	if (!add_time(op, latency, bucket_in(tail), index)) {
		__u32 sampled = (tail >> 56 & MAPAUDIT_REC_SAMPLED) != 0;

		op->sampled -= sampled;
		if (!add_to_other(first_cell, domain, which, latency, sampled)) {
			op->lost++;
			lane->uncounted++;
		}
	}
	return 0;
}

/* Adds a plain record to a cell where its operation has a histogram page for it already; false where it has none. */
static __always_inline int add_plain(struct wire_cell *cell, __u64 head, __u64 tail)
{
	__u32 which = op_of(tail), octave = octave_in(tail), at;
	struct wire_cell_op *op;
	struct wire_page *page;

	if (tail & UNUSUAL || which >= MAPAUDIT_HOT_OPS || octave >= MAPAUDIT_OCTAVES)
		return 0;
	op = &cell->op[which];
	at = op->latency_page[octave];
	page = bpf_map_lookup_elem(&pages, &at);
	if (at == 0 || !page)
		return 0;
	page->count[place_in(tail)]++;
	add_latency(op, head >> 32);
	return 1;
}

/*
 * Adds records [from, from + CHUNK) of a lane, as far as below `count`, to its cells; returns how many it counted. A
 * global function, so that a batch costs the verifier one chunk (10 ms here, against 100 for the whole batch in one
 * loop). `cell` is never null, so that the loop's head is met in one state. The plain case calls nothing: what must
 * outlive a call goes to the stack and back.
 */
int __noinline add_chunk(__u32 cpu, __u32 from, __u32 count, __u32 domain, __u32 tid)
{
	struct wire_lane *lane = bpf_map_lookup_elem(&lanes, &cpu);
	__u32 first_cell = cpu * cells_per_lane, index = first_cell + domain;
	struct wire_cell *cell = bpf_map_lookup_elem(&cells, &index);
	__u32 map = 0, some = count - from; /* no library writes map 0: what has it is in "(other)" */
	const __u64 *words;

	if (!lane || !cell || from > MAPAUDIT_BATCH - CHUNK)
		return 0;
	lane->uncounted = 0;
	words = words_of(lane, from);
	if (some > CHUNK)
		some = CHUNK;
	for (__u32 i = 0; i < some; i++, words += 2) {
		if ((__u32)words[0] != map) {
			map = (__u32)words[0];
			index = first_cell + cell_of(wire_key(domain, map, tid));
			cell = bpf_map_lookup_elem(&cells, &index);
			if (!cell) {
				lane->uncounted += some - i;
				break;
			}
		}
		if (!add_plain(cell, words[0], words[1]))
			add_record(cpu, from + i, index, domain);
	}
	return some - (__u32)lane->uncounted;
}

/* Counts the batch in a lane that the caller has claimed. */
static __always_inline void add_batch(struct wire_lane *lane, __u32 cpu, __u32 count, __u32 domain, __u32 tid,
				      struct wire_ledger *ledger)
{
	__u64 counted = 0, malformed;

	lane->malformed = 0;
	for (__u32 from = 0; from < count && from < MAPAUDIT_BATCH; from += CHUNK)
		counted += (__u32)add_chunk(cpu, from, count, domain, tid);
	malformed = lane->malformed;
	__sync_fetch_and_add(&ledger->fired, counted);
	__sync_fetch_and_add(&ledger->handled, counted);
	lose(ledger, WIRE_LOST_MALFORMED, malformed);
	/* What is no record's own fault found no place, in its map's cell or in "(other)". */
	lose(ledger, WIRE_LOST_NO_PAGE, count - counted - malformed);
}

static __always_inline int on_batch(struct wire_regs *regs, __u32 domain_index)
{
	__u64 records = WIRE_ARG0(regs), claimed = WIRE_ARG1(regs), first = WIRE_ARG2(regs);
	__u64 tid_block = WIRE_ARG3(regs), registry = WIRE_ARG5(regs);
	__u32 cpu = (__u32)WIRE_ARG4(regs), tid = per_thread ? current_tid() : 0;
	struct wire_domain *domain = bpf_map_lookup_elem(&domains, &domain_index);
	struct wire_ledger *ledger = this_ledger();
	struct wire_lane *lane = bpf_map_lookup_elem(&lanes, &cpu);
	__u64 missed = 0;
	__u32 count, skip;

	if (!domain || !ledger)
		return 0;
	if (claimed == 0 || claimed > MAPAUDIT_BATCH || first & WIRE_TAKEN_SEEN || !lane) {
		lose(ledger, WIRE_LOST_MALFORMED, claimed > MAPAUDIT_BATCH ? 1 : claimed);
		return 0;
	}
	count = (__u32)claimed;
	if (domain->registry && domain->registry != registry) {
		lose(ledger, WIRE_LOST_REGISTRY, count);
		return 0;
	}
	skip = take(domain, (__u32)tid_block, first, count, &missed);
	lose(ledger, WIRE_LOST_MISSED, missed);
	if (skip >= count)
		return 0;
	count -= skip;
	records += skip * sizeof(struct mapaudit_record);
	__sync_fetch_and_add(&ledger->batches, 1);
	if (count > MAPAUDIT_BATCH) /* it is not; the verifier lost track of it */
		return 0;
	if (__sync_val_compare_and_swap(&lane->busy, 0, 1) != 0) {
		spill(ledger, domain_index, tid, cpu, records, count);
		return 0;
	}
	if (bpf_probe_read_user(lane->records, count * sizeof(struct mapaudit_record), (void *)records))
		lose(ledger, WIRE_LOST_UNREADABLE, count);
	else
		add_batch(lane, cpu, count, domain_index, tid, ledger);
	__sync_lock_test_and_set(&lane->busy, 0);
	return 0;
}

#endif /* MAPAUDIT_BATCH_BPF_H */
