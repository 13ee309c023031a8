// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One program behind every probe of the provider: the attach cookie says which one was hit, so that a process is
 * attached, and detached, through a single link.
 *
 * No type of the kernel's is used: this object also loads where the kernel has no BTF.
 */
#include "usdt/batch.bpf.h"
#include "usdt/events.bpf.h"

/* A global function: inlined, its branch would have the verifier go through everything below twice. */
int __noinline count_event_hit(void)
{
	struct wire_ledger *ledger = this_ledger();

	if (ledger)
		__sync_fetch_and_add(&ledger->event_hits, 1);
	return 0;
}

/*
 * What a batch costs depends on what is in it: records that change from map to map, histograms that left the cache. So
 * it is measured where it is paid.
 */
int __noinline time_hit(__u64 start)
{
	__u64 took = bpf_ktime_get_ns() - start;
	struct wire_ledger *ledger = this_ledger();

	if (ledger && took <= WIRE_LONGEST_HIT_NS) {
		__sync_fetch_and_add(&ledger->timed_hits, 1);
		__sync_fetch_and_add(&ledger->timed_ns, took);
	}
	return 0;
}

static __always_inline int on_hit(struct wire_regs *regs, __u64 cookie)
{
	__u32 domain = (__u32)(cookie >> 8), probe = cookie & 0xff;

	if (probe > WIRE_BATCH_SAMPLED)
		count_event_hit();
	switch (probe) {
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
	case WIRE_CONTENDED:
		return on_contended(regs, domain);
	case WIRE_RELEASED:
		return on_released(regs, domain);
	case WIRE_CONFLICT:
		return on_conflict(regs, domain);
	case WIRE_CREATE:
		return on_create(regs, domain);
	case WIRE_DESTROY:
		return on_destroy(regs, domain);
	}
	return 0;
}

SEC("uprobe")
int mapaudit_hit(struct wire_regs *regs)
{
	__u64 start = bpf_ktime_get_ns();

	on_hit(regs, bpf_get_attach_cookie(regs));
	time_hit(start);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
