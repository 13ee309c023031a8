/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Operations from their beginning to their end: how long each takes, and which goroutines are in one map at a time.
 *
 * The probes lie outside the section between the setting and the clearing of the runtime's own write flag: at the
 * prologue's stack check and at the RETs. A goroutine is inside from the one to the other. A lock that the program
 * holds round the operation is taken before the first and let go of after the second, so that whoever shares it is
 * never inside at the same time.
 */
#ifndef MAPAUDIT_GO_SPANS_BPF_H
#define MAPAUDIT_GO_SPANS_BPF_H

#include "go/go_operations.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} conflicts SEC(".maps");

__u64 span_overhead_ns; /* what of a span is the probes' own; set by the auditor once it is known */

/* A goroutine that is inside. */
struct inside_key {
	__u64 goroutine; /* its g */
	__u64 process;
};

enum inside_as { INSIDE_UNSEEN, INSIDE_READER, INSIDE_WRITER };

struct inside {
	struct wire_go_calls_key key;
	__u64 type, start_ns;
	__u64 ip, frame;       /* of the probe; its caller's rbp */
	__u16 as;	       /* enum inside_as */
	__u16 log2;	       /* of the map's buckets, as in growths */
	__u16 iterates, steps; /* is an iteration or a step of one; is a step */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct inside_key);
	__type(value, struct inside);
} inside SEC(".maps");

/* Somebody else who is inside the same map, or just was. */
struct other {
	__u64 goroutine; /* 0: not known */
	__u64 ip, from, frame;
	__u64 iterates;
};

/* A map that somebody is or was inside, while a window is open. */
struct used_key {
	__u64 map;
	__u64 process;
};

struct used {
	__u64 writer;	   /* g; 0: nobody writes */
	__u64 reader;	   /* g of the latest reader */
	__u64 readers;	   /* how many there are */
	__u64 told;	   /* conflicts */
	struct other left; /* the latest to leave: whoever came upon it may look it up too late */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct used_key);
	__type(value, struct used);
} used SEC(".maps");

#if defined(__TARGET_ARCH_x86)

static __always_inline void describe_other(struct other *out, const struct inside *inside_it, __u64 goroutine)
{
	out->goroutine = goroutine;
	out->ip = inside_it->ip;
	out->from = inside_it->key.from;
	out->frame = inside_it->frame;
	out->iterates = inside_it->iterates;
}

static __always_inline void find_other(struct other *out, __u64 goroutine, const struct used_key *in,
				       const struct used *map)
{
	struct inside_key key = {.goroutine = goroutine, .process = in->process};
	struct inside *found = bpf_map_lookup_elem(&inside, &key);

	if (found && found->key.map == in->map)
		describe_other(out, found, goroutine);
	else if (map->left.goroutine == goroutine)
		*out = map->left;
}

/* Its callers, by its frame pointers: they stand still until it comes out, and as a rule for a while after that. */
static __always_inline void walk(const struct other *other, __u64 frames[WIRE_GO_FRAMES])
{
	__u64 frame = other->frame;

	frames[0] = other->ip;
	frames[1] = other->from;
	for (int i = 2; i < WIRE_GO_FRAMES; i++) {
		__u64 words[2];

		if (bpf_probe_read_user(words, sizeof(words), (void *)frame) || !words[1])
			break;
		frames[i] = words[1];
		if (words[0] <= frame)
			break;
		frame = words[0];
	}
}

/* Sends a conflict to user space with its stacks: the first ones of a map. */
static __always_inline void report_conflict(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger,
					    const struct operation *operation, struct used *map,
					    const struct other *other, enum mapaudit_conflict kind)
{
	struct wire_go_conflict *out = 0;

	if (__sync_fetch_and_add(&map->told, 1) < WIRE_GO_MOST_TOLD)
		out = bpf_ringbuf_reserve(&conflicts, sizeof(*out), 0);
	if (!out) {
		__sync_fetch_and_add(&ledger->untold, 1);
		return;
	}
	__builtin_memset(out, 0, sizeof(*out));
	out->time_ns = bpf_ktime_get_ns();
	out->map = operation->key.map;
	out->type = operation->type;
	out->process = operation->key.process;
	out->seed = operation->key.seed;
	out->log2 = operation->head.log2_buckets;
	out->size = operation->head.count;
	out->kind = other->iterates ? MAPAUDIT_CONFLICT_ITERATE_WRITE : kind;
	out->op = operation->key.op;
	out->goid = goroutine_number(regs->r14, cookie);
	out->frames[0] = regs->ip;
	out->frames[1] = operation->key.from;
	bpf_get_stack(regs, &out->frames[2], sizeof(out->frames) - 2 * sizeof(__u64), BPF_F_USER_STACK | 1);
	if (other->goroutine) {
		out->other_goid = goroutine_number(other->goroutine, cookie);
		walk(other, out->other_frames);
	}
	bpf_ringbuf_submit(out, 0);
}

static __always_inline struct used *used_map(const struct used_key *key)
{
	struct used fresh = {}, *map = bpf_map_lookup_elem(&used, key);

	if (map)
		return map;
	bpf_map_update_elem(&used, key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&used, key);
}

#define SOMEBODY (~0ull) /* is no goroutine's address */

/*
 * Enters the map, and returns who is in it already and must not be: of two that enter at once, one at least sees the
 * other. An erasure from an empty map reads, as the runtime sees it.
 */
static __always_inline __u64 enter(struct used *map, struct inside *self, __u64 goroutine, int writes,
				   enum mapaudit_conflict *kind)
{
	__u64 other;

	if (!writes) {
		__sync_fetch_and_add(&map->readers, 1);
		map->reader = goroutine;
		self->as = INSIDE_READER;
		other = *(volatile __u64 *)&map->writer;
		*kind = self->iterates ? MAPAUDIT_CONFLICT_ITERATE_WRITE : MAPAUDIT_CONFLICT_READ_WRITE;
		return other == goroutine ? 0 : other;
	}
	other = __sync_val_compare_and_swap(&map->writer, 0, goroutine);
	if (other && other != goroutine) {
		*kind = MAPAUDIT_CONFLICT_WRITE_WRITE;
		return other;
	}
	self->as = INSIDE_WRITER;
	*kind = MAPAUDIT_CONFLICT_READ_WRITE;
	if (!*(volatile __u64 *)&map->readers)
		return 0;
	/* The latest to enter may be out again, and then it may be this one. */
	other = *(volatile __u64 *)&map->reader;
	return other == goroutine ? SOMEBODY : other;
}

static __always_inline void leave(const struct inside *self, __u64 goroutine)
{
	struct used_key key = {.map = self->key.map, .process = self->key.process};
	struct used *map = self->as == INSIDE_UNSEEN ? 0 : bpf_map_lookup_elem(&used, &key);

	if (!map)
		return;
	describe_other(&map->left, self, goroutine);
	if (self->as == INSIDE_WRITER)
		__sync_val_compare_and_swap(&map->writer, goroutine, 0);
	else
		__sync_fetch_and_add(&map->readers, -1);
}

/* Puts the goroutine inside. A step that an iteration takes on its own account is a part of that. */
static __always_inline struct inside *begin_span(const struct wire_regs *regs, const struct inside_key *key,
						 const struct operation *operation, int step,
						 struct wire_go_ledger *ledger)
{
	struct inside *before = bpf_map_lookup_elem(&inside, key);
	struct inside self = {};

	if (before && step && !before->steps)
		return 0;
	if (before) { /* it was not seen to leave */
		leave(before, key->goroutine);
		__sync_fetch_and_add(&ledger->untimed, !before->steps);
	}
	self.key = operation->key;
	self.type = operation->type;
	self.ip = regs->ip;
	self.frame = regs->bp;
	self.log2 = operation->head.log2_buckets;
	self.iterates = operation->key.op == MAPAUDIT_OP_WHOLE;
	self.steps = step;
	if (bpf_map_update_elem(&inside, key, &self, BPF_ANY))
		return 0;
	return bpf_map_lookup_elem(&inside, key);
}

/* Enters the map, and counts and reports the conflict that comes of it. */
static __always_inline void enter_map(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger,
				      struct operation *operation, struct wire_go_calls *row, struct inside *self)
{
	const int writes = operation->key.op == MAPAUDIT_OP_ASSIGN ||
			   (operation->key.op == MAPAUDIT_OP_ERASE && operation->head.count);
	struct used_key key = {.map = operation->key.map, .process = operation->key.process};
	struct used *map = used_map(&key);
	enum mapaudit_conflict kind = 0;
	struct other other = {};
	__u64 goroutine;

	if (!map)
		return;
	goroutine = enter(map, self, regs->r14, writes, &kind);
	if (!goroutine)
		return;
	find_other(&other, goroutine, &key, map); /* at once: it may be about to leave */
	if (!row)
		row = count_calls(regs, operation, 0);
	if (row)
		__sync_fetch_and_add(&row->conflicts, 1);
	report_conflict(regs, cookie, ledger, operation, map, &other, kind);
}

static __always_inline void on_begin(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger)
{
	const int step = (cookie & WIRE_GO_PROBE_MASK) == WIRE_GO_STEP;
	struct inside_key key = {.goroutine = regs->r14, .process = process_of(cookie)};
	struct operation operation = {};
	struct wire_go_calls *row = 0;
	struct inside *self;

	if (!window_open || comes_again(regs, cookie))
		return;
	find_operation(regs, cookie, &operation);
	if (!step) {
		__sync_fetch_and_add(&ledger->fired, 1);
		row = count_operation(regs, &operation, ledger);
	}
	self = begin_span(regs, &key, &operation, step, ledger);
	if (!self) {
		__sync_fetch_and_add(&ledger->untimed, !step);
		return;
	}
	/* A map that no other goroutine can have needs no watching. */
	if (operation.key.map)
		enter_map(regs, cookie, ledger, &operation, row, self);
	self->start_ns = bpf_ktime_get_ns();
}

static __always_inline void count_time(struct wire_go_ledger *ledger, const struct inside *self, __u64 span)
{
	__u64 took = span > span_overhead_ns ? span - span_overhead_ns : 0, old;
	struct operation operation = {.key = self->key, .type = self->type};
	struct wire_go_calls *row;
	__u32 now_on = turn, bucket = mapaudit_bucket(took);
	void *table = bpf_map_lookup_elem(&calls, &now_on);

	operation.head.log2_buckets = (__u8)self->log2;
	operation.key.op |= WIRE_GO_TIMES;
	if (operation.key.map)
		operation.key.from = bucket;
	else
		operation.key.seed = bucket;
	row = table ? bpf_map_lookup_elem(table, &operation.key) : 0;
	if (table && !row && !calls_full)
		row = new_calls(table, &operation, &calls_full);
	if (!row) {
		__sync_fetch_and_add(&ledger->untimed, 1);
		return;
	}
	__sync_fetch_and_add(&row->calls, 1);
	__sync_fetch_and_add(&row->time_sum, took);
	old = row->time_max;
	if (took > old)
		__sync_val_compare_and_swap(&row->time_max, old, took);
}

/* A RET, or the panic that takes its place. Nothing is known of an operation that was not seen to begin. */
static __always_inline void on_end(struct wire_regs *regs, __u64 cookie, struct wire_go_ledger *ledger, __u64 now)
{
	const __u32 probe = cookie & WIRE_GO_PROBE_MASK;
	struct inside_key key = {.goroutine = regs->r14, .process = process_of(cookie)};
	struct inside *entered, self;

	if (probe != WIRE_GO_PANIC)
		__sync_fetch_and_add(&ledger->stepped, 1);
	entered = bpf_map_lookup_elem(&inside, &key);
	if (!entered)
		return;
	self = *entered;
	if (probe != WIRE_GO_PANIC && self.steps != (probe == WIRE_GO_STEP_RETURN))
		return;
	/* In this order: whoever meets it in the map can still look up who it is. */
	leave(&self, key.goroutine);
	bpf_map_delete_elem(&inside, &key);
	if (self.steps)
		return;
	if (probe == WIRE_GO_RETURN && self.start_ns && now > self.start_ns)
		count_time(ledger, &self, now - self.start_ns);
	else
		__sync_fetch_and_add(&ledger->untimed, 1);
}

/* Fills in, for a fatal error, the goroutine that was writing to the map. */
static __always_inline void find_other_writer(struct wire_go_fatal *out, __u64 goroutine, __u64 cookie)
{
	struct used_key key = {.map = out->map, .process = out->process};
	struct used *map = out->map ? bpf_map_lookup_elem(&used, &key) : 0;
	struct other other = {};

	if (map && map->writer != goroutine)
		find_other(&other, map->writer, &key, map);
	if (!other.goroutine)
		return;
	out->other_goid = goroutine_number(other.goroutine, cookie);
	walk(&other, out->other_frames);
}

#endif

#endif /* MAPAUDIT_GO_SPANS_BPF_H */
