// SPDX-License-Identifier: Apache-2.0
//
// Who holds a lock, who waits for it, and the probes that tell: `contended` by the thread that waited, `released` by
// the one it waited for. Both notes are taken in the critical section, plain stores on a line the holder owns anyway,
// and told after it.
#ifndef MAPAUDIT_DETAIL_LOCK_NOTES_HPP
#define MAPAUDIT_DETAIL_LOCK_NOTES_HPP

#include <atomic>
#include <cstdint>
#include <mutex>
#include <type_traits>
#include <utility>

#include <mapaudit/probe_abi.h>
#ifndef MAPAUDIT_NO_PROBES
#include <mapaudit/detail/registry.hpp>
#include <mapaudit/detail/thread_id.hpp>
#endif

namespace mapaudit::detail {

// A mutex, shared or not, that knows its exclusive holder and since when somebody waits for the present one: while
// operations are counted or timed. Unheard, locking and unlocking are the mutex's own. Thread safety: own() and
// disown() are the holder's, the rest anybody's.
//
// A plain mutex keeps its last owner when it is let go: the next one comes a moment later, and in the moments before
// and after its stores a waiter would find nobody. One that readers share forgets it, for it may be theirs next.
template <class Mutex>
class owned_lock {
public:
    static constexpr bool shares = requires(Mutex & m) { m.lock_shared(); };

    void lock() { mutex_.lock(); }
    bool try_lock() { return mutex_.try_lock(); }
    void unlock() { mutex_.unlock(); }
    void lock_shared() { mutex_.lock_shared(); }
    bool try_lock_shared() { return mutex_.try_lock_shared(); }
    void unlock_shared() { mutex_.unlock_shared(); }

#ifndef MAPAUDIT_NO_PROBES
    void own(std::uint32_t thread) noexcept { owner_.store(thread, std::memory_order_relaxed); }
    // Before an exclusive unlock by a holder that had called own(): since when has anybody waited for it? A wait_clock
    // reading; 0: nobody has.
    std::uint32_t disown() noexcept {
        if constexpr (shares) owner_.store(0, std::memory_order_relaxed);
        return waited_since();
    }
    // Before a shared unlock. Where several readers were waited for, the first to leave is told.
    std::uint32_t waited_since() noexcept {
        const std::uint32_t since = waited_since_.load(std::memory_order_relaxed);
        if (since == 0) [[likely]]
            return 0;
        waited_since_.store(0, std::memory_order_relaxed);
        return since;
    }
    void wait_begins(std::uint32_t at) noexcept {
        if (waited_since_.load(std::memory_order_relaxed) == 0) waited_since_.store(at, std::memory_order_relaxed);
    }
    // Thread id, if the lock is held; 0: held shared, or by somebody who did not call own().
    std::uint32_t owner() const noexcept { return owner_.load(std::memory_order_relaxed); }
#endif

    Mutex& mutex() noexcept { return mutex_; }

private:
    Mutex mutex_;
#ifndef MAPAUDIT_NO_PROBES
    std::atomic<std::uint32_t> owner_ = 0;
    std::atomic<std::uint32_t> waited_since_ = 0;
#endif
};

#ifndef MAPAUDIT_NO_PROBES

// Has nobody else this lock? In a process of one thread, no std::mutex is contended, and glibc locks it without an
// atomic instruction, but does not so try to: 4 ns. Other kinds may be shared with other processes, or mean more than
// a wait when they are not free.
template <class Lock>
[[gnu::always_inline]] inline bool surely_free(const Lock&) noexcept {
    if constexpr (std::is_same_v<Lock, std::mutex> || std::is_same_v<Lock, owned_lock<std::mutex>>)
        return single_threaded();
    else
        return false;
}

inline void note(mapaudit_thread_block& block, std::uint32_t map, std::uint32_t what) noexcept {
    if (block.lock_map != map) block.lock_notes = 0;  // of an operation that is still under way around this one
    block.lock_map = map;
    block.lock_notes |= what;
}

// Ticks in 32 bits, for the locks: in steps of about 100 ns, going round every few minutes; never 0.
inline constexpr int wait_clock_shift = 8;
inline std::uint32_t wait_clock(std::uint64_t at_ticks) noexcept {
    return static_cast<std::uint32_t>(at_ticks >> wait_clock_shift) | 1u;
}

// Takes a lock that was not free; returns for how many ticks that took, at least 1.
template <class Lock, class Take>
[[gnu::noinline, gnu::cold]] std::uint64_t wait_for(mapaudit_thread_block& block, std::uint32_t map, Lock& lock,
                                                    Take take) {
    std::uint32_t owner = 0;
    const std::uint32_t doing = block.op;
    block.op = doing | MAPAUDIT_IN_WAIT;
    const std::uint64_t start = ticks();
    if constexpr (requires { lock.owner(); }) {
        owner = lock.owner();
        lock.wait_begins(wait_clock(start));
    }
    take(lock);
    const std::uint64_t end = ticks();
    block.op = doing;
    note(block, map, MAPAUDIT_NOTE_WAITED);
    block.lock_owner = owner;
    block.wait_started = start;
    return end > start ? end - start : 1;
}

// The holder is about to let go of a lock that others wait for, since a reading of wait_clock.
[[gnu::noinline, gnu::cold]] inline void note_waited_for(std::uint32_t map, std::uint32_t since, bool shared) noexcept {
    if (tls_block == nullptr) return;
    note(*tls_block, map, MAPAUDIT_NOTE_WAITED_FOR | (shared ? MAPAUDIT_NOTE_SHARED : 0u));
    const std::uint64_t now = ticks();
    tls_block->waited_for_since = now - (std::uint64_t{wait_clock(now) - since} << wait_clock_shift);
}

// Tells what was noted of an operation that has ended. `held` and `wait` in ticks. Inlined into nobody: its caller is
// the operation, and stacks show it.
[[gnu::noinline, gnu::cold]] inline void tell_lock_notes(mapaudit_thread_block& block, std::uint32_t map,
                                                         std::uint32_t op, std::uint64_t held,
                                                         std::uint64_t wait) noexcept {
    if (block.lock_map != map) return;
    const std::uint32_t notes = std::exchange(block.lock_notes, 0);
    block.lock_map = 0;
    // First the release, which those who waited are to be told of.
    if ((notes & MAPAUDIT_NOTE_WAITED_FOR) != 0 && listened_to(MAPAUDIT_SEM_RELEASED, mapaudit_probe_released)) {
        count_event(block);
        mapaudit_probe_released(map, op, ns_of_ticks(held), (notes & MAPAUDIT_NOTE_SHARED) != 0);
    }
    if ((notes & MAPAUDIT_NOTE_WAITED) != 0 && listened_to(MAPAUDIT_SEM_CONTENDED, mapaudit_probe_contended)) {
        count_event(block);
        mapaudit_probe_contended(map, op, ns_of_ticks(wait), block.lock_owner,
                                 ns_of_ticks(ticks() - block.wait_started));
    }
}

// Likewise, of an operation that was counted and not timed. Its wait becomes a record without a call; for how long it
// held a lock is known from the moment on that somebody waited for it.
[[gnu::noinline, gnu::cold]] inline void tell_untimed_lock_notes(mapaudit_thread_block& block, std::uint32_t map,
                                                                 std::uint32_t op, std::uint64_t wait) noexcept {
    if (wait != 0) {
        const bool scaled = wait >> 32 != 0;
        append_on(block, current_cpu(block));
        append_record(
            block, {map, 0, static_cast<__u32>(scaled ? wait >> MAPAUDIT_SCALED_SHIFT : wait), 0, static_cast<__u8>(op),
                    static_cast<__u8>(MAPAUDIT_REC_COUNT | (scaled ? MAPAUDIT_REC_SCALED : 0u))});
    }
    tell_lock_notes(block, map, op, ticks() - block.waited_for_since, wait);
}

// For holders outside the audited operations (an iteration, a clear): they are waited for as well. Takes the lock
// through `take`; unlock() tells.
template <class Lock, bool Shared>
class whole_map_guard {
public:
    whole_map_guard(Lock& lock, std::uint32_t map) : lock_(&lock), map_(map) {
        if constexpr (Shared)
            lock.lock_shared();
        else
            lock.lock();
        if (!armed(MAPAUDIT_SEM_RELEASED)) return;
        since_ = ticks();
        if constexpr (!Shared) lock.own(this_thread_id());
    }
    whole_map_guard(whole_map_guard&& other) noexcept
        : lock_(std::exchange(other.lock_, nullptr)), map_(other.map_), since_(other.since_) {}
    ~whole_map_guard() {
        if (lock_ != nullptr) unlock();
    }
    [[gnu::always_inline]] void unlock() {
        Lock& lock = *std::exchange(lock_, nullptr);
        bool waited_for = false;
        if (since_ != 0) waited_for = (Shared ? lock.waited_since() : lock.disown()) != 0;
        if constexpr (Shared)
            lock.unlock_shared();
        else
            lock.unlock();
        if (waited_for && listened_to(MAPAUDIT_SEM_RELEASED, mapaudit_probe_released))
            mapaudit_probe_released(map_, MAPAUDIT_OP_WHOLE, ns_of_ticks(ticks() - since_), Shared);
    }

private:
    Lock* lock_;
    std::uint32_t map_;
    std::uint64_t since_ = 0;  // 0: nobody listened
};

#endif

}  // namespace mapaudit::detail

#endif
