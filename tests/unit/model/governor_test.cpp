// SPDX-License-Identifier: Apache-2.0
//
// The governor against simulated targets: what it sees follows from the level that it chose.
#include "model/governor.hpp"

#include <mapaudit/probe_abi.h>

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace mapaudit::model {
namespace {

constexpr double period_s = 0.25;
constexpr Prices prices{.record_ns = 40,
                        .program_ns = 10,
                        .counted_ns = 3,
                        .trap_ns = 900,
                        .event_ns = 3000,
                        .sample_ns = 16'000,
                        .measured = true};

// A target whose operations take a fixed time of their own, and which spends the rest of its CPU time elsewhere.
struct SimulatedLoad {
    double operations_per_s = 0;
    double elsewhere_ns = 1e7;  // a period
    double operation_ns = 30;

    Observation at(Level level) const {
        const auto operations = static_cast<std::uint64_t>(operations_per_s * period_s);
        Observation period{period_s, 0, {}};
        if (level == Level::full) {
            period.activity.timed = operations;
            period.activity.batches = std::max<std::uint64_t>(operations / MAPAUDIT_BATCH, operations == 0 ? 0 : 3);
            period.activity.program_ns = prices.program_ns * static_cast<double>(operations);
        } else if (level == Level::sampled) {
            period.activity.counted = operations;
            period.activity.batches = std::max<std::uint64_t>(operations / 32768, operations == 0 ? 0 : 3);
        }
        period.target_cpu_ns =
            elsewhere_ns + operation_ns * static_cast<double>(operations) + cost_ns(prices, period.activity);
        return period;
    }
    double percent_at(Level level) const {
        const Observation period = at(level);
        return cost_percent(cost_ns(prices, period.activity), period.target_cpu_ns);
    }
};

struct Simulation {
    Governor governor;
    Level level;
    int switches = 0;
    double over_budget = 0;  // periods
    std::vector<std::string> reasons{};

    void run(const SimulatedLoad& load, int periods, double budget) {
        for (int i = 0; i < periods; ++i) {
            if (load.percent_at(level) > budget) ++over_budget;
            const Decision decision = governor.decide(level, load.at(level));
            if (decision.level == level) {
                EXPECT_EQ(decision.why, "");
                continue;
            }
            EXPECT_NE(decision.why, "");
            EXPECT_EQ(std::abs(static_cast<int>(decision.level) - static_cast<int>(level)), 1) << "one step at a time";
            reasons.push_back(decision.why);
            level = decision.level;
            ++switches;
        }
    }
};

Simulation simulate(double budget, Level highest = Level::full) {
    return {Governor(budget, prices, {.highest = highest}), highest};
}

TEST(Governor, leaves_an_affordable_audit_alone) {
    Simulation simulation = simulate(5);
    simulation.run({.operations_per_s = 10'000, .elsewhere_ns = 1e8}, 1000, 5);
    EXPECT_EQ(simulation.level, Level::full);
    EXPECT_EQ(simulation.switches, 0);
}

TEST(Governor, follows_a_load_that_changes_a_hundredfold_either_way) {
    const SimulatedLoad low{.operations_per_s = 20'000, .elsewhere_ns = 1e8};
    const SimulatedLoad high{.operations_per_s = 2'000'000, .elsewhere_ns = 1e8};
    constexpr double budget = 2;
    ASSERT_LT(low.percent_at(Level::full), budget * Governor::margin);
    ASSERT_GT(high.percent_at(Level::full), budget);
    ASSERT_LT(high.percent_at(Level::sampled), budget);
    Simulation simulation = simulate(budget);
    for (int round = 1; round <= 5; ++round) {
        simulation.over_budget = 0;
        simulation.run(high, 100, budget);
        EXPECT_EQ(simulation.level, Level::sampled);
        EXPECT_LE(simulation.over_budget, 2) << "goes down at once";
        simulation.run(low, 100, budget);
        EXPECT_EQ(simulation.level, Level::full);
        EXPECT_EQ(simulation.switches, 2 * round) << "one switch each way";
    }
    EXPECT_NE(simulation.reasons[0].find("over the budget of 2.00 %"), std::string::npos) << simulation.reasons[0];
    EXPECT_NE(simulation.reasons[1].find("level full would take"), std::string::npos) << simulation.reasons[1];
}

TEST(Governor, goes_to_events_only_where_sampled_is_over_the_budget_too) {
    const SimulatedLoad extreme{.operations_per_s = 40'000'000, .elsewhere_ns = 0, .operation_ns = 20};
    ASSERT_GT(extreme.percent_at(Level::sampled), 2);
    Simulation simulation = simulate(2);
    simulation.run(extreme, 4, 2);
    EXPECT_EQ(simulation.level, Level::events);
    // It looks again, ever more seldom.
    simulation.over_budget = 0;
    simulation.run(extreme, 1000, 2);
    EXPECT_GT(simulation.over_budget, 5);
    EXPECT_LT(simulation.over_budget, 50) << "looks for two periods at a time, at most every " << Governor::blind_most;
    simulation.run({.operations_per_s = 20'000, .elsewhere_ns = 1e8}, 200, 2);
    EXPECT_EQ(simulation.level, Level::full) << "and comes back";
}

TEST(Governor, does_not_flap_at_the_edge_of_the_budget) {
    // Costs within a tenth of the budget, both sides of it, at random.
    std::mt19937 random(5);
    Simulation simulation = simulate(10);
    for (int i = 0; i < 4000; ++i) {
        const double operations = 186'000 * std::uniform_real_distribution(0.9, 1.1)(random);
        simulation.run({.operations_per_s = operations, .elsewhere_ns = 2.2e7}, 1, 10);
    }
    EXPECT_EQ(simulation.level, Level::sampled);
    EXPECT_EQ(simulation.switches, 1);
}

TEST(Governor, waits_longer_each_time_that_going_up_was_wrong) {
    // Bursts that come as soon as the level has gone up: the worst case for any hysteresis.
    Simulation simulation = simulate(2);
    for (int i = 0; i < 4000; ++i) {
        const bool burst = simulation.level == Level::full;
        simulation.run({.operations_per_s = burst ? 2e6 : 1e3, .elsewhere_ns = 1e8}, 1, 2);
    }
    EXPECT_LE(simulation.switches, 2 * 4000 / Governor::calm_most + 12);
    EXPECT_LE(simulation.over_budget, 4000 * 0.06);
}

TEST(Governor, never_goes_above_the_level_that_was_asked_for) {
    Simulation simulation = simulate(5, Level::sampled);
    simulation.run({.operations_per_s = 1000, .elsewhere_ns = 1e8}, 200, 5);
    EXPECT_EQ(simulation.level, Level::sampled);
    Simulation events = simulate(5, Level::events);
    events.run({.operations_per_s = 1e7}, 200, 5);
    EXPECT_EQ(events.level, Level::events);
    EXPECT_EQ(events.switches, 0);
}

// Who names no budget wants every operation counted, whatever that costs.
TEST(Governor, stays_at_the_lowest_level_over_the_budget) {
    const SimulatedLoad extreme{.operations_per_s = 40'000'000, .elsewhere_ns = 0, .operation_ns = 20};
    ASSERT_GT(extreme.percent_at(Level::sampled), 5);
    Simulation simulation{Governor(5, prices, {.highest = Level::full, .lowest = Level::sampled}), Level::sampled};
    simulation.run(extreme, 200, 5);
    EXPECT_EQ(simulation.level, Level::sampled);
    EXPECT_EQ(simulation.switches, 0);
    simulation.run({.operations_per_s = 1000, .elsewhere_ns = 1e8}, 20, 5);
    EXPECT_EQ(simulation.level, Level::full);
}

TEST(Governor, leaves_no_level_for_what_every_level_costs) {
    Governor governor(2, prices, {});
    Observation period = SimulatedLoad{.operations_per_s = 1000, .elsewhere_ns = 1e8}.at(Level::full);
    period.activity.samples = 200;
    ASSERT_GT(cost_percent(cost_ns(prices, period.activity), period.target_cpu_ns), 2);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(governor.decide(Level::full, period).level, Level::full);
}

TEST(Governor, decides_nothing_on_a_moment) {
    Governor governor(1, prices, {});
    Observation moment = SimulatedLoad{.operations_per_s = 1e7}.at(Level::full);
    moment.seconds = 0.01;
    EXPECT_EQ(governor.decide(Level::full, moment).level, Level::full);
    EXPECT_GT(governor.decide(Level::full, moment).percent, 1);
}

TEST(Governor, the_period_after_a_switch_decides_nothing) {
    const SimulatedLoad extreme{.operations_per_s = 40'000'000, .elsewhere_ns = 0, .operation_ns = 20};
    ASSERT_GT(extreme.percent_at(Level::sampled), 2);
    Governor governor(2, prices, {});
    EXPECT_EQ(governor.decide(Level::full, extreme.at(Level::full)).level, Level::sampled);
    const Decision settling = governor.decide(Level::sampled, extreme.at(Level::sampled));
    EXPECT_EQ(settling.level, Level::sampled);
    EXPECT_GT(settling.percent, 2) << "what it cost is told all the same";
    EXPECT_EQ(governor.decide(Level::sampled, extreme.at(Level::sampled)).level, Level::events);
}

TEST(Governor, goes_up_only_after_calm_periods_in_a_row) {
    const SimulatedLoad low{.operations_per_s = 20'000, .elsewhere_ns = 1e8};
    const SimulatedLoad high{.operations_per_s = 2'000'000, .elsewhere_ns = 1e8};
    ASSERT_LT(high.percent_at(Level::sampled), 2);
    Governor governor(2, prices, {});
    const auto next = [&](const SimulatedLoad& load) {
        return governor.decide(Level::sampled, load.at(Level::sampled)).level;
    };
    for (int i = 0; i < Governor::calm_least - 1; ++i) EXPECT_EQ(next(low), Level::sampled);
    EXPECT_EQ(next(high), Level::sampled);
    for (int i = 0; i < Governor::calm_least - 1; ++i) EXPECT_EQ(next(low), Level::sampled) << "begins anew";
    EXPECT_EQ(next(low), Level::full);
}

TEST(Governor, goes_by_the_prices_it_was_told_last) {
    const SimulatedLoad load{.operations_per_s = 10'000, .elsewhere_ns = 1e8};
    Governor governor(2, prices, {});
    EXPECT_EQ(governor.decide(Level::full, load.at(Level::full)).level, Level::full);
    Prices dear = prices;
    dear.record_ns = 100'000;
    governor.set_prices(dear);
    EXPECT_EQ(governor.decide(Level::full, load.at(Level::full)).level, Level::sampled);
}

TEST(Overhead, is_prices_times_activity_over_the_targets_time) {
    const Activity activity{
        .timed = 1000, .counted = 10'000, .batches = 7, .events = 2, .samples = 3, .program_ns = 12'000};
    EXPECT_DOUBLE_EQ(cost_ns(prices, activity),
                     1000 * 40.0 + 10'000 * 3.0 + 7 * 900.0 + 2 * 3000.0 + 3 * 16'000.0 + 12'000);
    EXPECT_DOUBLE_EQ(cost_percent(92'300, 923'000), 10);
    EXPECT_EQ(cost_percent(5, 0), 0);
    EXPECT_EQ(cost_percent(500, 100), 100) << "a clock that lags behind is no slowdown of more than all";
}

TEST(Overhead, at_full_every_operation_is_timed) {
    constexpr std::uint64_t batches = 1000, many = batches * MAPAUDIT_BATCH, few = MAPAUDIT_BATCH;
    const Activity activity{.timed = 0, .counted = many, .batches = 9, .events = 1, .samples = 0, .program_ns = 700};
    EXPECT_DOUBLE_EQ(cost_at_full_ns(prices, activity), many * 50.0 + batches * 900.0 + 3000.0 + 700);
    const Activity slow{.timed = 0, .counted = few, .batches = 9, .events = 0, .samples = 0, .program_ns = 0};
    EXPECT_DOUBLE_EQ(cost_at_full_ns(prices, slow), few * 50.0 + 9 * 900.0);
}

}  // namespace
}  // namespace mapaudit::model
