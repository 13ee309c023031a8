// SPDX-License-Identifier: Apache-2.0
//
// One fixed report with something in every column, and a target that tries to write to the terminal.
#pragma once

#include <chrono>
#include <string>

#include "model/report.hpp"
#include "support/described.hpp"

namespace mapaudit::output {

inline constexpr model::SourceTraits library_source{.name = "usdt",
                                                    .lock_advice = "put a lock round it, or use a kind that has one"};

inline model::Row sample_row(std::uint32_t id, const std::string& name, model::Op op, std::uint64_t calls) {
    model::Row row;
    row.map = model::MapDescription{
        .id = {4242, 0, id}, .number = id, .source = &library_source, .name = name, .kind = "go_map"};
    row.op = op;
    row.calls = calls;
    row.calls_per_s = static_cast<double>(calls) / 2;
    row.size = 1000;
    row.buckets = 256;
    row.load_factor = 3.90625;
    return row;
}

inline void give_times(model::Row& row, double p50_ns) {
    row.p50_ns = p50_ns;
    row.p90_ns = 2 * p50_ns;
    row.p99_ns = 10 * p50_ns;
    row.p999_ns = 100 * p50_ns;
    row.max_ns = 12345.6 * p50_ns;
    row.mean_ns = 1.5 * p50_ns;
}

// 2026-01-02T03:04:05.678Z, two seconds of one process with three maps.
inline model::Report sample_report(model::Scope scope = model::Scope::interval) {
    model::Report report;
    report.scope = scope;
    report.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'767'323'045'678));
    report.elapsed_s = 83.4567;
    report.interval_s = 2;
    report.maps = 3;
    report.targets = {{4242, "work\x1b[2Jer", "full", true}};
    report.self = {1.23, 25'165'824, 3'670'016};
    report.ledger = {1'000'003, 1'000'000, {{"ring full", 2}, {"map table full", 0}, {"unreadable memory", 1}}};

    model::Row lost;
    lost.map = model::MapDescription{.id = {.pid = 4242}, .source = &library_source, .name = "(lost)"};
    lost.lost = 1;

    model::Row assign = sample_row(1, "users", model::Op::assign, 1'000'003);
    give_times(assign, 123.44);
    assign.waits = 17;
    assign.wait_p99_ns = 456.78;
    assign.wait_total_ns = 37'032'111.1;
    assign.migrations = 4;
    assign.conflicts = 2;
    assign.grows = 3;
    assign.buckets_per_s = 96;
    assign.lost = 2;
    model::Row on_cpu = assign;
    assign.cpu_share = 0.1234;
    on_cpu.cpu = 1;
    on_cpu.calls = 3;
    on_cpu.calls_per_s = 1.5;
    on_cpu.lost = 0;
    model::Row in_thread = on_cpu;
    in_thread.cpu.reset();
    in_thread.tid = 4243;
    model::Row lookup = sample_row(1, "users", model::Op::lookup, 12'345'678);
    give_times(lookup, 38.5);
    lookup.weight = 64;
    lookup.cpu_share = 0.5;
    lookup.grows = 3;
    lookup.buckets_per_s = 96;
    model::Row grow = sample_row(1, "users", model::Op::grow, 3);
    give_times(grow, 50'000);
    grow.grows = 3;
    grow.buckets_per_s = 96;
    grow.cpu_share = 0;
    model::Row idle = sample_row(2, "", model::Op::lookup, 0);
    idle.size.reset();
    idle.buckets.reset();
    idle.load_factor.reset();
    model::Row nasty = sample_row(3, "a,\"b\"\n\x1b[31m\xff\xe2\x80\xae\xce\xbc", model::Op::erase, 42);
    give_times(nasty, 7);
    test::redescribe(nasty, [](model::MapDescription& map) { map.kind = "=kind"; });
    report.rows = {lost, assign, on_cpu, in_thread, lookup, grow, idle, nasty};
    return report;
}

}  // namespace mapaudit::output
