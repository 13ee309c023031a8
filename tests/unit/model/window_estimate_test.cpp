// SPDX-License-Identifier: Apache-2.0
//
// What is concluded from windows of loads of which the truth is known, by what was measured of real ones.
#include <gtest/gtest.h>

#include <cmath>

#include "model/window_estimate.hpp"

namespace mapaudit::model {
namespace {

constexpr double ms = 1e6;

// Windows of one target, each with the time that follows.
class Watch {
public:
    Prices prices{.breakpoint_ns = 900};

    // `calls` in a window that took so much of the target's CPU time, with so much waiting for a CPU.
    Watch& window(double wall_ms, double cpu_ms, std::uint64_t calls, double waited_ms = 0) {
        Stretch stretch{wall_ms * ms, cpu_ms * ms, waited_ms * ms, {}};
        stretch.activity.breakpoints = calls;
        estimate.add(Probes::counting, stretch);
        return *this;
    }
    Watch& between(double wall_ms, double cpu_ms, double moving_wall_ms = 80, double moving_cpu_ms = 40) {
        estimate.add(Probes::moving, {moving_wall_ms * ms, moving_cpu_ms * ms, 0, {}});
        estimate.add(Probes::none, {wall_ms * ms, cpu_ms * ms, 0, {}});
        return *this;
    }
    // Calls a second of work, and how far off that may be.
    double rate(double calls, double open_cpu_ms) const {
        return calls / (estimate.scale(prices).work_share * open_cpu_ms / 1000);
    }
    double error() const { return estimate.scale(prices).relative_error; }

    WindowEstimate estimate;
};

// A load of 400,000 calls a second that uses 60 ns each, of which the audit makes over 1000.
Watch paced() {
    Watch watch;
    for (const double more : {-0.02, 0.01, 0.02, -0.01})
        watch.window(20, 8.4 * (1 + more), static_cast<std::uint64_t>(8000 * (1 + more))).between(1000, 24);
    return watch;
}

TEST(WindowEstimate, what_the_price_cannot_tell_the_time_does) {
    const Watch watch = paced();
    EXPECT_NEAR(watch.rate(32000, 33.6), 400'000 / 0.024, 1000);
    // A load that waits for its answers would have done as much more as the audit left it less time to spare.
    EXPECT_GT(watch.error(), (1 - 0.024) / (1 - 0.42) - 1);
    EXPECT_LT(watch.error(), 1) << "it can be estimated";
}

TEST(WindowEstimate, time_in_which_probes_are_moved_says_nothing_of_the_targets_speed) {
    EXPECT_NEAR(paced().estimate.scale({}).work_per_s, 0.024e9, 1);
}

// As measured: the program waits for a CPU more here and less there, and the load goes on all the same.
TEST(WindowEstimate, a_load_that_does_not_mind_a_lack_of_time_is_not_one_that_waits) {
    Watch watch;
    const auto five_windows = [&watch] {
        watch.window(20.7, 11.37, 8004, 4.75).between(6846, 442.6);
        watch.window(25.8, 11.75, 9552, 5.26).between(4500, 313.5);
        watch.window(31.1, 14.69, 12251, 8.00).between(5980, 438.6);
        watch.window(31.1, 17.91, 12292, 11.30).between(5844, 397.6);
        watch.window(36.1, 21.42, 13828, 12.06).between(4868, 349.7);
    };
    five_windows();
    EXPECT_GT(watch.error(), 1) << "too few to tell";
    five_windows();
    five_windows();
    const double truth = 400'009 * 28.0386 / 1.9420, estimate = watch.rate(3 * 55927, 3 * 77.14);
    EXPECT_NEAR(estimate, truth, 0.05 * truth);
    EXPECT_NEAR(estimate, truth, watch.error() * estimate);
    EXPECT_LT(watch.error(), 0.9);
}

// One goroutine that does nothing but ask and wait 20 µs for the answer: 5 µs of its own work a call, and the audit's.
TEST(WindowEstimate, a_load_that_waits_for_its_answers_is_within_the_error) {
    Watch watch;
    double calls = 0, cpu_ms = 0;
    for (const double wait_us : {0.0, 1.0, 4.0, 0.5, 9.0}) {
        const double cycle_us = 20 + 5 + 0.9 * 5 + wait_us, n = 25'000 / cycle_us;
        watch.window(25, n * (5 + 0.9 * 5) / 1000, static_cast<std::uint64_t>(5 * n), n * wait_us / 1000);
        watch.between(1000, 1000 * 5.0 / 25);
        calls += std::floor(5 * n);
        cpu_ms += n * 9.5 / 1000;
    }
    const double truth = 5 * 1e6 / 5, estimate = watch.rate(calls, cpu_ms);
    EXPECT_NEAR(estimate, truth, watch.error() * estimate);
}

// As measured beside two busy processes: the target came to 7 %, 15 % and 41 % of its load in the windows.
TEST(WindowEstimate, a_target_that_gets_no_cpu_time_in_windows_cannot_be_estimated) {
    Watch watch;
    watch.window(31.6, 1.4, 858, 29).between(2556, 62, 80, 3);
    watch.window(20.3, 2.1, 1196, 17).between(2045, 49, 80, 40);
    watch.window(27.9, 5.7, 4555, 21).between(5000, 120, 80, 40);
    EXPECT_GT(watch.error(), 1);
}

TEST(WindowEstimate, one_window_says_nothing_of_how_windows_differ) {
    Watch watch;
    watch.window(20, 8.4, 8000).between(5000, 120);
    EXPECT_GT(watch.error(), 1);
    watch.window(20, 8.4, 8010).between(5000, 120);
    EXPECT_LT(watch.error(), 1);
}

TEST(WindowEstimate, where_it_is_not_known_who_waited_the_time_has_no_upper_bound) {
    Watch watch = paced();
    watch.estimate.set_waits_known(false);
    EXPECT_GT(watch.error(), 1);
}

// A target that began while a window had long been open: of 360 calls at its first steps nothing follows.
TEST(WindowEstimate, a_window_in_which_the_target_woke_up_tells_no_speed) {
    Watch watch = paced();
    const double before = watch.rate(32000, 33.6);
    for (int i = 0; i < 20; ++i) watch.window(5, 0, 0);
    watch.window(5, 1.1, 360).between(1000, 24);
    EXPECT_NEAR(watch.rate(32360, 34.7), before, 0.02 * before);
}

// A server that is busy all the time: a call comes with 3 µs of work, so that the price need not be known well.
TEST(WindowEstimate, a_target_without_a_moment_to_spare_is_scaled_by_its_work) {
    Watch watch;
    watch.prices.breakpoint_ns = 1000;
    for (const double more : {-0.02, 0.01, 0.02, -0.01})
        watch.window(24, 24 * (1 + more), static_cast<std::uint64_t>(6000 * (1 + more))).between(500, 500);
    EXPECT_NEAR(watch.rate(24000, 96), 1e6 / 3, 3000);
    EXPECT_GT(watch.error(), 0.08) << "for the price";
    EXPECT_LT(watch.error(), 0.25);
}

TEST(WindowEstimate, the_error_covers_a_price_that_is_off_by_a_quarter) {
    for (const double true_price : {750.0, 900.0, 1125.0}) {
        Watch watch;
        for (int i = 0; i < 9; ++i)
            watch.window(24, 24, static_cast<std::uint64_t>(24e6 / (2000 + true_price))).between(500, 500);
        const double calls = 9 * std::floor(24e6 / (2000 + true_price)), truth = 1e9 / 2000;
        EXPECT_NEAR(watch.rate(calls, 9 * 24), truth, watch.error() * watch.rate(calls, 9 * 24)) << true_price;
        EXPECT_LT(watch.error(), 0.4);
    }
}

TEST(WindowEstimate, windows_that_differ_make_a_wide_estimate) {
    Watch even, uneven;
    for (const double more : {-0.5, 0.5, -0.3, 0.3}) {
        even.window(20, 8, 6000).between(1000, 24);
        uneven.window(20, 8 * (1 + more), static_cast<std::uint64_t>(6000 * (1 + more))).between(1000, 24);
    }
    EXPECT_GT(uneven.error(), even.error() + 0.4);
}

TEST(WindowEstimate, a_window_that_stays_open_is_as_good_as_many) {
    Watch watch;
    for (int i = 0; i < 300; ++i) watch.window(100, 50, 500);
    watch.between(1000, 500);
    EXPECT_NEAR(watch.rate(150'000, 15'000), 1e9 / (100'000 - 900), 100);
    EXPECT_LT(watch.error(), 0.01);
}

TEST(WindowEstimate, without_a_call_there_is_nothing_to_scale) {
    Watch watch;
    watch.window(20, 8, 0).between(1000, 400);
    EXPECT_EQ(watch.error(), 0);
    EXPECT_EQ(watch.estimate.scale({}).work_share, 1);
}

}  // namespace
}  // namespace mapaudit::model
