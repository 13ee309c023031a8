// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Time that operations spend off the CPU: asleep, or preempted, and what with the map's lock in hand. An operation that
 * was switched out and comes back on another CPU has changed CPU.
 *
 * Reads three fields of the kernel's task_struct, and so needs the kernel's BTF.
 */
#include "blame/blame.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

struct task_struct {
	int pid;
	unsigned int __state;
} __attribute__((preserve_access_index));

#define TASK_RUNNING 0 /* include/linux/sched.h */

/* Threads that were switched out inside an operation, by the kernel's own thread id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_off_cpu);
} off_cpus SEC(".maps");

static __always_inline void lose(__u32 process)
{
	struct wire_blame_rest *rest = bpf_map_lookup_elem(&rests, &process);

	if (rest)
		__sync_fetch_and_add(&rest->off_cpu_lost, 1);
}

/* `prev` is still the current task. */
static __always_inline void switched_out(__u32 tid, int preempted)
{
	struct wire_blame_process *process = current_target();
	struct block_head head = {};
	struct wire_off_cpu out = {};
	__u32 domain = 0;

	if (!process || what_it_does(process, &head, &domain, WIRE_BLAME_SCAN_SWITCH) != DOING_OPERATION)
		return;
	out.since_ns = bpf_ktime_get_ns();
	out.key = wire_blame_key(domain, head.op_map, head.op & MAPAUDIT_IN_OP);
	out.cpu = bpf_get_smp_processor_id();
	out.op = head.op;
	out.process = process->index;
	out.preempted = preempted;
	if (bpf_map_update_elem(&off_cpus, &tid, &out, BPF_ANY))
		lose(process->index);
}

static __always_inline void switched_in(__u32 tid)
{
	struct wire_off_cpu *found = bpf_map_lookup_elem(&off_cpus, &tid), out;
	struct wire_blame *blame;
	__u64 ns;

	if (!found)
		return;
	out = *found;
	bpf_map_delete_elem(&off_cpus, &tid);
	ns = bpf_ktime_get_ns() - out.since_ns;
	blame = blame_of(out.key);
	if (!blame) {
		lose(out.process);
		return;
	}
	if (out.preempted) {
		__sync_fetch_and_add(&blame->preemptions, 1);
		__sync_fetch_and_add(&blame->preempted_ns, ns);
		if ((out.op & (MAPAUDIT_IN_LOCK | MAPAUDIT_IN_WAIT)) == MAPAUDIT_IN_LOCK) {
			__sync_fetch_and_add(&blame->lock_preemptions, 1);
			__sync_fetch_and_add(&blame->lock_preempted_ns, ns);
		}
	} else {
		__sync_fetch_and_add(&blame->sleeps, 1);
		__sync_fetch_and_add(&blame->slept_ns, ns);
		if (out.op & MAPAUDIT_IN_WAIT) {
			__sync_fetch_and_add(&blame->lock_sleeps, 1);
			__sync_fetch_and_add(&blame->lock_slept_ns, ns);
		}
	}
	if (out.cpu != bpf_get_smp_processor_id())
		__sync_fetch_and_add(&blame->migrations, 1);
}

/*
 * Whether prev was preempted is read from its state, not from the tracepoint's fourth argument, which kernels before
 * 5.18 do not have and 5.18 has in another place. A thread on the way back to user mode is preempted with `preempt`
 * unset; one that yields counts as preempted.
 */
SEC("tp_btf/sched_switch")
int BPF_PROG(mapaudit_switch, _Bool preempt, struct task_struct *prev, struct task_struct *next)
{
	if (next->pid)
		switched_in(next->pid);
	if (prev->pid)
		switched_out(prev->pid, preempt || prev->__state == TASK_RUNNING);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
