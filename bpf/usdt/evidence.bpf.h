/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who waited for whom, who raced with whom, who grew what: rare events, aggregated by call stack.
 *
 * A program cannot unwind a stack without frame pointers. It can tell the same stack again: the words on it that lie
 * in the target's code are the return addresses, and a few stale ones. Their hash names the stack; the first of each
 * name is copied out, for user space to unwind. Two names for one stack cost a copy more and are one again there.
 */
#ifndef MAPAUDIT_EVIDENCE_BPF_H
#define MAPAUDIT_EVIDENCE_BPF_H

#include "usdt/cells.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64); /* fingerprint */
	__type(value, __u8);
} stacks_seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct wire_evidence_key);
	__type(value, struct wire_evidence);
} evidence SEC(".maps");

/*
 * A thread that others waited for or raced with, by map. It says where it was, and they say that they met it, in either
 * order and at the same time: what cannot be given its stack at once awaits it here, and whoever finds both, by a full
 * barrier between its own part and a look at the other's, moves the counts.
 */
struct counterpart_key {
	__u32 domain;
	__u32 map;
	__u32 tid;  /* 0: whoever holds the lock shared */
	__u32 kind; /* WIRE_WAITING or WIRE_RACING */
};
#define AWAITING 8 /* callers told apart; what awaits beyond these stays without the counterpart's stack */
struct awaiting {
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
	__u64 stack; /* where it let go, last */
	__u64 time_ns;
	struct awaiting rows[AWAITING];
};
__u64 no_counterpart[sizeof(struct counterpart) /
		     sizeof(__u64)]; /* an array, so that the skeleton need not know the type */

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct counterpart_key);
	__type(value, struct counterpart);
} counterparts SEC(".maps");

/* ---- the name of a stack ---- */

static __always_inline __u64 mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ (hash >> 29);
}

int __noinline is_code(__u32 domain_index, __u64 address)
{
	struct wire_domain *domain = bpf_map_lookup_elem(&domains, &domain_index);

	if (!domain)
		return 0;
	for (int i = 0; i < WIRE_TEXT_RANGES; i++)
		if (address - domain->text[i].start < domain->text[i].size)
			return 1;
	return 0;
}

#define SCAN_WORDS 32
#define SCANS 4 /* 1 KiB in all */

/* Return addresses among the next words of the stack. */
__u64 __noinline scan(__u32 domain, __u64 from, __u64 hash)
{
	__u64 words[SCAN_WORDS];

	if (bpf_probe_read_user(words, sizeof(words), (void *)from))
		return hash;
	for (int i = 0; i < SCAN_WORDS; i++)
		if (words[i] >> 12 && is_code(domain, words[i]))
			hash = mix(hash, words[i]);
	return hash;
}

static __noinline __u64 hash_frames(struct wire_regs *regs, __u32 domain, __u64 hash)
{
	__u64 frames[WIRE_FRAMES] = {};

	if (!regs)
		return hash;
	bpf_get_stack(regs, frames, sizeof(frames), BPF_F_USER_STACK);
	for (int i = 1; i < WIRE_FRAMES; i++)
		if (frames[i] && is_code(domain, frames[i]))
			hash = mix(hash, frames[i]);
	return hash;
}

/* Copies out a stack that has no name yet. */
static __always_inline int copy_stack(struct wire_regs *regs, __u32 domain, __u64 fingerprint)
{
	struct wire_stack *out = bpf_ringbuf_reserve(&stacks, sizeof(*out), 0);
	__u64 sp = WIRE_SP(regs);

	if (!out)
		return -1;
	describe(&out->event, WIRE_EVENT_STACK, domain, 0);
	out->fingerprint = fingerprint;
	wire_registers(regs, out);
	__builtin_memset(out->frames, 0, sizeof(out->frames));
	bpf_get_stack(regs, out->frames, sizeof(out->frames), BPF_F_USER_STACK);
	out->bytes = 0;
	out->reserved = 0;
	for (__u32 i = 0; i < WIRE_STACK_BYTES / WIRE_STACK_CHUNK; i++) {
		if (bpf_probe_read_user(out->memory + i * WIRE_STACK_CHUNK, WIRE_STACK_CHUNK,
					(void *)(sp + i * WIRE_STACK_CHUNK)))
			break;
		out->bytes = (i + 1) * WIRE_STACK_CHUNK;
	}
	bpf_ringbuf_submit(out, wakeup(&stacks));
	return 0;
}

/* The name of the current thread's stack; never 0. */
static __always_inline __u64 stack_of(struct wire_regs *regs, __u32 domain, struct wire_ledger *ledger)
{
	__u64 sp = WIRE_SP(regs), hash = domain + 1;
	__u8 seen = 1;
	long full;

	for (int i = 0; i < SCANS; i++)
		hash = scan(domain, sp + i * SCAN_WORDS * sizeof(__u64), hash);
	hash = hash_frames(regs, domain, hash) | 1;
	if (bpf_map_lookup_elem(&stacks_seen, &hash))
		return hash;
	full = bpf_map_update_elem(&stacks_seen, &hash, &seen, BPF_NOEXIST);
	if (full == -17 /* EEXIST: another CPU was first */)
		return hash;
	if (full || copy_stack(regs, domain, hash)) {
		if (!full)
			bpf_map_delete_elem(&stacks_seen, &hash); /* the ring was full: another time */
		__sync_fetch_and_add(&ledger->stacks_dropped, 1);
	}
	return hash;
}

/* The thread's id as the target knows it. */
static __always_inline __u32 target_tid(__u32 domain_index)
{
	struct wire_domain *domain = bpf_map_lookup_elem(&domains, &domain_index);
	struct bpf_pidns_info ids = {};

	if (domain && domain->pidns_inode &&
	    bpf_get_ns_current_pid_tgid(domain->pidns_device, domain->pidns_inode, &ids, sizeof(ids)) == 0)
		return ids.pid;
	return current_tid();
}

/* ---- the table ---- */

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

static __always_inline struct counterpart *counterpart_of(const struct counterpart_key *who)
{
	struct counterpart *counterpart = bpf_map_lookup_elem(&counterparts, who);

	if (!counterpart) {
		bpf_map_update_elem(&counterparts, who, no_counterpart, BPF_NOEXIST);
		counterpart = bpf_map_lookup_elem(&counterparts, who);
	}
	return counterpart;
}

/* Moves what awaits a counterpart to the stack that it was in. */
static __always_inline void settle(const struct counterpart_key *who, struct counterpart *counterpart, __u64 now)
{
	struct wire_evidence_key key = {};

	key.kind = (__u16)who->kind;
	key.domain = who->domain;
	key.map = who->map;
	key.other_tid = who->tid;
	for (int i = 0; i < AWAITING; i++) {
		struct awaiting *row = &counterpart->rows[i];
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

/* The counterpart may not have said yet where it was: leave word. */
static __always_inline void await(struct counterpart *counterpart, const struct wire_evidence_key *key, __u64 ns)
{
	__u64 caller = mix(mix(key->stack, key->tid), key->detail) | 1;

	for (int i = 0; i < AWAITING; i++) {
		struct awaiting *row = &counterpart->rows[i];
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
 * Adds one event whose counterpart is `who`. It has said where it was, or will: no longer ago than `since`
 * counts, for what it says later is said of the next time.
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
	await(counterpart, key, ns);
	if (*(volatile __u64 *)&counterpart->time_ns >= since)
		settle(who, counterpart, now);
	return placed;
}

/* A counterpart says where it was. */
static __always_inline void reveal(const struct counterpart_key *who, __u64 stack, __u64 now)
{
	struct counterpart *counterpart = counterpart_of(who);

	if (!counterpart)
		return;
	counterpart->stack = stack;
	__sync_lock_test_and_set(&counterpart->time_ns, now);
	settle(who, counterpart, now);
}

/* ---- the probes ---- */

static __always_inline int on_contended(struct wire_regs *regs, __u32 domain)
{
	__u64 wait = WIRE_ARG2(regs), since = WIRE_ARG4(regs), now = bpf_ktime_get_ns();
	struct wire_ledger *ledger = this_ledger();
	struct wire_evidence_key key = {};
	struct counterpart_key owner = {};

	if (!ledger)
		return 0;
	key.kind = WIRE_WAITING;
	key.domain = domain;
	key.map = (__u32)WIRE_ARG0(regs);
	key.detail = (__u16)WIRE_ARG1(regs);
	key.other_tid = (__u32)WIRE_ARG3(regs);
	key.stack = stack_of(regs, domain, ledger);
	owner.domain = domain;
	owner.map = key.map;
	owner.tid = key.other_tid;
	owner.kind = WIRE_WAITING;
	/* It let go after this wait had begun: that was the hold that was waited for. */
	account(ledger, add_meeting(&owner, &key, wait, now - since, now));
	return 0;
}

static __always_inline int on_released(struct wire_regs *regs, __u32 domain)
{
	__u64 held = WIRE_ARG2(regs), now = bpf_ktime_get_ns();
	struct wire_ledger *ledger = this_ledger();
	struct wire_evidence_key key = {};
	struct counterpart_key who = {};

	if (!ledger)
		return 0;
	key.kind = WIRE_OWNING;
	key.domain = domain;
	key.map = (__u32)WIRE_ARG0(regs);
	key.detail = (__u16)WIRE_ARG1(regs);
	key.tid = WIRE_ARG3(regs) ? 0 : target_tid(domain);
	key.stack = stack_of(regs, domain, ledger);
	who.domain = domain;
	who.map = key.map;
	who.tid = key.tid;
	who.kind = WIRE_WAITING;
	reveal(&who, key.stack, now);
	account(ledger, add_evidence(&key, 1, held, held, now));
	return 0;
}

/* Returns whether it was evidence only: the first one's side of a conflict that the second one's hit has counted. */
static __always_inline int add_race(struct wire_regs *regs, __u32 domain, struct wire_ledger *ledger)
{
	__u64 arrived = bpf_ktime_get_ns(), stack = stack_of(regs, domain, ledger), now = bpf_ktime_get_ns();
	struct wire_evidence_key key = {};
	struct counterpart_key who = {};

	who.domain = domain;
	who.map = (__u32)WIRE_ARG0(regs);
	who.kind = WIRE_RACING;
	if (WIRE_ARG3(regs) == MAPAUDIT_SIDE_FIRST) {
		who.tid = target_tid(domain);
		reveal(&who, stack, now);
		return 1;
	}
	key.kind = WIRE_RACING;
	key.domain = domain;
	key.map = who.map;
	key.detail = (__u16)WIRE_ARG1(regs);
	key.tid = target_tid(domain);
	key.other_tid = who.tid = (__u32)WIRE_ARG2(regs);
	key.stack = stack;
	account(ledger, add_meeting(&who, &key, 0, arrived - WIRE_ARG4(regs), now));
	return 0;
}

static __always_inline void add_growth(struct wire_regs *regs, __u32 domain, struct wire_ledger *ledger)
{
	struct wire_evidence_key key = {};

	key.kind = WIRE_GROWING;
	key.domain = domain;
	key.map = (__u32)WIRE_ARG0(regs);
	key.detail = (__u16)WIRE_ARG4(regs);
	key.stack = stack_of(regs, domain, ledger);
	account(ledger, add_evidence(&key, 1, WIRE_ARG3(regs), WIRE_ARG3(regs), bpf_ktime_get_ns()));
}

#endif /* MAPAUDIT_EVIDENCE_BPF_H */
