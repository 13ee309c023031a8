// SPDX-License-Identifier: Apache-2.0
//
// One load on one map, as the auditor saw it.
#pragma once

#include <string>
#include <vector>

#include "field/claim.hpp"
#include "support/csv.hpp"

namespace mapaudit::bench {

struct Observation {
    double ops_per_s = 0;
    double lookup_p50_ns = 0, lookup_p99_ns = 0;  // 0 where there was no look-up
    double waiting = 0;                           // threads that waited for a lock at a time, on average; at level full

    // So that more is better: operations a second, or look-ups a second at that latency.
    double goodness(Figure figure) const;
};

struct FieldPaths {
    std::string workload, auditor, csv;
};

// What the rows of one audit say. The rate is the median over the intervals but the first and the last, which the load
// need not fill. Throws BenchError when there are fewer than three, or no operation in them.
Observation read_observation(const std::vector<test::CsvRow>& rows);

// Runs the driver for a second under the auditor at `level`: sampled, so that what is measured is the map and not the
// clock, or full, so that every wait is seen. Throws BenchError when either fails, and when the auditor did not
// count exactly the operations that the driver did.
Observation observe(const FieldPaths& paths, const std::string& kind, const Mix& mix,
                    const std::string& level = "sampled");

}  // namespace mapaudit::bench
