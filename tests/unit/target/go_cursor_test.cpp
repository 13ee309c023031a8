// SPDX-License-Identifier: Apache-2.0
//
// Go's promise for range: what is there throughout is visited exactly once, whatever is written meanwhile.
#include "recording.hpp"
#include "support/sanitized.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>

namespace {

using namespace mapaudit_test;
using mapaudit::detail::go_cursor;

// Follows which keys were there from the cursor's start to its end, and which were there all the time since a visit.
template <class Table>
struct watched_walk {
    driven<Table>& map;
    std::unordered_map<std::uint64_t, std::uint64_t>& model;
    std::set<std::uint64_t> throughout{};
    std::map<std::uint64_t, int> visits{};
    std::set<std::uint64_t> visited_since_insertion{};

    void begin() {
        for (const auto& [key, value] : model) throughout.insert(key);
    }
    void saw(std::uint64_t key, std::uint64_t value) {
        ASSERT_TRUE(model.contains(key)) << key << " was visited after its erasure";
        ASSERT_EQ(model.at(key), value);
        ASSERT_TRUE(visited_since_insertion.insert(key).second) << key << " was visited twice";
        ++visits[key];
    }
    void assign(std::uint64_t key, std::uint64_t value) {
        const bool fresh = map.assign(key, value);
        ASSERT_EQ(fresh, !model.contains(key));
        if (fresh) visited_since_insertion.erase(key);
        model[key] = value;
    }
    void erase(std::uint64_t key) {
        ASSERT_EQ(map.erase(key), model.erase(key) != 0);
        throughout.erase(key);
    }
    void clear() {
        map.table.clear();
        model.clear();
        throughout.clear();
    }
    void end() {
        for (const std::uint64_t key : throughout) ASSERT_EQ(visits[key], 1) << key;
    }
};

struct walk_plan {
    unsigned before;           // elements at the start
    unsigned assigns, erases;  // written between two steps, at random up to so many
    unsigned fresh_keys;       // of 8 assigned keys, new ones
};

template <class Hash>
void walk_under_writes(std::uint64_t seed, const walk_plan& plan, unsigned most_elements, bool clearing = false) {
    driven<table_of<Hash>> map;
    std::unordered_map<std::uint64_t, std::uint64_t> model;
    std::mt19937_64 random(seed);
    std::vector<std::uint64_t> keys;
    for (unsigned i = 0; i < plan.before; ++i) {
        const std::uint64_t key = random();
        keys.push_back(key);
        map.assign(key, key);
        model[key] = key;
    }
    watched_walk<table_of<Hash>> walk{map, model};
    walk.begin();
    go_cursor<table_of<Hash>> cursor(map.table);
    while (const auto* element = cursor.next()) {
        ASSERT_NO_FATAL_FAILURE(walk.saw(element->key, element->value));
        if (model.size() < most_elements) {
            for (auto left = random() % (plan.assigns + 1); left > 0; --left) {
                if (random() % 8 < plan.fresh_keys) keys.push_back(random());
                ASSERT_NO_FATAL_FAILURE(walk.assign(keys[random() % keys.size()], random()));
            }
        }
        for (auto left = random() % (plan.erases + 1); left > 0; --left)
            ASSERT_NO_FATAL_FAILURE(walk.erase(keys[random() % keys.size()]));
        if (clearing && random() % 100 == 0) walk.clear();
    }
    ASSERT_NO_FATAL_FAILURE(walk.end());
}

constexpr walk_plan plans[] = {
    {100, 0, 0, 0},     // nothing is written
    {1'000, 1, 0, 8},   // growth begins and proceeds
    {1'000, 40, 0, 8},  // several growths during one walk
    {2'000, 3, 3, 6},   // elements come and go
    {500, 30, 25, 7},   // and the table grows beside
    {60, 8, 8, 8},     {9, 200, 100, 8}, {3'000, 0, 4, 0},
};

TEST(GoCursor, VisitsWhatIsThereThroughoutExactlyOnce) {
    for (const auto& plan : plans)
        for (std::uint64_t seed = 1; seed <= seeds(40); ++seed)
            ASSERT_NO_FATAL_FAILURE(walk_under_writes<std::hash<std::uint64_t>>(seed, plan, 30'000)) << seed;
}

TEST(GoCursor, StaysRightWhenEverythingCollides) {
    for (auto plan : plans) {
        plan.before = std::min(plan.before, 200u);
        for (std::uint64_t seed = 1; seed <= 15; ++seed) {
            ASSERT_NO_FATAL_FAILURE(walk_under_writes<one_hash>(seed, plan, 700)) << seed;
            ASSERT_NO_FATAL_FAILURE(walk_under_writes<four_hashes>(seed, plan, 700)) << seed;
        }
    }
}

TEST(GoCursor, SurvivesClear) {
    for (const auto& plan : plans)
        for (std::uint64_t seed = 100; seed <= 120; ++seed) {
            ASSERT_NO_FATAL_FAILURE(walk_under_writes<std::hash<std::uint64_t>>(seed, plan, 20'000, true)) << seed;
            ASSERT_NO_FATAL_FAILURE(walk_under_writes<four_hashes>(seed, plan, 500, true)) << seed;
        }
}

// A cursor begun at each point of a growth, and the growth finished under it.
TEST(GoCursor, MayBeginAnywhereInAGrowth) {
    for (unsigned start = 400; start < 1'000; ++start)
        ASSERT_NO_FATAL_FAILURE(walk_under_writes<std::hash<std::uint64_t>>(start, {start, 2, 0, 8}, 5'000)) << start;
}

// Keys that follow one another collide, a burst at a time.
struct burst_hash {
    std::size_t operator()(std::uint64_t key) const noexcept { return key / 500; }
};

TEST(GoCursor, FollowsASameSizeGrowth) {
    unsigned crossed = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        driven<table_of<burst_hash>> map;
        std::unordered_map<std::uint64_t, std::uint64_t> model;
        std::mt19937_64 random(seed);
        for (std::uint64_t key = 0; key < 1'300; ++key) map.assign(key, key), model[key] = key;
        // Churn until one more round of it will repack: each burst of colliding keys leaves an empty chain behind.
        std::uint64_t next = 1'000'000, oldest = next;
        const auto churn = [&](watched_walk<table_of<burst_hash>>* walk) {
            if (walk != nullptr) {
                walk->assign(next, next);
                if (next - oldest > 300) walk->erase(oldest);
            } else {
                map.assign(next, next), model[next] = next;
                if (next - oldest > 300) map.erase(oldest), model.erase(oldest);
            }
            if (next - oldest > 300) ++oldest;
            ++next;
        };
        while (map.table.live().overflow + 8 < map.table.bucket_count() || map.table.growing()) churn(nullptr);
        const auto grows = map.table.live().grows;
        watched_walk<table_of<burst_hash>> walk{map, model};
        walk.begin();
        go_cursor<table_of<burst_hash>> cursor(map.table);
        while (const auto* element = cursor.next()) {
            ASSERT_NO_FATAL_FAILURE(walk.saw(element->key, element->value));
            for (int i = 0; i < 3; ++i) churn(&walk);
        }
        ASSERT_NO_FATAL_FAILURE(walk.end());
        if (map.table.live().grows > grows && map.seen.grows.back().reason == MAPAUDIT_GROW_OVERFLOW) ++crossed;
    }
    EXPECT_GE(crossed, 20u) << "too few walks met the growth they are about";
}

TEST(GoCursor, SeveralAtOnceDoNotDisturbEachOther) {
    driven<table_of<>> map;
    for (std::uint64_t key = 0; key < 500; ++key) map.assign(key, key);
    go_cursor<table_of<>> outer(map.table);
    std::set<std::uint64_t> outer_saw;
    std::uint64_t next = 1'000;
    while (const auto* element = outer.next()) {
        if (element->key < 500) {
            ASSERT_TRUE(outer_saw.insert(element->key).second);
        }
        if (outer_saw.size() % 50 != 0) continue;
        std::set<std::uint64_t> inner_saw;
        go_cursor<table_of<>> inner(map.table);
        while (const auto* other = inner.next()) {
            if (other->key < 500) {
                ASSERT_TRUE(inner_saw.insert(other->key).second);
            }
            if (next < 6'000) map.assign(next, next), ++next;
        }
        ASSERT_EQ(inner_saw.size(), 500u);
    }
    ASSERT_EQ(outer_saw.size(), 500u);
}

TEST(GoCursor, BeginsSomewhereElseEachTime) {
    driven<table_of<>> map;
    for (std::uint64_t key = 0; key < 1'000; ++key) map.assign(key, key);
    std::set<std::uint64_t> firsts;
    for (int i = 0; i < 50; ++i) firsts.insert(go_cursor<table_of<>>(map.table).next()->key);
    EXPECT_GE(firsts.size(), 20u);
}

}  // namespace
