// SPDX-License-Identifier: Apache-2.0
//
// Every figure of what is counted adds up, and none is overlooked where it is asked whether there is anything.
#include "model/counts.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "model/aggregator.hpp"
#include "model/overhead.hpp"

namespace mapaudit::model {
namespace {

TEST(Counts, with_any_one_figure_are_not_empty_and_add_up) {
    struct Figure {
        std::function<void(Counts&)> put;
        std::function<std::uint64_t(const Counts&)> get;
        std::uint64_t twice;
        bool is_time;
    };
    const auto plain = [](std::uint64_t Counts::*figure, bool is_time, std::uint64_t twice = 6) {
        return Figure{[figure](Counts& c) { c.*figure = 3; }, [figure](const Counts& c) { return c.*figure; }, twice,
                      is_time};
    };
    const auto histogram = [](Histogram Counts::*figure) {
        return Figure{[figure](Counts& c) { (c.*figure).add(40); },
                      [figure](const Counts& c) { return (c.*figure).count(); }, 2, true};
    };
    const std::vector<Figure> figures{
        plain(&Counts::calls, false),
        histogram(&Counts::latency),
        plain(&Counts::latency_sum, true),
        plain(&Counts::latency_max, true, 3),
        plain(&Counts::waits, false),
        plain(&Counts::wait_sum, true),
        histogram(&Counts::wait),
        histogram(&Counts::grew),
        plain(&Counts::grew_sum, true),
        plain(&Counts::migrations, false),
        plain(&Counts::conflicts, false),
        plain(&Counts::grows, false),
        plain(&Counts::lost, false),
        {[](Counts& c) { c.buckets_grown = -3; },
         [](const Counts& c) { return static_cast<std::uint64_t>(-c.buckets_grown); }, 6, false},
    };
    EXPECT_TRUE(Counts{}.is_empty());
    for (std::size_t i = 0; i < figures.size(); ++i) {
        Counts one, sum;
        figures[i].put(one);
        one.ns_per_unit = 0.5;
        EXPECT_FALSE(one.is_empty()) << "figure " << i;
        EXPECT_EQ(one.has_times(), figures[i].is_time) << "figure " << i;
        sum.add(one);
        sum.add(one);
        EXPECT_EQ(figures[i].get(sum), figures[i].twice) << "figure " << i;
        EXPECT_EQ(sum.ns_per_unit, figures[i].is_time ? 0.5 : 1.0) << "figure " << i;
    }
}

TEST(Activity, adds_and_subtracts_every_figure) {
    const Activity one{1, 2, 3, 4, 5, 6, 7, 8};
    Activity sum = one;
    (sum += one) += one;
    const Activity two = sum - one;
    EXPECT_EQ(two.timed, 2u);
    EXPECT_EQ(two.counted, 4u);
    EXPECT_EQ(two.batches, 6u);
    EXPECT_EQ(two.events, 8u);
    EXPECT_EQ(two.samples, 10u);
    EXPECT_EQ(two.breakpoints, 12u);
    EXPECT_EQ(two.steps, 14u);
    EXPECT_EQ(two.program_ns, 16);
    EXPECT_EQ(two.operations(), 6u);
}

TEST(Watched, adds_up_and_keeps_the_latest_error) {
    Watched sum{1, 2, 0.5};
    sum += {10, 20, 0.25};
    EXPECT_EQ(sum.seen, 11);
    EXPECT_EQ(sum.unseen, 22);
    EXPECT_EQ(sum.relative_error, 0.25);
    const Watched difference = sum - Watched{1, 2, 0.5};
    EXPECT_EQ(difference.seen, 10);
    EXPECT_EQ(difference.unseen, 20);
}

}  // namespace
}  // namespace mapaudit::model
