// SPDX-License-Identifier: Apache-2.0
//
// The driver's own clock and latency histogram, independent of the auditor's: what its percentiles are checked against.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include <mapaudit/probe_abi.h>

#include "operation_clock.hpp"

namespace mapaudit::workload {

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
    // Of that bucket, which holds values from mapaudit_bucket_floor(bucket) on.
    std::uint64_t count(std::uint32_t bucket) const noexcept { return buckets_[bucket]; }

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
