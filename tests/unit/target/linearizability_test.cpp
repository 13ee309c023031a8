// SPDX-License-Identifier: Apache-2.0
//
// Small concurrent histories of every map, key by key, and the checker that judges them.
#include "support/linearizability.hpp"
#include "every_concurrent_map.hpp"

#include <array>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using u64 = std::uint64_t;
using mapaudit_test::event;
using mapaudit_test::linearizable;
using what = event::kind;

TEST(Linearizability, AcceptsWhatOneThreadDoes) {
    EXPECT_TRUE(linearizable({}));
    EXPECT_TRUE(linearizable({{what::lookup, 1, 2, 0, false, std::nullopt},
                              {what::assign, 3, 4, 5, true},
                              {what::lookup, 5, 6, 0, false, 5},
                              {what::assign, 7, 8, 6, false},
                              {what::erase, 9, 10, 0, true},
                              {what::erase, 11, 12, 0, false}}));
}

TEST(Linearizability, AcceptsEitherOrderOfWhatOverlaps) {
    EXPECT_TRUE(linearizable({{what::assign, 1, 4, 5, true}, {what::lookup, 2, 3, 0, false, 5}}));
    EXPECT_TRUE(linearizable({{what::assign, 1, 4, 5, true}, {what::lookup, 2, 3, 0, false, std::nullopt}}));
    EXPECT_TRUE(linearizable(
        {{what::assign, 1, 4, 5, false}, {what::assign, 2, 3, 6, true}, {what::lookup, 5, 6, 0, false, 5}}));
}

TEST(Linearizability, KnowsWritesThatRestOnWhatTheyFind) {
    const u64 changed = event::changed(4, 3);
    EXPECT_TRUE(linearizable({{what::upsert, 1, 2, 4, true},
                              {what::erase_odd, 3, 4, 0, false},
                              {what::upsert, 5, 6, 3, false},
                              {what::lookup, 7, 8, 0, false, changed},
                              {what::erase_odd, 9, 10, 0, true},
                              {what::erase_odd, 11, 12, 0, false}}));
    EXPECT_FALSE(linearizable({{what::upsert, 1, 4, 4, true}, {what::upsert, 2, 3, 4, true}})) << "both were first";
    EXPECT_FALSE(linearizable(
        {{what::assign, 1, 2, 4, true}, {what::upsert, 3, 4, 3, false}, {what::lookup, 5, 6, 0, false, 4}}))
        << "a lost update";
    EXPECT_FALSE(linearizable({{what::assign, 1, 2, 4, true}, {what::erase_odd, 3, 4, 0, true}}))
        << "it was not to be erased";
}

TEST(Linearizability, RejectsWhatNoOrderExplains) {
    EXPECT_FALSE(linearizable({{what::assign, 1, 2, 5, true}, {what::lookup, 3, 4, 0, false, std::nullopt}})) << "lost";
    EXPECT_FALSE(linearizable(
        {{what::assign, 1, 2, 5, true}, {what::assign, 3, 4, 6, false}, {what::lookup, 5, 6, 0, false, 5}}))
        << "a stale read";
    EXPECT_FALSE(linearizable({{what::assign, 1, 4, 5, true}, {what::assign, 2, 3, 6, true}})) << "both were first";
    EXPECT_FALSE(
        linearizable({{what::assign, 1, 2, 5, true}, {what::erase, 3, 6, 0, true}, {what::erase, 4, 5, 0, true}}))
        << "erased twice";
    // Two readers, one after the other, beside one write: once seen, it stays.
    EXPECT_FALSE(linearizable({{what::assign, 1, 9, 5, true},
                               {what::lookup, 2, 3, 0, false, 5},
                               {what::lookup, 4, 5, 0, false, std::nullopt}}));
}

template <class Map>
class Histories : public testing::Test {};
using Kinds = mapaudit_test::every_concurrent_map<u64, u64>;
TYPED_TEST_SUITE(Histories, Kinds);

constexpr unsigned threads = 3;
constexpr u64 rounds = 600, keys_each_round = 2, operations_each_round = 7;

template <class Map>
event perform(Map& map, std::atomic<u64>& clock, u64 key, u64 random, u64 value) {
    event e{what::lookup, clock.fetch_add(1), 0, value};
    switch (random % 8) {
        case 0:
        case 1:
            e.what = what::assign;
            e.answer = map.assign(key, value);
            break;
        case 2:
            e.what = what::upsert;
            e.answer = map.upsert(key, 0, [value](u64& there) { there = event::changed(there, value); });
            break;
        case 3:
            e.what = what::erase;
            e.answer = map.erase(key);
            break;
        case 4:
            e.what = what::erase_odd;
            e.answer = map.erase_if(key, [](const u64& there) { return there % 2 == 1; });
            break;
        default: e.found = map.lookup(key);
    }
    e.returned = clock.fetch_add(1);
    return e;
}

// Fresh keys each round, and others inserted meanwhile, so that maps grow, promote and reclaim under the histories.
TYPED_TEST(Histories, AreLinearizableKeyByKey) {
    TypeParam map;
    std::atomic<u64> clock = 0;
    std::vector<std::array<std::vector<event>, rounds * keys_each_round>> seen(threads);
    std::barrier round_starts(threads);
    std::vector<std::thread> all;
    for (unsigned t = 0; t < threads; ++t)
        all.emplace_back([&, t] {
            u64 random = t * 7919 + 1;
            for (u64 round = 0; round < rounds; ++round) {
                round_starts.arrive_and_wait();
                for (u64 i = 0; i < operations_each_round; ++i) {
                    random = random * 6364136223846793005u + 1442695040888963407u;
                    const u64 key = round * keys_each_round + (random >> 40) % keys_each_round;
                    seen[t][key].push_back(perform(map, clock, key, random >> 33, (round << 16) | (i << 8) | t));
                    if (i % 3 == 0) map.assign(1'000'000 + (round * operations_each_round + i) * threads + t, random);
                }
            }
        });
    for (auto& thread : all) thread.join();
    for (u64 key = 0; key < rounds * keys_each_round; ++key) {
        std::vector<event> history;
        for (unsigned t = 0; t < threads; ++t) history.insert(history.end(), seen[t][key].begin(), seen[t][key].end());
        ASSERT_TRUE(linearizable(history)) << "key " << key << ", " << history.size() << " operations";
    }
}

}  // namespace
