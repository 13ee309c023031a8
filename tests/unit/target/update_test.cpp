// SPDX-License-Identifier: Apache-2.0
//
// update: reads and changes a value in one operation, in every kind.
#include "every_concurrent_map.hpp"
#include "recording.hpp"

#include <barrier>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

using namespace mapaudit;
using u64 = std::uint64_t;

template <class Map>
class Update : public testing::Test {};
using Kinds = mapaudit_test::every_map<u64, u64>;
TYPED_TEST_SUITE(Update, Kinds);

TYPED_TEST(Update, ChangesWhatIsThereAndInsertsNothing) {
    TypeParam map;
    std::unordered_map<u64, u64> model;
    for (u64 i = 0; i < 6'000; ++i) {
        const u64 key = i * 7919 % 2'003;
        if (i % 3 == 0) {
            map.assign(key, i);
            model.insert_or_assign(key, i);
        } else if (i % 11 == 0) {
            map.erase(key);
            model.erase(key);
        }
        const auto known = model.find(key);
        u64 calls = 0;
        ASSERT_EQ(map.update(key,
                             [&](u64& value) {
                                 ++calls;
                                 value = value * 3 + 1;
                             }),
                  known != model.end());
        ASSERT_EQ(calls, known != model.end() ? 1u : 0u) << "alone, it is called once";
        if (known != model.end()) known->second = known->second * 3 + 1;
        ASSERT_EQ(map.lookup(key), known == model.end() ? std::nullopt : std::optional<u64>(known->second));
    }
    ASSERT_EQ(map.size(), model.size());
    for (const auto& [key, value] : model) ASSERT_EQ(map.lookup(key), value);
}

TYPED_TEST(Update, ThatSaysFalseOrThrowsKeepsNoCopy) {
    TypeParam map;
    map.assign(1, 10);
    const auto change_and_say = [](bool changed) {
        return [changed](u64& value) {
            value += 1;
            return changed;
        };
    };
    EXPECT_TRUE(map.update(1, change_and_say(true)));
    EXPECT_EQ(map.lookup(1), 11u);
    EXPECT_TRUE(map.update(1, change_and_say(false))) << "the key is there all the same";
    EXPECT_EQ(map.lookup(1), mapaudit_test::works_on_a_copy<TypeParam>() ? 11u : 12u);
    map.assign(1, 10);
    EXPECT_THROW(map.update(1,
                            [](u64& value) {
                                value += 1;
                                throw std::runtime_error("no");
                            }),
                 std::runtime_error);
    EXPECT_EQ(map.lookup(1), mapaudit_test::works_on_a_copy<TypeParam>() ? 10u : 11u);
    EXPECT_FALSE(map.assign(1, 20)) << "whatever was locked is free again";
    EXPECT_EQ(map.lookup(1), 20u);
}

#ifndef MAPAUDIT_NO_PROBES
TYPED_TEST(Update, IsOneAuditedAssign) {
    TypeParam map;
    map.assign(1, 10);
    const mapaudit_test::listening attached(MAPAUDIT_SEM_BATCH);
    const u64 before = mapaudit_test::records_so_far();
    EXPECT_TRUE(map.update(1, [](u64& value) { ++value; }));
    EXPECT_FALSE(map.update(2, [](u64& value) { ++value; }));
    const auto records = mapaudit_test::records_since(before, map.id());
    ASSERT_EQ(records.size(), 2u);
    for (const auto& record : records) EXPECT_EQ(record.op, static_cast<u64>(op::assign));
}
#endif

struct length {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return text.size(); }
};
template <class Map>
class UpdateOfText : public testing::Test {};
using Texts = testing::Types<go_map<std::string, std::string, length, std::equal_to<>>,
                             sharded_map<std::string, std::string, length, std::equal_to<>>,
                             tophash_map<std::string, std::string, length, std::equal_to<>>,
                             sync_map<std::string, std::string, length, std::equal_to<>>,
                             snapshot_map<std::string, std::string, length, std::equal_to<>>,
                             cache_map<std::string, std::string, length, std::equal_to<>>,
                             operation_map<std::string, std::string, length, std::equal_to<>>>;
TYPED_TEST_SUITE(UpdateOfText, Texts);

TYPED_TEST(UpdateOfText, TakesAKeyOfAnotherTypeAndValuesOnTheHeap) {
    TypeParam map;
    for (int i = 0; i < 40; ++i) map.assign("key number " + std::to_string(i), "");
    for (int round = 0; round < 50; ++round)
        for (int i = 0; i < 40; ++i) {
            const std::string key = "key number " + std::to_string(i);
            ASSERT_TRUE(map.update(std::string_view(key), [](std::string& value) { value += 'x'; }));
        }
    for (int i = 0; i < 40; ++i) ASSERT_EQ(map.lookup("key number " + std::to_string(i)), std::string(50, 'x'));
}

TEST(UpdateOf, AnAttemptGivesUpAsTheOthersDo) {
    operation_map<u64, u64> map;
    map.assign(1, 1);
    const auto add = [](u64& value) { ++value; };
    std::stop_source stopped;
    stopped.request_stop();
    EXPECT_EQ(map.try_update(1, add, {.stop = stopped.get_token()}).how, attempt::cancelled);
    EXPECT_EQ(map.lookup(1), 1u);
    EXPECT_TRUE(map.try_update(1, add, {}).result);
    EXPECT_FALSE(map.try_update(2, add, {}).result);
    EXPECT_EQ(map.lookup(1), 2u);
}

template <class Map>
class ConcurrentUpdate : public testing::Test {};
using Concurrent = mapaudit_test::every_concurrent_map<u64, u64>;
TYPED_TEST_SUITE(ConcurrentUpdate, Concurrent);

// While the table grows, keys beside it come and go, and one of the keys itself is erased and comes back.
TYPED_TEST(ConcurrentUpdate, LosesNone) {
    constexpr u64 keys = 5, each = 4'000, threads = 4, comes_and_goes = keys;
    TypeParam map;
    for (u64 key = 0; key <= keys; ++key) map.assign(key, 0);
    std::atomic<u64> missing = 0, added = 0;
    std::barrier start(threads);
    std::vector<std::thread> all;
    for (u64 t = 0; t < threads; ++t)
        all.emplace_back([&, t] {
            start.arrive_and_wait();
            for (u64 i = 0; i < each; ++i) {
                missing += map.update((i + t) % keys, [](u64& value) { ++value; }) ? 0 : 1;
                added += map.update(comes_and_goes, [](u64& value) { ++value; }) ? 1 : 0;
                if (t == 0 && i % 64 == 0) {
                    map.erase(comes_and_goes);
                    map.assign(comes_and_goes, 0);
                }
                map.assign(1'000 + i * threads + t, i);
                if (i % 2 == 0) map.erase(1'000 + i * threads + t);
            }
        });
    for (auto& thread : all) thread.join();
    EXPECT_EQ(missing, 0u);
    u64 sum = 0;
    for (u64 key = 0; key < keys; ++key) sum += map.lookup(key).value_or(0);
    EXPECT_EQ(sum, each * threads);
    EXPECT_LE(map.lookup(comes_and_goes), added.load()) << "what was erased took its count along";
    EXPECT_EQ(map.size(), keys + 1 + each * threads / 2);
}

}  // namespace
