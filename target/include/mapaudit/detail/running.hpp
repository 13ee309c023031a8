// SPDX-License-Identifier: Apache-2.0
//
// One running operation: what a map may tell of it, and the two objects that it tells it to. `untimed` compiles to
// nothing or to a plain lock; `timed` measures, and reports when it goes.
#ifndef MAPAUDIT_DETAIL_RUNNING_HPP
#define MAPAUDIT_DETAIL_RUNNING_HPP

#include <cstddef>
#include <cstdint>

#include <mapaudit/probe_abi.h>
#include <mapaudit/detail/lock_notes.hpp>

// A program that holds the audit against a clock of its own names a header that says what operation_ended() does.
#ifdef MAPAUDIT_OPERATION_CLOCK
#include MAPAUDIT_OPERATION_CLOCK
#else
namespace mapaudit::detail {
[[gnu::always_inline]] inline void operation_ended(bool) noexcept {}
}  // namespace mapaudit::detail
#endif

namespace mapaudit {

enum class op : std::uint8_t { assign = MAPAUDIT_OP_ASSIGN, lookup = MAPAUDIT_OP_LOOKUP, erase = MAPAUDIT_OP_ERASE };

// A growth as the map saw it, reported after the critical section it happened in. Durations are CLOCK_MONOTONIC ns.
struct growth {
    std::uint64_t old_buckets, new_buckets;
    std::uint64_t duration_ns;
    mapaudit_grow_reason reason;
    std::uint32_t part;    // which table of a map made of several, 0 elsewhere
    std::uint32_t number;  // of this growth of that table, from 1; 0: not numbered
};

// How far the evacuation of the old buckets has come.
struct evacuation {
    std::uint64_t done, total;  // buckets
    std::uint32_t part;
};

// The running operation on the path that nobody listens to.
struct untimed {
    static constexpr bool listening = false;
    template <class Lock>
    [[gnu::always_inline]] void lock(Lock& lock) {
        lock.lock();
    }
    template <class Lock>
    [[gnu::always_inline]] void lock_shared(Lock& lock) {
        lock.lock_shared();
    }
    template <class Lock>
    [[gnu::always_inline]] void unlock(Lock& lock) {
        lock.unlock();
    }
    template <class Lock>
    [[gnu::always_inline]] void unlock_shared(Lock& lock) {
        lock.unlock_shared();
    }
    void grew(const growth&) noexcept {}
    void evacuated(const evacuation&) noexcept {}
};

#ifndef MAPAUDIT_NO_PROBES

namespace detail {

constexpr int semaphore_of(op what) {
    return what == op::assign ? MAPAUDIT_SEM_ASSIGN : what == op::lookup ? MAPAUDIT_SEM_LOOKUP : MAPAUDIT_SEM_ERASE;
}
// Start of the window of four semaphores that an operation reacts to (thunks.hpp).
constexpr int window_of(op what) { return what == op::assign ? MAPAUDIT_SEM_BATCH : MAPAUDIT_SEM_ERASE; }

}  // namespace detail

// The running operation on the path that somebody listens to. Lives on the operation's stack; its destructor reports,
// also when the body throws. Everything in it is inlined, and what is not takes its figures by value: the object then
// stays in registers.
class timed {
public:
    static constexpr bool listening = true;

    // counted: at the sampled level, and not to be timed; only a wait is.
    enum mode : std::uint8_t { none = 0, every = 1, sample = 2, alone = 4, counted = 8 };

    [[gnu::always_inline]] timed(mapaudit_thread_block& block, std::uint32_t map, op what, std::uint8_t how) noexcept
        : block_(block), map_(map), op_(what), mode_(how), outer_(detail::in_op(block)) {
        detail::in_op(block) = map | static_cast<std::uint64_t>(what) << 32;
        if ((mode_ & alone) != 0) [[unlikely]]
            start_ns_ = detail::monotonic_ns();
        if (is_timed()) {
            cpu_ = detail::current_cpu(block);
            start_ = detail::ticks();
        }
    }
    timed(const timed&) = delete;
    timed& operator=(const timed&) = delete;
    [[gnu::always_inline]] ~timed() {
        std::uint64_t end = 0;
        if (is_timed()) end = detail::ticks_after();
        detail::operation_ended(is_timed());
        detail::in_op(block_) = outer_;
        if (mode_ != none && block_.lock_map != 0) [[unlikely]] {
            if (is_timed())
                detail::tell_lock_notes(block_, map_, static_cast<std::uint32_t>(op_), end - start_ - wait_, wait_);
            else
                detail::tell_untimed_lock_notes(block_, map_, static_cast<std::uint32_t>(op_), wait_);
        }
        if (is_timed()) record(end);
        if (grew_) [[unlikely]]
            report_growth(block_, map_, growth_);
        if (evacuated_) [[unlikely]]
            report_evacuation(block_, map_, evacuation_);
    }

    // Takes a lock; a contended one is timed, and its wait becomes part of the record, or one by itself. A free one
    // costs no clock. Where nobody listens, or there is nobody to wait for, the lock is just taken, which is cheaper
    // than to try first.
    template <class Lock>
    [[gnu::always_inline]] void lock(Lock& lock) {
        if (mode_ == none || detail::surely_free(lock))
            lock.lock();
        else if (!lock.try_lock()) [[unlikely]]
            wait_ += detail::wait_for(block_, map_, lock, [](Lock& l) { l.lock(); });
        if constexpr (requires { lock.own(0u); })
            if (mode_ != none) lock.own(block_.tid);
        block_.op = static_cast<std::uint32_t>(op_) | MAPAUDIT_IN_LOCK;
    }
    template <class Lock>
    [[gnu::always_inline]] void lock_shared(Lock& lock) {
        if (mode_ == none)
            lock.lock_shared();
        else if (!lock.try_lock_shared()) [[unlikely]]
            wait_ += detail::wait_for(block_, map_, lock, [](Lock& l) { l.lock_shared(); });
        block_.op = static_cast<std::uint32_t>(op_) | MAPAUDIT_IN_LOCK;
    }
    // Let go of a lock taken above. Whoever unlocks it in another way is not told of those who waited.
    template <class Lock>
    [[gnu::always_inline]] void unlock(Lock& lock) {
        if constexpr (requires { lock.disown(); })
            if (mode_ != none)
                if (const std::uint32_t since = lock.disown(); since != 0) [[unlikely]]
                    detail::note_waited_for(map_, since, false);
        left_lock();
        lock.unlock();
    }
    template <class Lock>
    [[gnu::always_inline]] void unlock_shared(Lock& lock) {
        if constexpr (requires { lock.waited_since(); })
            if (mode_ != none)
                if (const std::uint32_t since = lock.waited_since(); since != 0) [[unlikely]]
                    detail::note_waited_for(map_, since, true);
        left_lock();
        lock.unlock_shared();
    }
    // At most one growth and one evacuation are reported for an operation: the last of each.
    [[gnu::always_inline]] void grew(const growth& g) noexcept {
        growth_ = g;
        grew_ = true;
    }
    [[gnu::always_inline]] void evacuated(const evacuation& e) noexcept {
        evacuation_ = e;
        evacuated_ = true;
    }

private:
    [[gnu::always_inline]] bool is_timed() const noexcept { return (mode_ & ~counted) != 0; }
    // Before the unlock, which may wake those who wait and be preempted by them: that is no preemption of a holder.
    [[gnu::always_inline]] void left_lock() noexcept { block_.op = static_cast<std::uint32_t>(op_); }
    [[gnu::always_inline]] void record(std::uint64_t end) noexcept {
        std::uint64_t latency = end > start_ ? end - start_ : 0;  // two CPUs' counters may differ by a few ticks
        std::uint64_t wait = wait_ < latency ? wait_ : latency;
        const std::uint32_t cpu = detail::current_cpu(block_);
        std::uint8_t flags = grew_ || evacuated_ ? MAPAUDIT_REC_GREW : 0;
        if (cpu != cpu_) [[unlikely]]
            flags |= MAPAUDIT_REC_MIGRATED;
        if ((mode_ & alone) != 0) [[unlikely]]
            report_alone(op_, map_, start_ns_, latency, wait, flags);
        if ((mode_ & (every | sample)) == 0) return;
        detail::append_on(block_, cpu);
        const std::uint32_t bucket = mapaudit_bucket(latency);
        if (latency >> 32 != 0) [[unlikely]] {
            latency >>= MAPAUDIT_SCALED_SHIFT;
            wait >>= MAPAUDIT_SCALED_SHIFT;
            flags |= MAPAUDIT_REC_SCALED;
        }
        if ((mode_ & sample) != 0) {
            flags |= MAPAUDIT_REC_SAMPLED;
            detail::draw_gap(block_);
        }
        detail::append_record(block_, {map_, static_cast<__u32>(latency), static_cast<__u32>(wait),
                                       static_cast<__u16>(bucket), static_cast<__u8>(op_), flags});
        detail::flush_if_old(block_, end);
    }
    [[gnu::noinline]] static void report_alone(op what, std::uint32_t map, std::uint64_t start_ns,
                                               std::uint64_t latency, std::uint64_t wait, std::uint8_t flags) noexcept {
        const std::uint64_t latency_ns = detail::monotonic_ns() - start_ns;
        const double share = latency == 0 ? 0.0 : static_cast<double>(wait) / static_cast<double>(latency);
        const auto wait_ns = static_cast<std::uint64_t>(share * static_cast<double>(latency_ns));
        const auto thunk = what == op::assign   ? mapaudit_probe_assign
                           : what == op::lookup ? mapaudit_probe_lookup
                                                : mapaudit_probe_erase;
        if (detail::listened_to(detail::semaphore_of(what), thunk)) thunk(map, latency_ns, wait_ns, flags);
    }
    [[gnu::noinline]] static void report_growth(mapaudit_thread_block& block, std::uint32_t map, growth g) noexcept {
        detail::count_event(block);
        if (detail::listened_to(MAPAUDIT_SEM_GROW, mapaudit_probe_grow))
            mapaudit_probe_grow(map, g.old_buckets, g.new_buckets, g.duration_ns, static_cast<std::uint64_t>(g.reason),
                                g.part | static_cast<std::uint64_t>(g.number) << 32);
    }
    [[gnu::noinline]] static void report_evacuation(mapaudit_thread_block& block, std::uint32_t map,
                                                    evacuation e) noexcept {
        detail::count_event(block);
        if (detail::listened_to(MAPAUDIT_SEM_EVACUATE, mapaudit_probe_evacuate))
            mapaudit_probe_evacuate(map, e.done, e.total, e.part);
    }

    mapaudit_thread_block& block_;
    std::uint32_t map_;
    op op_;
    std::uint8_t mode_;
    bool grew_ = false, evacuated_ = false;
    std::uint64_t outer_;  // an operation inside another: a hash function that looks something up
    std::uint32_t cpu_ = 0;
    std::uint64_t start_ = 0, start_ns_ = 0, wait_ = 0;
    growth growth_{};
    evacuation evacuation_{};
};

namespace detail {

// What is attached, as a timed::mode; counts the call at the sampled level. Once an operation.
[[gnu::always_inline]] inline std::uint8_t begin_timing(mapaudit_thread_block& block, std::uint32_t map,
                                                        op what) noexcept {
    std::uint8_t how = timed::none;
    if (armed(MAPAUDIT_SEM_BATCH)) {
        how = timed::every;
    } else if (armed(MAPAUDIT_SEM_BATCH_SAMPLED)) {
        how = count_call(block, map, static_cast<std::uint32_t>(what)) ? timed::sample : timed::counted;
    }
    if (armed(semaphore_of(what))) [[unlikely]]
        how |= timed::alone;
    return how;
}

}  // namespace detail

#endif

}  // namespace mapaudit

#endif
