// SPDX-License-Identifier: Apache-2.0
#include "collect/overhead_meter.hpp"

#include <time.h>

namespace mapaudit::collect {

OverheadMeter::OverheadMeter(const std::vector<const Process*>& processes) {
    for (const Process* process : processes) {
        // The CPU clock of a whole process, to the nanosecond; anybody may read it.
        clockid_t id = 0;
        const bool readable = ::clock_getcpuclockid(process->pid(), &id) == 0;
        clocks_.push_back({id, 0, readable});
    }
    start({});
}

void OverheadMeter::start(const model::Activity& activity) {
    look(activity);
    start_ = lap_ = period_ = latest_;
}

void OverheadMeter::look(const model::Activity& activity) {
    double cpu_ns = 0;
    bool any = false;
    for (Clock& clock : clocks_) {
        timespec now{};
        clock.readable = clock.readable && ::clock_gettime(clock.id, &now) == 0;
        if (clock.readable) clock.last_ns = static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
        any = any || clock.readable;
        cpu_ns += clock.last_ns;
    }
    if (any) latest_ = {std::chrono::steady_clock::now(), cpu_ns, activity};
}

model::Overhead OverheadMeter::between(const Reading& from, const Reading& to) const {
    model::Overhead overhead;
    overhead.prices = prices_;
    const double cpu_ns = to.cpu_ns - from.cpu_ns;
    if (cpu_ns > 0) overhead.percent = model::cost_percent(cost_ns(prices_, to.activity - from.activity), cpu_ns);
    return overhead;
}

model::Overhead OverheadMeter::lap() {
    const model::Overhead overhead = between(lap_, latest_);
    lap_ = latest_;
    return overhead;
}

model::Observation OverheadMeter::period() {
    const model::Observation period{std::chrono::duration<double>(latest_.time - period_.time).count(),
                                    latest_.cpu_ns - period_.cpu_ns, latest_.activity - period_.activity};
    period_ = latest_;
    return period;
}

}  // namespace mapaudit::collect
