// SPDX-License-Identifier: Apache-2.0
#include "model/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mapaudit::model {

namespace {

constexpr std::uint32_t last_bucket = MAPAUDIT_BUCKETS - 1;

// Largest value that falls into the bucket.
std::uint64_t bucket_ceiling(std::uint32_t bucket) { return mapaudit_bucket_floor(bucket + 1) - 1; }

double midpoint(std::uint32_t bucket) {
    return (static_cast<double>(mapaudit_bucket_floor(bucket)) + static_cast<double>(bucket_ceiling(bucket))) / 2;
}

}  // namespace

Histogram::Histogram(const Histogram& other) : count_(other.count_) {
    for (std::size_t i = 0; i < octaves_.size(); ++i) {
        if (other.octaves_[i]) octaves_[i] = std::make_unique<Octave>(*other.octaves_[i]);
    }
}

Histogram& Histogram::operator=(const Histogram& other) {
    if (this != &other) *this = Histogram(other);
    return *this;
}

void Histogram::add(std::uint64_t value, std::uint64_t count) { add_bucket(mapaudit_bucket(value), count); }

void Histogram::add_bucket(std::uint32_t bucket, std::uint64_t count) {
    if (count == 0) return;
    bucket = std::min(bucket, last_bucket);
    std::unique_ptr<Octave>& octave = octaves_[bucket / MAPAUDIT_SUB_BUCKETS];
    if (!octave) octave = std::make_unique<Octave>();
    (*octave)[bucket % MAPAUDIT_SUB_BUCKETS] += count;
    count_ += count;
}

void Histogram::merge(const Histogram& other) {
    for (std::size_t i = 0; i < octaves_.size(); ++i) {
        if (!other.octaves_[i]) continue;
        if (!octaves_[i]) {
            octaves_[i] = std::make_unique<Octave>(*other.octaves_[i]);
            continue;
        }
        for (std::size_t sub = 0; sub < MAPAUDIT_SUB_BUCKETS; ++sub) (*octaves_[i])[sub] += (*other.octaves_[i])[sub];
    }
    count_ += other.count_;
}

void Histogram::clear() noexcept {
    for (std::unique_ptr<Octave>& octave : octaves_) octave.reset();
    count_ = 0;
}

std::uint64_t Histogram::bucket_count(std::uint32_t bucket) const noexcept {
    if (bucket > last_bucket) return 0;
    const std::unique_ptr<Octave>& octave = octaves_[bucket / MAPAUDIT_SUB_BUCKETS];
    return octave ? (*octave)[bucket % MAPAUDIT_SUB_BUCKETS] : 0;
}

std::optional<double> Histogram::quantile(double quantile) const {
    if (count_ == 0) return std::nullopt;
    // 0.07 * 100 is a hair over 7 in binary; without the correction its ceiling would be the eighth value.
    const double position = std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count_) * (1 - 1e-15);
    const auto rank = std::clamp(static_cast<std::uint64_t>(std::ceil(position)), std::uint64_t{1}, count_);
    std::uint64_t below = 0;
    for (std::uint32_t page = 0; page < MAPAUDIT_OCTAVES; ++page) {
        if (!octaves_[page]) continue;
        const Octave& octave = *octaves_[page];
        const std::uint64_t here = std::accumulate(octave.begin(), octave.end(), std::uint64_t{0});
        if (below + here < rank) {
            below += here;
            continue;
        }
        std::uint32_t sub = 0;
        while ((below += octave[sub]) < rank) ++sub;
        return midpoint(page * MAPAUDIT_SUB_BUCKETS + sub);
    }
    return std::nullopt;  // unreachable: count_ is the sum of the buckets
}

std::optional<std::uint64_t> Histogram::highest() const {
    for (std::uint32_t page = MAPAUDIT_OCTAVES; page-- > 0;) {
        if (!octaves_[page]) continue;
        for (std::uint32_t sub = MAPAUDIT_SUB_BUCKETS; sub-- > 0;) {
            if ((*octaves_[page])[sub] != 0) return bucket_ceiling(page * MAPAUDIT_SUB_BUCKETS + sub);
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> Histogram::lowest() const {
    for (std::uint32_t page = 0; page < MAPAUDIT_OCTAVES; ++page) {
        if (!octaves_[page]) continue;
        for (std::uint32_t sub = 0; sub < MAPAUDIT_SUB_BUCKETS; ++sub) {
            if ((*octaves_[page])[sub] != 0) return mapaudit_bucket_floor(page * MAPAUDIT_SUB_BUCKETS + sub);
        }
    }
    return std::nullopt;
}

double Histogram::sum() const {
    double total = 0;
    for (std::uint32_t page = 0; page < MAPAUDIT_OCTAVES; ++page) {
        if (!octaves_[page]) continue;
        for (std::uint32_t sub = 0; sub < MAPAUDIT_SUB_BUCKETS; ++sub) {
            const std::uint64_t count = (*octaves_[page])[sub];
            if (count != 0) total += midpoint(page * MAPAUDIT_SUB_BUCKETS + sub) * static_cast<double>(count);
        }
    }
    return total;
}

}  // namespace mapaudit::model
