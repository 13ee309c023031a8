// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "scale/aggregation.hpp"
#include "scale/plot.hpp"
#include "scale/scale_point.hpp"
#include "scale/scale_results.hpp"
#include "subject.hpp"
#include "support/child.hpp"

namespace mapaudit::bench {
namespace {

using testing::HasSubstr;

// Every point that main measures, with the same figures but for `added_ns` at the many maps.
ScaleResults results_with(double added_at_many_maps_ns) {
    ScaleResults results{"a machine, 2 cores", "2026-01-02", all_series(), {}, {}};
    const auto add = [&](const ScalePoint& point) {
        const double added = point == many_maps_point() ? added_at_many_maps_ns : 40;
        results.figures.push_back({point,
                                   {10, 12, 11},
                                   {50, 52, 51},
                                   {added, added + 2, added - 2},
                                   {2e5, 2e5, 2e5},
                                   {100, 90, 120},
                                   {0.5, 0.5, 0.5},
                                   20,
                                   16,
                                   600,
                                   600});
    };
    for (const ScaleSeries& series : results.series)
        for (const ScalePoint& point : series.points) add(point);
    add(bounded_maps_point());
    results.aggregators.push_back({"3 maps", 3, {{500, 900, 0.5}, {1000, 1100, 0.5}}, 0.25});
    return results;
}

TEST(Scale, footer_of_a_summary) {
    const auto footer = parse_footer(
        "Ledger: 1200007 fired = 1200000 handled + 7 lost (ring full 7)\n"
        "Target slowed down: about 3.1 % of its CPU time\n"
        "mapaudit itself: 0.1 % of a core, 18.5 MiB + 512 KiB in the kernel\n");
    ASSERT_TRUE(footer);
    EXPECT_EQ(footer->fired, 1200007u);
    EXPECT_EQ(footer->handled, 1200000u);
    EXPECT_EQ(footer->lost, 7u);
    EXPECT_DOUBLE_EQ(footer->rss_mib, 18.5);
    EXPECT_DOUBLE_EQ(footer->kernel_mib, 0.5);
    EXPECT_FALSE(parse_footer("mapaudit itself: 0.1 % of a core, 18.5 MiB + 10.5 MiB in the kernel\n"));
    EXPECT_FALSE(parse_footer("Ledger: 1 fired = 1 handled + 0 lost\n"));
}

TEST(Scale, goals_compare_with_the_first_point) {
    std::ostringstream good, bad;
    print_scale_goals(good, results_with(45));
    print_scale_goals(bad, results_with(50));
    EXPECT_THAT(good.str(),
                HasSubstr("met    maps, 2 threads, 200k operations a second, cost of an operation (45.0 ns) over the "
                          "first point's (40.0 ns): 12.5 % (goal: at most 15 %)\n"));
    EXPECT_THAT(bad.str(),
                HasSubstr("MISSED maps, 2 threads, 200k operations a second, cost of an operation (50.0 ns) over the "
                          "first point's (40.0 ns): 25.0 % (goal: at most 15 %)\n"));
    EXPECT_THAT(good.str(), HasSubstr("met    start-up at 10000 maps: 100.0 ms (goal: at most 150 ms)\n"));
    EXPECT_THAT(good.str(), HasSubstr("MISSED 1000 intervals, 3 maps: CPU an interval, last over first: 22.2 %"));
}

TEST(Scale, tables_and_csv) {
    std::ostringstream table, csv;
    print_scale_tables(table, results_with(45), true);
    write_scale_csv(csv, results_with(45));
    EXPECT_THAT(table.str(), HasSubstr("| 10000 | 2 | 200k | 160000 | chained | --top 10 --csv | 0.20M | 11.0 | 45.0 | "
                                       "43.0 .. 47.0 | 100 | 0.50 | 20.0 | 16.0 | 600 |\n"));
    EXPECT_THAT(table.str(), HasSubstr("| 1000 (3 maps) | 3 | 900 | 1100 | 0.500 | 0.500 | 0.25 |\n"));
    EXPECT_THAT(csv.str(),
                HasSubstr("10000,2,200000,160000,1,\"--top 10\",1,3,200000,11.000,51.000,45.000,43.000,47.000,100.0,"
                          "0.500,20.0,16.0,600,600,2026-01-02,\"a machine, 2 cores\"\n"));
}

TEST(Scale, plot_has_every_series) {
    const std::string svg = scale_plot(results_with(45));
    for (const ScaleSeries& series : all_series()) EXPECT_THAT(svg, HasSubstr("<title>" + series.name + "</title>"));
    EXPECT_THAT(svg, HasSubstr("<title>maps, 2 threads, 200k operations a second: 45 ns at 10000</title>"));
}

TEST(Scale, aggregator_holds_what_came_and_went) {
    const AggregationFigures figures =
        run_aggregation("three", 2000, 100);  // throws where the totals are not what was put in
    EXPECT_EQ(figures.maps_seen, 3u + 20u);
    ASSERT_EQ(figures.stretches.size(), 20u);
    EXPECT_EQ(figures.stretches.back().intervals, 2000u);
    for (const AggregationStretch& stretch : figures.stretches) EXPECT_GT(stretch.ns_per_interval, 0);
}

TEST(Scale, load_keeps_its_rate) {
    for (const char* chain : {"chained", "independent"}) {
        test::Child load({SCALE_LOAD, "10", "3", "6400", "1000", chain}, test::Child::Input::pipe);
        ASSERT_TRUE(load.write_line("measure 300"));
        const auto answer = load.read_line();
        ASSERT_TRUE(answer);
        std::istringstream words(*answer);
        std::uint64_t cpu_ns = 0, ops = 0, wall_ns = 0;
        ASSERT_TRUE(words >> cpu_ns >> ops >> wall_ns) << *answer;
        EXPECT_GT(cpu_ns, 0u);
        EXPECT_GT(ops, 0u);
        EXPECT_LE(ops, 6400 * 3 / 10 + 3 * 42u);  // a burst a thread more, when the window ends within it
    }
    EXPECT_EQ(test::run({SCALE_LOAD, "1", "1", "0", "1", "sideways"}).exit_code, 2);
}

}  // namespace
}  // namespace mapaudit::bench
