// SPDX-License-Identifier: Apache-2.0
#include "workload_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

namespace mapaudit::workload {
namespace {

using Json = nlohmann::ordered_json;

struct Percentile {
    const char* name;
    double share;
};
constexpr Percentile percentiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};

Json ops_json(const OpCounts& ops) {
    Json json;
    for (std::size_t op = 0; op < ops.size(); ++op) json[operation_names[op]] = ops[op];
    return json;
}

Json latency_json(const LatencyHistogram& histogram, double ns_per_tick) {
    const bool empty = histogram.count() == 0;
    Json json;
    for (const auto& [name, share] : percentiles)
        json[name] = empty ? Json(nullptr) : Json(histogram.percentile(share) * ns_per_tick);
    json["max"] = empty ? Json(nullptr) : Json(static_cast<double>(histogram.max()) * ns_per_tick);
    return json;
}

// [from, to, calls, calls that an auditor timed as well] of each bucket that holds any, from the fastest to the
// slowest.
Json buckets_json(const LatencyHistogram& all, const LatencyHistogram& audited, double ns_per_tick) {
    Json json = Json::array();
    for (std::uint32_t i = 0; i < MAPAUDIT_BUCKETS; ++i)
        if (all.count(i) != 0)
            json.push_back({static_cast<double>(mapaudit_bucket_floor(i)) * ns_per_tick,
                            static_cast<double>(mapaudit_bucket_floor(i + 1)) * ns_per_tick, all.count(i),
                            audited.count(i)});
    return json;
}

Json map_json(const MapOutcome& map, double ns_per_tick) {
    Json json{{"id", map.id},           {"name", map.name}, {"ops", ops_json(map.ops)},      {"grows", map.grows},
              {"buckets", map.buckets}, {"size", map.size}, {"load_factor", map.load_factor}};
    if (map.latency)
        for (std::size_t op = 0; op < operation_names.size(); ++op)
            json["latency_buckets_ns"][operation_names[op]] =
                buckets_json((*map.latency)[op], map.latency->audited[op], ns_per_tick);
    return json;
}

double rate(const Outcome& outcome) {
    return outcome.seconds > 0 ? static_cast<double>(outcome.total_ops().sum()) / outcome.seconds : 0.0;
}

}  // namespace

std::string to_json(const Outcome& outcome, const Options& options) {
    Json json;
    json["kind"] = outcome.kind;
    json["threads"] = outcome.threads;
    json["seconds"] = outcome.seconds;
    json["ops_per_s"] = rate(outcome);
    json["ops"] = ops_json(outcome.total_ops());
    json["grows"] = outcome.total_grows();
    if (options.on_conflict) json["conflicts"] = outcome.conflicts;
    json["maps"] = Json::array();
    for (const MapOutcome& map : outcome.maps) json["maps"].push_back(map_json(map, outcome.ns_per_tick));
    if (outcome.latency)
        for (std::size_t op = 0; op < operation_names.size(); ++op)
            json["latency_ns"][operation_names[op]] = latency_json((*outcome.latency)[op], outcome.ns_per_tick);
    // A name is whatever the command line said, UTF-8 or not.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void print_text(std::ostream& out, const Outcome& outcome) {
    const OpCounts ops = outcome.total_ops();
    out << fmt::format("{} · {} threads · {} maps · {:.3f} s · {:.0f} ops/s\n", outcome.kind, outcome.threads,
                       outcome.maps.size(), outcome.seconds, rate(outcome));
    out << fmt::format("assign {} · lookup {} · erase {} · grows {}\n", ops[0], ops[1], ops[2], outcome.total_grows());
    if (outcome.conflicts != 0) out << fmt::format("conflicts {}\n", outcome.conflicts);
    if (!outcome.latency) return;
    out << fmt::format("{:<8}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "ns", "p50", "p90", "p99", "p99.9", "max");
    for (std::size_t op = 0; op < operation_names.size(); ++op) {
        const LatencyHistogram& histogram = (*outcome.latency)[op];
        if (histogram.count() == 0) continue;
        out << fmt::format("{:<8}", operation_names[op]);
        for (const auto& [name, share] : percentiles)
            out << fmt::format("{:>12.0f}", histogram.percentile(share) * outcome.ns_per_tick);
        out << fmt::format("{:>12.0f}\n", static_cast<double>(histogram.max()) * outcome.ns_per_tick);
    }
}

}  // namespace mapaudit::workload
