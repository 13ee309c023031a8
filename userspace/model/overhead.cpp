// SPDX-License-Identifier: Apache-2.0
#include "model/overhead.hpp"

#include <mapaudit/probe_abi.h>

#include <algorithm>

namespace mapaudit::model {

double breakpoints_ns(const Prices& prices, const Activity& activity) {
    const auto hits = static_cast<double>(activity.breakpoints), steps = static_cast<double>(activity.steps);
    // Programs run at other probes, too.
    const double all = hits + steps + static_cast<double>(activity.batches) + static_cast<double>(activity.events);
    const double programs_ns = all > 0 ? activity.program_ns * (hits + steps) / all : 0;
    return hits * prices.breakpoint_ns + steps * prices.step_ns + programs_ns;
}

double cost_ns(const Prices& prices, const Activity& activity) {
    return static_cast<double>(activity.timed) * prices.record_ns +
           static_cast<double>(activity.counted) * prices.counted_ns +
           static_cast<double>(activity.batches) * prices.trap_ns +
           static_cast<double>(activity.events) * prices.event_ns +
           static_cast<double>(activity.samples) * prices.sample_ns +
           static_cast<double>(activity.breakpoints) * prices.breakpoint_ns +
           static_cast<double>(activity.steps) * prices.step_ns + activity.program_ns +
           (cold_cache_factor - 1) * breakpoints_ns(prices, activity);
}

double cost_percent(double cost_ns, double target_cpu_ns) {
    if (target_cpu_ns <= 0) return 0;
    return std::clamp(100 * cost_ns / target_cpu_ns, 0.0, 100.0);
}

double cost_at_full_ns(const Prices& prices, const Activity& activity) {
    Activity full = activity;
    full.timed = activity.operations();
    full.counted = 0;
    // A batch goes out when it is full or old; those that the period had already were old, and would be again.
    full.batches = std::max(activity.batches, full.timed / MAPAUDIT_BATCH);
    full.program_ns += static_cast<double>(activity.counted) * prices.program_ns;
    return cost_ns(prices, full);
}

}  // namespace mapaudit::model
