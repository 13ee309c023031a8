// SPDX-License-Identifier: Apache-2.0
//
// Blames a process's CPU time, and its time off the CPU, on the maps and operations its threads were in.
//
//   perf event, sched_switch ──▶ program: whose block? what is it in? ──▶ blame table ──▶ collect() ──▶ aggregator
//                                     ▲ blocks by thread id, told at each interval
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/blame.hpp"
#include "model/ongoing.hpp"
#include "sources/blame/blame_programs.hpp"
#include "util/process.hpp"

namespace mapaudit::sources {

// A process and its registries: domains [first_domain, first_domain + domains).
struct BlameTarget {
    const Process* process = nullptr;
    std::uint32_t first_domain = 0, domains = 0;
};

// Where each thread's block is in the process, by thread id as the process knows it.
using BlocksByThread = std::map<std::uint32_t, std::uint64_t>;

struct BlameOptions {
    // Samples a second and CPU; primes, so as not to fall into step with what ticks in round numbers. The clock's come
    // by a timer, which a virtual machine pays for with an exit or two: 16 us a sample where this was measured, 1.6 %
    // of the target's time at 997 and half of that at 499. A counter's overflow costs a tenth of it.
    unsigned cycles_hz = 997;
    unsigned clock_hz = 499;
    unsigned counter_hz = 199;                                // of each hardware counter but the cycles
    std::vector<PerfCounter> counters = hardware_counters();  // by enum wire_counter
    BlameSizes sizes;
    std::function<void(const std::string&)> on_note;  // what cannot be seen and why, a line each; may be empty
};

// Not thread safe.
class Blame {
public:
    // Loads the programs and makes the targets known; nothing is sampled yet. Fails where not even sampling by the
    // kernel's clock can be had.
    static Result<std::unique_ptr<Blame>> make(const std::vector<BlameTarget>& targets, BlameOptions options);

    // Which threads have which blocks in a domain's registry. Before start(), and at each interval.
    void learn(std::uint32_t domain, std::uint64_t registry, const BlocksByThread& blocks);
    Result<void> start();
    // Ends the sampling. What was gained stays to be collected.
    void stop() { programs_->stop(); }
    // Adds what was gained since the last call.
    void collect(model::BlameAggregator& aggregator);
    // CPU samples that hit the targets, up to the last collect().
    std::uint64_t samples() const;

    std::uint64_t kernel_bytes() const { return programs_->kernel_bytes(); }

private:
    explicit Blame(BlameOptions options) : options_(std::move(options)) {}
    Result<void> introduce(const BlameTarget& target, std::uint32_t index);
    Result<void> start_sampling();
    void start_counters();
    void note(const Error& error) const;
    model::Gained gained();
    void collect_rest(const BlameTarget& target, std::uint32_t index, model::BlameAggregator& aggregator);

    BlameOptions options_;
    std::vector<BlameTarget> targets_;
    std::unique_ptr<BlamePrograms> programs_;
    model::BlameAbility able_;
    std::map<std::uint32_t, std::map<std::uint32_t, std::uint64_t>> blocks_;  // by domain: thread id to address
    std::unordered_map<std::uint64_t, wire_blame> before_;                    // at the last collection
    std::vector<wire_blame_rest> rests_before_;
    model::Ongoing ongoing_;
};

}  // namespace mapaudit::sources
