// SPDX-License-Identifier: Apache-2.0
//
// What the kinds have in common whatever they hold, and a few things of one kind.
#include <mapaudit/cache_map.hpp>
#include <mapaudit/cas_map.hpp>
#include <mapaudit/go_map.hpp>
#include <mapaudit/map_concept.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/operation_map.hpp>
#include <mapaudit/rwlock_map.hpp>
#include <mapaudit/sharded_map.hpp>
#include <mapaudit/snapshot_map.hpp>
#include <mapaudit/sync_map.hpp>
#include <mapaudit/tophash_map.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>

namespace {

using namespace mapaudit;

using u64 = std::uint64_t;

static_assert(any_map<go_map<u64, u64>> && any_map<mutex_map<u64, u64>> && any_map<rwlock_map<u64, u64>> &&
              any_map<sharded_map<u64, u64>>);
static_assert(any_map<go_map<std::string, std::unique_ptr<int>>> && any_map<sharded_map<u64, std::unique_ptr<int>>>);
static_assert(any_map<tophash_map<u64, u64>> && any_map<tophash_map<std::string, std::unique_ptr<int>>> &&
              any_map<cas_map<u64, u64>> && any_map<cas_map<std::string, u64>>);
static_assert(any_map<sync_map<u64, u64>> && any_map<sync_map<std::string, std::unique_ptr<int>>> &&
              any_map<snapshot_map<std::string, std::string>>);
static_assert(any_map<cache_map<u64, u64>> && any_map<cache_map<std::string, std::unique_ptr<int>>> &&
              any_map<operation_map<u64, u64>> && any_map<operation_map<std::string, std::unique_ptr<int>>>);
static_assert(!any_map<std::unordered_map<u64, u64>>);
static_assert(!go_map<u64, u64>::concurrent && mutex_map<u64, u64>::concurrent && rwlock_map<u64, u64>::concurrent &&
              sharded_map<u64, u64>::concurrent && tophash_map<u64, u64>::concurrent && cas_map<u64, u64>::concurrent &&
              sync_map<u64, u64>::concurrent && snapshot_map<u64, u64>::concurrent && cache_map<u64, u64>::concurrent &&
              operation_map<u64, u64>::concurrent);

template <class Map>
constexpr bool stays_put = !std::is_copy_constructible_v<Map> && !std::is_copy_assignable_v<Map> &&
                           !std::is_move_constructible_v<Map> && !std::is_move_assignable_v<Map>;
static_assert(stays_put<go_map<u64, u64>> && stays_put<mutex_map<u64, u64>> && stays_put<rwlock_map<u64, u64>> &&
              stays_put<sharded_map<u64, u64>> && stays_put<tophash_map<u64, u64>> && stays_put<cas_map<u64, u64>> &&
              stays_put<sync_map<u64, u64>> && stays_put<snapshot_map<u64, u64>> && stays_put<cache_map<u64, u64>> &&
              stays_put<operation_map<u64, u64>>);

template <template <class...> class Kind>
struct kind_of {
    template <class K, class V, class... More>
    using map = Kind<K, V, More...>;
};
template <class Kind>
class MapsOfAnyType : public testing::Test {};
using Templates = testing::Types<kind_of<go_map>, kind_of<mutex_map>, kind_of<rwlock_map>, kind_of<sharded_map>,
                                 kind_of<tophash_map>, kind_of<sync_map>, kind_of<cache_map>, kind_of<operation_map>>;
TYPED_TEST_SUITE(MapsOfAnyType, Templates);
// What holds for values that are trivially copied as well.
template <class Kind>
class MapsOfAnyHash : public testing::Test {};
using TemplatesOfAnyHash =
    testing::Types<kind_of<go_map>, kind_of<mutex_map>, kind_of<rwlock_map>, kind_of<sharded_map>, kind_of<tophash_map>,
                   kind_of<cas_map>, kind_of<sync_map>, kind_of<snapshot_map>, kind_of<cache_map>,
                   kind_of<operation_map>>;
TYPED_TEST_SUITE(MapsOfAnyHash, TemplatesOfAnyHash);

// Maps whose readers take no lock destroy what left them later, at the latest when told to.
template <class Map>
void reclaim(Map& map) {
    if constexpr (requires { map.reclaim(); }) map.reclaim();
}

TYPED_TEST(MapsOfAnyType, TakeMoveOnlyValues) {
    typename TypeParam::template map<std::string, std::unique_ptr<u64>> map;
    for (u64 i = 0; i < 2'000; ++i) ASSERT_TRUE(map.assign(std::to_string(i), std::make_unique<u64>(i)));
    for (u64 i = 0; i < 2'000; i += 3) ASSERT_FALSE(map.assign(std::to_string(i), std::make_unique<u64>(i + 1)));
    for (u64 i = 0; i < 2'000; ++i) {
        u64 seen = ~u64{0};
        ASSERT_TRUE(map.visit(std::to_string(i), [&](const std::unique_ptr<u64>& v) { seen = *v; }));
        ASSERT_EQ(seen, i % 3 == 0 ? i + 1 : i);
    }
    for (u64 i = 0; i < 2'000; i += 2) ASSERT_TRUE(map.erase(std::to_string(i)));
    EXPECT_EQ(map.size(), 1'000u);
}

// Counts its living instances.
struct counted {
    inline static int alive = 0;
    explicit counted(u64 n = 0) : number(n) { ++alive; }
    counted(const counted& o) : number(o.number) { ++alive; }
    counted& operator=(const counted&) = default;
    ~counted() { --alive; }
    u64 number;
};

TYPED_TEST(MapsOfAnyType, DestroyWhatTheyHeldOnce) {
    counted::alive = 0;
    {
        typename TypeParam::template map<u64, counted> map;
        for (u64 i = 0; i < 3'000; ++i) map.assign(i % 1'000, counted(i));
        reclaim(map);
        EXPECT_EQ(counted::alive, 1'000);
        for (u64 i = 0; i < 500; ++i) map.erase(i);
        reclaim(map);
        EXPECT_EQ(counted::alive, 500);
        EXPECT_EQ(map.lookup(700)->number, 2'700u);
        map.clear();
        EXPECT_EQ(counted::alive, 0);
        for (u64 i = 0; i < 200; ++i) map.assign(i, counted(i));
        EXPECT_EQ(counted::alive, 200);
    }
    EXPECT_EQ(counted::alive, 0);
}

struct refusing_hash {
    inline static u64 refused = ~u64{0};
    std::size_t operator()(u64 key) const {
        if (key == refused) throw std::runtime_error("refused");
        return key;
    }
};

TYPED_TEST(MapsOfAnyHash, AreUnchangedWhenTheHashThrows) {
    typename TypeParam::template map<u64, u64, refusing_hash> map;
    refusing_hash::refused = ~u64{0};
    for (u64 i = 0; i < 50; ++i) map.assign(i, i);
    refusing_hash::refused = 50;
    EXPECT_THROW(map.assign(50, 1), std::runtime_error);
    EXPECT_THROW(map.lookup(50), std::runtime_error);
    EXPECT_THROW(map.erase(50), std::runtime_error);
    refusing_hash::refused = ~u64{0};
    EXPECT_EQ(map.size(), 50u);
    EXPECT_FALSE(map.lookup(50).has_value());
    EXPECT_TRUE(map.assign(50, 1));
}

struct same_hash {
    std::size_t operator()(u64) const noexcept { return 1; }
};

TYPED_TEST(MapsOfAnyHash, SurviveKeysThatAllCollide) {
    typename TypeParam::template map<u64, u64, same_hash> map;
    for (u64 i = 0; i < 300; ++i) ASSERT_TRUE(map.assign(i, ~i));
    EXPECT_GT(map.overflow_buckets(), 0u);
    for (u64 i = 0; i < 300; ++i) ASSERT_EQ(map.lookup(i), ~i);
    for (u64 i = 0; i < 300; i += 2) ASSERT_TRUE(map.erase(i));
    for (u64 i = 0; i < 300; ++i) ASSERT_EQ(map.lookup(i).has_value(), i % 2 == 1);
}

TEST(GoMap, LetsTheCallbackOfForEachWrite) {
    go_map<u64, u64> map;
    for (u64 i = 0; i < 1'000; ++i) map.assign(i, i);
    std::multiset<u64> visited;
    map.for_each([&](const u64 k, const u64) {
        visited.insert(k);
        if (k >= 1'000) return;
        if (k % 2 == 0) map.erase(k);  // of those that stay, none may be missed or come twice
        map.assign(k + 1'000, k);
    });
    for (u64 i = 0; i < 2'000; ++i) ASSERT_LE(visited.count(i), 1u);
    for (u64 i = 0; i < 1'000; ++i) ASSERT_EQ(visited.count(i), 1u) << i;
    EXPECT_EQ(map.size(), 1'500u);
    EXPECT_GT(map.grows(), 0u);
}

TEST(ShardedMap, RoundsItsShardsUpToAPowerOfTwo) {
    for (const std::size_t asked : {0, 1, 2, 3, 5, 31, 32, 33, 100}) {
        sharded_map<u64, u64> map("shards", 0, asked);
        EXPECT_EQ(map.shard_count(), std::bit_ceil(asked < 1 ? std::size_t{1} : asked)) << asked;
        for (u64 i = 0; i < 500; ++i) map.assign(i, i);
        EXPECT_EQ(map.size(), 500u);
        EXPECT_GE(map.bucket_count(), map.shard_count());
    }
    EXPECT_EQ((sharded_map<u64, u64>().shard_count()), (sharded_map<u64, u64>::default_shards));
}

}  // namespace
