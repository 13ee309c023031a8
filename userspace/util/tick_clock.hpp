// SPDX-License-Identifier: Apache-2.0
//
// How long a tick of the machine's counter is: TSC on x86-64, the generic timer on aarch64.
#pragma once

#include <cstdint>

namespace mapaudit {

// The rate is the kernel's own where it publishes it: multiplier and shift of perf_event_mmap_page, the frequency
// register on aarch64. Under a hypervisor's clock the kernel publishes none; there it is measured against
// CLOCK_MONOTONIC from this object's construction to the first question, but for 5 ms at least: with both ends
// bracketed, to about 1e-5.
class TickClock {
public:
    TickClock();
    // Asks or measures once; then a constant. Not thread safe.
    double ns_per_tick() const;

private:
    struct Reading {
        std::uint64_t ticks = 0, ns = 0;
    };
    static Reading read_both();
    Reading start_;
    mutable double ns_per_tick_ = 0;
};

}  // namespace mapaudit
