// SPDX-License-Identifier: Apache-2.0
//
// Time in which operations were not seen: rows say that they are estimates, and totals stay the sum of the intervals.
#include <gtest/gtest.h>

#include <cmath>

#include "model/aggregator.hpp"
#include "unit/model/aggregator_samples.hpp"

namespace mapaudit::model {
namespace {

TEST(AggregatorUnseen, a_partly_seen_interval_is_scaled_and_an_unseen_one_goes_on_at_the_last_rate) {
    Aggregator aggregator({});
    aggregator.describe({7, 0, 1}, info_of("m"));
    const auto hundred_calls = [&](mapaudit_op op) {
        Counts counts = counts_of({10, 20, 30, 40});
        counts.calls = 100;
        aggregator.add(cell(1, op), counts);
    };
    hundred_calls(MAPAUDIT_OP_LOOKUP);
    const std::vector<Row> whole = aggregator.close_interval(1);
    ASSERT_EQ(whole.size(), 1u);
    EXPECT_FALSE(whole[0].estimated);
    EXPECT_EQ(whole[0].calls, 100u);

    hundred_calls(MAPAUDIT_OP_LOOKUP);
    hundred_calls(MAPAUDIT_OP_GROW);
    aggregator.add_unseen("usdt", 0.75);
    const std::vector<Row> part = aggregator.close_interval(1);
    ASSERT_EQ(part.size(), 2u);
    EXPECT_TRUE(part[0].estimated);
    EXPECT_EQ(part[0].calls, 400u);
    EXPECT_DOUBLE_EQ(part[0].calls_per_s, 400);
    EXPECT_DOUBLE_EQ(part[0].weight, 100);  // four were timed
    EXPECT_EQ(part[0].p50_ns, 20.0);
    EXPECT_FALSE(part[1].estimated) << "growth is always seen";
    EXPECT_EQ(part[1].calls, 100u);

    aggregator.add_unseen("usdt", 2);
    const std::vector<Row> nothing = aggregator.close_interval(2);
    EXPECT_TRUE(nothing[0].estimated);
    EXPECT_EQ(nothing[0].calls, 800u);
    EXPECT_FALSE(nothing[0].p50_ns);

    const std::vector<Row> seen_again = aggregator.close_interval(1);
    EXPECT_FALSE(seen_again[0].estimated);
    EXPECT_EQ(seen_again[0].calls, 0u);

    const std::vector<Row> totals = aggregator.totals(5);
    EXPECT_TRUE(totals[0].estimated);
    EXPECT_EQ(totals[0].calls, 100u + 400 + 800);
    EXPECT_FALSE(totals[1].estimated);
}

constexpr SourceTraits go_like{.name = "go"};

MapInfo info_from(const SourceTraits& source) {
    MapInfo info = info_of("m");
    info.source = &source;
    return info;
}

TEST(AggregatorUnseen, what_one_source_did_not_see_is_no_matter_for_another) {
    Aggregator aggregator({});
    aggregator.describe({7, 0, 1}, info_from(sample_source));
    aggregator.describe({7, 0, 2}, info_from(go_like));
    for (const std::uint32_t map : {1u, 2u}) {
        Counts counts;
        counts.calls = 100;
        aggregator.add(cell(map, MAPAUDIT_OP_LOOKUP), counts);
    }
    aggregator.add_unseen("go", 0.5);
    const std::vector<Row> rows = aggregator.close_interval(1);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].calls, 100u);
    EXPECT_FALSE(rows[0].estimated);
    EXPECT_EQ(rows[1].calls, 200u);
    EXPECT_TRUE(rows[1].estimated);
}

// A tenth of what the target did was seen, whatever the time that took; then it did nothing more.
TEST(AggregatorUnseen, calls_are_scaled_by_what_the_target_did) {
    Aggregator aggregator({});
    aggregator.describe({7, 0, 1}, info_from(go_like));
    Counts counts;
    counts.calls = 400;
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), counts);
    aggregator.add_watched("go", {.seen = 10, .unseen = 30, .relative_error = 0});
    aggregator.add_watched("go", {.seen = 10, .unseen = 150, .relative_error = 0});
    const std::vector<Row> rows = aggregator.close_interval(1);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].calls, 4000u);
    EXPECT_TRUE(rows[0].estimated);
    // Twice the root of 400 calls, of the 90 % that were not seen.
    EXPECT_DOUBLE_EQ(rows[0].error, 0.1 * 0.9);

    aggregator.add_watched("go", {.seen = 0, .unseen = 0, .relative_error = 0});
    const std::vector<Row> idle = aggregator.close_interval(9);
    EXPECT_EQ(idle[0].calls, 0u);
    EXPECT_FALSE(idle[0].estimated);

    aggregator.add_watched("go", {.seen = 0, .unseen = 20, .relative_error = 0});
    EXPECT_EQ(aggregator.close_interval(1)[0].calls, 400u) << "at the last rate";
    EXPECT_EQ(aggregator.totals(11)[0].calls, 4400u);
}

TEST(AggregatorUnseen, a_doubtful_measure_makes_a_doubtful_estimate) {
    Aggregator aggregator({});
    aggregator.describe({7, 0, 1}, info_from(go_like));
    Counts counts;
    counts.calls = 40'000;
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), counts);
    aggregator.add_watched("go", {.seen = 10, .unseen = 10, .relative_error = 0.4});
    EXPECT_NEAR(aggregator.close_interval(1)[0].error, 0.2, 0.001);
}

TEST(AggregatorUnseen, what_cannot_be_estimated_shows_what_was_seen) {
    Aggregator aggregator({});
    aggregator.describe({7, 0, 1}, info_from(go_like));
    Counts counts;
    counts.calls = 10'000;
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), counts);
    aggregator.add_watched("go", {.seen = 10, .unseen = 10, .relative_error = 1.1});
    const Row row = aggregator.close_interval(1).at(0);
    EXPECT_EQ(row.calls, 10'000u);
    EXPECT_TRUE(row.estimated);
    EXPECT_TRUE(std::isinf(row.error));
    EXPECT_EQ(aggregator.totals(1).at(0).calls, 10'000u);
    EXPECT_TRUE(std::isinf(aggregator.totals(1).at(0).error));

    // As soon as it can be, the total has it all.
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), counts);
    aggregator.add_watched("go", {.seen = 10, .unseen = 20, .relative_error = 0.1, .scale = 1.5});
    const Row later = aggregator.close_interval(1).at(0);
    EXPECT_EQ(later.calls, 30'000u);
    EXPECT_TRUE(std::isfinite(later.error));
    const Row total = aggregator.totals(2).at(0);
    EXPECT_EQ(total.calls, 50'000u);
    EXPECT_NEAR(total.error, 0.06, 0.001);
}

TEST(AggregatorUnseen, one_short_window_does_not_make_the_rate) {
    Aggregator aggregator({});
    aggregator.describe({7, 0, 1}, info_from(go_like));
    Counts counts;
    counts.calls = 1000;
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), counts);
    aggregator.add_watched("go", {.seen = 100, .unseen = 0, .relative_error = 0.1});
    (void)aggregator.close_interval(1);
    aggregator.add_watched("go", {.seen = 1, .unseen = 100, .relative_error = 0.1});
    const Row row = aggregator.close_interval(1).at(0);
    EXPECT_NEAR(static_cast<double>(row.calls), 987, 1);
}

TEST(AggregatorUnseen, a_total_is_as_sure_as_it_agrees_with_what_is_known_at_its_end) {
    Aggregator aggregator({});
    aggregator.describe({7, 0, 1}, info_from(go_like));
    Counts counts;
    counts.calls = 10'000;
    aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP), counts);
    aggregator.add_watched("go", {.seen = 10, .unseen = 30, .relative_error = 0, .scale = 5});
    (void)aggregator.close_interval(1);
    EXPECT_NEAR(aggregator.totals(1).at(0).error, (50'000.0 - 30'000) / 40'000, 0.02);
}

}  // namespace
}  // namespace mapaudit::model
