// SPDX-License-Identifier: Apache-2.0
#include "collect/overhead_meter.hpp"

namespace mapaudit::collect {

namespace {

std::vector<int> ids_of(const std::vector<const Process*>& processes) {
    std::vector<int> ids;
    for (const Process* process : processes) ids.push_back(process->pid());
    return ids;
}

}  // namespace

OverheadMeter::OverheadMeter(const std::vector<const Process*>& processes) : clocks_(ids_of(processes)) { start({}); }

void OverheadMeter::start(const model::Activity& activity) {
    look(activity);
    start_ = lap_ = period_ = latest_;
}

void OverheadMeter::look(const model::Activity& activity) {
    if (const auto cpu_ns = clocks_.read()) latest_ = {std::chrono::steady_clock::now(), *cpu_ns, activity};
}

model::Overhead OverheadMeter::between(const Reading& from, const Reading& to) const {
    model::Overhead overhead;
    overhead.prices = prices_;
    overhead.activity = to.activity - from.activity;
    const double cpu_ns = to.cpu_ns - from.cpu_ns;
    if (cpu_ns > 0) overhead.percent = model::cost_percent(cost_ns(prices_, overhead.activity), cpu_ns);
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
