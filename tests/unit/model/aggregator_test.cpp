// SPDX-License-Identifier: Apache-2.0
#include "model/aggregator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "unit/model/aggregator_samples.hpp"

namespace mapaudit::model {
namespace {

constexpr double seconds = 2;

TEST(Aggregator, a_row_has_every_figure_of_its_map_and_operation) {
    Aggregator aggregator({});
    aggregator.describe({7, 0, 1}, info_of("users"));
    Counts counts = counts_of({10, 20, 30, 993}, 2.5);
    counts.waits = 2;
    counts.wait.add(8);
    counts.wait.add(9);
    counts.wait_sum = 17;
    counts.migrations = 3;
    counts.conflicts = 4;
    counts.lost = 5;
    aggregator.add(cell(1, MAPAUDIT_OP_ASSIGN), counts);
    const std::vector<Row> rows = aggregator.close_interval(seconds);
    ASSERT_EQ(rows.size(), 1u);
    const Row& row = rows[0];
    EXPECT_EQ(row.pid(), 7);
    EXPECT_EQ(row.map->source, &sample_source);
    EXPECT_EQ(row.map->id.id, 1u);
    EXPECT_EQ(row.map->name, "users");
    EXPECT_EQ(row.map->kind, "go_map");
    EXPECT_EQ(row.op, Op::assign);
    EXPECT_FALSE(row.cpu);
    EXPECT_FALSE(row.tid);
    EXPECT_EQ(row.calls, 4u);
    EXPECT_EQ(row.calls_per_s, 2.0);
    EXPECT_EQ(row.p50_ns, 20 * 2.5);
    EXPECT_EQ(row.p90_ns, 993 * 2.5);  // its bucket's midpoint is above the known maximum
    EXPECT_EQ(row.max_ns, 993 * 2.5);
    EXPECT_EQ(row.mean_ns, 263.25 * 2.5);
    EXPECT_EQ(row.waits, 2u);
    EXPECT_EQ(row.wait_p99_ns, 9 * 2.5);
    EXPECT_EQ(row.wait_total_ns, 17 * 2.5);
    EXPECT_EQ(row.conflicts, 4u);
    EXPECT_EQ(row.migrations, 3u);
    EXPECT_EQ(row.size, 12u);
    EXPECT_EQ(row.buckets, 16u);
    EXPECT_EQ(row.load_factor, 0.75);
    EXPECT_EQ(row.weight, 1.0);
    EXPECT_FALSE(row.estimated);
    EXPECT_EQ(row.lost, 5u);
}

TEST(Aggregator, maximum_is_the_histograms_where_none_was_given) {
    Aggregator aggregator({});
    Counts counts = counts_of({1000});
    counts.latency_max = 0;
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), counts);
    const Row row = aggregator.close_interval(seconds).at(0);
    EXPECT_EQ(row.max_ns, static_cast<double>(mapaudit_bucket_floor(mapaudit_bucket(1000) + 1) - 1));
    EXPECT_LE(*row.p999_ns, *row.max_ns);
}

TEST(Aggregator, maximum_is_never_below_a_bucket_that_was_hit) {
    Aggregator aggregator({});
    Counts without_maximum = counts_of({5000});
    without_maximum.latency_max = 0;
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), counts_of({10}));
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), without_maximum);
    EXPECT_GE(*aggregator.close_interval(seconds).at(0).max_ns, 5000.0);
}

TEST(Aggregator, weight_is_calls_per_timed_call) {
    Aggregator aggregator({});
    Counts sampled = counts_of({10, 20});
    sampled.calls = 128;
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), sampled);
    aggregator.add(cell(2, MAPAUDIT_OP_LOOKUP), calls_only(9));
    Counts more_timed_than_counted = counts_of({10, 20});  // the last call's count is in the next interval
    more_timed_than_counted.calls = 1;
    aggregator.add(cell(3, MAPAUDIT_OP_LOOKUP), more_timed_than_counted);
    const std::vector<Row> rows = aggregator.close_interval(seconds);
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].weight, 64.0);
    EXPECT_EQ(rows[1].weight, 9.0);
    EXPECT_FALSE(rows[1].p50_ns);
    EXPECT_FALSE(rows[1].max_ns);
    EXPECT_FALSE(rows[1].mean_ns);
    EXPECT_EQ(rows[2].weight, 1.0);
}

TEST(Aggregator, a_living_map_has_a_row_in_every_interval_after_its_first_call) {
    Aggregator aggregator({});
    aggregator.describe({7, 0, 1}, info_of("users"));
    EXPECT_TRUE(aggregator.close_interval(seconds).empty());
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), counts_of({10}));
    EXPECT_EQ(identities(aggregator.close_interval(seconds)), (Identities{"7/1/lookup/all/all"}));
    const std::vector<Row> idle = aggregator.close_interval(seconds);
    EXPECT_EQ(identities(idle), (Identities{"7/1/lookup/all/all"}));
    EXPECT_EQ(idle[0].calls, 0u);
    EXPECT_EQ(idle[0].weight, 1.0);
    EXPECT_FALSE(idle[0].p50_ns);
    EXPECT_FALSE(idle[0].max_ns);
    EXPECT_EQ(idle[0].size, 12u);
}

TEST(Aggregator, a_destroyed_map_has_rows_while_it_had_calls_and_always_in_totals) {
    Aggregator aggregator({});
    aggregator.describe({7, 0, 1}, info_of("gone"));
    aggregator.add(cell(1, MAPAUDIT_OP_ASSIGN), counts_of({10}));
    MapInfo destroyed;
    destroyed.alive = false;
    aggregator.describe({7, 0, 1}, destroyed);
    const std::vector<Row> last = aggregator.close_interval(seconds);
    ASSERT_EQ(last.size(), 1u);
    EXPECT_EQ(last[0].map->name, "gone");  // keeps its last figures
    EXPECT_EQ(last[0].buckets, 16u);
    EXPECT_TRUE(aggregator.close_interval(seconds).empty());
    EXPECT_EQ(aggregator.totals(4).size(), 1u);
    EXPECT_EQ(aggregator.totals(4)[0].calls, 1u);
    EXPECT_FALSE(aggregator.find({7, 0, 1})->alive);
    EXPECT_EQ(aggregator.find({7, 0, 2}), nullptr);
    EXPECT_EQ(aggregator.maps(), 1u);
}

TEST(Aggregator, growth_is_on_all_rows_of_its_map) {
    Aggregator aggregator({});
    aggregator.describe({7, 0, 1}, info_of("users"));
    aggregator.describe({7, 0, 2}, info_of("other"));
    Counts grow = counts_of({5000, 7000});
    grow.grows = 2;
    grow.buckets_grown = 48;
    aggregator.add(cell(1, MAPAUDIT_OP_GROW), grow);
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), counts_of({10}));
    aggregator.add(cell(2, MAPAUDIT_OP_LOOKUP), counts_of({10}));
    for (const std::vector<Row>& rows : {aggregator.totals(seconds), aggregator.close_interval(seconds)}) {
        ASSERT_EQ(identities(rows), (Identities{"7/1/lookup/all/all", "7/1/grow/all/all", "7/2/lookup/all/all"}));
        EXPECT_EQ(rows[0].grows, 2u);
        EXPECT_EQ(rows[0].buckets_per_s, 24.0);
        EXPECT_EQ(rows[1].calls, 2u);
        EXPECT_EQ(rows[1].grows, 2u);
        EXPECT_EQ(rows[1].max_ns, 7000.0);
        EXPECT_EQ(rows[2].grows, 0u);
        EXPECT_EQ(rows[2].buckets_per_s, 0.0);
    }
    EXPECT_EQ(aggregator.close_interval(seconds)[0].grows, 0u);
    EXPECT_EQ(aggregator.totals(seconds)[0].grows, 2u);
}

TEST(Aggregator, rows_are_in_order_and_only_those_asked_for) {
    const auto fill = [](Aggregator& aggregator) {
        aggregator.add(cell(2, MAPAUDIT_OP_ERASE, 1, 51), counts_of({10}));
        aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP, 10, 50), counts_of({10}));
        aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP, 2, 50), counts_of({10}));
        aggregator.add(cell(1, MAPAUDIT_OP_ASSIGN, 2, 0), counts_of({10}));
        aggregator.add(cell(9, MAPAUDIT_OP_LOOKUP, 0, 0, 3), counts_of({10}));
    };
    Aggregator plain({}), cpus({.per_cpu = true, .per_thread = false}), both({.per_cpu = true, .per_thread = true});
    for (Aggregator* aggregator : {&plain, &cpus, &both}) fill(*aggregator);
    EXPECT_EQ(identities(plain.close_interval(seconds)),
              (Identities{"3/9/lookup/all/all", "7/1/assign/all/all", "7/1/lookup/all/all", "7/2/erase/all/all"}));
    EXPECT_EQ(identities(cpus.close_interval(seconds)),
              (Identities{"3/9/lookup/all/all", "3/9/lookup/0/all", "7/1/assign/all/all", "7/1/assign/2/all",
                          "7/1/lookup/all/all", "7/1/lookup/2/all", "7/1/lookup/10/all", "7/2/erase/all/all",
                          "7/2/erase/1/all"}));
    EXPECT_EQ(identities(both.close_interval(seconds)),
              (Identities{"3/9/lookup/all/all", "3/9/lookup/0/all", "7/1/assign/all/all", "7/1/assign/2/all",
                          "7/1/lookup/all/all", "7/1/lookup/2/all", "7/1/lookup/10/all", "7/1/lookup/all/50",
                          "7/2/erase/all/all", "7/2/erase/1/all", "7/2/erase/all/51"}));
}

TEST(Aggregator, loss_of_no_map_is_a_row_of_its_process) {
    Aggregator aggregator({});
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), counts_of({10}));
    aggregator.add_lost(7, sample_source, 0);
    EXPECT_EQ(aggregator.close_interval(seconds).size(), 1u);
    aggregator.add_lost(7, sample_source, 3);
    aggregator.add_lost(7, sample_source, 4);
    const std::vector<Row> rows = aggregator.close_interval(seconds);
    const auto lost = std::find_if(rows.begin(), rows.end(), [](const Row& row) { return row.op == Op::none; });
    ASSERT_NE(lost, rows.end());
    EXPECT_EQ(lost->map->name, "(lost)");
    EXPECT_EQ(lost->pid(), 7);
    EXPECT_EQ(lost->map->source, &sample_source);
    EXPECT_EQ(lost->calls, 0u);
    EXPECT_EQ(lost->lost, 7u);
    EXPECT_EQ(aggregator.close_interval(seconds)[0].lost, 0u);
    EXPECT_EQ(aggregator.totals(seconds)[0].lost, 7u);
}

TEST(Aggregator, counts_of_nothing_make_no_row) {
    Aggregator aggregator({});
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), Counts{});
    EXPECT_TRUE(aggregator.close_interval(seconds).empty());
    EXPECT_TRUE(aggregator.totals(seconds).empty());
}

TEST(Aggregator, counts_without_times_take_any_unit) {
    Counts counts = calls_only(2);
    counts.add(counts_of({100}, 0.4));
    counts.add(calls_only(1));
    EXPECT_EQ(counts.calls, 4u);
    EXPECT_EQ(counts.ns_per_unit, 0.4);
}

TEST(Aggregator, no_seconds_give_no_rate_and_nothing_is_nan) {
    Aggregator aggregator({.per_cpu = true, .per_thread = true});
    MapInfo no_buckets = info_of("users");
    no_buckets.buckets = 0;
    aggregator.describe({7, 0, 1}, no_buckets);
    Counts zero_latency = counts_of({0, 0});
    zero_latency.grows = 1;
    zero_latency.buckets_grown = -8;
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP, 1, 2), zero_latency);
    aggregator.add(cell(1, MAPAUDIT_OP_ERASE, 1, 2), calls_only(1));
    for (const double length : {0.0, 1.0}) {
        for (const Row& row : aggregator.totals(length)) {
            EXPECT_EQ(row.calls_per_s, length * static_cast<double>(row.calls));
            for (const double value :
                 {row.calls_per_s, row.buckets_per_s, row.weight, row.wait_total_ns, row.p50_ns.value_or(0),
                  row.p999_ns.value_or(0), row.max_ns.value_or(0), row.mean_ns.value_or(0), row.load_factor.value_or(0),
                  row.wait_p99_ns.value_or(0)})
                EXPECT_TRUE(std::isfinite(value));
            EXPECT_FALSE(row.load_factor);
        }
    }
}

TEST(Aggregator, growth_is_told_apart_from_the_rest) {
    Aggregator aggregator({});
    const CellKey key{{1, 0, 1}, Op::assign, 0, 0};
    Counts counts;
    counts.calls = 1'000;
    counts.latency.add(100, 980);
    counts.latency.add(50'000, 20);
    counts.latency_sum = 980 * 100 + 20 * 50'000;
    counts.grew.add(100, 5);
    counts.grew.add(50'000, 18);
    counts.grew_sum = 5 * 100 + 18 * 50'000;
    counts.ns_per_unit = 2;
    aggregator.add(key, counts);
    for (const auto& rows : {aggregator.close_interval(1), aggregator.totals(1)}) {
        ASSERT_EQ(rows.size(), 1u);
        const GrowthCost& cost = rows[0].growth;
        EXPECT_EQ(rows[0].timed, 1'000u);
        EXPECT_EQ(cost.calls, 23u);
        EXPECT_DOUBLE_EQ(cost.total_ns, 2 * (500 + 900'000));
        EXPECT_EQ(cost.slowest, 20u);
        EXPECT_EQ(cost.slowest_grew, 18u);
        ASSERT_TRUE(cost.p99_without_ns);
        EXPECT_NEAR(*cost.p99_without_ns, 200, 0.032 * 200);
    }
}

}  // namespace
}  // namespace mapaudit::model
