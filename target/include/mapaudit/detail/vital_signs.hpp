// SPDX-License-Identifier: Apache-2.0
//
// A map's vital signs: what it counts of itself, and the sums of them over its tables.
#ifndef MAPAUDIT_DETAIL_VITAL_SIGNS_HPP
#define MAPAUDIT_DETAIL_VITAL_SIGNS_HPP

#include <cstddef>
#include <cstdint>

#include <mapaudit/probes.h>

namespace mapaudit::detail {

struct map_totals {
    std::size_t size = 0, buckets = 0, overflow = 0;
    std::uint64_t grows = 0;

    map_totals& operator+=(const map_totals& more) noexcept {
        size += more.size;
        buckets += more.buckets;
        overflow += more.overflow;
        grows += more.grows;
        return *this;
    }
    double load_factor() const noexcept { return static_cast<double>(size) / static_cast<double>(buckets); }
};

// Changed by the map's writers, read from outside at any moment. Relaxed throughout: each is a figure by itself, no
// other memory is read on the strength of it.
struct vital_signs {
    std::uint64_t size = 0, buckets = 0, overflow = 0, grows = 0;

    static void add(std::uint64_t& figure, std::uint64_t by) noexcept {
        __atomic_fetch_add(&figure, by, __ATOMIC_RELAXED);
    }
    static void take(std::uint64_t& figure, std::uint64_t by) noexcept {
        __atomic_fetch_sub(&figure, by, __ATOMIC_RELAXED);
    }
    static void set(std::uint64_t& figure, std::uint64_t to) noexcept {
        __atomic_store_n(&figure, to, __ATOMIC_RELAXED);
    }
    static std::uint64_t get(const std::uint64_t& figure) noexcept {
        return __atomic_load_n(&figure, __ATOMIC_RELAXED);
    }

    map_totals totals() const noexcept { return {get(size), get(buckets), get(overflow), get(grows)}; }

    // A go_table's, but for its growths, which an observer counts (growth_tap.hpp); by whoever may change the table.
    template <class Table>
    void describe_buckets(const Table& table) noexcept {
        set(buckets, table.bucket_count());
        set(overflow, table.live().overflow);
    }
    template <class Table>
    void describe(const Table& table) noexcept {
        set(size, table.size());
        describe_buckets(table);
    }

    // Keeps the buckets.
    void emptied() noexcept {
        set(size, 0);
        set(overflow, 0);
    }

    live_fields published(std::uint32_t parts = 1, std::size_t stride = 0) const noexcept {
        return {.size = {&size},
                .buckets = {&buckets},
                .overflow = {&overflow},
                .grows = {&grows},
                .parts = parts,
                .stride = stride};
    }
};

}  // namespace mapaudit::detail

#endif
