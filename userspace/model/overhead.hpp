// SPDX-License-Identifier: Apache-2.0
//
// What an audit costs its target: prices of what the target does for it, times how often it did that, and what was
// measured while it did. Pure.
#pragma once

#include <cstdint>

namespace mapaudit::model {

// CPU time of the target's, in ns. The figures here are those of a 2-core Xeon VM with Linux 6.18, for where no better
// ones can be had.
struct Prices {
    double record_ns = 33;     // an operation that is timed, in the target: two clock reads, its record
    double program_ns = 11;    // the eBPF program for one record: only for what has not been measured yet
    double counted_ns = 3.5;   // an operation at the sampled level, the few timed ones spread over all
    double trap_ns = 250;      // the way into the program and back, of a batch
    double event_ns = 450;     // the same of a probe with one event a hit (growth, contention), and what leads up to it
    double sample_ns = 16000;  // a sample of where the CPU goes
    // A probe on an instruction of a program that was not made for it: one that the kernel emulates, and one that it
    // single-steps, both without the program. (The latter: 900 where no hypervisor is in between.)
    double breakpoint_ns = 450, step_ns = 17000;
    double parallel_speed = 1;  // of its own speed, what a thread that hits probes keeps while others do; 1: not known
    bool measured = false;      // on this host

    // Threads hold one another up at probes.
    bool probes_contend() const { return parallel_speed < 0.5; }
};

// How often the target did what has a price. Ever rising; a period's is the difference of two.
struct Activity {
    std::uint64_t timed = 0;    // operations at level full
    std::uint64_t counted = 0;  // operations at level sampled
    std::uint64_t batches = 0;
    std::uint64_t events = 0;
    std::uint64_t samples = 0;
    std::uint64_t breakpoints = 0, steps = 0;
    double program_ns = 0;  // in the eBPF program at batches and events, as measured there

    Activity operator-(const Activity& before) const {
        return {timed - before.timed,   counted - before.counted,      batches - before.batches,
                events - before.events, samples - before.samples,      breakpoints - before.breakpoints,
                steps - before.steps,   program_ns - before.program_ns};
    }
    Activity& operator+=(const Activity& more) {
        timed += more.timed;
        counted += more.counted;
        batches += more.batches;
        events += more.events;
        samples += more.samples;
        breakpoints += more.breakpoints;
        steps += more.steps;
        program_ns += more.program_ns;
        return *this;
    }
    std::uint64_t operations() const { return timed + counted; }
};

// CPU time that the target spent in the kernel at breakpoints.
double breakpoints_ns(const Prices& prices, const Activity& activity);
// Behind a breakpoint a program finds its caches and the processor's guesses at branches cold: in all a hit costs so
// much more than it takes. It was 1.19 with nats-server, whose code is large, and 1.0 with a loop round one map
// (`make bench-go`).
inline constexpr double cold_cache_factor = 1.2;

// CPU time that the target spent on being audited.
double cost_ns(const Prices& prices, const Activity& activity);

// The same as a share of the target's CPU time, 0 to 100; 0 where that is not known.
double cost_percent(double cost_ns, double target_cpu_ns);

// What the operations of a period would have cost at level full.
double cost_at_full_ns(const Prices& prices, const Activity& activity);

}  // namespace mapaudit::model
