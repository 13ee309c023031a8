// SPDX-License-Identifier: Apache-2.0
//
// What every output is given: rows, the ledger of what was seen and lost, the tool's own cost. Plain data.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mapaudit/probe_abi.h>

#include "model/blame.hpp"
#include "model/evidence.hpp"
#include "model/map.hpp"
#include "model/op.hpp"
#include "model/overhead.hpp"

namespace mapaudit::model {

enum class Scope { interval, total };

// What growth cost one operation of a map: calls that started a growth or evacuated buckets, among those timed.
struct GrowthCost {
    std::uint64_t calls = 0;
    double total_ns = 0;
    std::uint64_t slowest = 0;             // timed calls at or above the operation's P99
    std::uint64_t slowest_grew = 0;        // of these, how many grew
    std::optional<double> p99_without_ns;  // the P99 of the calls that did not
};

// One row of the CSV: scope x map x op x cpu x tid. An empty optional is an empty column.
struct Row {
    MapRef map;  // of what is lost and belongs to no map: its process, and the name "(lost)"
    Op op = Op::none;
    std::optional<std::uint32_t> cpu;  // empty: all
    std::optional<std::uint32_t> tid;  // empty: all
    std::uint64_t calls = 0;
    double calls_per_s = 0;
    std::optional<double> p50_ns, p90_ns, p99_ns, p999_ns, max_ns, mean_ns;
    std::uint64_t waits = 0;
    std::optional<double> wait_p99_ns;
    double wait_total_ns = 0;
    std::uint64_t conflicts = 0;     // of concurrent access, seen by the map or the source
    std::uint64_t fatal_errors = 0;  // by which the target ended itself over this map
    std::uint64_t migrations = 0;
    std::optional<std::uint64_t> size, buckets;
    std::optional<double> load_factor;
    std::uint64_t grows = 0;
    double buckets_per_s = 0;
    double weight = 1;       // calls per timed call
    bool estimated = false;  // calls was scaled from a part of the time
    std::uint64_t lost = 0;

    // Not in the CSV.
    std::uint64_t timed = 0;  // calls that the times rest on
    double error = 0;         // of an estimate, as a share of calls, in 19 of 20 cases; infinite: only what was seen
    GrowthCost growth;
    std::optional<double> cpu_share;  // of the process's CPU time, 0 to 1; empty: nothing was sampled

    int pid() const { return map->id.pid; }
    // For all CPUs and threads.
    bool is_sum() const { return !cpu && !tid; }
    // The CSV's column `conflicts`: a fatal error is one that the target found itself.
    std::uint64_t conflicts_seen() const { return conflicts + fatal_errors; }
};

// The share of the operations' time that was spent waiting for a lock, 0 to 1; empty where nothing was timed.
std::optional<double> wait_share(const Row& row);
// Time that its calls took in all, by the mean of those that were timed; 0 where none was.
double time_spent_ns(const Row& row);

// One cause of loss, in words a user can act on, and how many operations or events it swallowed.
struct Loss {
    std::string cause;
    std::uint64_t count = 0;
};

// handled + sum(lost) == fired, always.
struct Ledger {
    std::uint64_t fired = 0;
    std::uint64_t handled = 0;
    std::vector<Loss> lost;
    std::uint64_t lost_total() const;

    // Details of events that are counted all the same.
    std::uint64_t stacks_dropped = 0;    // call stacks shown as not known
    std::uint64_t evidence_dropped = 0;  // waits, holds, conflicts and growths that stand in no row of evidence
};

// What the auditor itself used.
struct SelfCost {
    double cpu_percent = 0;  // of one core, over the interval (or the whole run, in a total)
    std::uint64_t rss_bytes = 0;
    std::uint64_t kernel_bytes = 0;  // memory of its eBPF maps
};

// What the audit costs its targets, estimated.
struct Overhead {
    std::optional<double> percent;  // of their CPU time, over the interval or the whole run; empty: they used none
    Prices prices;
    Activity activity;                     // what of it was priced
    std::optional<double> budget_percent;  // --max-overhead
    unsigned switches = 0;                 // of the level, since the attach
};

// One process under audit.
struct Target {
    int pid = 0;
    std::string comm;   // as the process gave it: escape before printing
    std::string level;  // "full", "sampled", "events"
    bool alive = true;
};

struct Report {
    Scope scope = Scope::interval;
    std::chrono::system_clock::time_point time;
    double elapsed_s = 0;   // since the attach
    double interval_s = 0;  // what the rates are over: this interval, or the whole run
    std::vector<Row> rows;  // by pid, map id, op; the all-CPU row before its CPUs' rows, those before its threads'
    Ledger ledger;          // since the attach
    SelfCost self;
    Overhead overhead;
    std::vector<Target> targets;
    std::size_t maps = 0;            // maps known, shown or not
    std::vector<Evidence> evidence;  // of a total: what the rare events rest on
    CpuReport cpu;                   // where the CPU went
};

}  // namespace mapaudit::model
