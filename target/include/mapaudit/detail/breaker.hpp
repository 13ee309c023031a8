// SPDX-License-Identifier: Apache-2.0
//
// A circuit breaker: after so many failures in a row it refuses for a while, then lets one attempt through, whose
// outcome decides.
//
//   Thread safety   all functions, from any thread. The state is one word: failures in a row, or the time at which the
//                   next attempt may go through. Relaxed throughout: nothing else is read on the strength of it.
#ifndef MAPAUDIT_DETAIL_BREAKER_HPP
#define MAPAUDIT_DETAIL_BREAKER_HPP

#include <atomic>
#include <cstdint>

namespace mapaudit::detail {

class breaker {
public:
    // `failures` 0: never opens.
    breaker(std::uint32_t failures, std::int64_t pause_ns) noexcept : most_(failures), pause_ns_(pause_ns) {}

    // May an attempt be made now? When the pause is over, one of those that ask may; the others wait for its outcome,
    // or, if it never reports, for another pause.
    bool admits(std::int64_t now_ns) noexcept {
        std::int64_t until = open_until_.load(std::memory_order_relaxed);
        if (until == closed) [[likely]]
            return true;
        return now_ns >= until &&
               open_until_.compare_exchange_strong(until, now_ns + pause_ns_, std::memory_order_relaxed);
    }
    bool open() const noexcept { return open_until_.load(std::memory_order_relaxed) != closed; }

    void succeeded() noexcept {
        if (failures_.load(std::memory_order_relaxed) != 0) failures_.store(0, std::memory_order_relaxed);
        if (open()) open_until_.store(closed, std::memory_order_relaxed);
    }
    void failed(std::int64_t now_ns) noexcept {
        if (most_ == 0) return;
        if (failures_.fetch_add(1, std::memory_order_relaxed) + 1 >= most_)
            open_until_.store(now_ns + pause_ns_, std::memory_order_relaxed);
    }

private:
    static constexpr std::int64_t closed = INT64_MIN;

    const std::uint32_t most_;
    const std::int64_t pause_ns_;
    std::atomic<std::uint32_t> failures_ = 0;
    std::atomic<std::int64_t> open_until_ = closed;
};

}  // namespace mapaudit::detail

#endif
