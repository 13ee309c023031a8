// SPDX-License-Identifier: Apache-2.0
#include "model/governor.hpp"

#include <algorithm>
#include <cstdio>

namespace mapaudit::model {
namespace {

constexpr double shortest_period_s = 0.05;  // of less, one batch more or less says too much

std::string percent_text(double percent) {
    char text[32];
    std::snprintf(text, sizeof text, percent < 10 ? "%.2f %%" : "%.1f %%", percent);
    return text;
}

}  // namespace

Decision Governor::decide(Level current, const Observation& seen) {
    Observation period = seen;
    period.activity.samples = 0;  // they cost the same at every level: to leave one because of them would gain nothing
    const double cost = cost_ns(prices_, period.activity);
    Decision decision{current, cost_percent(cost, period.target_cpu_ns), {}};
    if (period.seconds < shortest_period_s) return decision;
    if (settling_) {
        settling_ = false;
        return decision;
    }
    ++stayed_;
    if (came_up_ && stayed_ >= trusted_after) calm_wanted_ = calm_least;
    if (decision.percent > budget_ && current < range_.lowest) {
        decision = above(current, decision.percent);
    } else if (current == Level::events) {
        if (current != range_.highest) decision = blind();
    } else {
        decision = below(current, decision.percent, period);
    }
    if (decision.level == current) return decision;
    came_up_ = decision.level < current;
    settling_ = true;
    stayed_ = calm_ = blind_ = 0;
    return decision;
}

// Over the budget: one step down. Which step is the right one shows a period later.
Decision Governor::above(Level current, double percent) {
    if (came_up_ && stayed_ < trusted_after) {
        if (current == Level::full) calm_wanted_ = std::min(2 * calm_wanted_, calm_most);
        if (current == Level::sampled) blind_wanted_ = std::min(2 * blind_wanted_, blind_most);
    }
    return {current == Level::full ? Level::sampled : Level::events, percent,
            percent_text(percent) + " is over the budget of " + percent_text(budget_)};
}

Decision Governor::below(Level current, double percent, const Observation& period) {
    Decision stay{current, percent, {}};
    if (current == Level::sampled) blind_wanted_ = blind_least;
    if (current == range_.highest) return stay;
    const double cost = cost_ns(prices_, period.activity), at_full = cost_at_full_ns(prices_, period.activity);
    const double own = std::max(period.target_cpu_ns - cost, 0.0);
    const double projected = cost_percent(at_full, own + at_full);
    calm_ = projected <= margin * budget_ ? calm_ + 1 : 0;
    if (calm_ < calm_wanted_) return stay;
    return {Level::full, percent,
            "level full would take " + percent_text(projected) + " of a budget of " + percent_text(budget_)};
}

Decision Governor::blind() {
    if (++blind_ < blind_wanted_) return {Level::events, 0, {}};
    return {Level::sampled, 0, "to see whether the load has fallen"};
}

}  // namespace mapaudit::model
