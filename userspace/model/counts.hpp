// SPDX-License-Identifier: Apache-2.0
//
// What is counted of one operation of one map.
#pragma once

#include <cstdint>

#include "model/histogram.hpp"

namespace mapaudit::model {

// Counts to be added to a cell. Latencies and waits are in units of `ns_per_unit` ns.
struct Counts {
    std::uint64_t calls = 0;  // exact
    Histogram latency;        // of the timed calls
    std::uint64_t latency_sum = 0;
    std::uint64_t latency_max = 0;  // 0: unknown, the histogram's highest bucket stands in
    std::uint64_t waits = 0, wait_sum = 0;
    Histogram wait;
    Histogram grew;  // latencies of the timed calls that grew or evacuated
    std::uint64_t grew_sum = 0;
    std::uint64_t migrations = 0;
    std::uint64_t conflicts = 0;
    std::uint64_t fatal_errors = 0;
    std::uint64_t grows = 0;
    std::int64_t buckets_grown = 0;  // new minus old buckets, summed
    std::uint64_t lost = 0;
    double ns_per_unit = 1;

    void add(const Counts& other);  // units must agree
    bool has_times() const;         // anything in units
    bool is_empty() const;
};

}  // namespace mapaudit::model
