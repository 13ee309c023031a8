// SPDX-License-Identifier: Apache-2.0
//
// A log-linear histogram: 32 buckets to an octave (probe_abi.h, mapaudit_bucket), so that any value read back from it
// is within 1/32 of the one put in. Octaves are allocated when first touched: an operation's latencies span few.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include <mapaudit/probe_abi.h>

namespace mapaudit::model {

// Values are unsigned integers in the caller's unit (ticks or ns). Not thread safe.
class Histogram {
public:
    Histogram() = default;
    Histogram(const Histogram& other);
    Histogram(Histogram&&) noexcept = default;
    Histogram& operator=(const Histogram& other);
    Histogram& operator=(Histogram&&) noexcept = default;

    void add(std::uint64_t value, std::uint64_t count = 1);
    // `bucket` is an index as mapaudit_bucket gives it; one beyond the last counts as the last.
    void add_bucket(std::uint32_t bucket, std::uint64_t count);
    // Exact: merging is adding bucket by bucket.
    void merge(const Histogram& other);
    void clear() noexcept;

    std::uint64_t count() const noexcept { return count_; }
    std::uint64_t bucket_count(std::uint32_t bucket) const noexcept;

    // The value below or at which the share `quantile` (0..1) of all values lies: the midpoint of the bucket that
    // holds the ceil(quantile * count)-th smallest value. Empty where there is no value.
    std::optional<double> quantile(double quantile) const;
    // Upper edge (largest member) of the highest non-empty bucket, and lower edge of the lowest.
    std::optional<std::uint64_t> highest() const;
    std::optional<std::uint64_t> lowest() const;
    // Sum of midpoints times counts: the mean's numerator where no exact sum is kept.
    double sum() const;

private:
    using Octave = std::array<std::uint64_t, MAPAUDIT_SUB_BUCKETS>;
    std::array<std::unique_ptr<Octave>, MAPAUDIT_OCTAVES> octaves_;
    std::uint64_t count_ = 0;
};

}  // namespace mapaudit::model
