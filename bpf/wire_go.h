/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Apache-2.0 */
/*
 * The structs that cross between the eBPF program of the go source (go.bpf.c) and the auditor. Fixed width, padding
 * spelled out; sizes are asserted on the C++ side.
 */
#ifndef MAPAUDIT_WIRE_GO_H
#define MAPAUDIT_WIRE_GO_H

#include "wire.h"

/* ---- which probe a hit belongs to: the attach cookie ---- */

enum wire_go_probe {
	WIRE_GO_GROW = 1, /* runtime.hashGrow: rax the map's type, rbx the map */
	WIRE_GO_FATAL,	  /* runtime.fatal, runtime.throw: rax, rbx the message and its length */
	/* From Go 1.24 on, methods of internal/runtime/maps: */
	WIRE_GO_SWISS_TO_TABLE, /* (*Map).growToTable: rax the map, rbx its type */
	WIRE_GO_SWISS_GROW,  /* (*table).grow: rax the table, rbx the map's type, rcx the map, rdi the new capacity */
	WIRE_GO_SWISS_SPLIT, /* (*table).split: rax, rbx, rcx as above */
	WIRE_GO_SWISS_FATAL, /* runtime.fatal, called by a function that only passes on to it: maps.fatal, or another */
	/* Attached for a part of the time: */
	WIRE_GO_OPERATION, /* an operation on a map begins; of which kind, and in which registers, the bits below say */
	WIRE_GO_STEP,	   /* a step of an iteration: nothing is counted, but the map is read */
	WIRE_GO_RETURN,	   /* a RET of an operation's function */
	WIRE_GO_STEP_RETURN, /* and of a step's */
	WIRE_GO_PANIC,	     /* runtime.gopanic: the operation that the goroutine is in, if any, does not return */
};

#define WIRE_GO_PROBE_MASK 0xffull
#define WIRE_GO_STACK_CHECK 0x100ull /* the probe is on the jbe of a stack check */
#define WIRE_GO_SWISS 0x200ull	     /* of a program with Swiss maps */
#define WIRE_GO_PLACES_SHIFT 10	     /* enum wire_go_places, 2 bits */
#define WIRE_GO_OP_SHIFT 12	     /* enum mapaudit_op, 4 bits */
#define WIRE_GO_PROCESS_SHIFT 16     /* the process's index, 16 bits */
#define WIRE_GO_GOID_SHIFT 32	     /* offset of the goroutine's number in its g */

/* Where an operation finds its map and the map's type. */
enum wire_go_places {
	WIRE_GO_TYPE_MAP = 0,	/* rax the type, rbx the map */
	WIRE_GO_MAP_TYPE,	/* rax the map, rbx the type */
	WIRE_GO_OTHER_TYPE_MAP, /* rbx the type, rcx the map */
	WIRE_GO_ITERATOR,	/* rax an iterator: the type at 16 there, the map at 24 (both designs) */
};

/*
 * The head of a classic map: struct hmap of Go's runtime/map.go (to 1.23), whose layout compiler, debuggers and
 * runtime share.
 */
struct wire_go_hmap {
	__u64 count; /* elements */
	__u8 flags;
	__u8 log2_buckets; /* B */
	__u16 overflow;	   /* overflow buckets, about */
	__u32 seed;	   /* hash0: random at creation, and again whenever the map becomes empty */
};

#define WIRE_GO_HMAP_FLAGS 0x0fu /* iterator, oldIterator, hashWriting, sameSizeGrow: there are no others */
#define WIRE_GO_LARGEST_LOG2 40u /* no machine holds more buckets: memory that says so is no map's */

/*
 * The head of a Swiss map: struct Map of internal/runtime/maps/map.go (from 1.24), as far as it is needed. With a
 * directory of length 0 the map is one group of eight slots; else the directory's entries lead to tables.
 */
struct wire_go_swiss_map {
	__u64 used;	 /* elements */
	__u64 seed;	 /* random at creation, and again whenever the map becomes empty */
	__u64 directory; /* address of its entries: u64 addresses of tables, of which several may be the same */
	__u64 entries;	 /* 0, or 1 << depth */
	__u8 depth;	 /* globalDepth */
	__u8 shift;	 /* globalShift: 64 - depth */
	__u8 writing;	 /* 0 or 1 */
	__u8 reserved[5];
};

/* And of a table there: struct table of internal/runtime/maps/table.go. */
struct wire_go_swiss_table {
	__u16 used;
	__u16 capacity; /* slots: a power of two */
	__u16 room;	/* growthLeft */
	__u8 depth;	/* localDepth: 1 << (the map's depth - this) entries of the directory lead here */
	__u8 reserved;
};

#define WIRE_GO_GROUP_LOG2 3u	      /* slots of a group */
#define WIRE_GO_LARGEST_TABLE_LOG2 7u /* groups: a table that has as many is split in two of as many */
#define WIRE_GO_DEEPEST 32u	      /* no machine holds a larger directory */

/* ---- growth, by map and caller. Rows stand for what happened since they were last taken ---- */

struct wire_go_growth_key {
	__u64 map;
	__u64 caller; /* return address into what called the map's assignment; 0: not known */
	__u32 seed;
	__u32 process;
};

struct wire_go_growth {
	__u64 type;	 /* of the map */
	__u64 doublings; /* growths to twice the buckets */
	__u64 same_size; /* growths to as many, that repack overflow buckets */
	__u64 buckets_added;
	__u64 size;		 /* elements at the latest growth */
	__u64 first_ns, last_ns; /* CLOCK_MONOTONIC */
	/*
	 * Buckets before the first growth and after the latest. For a Swiss map, the groups that its directory has room
	 * for: as many as it has while the directory has one table, and never fewer than before.
	 */
	__u8 first_log2;
	__u8 last_log2;
	__u8 reserved[6];
};

/* A place that grows maps. */
struct wire_go_site_key {
	__u64 caller;
	__u32 process;
	__u32 reserved;
};

#define WIRE_GO_FRAMES 32
struct wire_go_site {
	__u64 frames[WIRE_GO_FRAMES]; /* of the first growth there, from the probe outwards, 0 after the last */
};

/*
 * Growths that are in no row by map, by place, since the attach: of maps on a goroutine's stack, which moves, and of
 * those that the table had no room for. One a CPU: a burst of short-lived maps would have all CPUs fight for it.
 */
struct wire_go_spill {
	__u64 type;
	__u64 doublings, same_size, buckets_added;
	__u64 first_ns, last_ns;
};

/* ---- operations, while their window is open. Rows stand for what happened since they were last taken ---- */

/*
 * Names the calls of an operation by caller, or its latencies by bucket. Map 0 stands for maps without an address that
 * stays: nil maps and those on a goroutine's stack.
 */
struct wire_go_calls_key {
	__u64 map;
	__u64 from; /* the caller, as in growths; with WIRE_GO_TIMES in `op`: the latency's bucket (probe_abi.h) */
	__u32 seed; /* of map 0, with WIRE_GO_TIMES: the bucket, where `from` is the caller */
	__u16 process;
	__u16 op; /* enum mapaudit_op, WIRE_GO_TIMES */
};

#define WIRE_GO_TIMES 0x100u

struct wire_go_calls {
	__u64 type;
	__u64 calls;
	__u64 conflicts;
	__u64 time_sum, time_max; /* of a row of times, in ns */
	__u64 size;		  /* elements at the latest call */
	__u64 first_ns;		  /* CLOCK_MONOTONIC */
	__u8 log2;		  /* buckets at the first call, as in growths */
	__u8 reserved[7];
};

/* Two goroutines in one map, of which one writes: an event of the ring. */
struct wire_go_conflict {
	__u64 time_ns;
	__u64 map, type;
	__u64 goid, other_goid; /* who came upon the other, who was inside; other_goid 0: it had just left */
	__u32 process;
	__u32 seed;
	__u32 kind; /* enum mapaudit_conflict */
	__u16 op;   /* of the one who came */
	__u8 log2;
	__u8 reserved;
	__u64 size;
	/* Innermost first, the map's function itself included; 0 after the last. */
	__u64 frames[WIRE_GO_FRAMES], other_frames[WIRE_GO_FRAMES];
};

#define WIRE_GO_MOST_TOLD 8u /* conflicts of one map that are told with stacks while a window is open */

/* ---- the error that ends a program: an event of the ring ---- */

#define WIRE_GO_MESSAGE 64
struct wire_go_fatal {
	__u64 time_ns;
	__u64 goid;
	__u32 process;
	__u32 length; /* of the message in memory; here it may be cut */
	__u64 inside; /* return address: in the map's operation */
	/* The map that the operation was on, where its arguments were found on the stack; 0: not known. */
	__u64 map, type;
	struct wire_go_hmap head;
	/* From the probe outwards. The operation is among them or not, as the kernel takes the function to begin. */
	__u64 frames[WIRE_GO_FRAMES];
	char message[WIRE_GO_MESSAGE];
	/* The goroutine that was writing to the map, if a window was open; 0: not known. Frames as in a conflict. */
	__u64 other_goid;
	__u64 other_frames[WIRE_GO_FRAMES];
};

/* ---- the ledger, summed over CPUs by the reader; handled + lost = fired ---- */

enum wire_go_loss {
	WIRE_GO_LOST_UNREADABLE = 0, /* the map's memory could not be read, or holds no map */
	WIRE_GO_LOST_TABLES,	     /* neither the map nor its caller found a row */
	WIRE_GO_LOST_RING,	     /* a fatal error found no room in the ring */
	WIRE_GO_LOST_CALLS,	     /* neither an operation's map nor its caller found a row */
	WIRE_GO_LOSSES,
};

#define WIRE_GO_TIMED_HITS 8u /* one hit in so many, on each CPU, is timed */

struct wire_go_ledger {
	__u64 fired;
	__u64 handled;
	__u64 lost[WIRE_GO_LOSSES];
	__u64 hits;    /* of all probes, those too that will come again behind a stack that grows first */
	__u64 stepped; /* of these, at a RET, which the kernel cannot emulate */
	__u64 untimed; /* operations that no latency is known of: they did not return, or found no room */
	__u64 untold; /* conflicts that are counted and not told: more than WIRE_GO_MOST_TOLD, or no room in the ring */
	__u64 timed_hits;
	__u64 timed_ns;
};

#endif /* MAPAUDIT_WIRE_GO_H */
