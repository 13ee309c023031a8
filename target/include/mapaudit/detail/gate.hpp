// SPDX-License-Identifier: Apache-2.0
//
// A mutex whose wait can be given up: at a deadline, or when a std::stop_token says so. operation_map's.
//
//   Rules    held_ and waiting_ belong to mutex_, which is held for some instructions only. Waiters sleep on free_, one
//            is woken a release; one that gives up after it was woken leaves the gate free for whoever comes, and wakes
//            the next.
#ifndef MAPAUDIT_DETAIL_GATE_HPP
#define MAPAUDIT_DETAIL_GATE_HPP

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <utility>

namespace mapaudit::detail {

class gate {
public:
    using time_point = std::chrono::steady_clock::time_point;

    bool try_lock() {
        const std::lock_guard guard(mutex_);
        return !std::exchange(held_, true);
    }
    void lock() {
        std::unique_lock guard(mutex_);
        ++waiting_;
        free_.wait(guard, [this] { return !held_; });
        --waiting_;
        held_ = true;
    }
    // False when it was given up.
    bool lock(const std::stop_token& stop, time_point deadline) {
        std::unique_lock guard(mutex_);
        if (stop.stop_requested()) return false;
        if (!held_) return held_ = true;
        ++waiting_;
        const auto is_free = [this] { return !held_; };
        const bool free = deadline == time_point::max() ? free_.wait(guard, stop, is_free)
                                                        : free_.wait_until(guard, stop, deadline, is_free);
        --waiting_;
        if (free && !stop.stop_requested()) return held_ = true;
        const bool pass_on = !held_ && waiting_ > 0;
        guard.unlock();
        if (pass_on) free_.notify_one();
        return false;
    }
    void unlock() {
        bool wake;
        {
            const std::lock_guard guard(mutex_);
            held_ = false;
            wake = waiting_ > 0;
        }
        if (wake) free_.notify_one();
    }

private:
    std::mutex mutex_;
    std::condition_variable_any free_;
    std::uint32_t waiting_ = 0;
    bool held_ = false;
};

// A gate as one attempt sees it: a lock that may not have been taken when lock() returns. Forwards what the running
// operation wants to know of an owned_lock.
template <class Gate>
class limited_gate {
public:
    limited_gate(Gate& gate, const std::stop_token& stop, gate::time_point deadline) noexcept
        : gate_(gate), stop_(stop), deadline_(deadline) {}

    bool taken() const noexcept { return taken_; }
    bool try_lock() { return taken_ = !stop_.stop_requested() && gate_.try_lock(); }
    void lock() { taken_ = gate_.mutex().lock(stop_, deadline_); }
    void unlock() {
        if (taken_) gate_.unlock();
    }
    void own(std::uint32_t thread) noexcept requires requires(Gate& g) { g.own(0u); }
    {
        if (taken_) gate_.own(thread);
    }
    std::uint32_t disown() noexcept requires requires(Gate& g) { g.disown(); }
    { return taken_ ? gate_.disown() : 0; }
    std::uint32_t owner() const noexcept requires requires(const Gate& g) { g.owner(); }
    { return gate_.owner(); }
    void wait_begins(std::uint32_t at) noexcept requires requires(Gate& g) { g.wait_begins(0u); }
    { gate_.wait_begins(at); }

private:
    Gate& gate_;
    const std::stop_token& stop_;
    gate::time_point deadline_;
    bool taken_ = false;
};

// Leaves a lock through the running operation, also when what it protects throws.
template <class Running, class Lock>
struct left_with {
    Running& running;
    Lock& lock;
    ~left_with() { running.unlock(lock); }
};

}  // namespace mapaudit::detail

#endif
