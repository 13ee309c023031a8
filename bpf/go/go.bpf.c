// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The maps of unmodified Go programs: their growth, added up by map and caller, and the errors that end a program; in
 * windows, which the auditor opens and closes, their operations, with latencies and conflicts where it asks for them.
 *
 * No type of the kernel's is used: this object also loads where the kernel has no BTF.
 */
#include "go/go_growth.bpf.h"
#include "go/go_operations.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} fatals SEC(".maps");

#if defined(__TARGET_ARCH_x86)

#include "go/go_spans.bpf.h"
#include "go/go_swiss.bpf.h"

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

/*
 * hashGrow is called from the map's assignment, whose frame rbp still points to: above it is the way back into the
 * code that assigned.
 */
static __always_inline void on_grow(struct wire_regs *regs, __u32 process, struct wire_go_ledger *ledger, __u64 now)
{
	struct growth growth = {.key = {.map = regs->bx, .process = process}};
	struct wire_go_hmap head;

	if (!read_head(&head, growth.key.map)) {
		lose(ledger, WIRE_GO_LOST_UNREADABLE);
		return;
	}
	growth.key.seed = head.seed;
	bpf_probe_read_user(&growth.key.caller, sizeof(growth.key.caller), (void *)(regs->bp + 8));
	growth.type = regs->ax;
	growth.size = head.count;
	growth.added = doubles(&head) ? 1ull << head.log2_buckets : 0;
	growth.log2_before = head.log2_buckets;
	growth.log2_after = head.log2_buckets + (growth.added ? 1 : 0);
	count_growth(regs, &growth, ledger, now);
}

/* ---- the error that ends the program ---- */

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

static __always_inline int on_fatal(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger, __u64 now)
{
	struct wire_go_fatal *out = bpf_ringbuf_reserve(&fatals, sizeof(*out), 0);
	__u32 length = regs->bx < WIRE_GO_MESSAGE ? regs->bx : WIRE_GO_MESSAGE;

	if (!out) {
		lose(ledger, WIRE_GO_LOST_RING);
		return 0;
	}
	__builtin_memset(out, 0, sizeof(*out));
	out->time_ns = now;
	out->process = process_of(cookie);
	out->length = (__u32)regs->bx;
	out->goid = goroutine_number(regs->r14, cookie);
	bpf_probe_read_user(out->message, length, (void *)regs->ax);
	if ((cookie & WIRE_GO_PROBE_MASK) == WIRE_GO_SWISS_FATAL) {
		bpf_probe_read_user(&out->inside, sizeof(out->inside), (void *)(regs->bp + 8));
		find_swiss_map(regs, out);
	} else {
		bpf_probe_read_user(&out->inside, sizeof(out->inside), (void *)regs->sp);
		find_map(regs, out);
	}
	bpf_get_stack(regs, out->frames, sizeof(out->frames), BPF_F_USER_STACK);
	find_other_writer(out, regs->r14, cookie);
	bpf_ringbuf_submit(out, 0);
	__sync_fetch_and_add(&ledger->handled, 1);
	return 0;
}

static __always_inline void on_hit(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger, __u64 now)
{
	__u32 process = process_of(cookie), probe = cookie & WIRE_GO_PROBE_MASK;

	if (comes_again(regs, cookie))
		return;
	__sync_fetch_and_add(&ledger->fired, 1);
	if (probe == WIRE_GO_GROW)
		on_grow(regs, process, ledger, now);
	else if (probe >= WIRE_GO_SWISS_TO_TABLE && probe <= WIRE_GO_SWISS_SPLIT)
		on_swiss_grow(regs, probe, process, ledger, now);
	else
		on_fatal(regs, cookie, ledger, now);
}

static __always_inline void on_operation(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger)
{
	struct operation operation = {};

	if (!window_open || comes_again(regs, cookie))
		return;
	__sync_fetch_and_add(&ledger->fired, 1);
	find_operation(regs, cookie, &operation);
	count_operation(regs, &operation, ledger);
}

#else

/* Go's registers are not known for this processor, and the auditor attaches nothing. */
static __always_inline void on_hit(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger, __u64 now)
{
}
static __always_inline void on_operation(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger)
{
}
static __always_inline void on_begin(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger)
{
}
static __always_inline void on_end(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger, __u64 now)
{
}

#endif

/* Every program begins with this one, and ends with the next. One hit in WIRE_GO_TIMED_HITS is timed. */
static __always_inline __u64 begins(struct wire_go_ledger *ledger)
{
	return __sync_fetch_and_add(&ledger->hits, 1) % WIRE_GO_TIMED_HITS == 0 ? bpf_ktime_get_ns() : 0;
}

static __always_inline int ends(struct wire_go_ledger *ledger, __u64 start)
{
	__u64 took;

	if (!start)
		return 0;
	took = bpf_ktime_get_ns() - start;
	if (took <= WIRE_LONGEST_HIT_NS) {
		__sync_fetch_and_add(&ledger->timed_hits, 1);
		__sync_fetch_and_add(&ledger->timed_ns, took);
	}
	return 0;
}

/* Growth, and what ends the program: attached all the time. */
SEC("uprobe")
int mapaudit_go_hit(struct wire_regs *regs)
{
	struct wire_go_ledger *ledger = this_ledger();
	__u64 start;

	if (!ledger)
		return 0;
	start = begins(ledger);
	on_hit(regs, bpf_get_attach_cookie(regs), ledger, bpf_ktime_get_ns());
	return ends(ledger, start);
}

/* Operations, counted. */
SEC("uprobe")
int mapaudit_go_operation(struct wire_regs *regs)
{
	struct wire_go_ledger *ledger = this_ledger();
	__u64 start;

	if (!ledger)
		return 0;
	start = begins(ledger);
	on_operation(regs, bpf_get_attach_cookie(regs), ledger);
	return ends(ledger, start);
}

/* Operations, counted, timed and held against one another: where they begin, and where they end. */
SEC("uprobe")
int mapaudit_go_begin(struct wire_regs *regs)
{
	struct wire_go_ledger *ledger = this_ledger();
	__u64 start;

	if (!ledger)
		return 0;
	start = begins(ledger);
	on_begin(regs, bpf_get_attach_cookie(regs), ledger);
	return ends(ledger, start);
}

SEC("uprobe")
int mapaudit_go_end(struct wire_regs *regs)
{
	__u64 now = bpf_ktime_get_ns(), start;
	struct wire_go_ledger *ledger = this_ledger();

	if (!ledger)
		return 0;
	start = begins(ledger);
	on_end(regs, bpf_get_attach_cookie(regs), ledger, now);
	return ends(ledger, start);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
