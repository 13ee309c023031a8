// SPDX-License-Identifier: Apache-2.0
//
// For maps written by hand whose operations are not one closure: an operation that lasts from a scope object's
// construction to its destruction.
//
//   value* my_map::find(key k) {
//       mapaudit::scope<mapaudit::op::lookup> operation{handle_};
//       operation.lock(mutex_);
//       std::lock_guard guard(mutex_, std::adopt_lock);   // declared after: unlocks before the probes fire
//       …
//   }
//
// Unattached it costs one test at each end; `audit` (probes.h) one in all.
#ifndef MAPAUDIT_SCOPE_HPP
#define MAPAUDIT_SCOPE_HPP

#include <optional>

#include <mapaudit/probes.h>

namespace mapaudit {

#ifdef MAPAUDIT_NO_PROBES

template <op Op>
class scope {
public:
    explicit scope(const map_handle&) noexcept {}
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope() {}  // not trivial, so that a scope that is only made does not count as unused

    static constexpr bool listening() noexcept { return false; }
    template <class Lock>
    void lock(Lock& lock) {
        lock.lock();
    }
    template <class Lock>
    void lock_shared(Lock& lock) {
        lock.lock_shared();
    }
    template <class Lock>
    void unlock(Lock& lock) {
        lock.unlock();
    }
    template <class Lock>
    void unlock_shared(Lock& lock) {
        lock.unlock_shared();
    }
    void grew(const growth&) noexcept {}
    void evacuated(const evacuation&) noexcept {}
};

#else

template <op Op>
class scope {
public:
    [[gnu::always_inline]] explicit scope(const map_handle& map) noexcept {
        if (detail::any_armed<detail::window_of(Op)>()) [[unlikely]]
            begin(map);
    }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    [[gnu::always_inline]] ~scope() {
        if (running_) [[unlikely]]
            end();
    }

    // Does anyone listen to this operation? Decided once, when it began.
    bool listening() const noexcept { return running_.has_value(); }

    // Take a lock; the wait for it becomes the operation's wait. The caller unlocks, before the scope ends.
    template <class Lock>
    void lock(Lock& lock) {
        running_ ? running_->lock(lock) : lock.lock();
    }
    template <class Lock>
    void lock_shared(Lock& lock) {
        running_ ? running_->lock_shared(lock) : lock.lock_shared();
    }
    // For an owned lock (detail/lock_notes.hpp), so that its holder is known to those who wait; else any way will do.
    template <class Lock>
    void unlock(Lock& lock) {
        running_ ? running_->unlock(lock) : lock.unlock();
    }
    template <class Lock>
    void unlock_shared(Lock& lock) {
        running_ ? running_->unlock_shared(lock) : lock.unlock_shared();
    }
    void grew(const growth& g) noexcept {
        if (running_) running_->grew(g);
    }
    void evacuated(const evacuation& e) noexcept {
        if (running_) running_->evacuated(e);
    }

private:
    [[gnu::noinline]] void begin(const map_handle& map) noexcept {
        mapaudit_thread_block* block = detail::block_for(map);
        if (block == nullptr) return;
        running_.emplace(*block, map.id(), Op, detail::begin_timing(*block, map.id(), Op));
    }
    [[gnu::noinline]] void end() noexcept { running_.reset(); }

    std::optional<timed> running_;
};

#endif

}  // namespace mapaudit

#endif
