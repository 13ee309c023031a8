// SPDX-License-Identifier: Apache-2.0
//
// Keeps an audit's cost to its target under a budget by choosing the level. Pure: told what a period's activity was,
// it says which level the next one is to have, and why.
//
//            over budget                     over budget
//    full ───────────────▶ sampled ───────────────────▶ events
//         ◀─────────────── ◀───────────────────────────
//      would be well under it,          every few periods, for a look:
//      several periods in a row         at level events the load cannot be seen
//
// One period over the budget is enough to go down; going up wants proof, and more of it after each time that it was
// not to be trusted. The period after a switch belongs to both levels and decides nothing.
#pragma once

#include <string>

#include "model/level.hpp"
#include "model/overhead.hpp"

namespace mapaudit::model {

// What happened over one period.
struct Observation {
    double seconds = 0;
    double target_cpu_ns = 0;  // of all its threads
    Activity activity;
};

struct Decision {
    Level level = Level::full;
    double percent = 0;  // the period's estimated cost, CPU samples left out, of the target's CPU time
    std::string why;     // in words; empty where the level stays
};

class Governor {
public:
    // Hysteresis, in periods.
    static constexpr double margin = 0.7;  // of the budget: what the level above may cost at most
    static constexpr int calm_least = 3, calm_most = 48;
    static constexpr int blind_least = 4, blind_most = 64;
    static constexpr int trusted_after = 20;  // periods that an upward step must hold for the next to be as quick

    // At the lowest level of `range` the budget may be exceeded: there is nothing left to give up.
    Governor(double budget_percent, Prices prices, LevelRange range)
        : budget_(budget_percent), prices_(prices), range_(range) {}

    // Prices may become known only after the start.
    void set_prices(const Prices& prices) { prices_ = prices; }
    // `current` was the level throughout the period.
    Decision decide(Level current, const Observation& seen);

private:
    Decision above(Level current, double percent);
    Decision below(Level current, double percent, const Observation& period);
    Decision blind();

    double budget_;
    Prices prices_;
    LevelRange range_;
    bool settling_ = false;  // the period before ended with a switch
    int calm_ = 0;           // periods in a row in which the level above would have been affordable
    int calm_wanted_ = calm_least;
    int blind_ = 0;  // periods at level events
    int blind_wanted_ = blind_least;
    int stayed_ = 0;        // periods at this level since the last switch
    bool came_up_ = false;  // the last switch was upwards
};

}  // namespace mapaudit::model
