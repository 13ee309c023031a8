// SPDX-License-Identifier: Apache-2.0
//
// The driver's own clock and latency histogram, independent of the auditor's: what its percentiles are checked against.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

#include <mapaudit/probe_abi.h>
#include <mapaudit/detail/platform.hpp>

namespace mapaudit::workload {

// The clock that probes use, with or without probes: the machine's counter where it is invariant.
inline const bool counter_usable = detail::counter_is_invariant();
inline std::uint64_t ticks() noexcept { return counter_usable ? detail::counter() : detail::monotonic_ns(); }

// A moment on both clocks; two of them give the counter's rate.
struct Moment {
    std::uint64_t at_ticks, at_ns;
    static Moment now() noexcept {
        const std::uint64_t ns = detail::monotonic_ns();
        return {ticks(), ns};
    }
};

inline double ns_per_tick(const Moment& from, const Moment& to) noexcept {
    if (!counter_usable || to.at_ticks <= from.at_ticks) return 1.0;
    return static_cast<double>(to.at_ns - from.at_ns) / static_cast<double>(to.at_ticks - from.at_ticks);
}

// What an auditor attached at level full adds to an operation that is timed from outside: its own two clock reads
// inside, the second behind a fence. In ticks; taken off the driver's figures, so that both sides time the operation.
// Measured every few thousand operations: on a shared core the price changes by half within milliseconds. A mean, since
// some counters move in steps of 10 ns and a median of such steps is one of them; of the lower three quarters, since
// the upper hold the interrupts.
class InnerClockReads {
public:
    // What they cost now; `operations` counts this worker's.
    std::uint64_t ticks_at(std::uint64_t operations) {
        if (operations % every == 0) cost_ = measure();
        return cost_;
    }

private:
    static constexpr std::uint64_t every = 4096;
    static constexpr std::size_t tries = 64, kept = tries * 3 / 4;

    static std::uint64_t measure() {
        std::array<std::uint64_t, tries> costs;
        for (std::uint64_t& cost : costs) {
            const std::uint64_t first = ticks(), second = ticks();
            const std::uint64_t start = ticks();
            (void)ticks();
            if (counter_usable)
                (void)detail::counter_after();
            else
                (void)ticks();
            const std::uint64_t end = ticks();
            const std::uint64_t bare = second - first, around = end - start;
            cost = around > bare ? around - bare : 0;
        }
        std::ranges::sort(costs);
        return (std::accumulate(costs.begin(), costs.begin() + kept, std::uint64_t{0}) + kept / 2) / kept;
    }
    std::uint64_t cost_ = 0;
};

// Durations in ticks, log-linear: 32 buckets to an octave (probe_abi.h).
class LatencyHistogram {
public:
    void add(std::uint64_t value) noexcept {
        ++buckets_[mapaudit_bucket(value)];
        max_ = std::max(max_, value);
    }
    void merge(const LatencyHistogram& other) noexcept {
        for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
        max_ = std::max(max_, other.max_);
    }
    std::uint64_t count() const noexcept {
        std::uint64_t sum = 0;
        for (const std::uint64_t n : buckets_) sum += n;
        return sum;
    }
    std::uint64_t max() const noexcept { return max_; }

    // The middle of the bucket that holds the value of rank ceil(share * count); 0 when empty.
    double percentile(double share) const noexcept {
        const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count())));
        std::uint64_t seen = 0;
        for (std::uint32_t i = 0; i < MAPAUDIT_BUCKETS; ++i) {
            seen += buckets_[i];
            if (buckets_[i] == 0 || seen < rank) continue;
            const double middle = (static_cast<double>(mapaudit_bucket_floor(i)) +
                                   static_cast<double>(mapaudit_bucket_floor(i + 1) - 1)) /
                                  2;
            return std::min(middle, static_cast<double>(max_));
        }
        return 0;
    }

private:
    std::array<std::uint64_t, MAPAUDIT_BUCKETS> buckets_{};
    std::uint64_t max_ = 0;
};

}  // namespace mapaudit::workload
