// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the aggregator put in, and how they name what comes out.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "model/aggregator.hpp"

namespace mapaudit::model {

inline Counts counts_of(const std::vector<std::uint64_t>& latencies, double ns_per_unit = 1) {
    Counts counts;
    counts.ns_per_unit = ns_per_unit;
    for (const std::uint64_t latency : latencies) {
        ++counts.calls;
        counts.latency.add(latency);
        counts.latency_sum += latency;
        counts.latency_max = std::max(counts.latency_max, latency);
    }
    return counts;
}

inline Counts calls_only(std::uint64_t calls) {
    Counts counts;
    counts.calls = calls;
    return counts;
}

inline CellKey cell(std::uint32_t map, mapaudit_op op, std::uint32_t cpu = 0, std::uint32_t tid = 0, int pid = 7) {
    return {{pid, 0, map}, op_of(static_cast<std::uint32_t>(op)), cpu, tid};
}

inline constexpr SourceTraits sample_source{.name = "usdt"};

inline MapInfo info_of(const std::string& name, bool alive = true) {
    MapInfo info;
    info.source = &sample_source;
    info.name = name;
    info.kind = "go_map";
    info.size = 12;
    info.buckets = 16;
    info.alive = alive;
    return info;
}

// map/op/cpu/tid of each row, in order.
inline std::vector<std::string> identities(const std::vector<Row>& rows) {
    std::vector<std::string> ids;
    for (const Row& row : rows) {
        ids.push_back(std::to_string(row.pid()) + "/" + std::to_string(row.map->id.id) + "/" +
                      std::string(op_name(row.op)) + "/" + (row.cpu ? std::to_string(*row.cpu) : "all") + "/" +
                      (row.tid ? std::to_string(*row.tid) : "all"));
    }
    return ids;
}

using Identities = std::vector<std::string>;

}  // namespace mapaudit::model
