// SPDX-License-Identifier: Apache-2.0
//
// A thread's batch: the way of an operation's record from the thread that carried it out to whoever listens. All of the
// protocol stands here; probe_abi.h gives the memory's layout, registry.hpp says which thread has which block.
//
//   Owner      The thread whose block it is. It alone appends and counts, and writes every field but `tid`, `index` and
//              `next_free`, which are the registry's and change under its mutex.
//   Others     A thread that ends the process hands over what the others still hold (flush_for_owner), while they go
//              on. It reads `seq`, `cpu` and `flushed`, and moves `flushed`. No thread reads another's other fields.
//   Outside    The auditor copies the block at any moment (process_vm_readv), and eBPF programs read the records that a
//              probe names. They write nothing. The orders below are theirs as well.
//
//   records    Written before `seq` says that they are there: two relaxed words each. Handed over, a record keeps its
//              place for another MAPAUDIT_BATCH records at least.
//   seq        Stored by the owner, release: whoever acquires it finds the records, and the CPU that they are of.
//   flushed    Only grows. The owner stores it (release), others move it by compare-exchange, so that they cannot set
//   it
//              back. It moves before the probe fires: what a tracer has counted, a reader outside must not count again.
//              The owner may store over another's move that it has not seen: then both hand over the same records,
//              and the tracer drops the second copy by its sequence numbers.
//   cpu        Stored by the owner, release, when nothing is in [flushed, seq), and before the first record of that
//   CPU. epoch      Odd while counters become records. Who sees the same even epoch before and after its copy of the
//   block
//              has `counters` that fit `seq`: odd goes before the first change (fence), even after the last (release).
//   counters, counting, countdown, random, deadline, events, lock_*
//              The owner's alone: plain. Outside, counters are read under the epoch, the others not at all.
//   op_map, op The owner's, plain, at every turn of an operation: a sampler outside takes what it finds.
//
// On x86-64 each of these loads and stores is a plain mov; the owner reads what only it writes without an atomic.
#ifndef MAPAUDIT_DETAIL_BATCH_HPP
#define MAPAUDIT_DETAIL_BATCH_HPP

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <mapaudit/probe_abi.h>
#include <mapaudit/detail/thunks.hpp>
#include <mapaudit/detail/ticks.hpp>

namespace mapaudit::detail {

// ---- handing over ----

// How long a record may wait for its batch to fill: 100 ms, in ticks. A first guess until the clock is calibrated.
inline constinit std::uint64_t batch_age_ticks = 300'000'000;
inline constexpr std::uint64_t batch_age_ns = 100'000'000;

// Learns the counter's rate from the time since the registry came up, once enough of it has passed.
inline void calibrate_batch_age() noexcept {
    const auto& r = mapaudit_process_registry;
    const std::uint64_t ns = monotonic_ns() - r.start_ns;
    if (!clock_is_counter || ns < 5'000'000) return;
    const double ticks_per_ns = static_cast<double>(counter() - r.start_ticks) / static_cast<double>(ns);
    __atomic_store_n(&batch_age_ticks, static_cast<std::uint64_t>(ticks_per_ns * batch_age_ns), __ATOMIC_RELAXED);
}

// By whoever has just moved `flushed` past these records.
inline void fire_batch(const mapaudit_thread_block& block, std::uint64_t first, std::uint64_t count,
                       std::uint32_t cpu) noexcept {
    const std::uint64_t records = address(&block.records[first % MAPAUDIT_RING]);
    const std::uint64_t tid_block = static_cast<std::uint64_t>(block.tid) << 32 | block.index;
    const std::uint64_t registry = address(&mapaudit_process_registry);
    if (listened_to(MAPAUDIT_SEM_BATCH, mapaudit_probe_batch))
        mapaudit_probe_batch(records, count, first, tid_block, cpu, registry);
    if (listened_to(MAPAUDIT_SEM_BATCH_SAMPLED, mapaudit_probe_batch_sampled))
        mapaudit_probe_batch_sampled(records, count, first, tid_block, cpu, registry);
}

// By the owner: hands the records [flushed, seq) to whoever is attached.
[[gnu::noinline]] inline void flush_block(mapaudit_thread_block& block) noexcept {
    // Relaxed: another thread's move of it says nothing about memory that the owner does not know.
    const std::uint64_t first = __atomic_load_n(&block.flushed, __ATOMIC_RELAXED);
    const std::uint64_t end = block.seq;
    if (end == first) return;
    __atomic_store_n(&block.flushed, end, __ATOMIC_RELEASE);
    fire_batch(block, first, end - first, block.cpu);
}

// By another thread, with the registry's mutex held, which keeps the block its owner's. What the owner appends
// meanwhile stays with it.
inline void flush_for_owner(mapaudit_thread_block& block) noexcept {
    // __u64, as the field is: to clang, std::uint64_t is another type.
    __u64 first = __atomic_load_n(&block.flushed, __ATOMIC_ACQUIRE);
    for (;;) {
        const std::uint64_t end = __atomic_load_n(&block.seq, __ATOMIC_ACQUIRE);
        // After `seq`, so that it is not older than the last record; one that is newer than the first came after a
        // flush, which the exchange then sees.
        const std::uint32_t cpu = __atomic_load_n(&block.cpu, __ATOMIC_ACQUIRE);
        if (end == first) return;
        if (__atomic_compare_exchange_n(&block.flushed, &first, end, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return fire_batch(block, first, end - first, cpu);
    }
}

// ---- appending; by the owner, as all that follows ----

[[gnu::always_inline]] inline void append_record(mapaudit_thread_block& block, const mapaudit_record& record) noexcept {
    const std::uint64_t seq = block.seq;
    // As two words, which the compiler by itself would write in five pieces.
    using word = std::uint64_t __attribute__((may_alias));
    static_assert(sizeof record == 2 * sizeof(word) && offsetof(mapaudit_thread_block, records) % sizeof(word) == 0 &&
                  std::endian::native == std::endian::little);
    auto* to = reinterpret_cast<word*>(&block.records[seq % MAPAUDIT_RING]);
    __atomic_store_n(&to[0], record.map | word{record.latency} << 32, __ATOMIC_RELAXED);
    __atomic_store_n(&to[1], record.wait | word{record.bucket} << 32 | word{record.op} << 48 | word{record.flags} << 56,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&block.seq, seq + 1, __ATOMIC_RELEASE);
    if ((seq + 1) % MAPAUDIT_BATCH == 0) [[unlikely]]
        flush_block(block);
}

// What is appended from here on is of that CPU.
[[gnu::always_inline]] inline void append_on(mapaudit_thread_block& block, std::uint32_t cpu) noexcept {
    if (cpu == block.cpu) [[likely]]
        return;
    flush_block(block);
    __atomic_store_n(&block.cpu, cpu, __ATOMIC_RELEASE);
}

// ---- counting; at the sampled level ----

inline constexpr std::uint32_t sampling_stride = 128;  // the sampled level times one operation in this many, on average

// Turns one slot of the counting table into COUNT records.
inline void emit_counter(mapaudit_thread_block& block, mapaudit_counter& counter) noexcept {
    const mapaudit_counter held = counter;
    counter = {};
    for (std::uint32_t op = 0; op < MAPAUDIT_HOT_OPS; ++op) {
        if (held.calls[op] == 0) continue;
        append_record(block, {held.map, held.calls[op], 0, 0, static_cast<__u8>(op), MAPAUDIT_REC_COUNT});
    }
}

inline void begin_emitting(mapaudit_thread_block& block) noexcept {
    __atomic_store_n(&block.epoch, block.epoch + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
inline void end_emitting(mapaudit_thread_block& block) noexcept {
    __atomic_store_n(&block.epoch, block.epoch + 1, __ATOMIC_RELEASE);
}

inline void emit_counters(mapaudit_thread_block& block) noexcept {
    begin_emitting(block);
    for (mapaudit_counter& counter : block.counters)
        if (counter.map != 0) emit_counter(block, counter);
    block.counting = 0;
    end_emitting(block);
}

// The slot goes to `map`, which shares it with others.
[[gnu::noinline]] inline void change_counter(mapaudit_thread_block& block, mapaudit_counter& slot,
                                             std::uint32_t map) noexcept {
    if (slot.map != 0) {
        begin_emitting(block);
        emit_counter(block, slot);
        end_emitting(block);
    }
    slot.map = map;
    block.counting = 1;
}

// Counts a call; true when it is to be timed as well.
[[gnu::always_inline]] inline bool count_call(mapaudit_thread_block& block, std::uint32_t map,
                                              std::uint32_t op) noexcept {
    mapaudit_counter& slot = block.counters[map % MAPAUDIT_COUNTERS];
    if (slot.map != map) [[unlikely]]
        change_counter(block, slot, map);
    ++slot.calls[op];
    return --block.countdown == 0;
}

// Counts a call that is not to be timed, where the map has its slot; false otherwise, and then it has done nothing.
[[gnu::always_inline]] inline bool count_untimed(mapaudit_thread_block& block, std::uint32_t map,
                                                 std::uint32_t op) noexcept {
    mapaudit_counter& slot = block.counters[map % MAPAUDIT_COUNTERS];
    if (slot.map != map || block.countdown == 1) [[unlikely]]
        return false;
    ++slot.calls[op];
    --block.countdown;
    return true;
}

// After a timed call: how many go untimed until the next. A gap uniform in [stride/2, 3*stride/2): a fixed one would
// fall into step with a caller's own rhythm. Xorshift32, Marsaglia, "Xorshift RNGs", 2003.
inline void draw_gap(mapaudit_thread_block& block) noexcept {
    std::uint32_t x = block.random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    block.random = x;
    block.countdown = sampling_stride / 2 + x % sampling_stride;
}

// ---- a block's life ----

// Everything this thread still holds goes out; the next deadline starts now.
[[gnu::noinline]] inline void flush_all(mapaudit_thread_block& block, std::uint64_t now) noexcept {
    if (block.counting != 0) emit_counters(block);
    flush_block(block);
    block.deadline = now + __atomic_load_n(&batch_age_ticks, __ATOMIC_RELAXED);
}

// At the end of a recorded operation.
[[gnu::always_inline]] inline void flush_if_old(mapaudit_thread_block& block, std::uint64_t now) noexcept {
    if (now > block.deadline) [[unlikely]]
        flush_all(block, now);
}

// The first thing that a new owner does with its block, with the registry's mutex held. Sequence numbers go on.
inline void start_batch(mapaudit_thread_block& block, std::uint32_t cpu) noexcept {
    __atomic_store_n(&block.cpu, cpu, __ATOMIC_RELEASE);
    block.countdown = 1;
    block.random = 2463534242u ^ (block.index * 2654435769u);
    block.deadline = ticks() + __atomic_load_n(&batch_age_ticks, __ATOMIC_RELAXED);
}

// In a forked child, which has one thread: what the parent's threads hold is theirs to hand over.
inline void drop_batch(mapaudit_thread_block& block) noexcept {
    __atomic_store_n(&block.flushed, block.seq, __ATOMIC_RELEASE);
    std::memset(block.counters, 0, sizeof block.counters);
    block.counting = 0;
}

// ---- beside the batch ----

// What a thread is in, op_map and op, as one word: a load and a store at either end of an operation.
[[gnu::always_inline]] inline auto& in_op(mapaudit_thread_block& block) noexcept {
    using word = std::uint64_t __attribute__((may_alias));
    static_assert(offsetof(mapaudit_thread_block, op_map) % sizeof(word) == 0 &&
                  offsetof(mapaudit_thread_block, op) == offsetof(mapaudit_thread_block, op_map) + 4);
    return *reinterpret_cast<word*>(&block.op_map);
}

// A growth, a wait, a conflict: about to be reported by a probe of its own.
inline void count_event(mapaudit_thread_block& block) noexcept { ++block.events; }

// Records and events that the owner, who asks, knows to be handed over.
inline std::uint64_t handed_over_by(const mapaudit_thread_block& block) noexcept {
    return __atomic_load_n(&block.flushed, __ATOMIC_RELAXED) + block.events;
}

}  // namespace mapaudit::detail

#endif
