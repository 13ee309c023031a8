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
};

#define WIRE_MAX_DOMAINS 64

/* A domain is one registry in one process. */
struct wire_domain {
	__u64 registry;     /* its address in the target; 0: not known yet, accept any */
	__u32 thread_base;  /* its blocks' first entry in `threads` */
	__u32 thread_limit; /* how many it has */
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
	__u64 counted;     /* calls that were counted and not timed */
	__u64 sampled;     /* timed calls that are among the counted ones: calls = counted + timed - sampled */
	__u64 latency_sum; /* of timed calls; how many these are, the histogram says */
	__u64 latency_max;
	__u64 waits;
	__u64 wait_sum;
	__u64 migrations;
	__u64 lost;             /* calls seen and not recorded: no page was left */
	__s64 buckets_grown;    /* grow only: new minus old buckets */
	__u64 conflicts;        /* by the operation that met another: assign a writer, lookup a reader or an iteration */
	__u32 latency_page[MAPAUDIT_OCTAVES]; /* index into pages; 0: none yet */
	__u32 wait_page[MAPAUDIT_OCTAVES];
};

struct wire_cell {
	struct wire_cell_op op[MAPAUDIT_OPS];
};

/* Cell 0 of every lane belongs to no map: what finds no cell of its own falls into it, and is lost. */
#define WIRE_CELL_NONE 0

/*
 * A lane owns the cells of one CPU: whoever holds `busy` writes them without atomics. A program that finds a lane
 * taken (the thread that holds it was preempted, or a batch's records come from another CPU) does not wait: the batch
 * goes to user space as it is.
 */
struct wire_lane {
	__u64 busy;
	__u64 malformed; /* tallies of the batch in hand */
	__u64 no_cell;
	__u64 no_page;
	__u64 reserved[4];
	struct mapaudit_record records[MAPAUDIT_BATCH];
};

/* ---- the ledger, one per CPU, summed by the reader; handled + lost = fired ---- */

enum wire_loss {
	WIRE_LOST_UNREADABLE = 0, /* the batch's memory could not be read */
	WIRE_LOST_MALFORMED,      /* a record or batch that no library writes */
	WIRE_LOST_NO_CELL,        /* the map table is full */
	WIRE_LOST_NO_PAGE,        /* the histogram memory is full */
	WIRE_LOST_RING,           /* the event ring is full */
	WIRE_LOST_MISSED,         /* a batch that the target fired never arrived */
	WIRE_LOST_REGISTRY,       /* from a registry that is not known */
	WIRE_LOSSES,
};

struct wire_ledger {
	__u64 fired;
	__u64 handled;
	__u64 lost[WIRE_LOSSES];
	__u64 batches;
	__u64 spilled;        /* records that went to user space whole; counted in `handled` when they are taken there */
	__u64 events_dropped; /* details of growth, creation and destruction that the ring had no room for; not counts */
};

/* ---- events ---- */

enum wire_event_type {
	WIRE_EVENT_SPILL = 1,
	WIRE_EVENT_GROW,
	WIRE_EVENT_EVACUATE,
	WIRE_EVENT_CREATE,
	WIRE_EVENT_DESTROY,
	WIRE_EVENT_CONFLICT,
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

struct wire_spill {
	struct wire_event event;
	__u64 count;
	struct mapaudit_record records[MAPAUDIT_BATCH];
};

#endif /* MAPAUDIT_WIRE_H */
