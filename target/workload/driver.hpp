// SPDX-License-Identifier: Apache-2.0
//
// Drives maps of one type. Instantiated once a kind, so that the hot loop calls the map directly.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <mapaudit/probes.h>

#include "window_costs.hpp"
#include "workers.hpp"

namespace mapaudit::workload {

// Which operation on which key, drawn from a worker's own random numbers.
class Plan {
public:
    explicit Plan(const Options& options);

    Operation draw_operation(Random& random) const noexcept {
        const double u = random.unit();
        return u < read_below_ ? Operation::lookup : u < erase_below_ ? Operation::erase : Operation::assign;
    }
    std::uint64_t draw_key(Random& random) const noexcept { return zipf_ ? (*zipf_)(random) : random.below(keys_); }

private:
    double read_below_, erase_below_;
    std::uint64_t keys_;
    std::optional<Zipf> zipf_;
};

// Workers with their maps: all maps each, or, where sharing is not allowed, every threads-th map from their own number.
std::vector<Worker> make_workers(const Options& options, unsigned maps, bool shared);

// How many maps there will be, and their names.
unsigned map_count(const Options& options, bool shared);
std::string map_name(const Options& options, unsigned index);

// Adds the workers' counts up; `maps` come with what the maps themselves know.
Outcome merge(const Options& options, const Workers& threads, const std::vector<Worker>& workers,
              std::vector<MapOutcome> maps);

// `begin` is called once it is known which operation it will be: no branch of the driver's own that the processor
// guesses wrong lies between it and the map.
template <class Map, class Begin>
[[gnu::always_inline]] inline void execute(Map& map, Operation operation, std::uint64_t key, std::uint64_t value,
                                           Begin begin) {
    switch (operation) {
        case Operation::lookup:
            begin();
            if (const auto found = map.lookup(key)) asm volatile("" : : "r"(*found));  // the result counts as used
            break;
        case Operation::erase:
            begin();
            map.erase(key);
            break;
        case Operation::assign:
            begin();
            map.assign(key, value);
            break;
    }
}

// `Conflict` is what an operation throws when it is caught racing; such an operation is counted like any other.
template <class Conflict, class Map>
void work(Worker& worker, std::uint64_t limit, const Plan& plan, const Workers& threads,
          std::vector<std::unique_ptr<Map>>& maps) {
    WindowCosts costs;
    while (worker.done < limit && !threads.stop()) {
        if (worker.interval_ns > 0) threads.await_turn(worker);
        const Operation operation = plan.draw_operation(worker.random);
        const std::uint64_t key = plan.draw_key(worker.random);
        const std::uint64_t pick = worker.map_count == 1 ? 0 : worker.random.below(worker.map_count);
        Map& map = *maps[worker.first_map + pick * worker.map_stride];
        std::optional<OperationWindow> window;
        try {
            execute(map, operation, key, worker.done, [&] {
                if (worker.latency) window.emplace(costs.at(worker.done));
            });
        } catch (const Conflict&) {
            ++worker.conflicts;
        }
        const auto op = static_cast<unsigned>(operation);
        if (window) {
            const OperationWindow::Closed closed = window->close();
            (*worker.latency)[op].add(closed.latency);
            if (closed.audited) worker.latency->audited[op].add(closed.latency);
        }
        ++worker.ops[pick][op];
        ++worker.done;
    }
}

// Makes the maps (with `make(name)`), prefills them, waits for a tracer if asked, runs the load.
template <class Conflict, class Make>
std::variant<Outcome, Failure> drive(const Options& options, bool shared, Make make) {
    using Map = typename decltype(make(std::string{}))::element_type;
    Workers threads(options);
    const Plan plan(options);
    const unsigned count = map_count(options, shared);
    std::vector<std::unique_ptr<Map>> maps;
    maps.reserve(count);
    for (unsigned i = 0; i < count; ++i) maps.push_back(make(map_name(options, i)));
    for (auto& map : maps)
        for (std::uint64_t key = 0; key < options.prefill; ++key) map->assign(key, key);
    std::vector<Worker> workers = make_workers(options, count, shared);

    if (options.wait_attach_s)
        if (auto failure = threads.wait_for_attach()) return *failure;
    std::vector<MapOutcome> outcomes(count);
    for (unsigned i = 0; i < count; ++i) outcomes[i].grows = maps[i]->grows();
    const auto failure = threads.run(
        workers, [&](Worker& worker, std::uint64_t limit) { work<Conflict>(worker, limit, plan, threads, maps); });
    if (failure) return *failure;
    for (unsigned i = 0; i < count; ++i) {
        outcomes[i].id = maps[i]->id();
        outcomes[i].name = map_name(options, i);
        outcomes[i].grows = maps[i]->grows() - outcomes[i].grows;
        outcomes[i].buckets = maps[i]->bucket_count();
        outcomes[i].size = maps[i]->size();
        outcomes[i].load_factor = maps[i]->load_factor();
    }
    Outcome outcome = merge(options, threads, workers, std::move(outcomes));
    if (options.hold) outcome.held = std::make_shared<decltype(maps)>(std::move(maps));
    return outcome;
}

}  // namespace mapaudit::workload
