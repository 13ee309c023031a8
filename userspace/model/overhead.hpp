// SPDX-License-Identifier: Apache-2.0
//
// What an audit costs its target: prices of what the target does for it, times how often it did that. Pure.
#pragma once

#include <cstdint>

namespace mapaudit::model {

// CPU time of the target's, in ns. The figures here are those of a 2-core Xeon VM with Linux 6.18, for where no better
// ones can be had.
struct Prices {
    double record_ns = 37;   // an operation that is timed: two clock reads, its record, its share of the eBPF program
    double counted_ns = 4;   // an operation at the sampled level, the few timed ones spread over all
    double trap_ns = 680;    // a batch handed over, whatever is in it
    double event_ns = 3200;  // a probe with one event a hit: growth, contention
    bool measured = false;   // on this host
};

// How often the target did what has a price. Ever rising; a period's is the difference of two.
struct Activity {
    std::uint64_t timed = 0;    // operations at level full
    std::uint64_t counted = 0;  // operations at level sampled
    std::uint64_t batches = 0;
    std::uint64_t events = 0;

    Activity operator-(const Activity& before) const {
        return {timed - before.timed, counted - before.counted, batches - before.batches, events - before.events};
    }
    Activity& operator+=(const Activity& more) {
        timed += more.timed;
        counted += more.counted;
        batches += more.batches;
        events += more.events;
        return *this;
    }
    std::uint64_t operations() const { return timed + counted; }
};

// CPU time that the target spent on being audited.
double cost_ns(const Prices& prices, const Activity& activity);

// The same as a share of the target's CPU time, 0 to 100; 0 where that is not known.
double cost_percent(double cost_ns, double target_cpu_ns);

// What the operations of a period would have cost at level full.
double cost_at_full_ns(const Prices& prices, const Activity& activity);

}  // namespace mapaudit::model
