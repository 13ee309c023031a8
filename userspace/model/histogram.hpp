// SPDX-License-Identifier: Apache-2.0
//
// A log-linear histogram: 32 buckets to an octave (probe_abi.h, mapaudit_bucket), so that any value read back from it
// is within 1/32 of the one put in. Only the octaves from the lowest to the highest that were touched take memory, 128
// bytes each (256 once there are more than 2^32 values): thousands of these are alive at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <mapaudit/probe_abi.h>

namespace mapaudit::model {

// Values are unsigned integers in the caller's unit (ticks or ns). Not thread safe.
class Histogram {
public:
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
    std::size_t size() const noexcept { return wide_.empty() ? narrow_.size() : wide_.size(); }
    std::uint64_t at(std::size_t index) const noexcept { return wide_.empty() ? narrow_[index] : wide_[index]; }
    std::uint32_t first_bucket() const noexcept { return first_page_ * MAPAUDIT_SUB_BUCKETS; }
    void cover(std::uint32_t first_page, std::uint32_t end_page);
    void make_room(std::uint64_t more);

    // The buckets of whole octaves from first_page_ on: in narrow_ while count_ fits 32 bits, so that no bucket can
    // overflow, then in wide_. The other one is empty.
    std::vector<std::uint32_t> narrow_;
    std::vector<std::uint64_t> wide_;
    std::uint32_t first_page_ = 0;
    std::uint64_t count_ = 0;
};

}  // namespace mapaudit::model
