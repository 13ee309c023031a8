// SPDX-License-Identifier: Apache-2.0
#include "model/blame.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "model/report.hpp"

namespace mapaudit::model {
namespace {

template <class T, std::size_t N>
void add_each(std::array<T, N>& to, const std::array<T, N>& from) {
    for (std::size_t i = 0; i < N; ++i) to[i] += from[i];
}

const MapBlame* find(const CpuReport& cpu, const MapId& key) {
    const auto found = std::lower_bound(cpu.maps.begin(), cpu.maps.end(), key,
                                        [](const MapBlame& map, const MapId& wanted) { return map.map->id < wanted; });
    return found != cpu.maps.end() && found->map->id == key ? &*found : nullptr;
}

}  // namespace

std::uint64_t OpBlame::all() const { return std::accumulate(samples.begin(), samples.end(), std::uint64_t{0}); }

std::uint64_t OpBlame::working() const { return samples[WIRE_PHASE_WORK] + samples[WIRE_PHASE_LOCKED]; }

void OpBlame::add(const OpBlame& other) {
    add_each(samples, other.samples);
    add_each(events, other.events);
    sleeps += other.sleeps;
    slept_ns += other.slept_ns;
    lock_sleeps += other.lock_sleeps;
    lock_slept_ns += other.lock_slept_ns;
    preemptions += other.preemptions;
    preempted_ns += other.preempted_ns;
    lock_preemptions += other.lock_preemptions;
    lock_preempted_ns += other.lock_preempted_ns;
    migrations += other.migrations;
}

OpBlame MapBlame::sum() const {
    OpBlame sum;
    for (const OpBlame& op : ops) sum.add(op);
    return sum;
}

const ProcessBlame* CpuReport::process(int pid) const {
    const auto found =
        std::find_if(processes.begin(), processes.end(), [&](const ProcessBlame& p) { return p.pid == pid; });
    return found == processes.end() ? nullptr : &*found;
}

std::string_view counter_name(wire_counter counter) {
    switch (counter) {
        case WIRE_COUNT_CYCLES: return "cycles";
        case WIRE_COUNT_INSTRUCTIONS: return "instructions";
        case WIRE_COUNT_CACHE_MISSES: return "cache misses";
        case WIRE_COUNT_BRANCH_MISSES: return "branch misses";
        case WIRE_COUNTERS: break;
    }
    return "";
}

std::optional<double> cpu_share(const CpuReport& cpu, int pid, std::uint64_t samples) {
    const ProcessBlame* process = cpu.process(pid);
    if (process == nullptr || process->samples == 0) return std::nullopt;
    // Samples go on coming in while a report is made, so a part may be a moment younger than the whole.
    return std::min(1.0, static_cast<double>(samples) / static_cast<double>(process->samples));
}

void share_cpu(std::vector<Row>& rows, const CpuReport& cpu) {
    std::set<MapId> with_grow_row;
    for (const Row& row : rows)
        if (row.is_sum() && row.op == Op::grow) with_grow_row.insert(row.map->id);
    for (Row& row : rows) {
        if (!row.is_sum() || row.op == Op::none) continue;
        const MapBlame* map = find(cpu, row.map->id);
        std::uint64_t samples = 0;
        if (map != nullptr && row.op == Op::grow) {
            samples = map->sum().growing();
        } else if (const auto op = hot_index(row.op); map != nullptr && op) {
            const OpBlame& blame = map->ops[*op];
            samples = blame.all() - (with_grow_row.contains(row.map->id) ? blame.growing() : 0);
        }
        row.cpu_share = cpu_share(cpu, row.pid(), samples);
    }
}

void count_calls(CpuReport& cpu, const std::vector<Row>& rows) {
    std::map<MapId, std::array<std::uint64_t, MAPAUDIT_HOT_OPS>> calls;
    for (const Row& row : rows)
        if (const auto op = hot_index(row.op); op && row.is_sum()) calls[row.map->id][*op] += row.calls;
    for (MapBlame& map : cpu.maps)
        if (const auto found = calls.find(map.map->id); found != calls.end()) map.calls = found->second;
}

void BlameAggregator::add(const MapId& map, std::uint32_t op, const OpBlame& gained) {
    if (op >= MAPAUDIT_HOT_OPS || gained.empty()) return;
    for (Spans* spans : {&interval_, &total_}) {
        spans->maps[map][op].add(gained);
        ProcessBlame& process = spans->processes[map.pid];
        process.pid = map.pid;
        process.in_maps += gained.all();
    }
}

void BlameAggregator::add(const ProcessBlame& gained) {
    for (Spans* spans : {&interval_, &total_}) {
        ProcessBlame& process = spans->processes[gained.pid];
        process.pid = gained.pid;
        process.samples += gained.samples;
        process.elsewhere += gained.elsewhere;
        process.unknown += gained.unknown;
        process.lost += gained.lost;
        add_each(process.events, gained.events);
        process.off_cpu_lost += gained.off_cpu_lost;
    }
}

CpuReport BlameAggregator::report(const Spans& spans) const {
    CpuReport report;
    report.able = able_;
    for (const auto& [key, ops] : spans.maps) report.maps.push_back({MapDescription{.id = key}, ops, {}});
    for (const auto& [pid, process] : spans.processes) report.processes.push_back(process);
    return report;
}

CpuReport BlameAggregator::close_interval() { return report(std::exchange(interval_, {})); }

CpuReport BlameAggregator::totals() const { return report(total_); }

}  // namespace mapaudit::model
