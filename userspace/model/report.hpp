// SPDX-License-Identifier: Apache-2.0
//
// What every output is given: rows, the ledger of what was seen and lost, the tool's own cost. Plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mapaudit/probe_abi.h>

namespace mapaudit::model {

enum class Scope { interval, total };

// "assign", "lookup", "erase" or "grow".
std::string_view op_name(mapaudit_op op);

// One row of the CSV: scope x map x op x cpu x tid. An empty optional is an empty column.
struct Row {
    int pid = 0;
    std::string source;           // "usdt", …
    std::uint32_t map_id = 0;
    std::string map_name;         // as the target gave it: escape before printing
    std::string map_kind;         // likewise
    std::string op;               // empty on the row of what is lost and belongs to no map
    std::optional<std::uint32_t> cpu;  // empty: all
    std::optional<std::uint32_t> tid;  // empty: all
    std::uint64_t calls = 0;
    double calls_per_s = 0;
    std::optional<double> p50_ns, p90_ns, p99_ns, p999_ns, max_ns, mean_ns;
    std::uint64_t waits = 0;
    std::optional<double> wait_p99_ns;
    double wait_total_ns = 0;
    std::uint64_t conflicts = 0;
    std::uint64_t migrations = 0;
    std::optional<std::uint64_t> size, buckets;
    std::optional<double> load_factor;
    std::uint64_t grows = 0;
    double buckets_per_s = 0;
    double weight = 1;            // calls per timed call
    bool estimated = false;       // calls was scaled from a part of the time
    std::uint64_t lost = 0;
};

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
};

// What the auditor itself used.
struct SelfCost {
    double cpu_percent = 0;        // of one core, over the interval (or the whole run, in a total)
    std::uint64_t rss_bytes = 0;
    std::uint64_t kernel_bytes = 0;  // memory of its eBPF maps
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
    std::vector<Target> targets;
    std::size_t maps = 0;   // maps known, shown or not
};

}  // namespace mapaudit::model
