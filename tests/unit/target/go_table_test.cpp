// SPDX-License-Identifier: Apache-2.0
#include "recording.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <string>

namespace {

using namespace mapaudit_test;
using mapaudit::detail::go_cursor;

template <class Table, class Model>
void expect_equal_to_model(const driven<Table>& map, const Model& model) {
    ASSERT_EQ(map.table.size(), model.size());
    for (const auto& [key, value] : model) {
        const auto* found = map.find(key);
        ASSERT_NE(found, nullptr) << key;
        ASSERT_EQ(*found, value) << key;
    }
    std::size_t visited = 0;
    go_cursor<Table> cursor(map.table);
    while (const auto* element = cursor.next()) {
        const auto known = model.find(element->key);
        ASSERT_NE(known, model.end()) << element->key;
        ASSERT_EQ(element->value, known->second);
        ++visited;
    }
    ASSERT_EQ(visited, model.size());
}

struct plan {
    std::uint64_t seed;
    unsigned keys;
    unsigned assigns, erases;  // of 16 operations; the rest are look-ups
};

template <class Hash>
void run_against_model(const plan& p, int operations) {
    driven<table_of<Hash>> map;
    std::unordered_map<std::uint64_t, std::uint64_t> model;
    std::mt19937_64 random(p.seed);
    for (int i = 0; i < operations; ++i) {
        const std::uint64_t key = random() % p.keys, value = random();
        const unsigned what = random() % 16;
        if (what < p.assigns) {
            ASSERT_EQ(map.assign(key, value), model.insert_or_assign(key, value).second);
        } else if (what < p.assigns + p.erases) {
            ASSERT_EQ(map.erase(key), model.erase(key) != 0);
        } else {
            const auto known = model.find(key);
            const auto* found = map.find(key);
            ASSERT_EQ(found != nullptr, known != model.end());
            if (found != nullptr) {
                ASSERT_EQ(*found, known->second);
            }
        }
        if (random() % 20'000 == 0) {
            map.table.clear();
            model.clear();
        }
        ASSERT_EQ(map.table.size(), model.size());
        if (i % 4001 == 0) {
            ASSERT_NO_FATAL_FAILURE(expect_equal_to_model(map, model));
        }
    }
    ASSERT_NO_FATAL_FAILURE(expect_equal_to_model(map, model));
}

class GoTableModel : public testing::TestWithParam<plan> {};

TEST_P(GoTableModel, AgreesWithUnorderedMap) { run_against_model<std::hash<std::uint64_t>>(GetParam(), 60'000); }
TEST_P(GoTableModel, AgreesWhenEverythingCollides) {
    plan p = GetParam();
    p.keys = std::min(p.keys, 300u);
    run_against_model<one_hash>(p, 20'000);
    run_against_model<four_hashes>(p, 20'000);
}
INSTANTIATE_TEST_SUITE_P(Seeds, GoTableModel,
                         testing::Values(plan{1, 20, 6, 6}, plan{2, 1'000, 8, 4}, plan{3, 50'000, 12, 2},
                                         plan{4, 5'000, 6, 6}, plan{5, 200, 10, 5}, plan{6, 100'000, 15, 0}));

// Go: eight in the first bucket, then 6.5 a bucket; the insertion that would exceed it grows.
TEST(GoTable, DoublesAtTheLoadFactorOfGo) {
    driven<table_of<>> map;
    std::uint64_t expected = 1;
    for (std::uint64_t n = 1; n <= 5'000; ++n) {
        map.assign(n, n);
        while (n > 8 && 2 * n > 13 * expected) expected *= 2;
        ASSERT_EQ(map.table.bucket_count(), expected) << n << " elements";
    }
    ASSERT_EQ(map.seen.grows.size(), map.table.live().grows);
    std::uint64_t buckets = 1;
    for (const auto& grow : map.seen.grows) {
        EXPECT_EQ(grow.old_buckets, buckets);
        EXPECT_EQ(grow.new_buckets, buckets *= 2);
        EXPECT_EQ(grow.reason, MAPAUDIT_GROW_LOAD);
        EXPECT_EQ(grow.duration_ns, 0u) << "nobody asked for the time";
    }
}

TEST(GoTable, TimesGrowthWhenAskedTo) {
    driven<table_of<>> map;
    map.seen.timing = true;
    for (std::uint64_t n = 0; n < 9; ++n) map.assign(n, n);
    ASSERT_EQ(map.seen.grows.size(), 1u);
    EXPECT_EQ(map.seen.grows[0].duration_ns, 1u);
    EXPECT_EQ(map.seen.clock, 2u) << "read at the growth alone";
}

TEST(GoTable, OverwritingNeverGrows) {
    driven<table_of<>> map;
    for (std::uint64_t n = 0; n < 8; ++n) map.assign(n, n);
    for (std::uint64_t n = 0; n < 10'000; ++n) EXPECT_FALSE(map.assign(n % 8, n));
    EXPECT_EQ(map.table.bucket_count(), 1u);
    EXPECT_EQ(map.table.live().grows, 0u);
}

TEST(GoTable, PresizingLeavesNoGrowthForThatMany) {
    for (const std::size_t elements : {1u, 8u, 9u, 13u, 14u, 1'000u, 6'656u, 6'657u}) {
        driven<table_of<>> map{table_of<>(elements), {}};
        const auto buckets = map.table.bucket_count();
        for (std::uint64_t n = 0; n < elements; ++n) map.assign(n, n);
        EXPECT_EQ(map.table.bucket_count(), buckets) << elements;
        EXPECT_TRUE(map.seen.grows.empty()) << elements;
    }
}

// One write evacuates two old buckets at the most, and the whole of it is over before the next growth is due.
TEST(GoTable, EvacuatesInStepsAndReportsEachEighth) {
    driven<table_of<>> map;
    std::uint64_t n = 0;
    while (map.table.bucket_count() < 1024) map.assign(n, n), ++n;
    ASSERT_TRUE(map.table.growing());
    map.seen.evacuations.clear();
    int writes = 0;
    for (; map.table.growing(); ++writes) map.assign(n, n), ++n;
    EXPECT_GE(writes, 512 / 2 - 1);
    EXPECT_LE(writes, 512);
    ASSERT_EQ(map.seen.evacuations.size(), 8u);
    for (unsigned eighth = 1; eighth <= 8; ++eighth) {
        const auto [done, total] = map.seen.evacuations[eighth - 1];
        EXPECT_EQ(total, 512u);
        EXPECT_GE(done, eighth * 64);
        EXPECT_LE(done, eighth * 64 + 1);
    }
    EXPECT_EQ(map.seen.evacuations.back().done, 512u);
}

// Elements that come and go leave overflow buckets behind, until there are as many as buckets.
TEST(GoTable, RepacksAtTheSameSizeWhenOverflowBucketsPileUp) {
    driven<table_of<>> map;
    std::unordered_map<std::uint64_t, std::uint64_t> model;
    std::deque<std::uint64_t> order;
    std::mt19937_64 random(3);
    std::uint64_t most_overflow = 0;
    for (int i = 0; i < 400'000; ++i) {
        const std::uint64_t key = random();
        map.assign(key, key + 1);
        model.emplace(key, key + 1);
        order.push_back(key);
        if (order.size() > 3'000) {
            ASSERT_TRUE(map.erase(order.front()));
            model.erase(order.front());
            order.pop_front();
        }
        most_overflow = std::max(most_overflow, map.table.live().overflow);
        ASSERT_LE(map.table.live().overflow, map.table.bucket_count());
    }
    std::size_t same_size = 0;
    for (const auto& grow : map.seen.grows) {
        if (grow.reason != MAPAUDIT_GROW_OVERFLOW) continue;
        ++same_size;
        EXPECT_EQ(grow.old_buckets, grow.new_buckets);
    }
    EXPECT_GE(same_size, 1u);
    EXPECT_EQ(most_overflow, map.table.bucket_count());
    EXPECT_EQ(map.seen.grows.size(), map.table.live().grows);
    ASSERT_NO_FATAL_FAILURE(expect_equal_to_model(map, model));
}

TEST(GoTable, LongChainsAreSearchedToTheirEndAndShrinkInSearch) {
    driven<table_of<one_hash>> map;
    for (std::uint64_t n = 0; n < 200; ++n) map.assign(n, n);
    EXPECT_GE(map.table.live().overflow, 200u / 8 - 1);
    // From the back, the front and the middle: each way of making empty_rest.
    for (std::uint64_t n = 199; n >= 150; --n) ASSERT_TRUE(map.erase(n));
    for (std::uint64_t n = 0; n < 50; ++n) ASSERT_TRUE(map.erase(n));
    for (std::uint64_t n = 60; n < 140; n += 2) ASSERT_TRUE(map.erase(n));
    for (std::uint64_t n = 0; n < 200; ++n) {
        const bool there = n >= 50 && n < 150 && !(n >= 60 && n < 140 && n % 2 == 0);
        ASSERT_EQ(map.find(n) != nullptr, there) << n;
    }
    const auto overflow = map.table.live().overflow;
    for (std::uint64_t n = 1'000; n < 1'060; ++n) ASSERT_TRUE(map.assign(n, n));
    EXPECT_EQ(map.table.live().overflow, overflow) << "emptied slots are used before new buckets";
}

TEST(GoTable, EmptyTableFindsErasesAndIteratesNothing) {
    driven<table_of<>> map;
    EXPECT_EQ(map.find(1), nullptr);
    EXPECT_FALSE(map.erase(1));
    map.table.clear();
    EXPECT_EQ(map.table.bucket_count(), 1u);
    EXPECT_EQ(go_cursor<table_of<>>(map.table).next(), nullptr);
}

TEST(GoTable, ClearKeepsItsBucketsAlsoWhileGrowing) {
    driven<table_of<>> map;
    std::uint64_t n = 0;
    while (map.table.bucket_count() < 256 || !map.table.growing()) map.assign(n, n), ++n;
    map.table.clear();
    EXPECT_FALSE(map.table.growing());
    EXPECT_EQ(map.table.size(), 0u);
    EXPECT_EQ(map.table.bucket_count(), 256u);
    EXPECT_EQ(map.table.live().overflow, 0u);
    for (std::uint64_t key = 0; key < n; ++key) ASSERT_EQ(map.find(key), nullptr);
    const auto grows = map.table.live().grows;
    for (std::uint64_t key = 0; key < n; ++key) ASSERT_TRUE(map.assign(key, key));
    EXPECT_EQ(map.table.live().grows, grows);
}

TEST(GoTable, HoldsStringsAndMoveOnlyValues) {
    using table = mapaudit::detail::go_table<std::string, std::unique_ptr<std::string>, std::hash<std::string>,
                                             std::equal_to<std::string>>;
    driven<table> map;
    const auto name = [](int i) { return "a key too long for the small string buffer " + std::to_string(i); };
    for (int i = 0; i < 3'000; ++i) ASSERT_TRUE(map.assign(name(i), std::make_unique<std::string>(name(i) + "!")));
    for (int i = 0; i < 3'000; i += 3) ASSERT_TRUE(map.erase(name(i)));
    for (int i = 0; i < 3'000; i += 2)
        ASSERT_EQ(map.assign(name(i), std::make_unique<std::string>(name(i) + "?")), i % 3 == 0);
    for (int i = 0; i < 3'000; ++i) {
        const auto* found = map.find(name(i));
        ASSERT_EQ(found != nullptr, i % 2 == 0 || i % 3 != 0);
        if (found != nullptr) {
            ASSERT_EQ(**found, name(i) + (i % 2 == 0 ? "?" : "!"));
        }
    }
}

}  // namespace
