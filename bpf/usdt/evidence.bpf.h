/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who waited for whom, who raced with whom, who grew what: rare events, aggregated by call stack.
 */
#ifndef MAPAUDIT_EVIDENCE_BPF_H
#define MAPAUDIT_EVIDENCE_BPF_H

#include "usdt/counterparts.bpf.h"

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
	publish_stack(&who, key.stack, now);
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
		publish_stack(&who, stack, now);
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
