// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The share of a process's CPU time that each operation of its maps takes, by sampling; and, where there are hardware
 * counters, what they counted there. One perf event a CPU, so that threads that come and go cost the target nothing;
 * samples of other processes end at the first look-up.
 *
 * No type of the kernel's is used: this object also loads where the kernel has no BTF.
 */
#include <linux/bpf_perf_event.h>

#include "blame/blame.bpf.h"

SEC("perf_event")
int mapaudit_sample(struct bpf_perf_event_data *sample)
{
	struct wire_blame_process *process = current_target();
	__u64 cookie, events = sample->sample_period;
	struct wire_blame_rest *rest;
	struct wire_blame *blame = 0;
	struct block_head head = {};
	__u32 domain = 0, counter;
	enum doing doing;

	if (!process)
		return 0;
	rest = bpf_map_lookup_elem(&rests, &process->index);
	if (!rest)
		return 0;
	cookie = bpf_get_attach_cookie(sample);
	counter = cookie & WIRE_COUNT_MASK;
	doing = what_it_does(process, &head, &domain, WIRE_BLAME_SCAN);
	if (doing == DOING_OPERATION)
		blame = blame_of(wire_blame_key(domain, head.op_map, head.op & MAPAUDIT_IN_OP));
	if (cookie & WIRE_IS_SAMPLE) {
		__sync_fetch_and_add(&rest->samples, 1);
		if (blame)
			__sync_fetch_and_add(&blame->samples[phase_of(head.op)], 1);
		else if (doing == DOING_OPERATION)
			__sync_fetch_and_add(&rest->lost, 1);
		else if (doing == DOING_UNKNOWN)
			__sync_fetch_and_add(&rest->unknown, 1);
		else
			__sync_fetch_and_add(&rest->elsewhere, 1);
	}
	if (counter < WIRE_COUNTERS) {
		__sync_fetch_and_add(&rest->events[counter], events);
		if (blame)
			__sync_fetch_and_add(&blame->events[counter], events);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
