// SPDX-License-Identifier: Apache-2.0
//
// A day's run and more, without the day: the auditor's aggregator takes and closes a million intervals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mapaudit::bench {

// What came after so many intervals.
struct AggregationStretch {
    std::uint64_t intervals = 0;  // since the beginning
    double ns_per_interval = 0;   // over this stretch: CPU
    double heap_mib = 0;          // in use at its end, over what was before the aggregator
};

struct AggregationFigures {
    std::string name;
    std::uint64_t maps_seen = 0;
    std::vector<AggregationStretch> stretches;
    double totals_ms = 0;  // the rows of the whole run, at the end
};

// Three maps are there all the time, on two CPUs. Where `intervals_a_map` is not 0, a fourth is destroyed and another
// made every so many intervals. Throws BenchError when the aggregator's totals are not what was put in.
AggregationFigures run_aggregation(const std::string& name, std::uint64_t intervals, std::uint64_t intervals_a_map);

}  // namespace mapaudit::bench
