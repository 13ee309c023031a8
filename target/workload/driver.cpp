// SPDX-License-Identifier: Apache-2.0
#include "driver.hpp"

namespace mapaudit::workload {

Plan::Plan(const Options& options)
    : read_below_(options.read_ratio),
      erase_below_(options.read_ratio + (1.0 - options.read_ratio) * options.erase_ratio),
      keys_(options.keys) {
    if (options.distribution == Distribution::zipf) zipf_.emplace(options.keys);
    // 0.7 + 0.3 may come out below 1: no operation asked for must be left out for a rounding error.
    if (options.erase_ratio >= 1.0) erase_below_ = 1.0;
}

unsigned map_count(const Options& options, bool shared) {
    return shared ? options.maps : std::max(options.maps, options.threads);
}

std::string map_name(const Options& options, unsigned index) {
    return index == 0 ? options.name : options.name + "-" + std::to_string(index);
}

std::vector<Worker> make_workers(const Options& options, unsigned maps, bool shared) {
    std::vector<Worker> workers;
    workers.reserve(options.threads);
    for (unsigned i = 0; i < options.threads; ++i) {
        Worker& worker = workers.emplace_back(options, i);
        worker.first_map = shared ? 0 : i;
        worker.map_stride = shared ? 1 : options.threads;
        worker.map_count = shared ? maps : (maps - i + options.threads - 1) / options.threads;
        worker.ops.resize(worker.map_count);
    }
    return workers;
}

Outcome merge(const Options& options, const Workers& threads, const std::vector<Worker>& workers,
              std::vector<MapOutcome> maps) {
    Outcome outcome;
    outcome.kind = options.kind;
    outcome.threads = options.threads;
    outcome.maps = std::move(maps);
    if (options.time_ops) outcome.latency = std::make_unique<OpLatencies>();
    std::uint64_t finished_ns = threads.started_ns();
    for (const Worker& worker : workers) {
        finished_ns = std::max(finished_ns, worker.finished_ns);
        outcome.conflicts += worker.conflicts;
        for (unsigned i = 0; i < worker.map_count; ++i)
            outcome.maps[worker.first_map + i * worker.map_stride].ops += worker.ops[i];
        if (!outcome.latency) continue;
        *outcome.latency += *worker.latency;
        if (worker.map_count != 1) continue;
        auto& of_its_map = outcome.maps[worker.first_map].latency;
        if (!of_its_map) of_its_map = std::make_unique<OpLatencies>();
        *of_its_map += *worker.latency;
    }
    outcome.seconds = static_cast<double>(finished_ns - threads.started_ns()) / 1e9;
    outcome.ns_per_tick = threads.ns_per_tick();
    return outcome;
}

}  // namespace mapaudit::workload
