// SPDX-License-Identifier: Apache-2.0
//
// What a load did: the ground truth that an audit of it is checked against.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "latency.hpp"

namespace mapaudit::workload {

enum class Operation : unsigned { assign = 0, lookup = 1, erase = 2 };
inline constexpr std::array<const char*, 3> operation_names{"assign", "lookup", "erase"};

using OpCounts = std::array<std::uint64_t, 3>;  // by Operation
using OpLatencies = std::array<LatencyHistogram, 3>;

struct MapOutcome {
    std::uint32_t id = 0;  // as probes and registry know it; 0 in a build without probes
    std::string name;
    OpCounts ops{};
    std::uint64_t grows = 0;              // since the load started
    std::uint64_t buckets = 0, size = 0;  // when the load ended
    double load_factor = 0;
};

struct Outcome {
    std::string kind;
    unsigned threads = 0;
    double seconds = 0;  // from the first operation to the end of the last
    std::vector<MapOutcome> maps;
    std::uint64_t conflicts = 0;           // operations that ended in a conflict exception
    std::unique_ptr<OpLatencies> latency;  // in ticks; null unless operations were timed
    double ns_per_tick = 1;
    std::shared_ptr<void> held;  // the maps themselves, where they are to outlive the report

    OpCounts total_ops() const {
        OpCounts sum{};
        for (const MapOutcome& map : maps)
            for (std::size_t op = 0; op < sum.size(); ++op) sum[op] += map.ops[op];
        return sum;
    }
};

// Why there is no outcome: one line for stderr, and the exit code that says it to scripts.
struct Failure {
    int exit_code;
    std::string line;
};

inline constexpr int exit_failed = 1;
inline constexpr int exit_nobody_attached = 3;

}  // namespace mapaudit::workload
