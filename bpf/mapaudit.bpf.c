// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One program behind every probe of the provider: the attach cookie says which one was hit, so that a process is
 * attached, and detached, through a single link.
 *
 * A uprobe program can be preempted, and another thread's hit then runs on the same CPU. So cells are not per-CPU
 * maps but lanes that a program claims for the length of one batch (wire.h); inside, counting takes no atomics.
 *
 * No type of the kernel's is used: this object also loads where the kernel has no BTF.
 */
#include "mapaudit.bpf.h"

/* ---- sizes, set by the loader ---- */
const volatile __u32 lane_count = 1;
const volatile __u32 cells_per_lane = 1;
const volatile __u32 slot_mask = 1;
const volatile __u32 page_count = 1;
const volatile __u32 per_thread = 0;
/* The auditor's PID namespace: thread ids are reported as it knows them. */
const volatile __u64 pidns_device = 0;
const volatile __u64 pidns_inode = 0;

/* ---- state ---- */
__u32 next_cell = 1;
__u32 next_page = 1;

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
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

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

/* Wakes the reader only when a quarter of the ring has filled up; it looks once an interval anyway. */
static __always_inline __u64 wakeup(void)
{
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > (1 << 18) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
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

/* The cell of a key, claiming one on first sight; WIRE_CELL_NONE where the table is full. */
__u32 __noinline cell_of(__u64 key)
{
	__u32 hash = (__u32)((key * 0x9e3779b97f4a7c15ull) >> 32);

	for (__u32 i = 0; i < WIRE_SLOT_PROBES; i++) {
		__u32 index = (hash + i) & slot_mask;
		struct wire_slot *slot = bpf_map_lookup_elem(&slots, &index);
		__u64 seen;

		if (!slot)
			return WIRE_CELL_NONE;
		seen = slot->key;
		if (seen == 0) {
			seen = __sync_val_compare_and_swap(&slot->key, 0, key);
			if (seen == 0)
				seen = key;
		}
		if (seen == key)
			return slot->cell ? slot->cell : give_cell(slot);
	}
	return WIRE_CELL_NONE;
}

__u32 __noinline new_page(void)
{
	__u32 page = __sync_fetch_and_add(&next_page, 1);

	return page < page_count ? page : 0;
}

/* Counts one value in a paged histogram; false where no page is left for it. */
static __always_inline int count_value(__u32 *octaves, __u32 bucket)
{
	__u32 octave = bucket / MAPAUDIT_SUB_BUCKETS;
	struct wire_page *page;
	__u32 index;

	/* Keeps clang from proving the bound itself and dropping the check that the verifier wants to see. */
	asm volatile("" : "+r"(octave));
	if (octave >= MAPAUDIT_OCTAVES)
		return 0;
	index = octaves[octave];
	if (index == 0) {
		index = new_page();
		octaves[octave] = index;
	}
	if (index == 0)
		return 0;
	page = bpf_map_lookup_elem(&pages, &index);
	if (!page)
		return 0;
	page->count[bucket % MAPAUDIT_SUB_BUCKETS]++;
	return 1;
}

/* Counts a wait in operation `which` of the cell at `index`. Out of line: contended operations are the few. */
int __noinline add_wait(__u32 index, __u32 which, __u64 wait)
{
	struct wire_cell *cell = bpf_map_lookup_elem(&cells, &index);
	struct wire_cell_op *op;

	if (!cell || which >= MAPAUDIT_OPS)
		return 0;
	op = &cell->op[which];
	op->waits++;
	op->wait_sum += wait;
	return count_value(op->wait_page, bucket_of(wait));
}

/* ---- batches ---- */

/*
 * Which of the records [first, first + count) nobody has taken yet: returns how many to skip, and takes the rest.
 * `missed` becomes the number of records before `first` that never arrived.
 */
static __always_inline __u32 take(const struct wire_domain *domain, __u32 block, __u64 first, __u32 count, __u64 *missed)
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
	bpf_ringbuf_submit(out, wakeup());
}

#define CHUNK 32

/* The bits of a record's second word that are 0 for a plain operation: a wait, any flag but GREW. */
#define UNUSUAL (0xffffffffull | (__u64)(0xff & ~MAPAUDIT_REC_GREW) << 56)

/* Whatever is not the plain case; false where nothing is left to be timed. */
static __always_inline int add_unusual(struct wire_cell_op *op, __u32 index, __u32 which, __u64 *latency, __u64 tail)
{
	__u32 flags = tail >> 56;
	__u64 wait = (__u32)tail;

	if (flags & MAPAUDIT_REC_COUNT) {
		op->counted += *latency;
		return 0;
	}
	if (flags & MAPAUDIT_REC_SCALED) {
		*latency <<= MAPAUDIT_SCALED_SHIFT;
		wait <<= MAPAUDIT_SCALED_SHIFT;
	}
	if (flags & MAPAUDIT_REC_SAMPLED)
		op->sampled++;
	if (flags & MAPAUDIT_REC_MIGRATED)
		op->migrations++;
	if (wait)
		add_wait(index, which, wait);
	return 1;
}

/*
 * Adds records [from, from + CHUNK) of a lane, as far as below `count`, to its cells. A global function, so that a
 * batch costs the verifier one chunk (10 ms here, against 100 for the whole batch in one loop). All that varies from
 * record to record is kept in memory and `cell` is never null, so that the loop's head is met in one state.
 */
int __noinline add_chunk(__u32 cpu, __u32 from, __u32 count, __u32 domain, __u32 tid)
{
	struct wire_lane *lane = bpf_map_lookup_elem(&lanes, &cpu);
	__u32 none = cpu * cells_per_lane + WIRE_CELL_NONE, index = none;
	struct wire_cell *cell = bpf_map_lookup_elem(&cells, &index);
	__u32 map = 0, left = count - from;

	if (!lane || !cell || from > MAPAUDIT_BATCH - CHUNK)
		return 0;
	for (__u32 i = 0; i < CHUNK; i++) {
		/* Two loads for the whole record: {map, latency}, {wait, bucket, op, flags}. */
		const __u64 *words = (const __u64 *)&lane->records[from + i];
		__u64 head = words[0], tail = words[1], latency = head >> 32;
		__u32 which = tail >> 48 & 0xff, bucket = tail >> 32 & 0xffff;
		struct wire_cell_op *op;

		if (i >= left)
			break;
		if ((__u32)head != map) {
			map = (__u32)head;
			index = none + cell_of(wire_key(domain, map, tid));
			cell = bpf_map_lookup_elem(&cells, &index);
			if (!cell)
				return 0;
		}
		asm volatile("" : "+r"(which));
		if (which >= MAPAUDIT_HOT_OPS) {
			lane->malformed++;
			continue;
		}
		if (index == none) {
			lane->no_cell++;
			continue;
		}
		op = &cell->op[which];
		if (tail & UNUSUAL && !add_unusual(op, index, which, &latency, tail))
			continue;
		if (!count_value(op->latency_page, bucket)) {
			op->sampled -= (tail >> 56) & MAPAUDIT_REC_SAMPLED;
			op->lost++;
			lane->no_page++;
			continue;
		}
		op->latency_sum += latency;
		if (latency > op->latency_max)
			op->latency_max = latency;
	}
	return 0;
}

static __always_inline int on_batch(struct wire_regs *regs, __u32 domain_index)
{
	__u64 records = WIRE_ARG0(regs), claimed = WIRE_ARG1(regs), first = WIRE_ARG2(regs);
	__u64 tid_block = WIRE_ARG3(regs), registry = WIRE_ARG5(regs);
	__u32 cpu = (__u32)WIRE_ARG4(regs), tid = per_thread ? current_tid() : 0;
	struct wire_domain *domain = bpf_map_lookup_elem(&domains, &domain_index);
	struct wire_ledger *ledger = this_ledger();
	struct wire_lane *lane;
	__u64 missed = 0;
	__u32 count, skip;

	if (!domain || !ledger)
		return 0;
	if (claimed == 0 || claimed > MAPAUDIT_BATCH || cpu >= lane_count) {
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
	lane = bpf_map_lookup_elem(&lanes, &cpu);
	if (!lane)
		return 0;
	if (__sync_val_compare_and_swap(&lane->busy, 0, 1) != 0) {
		spill(ledger, domain_index, tid, cpu, records, count);
		return 0;
	}
	if (bpf_probe_read_user(lane->records, count * sizeof(struct mapaudit_record), (void *)records)) {
		lose(ledger, WIRE_LOST_UNREADABLE, count);
	} else {
		__u64 lost;

		lane->malformed = lane->no_cell = lane->no_page = 0;
		for (__u32 from = 0; from < count && from < MAPAUDIT_BATCH; from += CHUNK)
			add_chunk(cpu, from, count, domain_index, tid);
		lost = lane->malformed + lane->no_cell + lane->no_page;
		lose(ledger, WIRE_LOST_MALFORMED, lane->malformed);
		lose(ledger, WIRE_LOST_NO_CELL, lane->no_cell);
		lose(ledger, WIRE_LOST_NO_PAGE, lane->no_page);
		__sync_fetch_and_add(&ledger->fired, count - lost);
		__sync_fetch_and_add(&ledger->handled, count - lost);
	}
	__sync_lock_test_and_set(&lane->busy, 0);
	return 0;
}

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
	if (!cell || index == cpu * cells_per_lane) {
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

	if (!ledger)
		return 0;
	cell = claim_cell(cpu, domain, map, &lane, &index);
	if (!cell || !lane) {
		lose(ledger, WIRE_LOST_NO_CELL, 1);
		return 0;
	}
	op = &cell->op[which];
	if (count_value(op->latency_page, bucket_of(latency))) {
		op->latency_sum += latency;
		if (latency > op->latency_max)
			op->latency_max = latency;
		if (flags & MAPAUDIT_REC_MIGRATED)
			op->migrations++;
		if (wait)
			add_wait(index, which, wait);
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
	cell = claim_cell(cpu, domain, map, &lane, &index);
	if (cell && lane) {
		struct wire_cell_op *op = &cell->op[MAPAUDIT_OP_GROW];

		if (count_value(op->latency_page, bucket_of(duration))) {
			op->latency_sum += duration;
			if (duration > op->latency_max)
				op->latency_max = duration;
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
	bpf_ringbuf_submit(out, wakeup());
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

	if (!ledger)
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
	bpf_ringbuf_submit(out, wakeup());
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
	bpf_ringbuf_submit(out, wakeup());
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
	bpf_ringbuf_submit(out, wakeup());
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
	bpf_ringbuf_submit(out, wakeup());
	return 0;
}

SEC("uprobe")
int mapaudit_hit(struct wire_regs *regs)
{
	__u64 cookie = bpf_get_attach_cookie(regs);
	__u32 domain = (__u32)(cookie >> 8);

	switch (cookie & 0xff) {
	case WIRE_BATCH:
	case WIRE_BATCH_SAMPLED:
		return on_batch(regs, domain);
	case WIRE_ASSIGN:
		return on_operation(regs, domain, MAPAUDIT_OP_ASSIGN);
	case WIRE_LOOKUP:
		return on_operation(regs, domain, MAPAUDIT_OP_LOOKUP);
	case WIRE_ERASE:
		return on_operation(regs, domain, MAPAUDIT_OP_ERASE);
	case WIRE_GROW:
		return on_grow(regs, domain);
	case WIRE_EVACUATE:
		return on_evacuate(regs, domain);
	case WIRE_CONFLICT:
		return on_conflict(regs, domain);
	case WIRE_CREATE:
		return on_create(regs, domain);
	case WIRE_DESTROY:
		return on_destroy(regs, domain);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
