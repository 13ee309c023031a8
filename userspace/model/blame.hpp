// SPDX-License-Identifier: Apache-2.0
//
// Where a process's CPU time went, by map and operation, and how long operations were off the CPU. Plain data and the
// aggregator that sums it up; no clock, no I/O, no libbpf.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/map.hpp"
#include "model/op.hpp"
#include "wire.h"

namespace mapaudit::model {

struct Row;

// What one operation of one map is blamed for. `samples` are hits of a clock, each on a CPU that was running the
// operation; what one is worth in time is samples over all samples of its process.
struct OpBlame {
    std::array<std::uint64_t, WIRE_PHASES> samples{};   // by enum wire_phase
    std::array<std::uint64_t, WIRE_COUNTERS> events{};  // by enum wire_counter; estimates, from counter overflows
    std::uint64_t sleeps = 0, slept_ns = 0;             // off the CPU, not runnable
    std::uint64_t lock_sleeps = 0, lock_slept_ns = 0;   // of these: waiting for the map's lock
    std::uint64_t preemptions = 0, preempted_ns = 0;    // off the CPU, runnable
    std::uint64_t lock_preemptions = 0, lock_preempted_ns = 0;  // of these: with the map's lock in hand
    std::uint64_t migrations = 0;                               // came back on another CPU

    std::uint64_t all() const;      // samples of all phases
    std::uint64_t working() const;  // neither waiting nor growing
    std::uint64_t waiting() const { return samples[WIRE_PHASE_WAIT]; }
    std::uint64_t growing() const { return samples[WIRE_PHASE_GROW]; }
    bool empty() const { return *this == OpBlame{}; }
    void add(const OpBlame& other);
    bool operator==(const OpBlame&) const = default;
};

struct MapBlame {
    MapRef map;
    std::array<OpBlame, MAPAUDIT_HOT_OPS> ops;
    std::array<std::uint64_t, MAPAUDIT_HOT_OPS> calls{};  // of the same span of time, where known
    OpBlame sum() const;
};

// The samples of one process. samples = in_maps + elsewhere + unknown + lost, always.
struct ProcessBlame {
    int pid = 0;
    std::uint64_t samples = 0;
    std::uint64_t in_maps = 0;
    std::uint64_t elsewhere = 0;
    std::uint64_t unknown = 0;                          // what the thread was doing could not be told
    std::uint64_t lost = 0;                             // in an operation, and no room to count it by
    std::array<std::uint64_t, WIRE_COUNTERS> events{};  // of the whole process
    std::uint64_t off_cpu_lost = 0;  // sleeps and preemptions in an operation that there was no room to count

    bool balances() const { return samples == in_maps + elsewhere + unknown + lost; }
    bool operator==(const ProcessBlame&) const = default;
};

// What an audit could see of the CPU.
struct BlameAbility {
    std::string clock;                           // "cycles" or "cpu-clock"; empty: nothing was sampled
    bool scheduler = false;                      // sleeps, preemptions and migrations were seen
    std::array<bool, WIRE_COUNTERS> counters{};  // which of the hardware's there are
};

// Part of a report: of an interval or of the whole run.
struct CpuReport {
    BlameAbility able;
    std::vector<MapBlame> maps;           // by pid, domain, map; those with anything to tell
    std::vector<ProcessBlame> processes;  // by pid
    const ProcessBlame* process(int pid) const;
};

// "cycles", "instructions", "cache misses" or "branch misses".
std::string_view counter_name(wire_counter counter);

// The share of its process's CPU time that a map's operations took, 0 to 1; empty where the process has no sample.
std::optional<double> cpu_share(const CpuReport& cpu, int pid, std::uint64_t samples);

// Gives every row for all CPUs and threads its share (Row::cpu_share). A growth is on the row `grow`, not on that of
// the operation that caused it, so that the rows of a map add up; where it has no such row, on its operation's.
void share_cpu(std::vector<Row>& rows, const CpuReport& cpu);

// Gives the operations their calls, from rows of the same span.
void count_calls(CpuReport& cpu, const std::vector<Row>& rows);

// What the maps and processes gained, interval by interval.
class BlameAggregator {
public:
    void set_able(BlameAbility able) { able_ = std::move(able); }
    // Adds to this interval and to the total. An operation that is none of the hot ones is ignored.
    void add(const MapId& map, std::uint32_t op, const OpBlame& gained);
    void add(const ProcessBlame& gained);

    // The report of the interval, which ends with it. Maps are told by their ids alone.
    CpuReport close_interval();
    CpuReport totals() const;

private:
    struct Spans {
        std::map<MapId, std::array<OpBlame, MAPAUDIT_HOT_OPS>> maps;
        std::map<int, ProcessBlame> processes;
    };
    CpuReport report(const Spans& spans) const;

    BlameAbility able_;
    Spans interval_, total_;
};

}  // namespace mapaudit::model
