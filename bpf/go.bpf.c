// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The maps of unmodified Go programs: their growth, added up by map and caller, and the errors that end a program.
 *
 * A busy program grows maps a hundred thousand times a second: a growth is added to a row here and handed over with
 * the others at the interval. Two tables take turns, so that one can be read and emptied while nobody writes to it; the
 * kernel lets no program that began with the old one run on when it returns from exchanging them.
 *
 * No type of the kernel's is used: this object also loads where the kernel has no BTF.
 */
#include "mapaudit.bpf.h"
#include "wire_go.h"

#define E2BIG 7 /* a hash table is full */

struct growth_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct wire_go_growth_key);
	__type(value, struct wire_go_growth);
};
struct growth_table growths_even SEC(".maps");
struct growth_table growths_odd SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct growth_table);
} growths SEC(".maps") = {
	.values = {[0] = &growths_even},
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct wire_go_site_key);
	__type(value, struct wire_go_site);
} sites SEC(".maps");
__u64 no_site[sizeof(struct wire_go_site) / sizeof(__u64)]; /* an array: the skeleton need not know the type */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct wire_go_site_key);
	__type(value, struct wire_go_spill);
} spills SEC(".maps");

__u64 table_full; /* so that nobody looks for room in it until it is exchanged: the auditor clears it then */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} fatals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_go_ledger);
} ledgers SEC(".maps");

static __always_inline struct wire_go_ledger *this_ledger(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ledgers, &zero);
}

static __always_inline void lose(struct wire_go_ledger *ledger, enum wire_go_loss cause)
{
	__sync_fetch_and_add(&ledger->lost[cause], 1);
}

#if defined(__TARGET_ARCH_x86)

#define STACK_CHECK_TAKEN 0x41 /* CF, ZF: jbe jumps, the stack grows, and the prologue runs once more */

/* The map's head, if there is one at that address. */
static __always_inline int read_head(struct wire_go_hmap *head, __u64 map)
{
	return map && bpf_probe_read_user(head, sizeof(*head), (void *)map) == 0 &&
	       head->log2_buckets < WIRE_GO_LARGEST_LOG2 && !(head->flags & ~WIRE_GO_HMAP_FLAGS);
}

/* ---- growth ---- */

/*
 * As the runtime decides it, in hashGrow's first lines (runtime/map.go, overLoadFactor): more than 6.5 elements a
 * bucket, the new one included, double them; else it is the overflow buckets that are too many.
 */
static __always_inline int doubles(const struct wire_go_hmap *head)
{
	__u64 size = head->count + 1, buckets = 1ull << head->log2_buckets;

	return size > 8 && size > 13 * (buckets / 2);
}

/* Keeps the way to a place that grows maps, the first time. */
static __always_inline void introduce(struct wire_regs *regs, const struct wire_go_site_key *key)
{
	struct wire_go_site *site = bpf_map_lookup_elem(&sites, key);

	if (site || bpf_map_update_elem(&sites, key, no_site, BPF_NOEXIST))
		return;
	site = bpf_map_lookup_elem(&sites, key);
	if (site)
		bpf_get_stack(regs, site->frames, sizeof(site->frames), BPF_F_USER_STACK);
}

/* Where no row can be had by map. */
static __always_inline int spill(struct wire_regs *regs, const struct wire_go_site_key *key, __u64 added, __u64 now)
{
	struct wire_go_spill *row = bpf_map_lookup_elem(&spills, key);

	if (!row) {
		struct wire_go_spill fresh = {};

		introduce(regs, key);
		bpf_map_update_elem(&spills, key, &fresh, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&spills, key);
		if (!row)
			return 0;
	}
	if (!row->first_ns)
		row->first_ns = now;
	row->type = regs->ax;
	row->last_ns = now;
	__sync_fetch_and_add(added ? &row->doublings : &row->same_size, 1);
	__sync_fetch_and_add(&row->buckets_added, added);
	return 1;
}

static __always_inline int add_to_row(struct wire_go_growth *row, const struct wire_go_hmap *head, __u64 added,
				      __u64 now)
{
	if (!row)
		return 0;
	row->size = head->count;
	row->last_ns = now;
	row->last_log2 = head->log2_buckets + (added ? 1 : 0);
	__sync_fetch_and_add(added ? &row->doublings : &row->same_size, 1);
	__sync_fetch_and_add(&row->buckets_added, added);
	return 1;
}

static __always_inline struct wire_go_growth *new_row(void *table, const struct wire_go_growth_key *key,
						      const struct wire_go_hmap *head, __u64 type, __u64 now)
{
	struct wire_go_growth fresh = {};

	fresh.type = type;
	fresh.first_ns = now;
	fresh.first_log2 = head->log2_buckets;
	if (bpf_map_update_elem(table, key, &fresh, BPF_NOEXIST) == -E2BIG)
		table_full = 1;
	return bpf_map_lookup_elem(table, key);
}

/* r14 is the goroutine, whose stack's bounds are its first two words. */
static __always_inline int on_own_stack(const struct wire_regs *regs, __u64 map)
{
	__u64 stack[2] = {};

	return bpf_probe_read_user(stack, sizeof(stack), (void *)regs->r14) == 0 &&
	       map - stack[0] < stack[1] - stack[0];
}

/*
 * hashGrow is called from the map's assignment, whose frame rbp still points to: above it is the way back into the
 * code that assigned.
 */
static __always_inline int on_grow(struct wire_regs *regs, __u32 process, struct wire_go_ledger *ledger, __u64 now)
{
	struct wire_go_growth_key key = {.map = regs->bx, .process = process};
	struct wire_go_site_key place = {.process = process};
	struct wire_go_growth *row = 0;
	struct wire_go_hmap head;
	__u32 zero = 0;
	void *table = bpf_map_lookup_elem(&growths, &zero);
	__u64 added;
	int counted;

	if (!table || !read_head(&head, key.map)) {
		lose(ledger, WIRE_GO_LOST_UNREADABLE);
		return 0;
	}
	key.seed = head.seed;
	bpf_probe_read_user(&key.caller, sizeof(key.caller), (void *)(regs->bp + 8));
	added = doubles(&head) ? 1ull << head.log2_buckets : 0;
	counted = add_to_row(bpf_map_lookup_elem(table, &key), &head, added, now);
	if (!counted) {
		place.caller = key.caller;
		if (!table_full && !on_own_stack(regs, key.map)) {
			introduce(regs, &place);
			row = new_row(table, &key, &head, regs->ax, now);
		}
		counted = add_to_row(row, &head, added, now) || spill(regs, &place, added, now);
	}
	if (counted)
		__sync_fetch_and_add(&ledger->handled, 1);
	else
		lose(ledger, WIRE_GO_LOST_TABLES);
	return 0;
}

/* ---- the error that ends the program ---- */

#define KIND_OFFSET 23 /* abi.Type.Kind_, in every version; the name says what kind it is in its low five bits */
#define KIND_MASK 0x1f
#define KIND_MAP 21

static __always_inline int is_map_type(__u64 type)
{
	__u8 kind = 0;

	return type && bpf_probe_read_user(&kind, sizeof(kind), (void *)(type + KIND_OFFSET)) == 0 &&
	       (kind & KIND_MASK) == KIND_MAP;
}

/*
 * The operation that found the map in use has put its arguments (type and map; of an iteration, the iterator, which has
 * both at 16) where its caller keeps room for them, above the return address: the compiler does, since they are needed
 * again behind the call of fatal. That the type is a map's is checked.
 */
static __always_inline void find_map(const struct wire_regs *regs, struct wire_go_fatal *out)
{
	__u64 words[2] = {};

	if (bpf_probe_read_user(words, sizeof(words), (void *)(regs->bp + 16)))
		return;
	if (!is_map_type(words[0]) &&
	    (bpf_probe_read_user(words, sizeof(words), (void *)(words[0] + 16)) || !is_map_type(words[0])))
		return;
	if (!read_head(&out->head, words[1]))
		return;
	out->type = words[0];
	out->map = words[1];
}

static __always_inline int on_fatal(struct wire_regs *regs, __u32 process, __u32 goid_offset,
				    struct wire_go_ledger *ledger, __u64 now)
{
	struct wire_go_fatal *out = bpf_ringbuf_reserve(&fatals, sizeof(*out), 0);
	__u32 length = regs->bx < WIRE_GO_MESSAGE ? regs->bx : WIRE_GO_MESSAGE;

	if (!out) {
		lose(ledger, WIRE_GO_LOST_RING);
		return 0;
	}
	__builtin_memset(out, 0, sizeof(*out));
	out->time_ns = now;
	out->process = process;
	out->length = (__u32)regs->bx;
	bpf_probe_read_user(&out->goid, sizeof(out->goid), (void *)(regs->r14 + goid_offset));
	bpf_probe_read_user(&out->inside, sizeof(out->inside), (void *)regs->sp);
	bpf_probe_read_user(out->message, length, (void *)regs->ax);
	bpf_get_stack(regs, out->frames, sizeof(out->frames), BPF_F_USER_STACK);
	find_map(regs, out);
	bpf_ringbuf_submit(out, 0);
	__sync_fetch_and_add(&ledger->handled, 1);
	return 0;
}

static __always_inline void on_hit(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger, __u64 now)
{
	__u32 process = (cookie >> WIRE_GO_PROCESS_SHIFT) & 0xffff;

	if (cookie & WIRE_GO_STACK_CHECK && regs->flags & STACK_CHECK_TAKEN)
		return;
	__sync_fetch_and_add(&ledger->fired, 1);
	if ((cookie & WIRE_GO_PROBE_MASK) == WIRE_GO_GROW)
		on_grow(regs, process, ledger, now);
	else
		on_fatal(regs, process, (__u32)(cookie >> WIRE_GO_GOID_SHIFT), ledger, now);
}

#else

/* Go's registers are not known for this processor, and the auditor attaches nothing. */
static __always_inline void on_hit(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger, __u64 now)
{
}

#endif

SEC("uprobe")
int mapaudit_go_hit(struct wire_regs *regs)
{
	__u64 start = bpf_ktime_get_ns(), took;
	struct wire_go_ledger *ledger = this_ledger();

	if (!ledger)
		return 0;
	__sync_fetch_and_add(&ledger->hits, 1);
	on_hit(regs, bpf_get_attach_cookie(regs), ledger, start);
	took = bpf_ktime_get_ns() - start;
	if (took <= WIRE_LONGEST_HIT_NS) {
		__sync_fetch_and_add(&ledger->timed_hits, 1);
		__sync_fetch_and_add(&ledger->timed_ns, took);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
