/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Apache-2.0 */
/*
 * The structs that cross between the eBPF programs and the auditor. Fixed width, padding spelled out; sizes are
 * asserted on the C++ side.
 */
#ifndef MAPAUDIT_WIRE_H
#define MAPAUDIT_WIRE_H

#include <mapaudit/probe_abi.h>

/* ---- which probe a hit belongs to: the attach cookie is probe | domain << 8 ---- */

enum wire_probe {
	WIRE_BATCH = 1,
	WIRE_BATCH_SAMPLED,
	WIRE_ASSIGN,
	WIRE_LOOKUP,
	WIRE_ERASE,
	WIRE_GROW,
	WIRE_EVACUATE,
	WIRE_CONTENDED,
	WIRE_CONFLICT,
	WIRE_CREATE,
	WIRE_DESTROY,
	WIRE_RELEASED,
};

#define WIRE_MAX_DOMAINS 64
#define WIRE_TEXT_RANGES 8

/* A domain is one registry in one process. */
struct wire_domain {
	__u64 registry;	    /* its address in the target; 0: not known yet, accept any */
	__u32 thread_base;  /* its blocks' first entry in `threads` */
	__u32 thread_limit; /* how many it has */
	/* The target's PID namespace: its probes name threads by their ids there. */
	__u64 pidns_device;
	__u64 pidns_inode;
	/* Where the target's code lies, to tell return addresses from data. Unused ranges are empty. */
	struct {
		__u64 start, size;
	} text[WIRE_TEXT_RANGES];
};

/*
 * What has been taken from one thread block: records below this sequence number. The kernel moves it when a batch
 * arrives, the auditor when it reads a block itself; both by compare-and-swap, so no record is taken twice.
 */
#define WIRE_TAKEN_SEEN (1ull << 63) /* a batch was taken since the attach: from here on a gap is a loss */

/* ---- aggregation ---- */

/* Open-addressed table from map (and thread) to cell; a key stands at hash .. hash + WIRE_SLOT_PROBES - 1. */
#define WIRE_SLOT_PROBES 16
struct wire_slot {
	__u64 key;  /* wire_key(); 0: free */
	__u32 cell; /* WIRE_CELL_NONE: not given yet, or the cells had run out */
	__u32 reserved;
};

/* map id in bits 0..31, domain in 32..37, thread id (kernel limit 2^22) in 38..59; bit 63 keeps it from being 0 */
static inline __u64 wire_key(__u32 domain, __u32 map, __u32 tid)
{
	return (1ull << 63) | ((__u64)(tid & 0x3fffffu) << 38) | ((__u64)(domain & 63u) << 32) | map;
}

/* One octave of a histogram. 32-bit counts wrap: the reader takes differences, far more often than 2^32 hits. */
struct wire_page {
	__u32 count[MAPAUDIT_SUB_BUCKETS];
};

/* One operation of one map on one lane. Sums are in ticks, for WIRE_GROW and the per-operation probes in ns. */
struct wire_cell_op {
	__u64 counted;	   /* calls that were counted and not timed */
	__u64 sampled;	   /* timed calls that are among the counted ones: calls = counted + timed - sampled */
	__u64 latency_sum; /* of timed calls; how many these are, the histogram says */
	__u64 latency_max;
	__u64 waits;
	__u64 wait_sum;
	__u64 migrations;
	__u64 lost;	     /* calls seen and not recorded: no page was left */
	__s64 buckets_grown; /* grow only: new minus old buckets */
	__u64 conflicts;     /* by the operation that met another: assign a writer, lookup a reader or an iteration */
	__u64 grew_sum;	     /* of latency_sum: by operations that grew or evacuated; how many, their histogram says */
	__u32 latency_page[MAPAUDIT_OCTAVES]; /* index into pages; 0: none yet */
	__u32 extra;			      /* index into extras; 0: none yet */
};

/* The histograms that most operations have no use for: a place is given to those that ever waited or grew. */
struct wire_extra {
	__u32 wait_page[MAPAUDIT_OCTAVES];
	__u32 grew_page[MAPAUDIT_OCTAVES];
};

struct wire_cell {
	struct wire_cell_op op[MAPAUDIT_OPS];
};

/*
 * The first cells of every lane are "(other)", one a domain in the domains' order: what finds no cell of its own is
 * counted there, and so is a call whose histogram finds no page: some pages are kept for these cells. In a slot, 0 is
 * none: no map is given one of these.
 */
#define WIRE_CELL_NONE 0

/*
 * A lane owns the cells of one CPU: whoever holds `busy` writes them without atomics. A program that finds a lane
 * taken (the thread that holds it was preempted, or a batch's records come from another CPU) does not wait: the batch
 * goes to user space as it is.
 */
struct wire_lane {
	__u64 busy;
	__u64 malformed; /* records of the batch in hand */
	__u64 uncounted; /* of the chunk in hand: the malformed ones, and those that found no place */
	__u64 reserved[5];
	struct mapaudit_record records[MAPAUDIT_BATCH];
};

/* ---- the ledger, one per CPU, summed by the reader; handled + lost = fired ---- */

enum wire_loss {
	WIRE_LOST_UNREADABLE = 0, /* the batch's memory could not be read */
	WIRE_LOST_MALFORMED,	  /* a record or batch that no library writes */
	WIRE_LOST_BUSY,		  /* the lane was taken, where a single operation cannot be handed over */
	WIRE_LOST_NO_PAGE,	  /* the histogram memory is full, "(other)"'s too */
	WIRE_LOST_RING,		  /* the event ring is full */
	WIRE_LOST_MISSED,	  /* a batch that the target fired never arrived */
	WIRE_LOST_REGISTRY,	  /* from a registry that is not known */
	WIRE_LOSSES,
};

struct wire_ledger {
	__u64 fired;
	__u64 handled;
	__u64 lost[WIRE_LOSSES];
	__u64 batches;
	__u64 spilled; /* records that went to user space whole; counted in `handled` when they are taken there */
	__u64 events_dropped;	/* details of growth, creation and destruction that the ring had no room for; not counts
				 */
	__u64 stacks_dropped;	/* stacks that found no place and are shown as unknown */
	__u64 event_hits;	/* of all probes but the batches': what they cost, not counts */
	__u64 evidence_dropped; /* waits, holds, conflicts and growths (all counted elsewhere) whose stacks found no row
				 */
	__u64 timed_hits;	/* of all probes, and what they took in the program: the target's time, not counts */
	__u64 timed_ns;
};

/* A hit that took longer was preempted on its way, and is not among those timed. */
#define WIRE_LONGEST_HIT_NS 100000ull

/* ---- evidence: who waited, whom for, who raced, who grew; by call stacks ---- */

enum wire_evidence_kind {
	WIRE_WAITING = 1, /* stack: who waited; other: who held the lock; detail: op; tid 0 */
	WIRE_OWNING,	  /* stack: who let go of a lock that others waited for; detail: op; durations: held */
	WIRE_RACING,	  /* stack: who came upon the other; other: who was inside; detail: enum mapaudit_conflict */
	WIRE_GROWING,	  /* stack: whose operation grew the map; detail: enum mapaudit_grow_reason */
};

/*
 * A stack is named by a fingerprint: a hash of the return addresses that can be found in it without unwinding. The
 * first time one is seen, the stack itself goes to user space as a WIRE_EVENT_STACK. 0: not known.
 */
struct wire_evidence_key {
	__u64 stack;
	__u64 other_stack;
	__u32 map;
	__u32 domain;
	__u32 tid; /* as the target knows it, like other_tid; 0: any */
	__u32 other_tid;
	__u16 kind; /* enum wire_evidence_kind */
	__u16 detail;
	__u32 reserved;
};

struct wire_evidence {
	__u64 count;
	__u64 total_ns;
	__u64 max_ns;
	__u64 first_ns; /* CLOCK_MONOTONIC */
	__u64 last_ns;
};

#define WIRE_FRAMES 32 /* of the chain of frame pointers */
#define WIRE_STACK_CHUNK 1024u
#define WIRE_STACK_BYTES (16u * WIRE_STACK_CHUNK)

/* ---- events ---- */

enum wire_event_type {
	WIRE_EVENT_SPILL = 1,
	WIRE_EVENT_GROW,
	WIRE_EVENT_EVACUATE,
	WIRE_EVENT_CREATE,
	WIRE_EVENT_DESTROY,
	WIRE_EVENT_CONFLICT,
	WIRE_EVENT_STACK,
};

struct wire_event {
	__u32 type;
	__u32 domain;
	__u32 map;
	__u32 cpu;
	__u32 tid;
	__u32 reserved;
	__u64 time_ns; /* CLOCK_MONOTONIC */
};

struct wire_grow {
	struct wire_event event;
	__u64 old_buckets;
	__u64 new_buckets;
	__u64 duration_ns;
	__u32 reason;
	__u32 part;
	__u32 counted; /* 0: the kernel could not add it to a cell, the reader must */
	__u32 number;  /* of this growth of that part, from 1; 0: not numbered */
};

struct wire_evacuate {
	struct wire_event event;
	__u64 done;
	__u64 total;
	__u32 part;
	__u32 reserved;
};

struct wire_create {
	struct wire_event event;
	struct mapaudit_map_desc desc;
};

struct wire_destroy {
	struct wire_event event;
	__u64 size;
	__u64 buckets;
	__u64 grows;
};

struct wire_conflict {
	struct wire_event event;
	__u32 kind; /* enum mapaudit_conflict */
	__u32 other_tid;
	__u32 counted; /* 0: the kernel could not add it to a cell, the reader must */
	__u32 reserved;
};

/* A thread's registers and the top of its stack, where it hit a probe. */
struct wire_stack {
	struct wire_event event;
	__u64 fingerprint;
	__u64 ip, sp, bp;
	__u64 saved[10];	   /* callee-saved: rbx, r12 .. r15 on x86-64, x19 .. x28 on aarch64 */
	__u64 link;		   /* x30 on aarch64 */
	__u64 frames[WIRE_FRAMES]; /* by frame pointers, from the probe outwards, 0 after the last */
	__u32 bytes;		   /* of memory that could be read */
	__u32 reserved;
	__u8 memory[WIRE_STACK_BYTES]; /* from sp upwards */
};

struct wire_spill {
	struct wire_event event;
	__u64 count;
	struct mapaudit_record records[MAPAUDIT_BATCH];
};

/* ---- blame: CPU samples, and time off the CPU, by what threads were doing (blame_cpu.bpf.c, blame_sched.bpf.c) ----
 */

/* What an operation was doing when a sample hit it: the first that holds, from the last. */
enum wire_phase {
	WIRE_PHASE_WORK = 0,
	WIRE_PHASE_LOCKED, /* work with the map's lock held */
	WIRE_PHASE_GROW,
	WIRE_PHASE_WAIT, /* for the map's lock: on the CPU, so spinning, or on its way to sleep */
	WIRE_PHASES,
};

/* Counters of the processor, where it has them. */
enum wire_counter {
	WIRE_COUNT_CYCLES = 0,
	WIRE_COUNT_INSTRUCTIONS,
	WIRE_COUNT_CACHE_MISSES,
	WIRE_COUNT_BRANCH_MISSES,
	WIRE_COUNTERS,
};

/* A perf event's attach cookie: which counter it samples, in the low byte, and whether its overflows are the samples.
 */
#define WIRE_COUNT_NONE 0xffu
#define WIRE_COUNT_MASK 0xffu
#define WIRE_IS_SAMPLE 0x100u

/* One process under audit, by its id as the auditor knows it. */
struct wire_blame_process {
	__u32 index; /* of its wire_blame_rest */
	__u32 first_domain;
	__u32 domains;
	__u32 reserved;
	__u64 pidns_device; /* the process's PID namespace, which the ids in its blocks are of; 0: the initial one */
	__u64 pidns_inode;
};

#define WIRE_BLAME_DOMAINS 4 /* registries of one process that are looked into */
/* Blocks searched for a thread that is not known yet: at a sample the first three chunks; at a switch, of which there
 * may be a hundred thousand a second, the first one. */
#define WIRE_BLAME_SCAN 56
#define WIRE_BLAME_SCAN_SWITCH 8

/* Key of the table of threads' blocks; the thread's id is that of its own PID namespace. */
static inline __u64 wire_thread_key(__u32 domain, __u32 tid)
{
	return (__u64)domain << 32 | tid;
}

/* Key of the blame table. */
static inline __u64 wire_blame_key(__u32 domain, __u32 map, __u32 op)
{
	return (__u64)(domain & 63u) << 40 | (__u64)(op & 0xffu) << 32 | map;
}

/* What one operation of one map is blamed for. Counts only ever rise: the reader takes differences. */
struct wire_blame {
	__u64 samples[WIRE_PHASES];
	__u64 events[WIRE_COUNTERS];
	__u64 sleeps; /* times off the CPU that began with the thread not runnable */
	__u64 slept_ns;
	__u64 lock_sleeps; /* of these, waiting for the map's lock */
	__u64 lock_slept_ns;
	__u64 preemptions; /* times off the CPU that began with the thread runnable */
	__u64 preempted_ns;
	__u64 lock_preemptions; /* of these, holding the map's lock */
	__u64 lock_preempted_ns;
	__u64 migrations; /* came back on another CPU */
	__u64 reserved;
};

/* A thread that was switched out inside an operation. */
struct wire_off_cpu {
	__u64 since_ns; /* CLOCK_MONOTONIC */
	__u64 key;	/* wire_blame_key() */
	__u32 cpu;
	__u32 op;      /* with MAPAUDIT_IN_* */
	__u32 process; /* index */
	__u32 preempted;
};

/* The samples of one process: samples = those of its maps + elsewhere + unknown + lost. */
struct wire_blame_rest {
	__u64 samples;
	__u64 elsewhere; /* in no operation */
	__u64 unknown;	 /* what the thread did could not be told: its block is not known yet, or makes no sense */
	__u64 lost;	 /* in an operation that the blame table had no room for */
	__u64 events[WIRE_COUNTERS]; /* of the whole process */
	__u64 off_cpu_lost;	     /* times off the CPU in an operation that a table had no room for */
	__u64 reserved;
};

#endif /* MAPAUDIT_WIRE_H */
