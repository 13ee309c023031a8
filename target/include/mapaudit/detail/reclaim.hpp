// SPDX-License-Identifier: Apache-2.0
//
// Safe memory reclamation for the maps whose readers take no lock: liburcu's bulletproof flavour (threads need no
// registration; link urcu-bp). Ours is only the list of what waits.
//
//   Rules   A reader follows pointers inside a read_section. A writer first makes an object unreachable, then retires
//           it. Retired objects are destroyed after a grace period, in a batch, by whichever writer fills it: no helper
//           thread runs in the process, and what waits is bounded. Nobody waits for a grace period inside a read
//           section, which would be waiting for itself, nor holding a lock.
#ifndef MAPAUDIT_DETAIL_RECLAIM_HPP
#define MAPAUDIT_DETAIL_RECLAIM_HPP

#if !__has_include(<urcu/urcu-bp.h>)
#error "this map needs liburcu (Debian: liburcu-dev), and its program to be linked with urcu-bp"
#endif
#include <pthread.h>
#include <urcu/urcu-bp.h>

#include <atomic>
#include <cstddef>
#include <utility>

#include <mapaudit/detail/allocation.hpp>

#if defined(__SANITIZE_THREAD__)
#define MAPAUDIT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MAPAUDIT_TSAN 1
#endif
#endif

#ifdef MAPAUDIT_TSAN
#include <sanitizer/tsan_interface.h>
#define MAPAUDIT_RCU_CALLS  // the library's memory is shared by threads one after the other, by means TSan cannot see
#endif
// The read side without a call into the library: functions that it offers to code of any licence. UBSan finds fault
// with the alignment of liburcu's own memory in them: builds with it define MAPAUDIT_RCU_CALLS.
#ifndef MAPAUDIT_RCU_CALLS
#include <urcu/static/urcu-bp.h>
#endif

namespace mapaudit::detail {

#ifdef MAPAUDIT_TSAN
// ThreadSanitizer sees neither liburcu's fences nor its system calls. It is told of the one edge they make: whatever a
// reader did in its section happens before the end of a grace period that waited for it. A reader still inside has not
// released anything, so that freeing under it shows.
inline char grace_edge;
#endif

class read_section {
public:
    [[gnu::always_inline]] read_section() noexcept {
#ifdef MAPAUDIT_RCU_CALLS
        urcu_bp_read_lock();
#else
        _urcu_bp_read_lock();
#endif
    }
    read_section(const read_section&) = delete;
    read_section& operator=(const read_section&) = delete;
    [[gnu::always_inline]] ~read_section() {
#ifdef MAPAUDIT_TSAN
        __tsan_release(&grace_edge);
#endif
#ifdef MAPAUDIT_RCU_CALLS
        urcu_bp_read_unlock();
#else
        _urcu_bp_read_unlock();
#endif
    }
};

// What can be retired. Destroyed through this base.
struct retirable {
    retirable() = default;
    retirable(const retirable&) = delete;
    retirable& operator=(const retirable&) = delete;
    // `allocator`: of the type and with the memory of the one it was made with.
    virtual void dispose(const void* allocator) noexcept = 0;
    retirable* next_retired = nullptr;

protected:
    ~retirable() = default;
};
// Self was made by make_with(Allocator).
template <class Self, class Allocator>
struct retirable_of : retirable {
    void dispose(const void* allocator) noexcept final {
        destroy_with(*static_cast<const Allocator*>(allocator), static_cast<Self*>(this));
    }

protected:
    ~retirable_of() = default;
};

// What one map has retired. Thread safety: what it offers may be called in any thread; the destructor when no
// reader is left.
template <class Allocator>
class reclaimer {
public:
    // A grace period lasts until the last preempted reader has run again, some milliseconds where threads outnumber
    // CPUs: enough objects that its share of a write is small.
    static constexpr std::size_t batch = 2'048;

    explicit reclaimer(const Allocator& allocator) noexcept : allocator_(allocator) {
        // In a forked child the readers of the parent's other threads would never leave their sections.
        [[maybe_unused]] static const int survives_fork =
            ::pthread_atfork(urcu_bp_before_fork, urcu_bp_after_fork_parent, urcu_bp_after_fork_child);
    }
    reclaimer(const reclaimer&) = delete;
    reclaimer& operator=(const reclaimer&) = delete;
    ~reclaimer() { destroy(head_.load(std::memory_order_relaxed)); }

    // `object` is no longer reachable for readers that begin now. Does not wait; allowed under locks.
    void retire(retirable* object) noexcept {
        // Release: the batch's taker reads the object. Push and take-all need no protection from ABA.
        retirable* head = head_.load(std::memory_order_relaxed);
        do object->next_retired = head;
        while (!head_.compare_exchange_weak(head, object, std::memory_order_release, std::memory_order_relaxed));
        waiting_.fetch_add(1, std::memory_order_relaxed);
    }

    // At the end of each write, outside locks and read sections: destroys a full batch. In a callback that runs inside
    // a read section the batch waits for a later write.
    [[gnu::always_inline]] void reclaim_when_full() noexcept {
        if (waiting_.load(std::memory_order_relaxed) >= batch) [[unlikely]]
            reclaim();
    }

    // Destroys all that was retired before the call, unless the caller stands in a read section.
    [[gnu::noinline]] void reclaim() noexcept {
        if (urcu_bp_read_ongoing() != 0) return;
        waiting_.store(0, std::memory_order_relaxed);  // only a trigger: what is pushed in between comes a batch later
        retirable* const taken = head_.exchange(nullptr, std::memory_order_acquire);
        if (taken == nullptr) return;
        urcu_bp_synchronize_rcu();
#ifdef MAPAUDIT_TSAN
        __tsan_acquire(&grace_edge);
#endif
        destroy(taken);
    }

private:
    void destroy(retirable* first) noexcept {
        while (first != nullptr) std::exchange(first, first->next_retired)->dispose(&allocator_);
    }

    [[no_unique_address]] Allocator allocator_;
    std::atomic<retirable*> head_ = nullptr;
    std::atomic<std::size_t> waiting_ = 0;
};

}  // namespace mapaudit::detail

#endif
