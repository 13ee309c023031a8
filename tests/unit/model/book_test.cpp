// SPDX-License-Identifier: Apache-2.0
#include "model/book.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace mapaudit::model {
namespace {

constexpr double seconds = 2;

Counts counts_of(const std::vector<std::uint64_t>& latencies, double ns_per_unit = 1) {
    Counts counts;
    counts.ns_per_unit = ns_per_unit;
    for (const std::uint64_t latency : latencies) {
        ++counts.calls;
        counts.latency.add(latency);
        counts.latency_sum += latency;
        counts.latency_max = std::max(counts.latency_max, latency);
    }
    return counts;
}

Counts calls_only(std::uint64_t calls) {
    Counts counts;
    counts.calls = calls;
    return counts;
}

CellKey cell(std::uint32_t map, mapaudit_op op, std::uint32_t cpu = 0, std::uint32_t tid = 0, int pid = 7) {
    return {{pid, 0, map}, op, cpu, tid};
}

MapInfo info_of(const std::string& name, bool alive = true) {
    MapInfo info;
    info.source = "usdt";
    info.name = name;
    info.kind = "go_map";
    info.size = 12;
    info.buckets = 16;
    info.alive = alive;
    return info;
}

// map/op/cpu/tid of each row, in order.
std::vector<std::string> identities(const std::vector<Row>& rows) {
    std::vector<std::string> ids;
    for (const Row& row : rows) {
        ids.push_back(std::to_string(row.pid) + "/" + std::to_string(row.map_id) + "/" + row.op + "/" +
                      (row.cpu ? std::to_string(*row.cpu) : "all") + "/" + (row.tid ? std::to_string(*row.tid) : "all"));
    }
    return ids;
}

using Identities = std::vector<std::string>;

TEST(Book, a_row_has_every_figure_of_its_map_and_operation) {
    Book book({});
    book.describe({7, 0, 1}, info_of("users"));
    Counts counts = counts_of({10, 20, 30, 993}, 2.5);
    counts.waits = 2;
    counts.wait.add(8);
    counts.wait.add(9);
    counts.wait_sum = 17;
    counts.migrations = 3;
    counts.conflicts = 4;
    counts.lost = 5;
    book.add(cell(1, MAPAUDIT_OP_ASSIGN), counts);
    const std::vector<Row> rows = book.close_interval(seconds);
    ASSERT_EQ(rows.size(), 1u);
    const Row& row = rows[0];
    EXPECT_EQ(row.pid, 7);
    EXPECT_EQ(row.source, "usdt");
    EXPECT_EQ(row.map_id, 1u);
    EXPECT_EQ(row.map_name, "users");
    EXPECT_EQ(row.map_kind, "go_map");
    EXPECT_EQ(row.op, "assign");
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

TEST(Book, maximum_is_the_histograms_where_none_was_given) {
    Book book({});
    Counts counts = counts_of({1000});
    counts.latency_max = 0;
    book.add(cell(1, MAPAUDIT_OP_LOOKUP), counts);
    const Row row = book.close_interval(seconds).at(0);
    EXPECT_EQ(row.max_ns, static_cast<double>(mapaudit_bucket_floor(mapaudit_bucket(1000) + 1) - 1));
    EXPECT_LE(*row.p999_ns, *row.max_ns);
}

TEST(Book, maximum_is_never_below_a_bucket_that_was_hit) {
    Book book({});
    Counts without_maximum = counts_of({5000});
    without_maximum.latency_max = 0;
    book.add(cell(1, MAPAUDIT_OP_LOOKUP), counts_of({10}));
    book.add(cell(1, MAPAUDIT_OP_LOOKUP), without_maximum);
    EXPECT_GE(*book.close_interval(seconds).at(0).max_ns, 5000.0);
}

TEST(Book, weight_is_calls_per_timed_call) {
    Book book({});
    Counts sampled = counts_of({10, 20});
    sampled.calls = 128;
    book.add(cell(1, MAPAUDIT_OP_LOOKUP), sampled);
    book.add(cell(2, MAPAUDIT_OP_LOOKUP), calls_only(9));
    Counts more_timed_than_counted = counts_of({10, 20});  // the last call's count is in the next interval
    more_timed_than_counted.calls = 1;
    book.add(cell(3, MAPAUDIT_OP_LOOKUP), more_timed_than_counted);
    const std::vector<Row> rows = book.close_interval(seconds);
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].weight, 64.0);
    EXPECT_EQ(rows[1].weight, 9.0);
    EXPECT_FALSE(rows[1].p50_ns);
    EXPECT_FALSE(rows[1].max_ns);
    EXPECT_FALSE(rows[1].mean_ns);
    EXPECT_EQ(rows[2].weight, 1.0);
}

TEST(Book, a_living_map_has_a_row_in_every_interval_after_its_first_call) {
    Book book({});
    book.describe({7, 0, 1}, info_of("users"));
    EXPECT_TRUE(book.close_interval(seconds).empty());
    book.add(cell(1, MAPAUDIT_OP_LOOKUP), counts_of({10}));
    EXPECT_EQ(identities(book.close_interval(seconds)), (Identities{"7/1/lookup/all/all"}));
    const std::vector<Row> idle = book.close_interval(seconds);
    EXPECT_EQ(identities(idle), (Identities{"7/1/lookup/all/all"}));
    EXPECT_EQ(idle[0].calls, 0u);
    EXPECT_EQ(idle[0].weight, 1.0);
    EXPECT_FALSE(idle[0].p50_ns);
    EXPECT_FALSE(idle[0].max_ns);
    EXPECT_EQ(idle[0].size, 12u);
}

TEST(Book, a_destroyed_map_has_rows_while_it_had_calls_and_always_in_totals) {
    Book book({});
    book.describe({7, 0, 1}, info_of("gone"));
    book.add(cell(1, MAPAUDIT_OP_ASSIGN), counts_of({10}));
    MapInfo destroyed;
    destroyed.alive = false;
    book.describe({7, 0, 1}, destroyed);
    const std::vector<Row> last = book.close_interval(seconds);
    ASSERT_EQ(last.size(), 1u);
    EXPECT_EQ(last[0].map_name, "gone");  // keeps its last figures
    EXPECT_EQ(last[0].buckets, 16u);
    EXPECT_TRUE(book.close_interval(seconds).empty());
    EXPECT_EQ(book.totals(4).size(), 1u);
    EXPECT_EQ(book.totals(4)[0].calls, 1u);
    EXPECT_FALSE(book.find({7, 0, 1})->alive);
    EXPECT_EQ(book.find({7, 0, 2}), nullptr);
    EXPECT_EQ(book.maps(), 1u);
}

TEST(Book, growth_is_on_all_rows_of_its_map) {
    Book book({});
    book.describe({7, 0, 1}, info_of("users"));
    book.describe({7, 0, 2}, info_of("other"));
    Counts grow = counts_of({5000, 7000});
    grow.grows = 2;
    grow.buckets_grown = 48;
    book.add(cell(1, MAPAUDIT_OP_GROW), grow);
    book.add(cell(1, MAPAUDIT_OP_LOOKUP), counts_of({10}));
    book.add(cell(2, MAPAUDIT_OP_LOOKUP), counts_of({10}));
    for (const std::vector<Row>& rows : {book.totals(seconds), book.close_interval(seconds)}) {
        ASSERT_EQ(identities(rows), (Identities{"7/1/lookup/all/all", "7/1/grow/all/all", "7/2/lookup/all/all"}));
        EXPECT_EQ(rows[0].grows, 2u);
        EXPECT_EQ(rows[0].buckets_per_s, 24.0);
        EXPECT_EQ(rows[1].calls, 2u);
        EXPECT_EQ(rows[1].grows, 2u);
        EXPECT_EQ(rows[1].max_ns, 7000.0);
        EXPECT_EQ(rows[2].grows, 0u);
        EXPECT_EQ(rows[2].buckets_per_s, 0.0);
    }
    EXPECT_EQ(book.close_interval(seconds)[0].grows, 0u);
    EXPECT_EQ(book.totals(seconds)[0].grows, 2u);
}

TEST(Book, rows_are_in_order_and_only_those_asked_for) {
    const auto fill = [](Book& book) {
        book.add(cell(2, MAPAUDIT_OP_ERASE, 1, 51), counts_of({10}));
        book.add(cell(1, MAPAUDIT_OP_LOOKUP, 10, 50), counts_of({10}));
        book.add(cell(1, MAPAUDIT_OP_LOOKUP, 2, 50), counts_of({10}));
        book.add(cell(1, MAPAUDIT_OP_ASSIGN, 2, 0), counts_of({10}));
        book.add(cell(9, MAPAUDIT_OP_LOOKUP, 0, 0, 3), counts_of({10}));
    };
    Book plain({}), cpus({.per_cpu = true, .per_thread = false}), both({.per_cpu = true, .per_thread = true});
    for (Book* book : {&plain, &cpus, &both}) fill(*book);
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

TEST(Book, loss_of_no_map_is_a_row_of_its_process) {
    Book book({});
    book.add(cell(1, MAPAUDIT_OP_LOOKUP), counts_of({10}));
    book.add_lost(7, "usdt", 0);
    EXPECT_EQ(book.close_interval(seconds).size(), 1u);
    book.add_lost(7, "usdt", 3);
    book.add_lost(7, "usdt", 4);
    const std::vector<Row> rows = book.close_interval(seconds);
    const auto lost = std::find_if(rows.begin(), rows.end(), [](const Row& row) { return row.op.empty(); });
    ASSERT_NE(lost, rows.end());
    EXPECT_EQ(lost->map_name, "(lost)");
    EXPECT_EQ(lost->pid, 7);
    EXPECT_EQ(lost->source, "usdt");
    EXPECT_EQ(lost->calls, 0u);
    EXPECT_EQ(lost->lost, 7u);
    EXPECT_EQ(book.close_interval(seconds)[0].lost, 0u);
    EXPECT_EQ(book.totals(seconds)[0].lost, 7u);
}

TEST(Book, counts_of_nothing_make_no_row) {
    Book book({});
    book.add(cell(1, MAPAUDIT_OP_LOOKUP), Counts{});
    EXPECT_TRUE(book.close_interval(seconds).empty());
    EXPECT_TRUE(book.totals(seconds).empty());
}

TEST(Book, counts_without_times_take_any_unit) {
    Counts counts = calls_only(2);
    counts.add(counts_of({100}, 0.4));
    counts.add(calls_only(1));
    EXPECT_EQ(counts.calls, 4u);
    EXPECT_EQ(counts.ns_per_unit, 0.4);
}

TEST(Book, no_seconds_give_no_rate_and_nothing_is_nan) {
    Book book({.per_cpu = true, .per_thread = true});
    MapInfo no_buckets = info_of("users");
    no_buckets.buckets = 0;
    book.describe({7, 0, 1}, no_buckets);
    Counts zero_latency = counts_of({0, 0});
    zero_latency.grows = 1;
    zero_latency.buckets_grown = -8;
    book.add(cell(1, MAPAUDIT_OP_LOOKUP, 1, 2), zero_latency);
    book.add(cell(1, MAPAUDIT_OP_ERASE, 1, 2), calls_only(1));
    for (const double length : {0.0, 1.0}) {
        for (const Row& row : book.totals(length)) {
            EXPECT_EQ(row.calls_per_s, length * static_cast<double>(row.calls));
            for (const double value : {row.calls_per_s, row.buckets_per_s, row.weight, row.wait_total_ns,
                                       row.p50_ns.value_or(0), row.p999_ns.value_or(0), row.max_ns.value_or(0),
                                       row.mean_ns.value_or(0), row.load_factor.value_or(0), row.wait_p99_ns.value_or(0)})
                EXPECT_TRUE(std::isfinite(value));
            EXPECT_FALSE(row.load_factor);
        }
    }
}

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
class RandomBook : public testing::TestWithParam<unsigned> {
protected:
    void SetUp() override {
        std::mt19937_64 random(GetParam());
        for (int interval = 0; interval <= 20; ++interval) {
            for (int n = 0; n < 60; ++n) {
                const auto map = static_cast<std::uint32_t>(random() % 12 + 1);
                const auto op = static_cast<mapaudit_op>(random() % MAPAUDIT_OPS);
                book_.describe({7, 0, map}, info_of("m" + std::to_string(map), random() % 8 != 0));
                book_.add(cell(map, op, random() % 4, random() % 5 + 100), random_counts(random, op));
                if (random() % 10 == 0) book_.add_lost(7, "usdt", random() % 5);
            }
            if (interval == 20) break;  // stays open: in the totals all the same
            for (const Row& row : book_.close_interval(1)) intervals_.push_back(row);
        }
        totals_ = book_.totals(20);
        for (const Row& row : book_.close_interval(1)) intervals_.push_back(row);
    }

    Book book_{{.per_cpu = true, .per_thread = true}};
    std::vector<Row> intervals_, totals_;
};

TEST_P(RandomBook, intervals_add_up_to_totals) {
    std::map<std::string, Sums> by_row, by_total;
    std::map<std::string, std::uint64_t> grows, grows_total;
    const auto add = [](const Row& row, auto& sums, auto& grown) {
        const std::string id = identities({row})[0];
        sums[id].add(row);
        if (row.op == "grow") grown[id] += row.grows;
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
    const std::vector<Row> after = book_.totals(21);
    ASSERT_EQ(after.size(), totals_.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
        EXPECT_EQ(after[i].calls, totals_[i].calls);
        EXPECT_EQ(after[i].p99_ns, totals_[i].p99_ns);
        EXPECT_EQ(after[i].max_ns, totals_[i].max_ns);
    }
}

TEST_P(RandomBook, cpus_and_threads_add_up_to_all) {
    for (const std::vector<Row>* rows : {&intervals_, &totals_}) {
        Sums all, cpus, threads;
        for (const Row& row : *rows) {
            if (row.op.empty()) continue;
            (row.cpu ? cpus : row.tid ? threads : all).add(row);
            EXPECT_FALSE(row.cpu && row.tid);
        }
        EXPECT_GT(all.calls, 1000u);
        cpus.expect_equal(all, "cpus");
        threads.expect_equal(all, "threads");
    }
}

TEST_P(RandomBook, percentiles_are_ordered_and_below_the_maximum) {
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

INSTANTIATE_TEST_SUITE_P(seeds, RandomBook, testing::Values(1u, 2u, 3u));

}  // namespace
}  // namespace mapaudit::model
