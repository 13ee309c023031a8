// SPDX-License-Identifier: Apache-2.0
//
// What windows cost, over a long time, is the budget, for targets of every kind.
#include <gtest/gtest.h>

#include <algorithm>

#include "model/duty_cycle.hpp"

namespace mapaudit::model {
namespace {

// A target that uses so many CPUs, and that an open window costs so much of them; probes go on costing for a while
// after it was shut.
struct Load {
    double cpus = 1, cost_share = 0.8, tail_s = 0.1;
};

struct Outcome {
    double open_s = 0, cost_share = 0;
    int windows = 0;
};

Outcome run(DutyCycle duty, const Load& load, double seconds) {
    constexpr double step_s = 0.005;
    DutyCycle::Spent spent;
    Outcome outcome;
    double shut_s = -1;
    for (bool was_open = false; spent.seconds < seconds; spent.seconds += step_s) {
        const bool open = duty.decide(spent);
        if (open && !was_open) ++outcome.windows;
        if (!open && was_open) shut_s = spent.seconds;
        was_open = open;
        if (open) outcome.open_s += step_s;
        const bool costs = open || (shut_s >= 0 && spent.seconds < shut_s + load.tail_s);
        spent.target_cpu_ns += load.cpus * step_s * 1e9;
        if (costs) spent.cost_ns += load.cost_share * load.cpus * step_s * 1e9;
    }
    outcome.cost_share = spent.target_cpu_ns > 0 ? spent.cost_ns / spent.target_cpu_ns : 0;
    return outcome;
}

TEST(DutyCycle, a_busy_target_pays_the_budget_and_no_more) {
    for (const double cpus : {0.1, 1.0, 16.0})
        for (const double budget : {1.0, 5.0, 25.0}) {
            const Outcome outcome = run(DutyCycle(budget), {.cpus = cpus}, 2000 / std::min(cpus, 1.0));
            EXPECT_NEAR(outcome.cost_share, budget / 100, 0.1 * budget / 100) << cpus << " CPUs, " << budget << " %";
            EXPECT_GT(outcome.windows, 5);
        }
}

TEST(DutyCycle, what_costs_less_than_the_budget_is_watched_all_the_time) {
    const Outcome outcome = run(DutyCycle(5), {.cpus = 2, .cost_share = 0.04}, 100);
    EXPECT_EQ(outcome.windows, 1);
    EXPECT_NEAR(outcome.open_s, 100, 0.1);
}

TEST(DutyCycle, an_idle_target_is_watched_and_its_credit_does_not_grow) {
    DutyCycle duty(5);
    EXPECT_TRUE(duty.decide({0, 0, 0}));
    EXPECT_TRUE(duty.decide({3600, 0, 36e9})) << "an hour at a hundredth of a CPU, and nothing done with maps";
    // Then a second of work at full cost: no more than the saved-up share of one second is spent.
    EXPECT_TRUE(duty.decide({3600.04, 0.04e9, 36.04e9}));
    EXPECT_FALSE(duty.decide({3600.08, 0.08e9, 36.08e9}));
}

TEST(DutyCycle, the_first_window_comes_at_once_and_lasts_for_a_moment_at_least) {
    DutyCycle duty(5);
    EXPECT_FALSE(duty.is_open());
    EXPECT_TRUE(duty.decide({0.1, 0, 7e9})) << "what the target did before the audit earns nothing";
    EXPECT_TRUE(duty.decide({0.1 + DutyCycle::shortest_s / 2, 0.01e9, 7.01e9}));
    EXPECT_FALSE(duty.decide({0.1 + DutyCycle::shortest_s * 2, 0.02e9, 7.02e9}));
    EXPECT_FALSE(duty.decide({1, 0.02e9, 7.1e9})) << "in debt";
    EXPECT_TRUE(duty.decide({10, 0.02e9, 8e9}));
}

TEST(DutyCycle, stays_shut_until_there_is_credit_for_a_window_like_the_last) {
    DutyCycle duty(10);
    EXPECT_TRUE(duty.decide({0, 0, 0}));
    EXPECT_FALSE(duty.decide({0.1, 0.05e9, 0.1e9})) << "40 ms in debt";
    EXPECT_FALSE(duty.decide({0.99, 0.05e9, 0.99e9})) << "the window cost 50 ms, and there are 49 now";
    EXPECT_TRUE(duty.decide({1.01, 0.05e9, 1.01e9}));
}

TEST(DutyCycle, waits_for_no_more_credit_than_can_be_saved_up) {
    DutyCycle duty(10);
    EXPECT_TRUE(duty.decide({0, 0, 0}));
    EXPECT_FALSE(duty.decide({1, 1e9, 1e9})) << "ten times what can be saved up; 900 ms in debt";
    EXPECT_FALSE(duty.decide({10.9, 1e9, 10.9e9}));
    EXPECT_TRUE(duty.decide({11.1, 1e9, 11.1e9}));
}

// As on a busy machine: to attach took longer than a window does, and the probes that were there cost all the credit.
TEST(DutyCycle, a_window_lasts_for_a_moment_from_when_probes_are_attached) {
    DutyCycle duty(5);
    EXPECT_TRUE(duty.decide({0, 0, 0}));
    duty.attached(0.1);
    EXPECT_TRUE(duty.decide({0.101, 0.03e9, 0.05e9}));
    EXPECT_FALSE(duty.decide({0.101 + DutyCycle::shortest_s, 0.04e9, 0.06e9}));
}

TEST(DutyCycle, a_long_look_at_the_start_where_it_is_asked_for) {
    const Outcome ahead = run(DutyCycle(25, 4), {.cpus = 1, .cost_share = 0.9}, 1.2);
    EXPECT_GT(ahead.open_s, 1.0);
    const Outcome later = run(DutyCycle(25, 4), {.cpus = 1, .cost_share = 0.9}, 400);
    EXPECT_NEAR(later.cost_share, 0.25, 0.02);
}

TEST(DutyCycle, at_a_hundred_percent_it_is_never_shut) {
    DutyCycle duty(100);
    EXPECT_TRUE(duty.always());
    EXPECT_TRUE(duty.decide({0, 0, 0}));
    EXPECT_TRUE(duty.decide({1, 5e9, 5e9}));
}

}  // namespace
}  // namespace mapaudit::model
