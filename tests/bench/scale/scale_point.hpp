// SPDX-License-Identifier: Apache-2.0
//
// One point of a scale: a load of so many maps, threads and operations a second, and what an audit of it costs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mapaudit::bench {

struct ScalePoint {
    std::uint64_t maps = 1;
    unsigned threads = 2;
    std::uint64_t rate = 0;            // operations a second; 0: unthrottled
    std::uint64_t keys = 1024;         // over all maps
    bool chained = true;               // scale_load.cpp says what that is
    std::vector<std::string> options;  // of mapaudit attach
    bool csv = true;                   // each interval's rows, of all maps, go to a file as well

    bool operator==(const ScalePoint&) const = default;
};

// A figure an entry a round.
struct ScaleFigures {
    ScalePoint point;
    std::vector<double> plain_ns, audited_ns;  // CPU of the target per operation
    std::vector<double> added_ns;              // their difference in the same round
    std::vector<double> ops_per_s;             // with the audit
    std::vector<double> startup_ms;            // from the auditor's start to "attached to ..."
    std::vector<double> auditor_cpu;           // percent of one core, while the load runs
    double rss_mib = 0, kernel_mib = 0;        // the auditor's, at most
    std::uint64_t done = 0, seen = 0;          // operations
};

struct ScalePaths {
    std::string load, auditor, csv;
};

// Measures one round more. Throws BenchError where the audit did not see exactly what was done, or lost something.
void measure_round(ScaleFigures& figures, const ScalePaths& paths);

// What an auditor's summary says of itself.
struct Footer {
    std::uint64_t fired = 0, handled = 0, lost = 0;
    double rss_mib = 0, kernel_mib = 0;
};
// Nothing where the text has no ledger or no line on the auditor itself.
std::optional<Footer> parse_footer(const std::string& summary);

}  // namespace mapaudit::bench
