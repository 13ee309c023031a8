// SPDX-License-Identifier: Apache-2.0
#include "registry_view.hpp"

#include <mapaudit/cache_map.hpp>
#include <mapaudit/cas_map.hpp>
#include <mapaudit/go_map.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/operation_map.hpp>
#include <mapaudit/rwlock_map.hpp>
#include <mapaudit/sharded_map.hpp>
#include <mapaudit/snapshot_map.hpp>
#include <mapaudit/sync_map.hpp>
#include <mapaudit/tophash_map.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#ifndef MAPAUDIT_NO_PROBES
namespace {

using namespace mapaudit;
using namespace mapaudit_test;

using u64 = std::uint64_t;

const mapaudit_registry& registry = mapaudit_process_registry;

TEST(Registry, SaysWhatAStrangerNeedsToReadIt) {
    const go_map<u64, u64> map;
    EXPECT_EQ(registry.magic, MAPAUDIT_REGISTRY_MAGIC);
    EXPECT_EQ(std::memcmp(&registry.magic, "MAPAUDIT", 8), 0);
    EXPECT_EQ(registry.version, MAPAUDIT_ABI_VERSION);
    EXPECT_EQ(registry.record_size, 16u);
    EXPECT_EQ(registry.block_size, sizeof(mapaudit_thread_block));
    EXPECT_EQ(registry.desc_size, sizeof(mapaudit_map_desc));
    EXPECT_TRUE(registry.clock == MAPAUDIT_CLOCK_TICKS || registry.clock == MAPAUDIT_CLOCK_MONOTONIC);
    EXPECT_GT(registry.start_ns, 0u);
    EXPECT_LE(registry.start_ns, detail::monotonic_ns());
}

template <class Map>
class RegistryOfMaps : public testing::Test {};
using Kinds = testing::Types<go_map<u64, u64>, mutex_map<u64, std::string>, rwlock_map<u64, u64>, sharded_map<u64, u64>,
                             tophash_map<u64, std::string>, cas_map<u64, u64>, sync_map<u64, std::string>,
                             snapshot_map<u64, u64>, cache_map<u64, std::string>, operation_map<u64, u64>>;
TYPED_TEST_SUITE(RegistryOfMaps, Kinds);

TYPED_TEST(RegistryOfMaps, FieldsAgreeWithTheMap) {
    TypeParam map("vital signs");
    const auto* desc = descriptor_of(map.id());
    ASSERT_NE(desc, nullptr);
    EXPECT_EQ(desc->kind, TypeParam::kind);
    EXPECT_STREQ(desc->name, "vital signs");
    for (u64 i = 0; i < 5'000; ++i) {
        map.assign(i, {});
        if (i % 3 == 0) map.erase(i / 2);
        if (i % 101 != 0) continue;
        ASSERT_EQ(read_field(*desc, desc->size), map.size());
        ASSERT_EQ(read_field(*desc, desc->buckets), map.bucket_count());
        ASSERT_EQ(read_field(*desc, desc->overflow), map.overflow_buckets());
        ASSERT_EQ(read_field(*desc, desc->grows), map.grows());
    }
    EXPECT_GT(map.grows(), 0u);
    map.clear();
    EXPECT_EQ(read_field(*desc, desc->size), 0u);
    EXPECT_EQ(read_field(*desc, desc->buckets), map.bucket_count());
}

TEST(Registry, KnowsTheShards) {
    const sharded_map<u64, u64> map("shards", 0, 8);
    const auto* desc = descriptor_of(map.id());
    ASSERT_NE(desc, nullptr);
    EXPECT_EQ(desc->parts, 8u);
    EXPECT_EQ(desc->stride % 64, 0u);
    EXPECT_GT(desc->stride, 0u);
    const mutex_map<u64, u64> single;
    EXPECT_EQ(descriptor_of(single.id())->parts, 1u);
}

TEST(Registry, CutsNamesTo63Bytes) {
    for (const std::size_t length : {0, 1, 62, 63, 64, 65, 500}) {
        std::string name;
        for (std::size_t i = 0; i < length; ++i) name += static_cast<char>('a' + i % 26);
        const go_map<u64, u64> map(name);
        const auto* desc = descriptor_of(map.id());
        ASSERT_NE(desc, nullptr);
        EXPECT_EQ(std::string(desc->name), name.substr(0, MAPAUDIT_NAME_LEN - 1));
        EXPECT_EQ(map.name(), name) << "the map itself keeps the whole";
    }
}

TEST(Registry, ForgetsADestroyedMapAndReusesItsSlot) {
    const std::uint32_t live = registry.maps_live;
    std::uint32_t id = 0, index = 0;
    {
        const go_map<u64, u64> map("a name that the next one must not inherit");
        id = map.id();
        index = descriptor_of(id)->index;
        EXPECT_EQ(registry.maps_live, live + 1);
    }
    EXPECT_EQ(descriptor_of(id), nullptr);
    EXPECT_EQ(registry.maps_live, live);
    const std::uint32_t descriptors = registry.descs;
    const mutex_map<u64, u64> next("next");
    const auto* desc = descriptor_of(next.id());
    ASSERT_NE(desc, nullptr);
    EXPECT_EQ(desc->index, index);
    EXPECT_EQ(desc, descriptor_at(index));
    EXPECT_EQ(registry.descs, descriptors);
    EXPECT_GT(next.id(), id) << "ids are not used twice";
    EXPECT_STREQ(desc->name, "next");
    EXPECT_EQ(std::string(desc->kind), "mutex_map");
}

TEST(Registry, HoldsAThousandMaps) {
    constexpr unsigned many = 1'000;
    const std::uint32_t live = registry.maps_live;
    std::uint32_t descriptors = 0;
    for (int round = 0; round < 2; ++round) {
        std::vector<std::unique_ptr<go_map<u64, u64>>> maps;
        std::vector<const mapaudit_map_desc*> descs;
        std::set<const mapaudit_map_desc*> distinct;
        for (unsigned i = 0; i < many; ++i) {
            maps.push_back(std::make_unique<go_map<u64, u64>>("map " + std::to_string(i)));
            if (i > 0) {
                ASSERT_GT(maps[i]->id(), maps[i - 1]->id());
            }
            descs.push_back(descriptor_of(maps[i]->id()));
            ASSERT_NE(descs.back(), nullptr);
            distinct.insert(descs.back());
            for (unsigned n = 0; n < i % 7; ++n) maps[i]->assign(n, n);
        }
        EXPECT_EQ(distinct.size(), many);
        EXPECT_EQ(registry.maps_live, live + many);
        for (unsigned i = 0; i < many; ++i) {
            ASSERT_EQ(descriptor_of(maps[i]->id()), descs[i]) << "an entry never moves";
            ASSERT_EQ(std::string(descs[i]->name), "map " + std::to_string(i));
            ASSERT_EQ(read_field(*descs[i], descs[i]->size), i % 7);
        }
        if (round == 0) descriptors = registry.descs;
    }
    EXPECT_EQ(registry.descs, descriptors) << "the second thousand fits into the first one's slots";
    EXPECT_EQ(registry.maps_live, live);
    EXPECT_EQ(registry.unregistered, 0u);
}

TEST(Registry, TakesMapsFromSeveralThreads) {
    constexpr unsigned threads = 4, each = 250;
    const std::uint32_t live = registry.maps_live, last = registry.last_map_id;
    std::vector<std::uint32_t> ids[threads];
    std::vector<std::unique_ptr<go_map<u64, u64>>> kept[threads];
    std::vector<std::thread> all;
    for (unsigned t = 0; t < threads; ++t)
        all.emplace_back([&, t] {
            for (unsigned i = 0; i < each; ++i) {
                auto map = std::make_unique<go_map<u64, u64>>(std::to_string(t));
                ids[t].push_back(map->id());
                if (i % 2 == 0) kept[t].push_back(std::move(map));
            }
        });
    for (auto& thread : all) thread.join();
    std::set<std::uint32_t> distinct;
    for (unsigned t = 0; t < threads; ++t) {
        EXPECT_TRUE(std::is_sorted(ids[t].begin(), ids[t].end()));
        distinct.insert(ids[t].begin(), ids[t].end());
        for (const auto& map : kept[t]) {
            const auto* desc = descriptor_of(map->id());
            ASSERT_NE(desc, nullptr);
            ASSERT_EQ(std::string(desc->name), std::to_string(t));
        }
    }
    EXPECT_EQ(distinct.size(), threads * each);
    EXPECT_EQ(*distinct.begin(), last + 1);
    EXPECT_EQ(registry.last_map_id, last + threads * each);
    EXPECT_EQ(registry.maps_live, live + threads * each / 2);
    for (auto& maps : kept) maps.clear();
    EXPECT_EQ(registry.maps_live, live);
}

TEST(Registry, ChunksCoverEveryIndexOnce) {
    for (const std::uint32_t first : {MAPAUDIT_DESC_CHUNK, MAPAUDIT_BLOCK_CHUNK}) {
        std::uint32_t chunk = 0, within = 0;
        for (std::uint32_t index = 0; index < 100'000; ++index) {
            ASSERT_EQ(mapaudit_chunk_of(index, first), chunk);
            ASSERT_EQ(mapaudit_chunk_start(chunk, first) + within, index);
            if (++within == mapaudit_chunk_size(chunk, first)) ++chunk, within = 0;
        }
    }
}

}  // namespace
#endif
