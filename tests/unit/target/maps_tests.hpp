// SPDX-License-Identifier: Apache-2.0
//
// What the kinds have in common: each behaves as the same std::unordered_map does. A header, since no compiler should
// have to inline all of them in one go: maps_*_test.cpp have some each.
#ifndef MAPAUDIT_TESTS_TARGET_MAPS_TESTS_HPP
#define MAPAUDIT_TESTS_TARGET_MAPS_TESTS_HPP

#include <mapaudit/probes.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>

namespace mapaudit_test {

using u64 = std::uint64_t;

template <class T>
T made_from(u64 number) {
    if constexpr (std::is_same_v<T, std::string>)
        return (number % 2 == 0 ? "k" : "a key too long for the small string buffer ") + std::to_string(number);
    else
        return number;
}

template <class Map>
class Maps : public testing::Test {
protected:
    using key_type = typename Map::key_type;
    using mapped_type = typename Map::mapped_type;
    using model_type = std::unordered_map<key_type, mapped_type>;

    static void expect_equal(const Map& map, const model_type& expected) {
        ASSERT_EQ(map.size(), expected.size());
        ASSERT_EQ(map.empty(), expected.empty());
        std::set<key_type> visited;
        bool right = true;
        map.for_each([&](const key_type& k, const mapped_type& v) {
            const auto known = expected.find(k);
            right = right && known != expected.end() && known->second == v && visited.insert(k).second;
        });
        ASSERT_TRUE(right) << "for_each gave an element that is not there, a wrong value or one twice";
        ASSERT_EQ(visited.size(), expected.size());
    }
    static void expect_counters_in_step(const Map& map) {
        ASSERT_GT(map.bucket_count(), 0u);
        ASSERT_DOUBLE_EQ(map.load_factor(), static_cast<double>(map.size()) / static_cast<double>(map.bucket_count()));
    }
};

TYPED_TEST_SUITE_P(Maps);

template <class Map, class Model>
void step(Map& map, Model& model, u64 key_number, u64 value_number, unsigned what) {
    const auto key = made_from<typename Map::key_type>(key_number);
    const auto value = made_from<typename Map::mapped_type>(value_number);
    const auto known = model.find(key);
    if (what < 7) {
        ASSERT_EQ(map.assign(key, value), model.insert_or_assign(key, value).second);
    } else if (what < 11) {
        ASSERT_EQ(map.erase(key), model.erase(key) != 0);
    } else if (what < 14) {
        const auto found = map.lookup(key);
        ASSERT_EQ(found.has_value(), known != model.end());
        if (found) {
            ASSERT_EQ(*found, known->second);
        }
    } else if (what == 14) {
        const auto change = [&value](auto& of) { of = value; };
        ASSERT_EQ(map.update(key, change), known != model.end());
        if (known != model.end()) known->second = value;
    } else {
        unsigned calls = 0;
        bool same = true;
        ASSERT_EQ(map.visit(key, [&](const auto& v) { ++calls, same = known != model.end() && v == known->second; }),
                  known != model.end());
        ASSERT_EQ(calls, known != model.end() ? 1u : 0u);
        ASSERT_TRUE(same);
    }
}

TYPED_TEST_P(Maps, AgreeWithUnorderedMap) {
    for (const u64 seed : {1, 2, 3, 4}) {
        TypeParam map("model");
        typename TestFixture::model_type model;
        std::mt19937_64 random(seed);
        const u64 keys = seed == 1 ? 12 : seed == 2 ? 300 : seed == 3 ? 3'000 : 100'000;
        u64 grows = 0;
        for (int i = 0; i < 12'000; ++i) {
            ASSERT_NO_FATAL_FAILURE(step(map, model, random() % keys, random(), random() % 16)) << "seed " << seed;
            if (random() % 5'000 == 0) map.clear(), model.clear();
            if (i % 997 != 0) continue;
            ASSERT_NO_FATAL_FAILURE(this->expect_equal(map, model));
            ASSERT_NO_FATAL_FAILURE(this->expect_counters_in_step(map));
            ASSERT_GE(map.grows(), grows);
            grows = map.grows();
        }
        ASSERT_NO_FATAL_FAILURE(this->expect_equal(map, model));
    }
}

TYPED_TEST_P(Maps, SayWhoTheyAre) {
    TypeParam anonymous, named("sessions"), other("sessions");
    EXPECT_EQ(anonymous.name(), "");
    EXPECT_EQ(named.name(), "sessions");
#ifndef MAPAUDIT_NO_PROBES
    EXPECT_LT(anonymous.id(), named.id());
    EXPECT_LT(named.id(), other.id());
#endif
}

TYPED_TEST_P(Maps, OverwriteDuplicates) {
    TypeParam map;
    const auto key = made_from<typename TypeParam::key_type>(7);
    EXPECT_TRUE(map.assign(key, made_from<typename TypeParam::mapped_type>(0)));
    for (u64 i = 1; i <= 100; ++i) {
        EXPECT_FALSE(map.assign(key, made_from<typename TypeParam::mapped_type>(i)));
        EXPECT_EQ(map.lookup(key), made_from<typename TypeParam::mapped_type>(i));
    }
    EXPECT_EQ(map.size(), 1u);
    EXPECT_EQ(map.grows(), 0u);
    EXPECT_TRUE(map.erase(key));
    EXPECT_FALSE(map.erase(key));
    EXPECT_EQ(map.size(), 0u);
}

TYPED_TEST_P(Maps, AnEmptyMapAnswers) {
    TypeParam map;
    const auto key = made_from<typename TypeParam::key_type>(1);
    EXPECT_FALSE(map.lookup(key).has_value());
    EXPECT_FALSE(map.visit(key, [](const auto&) { FAIL() << "visited what is not there"; }));
    EXPECT_FALSE(map.erase(key));
    map.clear();
    map.for_each([](const auto&, const auto&) { FAIL() << "visited what is not there"; });
    EXPECT_TRUE(map.empty());
    EXPECT_EQ(map.load_factor(), 0.0);
}

TYPED_TEST_P(Maps, ReservedRoomNeedsNoGrowth) {
    constexpr std::size_t elements = 9'973;
    TypeParam map("reserved", elements);
    const std::size_t buckets = map.bucket_count();
    EXPECT_GE(buckets * 13, elements * 2);
    for (u64 i = 0; i < elements; ++i)
        map.assign(made_from<typename TypeParam::key_type>(i), made_from<typename TypeParam::mapped_type>(i));
    EXPECT_EQ(map.size(), elements);
    EXPECT_EQ(map.grows(), 0u);
    EXPECT_EQ(map.bucket_count(), buckets);
}

TYPED_TEST_P(Maps, CountTheirGrowths) {
    TypeParam map;
    std::size_t buckets = map.bucket_count();
    u64 grows = 0;
    for (u64 i = 0; i < 20'000; ++i) {
        map.assign(made_from<typename TypeParam::key_type>(i), made_from<typename TypeParam::mapped_type>(i));
        if (map.bucket_count() != buckets) {
            ASSERT_GT(map.bucket_count(), buckets);
            ASSERT_EQ(map.grows(), grows + 1) << "the bucket count changed without a growth";
            buckets = map.bucket_count();
        }
        grows = map.grows();
        ASSERT_LE(2 * map.size(), 16 * map.bucket_count());
    }
    EXPECT_GT(grows, 0u);
    map.clear();
    EXPECT_EQ(map.bucket_count(), buckets) << "clear keeps the buckets";
    EXPECT_EQ(map.grows(), grows);
    EXPECT_EQ(map.overflow_buckets(), 0u);
}

TYPED_TEST_P(Maps, StayUsableWhenACallbackThrows) {
    TypeParam map;
    const auto key = made_from<typename TypeParam::key_type>(1);
    const auto value = made_from<typename TypeParam::mapped_type>(2);
    map.assign(key, value);
    const auto fails = [](const auto&...) -> void { throw std::runtime_error("no"); };
    EXPECT_THROW(map.visit(key, fails), std::runtime_error);
    EXPECT_THROW(map.for_each(fails), std::runtime_error);
    EXPECT_EQ(map.lookup(key), value);  // would deadlock had the lock been kept
    EXPECT_FALSE(map.assign(key, value));
}

REGISTER_TYPED_TEST_SUITE_P(Maps, AgreeWithUnorderedMap, SayWhoTheyAre, OverwriteDuplicates, AnEmptyMapAnswers,
                            ReservedRoomNeedsNoGrowth, CountTheirGrowths, StayUsableWhenACallbackThrows);

}  // namespace mapaudit_test

#endif
