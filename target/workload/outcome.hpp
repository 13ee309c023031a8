// SPDX-License-Identifier: Apache-2.0
//
// What a load did: the ground truth that an audit of it is checked against.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "latency.hpp"

namespace mapaudit::workload {

enum class Operation : unsigned { assign = 0, lookup = 1, erase = 2 };
inline constexpr std::array<const char*, 3> operation_names{"assign", "lookup", "erase"};

// Calls by Operation.
struct OpCounts {
    std::array<std::uint64_t, 3> calls{};

    std::uint64_t& operator[](std::size_t op) noexcept { return calls[op]; }
    std::uint64_t operator[](std::size_t op) const noexcept { return calls[op]; }
    static constexpr std::size_t size() noexcept { return operation_names.size(); }
    OpCounts& operator+=(const OpCounts& more) noexcept {
        for (std::size_t op = 0; op < size(); ++op) calls[op] += more[op];
        return *this;
    }
    std::uint64_t sum() const noexcept { return std::accumulate(calls.begin(), calls.end(), std::uint64_t{0}); }
    bool operator==(const OpCounts&) const = default;
};

struct OpLatencies {
    // Of all operations, and of those that an auditor timed as well.
    std::array<LatencyHistogram, 3> histograms{}, audited{};

    LatencyHistogram& operator[](std::size_t op) noexcept { return histograms[op]; }
    const LatencyHistogram& operator[](std::size_t op) const noexcept { return histograms[op]; }
    OpLatencies& operator+=(const OpLatencies& more) noexcept {
        for (std::size_t op = 0; op < histograms.size(); ++op) {
            histograms[op].merge(more[op]);
            audited[op].merge(more.audited[op]);
        }
        return *this;
    }
};

struct MapOutcome {
    std::uint32_t id = 0;  // as probes and registry know it; 0 in a build without probes
    std::string name;
    OpCounts ops{};
    std::uint64_t grows = 0;              // since the load started
    std::uint64_t buckets = 0, size = 0;  // when the load ended
    double load_factor = 0;
    std::unique_ptr<OpLatencies> latency{};  // in ticks; null unless operations were timed and each thread had one map
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
        OpCounts total;
        for (const MapOutcome& map : maps) total += map.ops;
        return total;
    }
    std::uint64_t total_grows() const {
        std::uint64_t total = 0;
        for (const MapOutcome& map : maps) total += map.grows;
        return total;
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
