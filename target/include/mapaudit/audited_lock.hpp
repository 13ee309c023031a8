// SPDX-License-Identifier: Apache-2.0
//
// A mutex of the user's own, audited like a map: who waits for whom, how long, and where. A critical section is an
// operation: an exclusive one an assign, a shared one a lookup; its latency runs from the call that takes the lock to
// the one that lets it go, its wait is the part before the lock was had.
//
//   mapaudit::audited_lock<std::mutex> sessions_lock{"sessions"};
//   const std::lock_guard guard(sessions_lock);
//
// Works wherever its mutex does (std::lock_guard, std::shared_lock, std::condition_variable_any, …) with the same
// guarantees. Unattached, taking and letting go cost one test each. What is to be told is told after the lock was let
// go, never while it is held.
#ifndef MAPAUDIT_AUDITED_LOCK_HPP
#define MAPAUDIT_AUDITED_LOCK_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <mapaudit/probes.h>
#include <mapaudit/detail/type_name.hpp>

namespace mapaudit {

#ifndef MAPAUDIT_NO_PROBES

namespace detail {

// How many critical sections the calling thread is in that are listened to. Initial-exec: one load, no call.
__attribute__((tls_model("initial-exec"))) inline constinit thread_local unsigned sections_held = 0;

// These sections, by lock. A thread that is in more of them at once is not heard for the ones beyond.
class held_sections {
public:
    static constexpr std::size_t most = 16;

    // Null when there is no place.
    std::optional<timed>* begin(const void* lock) noexcept {
        section* const free = with(nullptr);
        if (free == nullptr) return nullptr;
        ++sections_held;
        free->lock = lock;
        free->number = ++begun_;
        return &free->running;
    }
    // Null where no section with this lock is listened to.
    std::optional<timed>* find(const void* lock) noexcept {
        section* const found = with(lock);
        return found == nullptr ? nullptr : &found->running;
    }
    // Reports. Sections may end in another order than they began in, unlike operations; the thread's state, which is
    // given back from each to the one around it, is then only right again once it is in none.
    void end(const void* lock) noexcept {
        section& ending = *with(lock);
        for (const section& other : sections_)
            tangled_ = tangled_ || (other.lock != nullptr && other.number > ending.number);
        ending.running.reset();
        ending.lock = nullptr;
        if (--sections_held == 0 && std::exchange(tangled_, false)) tls_block->op_map = tls_block->op = 0;
    }

private:
    struct section {
        const void* lock = nullptr;
        std::uint64_t number = 0;
        std::optional<timed> running;
    };
    section* with(const void* lock) noexcept {
        for (section& s : sections_)
            if (s.lock == lock) return &s;
        return nullptr;
    }

    std::array<section, most> sections_;
    std::uint64_t begun_ = 0;
    bool tangled_ = false;
};

inline held_sections& sections_of_this_thread() noexcept {
    static thread_local held_sections sections;
    return sections;
}

}  // namespace detail

#endif

template <class Mutex>
class audited_lock {
    static_assert(
        requires(Mutex & m) {
            m.lock();
            m.try_lock();
            m.unlock();
        },
        "audited_lock<Mutex> wraps a mutex with the standard's interface: lock, try_lock, unlock");

public:
    using mutex_type = Mutex;
    // The wrapped mutex's name: "mutex", "shared_mutex".
    static constexpr std::string_view kind = detail::template_name<Mutex>();

    explicit audited_lock(std::string_view name = {}) noexcept : handle_(kind, name, {}) {}
    audited_lock(const audited_lock&) = delete;
    audited_lock& operator=(const audited_lock&) = delete;

    void lock() {
        take<op::assign>([](auto& running, auto& lock) { running.lock(lock); });
    }
    void lock_shared() requires requires(Mutex& m) { m.lock_shared(); }
    {
        take<op::lookup>([](auto& running, auto& lock) { running.lock_shared(lock); });
    }
    // One that fails is no critical section.
    bool try_lock() {
        return try_take<op::assign>([](auto& lock) { return lock.try_lock(); });
    }
    bool try_lock_shared() requires requires(Mutex& m) { m.try_lock_shared(); }
    {
        return try_take<op::lookup>([](auto& lock) { return lock.try_lock_shared(); });
    }
    void unlock() {
        let_go([](auto& running, auto& lock) { running.unlock(lock); });
    }
    void unlock_shared() requires requires(Mutex& m) { m.unlock_shared(); }
    {
        let_go([](auto& running, auto& lock) { running.unlock_shared(lock); });
    }

    // 0 where probes are compiled out.
    std::uint32_t id() const noexcept { return handle_.id(); }

private:
#ifdef MAPAUDIT_NO_PROBES
    template <op, class Take>
    void take(Take take) {
        untimed running;
        take(running, lock_);
    }
    template <op, class Try>
    bool try_take(Try attempt) {
        return attempt(lock_);
    }
    template <class LetGo>
    void let_go(LetGo let_go) {
        untimed running;
        let_go(running, lock_);
    }
#else
    template <op Op, class Take>
    [[gnu::always_inline]] void take(Take take) {
        if (detail::any_armed<detail::window_of(Op)>()) [[unlikely]]
            if (std::optional<timed>* running = begin<Op>(); running != nullptr) {
                take(**running, lock_);
                return;
            }
        untimed running;
        take(running, lock_);
    }
    template <op Op, class Try>
    [[gnu::always_inline]] bool try_take(Try attempt) {
        if (!attempt(lock_)) return false;
        if (detail::any_armed<detail::window_of(Op)>()) [[unlikely]]
            begin<Op>();
        return true;
    }
    // Heard sections end as they began, whatever is attached by then.
    template <class LetGo>
    [[gnu::always_inline]] void let_go(LetGo let_go) {
        if (detail::sections_held != 0) [[unlikely]]
            if (std::optional<timed>* running = detail::sections_of_this_thread().find(&lock_); running != nullptr) {
                let_go(**running, lock_);
                detail::sections_of_this_thread().end(&lock_);
                return;
            }
        untimed running;
        let_go(running, lock_);
    }
    // Null where this section goes unheard.
    template <op Op>
    [[gnu::noinline]] std::optional<timed>* begin() noexcept {
        mapaudit_thread_block* block = detail::block_for(handle_);
        if (block == nullptr) return nullptr;
        std::optional<timed>* running = detail::sections_of_this_thread().begin(&lock_);
        if (running != nullptr)
            running->emplace(*block, handle_.id(), Op, detail::begin_timing(*block, handle_.id(), Op));
        return running;
    }
#endif

    detail::owned_lock<Mutex> lock_;
    map_handle handle_;
};

}  // namespace mapaudit

#endif
