// SPDX-License-Identifier: Apache-2.0
//
// What the kinds have in common: each behaves as the same std::unordered_map does.
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
#include <random>
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

using Kinds =
    testing::Types<go_map<u64, u64>, mutex_map<u64, u64>, rwlock_map<u64, u64>, sharded_map<u64, u64>,
                   go_map<std::string, std::string>, mutex_map<std::string, std::string>,
                   rwlock_map<std::string, std::string>, sharded_map<std::string, std::string>, tophash_map<u64, u64>,
                   tophash_map<std::string, std::string>, cas_map<u64, u64>, cas_map<std::string, u64>,
                   sync_map<u64, u64>, sync_map<std::string, std::string>, snapshot_map<u64, u64>,
                   snapshot_map<std::string, std::string>, cache_map<u64, u64>, cache_map<std::string, std::string>,
                   operation_map<u64, u64>, operation_map<std::string, std::string>>;
TYPED_TEST_SUITE(Maps, Kinds);

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

TYPED_TEST(Maps, AgreeWithUnorderedMap) {
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

TYPED_TEST(Maps, SayWhoTheyAre) {
    TypeParam anonymous, named("sessions"), other("sessions");
    EXPECT_EQ(anonymous.name(), "");
    EXPECT_EQ(named.name(), "sessions");
#ifndef MAPAUDIT_NO_PROBES
    EXPECT_LT(anonymous.id(), named.id());
    EXPECT_LT(named.id(), other.id());
#endif
}

TYPED_TEST(Maps, OverwriteDuplicates) {
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

TYPED_TEST(Maps, AnEmptyMapAnswers) {
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

TYPED_TEST(Maps, ReservedRoomNeedsNoGrowth) {
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

TYPED_TEST(Maps, CountTheirGrowths) {
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

TYPED_TEST(Maps, StayUsableWhenACallbackThrows) {
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
