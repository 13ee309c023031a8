/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between a process that announces its maps and whoever listens: provider, probe names, argument
 * order, enums, and the memory a probe or the registry hands over. Plain C: the target library, the eBPF programs
 * and the auditor all read this file and no other.
 *
 * Probes of provider `mapaudit` (arguments in the ABI's registers, in this order):
 *
 *   batch, batch_sampled  records (address of struct mapaudit_record[count]), count (1..MAPAUDIT_BATCH),
 *                         first sequence number, thread id << 32 | block index, cpu, registry address
 *   assign, lookup, erase map id, latency_ns, wait_ns, flags (MAPAUDIT_REC_*)
 *   grow                  map id, old buckets, new buckets, duration_ns, reason (enum mapaudit_grow_reason),
 *                         part | number of this growth of that part, from 1, << 32 (probes fire after the critical
 *                         section, and so may overtake one another)
 *   evacuate              map id, buckets evacuated so far, buckets to evacuate, part
 *   contended             map id, op, wait_ns, owner's thread id (0: readers, or somebody who took the lock unaudited),
 *                         ns since the wait began
 *   released              map id, op, ns that the lock was held, 1 if held shared: by a thread for which others waited
 *   conflict              map id, kind (enum mapaudit_conflict), the other thread's id, side (enum mapaudit_side),
 *                         ns since the one thread came upon the other
 *   create                map id, address of its struct mapaudit_map_desc, registry address
 *   destroy               map id, size, buckets, grows, registry address
 *
 * A `part` is one of the tables of a map made of several (a shard); 0 elsewhere. contended and released fire while
 * batch, batch_sampled or the operation's own probe is attached as well: only then are waits told from free locks. An
 * op of MAPAUDIT_OP_WHOLE is none of the three: an iteration, a clear.
 */
#ifndef MAPAUDIT_PROBE_ABI_H
#define MAPAUDIT_PROBE_ABI_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define MAPAUDIT_ABI_VERSION 2u
#define MAPAUDIT_REGISTRY_MAGIC 0x544944554150414dull /* "MAPAUDIT", little endian */
#define MAPAUDIT_NOTE_NAME "mapaudit"                 /* owner of the ELF note that gives the registry's address */
#define MAPAUDIT_NOTE_REGISTRY 1u                     /* its type; the descriptor is one 64-bit link-time address */

enum mapaudit_op {
    MAPAUDIT_OP_ASSIGN = 0,
    MAPAUDIT_OP_LOOKUP = 1,
    MAPAUDIT_OP_ERASE = 2,
    MAPAUDIT_HOT_OPS = 3, /* the operations that batches carry */
    MAPAUDIT_OP_GROW = 3, /* from the grow probe only */
    MAPAUDIT_OPS = 4,
    MAPAUDIT_OP_WHOLE = 4, /* of the whole map; only contended and released know it */
};

enum mapaudit_grow_reason {
    MAPAUDIT_GROW_LOAD = 0,     /* load factor exceeded: the table doubles */
    MAPAUDIT_GROW_OVERFLOW = 1, /* too many overflow buckets: same size, repacked */
};

enum mapaudit_conflict {
    MAPAUDIT_CONFLICT_WRITE_WRITE = 0,
    MAPAUDIT_CONFLICT_READ_WRITE = 1,
    MAPAUDIT_CONFLICT_ITERATE_WRITE = 2,
};

/* Which of the two threads in a conflict reports it. */
enum mapaudit_side {
    MAPAUDIT_SIDE_SECOND = 0, /* the one that came upon the other: one hit a conflict */
    MAPAUDIT_SIDE_FIRST = 1, /* the one that was inside, as it leaves: for its stack, the conflict is counted already */
};

enum mapaudit_clock {
    MAPAUDIT_CLOCK_TICKS = 0,     /* invariant TSC, or the generic timer on aarch64 */
    MAPAUDIT_CLOCK_MONOTONIC = 1, /* CLOCK_MONOTONIC, in ns */
};

/* ---- log-linear buckets: 32 to an octave, so that a bucket's width is at most 1/32 of its lower edge ---- */

#define MAPAUDIT_SUB_BUCKETS 32u
#define MAPAUDIT_OCTAVES 37u /* page 0 is linear (0..31), page p holds [2^(p+4), 2^(p+5)); up to 2^41 */
#define MAPAUDIT_BUCKETS (MAPAUDIT_OCTAVES * MAPAUDIT_SUB_BUCKETS)

/* Index of the bucket that holds `value`; what is too large falls into the last one. */
static inline __u32 mapaudit_bucket(__u64 value) {
    __u32 shift;

    if (value >> 41) return MAPAUDIT_BUCKETS - 1;
#ifdef __bpf__
    /* No count-leading-zeros in eBPF: a binary search, five branches. */
    if (value < MAPAUDIT_SUB_BUCKETS) return (__u32)value;
    {
        __u64 v = value >> 5;

        shift = 0;
        if (v >> 32) {
            v >>= 32;
            shift += 32;
        }
        if (v >> 16) {
            v >>= 16;
            shift += 16;
        }
        if (v >> 8) {
            v >>= 8;
            shift += 8;
        }
        if (v >> 4) {
            v >>= 4;
            shift += 4;
        }
        if (v >> 2) {
            v >>= 2;
            shift += 2;
        }
        if (v >> 1) shift += 1;
    }
#else
    /* Page 0 is page 1's formula with a shift of 0: no branch, which short operations would have mispredicted. */
    shift = 58u - (__u32)__builtin_clzll(value | MAPAUDIT_SUB_BUCKETS);
#endif
    return shift * MAPAUDIT_SUB_BUCKETS + (__u32)(value >> shift);
}

/* Smallest value that falls into bucket `index`. */
static inline __u64 mapaudit_bucket_floor(__u32 index) {
    __u32 page = index / MAPAUDIT_SUB_BUCKETS;
    __u64 sub = index % MAPAUDIT_SUB_BUCKETS;

    return page == 0 ? sub : (MAPAUDIT_SUB_BUCKETS + sub) << (page - 1);
}

/* ---- records ---- */

#define MAPAUDIT_REC_SAMPLED 0x01u  /* one call out of many was timed; the call itself is in a COUNT record */
#define MAPAUDIT_REC_COUNT 0x02u    /* no timing: `latency` is a number of calls, `wait` that of one counted before */
#define MAPAUDIT_REC_MIGRATED 0x04u /* the operation ended on another CPU than it began on */
#define MAPAUDIT_REC_SCALED 0x08u   /* latency and wait are in units of 256 ticks, rounded down */
#define MAPAUDIT_REC_GREW 0x10u     /* the operation started a growth or evacuated buckets */
#define MAPAUDIT_SCALED_SHIFT 8

/* One operation. 16 bytes: four to a cache line, read by eBPF as a block. */
struct mapaudit_record {
    __u32 map;     /* map id, never 0 */
    __u32 latency; /* ticks of the registry's clock, wait included */
    __u32 wait;    /* ticks of it spent waiting for a lock of the map; 0 when the lock was free */
    __u16 bucket;  /* mapaudit_bucket(latency in ticks) */
    __u8 op;       /* enum mapaudit_op, below MAPAUDIT_HOT_OPS */
    __u8 flags;    /* MAPAUDIT_REC_* */
};

#define MAPAUDIT_BATCH 512u /* records in a full batch */
#define MAPAUDIT_RING \
    (2 * MAPAUDIT_BATCH)       /* a thread's ring: the half handed over stays readable while the other fills */
#define MAPAUDIT_COUNTERS 256u /* slots of the sampled level's counting table */

/* What an operation is doing, beside its kind in the low byte of mapaudit_thread_block.op. */
#define MAPAUDIT_IN_OP 0xffu
#define MAPAUDIT_IN_WAIT 0x100u /* waiting for a lock of the map */
#define MAPAUDIT_IN_LOCK 0x200u /* holding one */
#define MAPAUDIT_IN_GROW 0x400u /* growing or evacuating */

#define MAPAUDIT_NOTE_WAITED 1u     /* this thread waited */
#define MAPAUDIT_NOTE_WAITED_FOR 2u /* others waited for it */
#define MAPAUDIT_NOTE_SHARED 4u     /* what they waited for was held shared */

/* Calls of one map counted since they were last turned into COUNT records. */
struct mapaudit_counter {
    __u32 map; /* 0: free */
    __u32 calls[MAPAUDIT_HOT_OPS];
};

/*
 * One thread's memory, written by that thread and read from outside (detail/batch.hpp has the rules). Blocks are never
 * freed: a block whose thread ended goes to the next new thread, and its sequence numbers go on.
 *
 * Record number s stands at records[s % MAPAUDIT_RING]. Records in [flushed, seq) wait for the next batch; `flushed`
 * moves before the probe fires. A reader that finds `epoch` unchanged and even around its copy has a consistent view
 * of `counters` against `seq`.
 */
struct mapaudit_thread_block {
    __u32 index; /* of this block in the registry */
    __u32 tid;   /* of the thread that owns it; 0: free */
    __u64 seq;
    __u64 flushed;
    __u32 epoch;     /* odd while counters are being turned into records */
    __u32 cpu;       /* of all records in [flushed, seq) */
    __u32 op_map;    /* the operation this thread is in right now: map id, 0 for none */
    __u32 op;        /* enum mapaudit_op, and MAPAUDIT_IN_* */
    __u64 deadline;  /* ticks at which a batch goes out even if not full */
    __u32 countdown; /* sampled level: untimed operations until the next timed one */
    __u32 random;    /* xorshift state behind countdown */
    __u32 counting;  /* any counter may be non-zero */
    __u32 reserved1;
    __u64 next_free;
    __u64 cpu_address; /* where the owner finds the CPU it is on, as a 32-bit number; 0: it must ask */
    __u64 events;      /* growths, evacuations, waits and conflicts this thread has reported one by one */
    /* What is to be reported of locks when the operation has ended. */
    __u32 lock_map;   /* the map whose operation it was; 0: nothing to report */
    __u32 lock_notes; /* MAPAUDIT_NOTE_* */
    __u32 lock_owner; /* thread waited for */
    __u32 reserved0;
    __u64 wait_started;     /* ticks */
    __u64 waited_for_since; /* ticks at which somebody began to wait for this thread */
    __u64 reserved[2];
    struct mapaudit_record records[MAPAUDIT_RING];
    struct mapaudit_counter counters[MAPAUDIT_COUNTERS];
};

/* ---- registry ---- */

#define MAPAUDIT_NAME_LEN 64
#define MAPAUDIT_KIND_LEN 32

/* Where an unsigned integer of a map stands: at addr + i * stride for each part i. */
struct mapaudit_field {
    __u64 addr;  /* 0: unknown */
    __u16 width; /* bytes: 1, 2, 4 or 8 */
    __u16 log2;  /* 1: the value is an exponent of two */
    __u32 reserved;
};

/*
 * One map, as seen from outside. Sums over its parts give its size and buckets. Valid while `id` is not 0; `id` is
 * written last when a map is made and first when it is destroyed.
 */
struct mapaudit_map_desc {
    __u32 id;
    __u32 parts;  /* tables that the fields below are summed over */
    __u64 stride; /* bytes between two parts */
    struct mapaudit_field size;
    struct mapaudit_field buckets;
    struct mapaudit_field overflow; /* overflow buckets in use */
    struct mapaudit_field grows;    /* growths since the map was made */
    char kind[MAPAUDIT_KIND_LEN];
    char name[MAPAUDIT_NAME_LEN];
    __u32 index;     /* of this descriptor in the registry */
    __u32 flags;     /* MAPAUDIT_MAP_* */
    __u64 next_free; /* index + 1 of the next free descriptor; only meaningful while id is 0 */
};

#define MAPAUDIT_MAP_CHECKED 1u /* looks for concurrent access that it does not allow */

#define MAPAUDIT_CHUNKS 24
#define MAPAUDIT_DESC_CHUNK 64u /* descriptors in chunk 0; each further chunk is twice the one before it */
#define MAPAUDIT_BLOCK_CHUNK 8u /* the same for thread blocks */

/* Which chunk holds entry `index`, and where in it: chunks double, so an entry never moves. */
static inline __u32 mapaudit_chunk_of(__u32 index, __u32 first) {
    return 31u - (__u32)__builtin_clz(index / first + 1);
}
static inline __u32 mapaudit_chunk_start(__u32 chunk, __u32 first) { return first * ((1u << chunk) - 1); }
static inline __u32 mapaudit_chunk_size(__u32 chunk, __u32 first) { return first << chunk; }

struct mapaudit_registry {
    __u64 magic;                              /* MAPAUDIT_REGISTRY_MAGIC once in use; 0 before the first map is made */
    __u32 version;                            /* MAPAUDIT_ABI_VERSION */
    __u32 clock;                              /* enum mapaudit_clock */
    __u32 record_size, block_size, desc_size; /* sizeof, so that a reader can refuse a stranger */
    __u32 descs;                              /* descriptors ever in use: entries [0, descs) may hold a map */
    __u32 blocks;                             /* thread blocks ever in use */
    __u32 maps_live;                          /* maps alive now */
    __u32 last_map_id;                        /* ids count up from 1 and are not used twice */
    __u32 unregistered;                       /* maps that found no memory for a descriptor: not audited */
    __u64 free_desc;                          /* index + 1 of the first free descriptor, 0 for none */
    __u64 free_block;                         /* address of the first free block */
    __u64 start_ticks, start_ns;              /* both clocks when the registry came up */
    __u64 desc_chunks[MAPAUDIT_CHUNKS];
    __u64 block_chunks[MAPAUDIT_CHUNKS];
};

#endif /* MAPAUDIT_PROBE_ABI_H */
