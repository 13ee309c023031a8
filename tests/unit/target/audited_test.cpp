// SPDX-License-Identifier: Apache-2.0
#include "recording.hpp"
#include "registry_view.hpp"

#include <mapaudit/audited.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using mapaudit::audited;

using unordered = std::unordered_map<int, std::string>;
using ordered = std::map<int, std::string>;

static_assert(audited<unordered>::kind == "unordered_map" && audited<ordered>::kind == "map");
static_assert(!std::is_copy_constructible_v<audited<ordered>> && !std::is_move_constructible_v<audited<ordered>> &&
              !std::is_copy_assignable_v<audited<ordered>>);
static_assert(std::is_same_v<audited<ordered>::value_type, ordered::value_type>);

template <class Map>
class Audited : public testing::Test {};
using Wrapped = testing::Types<unordered, ordered>;
TYPED_TEST_SUITE(Audited, Wrapped);

// The audited map and the bare one do the same, down to the order of iteration.
template <class Map>
void step(audited<Map>& map, Map& bare, int key, const std::string& value, unsigned what) {
    const audited<Map>& reading = map;
    const auto same = [&](auto mine, auto theirs) {
        ASSERT_EQ(mine == map.end(), theirs == bare.end());
        if (mine != map.end()) {
            ASSERT_EQ(*mine, *theirs);
        }
    };
    const auto both_inserted = [&](auto mine, auto theirs) {
        ASSERT_EQ(mine.second, theirs.second);
        ASSERT_EQ(*mine.first, *theirs.first);
    };
    switch (what) {
        case 0: return both_inserted(map.insert({key, value}), bare.insert({key, value}));
        case 1: return both_inserted(map.insert(std::make_pair(key, value)), bare.insert(std::make_pair(key, value)));
        case 2: return both_inserted(map.emplace(key, value), bare.emplace(key, value));
        case 3: return both_inserted(map.try_emplace(key, 3, 'x'), bare.try_emplace(key, 3, 'x'));
        case 4: return both_inserted(map.insert_or_assign(key, value), bare.insert_or_assign(key, value));
        case 5: ASSERT_EQ(map[key] += value, bare[key] += value); return;
        case 6: ASSERT_EQ(map.erase(key), bare.erase(key)); return;
        case 7: {
            const auto mine = map.find(key);
            const auto theirs = bare.find(key);
            ASSERT_NO_FATAL_FAILURE(same(mine, theirs));
            if (theirs != bare.end()) same(map.erase(mine), bare.erase(theirs));
            return;
        }
        case 8: {
            auto mine = map.extract(key);
            auto theirs = bare.extract(key);
            ASSERT_EQ(mine.empty(), theirs.empty());
            if (!mine.empty()) {
                ASSERT_EQ(mine.mapped(), theirs.mapped());
            }
            return;
        }
        case 9: ASSERT_EQ(reading.count(key), bare.count(key)); return;
        case 10: ASSERT_EQ(reading.contains(key), bare.contains(key)); return;
        case 11: ASSERT_EQ(reading.find(key) == reading.end(), bare.find(key) == bare.end()); return;
        case 12: {
            const auto [first, last] = reading.equal_range(key);
            ASSERT_EQ(static_cast<std::size_t>(std::distance(first, last)), bare.count(key));
            return;
        }
        default:
            if (bare.contains(key)) {
                ASSERT_EQ(reading.at(key), bare.at(key));
                ASSERT_EQ(&map.at(key), &map.wrapped().at(key)) << "a reference, not a copy";
            } else {
                ASSERT_THROW(static_cast<void>(reading.at(key)), std::out_of_range);
            }
    }
}

template <class Map>
void run_beside_the_bare_map(unsigned seed) {
    audited<Map> map("sessions");
    Map bare;
    std::mt19937 random(seed);
    for (int i = 0; i < 6'000; ++i) {
        const int key = static_cast<int>(random() % 400);
        ASSERT_NO_FATAL_FAILURE(step(map, bare, key, std::to_string(random()), random() % 14)) << "step " << i;
        ASSERT_EQ(map.size(), bare.size());
        ASSERT_EQ(map.empty(), bare.empty());
        if (i % 1'499 == 0) map.clear(), bare.clear();
        if (i % 97 == 0) {
            ASSERT_TRUE(std::equal(map.begin(), map.end(), bare.begin(), bare.end()));
        }
    }
    ASSERT_EQ(map.wrapped(), bare);
}

TYPED_TEST(Audited, DoesWhatTheBareMapDoes) { run_beside_the_bare_map<TypeParam>(1); }

#ifndef MAPAUDIT_NO_PROBES
TYPED_TEST(Audited, DoesSoWhileListenedTo) {
    const mapaudit_test::listening full(MAPAUDIT_SEM_BATCH), grow(MAPAUDIT_SEM_GROW);
    run_beside_the_bare_map<TypeParam>(2);
}

TYPED_TEST(Audited, EachCallIsOneOperationOfItsKind) {
    audited<TypeParam> map("sessions");
    map.insert({{1, "a"}, {2, "b"}});
    const mapaudit_test::listening on(MAPAUDIT_SEM_BATCH);
    const auto operations = [&](auto call) {
        const std::uint64_t first = mapaudit_test::records_so_far();
        call();
        std::vector<int> found;
        for (const auto& record : mapaudit_test::records_since(first, map.id())) found.push_back(record.op);
        return found;
    };
    using ops = std::vector<int>;
    const ops assign{MAPAUDIT_OP_ASSIGN}, lookup{MAPAUDIT_OP_LOOKUP}, erase{MAPAUDIT_OP_ERASE};
    EXPECT_EQ(operations([&] { map.insert({3, "c"}); }), assign);
    EXPECT_EQ(operations([&] { map.emplace(3, "c"); }), assign);
    EXPECT_EQ(operations([&] { map.try_emplace(4, "d"); }), assign);
    EXPECT_EQ(operations([&] { map.insert_or_assign(4, "e"); }), assign);
    EXPECT_EQ(operations([&] { map[5] = "f"; }), assign);
    EXPECT_EQ(operations([&] { map.insert({{6, "g"}, {7, "h"}, {6, "i"}}); }), ops(3, MAPAUDIT_OP_ASSIGN));
    EXPECT_EQ(operations([&] { static_cast<void>(map.find(1)); }), lookup);
    EXPECT_EQ(operations([&] { static_cast<void>(map.count(1)); }), lookup);
    EXPECT_EQ(operations([&] { static_cast<void>(map.contains(1)); }), lookup);
    EXPECT_EQ(operations([&] { static_cast<void>(map.at(1)); }), lookup);
    EXPECT_EQ(operations([&] { EXPECT_THROW(static_cast<void>(map.at(99)), std::out_of_range); }), lookup);
    EXPECT_EQ(operations([&] { static_cast<void>(std::as_const(map).equal_range(1)); }), lookup);
    EXPECT_EQ(operations([&] { map.erase(1); }), erase);
    EXPECT_EQ(operations([&] { map.erase(map.begin()); }), erase);
    EXPECT_EQ(operations([&] { map.extract(7); }), erase);
    EXPECT_EQ(operations([&] { map.erase(map.cbegin(), map.cend()); }), erase);
    EXPECT_EQ(operations([&] { map.clear(), static_cast<void>(map.size()), static_cast<void>(map.begin()); }), ops());
}

TYPED_TEST(Audited, PublishesItsSizeAsOfTheLastOperation) {
    audited<TypeParam> map("sessions");
    const auto* desc = mapaudit_test::descriptor_of(map.id());
    ASSERT_NE(desc, nullptr);
    EXPECT_EQ(desc->kind, audited<TypeParam>::kind);
    EXPECT_STREQ(desc->name, "sessions");
    const mapaudit_test::listening on(MAPAUDIT_SEM_BATCH);
    for (int i = 0; i < 300; ++i) {
        map[i] = "x";
        if (i % 4 == 0) map.erase(i);
        ASSERT_EQ(mapaudit_test::read_field(*desc, desc->size), map.size());
    }
    map.clear();
    EXPECT_EQ(mapaudit_test::read_field(*desc, desc->size), 0u);
}

TEST(AuditedUnorderedMap, ReportsEachChangeOfItsBucketCountAsAGrowth) {
    audited<unordered> map("growing");
    const auto* desc = mapaudit_test::descriptor_of(map.id());
    ASSERT_NE(desc, nullptr);
    const mapaudit_test::listening on(MAPAUDIT_SEM_BATCH);
    int growths = 0;
    for (int i = 0; i < 3'000; ++i) {
        const std::size_t buckets = map.bucket_count();
        const std::uint64_t first = mapaudit_test::records_so_far();
        map.try_emplace(i, "x");
        const bool grew = map.bucket_count() != buckets;
        growths += grew ? 1 : 0;
        const auto records = mapaudit_test::records_since(first, map.id());
        ASSERT_EQ(records.size(), 1u);
        ASSERT_EQ((records[0].flags & MAPAUDIT_REC_GREW) != 0, grew);
        ASSERT_EQ(mapaudit_test::read_field(*desc, desc->buckets), map.bucket_count());
    }
    EXPECT_GT(growths, 3);
}
#endif

TEST(AuditedUnorderedMap, ForwardsItsConstructorAndItsBuckets) {
    audited<unordered> map("sized", 1'000u);
    EXPECT_GE(map.bucket_count(), 1'000u);
    map.reserve(5'000);
    EXPECT_GE(map.bucket_count(), 5'000u);
    EXPECT_EQ(map.load_factor(), 0.0f);
    map.rehash(20'000);
    EXPECT_GE(map.bucket_count(), 20'000u);
}

TEST(AuditedMap, ForwardsItsOrderAndItsBounds) {
    audited<std::map<std::string, int, std::greater<>>> map("ordered", std::greater<>());
    map.insert({{"a", 1}, {"c", 3}, {"e", 5}});
    EXPECT_EQ(map.begin()->first, "e");
    EXPECT_EQ(map.lower_bound("d")->first, "c");
    EXPECT_EQ(map.upper_bound("c")->first, "a");
    EXPECT_NE(map.find(std::string_view("a")), map.end()) << "a key of another type";
    EXPECT_TRUE(map.contains("c"));
}

TEST(AuditedMap, TakesMoveOnlyKeysAndValues) {
    audited<std::map<std::unique_ptr<int>, std::unique_ptr<int>>> map("owning");
    auto key = std::make_unique<int>(1);
    const auto& where = *key;
    map[std::move(key)] = std::make_unique<int>(2);
    map.insert(std::make_pair(std::make_unique<int>(3), std::make_unique<int>(4)));
    map.try_emplace(std::make_unique<int>(5), std::make_unique<int>(6));
    map.insert_or_assign(std::make_unique<int>(7), std::make_unique<int>(8));
    EXPECT_EQ(map.size(), 4u);
    int sum = 0;
    bool moved = false;
    for (const auto& [k, v] : map) sum += *k * *v, moved = moved || k.get() == &where;
    EXPECT_EQ(sum, 2 + 12 + 30 + 56);
    EXPECT_TRUE(moved);
}

}  // namespace
