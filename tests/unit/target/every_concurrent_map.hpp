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

namespace mapaudit_test {

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
using every_concurrent_map =
    testing::Types<mapaudit::mutex_map<K, V, Hash, Equal>, mapaudit::rwlock_map<K, V, Hash, Equal>,
                   mapaudit::sharded_map<K, V, Hash, Equal>, mapaudit::tophash_map<K, V, Hash, Equal>,
                   mapaudit::cas_map<K, V, Hash, Equal>, mapaudit::sync_map<K, V, Hash, Equal>,
                   mapaudit::snapshot_map<K, V, Hash, Equal>, mapaudit::cache_map<K, V, Hash, Equal>,
                   mapaudit::operation_map<K, V, Hash, Equal>>;

// And the one for a single thread.
template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
using every_map = testing::Types<mapaudit::go_map<K, V, Hash, Equal>, mapaudit::mutex_map<K, V, Hash, Equal>,
                                 mapaudit::rwlock_map<K, V, Hash, Equal>, mapaudit::sharded_map<K, V, Hash, Equal>,
                                 mapaudit::tophash_map<K, V, Hash, Equal>, mapaudit::cas_map<K, V, Hash, Equal>,
                                 mapaudit::sync_map<K, V, Hash, Equal>, mapaudit::snapshot_map<K, V, Hash, Equal>,
                                 mapaudit::cache_map<K, V, Hash, Equal>, mapaudit::operation_map<K, V, Hash, Equal>>;

}  // namespace mapaudit_test

#endif
