// SPDX-License-Identifier: Apache-2.0
//
// upsert and erase_if of several threads at once, which lose nothing between them.
#include "every_concurrent_map.hpp"

#include <atomic>
#include <barrier>
#include <cstdint>
#include <thread>
#include <vector>

namespace {

using u64 = std::uint64_t;

constexpr auto add_one = [](u64& value) { ++value; };

template <class Map>
class ConcurrentUpsert : public testing::Test {};
using Concurrent = mapaudit_test::every_concurrent_map<u64, u64>;
TYPED_TEST_SUITE(ConcurrentUpsert, Concurrent);

// Every key is absent to begin with, and all threads meet at each: a few keys many times, and many once each.
TYPED_TEST(ConcurrentUpsert, OfAbsentKeysCountsExactly) {
    constexpr u64 threads = 4, rounds = 3'001, few = 3;
    TypeParam map;
    std::atomic<u64> inserted = 0;
    std::barrier start(threads);
    std::vector<std::thread> all;
    for (u64 t = 0; t < threads; ++t)
        all.emplace_back([&] {
            start.arrive_and_wait();
            u64 fresh = 0;
            for (u64 i = 0; i < rounds; ++i) {
                fresh += map.upsert(i % few, 0, add_one) ? 1 : 0;
                fresh += map.upsert(1'000 + i, 0, add_one) ? 1 : 0;
            }
            inserted += fresh;
        });
    for (auto& thread : all) thread.join();
    EXPECT_EQ(inserted, few + rounds);
    EXPECT_EQ(map.size(), few + rounds);
    u64 sum = 0;
    map.for_each([&](const u64& key, const u64& value) {
        sum += value;
        EXPECT_TRUE(key < few || value == threads) << key << ": " << value;
    });
    EXPECT_EQ(sum, 2 * threads * rounds);
}

// What is added is either still there or was in a value that erase_if saw last and took out.
TYPED_TEST(ConcurrentUpsert, AndEraseIfLoseNothingBetweenThem) {
    constexpr u64 threads = 4, rounds = 5'003, keys = 3;
    TypeParam map;
    std::atomic<u64> taken = 0;
    std::barrier start(threads);
    std::vector<std::thread> all;
    for (u64 t = 0; t < threads; ++t)
        all.emplace_back([&, t] {
            start.arrive_and_wait();
            for (u64 i = 0; i < rounds; ++i) {
                map.upsert((i + t) % keys, 0, add_one);
                if (i % 3 == t % 3) {
                    u64 seen = 0;
                    const bool took = map.erase_if(i % keys, [&seen](const u64& value) {
                        seen = value;
                        return value % 2 == 0;
                    });
                    EXPECT_TRUE(!took || (seen != 0 && seen % 2 == 0));
                    if (took) taken += seen;
                }
                // Others, so that kinds grow, promote and reclaim beside it.
                map.upsert(1'000 + i * threads + t, 0, add_one);
                if (i % 2 == 0) map.erase_if(1'000 + i * threads + t, [](const u64& value) { return value == 1; });
            }
        });
    for (auto& thread : all) thread.join();
    u64 left = 0;
    for (u64 key = 0; key < keys; ++key) left += map.lookup(key).value_or(0);
    EXPECT_EQ(taken + left, threads * rounds);
    for (u64 key = 0; key < keys; ++key) map.erase(key);
    EXPECT_EQ(map.size(), threads * (rounds / 2));
}

}  // namespace
