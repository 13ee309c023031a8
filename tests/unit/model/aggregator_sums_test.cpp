// SPDX-License-Identifier: Apache-2.0
//
// What adds up in an aggregator, whatever is put in: intervals to totals, CPUs and threads to all.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "model/aggregator.hpp"
#include "unit/model/aggregator_samples.hpp"

namespace mapaudit::model {
namespace {

// The columns that add up over intervals and CPUs.
struct Sums {
    std::uint64_t calls = 0, waits = 0, conflicts = 0, migrations = 0, lost = 0;
    double wait_total_ns = 0;

    void add(const Row& row) {
        calls += row.calls;
        waits += row.waits;
        conflicts += row.conflicts;
        migrations += row.migrations;
        lost += row.lost;
        wait_total_ns += row.wait_total_ns;
    }
    void expect_equal(const Sums& other, const std::string& where) const {
        EXPECT_EQ(calls, other.calls) << where;
        EXPECT_EQ(waits, other.waits) << where;
        EXPECT_EQ(conflicts, other.conflicts) << where;
        EXPECT_EQ(migrations, other.migrations) << where;
        EXPECT_EQ(lost, other.lost) << where;
        EXPECT_NEAR(wait_total_ns, other.wait_total_ns, 1e-6 * other.wait_total_ns) << where;
    }
};

Counts random_counts(std::mt19937_64& random, mapaudit_op op) {
    const bool grow = op == MAPAUDIT_OP_GROW;
    Counts counts = counts_of({}, grow ? 1 : 0.37);
    for (std::uint64_t n = random() % 20 + 1; n > 0; --n) {
        const std::uint64_t latency = random() >> (24 + random() % 40);
        const std::uint64_t wait = latency / 3;
        counts.add([&] {
            Counts one = counts_of({latency}, counts.ns_per_unit);
            one.waits = one.wait_sum = wait;
            one.waits = wait != 0;
            if (wait != 0) one.wait.add(wait);
            return one;
        }());
    }
    counts.migrations = random() % 3;
    counts.conflicts = random() % 2;
    counts.lost = random() % 2;
    counts.grows = grow ? counts.calls : 0;
    counts.buckets_grown = grow ? static_cast<std::int64_t>(counts.calls * 8) : 0;
    return counts;
}

// Maps are born, used from several CPUs and threads, and die at random, over 20 intervals and an open one.
class RandomAggregator : public testing::TestWithParam<unsigned> {
protected:
    void SetUp() override {
        std::mt19937_64 random(GetParam());
        for (int interval = 0; interval <= 20; ++interval) {
            for (int n = 0; n < 60; ++n) {
                const auto map = static_cast<std::uint32_t>(random() % 12 + 1);
                const auto op = static_cast<mapaudit_op>(random() % MAPAUDIT_OPS);
                aggregator_.describe({7, 0, map}, info_of("m" + std::to_string(map), random() % 8 != 0));
                aggregator_.add(cell(map, op, random() % 4, random() % 5 + 100), random_counts(random, op));
                if (random() % 10 == 0) aggregator_.add_lost(7, sample_source, random() % 5);
            }
            if (interval == 20) break;  // stays open: in the totals all the same
            for (const Row& row : aggregator_.close_interval(1)) intervals_.push_back(row);
        }
        totals_ = aggregator_.totals(20);
        for (const Row& row : aggregator_.close_interval(1)) intervals_.push_back(row);
    }

    Aggregator aggregator_{{.per_cpu = true, .per_thread = true}};
    std::vector<Row> intervals_, totals_;
};

TEST_P(RandomAggregator, intervals_add_up_to_totals) {
    std::map<std::string, Sums> by_row, by_total;
    std::map<std::string, std::uint64_t> grows, grows_total;
    const auto add = [](const Row& row, auto& sums, auto& grown) {
        const std::string id = identities({row})[0];
        sums[id].add(row);
        if (row.op == Op::grow) grown[id] += row.grows;
    };
    for (const Row& row : intervals_) add(row, by_row, grows);
    for (const Row& row : totals_) add(row, by_total, grows_total);
    ASSERT_EQ(by_row.size(), by_total.size());
    ASSERT_EQ(totals_.size(), by_total.size());  // no row twice
    for (const auto& [id, sums] : by_row) sums.expect_equal(by_total[id], id);
    for (const auto& [id, count] : grows_total) {
        if (!id.ends_with("all/all")) continue;  // the map's growth stands on every CPU's row
        EXPECT_EQ(grows[id], count) << id;
    }
    const std::vector<Row> after = aggregator_.totals(21);
    ASSERT_EQ(after.size(), totals_.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
        EXPECT_EQ(after[i].calls, totals_[i].calls);
        EXPECT_EQ(after[i].p99_ns, totals_[i].p99_ns);
        EXPECT_EQ(after[i].max_ns, totals_[i].max_ns);
    }
}

TEST_P(RandomAggregator, cpus_and_threads_add_up_to_all) {
    for (const std::vector<Row>* rows : {&intervals_, &totals_}) {
        Sums all, cpus, threads;
        for (const Row& row : *rows) {
            if (row.op == Op::none) continue;
            (row.cpu ? cpus : row.tid ? threads : all).add(row);
            EXPECT_FALSE(row.cpu && row.tid);
        }
        EXPECT_GT(all.calls, 1000u);
        cpus.expect_equal(all, "cpus");
        threads.expect_equal(all, "threads");
    }
}

TEST_P(RandomAggregator, percentiles_are_ordered_and_below_the_maximum) {
    for (const std::vector<Row>* rows : {&intervals_, &totals_}) {
        for (const Row& row : *rows) {
            if (!row.p50_ns) continue;
            EXPECT_LE(*row.p50_ns, *row.p90_ns);
            EXPECT_LE(*row.p90_ns, *row.p99_ns);
            EXPECT_LE(*row.p99_ns, *row.p999_ns);
            EXPECT_LE(*row.p999_ns, *row.max_ns);
            EXPECT_LE(*row.mean_ns, *row.max_ns);
        }
    }
}

// The percentiles of the totals are those of all values together, wherever and whenever they were added.
TEST_P(RandomAggregator, percentiles_of_the_totals_are_of_all_cpus_and_intervals) {
    std::mt19937_64 random(GetParam() + 100);
    Aggregator aggregator({.per_cpu = true});
    std::vector<std::uint64_t> values;
    for (int interval = 0; interval < 30; ++interval) {
        // Each interval and CPU has a distribution of its own, octaves apart: an average of percentiles would be far
        // off.
        for (std::uint32_t cpu = 0; cpu < 4; ++cpu) {
            std::vector<std::uint64_t> some;
            for (std::uint64_t n = random() % 50; n > 0; --n) some.push_back(random() >> (30 + random() % 30));
            values.insert(values.end(), some.begin(), some.end());
            if (!some.empty()) aggregator.add(cell(1, MAPAUDIT_OP_LOOKUP, cpu), counts_of(some));
        }
        (void)aggregator.close_interval(1);
    }
    std::sort(values.begin(), values.end());
    const auto exact = [&](double quantile) {
        const auto rank = static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(values.size())));
        return static_cast<double>(values[rank - 1]);
    };
    const std::vector<Row> totals = aggregator.totals(30);
    ASSERT_FALSE(totals.empty());
    const Row& all = totals.front();
    ASSERT_FALSE(all.cpu);
    EXPECT_EQ(all.calls, values.size());
    EXPECT_NEAR(*all.p50_ns, exact(0.5), 0.032 * exact(0.5));
    EXPECT_NEAR(*all.p90_ns, exact(0.9), 0.032 * exact(0.9));
    EXPECT_NEAR(*all.p99_ns, exact(0.99), 0.032 * exact(0.99));
    EXPECT_NEAR(*all.p999_ns, exact(0.999), 0.032 * exact(0.999));
}

INSTANTIATE_TEST_SUITE_P(seeds, RandomAggregator, testing::Values(1u, 2u, 3u));

}  // namespace
}  // namespace mapaudit::model
