/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs keep: sizes, maps, and the pieces that count into them.
 *
 * A uprobe program can be preempted, and another thread's hit then runs on the same CPU. So cells are not per-CPU
 * maps but lanes that a program claims for the length of one batch (wire.h); inside, counting takes no atomics.
 */
#ifndef MAPAUDIT_CELLS_BPF_H
#define MAPAUDIT_CELLS_BPF_H

#include "mapaudit.bpf.h"

/* ---- sizes, set by the loader ---- */
const volatile __u32 cells_per_lane = 1;
const volatile __u32 slot_mask = 1;
const volatile __u32 other_cells = 1; /* of each lane's, the first */
const volatile __u32 page_count = 1;
const volatile __u32 pages_for_others = 0; /* of these, the first after page 0, which is none */
const volatile __u32 extra_count = 1;
const volatile __u32 per_thread = 0;
/* The auditor's PID namespace: thread ids are reported as it knows them. */
const volatile __u64 pidns_device = 0;
const volatile __u64 pidns_inode = 0;

/* ---- state ---- */
__u32 next_cell = 1;
__u32 next_page = 1; /* set by the loader: behind those for others */
__u32 next_other_page = 1;
__u32 next_extra = 1;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_cell);
} cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_page);
} pages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_extra);
} extras SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_lane);
} lanes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_ledger);
} ledgers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WIRE_MAX_DOMAINS);
	__type(key, __u32);
	__type(value, struct wire_domain);
} domains SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 21);
} events SEC(".maps");

/*
 * Stacks have a ring of their own. Each is 16 KiB and takes a while to copy, in which its thread may be preempted and
 * hold up what came after it: in the events' ring a burst of them would leave no room for records that count.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 21);
} stacks SEC(".maps");

/* ---- small pieces ---- */

static __always_inline struct wire_ledger *this_ledger(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&ledgers, &cpu);
}

/* The thread's id in the auditor's PID namespace. */
static __always_inline __u32 current_tid(void)
{
	struct bpf_pidns_info ids = {};

	if (bpf_get_ns_current_pid_tgid(pidns_device, pidns_inode, &ids, sizeof(ids)) == 0)
		return ids.pid;
	return (__u32)bpf_get_current_pid_tgid();
}

static __always_inline void lose(struct wire_ledger *ledger, enum wire_loss cause, __u64 count)
{
	if (count) {
		__sync_fetch_and_add(&ledger->fired, count);
		__sync_fetch_and_add(&ledger->lost[cause], count);
	}
}

/* Wakes the reader only when an eighth of the ring has filled up; it looks once an interval anyway. */
static __always_inline __u64 wakeup(void *ring)
{
	return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > (1 << 18) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void describe(struct wire_event *event, __u32 type, __u32 domain, __u32 map)
{
	event->type = type;
	event->domain = domain;
	event->map = map;
	event->cpu = bpf_get_smp_processor_id();
	event->tid = current_tid();
	event->reserved = 0;
	event->time_ns = bpf_ktime_get_ns();
}

/* Global functions are verified once, on their own; the loop below calls them without multiplying its states. */

__u32 __noinline bucket_of(__u64 value)
{
	return mapaudit_bucket(value);
}

/* Gives a slot its cell. Two CPUs may try at once: one's is taken, the other's stays unused. */
static __always_inline __u32 give_cell(struct wire_slot *slot)
{
	__u32 cell, seen;

	if (next_cell >= cells_per_lane)
		return WIRE_CELL_NONE;
	cell = __sync_fetch_and_add(&next_cell, 1);
	if (cell >= cells_per_lane)
		return WIRE_CELL_NONE;
	seen = __sync_val_compare_and_swap(&slot->cell, WIRE_CELL_NONE, cell);
	return seen == WIRE_CELL_NONE ? cell : seen;
}

static __always_inline __u32 other_cell(__u64 key)
{
	return key >> 32 & (WIRE_MAX_DOMAINS - 1);
}

/* The cell of a key, claiming one on first sight; its domain's "(other)" where the table is full. */
__u32 __noinline cell_of(__u64 key)
{
	__u32 hash = (__u32)((key * 0x9e3779b97f4a7c15ull) >> 32);

	for (__u32 i = 0; i < WIRE_SLOT_PROBES; i++) {
		__u32 index = (hash + i) & slot_mask;
		struct wire_slot *slot = bpf_map_lookup_elem(&slots, &index);
		__u64 seen;

		if (!slot)
			break;
		seen = slot->key;
		if (seen == 0) {
			seen = __sync_val_compare_and_swap(&slot->key, 0, key);
			if (seen == 0)
				seen = key;
		}
		if (seen == key) {
			__u32 cell = slot->cell ? slot->cell : give_cell(slot);

			return cell ? cell : other_cell(key);
		}
	}
	return other_cell(key);
}

/* A page for a histogram of the cell at `index`; 0 where none is left for it. */
__u32 __noinline new_page(__u32 index)
{
	__u32 page;

	if (index % cells_per_lane < other_cells) {
		if (next_other_page > pages_for_others) /* else every call that finds none would bring it nearer to 0 */
			return 0;
		page = __sync_fetch_and_add(&next_other_page, 1);
		return page <= pages_for_others ? page : 0;
	}
	if (next_page >= page_count)
		return 0;
	page = __sync_fetch_and_add(&next_page, 1);
	return page < page_count ? page : 0;
}

/* Counts one value in a paged histogram of the cell at `index`; false where no page is left for it. */
static __always_inline int count_value(__u32 *octaves, __u32 bucket, __u32 index)
{
	__u32 octave = bucket / MAPAUDIT_SUB_BUCKETS;
	struct wire_page *page;
	__u32 at;

	/* Keeps clang from proving the bound itself and dropping the check that the verifier wants to see. */
	asm volatile("" : "+r"(octave));
	if (octave >= MAPAUDIT_OCTAVES)
		return 0;
	at = octaves[octave];
	if (at == 0) {
		at = new_page(index);
		octaves[octave] = at;
	}
	if (at == 0)
		return 0;
	page = bpf_map_lookup_elem(&pages, &at);
	if (!page)
		return 0;
	page->count[bucket % MAPAUDIT_SUB_BUCKETS]++;
	return 1;
}

static __always_inline void add_latency(struct wire_cell_op *op, __u64 latency)
{
	op->latency_sum += latency;
	if (latency > op->latency_max)
		op->latency_max = latency;
}

/* Counts one timed call in the cell at `index`; false where no page is left for its histogram. */
static __always_inline int add_time(struct wire_cell_op *op, __u64 latency, __u32 bucket, __u32 index)
{
	if (!count_value(op->latency_page, bucket, index))
		return 0;
	add_latency(op, latency);
	return 1;
}

/* The operation's further histograms; null where none are left. */
static __always_inline struct wire_extra *extra_of(struct wire_cell_op *op)
{
	__u32 at = op->extra;

	if (at == 0 && next_extra < extra_count) {
		at = __sync_fetch_and_add(&next_extra, 1);
		if (at >= extra_count)
			return 0;
		op->extra = at;
	}
	return at == 0 ? 0 : bpf_map_lookup_elem(&extras, &at);
}

/* Counts the latency of an operation that grew or evacuated, beside the histogram of all. */
int __noinline add_grew(__u32 index, __u32 which, __u64 latency, __u32 bucket)
{
	struct wire_cell *cell = bpf_map_lookup_elem(&cells, &index);
	struct wire_extra *extra;

	if (!cell || which >= MAPAUDIT_OPS)
		return 0;
	extra = extra_of(&cell->op[which]);
	if (extra && count_value(extra->grew_page, bucket, index))
		cell->op[which].grew_sum += latency;
	return 0;
}

/* Counts a wait in operation `which` of the cell at `index`. Out of line: contended operations are the few. */
int __noinline add_wait(__u32 index, __u32 which, __u64 wait)
{
	struct wire_cell *cell = bpf_map_lookup_elem(&cells, &index);
	struct wire_extra *extra;
	struct wire_cell_op *op;

	if (!cell || which >= MAPAUDIT_OPS)
		return 0;
	op = &cell->op[which];
	op->waits++;
	op->wait_sum += wait;
	extra = extra_of(op);
	return extra && count_value(extra->wait_page, bucket_of(wait), index);
}

/* Counts a call whose own histogram found no page in "(other)"; false where there is none left for that either. */
int __noinline add_to_other(__u32 first_cell, __u32 domain, __u32 which, __u64 latency, __u32 sampled)
{
	__u32 index = first_cell + domain;
	struct wire_cell *cell = bpf_map_lookup_elem(&cells, &index);
	struct wire_cell_op *op;

	if (!cell || which >= MAPAUDIT_OPS)
		return 0;
	op = &cell->op[which];
	if (!add_time(op, latency, bucket_of(latency), index))
		return 0;
	op->sampled += sampled;
	return 1;
}

#endif /* MAPAUDIT_CELLS_BPF_H */
