// SPDX-License-Identifier: Apache-2.0
#include <mapaudit/cache_map.hpp>

#include "recording.hpp"
#include "registry_view.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace mapaudit;
using namespace std::chrono_literals;
using u64 = std::uint64_t;

// Time passes when a test says so.
struct test_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<test_clock>;
    static constexpr bool is_steady = true;
    inline static std::atomic<rep> ns = 0;
    static time_point now() noexcept { return time_point(duration(ns.load())); }
    static void pass(duration by) { ns += by.count(); }
};
using cache = cache_map<u64, std::string, std::hash<u64>, std::equal_to<u64>, test_clock>;

TEST(CacheMap, TheLeastRecentlyUsedGivesWay) {
    cache map("lru", 0, {.capacity = 3, .shards = 1});
    for (u64 k = 1; k <= 3; ++k) map.assign(k, std::to_string(k));
    EXPECT_EQ(map.lookup(1), "1");       // in order of use now: 2 3 1
    EXPECT_FALSE(map.assign(2, "two"));  // 3 1 2
    EXPECT_TRUE(map.assign(4, "4"));     // 3 goes
    EXPECT_FALSE(map.lookup(3).has_value());
    EXPECT_TRUE(map.visit(1, [](const std::string& v) { EXPECT_EQ(v, "1"); }));  // 2 4 1
    EXPECT_TRUE(map.assign(5, "5"));                                             // 2 goes
    EXPECT_FALSE(map.lookup(2).has_value());
    EXPECT_EQ(map.size(), 3u);
    EXPECT_EQ(map.evictions(), 2u);
    std::vector<u64> newest_first;
    map.for_each([&](u64 k, const std::string&) { newest_first.push_back(k); });
    EXPECT_EQ(newest_first, (std::vector<u64>{5, 1, 4}));
}

TEST(CacheMap, AnUpsertUsesWhatItFindsAndMakesRoomForWhatItInserts) {
    cache map("upserted", 0, {.capacity = 3, .shards = 1});
    const auto append = [](std::string& value) { value += "+"; };
    for (u64 k = 1; k <= 3; ++k) EXPECT_TRUE(map.upsert(k, std::to_string(k), append));
    EXPECT_FALSE(map.upsert(1, "one", append));                            // in order of use now: 2 3 1
    EXPECT_FALSE(map.upsert(4, "4", [](std::string&) { return false; }));  // nothing goes
    EXPECT_EQ(map.evictions(), 0u);
    EXPECT_TRUE(map.upsert(4, "4", append));  // 2 goes
    EXPECT_FALSE(map.lookup(2).has_value());
    EXPECT_EQ(map.lookup(1), "1++");
    EXPECT_EQ(map.size(), 3u);
    EXPECT_EQ(map.evictions(), 1u);
}

TEST(CacheMap, WhatHasExpiredIsAbsentForUpsertAndEraseIf) {
    cache map("ttl", 0, {.ttl = 10s});
    const auto never = [](const std::string&) -> bool { throw std::runtime_error("called with what has expired"); };
    for (u64 k = 1; k <= 2; ++k) map.assign_for(k, "old", 3s);
    map.assign(3, "new");
    test_clock::pass(3s);
    EXPECT_TRUE(map.upsert(1, "fre", [](std::string& value) { value += "sh"; }));
    EXPECT_FALSE(map.erase_if(2, never));
    EXPECT_EQ(map.size(), 2u) << "it leaves";
    EXPECT_EQ(map.expirations(), 2u);
    test_clock::pass(7s - 1ns);
    EXPECT_FALSE(map.upsert(3, "", [](std::string& value) { value += "er"; }));
    EXPECT_EQ(map.lookup(3), "newer");
    test_clock::pass(1ns);
    EXPECT_EQ(map.lookup(3), std::nullopt) << "its expiry stayed";
    EXPECT_EQ(map.lookup(1), "fresh") << "it had the map's time to live, not the old value's";
    test_clock::pass(3s);
    EXPECT_EQ(map.lookup(1), std::nullopt);
}

TEST(CacheMap, WhatHasExpiredIsNotFoundAndLeavesWhenComeUpon) {
    cache map("ttl", 0, {.ttl = 10s});
    map.assign(1, "default");
    map.assign_for(2, "short", 3s);
    map.assign_for(3, "for ever", 0s);
    test_clock::pass(3s - 1ns);
    EXPECT_EQ(map.lookup(2), "short");
    test_clock::pass(1ns);
    EXPECT_EQ(map.size(), 3u);
    EXPECT_FALSE(map.lookup(2).has_value());
    EXPECT_EQ(map.size(), 2u) << "the look-up that came upon it erased it";
    test_clock::pass(7s);
    unsigned visited = 0;
    map.for_each([&](u64 k, const std::string&) { visited += k == 3 ? 1 : 100; });
    EXPECT_EQ(visited, 1u) << "1 has expired";
    EXPECT_FALSE(map.erase(1)) << "what has expired is not there any more";
    EXPECT_EQ(map.size(), 1u);
    EXPECT_EQ(map.expirations(), 2u);
    EXPECT_EQ(map.evictions(), 0u);
}

TEST(CacheMap, AssigningRevivesAnExpiredKeyAsANewOne) {
    cache map("ttl", 0, {.ttl = 1s});
    EXPECT_TRUE(map.assign(1, "a"));
    EXPECT_FALSE(map.assign(1, "b"));
    test_clock::pass(1s);
    EXPECT_TRUE(map.assign(1, "c"));
    EXPECT_EQ(map.lookup(1), "c");
    EXPECT_EQ(map.size(), 1u);
}

TEST(CacheMap, ExpireSweepsWhatNobodyLooksUp) {
    cache map("ttl", 0, {.ttl = 1s, .shards = 4});
    for (u64 k = 0; k < 100; ++k) map.assign_for(k, "v", k % 2 == 0 ? 1s : 5s);
    EXPECT_EQ(map.expire(), 0u);
    test_clock::pass(2s);
    EXPECT_EQ(map.expire(), 50u);
    EXPECT_EQ(map.size(), 50u);
    for (u64 k = 0; k < 100; ++k) ASSERT_EQ(map.lookup(k).has_value(), k % 2 == 1);
}

TEST(CacheMap, TheCapacityIsShared) {
    cache map("shares", 0, {.capacity = 4'096});
    EXPECT_EQ(map.shard_count(), 16u);
    for (u64 k = 0; k < 20'000; ++k) map.assign(k, "v");
    EXPECT_EQ(map.size(), 4'096u);
    EXPECT_EQ(map.evictions(), 20'000u - 4'096u);
}

TEST(CacheMap, StaysWithinItsCapacityWhenThreadsShareIt) {
    cache_map<u64, u64> map("shared", 0, {.capacity = 512});
    std::vector<std::thread> all;
    std::atomic<u64> fresh = 0;
    for (u64 t = 0; t < 4; ++t)
        all.emplace_back([&, t] {
            for (u64 i = 0; i < 5'000; ++i) {
                fresh += map.assign(i * 4 + t, i) ? 1 : 0;
                map.lookup(i);
            }
        });
    for (auto& thread : all) thread.join();
    EXPECT_EQ(fresh, 20'000u);
    EXPECT_EQ(map.size(), 512u);
    EXPECT_EQ(map.evictions(), 20'000u - 512u);
}

#ifndef MAPAUDIT_NO_PROBES
TEST(CacheMap, EvictionAndExpiryAreAuditedErasures) {
    cache map("audited", 0, {.capacity = 2, .ttl = 1s, .shards = 1});
    const mapaudit_test::listening attached(MAPAUDIT_SEM_BATCH);
    const u64 first = mapaudit_test::records_so_far();
    for (u64 k = 0; k < 5; ++k) map.assign(k, "v");  // three evictions
    test_clock::pass(1s);
    EXPECT_FALSE(map.lookup(4).has_value());  // comes upon an expired one
    EXPECT_EQ(map.expire(), 1u);
    unsigned operations[3] = {};
    for (const auto& record : mapaudit_test::records_since(first, map.id())) ++operations[record.op];
    EXPECT_EQ(operations[MAPAUDIT_OP_ASSIGN], 5u);
    EXPECT_EQ(operations[MAPAUDIT_OP_LOOKUP], 1u);
    EXPECT_EQ(operations[MAPAUDIT_OP_ERASE], 5u);
    const auto* desc = mapaudit_test::descriptor_of(map.id());
    ASSERT_NE(desc, nullptr);
    EXPECT_EQ(mapaudit_test::read_field(*desc, desc->size), 0u);
}
#endif

}  // namespace
