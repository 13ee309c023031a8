// SPDX-License-Identifier: Apache-2.0
//
// upsert and erase_if: what a write does rests on what it finds, in one operation, in every kind.
#include "every_concurrent_map.hpp"
#include "recording.hpp"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

using namespace mapaudit;
using u64 = std::uint64_t;

constexpr auto add_one = [](u64& value) { ++value; };

template <class Map>
class Upsert : public testing::Test {};
using Kinds = mapaudit_test::every_map<u64, u64>;
TYPED_TEST_SUITE(Upsert, Kinds);

TYPED_TEST(Upsert, AndEraseIfAgreeWithAModel) {
    TypeParam map;
    std::unordered_map<u64, u64> model;
    for (u64 i = 0; i < 9'000; ++i) {
        const u64 key = i * 7919 % 2'003;
        const auto known = model.find(key);
        const bool there = known != model.end();
        u64 calls = 0, seen = 0;
        if (i % 4 == 3) {
            const bool goes = there && known->second % 2 == 0;
            ASSERT_EQ(map.erase_if(key,
                                   [&](const u64& value) {
                                       ++calls;
                                       seen = value;
                                       return value % 2 == 0;
                                   }),
                      goes);
            if (there) {
                ASSERT_EQ(seen, known->second);
            }
            if (goes) model.erase(known);
        } else {
            // A fifth of those that are absent stay so.
            const bool keeps = there || i % 5 != 0;
            ASSERT_EQ(map.upsert(key, i,
                                 [&](u64& value) {
                                     ++calls;
                                     value = value * 3 + 1;
                                     return keeps;
                                 }),
                      keeps && !there);
            const u64 changed = (there ? known->second : i) * 3 + 1;
            if (keeps) model.insert_or_assign(key, changed);
        }
        ASSERT_EQ(calls, there || i % 4 != 3 ? 1u : 0u) << "alone, it is called once";
        const auto now = model.find(key);
        ASSERT_EQ(map.lookup(key), now == model.end() ? std::nullopt : std::optional<u64>(now->second));
    }
    ASSERT_EQ(map.size(), model.size());
    EXPECT_GT(map.grows(), 0u);
    for (const auto& [key, value] : model) ASSERT_EQ(map.lookup(key), value);
}

TYPED_TEST(Upsert, ThatSaysFalseOrThrowsKeepsNoCopy) {
    TypeParam map;
    const auto throws = [](u64&) -> bool { throw std::runtime_error("no"); };
    for (int round = 0; round < 2; ++round) {  // a key that never was, and one that was erased
        EXPECT_FALSE(map.upsert(1, 10, [](u64&) { return false; }));
        EXPECT_THROW(map.upsert(1, 10, throws), std::runtime_error);
        EXPECT_EQ(map.lookup(1), std::nullopt);
        EXPECT_EQ(map.size(), 0u);
        map.assign(1, 1);
        map.for_each([](const u64&, const u64&) {});
        map.erase(1);
    }
    EXPECT_TRUE(map.upsert(1, 9, add_one));
    EXPECT_FALSE(map.upsert(1, 0, [](u64& value) {
        value += 1;
        return false;
    }));
    EXPECT_EQ(map.lookup(1), mapaudit_test::works_on_a_copy<TypeParam>() ? 10u : 11u);
    map.assign(1, 10);
    EXPECT_THROW(map.upsert(1, 0,
                            [](u64& value) {
                                value += 1;
                                throw std::runtime_error("no");
                            }),
                 std::runtime_error);
    EXPECT_EQ(map.lookup(1), mapaudit_test::works_on_a_copy<TypeParam>() ? 10u : 11u);
    EXPECT_FALSE(map.assign(1, 20)) << "whatever was locked is free again";
    EXPECT_EQ(map.lookup(1), 20u);
}

TYPED_TEST(Upsert, EraseIfThatThrowsErasesNothing) {
    TypeParam map;
    for (u64 key = 0; key < 20; ++key) map.assign(key, key);
    EXPECT_THROW(map.erase_if(7, [](const u64&) -> bool { throw std::runtime_error("no"); }), std::runtime_error);
    EXPECT_EQ(map.lookup(7), 7u);
    EXPECT_EQ(map.size(), 20u);
    EXPECT_TRUE(map.erase_if(7, [](const u64&) { return true; })) << "whatever was locked is free again";
    EXPECT_FALSE(map.erase_if(7, [](const u64&) { return true; }));
    EXPECT_EQ(map.size(), 19u);
}

// A key of which nothing is left but what a kind keeps until it is cleaned up.
TYPED_TEST(Upsert, BringsBackWhatWasErased) {
    TypeParam map;
    for (u64 round = 0; round < 40; ++round)
        for (u64 key = 0; key < 30; ++key) {
            ASSERT_TRUE(map.upsert(key, round, add_one));
            ASSERT_FALSE(map.upsert(key, 0, add_one));
            ASSERT_EQ(map.lookup(key), round + 2);
            if (key % 3 == 0) map.for_each([](const u64&, const u64&) {});
            ASSERT_TRUE(key % 2 == 0 ? map.erase(key) : map.erase_if(key, [](const u64&) { return true; }));
            ASSERT_FALSE(map.update(key, add_one));
            if (key % 5 != 0) continue;
            ASSERT_TRUE(map.assign(1'000 + round * 30 + key, 0));
        }
    EXPECT_EQ(map.size(), 40u * 6);
}

#ifndef MAPAUDIT_NO_PROBES
TYPED_TEST(Upsert, IsOneAuditedAssignAndEraseIfOneErase) {
    TypeParam map;
    const mapaudit_test::listening attached(MAPAUDIT_SEM_BATCH);
    const u64 before = mapaudit_test::records_so_far();
    EXPECT_TRUE(map.upsert(1, 10, add_one));
    EXPECT_FALSE(map.upsert(1, 10, add_one));
    EXPECT_FALSE(map.erase_if(1, [](const u64&) { return false; }));
    EXPECT_TRUE(map.erase_if(1, [](const u64&) { return true; }));
    EXPECT_FALSE(map.erase_if(1, [](const u64&) { return true; }));
    const auto records = mapaudit_test::records_since(before, map.id());
    ASSERT_EQ(records.size(), 5u);
    for (std::size_t i = 0; i < records.size(); ++i)
        EXPECT_EQ(records[i].op, static_cast<u64>(i < 2 ? op::assign : op::erase)) << i;
}
#endif

template <template <class...> class Map>
using in_place = Map<std::string, std::unique_ptr<u64>>;
template <class Map>
class UpsertOfMoveOnly : public testing::Test {};
using InPlace = testing::Types<in_place<go_map>, in_place<mutex_map>, in_place<rwlock_map>, in_place<sharded_map>,
                               cache_map<std::string, std::unique_ptr<u64>>, in_place<operation_map>>;
TYPED_TEST_SUITE(UpsertOfMoveOnly, InPlace);

TYPED_TEST(UpsertOfMoveOnly, WorksOnTheValueInPlace) {
    TypeParam map;
    for (u64 i = 0; i < 300; ++i) {
        const std::string key = "key number " + std::to_string(i % 100);
        ASSERT_EQ(map.upsert(key, std::make_unique<u64>(0), [](std::unique_ptr<u64>& value) { ++*value; }), i < 100);
    }
    for (u64 i = 0; i < 100; ++i)
        ASSERT_TRUE(map.erase_if("key number " + std::to_string(i),
                                 [](const std::unique_ptr<u64>& value) { return *value == 3; }));
    EXPECT_TRUE(map.empty());
}

struct text_length {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return text.size(); }
};
template <class Map>
class EraseIfOfText : public testing::Test {};
using Texts = testing::Types<sharded_map<std::string, std::string, text_length, std::equal_to<>>,
                             tophash_map<std::string, std::string, text_length, std::equal_to<>>,
                             sync_map<std::string, std::string, text_length, std::equal_to<>>,
                             snapshot_map<std::string, std::string, text_length, std::equal_to<>>,
                             cache_map<std::string, std::string, text_length, std::equal_to<>>>;
TYPED_TEST_SUITE(EraseIfOfText, Texts);

TYPED_TEST(EraseIfOfText, TakesAKeyOfAnotherTypeAndValuesOnTheHeap) {
    TypeParam map;
    const auto key_of = [](int i) { return "key number " + std::to_string(i); };
    for (int round = 0; round < 50; ++round)
        for (int i = 0; i < 40; ++i) map.upsert(key_of(i), "", [](std::string& value) { value += 'x'; });
    for (int i = 0; i < 40; ++i) {
        const std::string key = key_of(i);
        ASSERT_TRUE(
            map.erase_if(std::string_view(key), [](const std::string& v) { return v == std::string(50, 'x'); }));
    }
    EXPECT_TRUE(map.empty());
}

}  // namespace
