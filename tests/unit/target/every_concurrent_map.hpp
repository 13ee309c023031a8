// SPDX-License-Identifier: Apache-2.0
//
// The shipped maps, for typed tests.
#ifndef MAPAUDIT_TESTS_TARGET_EVERY_CONCURRENT_MAP_HPP
#define MAPAUDIT_TESTS_TARGET_EVERY_CONCURRENT_MAP_HPP

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

#include <string_view>

namespace mapaudit_test {

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>,
          class Allocator = std::allocator<std::pair<const K, V>>>
using every_concurrent_map = testing::Types<
    mapaudit::mutex_map<K, V, Hash, Equal, Allocator>, mapaudit::rwlock_map<K, V, Hash, Equal, Allocator>,
    mapaudit::sharded_map<K, V, Hash, Equal, Allocator>, mapaudit::tophash_map<K, V, Hash, Equal, Allocator>,
    mapaudit::cas_map<K, V, Hash, Equal, Allocator>, mapaudit::sync_map<K, V, Hash, Equal, Allocator>,
    mapaudit::snapshot_map<K, V, Hash, Equal, Allocator>,
    mapaudit::cache_map<K, V, Hash, Equal, std::chrono::steady_clock, Allocator>,
    mapaudit::operation_map<K, V, Hash, Equal, Allocator>>;

// And the one for a single thread.
template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>,
          class Allocator = std::allocator<std::pair<const K, V>>>
using every_map = testing::Types<
    mapaudit::go_map<K, V, Hash, Equal, Allocator>, mapaudit::mutex_map<K, V, Hash, Equal, Allocator>,
    mapaudit::rwlock_map<K, V, Hash, Equal, Allocator>, mapaudit::sharded_map<K, V, Hash, Equal, Allocator>,
    mapaudit::tophash_map<K, V, Hash, Equal, Allocator>, mapaudit::cas_map<K, V, Hash, Equal, Allocator>,
    mapaudit::sync_map<K, V, Hash, Equal, Allocator>, mapaudit::snapshot_map<K, V, Hash, Equal, Allocator>,
    mapaudit::cache_map<K, V, Hash, Equal, std::chrono::steady_clock, Allocator>,
    mapaudit::operation_map<K, V, Hash, Equal, Allocator>>;

// Whether the f of update and upsert gets a copy, of which nothing is seen until f has returned true.
template <class Map>
constexpr bool works_on_a_copy() {
    constexpr std::string_view kind = Map::kind;
    return kind == "tophash_map" || kind == "cas_map" || kind == "sync_map" || kind == "snapshot_map";
}

}  // namespace mapaudit_test

#endif
