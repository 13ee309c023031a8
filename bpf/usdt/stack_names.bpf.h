/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The name of a call stack.
 *
 * A program cannot unwind a stack without frame pointers. It can recognise the same stack: the words on it that lie
 * in the target's code are the return addresses, and a few stale ones. Their hash names the stack; the first of each
 * name is copied out, for user space to unwind. Two names for one stack cost a copy more and are one again there.
 */
#ifndef MAPAUDIT_STACK_NAMES_BPF_H
#define MAPAUDIT_STACK_NAMES_BPF_H

#include "usdt/cells.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64); /* fingerprint */
	__type(value, __u8);
} stacks_seen SEC(".maps");

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

#endif /* MAPAUDIT_STACK_NAMES_BPF_H */
