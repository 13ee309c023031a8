// SPDX-License-Identifier: Apache-2.0
#include "model/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mapaudit::model {

namespace {

constexpr std::uint32_t last_bucket = MAPAUDIT_BUCKETS - 1;

// Largest value that falls into the bucket.
std::uint64_t bucket_ceiling(std::uint32_t bucket) { return mapaudit_bucket_floor(bucket + 1) - 1; }

double midpoint(std::uint32_t bucket) {
    return (static_cast<double>(mapaudit_bucket_floor(bucket)) + static_cast<double>(bucket_ceiling(bucket))) / 2;
}

// The same counts with zeros before and after; of exactly the size asked for, which insert() would double.
template <class T>
void extend(std::vector<T>& counts, std::size_t before, std::size_t size) {
    std::vector<T> extended(size);
    std::copy(counts.begin(), counts.end(), extended.begin() + static_cast<std::ptrdiff_t>(before));
    counts = std::move(extended);
}

template <class T, class U>
void add_all(std::vector<T>& to, std::size_t offset, const std::vector<U>& from) {
    for (std::size_t i = 0; i < from.size(); ++i) to[offset + i] += static_cast<T>(from[i]);
}

}  // namespace

// Makes the octaves [first_page, end_page) part of what is stored.
void Histogram::cover(std::uint32_t first_page, std::uint32_t end_page) {
    std::uint32_t end = end_page;
    if (size() == 0) {
        first_page_ = first_page;
    } else {
        end = std::max(end, first_page_ + static_cast<std::uint32_t>(size() / MAPAUDIT_SUB_BUCKETS));
    }
    const std::uint32_t first = std::min(first_page, first_page_);
    const std::size_t wanted = std::size_t{end - first} * MAPAUDIT_SUB_BUCKETS;
    if (wanted == size()) return;
    const std::size_t before = std::size_t{first_page_ - first} * MAPAUDIT_SUB_BUCKETS;
    if (wide_.empty())
        extend(narrow_, before, wanted);
    else
        extend(wide_, before, wanted);
    first_page_ = first;
}

// Before `more` values are added.
void Histogram::make_room(std::uint64_t more) {
    if (!wide_.empty() || count_ + more <= UINT32_MAX) return;
    wide_.assign(narrow_.begin(), narrow_.end());
    narrow_ = {};
}

void Histogram::add(std::uint64_t value, std::uint64_t count) { add_bucket(mapaudit_bucket(value), count); }

void Histogram::add_bucket(std::uint32_t bucket, std::uint64_t count) {
    if (count == 0) return;
    bucket = std::min(bucket, last_bucket);
    const std::uint32_t page = bucket / MAPAUDIT_SUB_BUCKETS;
    cover(page, page + 1);
    make_room(count);
    const std::size_t index = bucket - first_bucket();
    if (wide_.empty())
        narrow_[index] += static_cast<std::uint32_t>(count);
    else
        wide_[index] += count;
    count_ += count;
}

void Histogram::merge(const Histogram& other) {
    if (other.size() == 0) return;
    cover(other.first_page_, other.first_page_ + static_cast<std::uint32_t>(other.size() / MAPAUDIT_SUB_BUCKETS));
    make_room(other.count_);
    const std::size_t offset = other.first_bucket() - first_bucket();
    if (wide_.empty())
        add_all(narrow_, offset, other.narrow_);  // other fits 32 bits too, or there were no room
    else if (other.wide_.empty())
        add_all(wide_, offset, other.narrow_);
    else
        add_all(wide_, offset, other.wide_);
    count_ += other.count_;
}

void Histogram::clear() noexcept { *this = Histogram(); }

std::uint64_t Histogram::bucket_count(std::uint32_t bucket) const noexcept {
    if (bucket < first_bucket() || bucket - first_bucket() >= size()) return 0;
    return at(bucket - first_bucket());
}

std::optional<double> Histogram::quantile(double quantile) const {
    if (count_ == 0) return std::nullopt;
    // 0.07 * 100 is a hair over 7 in binary; without the correction its ceiling would be the eighth value.
    const double position = std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count_) * (1 - 1e-15);
    const auto rank = std::clamp(static_cast<std::uint64_t>(std::ceil(position)), std::uint64_t{1}, count_);
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < size(); ++i) {
        below += at(i);
        if (below >= rank) return midpoint(first_bucket() + static_cast<std::uint32_t>(i));
    }
    return std::nullopt;  // unreachable: count_ is the sum of the buckets
}

std::optional<std::uint64_t> Histogram::highest() const {
    for (std::size_t i = size(); i-- > 0;) {
        if (at(i) != 0) return bucket_ceiling(first_bucket() + static_cast<std::uint32_t>(i));
    }
    return std::nullopt;
}

std::optional<std::uint64_t> Histogram::lowest() const {
    for (std::size_t i = 0; i < size(); ++i) {
        if (at(i) != 0) return mapaudit_bucket_floor(first_bucket() + static_cast<std::uint32_t>(i));
    }
    return std::nullopt;
}

double Histogram::sum() const {
    double total = 0;
    for (std::size_t i = 0; i < size(); ++i) {
        if (const std::uint64_t count = at(i); count != 0)
            total += midpoint(first_bucket() + static_cast<std::uint32_t>(i)) * static_cast<double>(count);
    }
    return total;
}

}  // namespace mapaudit::model
