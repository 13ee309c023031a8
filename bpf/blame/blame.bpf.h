/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who is to blame: from the running task to the map and operation it is in, by the in-op state in its thread's block.
 * The tables are one set for both objects; the loader shares them.
 *
 * Runs in interrupts, NMIs included, and under the scheduler's locks. So tables are preallocated, counting takes
 * atomics and no lock, and user memory that is not resident is as good as not there.
 */
#ifndef MAPAUDIT_BLAME_BPF_H
#define MAPAUDIT_BLAME_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "wire.h"

/* The auditor's PID namespace, by whose ids processes are known; inode 0: the initial one, which needs no asking. */
const volatile __u64 auditor_pidns_device = 0;
const volatile __u64 auditor_pidns_inode = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_MAX_DOMAINS);
	__type(key, __u32); /* process id */
	__type(value, struct wire_blame_process);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WIRE_MAX_DOMAINS);
	__type(key, __u32);   /* domain */
	__type(value, __u64); /* its registry's address; 0: not in use yet */
} registries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);   /* wire_thread_key() */
	__type(value, __u64); /* address of the thread's block */
} blocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64); /* wire_blame_key() */
	__type(value, struct wire_blame);
} blames SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WIRE_MAX_DOMAINS);
	__type(key, __u32);
	__type(value, struct wire_blame_rest);
} rests SEC(".maps");

/* The process under audit that the current task belongs to; null for all others. */
static __always_inline struct wire_blame_process *current_target(void)
{
	__u32 pid;

	if (auditor_pidns_inode) {
		struct bpf_pidns_info ids = {};

		if (bpf_get_ns_current_pid_tgid(auditor_pidns_device, auditor_pidns_inode, &ids, sizeof(ids)))
			return 0;
		pid = ids.tgid;
	} else {
		pid = bpf_get_current_pid_tgid() >> 32;
	}
	return bpf_map_lookup_elem(&processes, &pid);
}

/* The current thread's id in its own PID namespace; 0 where that cannot be told. */
static __always_inline __u32 own_tid(const struct wire_blame_process *process)
{
	struct bpf_pidns_info ids = {};

	if (!process->pidns_inode)
		return (__u32)bpf_get_current_pid_tgid();
	if (bpf_get_ns_current_pid_tgid(process->pidns_device, process->pidns_inode, &ids, sizeof(ids)))
		return 0;
	return ids.pid;
}

/* A thread block up to its in-op state. */
struct block_head {
	__u32 index, tid;
	__u64 seq, flushed;
	__u32 epoch, cpu, op_map, op;
};
_Static_assert(__builtin_offsetof(struct mapaudit_thread_block, tid) == __builtin_offsetof(struct block_head, tid) &&
		       __builtin_offsetof(struct mapaudit_thread_block, op_map) ==
			       __builtin_offsetof(struct block_head, op_map) &&
		       __builtin_offsetof(struct mapaudit_thread_block, op) ==
			       __builtin_offsetof(struct block_head, op),
	       "the head of a thread block");

#define SCAN_NOTHING 0 /* the thread has no block */
#define SCAN_GAVE_UP 1 /* there are more blocks, or they cannot be read */

/*
 * Looks through the registry's first `most` blocks for that of thread `tid`: its address, or SCAN_*. For threads that
 * came since the auditor last told of them; a block that a thread left goes to the next new one, so that the first few
 * are where a thread that lives shortly is found. A global function: it is verified once, on its own.
 */
__u64 __noinline scan(__u32 domain, __u32 tid, __u32 most)
{
	const __u64 *registry = bpf_map_lookup_elem(&registries, &domain);
	__u64 chunks[3] = {};
	__u32 count = 0, seen = 0;

	if (!registry || !*registry)
		return SCAN_GAVE_UP;
	if (bpf_probe_read_user(&count, sizeof(count),
				(void *)(*registry + __builtin_offsetof(struct mapaudit_registry, blocks))) ||
	    bpf_probe_read_user(chunks, sizeof(chunks),
				(void *)(*registry + __builtin_offsetof(struct mapaudit_registry, block_chunks))))
		return SCAN_GAVE_UP;
	for (__u32 i = 0; i < WIRE_BLAME_SCAN; i++) {
		__u32 chunk = i < MAPAUDIT_BLOCK_CHUNK ? 0 : i < 3 * MAPAUDIT_BLOCK_CHUNK ? 1 : 2;
		__u64 within = i - (chunk == 0 ? 0 : chunk == 1 ? MAPAUDIT_BLOCK_CHUNK : 3 * MAPAUDIT_BLOCK_CHUNK);
		__u64 address = (chunk == 0   ? chunks[0]
				 : chunk == 1 ? chunks[1]
					      : chunks[2]) +
				within * sizeof(struct mapaudit_thread_block);

		if (i >= count)
			return SCAN_NOTHING;
		if (i >= most)
			break;
		if (bpf_probe_read_user(&seen, sizeof(seen),
					(void *)(address + __builtin_offsetof(struct mapaudit_thread_block, tid))))
			return SCAN_GAVE_UP;
		if (seen == tid)
			return address;
	}
	return SCAN_GAVE_UP;
}

enum doing {
	DOING_ELSE = 0,
	DOING_OPERATION,
	DOING_UNKNOWN,
};

/*
 * What the current thread, of a process under audit, is doing; *head and *domain are valid for DOING_OPERATION. A
 * thread that is not known yet is looked for in `most` blocks.
 */
static __always_inline enum doing what_it_does(const struct wire_blame_process *process, struct block_head *head,
					       __u32 *domain, __u32 most)
{
	enum doing found = DOING_ELSE;
	__u32 tid = own_tid(process);

	if (!tid)
		return DOING_UNKNOWN;
	for (__u32 i = 0; i < WIRE_BLAME_DOMAINS; i++) {
		__u32 at = process->first_domain + i;
		__u64 key = wire_thread_key(at, tid), address;
		const __u64 *known;

		if (i >= process->domains)
			break;
		known = bpf_map_lookup_elem(&blocks, &key);
		/* A block whose thread has ended is another thread's by now, or nobody's. */
		if (!known || bpf_probe_read_user(head, sizeof(*head), (void *)*known) || head->tid != tid) {
			address = scan(at, tid, most);
			if (address == SCAN_GAVE_UP)
				found = DOING_UNKNOWN;
			if (address <= SCAN_GAVE_UP)
				continue;
			if (bpf_probe_read_user(head, sizeof(*head), (void *)address)) {
				found = DOING_UNKNOWN;
				continue;
			}
		}
		if (head->op_map == 0)
			continue;
		*domain = at;
		return (head->op & MAPAUDIT_IN_OP) < MAPAUDIT_HOT_OPS ? DOING_OPERATION : DOING_UNKNOWN;
	}
	return found;
}

static __always_inline __u32 phase_of(__u32 op)
{
	return op & MAPAUDIT_IN_WAIT   ? WIRE_PHASE_WAIT
	       : op & MAPAUDIT_IN_GROW ? WIRE_PHASE_GROW
	       : op & MAPAUDIT_IN_LOCK ? WIRE_PHASE_LOCKED
				       : WIRE_PHASE_WORK;
}

/* The row of a key, made on first sight; null where the table is full. */
static __always_inline struct wire_blame *blame_of(__u64 key)
{
	struct wire_blame *blame = bpf_map_lookup_elem(&blames, &key);

	if (!blame) {
		struct wire_blame none = {};

		bpf_map_update_elem(&blames, &key, &none, BPF_NOEXIST);
		blame = bpf_map_lookup_elem(&blames, &key);
	}
	return blame;
}

#endif /* MAPAUDIT_BLAME_BPF_H */
